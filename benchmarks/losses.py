"""Losses by domain: row by row with all logits, as the script released with the paper measures them, against `domain_losses`, in one run.

python benchmarks/losses.py [--model smollm2-135m] [--heldout 16] [--repeats 2]
"""

import argparse
import json
import time

import torch

from versatune.tokens import collate, tokenize
from versatune.data import load_data
from versatune.losses import domain_losses
from versatune.models import load_model, load_tokenizer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--data", default="starter")
parser.add_argument("--heldout", type=int, default=16, help="rows of each domain")
parser.add_argument("--repeats", type=int, default=2)
parser.add_argument("--budget", type=int, default=2048, help="tokens of a batch")
args = parser.parse_args()

data = tokenize(load_data(args.data), load_tokenizer(args.model), 512, heldout_rows=args.heldout)


def row_by_row(model):
    found = {}
    for domain, rows in data.heldout.items():
        total = count = 0
        for row in rows:
            with (
                torch.no_grad(),
                torch.autocast(
                    model.device.type, torch.bfloat16, enabled=model.dtype == torch.bfloat16
                ),
            ):
                total += (
                    model(
                        **{k: v.to(model.device) for k, v in collate([row]).items()},
                        use_cache=False,
                    ).loss.item()
                    * row["supervised"]
                )
            count += row["supervised"]
        found[domain] = total / count
    return found


result = {}
for precision in ("nf4", "bf16", "fp32"):  # nf4: the model as it is trained
    model, sides, found = (
        load_model(args.model, precision),
        {"batch 1": row_by_row, "versatune": lambda m: domain_losses(m, data.heldout, args.budget)},
        {},
    )
    seconds = dict.fromkeys(sides, float("inf"))
    for _ in range(args.repeats):
        for side, measure in sides.items():
            began = time.perf_counter()
            found[side] = measure(model)
            seconds[side] = min(seconds[side], time.perf_counter() - began)
    off = max(abs(found["versatune"][d] / found["batch 1"][d] - 1) for d in data.heldout)
    result[precision] = {side: round(s, 2) for side, s in seconds.items()} | dict(
        ratio=round(seconds["batch 1"] / seconds["versatune"], 2),
        largest_relative_difference=float(f"{off:.2g}"),
    )
print(
    json.dumps(
        dict(
            benchmark="losses",
            unit="seconds, best of repeats",
            model=args.model,
            rows=sum(map(len, data.heldout.values())),
            tokens=sum(len(r["input_ids"]) for part in data.heldout.values() for r in part),
            token_budget=args.budget,
            threads=torch.get_num_threads(),
            torch=torch.__version__,
            **result,
        )
    )
)
