"""Tokens per second of sampling: batch 1 in fp32, as the script released with the paper samples, against our default, in one run.

python benchmarks/sampling.py [--model smollm2-135m] [--tokens 64] [--batch 128] [--repeats 3]
"""

import argparse
import json
import statistics
import time

import torch

from versatune.models import load_model, load_tokenizer
from versatune.sample import SampleSettings, sample_texts

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument(
    "--tokens", type=int, default=64, help="length cap of a text, the same for both"
)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--repeats", type=int, default=3)
args = parser.parse_args()

tokenizer = load_tokenizer(args.model)
sides = {
    "authors": (
        load_model(args.model, "fp32"),
        SampleSettings.paper(n=4, max_new_tokens=args.tokens),
    ),
    "versatune": (
        load_model(args.model, "bf16"),
        SampleSettings(n=args.batch, max_new_tokens=args.tokens, batch_size=args.batch),
    ),
}
speed = {name: [] for name in sides}
for repeat in range(args.repeats + 1):  # the first is warm-up
    for name, (model, settings) in sides.items():
        began = time.perf_counter()
        samples = sample_texts(model, tokenizer, settings, progress=False)
        if repeat:
            speed[name].append(
                sum(r["n_tokens"] for r in samples.rows) / (time.perf_counter() - began)
            )
median = {name: statistics.median(s) for name, s in speed.items()}
print(
    json.dumps(
        dict(
            benchmark="sampling",
            unit="tokens/s",
            model=args.model,
            tokens=args.tokens,
            batch=args.batch,
            threads=torch.get_num_threads(),
            torch=torch.__version__,
            **{
                name: dict(median=round(median[name], 1), runs=[round(x, 1) for x in s])
                for name, s in speed.items()
            },
            ratio=round(median["versatune"] / median["authors"], 2),
        )
    )
)
