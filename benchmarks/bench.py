"""All timings in one go, both sides of each in one run: they are kept for nbs/studies/costs.ipynb.

python benchmarks/bench.py [--only PART ...] [--vllm PYTHON]

`--vllm` names the Python of an environment in which vLLM is installed, for its side of sampling.
"""

import argparse
import json
import os
import shlex
import sys
import time

from gpu import ROOT, commit, printed

from versatune.basics import read_json, write_json
from versatune.records import versions

RESULTS = ROOT / "nbs" / "studies" / "results" / "costs.json"
PARTS = {  # part -> script and its flags
    "load": "load.py",
    "classifier": "classifier.py --texts 512",
    "losses": "losses.py --heldout 8 --repeats 2",
    "evaluation": "evaluation.py --questions 4 --repeats 2 --precisions nf4",
    "sampling": "sampling.py --tokens 48 --batch 64 --repeats 2",
    "vllm": "sampling.py --tokens 48 --batch 64 --repeats 2",
    "plan": "plan.py --case nf4 --rows 32",
    "throughput": "throughput.py --rows 32 --batch 8 --length 256 --repeats 1",
    "overhead": "overhead.py --rows 64 --repeats 1",
}


def measure(part, python):
    "What a part printed, with its command, seconds and commit; the last line of its error."
    script, *flags = shlex.split(PARTS[part])
    command = [python, str(ROOT / "benchmarks" / script), *flags]
    began = time.perf_counter()
    result = printed(command, env=os.environ | dict(PYTHONPATH=str(ROOT)))
    took = round(time.perf_counter() - began)
    return result | dict(command=f"python benchmarks/{PARTS[part]}", took=took, commit=commit())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--vllm", help="the Python of an environment that has vLLM")
    args = parser.parse_args()
    for part in args.only:
        if part == "vllm" and not args.vllm:
            print("vllm: left out; name a Python that has it with --vllm")
            continue
        result = measure(part, args.vllm if part == "vllm" else sys.executable)
        print(json.dumps({part: result}), flush=True)
        if "error" not in result:
            write_json(RESULTS, read_json(RESULTS) | {part: result, "versions": versions()})


if __name__ == "__main__":
    main()
