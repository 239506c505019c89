"""What reweighting costs: the same stock Trainer on the same rows with a plain data set, with the mixture's view, and with the view and the loss rounds, in one run.

Whole runs differ by some percent from one minute to the next on a shared machine, so the seconds spent inside the view and the callback are also counted, within the same runs.

python benchmarks/overhead.py [--rows 256] [--rounds 1] [--heldout 8] [--repeats 2]
"""

import argparse
import json
import tempfile
import time

import torch
from transformers import PrinterCallback, Trainer

from versatune.tokens import collator, tokenize
from versatune.data import load_data
from versatune.domains import DomainWeights
from versatune.losses import training_arguments
from versatune.models import add_lora, load_model, load_tokenizer
from versatune.callback import ReweightCallback
from versatune.view import MixtureView

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--data", default="starter")
parser.add_argument("--rows", type=int, default=256, help="rows of a round")
parser.add_argument("--rounds", type=int, default=1)
parser.add_argument("--heldout", type=int, default=8, help="held-out rows of each domain")
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--repeats", type=int, default=2)
args = parser.parse_args()

tokenizer = load_tokenizer(args.model)
data = tokenize(load_data(args.data), tokenizer, 512, heldout_rows=args.heldout)
start = DomainWeights.uniform(data.domains)
model = add_lora(load_model(args.model))
tokens, inside = {}, {}


def timed(work, key):
    """`work`, adding its seconds to inside[key]."""

    def counted(*args, **kwargs):
        began = time.perf_counter()
        try:
            return work(*args, **kwargs)
        finally:
            inside[key] += time.perf_counter() - began

    return counted


class Timed(ReweightCallback):
    """The callback, its hooks timed."""


for hook in [name for name in vars(ReweightCallback) if name.startswith("on_")]:
    setattr(Timed, hook, timed(getattr(ReweightCallback, hook), "callback"))


class Quiet(Timed):
    """The callback without its measurements: every loss is 1."""

    def _losses(self, model):
        return dict.fromkeys(self.view.data.domains, 1.0)


def seconds(side):
    inside.update(view=0.0, callback=0.0)
    view = MixtureView(data, start, args.rows)
    rows = (
        view.dataset
        if side != "plain"
        else view.dataset.with_format(None).map(
            lambda r: view.rows([r["slot"]])[0], remove_columns="slot", load_from_cache_file=False
        )
    )
    tokens["a round"], tokens["held out"] = (
        sum(len(r["input_ids"]) for r in view.rows(range(args.rows))),
        sum(len(r["input_ids"]) for part in data.heldout.values() for r in part),
    )
    callback = {"plain": [], "view": [Quiet], "view and losses": [Timed]}[side]
    view.rows, inside["view"] = timed(view.rows, "view"), 0.0
    with tempfile.TemporaryDirectory() as folder:
        settings = training_arguments(
            model,
            folder,
            num_train_epochs=args.rounds,
            per_device_train_batch_size=args.batch,
            train_sampling_strategy="sequential",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model,
            settings,
            train_dataset=rows,
            data_collator=collator(tokenizer),
            callbacks=[c(view, reference=dict.fromkeys(start, 0.5)) for c in callback],
        )
        trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        spent = time.perf_counter() - began
        return dict(
            seconds=spent,
            inside=dict(inside),
            share=sum(inside.values()) / (spent - sum(inside.values())),
        )


sides = {side: [] for side in ("plain", "view", "view and losses")}
for _ in range(args.repeats):
    for side in sides:
        sides[side].append(seconds(side))
runs = {side: min(found, key=lambda r: r["seconds"]) for side, found in sides.items()}
inside = {side: sum(r["inside"].values()) for side, r in runs.items()}
heldout = (inside["view and losses"] - inside["view"]) / (args.rounds + 1) / tokens["held out"]
trained = (
    (runs["view and losses"]["seconds"] - inside["view and losses"])
    / args.rounds
    / tokens["a round"]
)
print(
    json.dumps(
        dict(
            benchmark="overhead",
            unit="seconds, best of repeats",
            model=args.model,
            rows=args.rows,
            rounds=args.rounds,
            tokens=tokens,
            threads=torch.get_num_threads(),
            torch=torch.__version__,
            **{
                side: dict(
                    seconds=round(r["seconds"], 2),
                    inside={k: round(s, 3) for k, s in r["inside"].items()},
                )
                for side, r in runs.items()
            },
            overhead={
                "whole runs": {
                    side: round(runs[side]["seconds"] / runs["plain"]["seconds"] - 1, 4)
                    for side in ("view", "view and losses")
                },
                "inside, of the rest": {
                    side: round(runs[side]["share"], 4) for side in ("view", "view and losses")
                },
            },
            cost_of_a_heldout_token_in_trained_ones=round(heldout / trained, 3),
        )
    )
)
