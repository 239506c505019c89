"""The plan held against a run: steps, memory term by term, seconds.

python benchmarks/plan.py [--model smollm2-135m] [--case nf4 bf16 ...] [--rows 64]

Each case runs in a process of its own. Memory is what the training adds to the process (resident
memory on a CPU, allocated memory on a GPU); the plan is made before the model is read.
"""

import argparse
import json
import subprocess
import sys
import time

CASES = {
    "nf4": dict(),
    "nf4, checkpointing": dict(gradient_checkpointing=True),
    "bf16": dict(precision="bf16"),
    "nf4, eager": dict(attention="eager"),
}

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--data", default="starter")
parser.add_argument("--case", nargs="+", default=list(CASES), choices=list(CASES))
parser.add_argument("--rows", type=int, default=64, help="rows of a round")
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--length", type=int, default=256)
parser.add_argument("--probe", type=int, default=10, help="steps of the probe; 0: no time")
parser.add_argument("--alone", action="store_true", help="run the one case in this process")


def measure(args, case):
    "One case: what was planned, and what it came to."
    import torch

    from versatune.data import load_data
    from versatune.domains import DomainWeights
    from versatune.finetune import TrainSettings, finetune
    from versatune.gpu import forget_peak, memory_in_use, memory_peak
    from versatune.models import load_model, load_tokenizer
    from versatune.plan import plan, time_steps
    from versatune.reweight import Constant
    from versatune.tokens import tokenize

    how, on_gpu = dict(CASES[case]), torch.cuda.is_available()
    precision, attention = how.pop("precision", "nf4"), how.pop("attention", None)
    s = dict(rounds=args.rounds, rows_per_round=args.rows, batch_size=args.batch)
    s = TrainSettings(**(s | dict(max_length=args.length, heldout_rows=8) | how))
    tokenizer = load_tokenizer(args.model)
    data = load_data(args.data)
    data = tokenize(data, tokenizer, s.max_length, s.heldout_rows, s.packed)
    start = DomainWeights.uniform(data.domains)
    planned = plan(args.model, data, start, s, precision, attention)
    torch.ones(64, 64) @ torch.ones(64, 64)  # threads are there
    place = "cuda" if on_gpu else "cpu"
    before = 0 if on_gpu else memory_in_use()
    model = load_model(args.model, precision, attention=attention)
    probe = None
    if args.probe:
        probe = time_steps(model, tokenizer, data, start, s, n_steps=args.probe)
        planned = plan(model, data, start, s, precision, attention, probe=probe)
    memory_in_use(place), forget_peak(place)
    began, more = time.perf_counter(), dict(settings=s, progress=False)
    tuned = finetune(model, tokenizer, data, start, Constant(), **more)
    seconds = time.perf_counter() - began
    used = memory_peak(place) - before
    taught = sum(tuned.history.rounds[-1]["tokens"].values())
    result = dict(planned=planned.as_dict(), measured=dict(bytes=used, seconds=seconds))
    result["measured"]["taught"] = taught
    result["ratio"] = dict(bytes=round(planned.bytes / used, 3))
    if probe:
        result["ratio"]["seconds"] = round(sum(planned.seconds.values()) / seconds, 3)
    return result


def in_a_process(case):
    "What `measure` gives in a process of its own."
    command = [sys.executable, *sys.argv, "--case", case, "--alone"]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(finished.stderr)
    return json.loads(finished.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    args = parser.parse_args()
    if args.alone:
        print(json.dumps(measure(args, args.case[-1])))
    else:
        cases = {case: in_a_process(case) for case in args.case}
        print(json.dumps(dict(benchmark="plan", model=args.model, cases=cases)))
