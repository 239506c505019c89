"""Losses by domain: row by row, as the paper's script does, against `domain_losses`, in one run.

python benchmarks/losses.py [--model smollm2-135m] [--heldout 16] [--repeats 2]
"""

import argparse
import json
import time

import torch

from versatune.data import load_data
from versatune.losses import domain_losses
from versatune.models import load_model, load_tokenizer
from versatune.tokens import collate, tokenize


def row_by_row(model, heldout):
    "Domain -> mean loss, one row at a time with all its logits, as the paper's script does."
    in_bf16 = model.dtype == torch.bfloat16
    autocast = torch.autocast(model.device.type, torch.bfloat16, enabled=in_bf16)
    losses = {}
    for domain, rows in heldout.items():
        total = n_tokens = 0
        for row in rows:
            batch = {name: tensor.to(model.device) for name, tensor in collate([row]).items()}
            with torch.no_grad(), autocast:
                total += model(**batch, use_cache=False).loss.item() * row["supervised"]
            n_tokens += row["supervised"]
        losses[domain] = total / n_tokens
    return losses


def compare(model, heldout, budget, repeats):
    "Seconds of both sides (best of `repeats`), their ratio and the largest relative difference."
    sides = {
        "batch 1": lambda: row_by_row(model, heldout),
        "versatune": lambda: domain_losses(model, heldout, budget),
    }
    losses, seconds = {}, dict.fromkeys(sides, float("inf"))
    for _ in range(repeats):
        for side, measure in sides.items():
            began = time.perf_counter()
            losses[side] = measure()
            seconds[side] = min(seconds[side], time.perf_counter() - began)
    ours, naive = losses["versatune"], losses["batch 1"]
    difference = max(abs(ours[domain] / naive[domain] - 1) for domain in heldout)
    return {
        **{side: round(best, 2) for side, best in seconds.items()},
        "ratio": round(seconds["batch 1"] / seconds["versatune"], 2),
        "largest_relative_difference": float(f"{difference:.2g}"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--data", default="starter")
    parser.add_argument("--heldout", type=int, default=16, help="rows of each domain")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--budget", type=int, default=2048, help="tokens of a batch")
    args = parser.parse_args()

    data = load_data(args.data)
    heldout = tokenize(data, load_tokenizer(args.model), 512, heldout_rows=args.heldout).heldout
    by_precision = {}
    for precision in ("nf4", "bf16", "fp32"):  # nf4: the model as it is trained
        model = load_model(args.model, precision)
        by_precision[precision] = compare(model, heldout, args.budget, args.repeats)
    rows = [row for domain in heldout for row in heldout[domain]]
    result = dict(
        benchmark="losses",
        unit="seconds, best of repeats",
        model=args.model,
        rows=len(rows),
        tokens=sum(len(row["input_ids"]) for row in rows),
        token_budget=args.budget,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        **by_precision,
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
