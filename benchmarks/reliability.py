"""The tests of bad inputs, damage, faults and safety, counted for nbs/studies/reliability.ipynb.

python benchmarks/reliability.py [--fuzz 200] [--kills 30]

`--fuzz`: generated examples of each file and kind of damage; `--kills`: how often it is killed.
pytest runs the tests; what it says of each, and what the tests of faults saw, is kept in
nbs/studies/results/reliability.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from gpu import ROOT, commit

from versatune.basics import write_json
from versatune.records import versions

RESULTS = ROOT / "nbs" / "studies" / "results" / "reliability.json"
FILES = "bad_input fuzz faults training safety walk".split()


def counted(report):
    "A row for each test function: file, test, cases, passed, skipped, seconds."
    rows = {}
    for case in ElementTree.parse(report).iter("testcase"):
        file = case.get("classname").rpartition(".")[2].removeprefix("test_")
        name = case.get("name").partition("[")[0].removeprefix("test_")
        row = rows.setdefault((file, name), dict(cases=0, passed=0, skipped=0, seconds=0.0))
        said = {child.tag for child in case}
        row["cases"] += 1
        row["skipped"] += "skipped" in said
        row["passed"] += not said & {"skipped", "failure", "error"}
        row["seconds"] = round(row["seconds"] + float(case.get("time")), 2)
    return [dict(file=file, test=name) | row for (file, name), row in rows.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fuzz", type=int, default=200)
    parser.add_argument("--kills", type=int, default=30)
    args = parser.parse_args()
    tests = [f"tests/test_{name}.py" for name in FILES]
    with tempfile.TemporaryDirectory() as folder:
        report, faults = Path(folder) / "report.xml", Path(folder) / "faults.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *tests]
        env = os.environ | dict(FAULTS=str(faults), OMP_NUM_THREADS="1")
        env |= dict(VERSATUNE_FUZZ=str(args.fuzz), VERSATUNE_KILLS=str(args.kills))
        ended = subprocess.run(command, cwd=ROOT, env=env).returncode
        rows = counted(report)
        seen = [json.loads(line) for line in faults.read_text("utf-8").splitlines()]
    typed = f"python benchmarks/reliability.py --fuzz {args.fuzz} --kills {args.kills}"
    how = dict(command=typed, fuzz=args.fuzz, commit=commit(), versions=versions())
    write_json(RESULTS, dict(tests=rows, seen=seen) | how)
    sys.exit(ended)


if __name__ == "__main__":
    main()
