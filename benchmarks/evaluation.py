"""Evaluation with an adapter against the base model, on the same questions, in one run.

MALLOC_MMAP_THRESHOLD_=65536 python benchmarks/evaluation.py [--questions 8] [--repeats 2]

The variable has the system take back what is freed; without it, peaks hold the heap's gaps too.
"""

import argparse
import json
import time

import datasets
import torch
import transformers

from versatune.data import load_data
from versatune.evaluate import evaluate
from versatune.gpu import forget_peak, memory_in_use, memory_peak
from versatune.models import LoraSettings, add_lora, load_model, load_tokenizer
from versatune.tasks import Benchmark


def measured(call):
    "Seconds, the most megabytes above those before the call, and what the call gives."
    before = memory_in_use()
    forget_peak()
    began = time.perf_counter()
    given = call()
    return time.perf_counter() - began, (memory_peak() - before) / 2**20, given


def trained_adapter(model, rank):
    "The model under an adapter whose matrices are not zero, as after training."
    tuned = add_lora(model, LoraSettings(r=rank), seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.02, generator=generator)
    return tuned.train()  # evaluate puts it into the mode of evaluation itself


def written(questions):
    "Benchmarks of the same questions, to be answered in the model's own words."
    benchmarks = []
    for domain, rows in questions.items():
        asked = [dict(question=row["question"], answer=["?!x"]) for row in rows]
        settings = dict(metric="exact_match", form="answer", rows=tuple(asked))
        benchmarks.append(Benchmark("written", domain, **settings))
    return benchmarks


def compare(base, tuned, tokenizer, questions, args):
    "Seconds and memory of both sides, best of the repeats, and their ratios."
    asked = dict(token_budget=args.budget)
    sides = {
        "base": lambda: evaluate(base, tokenizer, questions, **asked),
        "adapter off": lambda: evaluate(tuned, tokenizer, questions, adapter=False, **asked),
        "adapter": lambda: evaluate(tuned, tokenizer, questions, **asked),
    }
    seconds, megabytes, items = {}, {}, {}
    for call in sides.values():  # the first call of each imports and allocates
        call()
    for _ in range(args.repeats):
        for side, call in sides.items():
            took, most, results = measured(call)
            seconds[side] = min(took, seconds.get(side, took))
            megabytes[side] = min(most, megabytes.get(side, most))
            items[side] = results.items
    return {
        "seconds": {side: round(took, 2) for side, took in seconds.items()},
        "ratio": round(seconds["adapter"] / seconds["base"], 2),
        "megabytes_above": {side: round(most) for side, most in megabytes.items()},
        "memory_ratio": round(megabytes["adapter"] / max(megabytes["base"], 1), 2),
        "base_and_off_agree": items["base"] == items["adapter off"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--questions", type=int, default=8, help="of each domain")
    parser.add_argument("--rank", type=int, default=LoraSettings().r)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--budget", type=int, default=2048, help="tokens of a batch")
    parser.add_argument("--precisions", nargs="+", default=["nf4", "bf16"])
    args = parser.parse_args()

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    choices = load_data("starter").choices
    questions = {domain: rows[: args.questions] for domain, rows in choices.items()}
    tokenizer = load_tokenizer(args.model)
    by_precision = {}
    for precision in args.precisions:  # nf4: the model as it is trained
        tuned = trained_adapter(load_model(args.model, precision), args.rank)
        base = load_model(args.model, precision)
        by_precision[precision] = {
            "choices": compare(base, tuned, tokenizer, questions, args),
            "written": compare(base, tuned, tokenizer, written(questions), args),
        }
    result = dict(
        benchmark="evaluation",
        unit="seconds and megabytes above the model, best of repeats",
        model=args.model,
        questions=sum(map(len, questions.values())),
        token_budget=args.budget,
        rank=args.rank,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        **by_precision,
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
