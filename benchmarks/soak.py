"""Hundreds of trainings in one process: do memory, open files, threads or folders pile up?

python benchmarks/soak.py [--fits 500]

Each fit trains an adapter of the lab model for two rounds and saves a checkpoint and the result; a
tenth of the way in, what stands is noted, and what is there at the end is held against it. Kept in
nbs/studies/results/soak.json.
"""

import argparse
import json
import os
import tempfile
import threading
import time
import warnings
from pathlib import Path

from gpu import ROOT, commit

from versatune.basics import write_json
from versatune.data import load_data
from versatune.domains import DomainWeights
from versatune.finetune import TrainSettings, finetune
from versatune.gpu import memory_in_use
from versatune.lab import Lab, lab_model, lab_rows
from versatune.models import LoraSettings, drop_lora, load_model, load_tokenizer
from versatune.records import versions
from versatune.reweight import VersaTune
from versatune.tokens import tokenize

RESULTS = ROOT / "nbs" / "studies" / "results" / "soak.json"
SETTINGS = TrainSettings(
    rounds=2, rows_per_round=8, batch_size=4, max_length=256, lora=LoraSettings(r=4)
)


def standing(folder):
    "What a process that leaks would pile up."
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return dict(
        memory_mib=round(memory_in_use() / 2**20),
        open_files=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        processes=len(children),
        temporary=len(os.listdir(folder)),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fits", type=int, default=500)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryDirectory() as out:
        tempfile.tempdir = temporary  # all that is left behind lies here
        lab, tokenizer = Lab(sentences=2), load_tokenizer(lab_model())
        rows = {d: dict(train=lab_rows(lab, d, 12)) for d in ("law", "code")}
        data = tokenize(load_data(rows), tokenizer, 256)
        model, reference = load_model(lab_model(), "fp32", device="cpu"), dict(law=1.0, code=1.0)
        seen, began = {}, time.perf_counter()
        for i in range(1, args.fits + 1):
            half = DomainWeights(dict(law=0.5, code=0.5))
            how = dict(settings=SETTINGS, out=f"{out}/{i % 5}-{i}", progress=False)
            tuned = finetune(model, tokenizer, data, half, VersaTune(), reference, **how)
            tuned.save(f"{out}/saved-{i % 5}")
            model = drop_lora(tuned.model)
            if i % max(args.fits // 10, 1) == 0:
                seen[i] = standing(temporary)
                print(json.dumps({i: seen[i]}), flush=True)
        seconds = round(time.perf_counter() - began)
    typed = f"python benchmarks/soak.py --fits {args.fits}"
    how = dict(command=typed, seconds=seconds, commit=commit(), versions=versions())
    write_json(RESULTS, dict(fits=args.fits, seen=seen) | how)


if __name__ == "__main__":
    main()
