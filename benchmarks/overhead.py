"""What reweighting costs: one Trainer on the same rows, without and with view and loss rounds.

Three sides in one run: a plain data set, the mixture's view, and the view with the loss rounds.
Whole runs differ by some percent from one minute to the next on a shared machine, so the seconds
spent inside the view and the callback are also counted, within the same runs.

python benchmarks/overhead.py [--rows 256] [--rounds 1] [--heldout 8] [--repeats 2]
"""

import argparse
import json
import tempfile
import time

import torch
from transformers import PrinterCallback, Trainer

from versatune.callback import ReweightCallback
from versatune.data import load_data
from versatune.domains import DomainWeights
from versatune.losses import training_arguments
from versatune.models import add_lora, load_model, load_tokenizer
from versatune.tokens import collator, tokenize
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
inside = {}  # "view" and "callback" -> seconds spent there in the current run


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


for hook in vars(ReweightCallback):
    if hook.startswith("on_"):
        setattr(Timed, hook, timed(getattr(ReweightCallback, hook), "callback"))


class Quiet(Timed):
    """The callback without its measurements: every loss is 1."""

    def measure(self, model):
        return dict.fromkeys(self.view.data.domains, 1.0)


CALLBACKS = {"plain": None, "view": Quiet, "view and losses": Timed}


def plain_rows(view):
    """The rows of the view's first round as a data set of their own."""

    def row(slot):
        return view.rows([slot["slot"]])[0]

    slots = view.dataset.with_format(None)
    return slots.map(row, remove_columns="slot", load_from_cache_file=False)


def count_tokens(rows):
    return sum(len(row["input_ids"]) for row in rows)


def run(side):
    """Seconds of one training, those spent inside the view and the callback, and their share."""
    inside.update(view=0.0, callback=0.0)
    view = MixtureView(data, start, args.rows)
    rows = plain_rows(view) if side == "plain" else view.dataset
    callback = CALLBACKS[side]
    callbacks = [callback(view, reference=dict.fromkeys(start, 0.5))] if callback else []
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
        more = dict(data_collator=collator(tokenizer), callbacks=callbacks)
        trainer = Trainer(model, settings, train_dataset=rows, **more)
        trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    spent = sum(inside.values())
    return dict(seconds=seconds, inside=dict(inside), share=spent / (seconds - spent))


def rounded(side):
    """One side's seconds, as they are printed."""
    within = {key: round(seconds, 3) for key, seconds in side["inside"].items()}
    return dict(seconds=round(side["seconds"], 2), inside=within)


first_round = MixtureView(data, start, args.rows).rows(range(args.rows))
tokens = {
    "a round": count_tokens(first_round),
    "held out": sum(map(count_tokens, data.heldout.values())),
}
all_runs = {side: [] for side in CALLBACKS}
for _ in range(args.repeats):
    for side, runs in all_runs.items():
        runs.append(run(side))
best = {}
for side, runs in all_runs.items():
    best[side] = min(runs, key=lambda r: r["seconds"])

spent = {side: sum(found["inside"].values()) for side, found in best.items()}
measured = (spent["view and losses"] - spent["view"]) / (args.rounds + 1)  # of one loss round
trained = (best["view and losses"]["seconds"] - spent["view and losses"]) / args.rounds
heldout_token, trained_token = measured / tokens["held out"], trained / tokens["a round"]

above_plain, of_the_rest = {}, {}
for side in ("view", "view and losses"):
    above_plain[side] = round(best[side]["seconds"] / best["plain"]["seconds"] - 1, 4)
    of_the_rest[side] = round(best[side]["share"], 4)
result = dict(
    benchmark="overhead",
    unit="seconds, best of repeats",
    model=args.model,
    rows=args.rows,
    rounds=args.rounds,
    tokens=tokens,
    threads=torch.get_num_threads(),
    torch=torch.__version__,
    **{side: rounded(found) for side, found in best.items()},
    overhead={"whole runs": above_plain, "inside, of the rest": of_the_rest},
    cost_of_a_heldout_token_in_trained_ones=round(heldout_token / trained_token, 3),
)
print(json.dumps(result))
