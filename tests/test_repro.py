"""The experiments behind nbs/repro: each computes, continues with the same numbers, stays small."""

from pathlib import Path

import numpy as np
import pandas as pd

from versatune.repro.verdicts import read_runs
from versatune.repro.experiments import run_experiments
from versatune.repro.scales import EXPERIMENTS

ROOT = Path(__file__).parents[1]


def test_every_experiment_computes_and_continues(tmp_path):
    results, work, said = tmp_path / "results", tmp_path / "work", []
    paths = run_experiments("smoke", out=results, folder=work, say=said.append)
    first = {p.name: p.read_bytes() for p in paths if p.suffix == ".csv"}
    runs = read_runs("smoke", results)
    assert set(runs.experiment) == set(EXPERIMENTS)
    assert np.isfinite(runs.loss).all()
    one_round = ["experiment", "target", "arm", "seed", "round"]
    assert np.allclose(runs.groupby(one_round).weight.sum(), 1, atol=1e-4)
    assert runs[runs.arm == "dynamic"].groupby("domain").weight.nunique().min() > 1
    lost = [next(work.glob(f"{name}-*.json")) for name in ("mixtures", "rules")]
    for path in lost:
        path.unlink()
    said.clear()
    run_experiments("smoke", out=results, folder=work, say=said.append)
    assert said[0].startswith("smoke: 2 pieces of work to do") and len(said) == 3
    assert {name: (results / name).read_bytes() for name in first} == first


def test_kept_results_have_every_scale_and_stay_small():
    kept = ROOT / "nbs" / "repro" / "results"
    for label in ("small", "lab"):
        runs = pd.read_csv(kept / f"runs_{label}.csv")
        assert len(runs[runs.experiment == "mixtures"].seed.unique()) >= 3
    files = [*kept.rglob("*"), *(ROOT / "nbs" / "studies" / "results").rglob("*")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 1_000_000
