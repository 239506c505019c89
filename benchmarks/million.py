"""A million rows: read, checked, composed and written, and the memory that took.

python benchmarks/million.py [--rows 1000000]
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path


def row_of(domain, i):
    "Row number `i` of a domain, as a line of JSON; up to 40 sentences long."
    instruction = f"Say what number {i} is in {domain}."
    output = f"It is number {i}. " + "So it goes on. " * (i % 40)
    return json.dumps(dict(instruction=instruction, input="", output=output)) + "\n"


def peak_gib():
    "The largest memory this process has used so far."
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        os.environ["VERSATUNE_CACHE"] = f"{folder}/cache"
        from versatune.compose import compose
        from versatune.data import load_data
        from versatune.domains import DomainWeights, write_atomic

        for domain in ("law", "code"):
            rows = (row_of(domain, i) for i in range(args.rows // 2))
            write_atomic(f"{folder}/data/{domain}.jsonl", rows)
        before, times = peak_gib(), [time.perf_counter()]
        data = load_data(f"{folder}/data")
        times.append(time.perf_counter())
        mixture = compose(data, DomainWeights(dict(law=0.3, code=0.7)), args.rows)
        times.append(time.perf_counter())
        write_atomic(f"{folder}/mixture.jsonl", (json.dumps(row) + "\n" for row in mixture))
        times.append(time.perf_counter())
        size = sum(path.stat().st_size for path in Path(folder, "data").iterdir())

    seconds = [round(end - start, 1) for start, end in zip(times, times[1:])]
    result = dict(
        benchmark="million",
        rows=args.rows,
        source_mb=round(size / 1e6),
        seconds=dict(zip(("read", "compose", "write"), seconds)),
        peak_memory_gib=dict(before=before, all=peak_gib()),
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
