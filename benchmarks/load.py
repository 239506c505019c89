"""Does the time grow with the size, or faster? Rows, texts, rounds and runs, at three sizes each.

python benchmarks/load.py [--only rows] [--largest 1000000]

Rows: JSON lines in 50 domains, read, composed and written. Texts: judged by the shipped classifier
and made into a profile. Rounds: a History with a rule and six domains. Runs: folders of the whole
path beside each other; the name of one is mistyped, then the files of each are read and checked.
Each size runs in a process of its own; `growth` is how many times as long ten times as much takes.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gpu import ROOT, printed

LARGEST = dict(rows=1_000_000, texts=40_000, rounds=10_000, runs=1_000)
N_DOMAINS = 50


def row_of(i):
    "Row number i as a line of JSON; up to 40 sentences long."
    output = f"It is number {i}. " + "So it goes on. " * (i % 40)
    return json.dumps(dict(instruction=f"Say number {i}.", input="", output=output)) + "\n"


def rows(n):
    "Seconds to read, compose and write n rows of 50 domains."
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VERSATUNE_CACHE"] = f"{folder}/cache"
        from versatune.compose import compose
        from versatune.data import load_data
        from versatune.domains import DomainWeights, write_atomic
        from versatune.interop import write_rows

        each = n // N_DOMAINS
        for domain in range(N_DOMAINS):
            lines = (row_of(i) for i in range(domain * each, (domain + 1) * each))
            write_atomic(f"{folder}/data/domain{domain}.jsonl", lines)
        began = time.perf_counter()
        data = load_data(f"{folder}/data")
        mixture = compose(data, DomainWeights.uniform(data.domains), n)
        write_rows(mixture, Path(folder) / "mixture.jsonl")
        return time.perf_counter() - began


def texts(n):
    "Seconds to make a profile of n texts of the starter set."
    from versatune.data import load_data
    from versatune.detect import profile_from
    from versatune.own import labelled_texts
    from versatune.written import load_classifier

    few, _ = labelled_texts(load_data("starter").train)
    many = [f"{few[i % len(few)]} {i}" for i in range(n)]
    began = time.perf_counter()
    profile_from(many, load_classifier())
    return time.perf_counter() - began


def rounds(n):
    "Seconds of n rounds of a History under VersaTune's rule."
    from versatune.domains import DOMAINS, DomainWeights
    from versatune.history import History
    from versatune.reweight import VersaTune

    history = History(reference=dict.fromkeys(DOMAINS, 1.0))
    history.begin(dict.fromkeys(DOMAINS, 3.0), DomainWeights.uniform())
    counts = dict.fromkeys(DOMAINS, 16)
    began = time.perf_counter()
    for i in range(n):
        losses = {d: 2.0 + (i * (j + 3) % 17) / 17 for j, d in enumerate(DOMAINS)}
        history.advance(VersaTune(0.1), losses, counts, counts)
    return time.perf_counter() - began


RUN = """
import sys
from path_run import write_input
from versatune.run import run_path

run_path(write_input(sys.argv[1]), f"{sys.argv[1]}/run", say=lambda line: None)
"""


def copied(run, n, folder):
    "A folder of n copies of a run, each of another name and seed; files that are alike are linked."
    from versatune.domains import read_json, write_json

    config = read_json(run / "config.json")
    for i in range(n):
        copy = shutil.copytree(run, folder / f"run-{i:04}", copy_function=os.link)
        write_json(copy / "config.json", config | dict(train=config["train"] | dict(seed=i)))
    return folder


def runs(n):
    "Seconds to answer a mistyped name among n runs, and to read and check the files of each."
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with tempfile.TemporaryDirectory() as folder:
        command, env = [sys.executable, "-c", RUN, folder], os.environ | dict(PYTHONPATH=paths)
        subprocess.run(command, check=True, capture_output=True, env=env)
        from versatune.checks import check_named
        from versatune.domains import InputError
        from versatune.records import check_records, read_history

        many = copied(Path(folder) / "run", n, Path(folder) / "runs")
        began = time.perf_counter()
        try:
            check_named(many / "run-x")
        except InputError as error:
            assert "run-0" in str(error)
        losses = []
        for run in sorted(many.iterdir()):
            check_records(run)
            losses.append(read_history(run).losses.iloc[-1].mean())
        assert len(losses) == n
        return time.perf_counter() - began


def measured(what, n):
    "Seconds and peak memory of one size, in a process of its own."
    return printed([sys.executable, __file__, "--only", what, "--alone", str(n)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(LARGEST), default=list(LARGEST))
    parser.add_argument("--largest", type=int, help="instead of each one's own")
    parser.add_argument("--alone", type=int, help="run this size in this process")
    args = parser.parse_args()
    if args.alone:
        seconds = globals()[args.only[0]](args.alone)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps(dict(seconds=round(seconds, 2), peak_memory_gib=round(peak, 2))))
        return
    result = dict(benchmark="load", domains=N_DOMAINS)
    for what in args.only:
        largest = args.largest or LARGEST[what]
        sizes = {n: measured(what, n) for n in (largest // 100, largest // 10, largest)}
        took = [size.get("seconds") for size in sizes.values()]
        growth = [round(b / a, 1) if a and b else None for a, b in zip(took, took[1:])]
        result[what] = dict(sizes=sizes, growth=growth)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
