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

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--rows", type=int, default=1_000_000)
args = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:
    os.environ["VERSATUNE_CACHE"] = f"{folder}/cache"
    from versatune.compose import compose
    from versatune.data import load_data
    from versatune.domains import DomainWeights, write_atomic

    for domain in ("law", "code"):
        write_atomic(
            f"{folder}/data/{domain}.jsonl",
            (
                json.dumps(
                    dict(
                        instruction=f"Say what number {i} is in {domain}.",
                        input="",
                        output=f"It is number {i}. " + "So it goes on. " * (i % 40),
                    )
                )
                + "\n"
                for i in range(args.rows // 2)
            ),
        )
    bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    began = time.perf_counter()
    data = load_data(f"{folder}/data")
    read = time.perf_counter()
    mixture = compose(data, DomainWeights(dict(law=0.3, code=0.7)), args.rows)
    composed = time.perf_counter()
    write_atomic(f"{folder}/mixture.jsonl", (json.dumps(row) + "\n" for row in mixture))
    written = time.perf_counter()
    size = sum(p.stat().st_size for p in Path(folder, "data").iterdir())
print(
    json.dumps(
        dict(
            benchmark="million",
            rows=args.rows,
            source_mb=round(size / 1e6),
            seconds=dict(
                read=round(read - began, 1),
                compose=round(composed - read, 1),
                write=round(written - composed, 1),
            ),
            peak_memory_gib=dict(
                before=round(bare, 2),
                all=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            ),
        )
    )
)
