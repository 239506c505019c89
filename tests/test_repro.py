"""The experiments behind nbs/repro: each computes, continues with the same numbers, stays small."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from versatune.basics import InputError, read_json, write_atomic, write_json
from versatune.domains import DOMAINS
from versatune.repro.race import LONG, Race
from versatune.repro.verdicts import read_runs
from versatune.repro.experiments import OTHERS, run_experiments
from versatune.repro.scales import EXPERIMENTS, LOCAL_QUESTIONS

ROOT = Path(__file__).parents[1]


def test_every_experiment_computes_and_continues(tmp_path):
    results, work, said = tmp_path / "results", tmp_path / "work", []
    paths = run_experiments("smoke", out=results, folder=work, say=said.append)
    first = {p.name: p.read_bytes() for p in paths if p.suffix == ".csv"}
    others = {f"{name}_smoke.csv" for name in OTHERS if name != "power"}  # which reads one's data
    assert others | {"runs_smoke.csv"} <= set(first)
    check_race(results / "race_smoke.csv", results / "race_smoke.json")
    runs = read_runs("smoke", results)
    assert set(runs.experiment) == set(EXPERIMENTS)
    assert np.isfinite(runs.loss).all()
    one_round = ["experiment", "target", "arm", "seed", "round"]
    assert np.allclose(runs.groupby(one_round).weight.sum(), 1, atol=1e-4)
    assert runs[runs.arm == "dynamic"].groupby("domain").weight.nunique().min() > 1
    lost = [next(work.glob(f"{name}-*.json")) for name in ("mixtures", "rules")]
    for path in [*lost, work / "race" / "race-uneven-0.json"]:
        path.unlink()
    said.clear()
    run_experiments("smoke", out=results, folder=work, say=said.append)
    assert said[0].startswith("not run: power, which reads instruct/")
    assert said[1].startswith("smoke: 3 pieces of work to do") and len(said) == 5
    race = first["race_smoke.csv"]
    first = {name: text for name, text in first.items() if name not in others}
    assert {name: (results / name).read_bytes() for name in first} == first
    again = pd.read_csv(results / "race_smoke.csv").filter(like="score.")
    assert np.allclose(pd.read_csv(io.BytesIO(race))[again.columns], again, atol=1e-3)


def test_the_real_model_is_tried_on_a_folder_of_data(tmp_path):
    data = tmp_path / "data"
    for domain in DOMAINS:
        rows = []
        for i in range(80):
            rows.append(dict(instruction=f"Say {i} of {domain}.", input="", output=f"It is {i}."))
        write_json(data / "instruct" / f"{domain}.json", rows)
        plain = json.dumps(dict(text=f"All there is to say of {domain}."))
        write_atomic(data / "domain_text" / f"{domain}.jsonl", plain + "\n")
        question = dict(question="Which?", choices=["a", "b"], answer_index=0)
        questions = f"{LOCAL_QUESTIONS[domain]}.jsonl"
        write_atomic(data / "benchmarks" / questions, (json.dumps(question) + "\n") * 2)
    said, results = [], tmp_path / "results"
    given = dict(data=data, folder=tmp_path / "work", workers=1, say=said.append)
    table, _ = run_experiments("smoke", ["power"], out=results, **given)
    runs = pd.read_csv(table, keep_default_na=False)
    assert list(runs.arm) == ["uniform", "detected", "inverse", "dynamic", "expansion", "rival"]
    assert np.isfinite(runs.filter(like="score.")).all(axis=None)
    assert (runs.filter(like="rows.").sum(axis=1) == 4).all()
    run_experiments("smoke", ["power"], out=results, **given)
    assert said[-1].startswith("smoke: 0 pieces of work to do")


def check_race(table, about):
    "All racers of one small world; what the file about them says sums up."
    runs, about = pd.read_csv(table, keep_default_na=False), read_json(about)
    assert len(runs) == 19 + len(LONG) and set(runs.racer) >= {
        "EqualGain",
        "VersaTune",
        "best fixed",
    }
    assert np.isfinite(runs.filter(like="score.")).all(axis=None)
    best = about["worlds"]["uneven"]["best"]
    assert all(abs(sum(shares.values()) - 1) < 1e-9 for shares in best.values())
    assert about["command"] == "versatune repro race --scale smoke"
    assert about["settings"]["seeds"] == [0] and about["commits"]


def test_a_race_of_other_settings_is_refused(tmp_path):
    Race("smoke", tmp_path).claim()
    with pytest.raises(InputError, match="other settings"):
        Race("lab", tmp_path).claim()


def test_kept_results_have_every_scale():
    kept = ROOT / "nbs" / "repro" / "results"
    for label in ("small", "lab"):
        runs = pd.read_csv(kept / f"runs_{label}.csv")
        assert len(runs[runs.experiment == "mixtures"].seed.unique()) >= 3
