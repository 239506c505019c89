"""Texts needed until every domain's 95 % interval reaches at most two points to either side, against the paper's 40,000.

python benchmarks/samples_needed.py [--model smollm2-135m] [--within 0.02] [--tokens 48]
"""

import argparse
import json
import time

from versatune.detect import detect
from versatune.models import load_model, load_tokenizer
from versatune.sample import SampleSettings

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--within", type=float, default=0.02)
parser.add_argument("--tokens", type=int, default=48)
args = parser.parse_args()

began = time.perf_counter()
settings = SampleSettings(n=512, max_new_tokens=args.tokens, batch_size=128)
profile = detect(
    load_model(args.model, "bf16"),
    load_tokenizer(args.model),
    settings=settings,
    within=args.within,
    progress=False,
)
print(
    json.dumps(
        dict(
            benchmark="samples_needed",
            unit="texts",
            model=args.model,
            within=args.within,
            half_width=round(profile.half_width, 4),
            seconds=round(time.perf_counter() - began),
            paper=40_000,
            versatune=profile.n,
            ratio=round(40_000 / profile.n, 1),
        )
    )
)
