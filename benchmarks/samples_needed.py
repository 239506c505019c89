"""Texts until each domain's 95 % interval is within two points, against the paper's 40,000.

python benchmarks/samples_needed.py [--model smollm2-135m] [--within 0.02] [--tokens 48]
"""

import argparse
import json
import time

from versatune.detect import detect
from versatune.models import load_model, load_tokenizer
from versatune.sample import SampleSettings

PAPER = 40_000  # texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0].replace("%", "%%"))
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--within", type=float, default=0.02, help="half width of an interval")
    parser.add_argument("--tokens", type=int, default=48, help="length cap of a text")
    args = parser.parse_args()

    began = time.perf_counter()
    model, tokenizer = load_model(args.model, "bf16"), load_tokenizer(args.model)
    settings = SampleSettings(n=512, max_new_tokens=args.tokens, batch_size=128)
    profile = detect(model, tokenizer, settings=settings, within=args.within, progress=False)
    result = dict(
        benchmark="samples_needed",
        unit="texts",
        model=args.model,
        within=args.within,
        half_width=round(profile.half_width, 4),
        seconds=round(time.perf_counter() - began),
        paper=PAPER,
        versatune=profile.n,
        ratio=round(PAPER / profile.n, 1),
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
