"""`versatune` as a user types it, on the real model in 4 bits: interrupted, and started again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from safetensors import safe_open

from versatune.cli import main
from versatune.data import load_data
from versatune.domains import write_atomic
from versatune.folder import locked

VERSATUNE = str(Path(sys.executable).parent / "versatune")
SMALL = [
    "--guards",
    "paper",
    "--samples",
    "12",
    "--rounds",
    "2",
    "--rows",
    "16",
    "--max-length",
    "96",
]


def jsonl(path, rows):
    write_atomic(path, "".join(json.dumps(r) + "\n" for r in rows))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A few rows of the starter set, in chat form, for all six domains."""
    folder, starter = tmp_path_factory.mktemp("data"), load_data("starter")
    for d in starter.domains:
        jsonl(
            folder / d / "train.jsonl",
            [dict(messages=m) for m in starter.train[d]["messages"][:12]],
        )
        jsonl(
            folder / d / "heldout.jsonl",
            [dict(messages=m) for m in starter.heldout[d]["messages"][:4]],
        )
        jsonl(folder / d / "choices.jsonl", starter.choices[d][:3])
    return folder


def typed(data, out, *more):
    return ["demo", "--data", str(data), "--out", str(out), *SMALL, *more]


def start(data, out, *more):
    """Start the command as from a terminal."""
    return subprocess.Popen(
        [VERSATUNE, *typed(data, out, *more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test that runs in the background inherits an ignored Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The run's folder, and what two starts printed; the first is interrupted as by Ctrl-C."""
    out = tmp_path_factory.mktemp("runs") / "run"
    first, deadline = start(data, out), time.time() + 900
    checkpoint = "checkpoints/checkpoint-*/trainer_state.json"  # training has begun
    while first.poll() is None and time.time() < deadline and not list(out.glob(checkpoint)):
        time.sleep(0.2)
    first.send_signal(signal.SIGINT)
    printed = first.communicate(timeout=120)
    assert first.returncode == 130, printed
    assert "the same command continues" in printed[1]
    second = start(data, out)
    again = second.communicate(timeout=900)
    assert second.returncode == 0, again
    return out, printed[0], again[0]


def test_continues_after_an_interruption(run):
    _, first, second = run
    assert "reused" not in first
    assert len(re.findall("reused", second)) == 4  # profile, composition, reference, before
    # the finished round was not trained again
    assert second.count("round 1 ") == 0 and second.count("round 2 ") == 1


def test_the_folder_holds_everything(run):
    out, _, _ = run
    wanted = """config.json versions.json profile.json samples.jsonl composition.json
        reference.json before.json after.json weights.csv losses.csv metrics.json report.html
        adapter/adapter_model.safetensors"""
    assert [name for name in wanted.split() if not (out / name).exists()] == []
    assert {p.stem for p in out.glob("figures/*.png")} >= {
        "knowledge_profile",
        "domain_weights",
        "held-out_losses",
        "learnable_potential",
        "forgetting_degree",
        "scores",
        "radar",
    }
    assert not list(out.rglob("checkpoint-*"))


def test_weights_follow_from_losses_by_the_formula(run):
    losses = pd.read_csv(run[0] / "losses.csv").set_index(["round", "domain"])
    weights = pd.read_csv(run[0] / "weights.csv").set_index(["round", "domain"])
    for t in (1, 2):
        loss = losses.loc[t]
        gamma = ((loss.loss - loss.reference) / loss.loss).clip(lower=0)
        raised = weights.weight.loc[t - 1] * (1 + 0.5 * gamma)
        assert (raised / raised.sum() - weights.weight.loc[t]).abs().max() < 1e-6


def test_the_model_is_in_four_bits(run):
    model = json.loads((run[0] / "model.json").read_text())
    assert model["linear4bit"] == 30 * 7  # seven linear layers in each of thirty blocks
    assert model["parameters"] > 134e6 and model["megabytes"] < 150  # bf16 would take 270 MB


def test_the_adapter_was_trained(run):
    with safe_open(run[0] / "adapter" / "adapter_model.safetensors", "pt") as f:
        assert all(f.get_tensor(k).abs().max() > 0 for k in f.keys() if "lora_B" in k)


def test_the_report_stands_alone(run):
    report = (run[0] / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/png;base64,") == 7
    assert not re.search(r"(?:src|href)=['\"](?!data:)", report)


def test_a_finished_run_costs_nothing_and_keeps_its_files(run, data):
    out, before = run[0], {p: p.stat().st_mtime_ns for p in run[0].rglob("*")}
    again = start(data, out)
    printed = again.communicate(timeout=300)
    assert again.returncode == 0 and printed[0].count("reused") == 7, printed
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before


@pytest.mark.parametrize(
    "change, says",
    [
        (
            ["--sigma", "0.9"],
            "holds a run with rule.sigma=0.5, not 0.9; "
            "name another folder with --out, or replace it with --overwrite",
        ),
        (["--model", "no/such/model/here"], "no such file or folder"),
        (["--data", "nowhere"], "data nowhere: no such folder or file"),
        (["--classifier", "nothing.npz"], "classifier nothing.npz: no such file"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(run, data, change, says, capsys):
    before = {p: p.stat().st_mtime_ns for p in run[0].rglob("*")}
    assert main(typed(data, run[0], *change)) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert {p: p.stat().st_mtime_ns for p in run[0].rglob("*")} == before


def test_a_classifier_of_other_domains_is_refused(data, tmp_path, capsys):
    two = tmp_path / "two"
    for d in ("law", "art"):
        jsonl(two / f"{d}.jsonl", [dict(prompt=f"{d} {i}", completion=str(i)) for i in range(4)])
    assert main(typed(two, tmp_path / "out")) == 2
    assert "'art' in the data but not in the classifier" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_rows_under_the_same_name_are_refused(run, data, capsys):
    """Nothing of yesterday's rows is told as if it were of today's; put back, the run goes on."""
    before = {p: p.stat().st_mtime_ns for p in run[0].rglob("*")}
    path = data / "law" / "train.jsonl"
    rows = path.read_text(encoding="utf-8")
    others = [json.loads(line) for line in rows.splitlines()]
    others[0]["messages"][-1]["content"] += " Or not."
    jsonl(path, others)
    ended = main(typed(data, run[0]))
    write_atomic(path, rows)
    assert ended == 2
    assert "began with other rows in its data" in capsys.readouterr().err.splitlines()[-1]
    assert {p: p.stat().st_mtime_ns for p in run[0].rglob("*")} == before


def test_a_second_process_is_refused(run, data):
    with locked(run[0]):
        process = start(data, run[0])
        printed = process.communicate(timeout=300)
    assert process.returncode == 2 and f"in use by process {os.getpid()}" in printed[1]
