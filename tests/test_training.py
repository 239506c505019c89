"""A run that is killed, starved of disk or memory, or shared out over two processes, is the run that was left alone."""

import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lab_run
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from versatune.tokens import tokenize
from versatune.data import load_data
from versatune.domains import write_json
from versatune.lab import lab_model
from versatune.models import drop_lora, load_model, load_tokenizer
from versatune.finetune import finetune

# children are forked from a server that has imported everything and computed nothing: each is a process of its own, and starts at once
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["lab_run"])


def run(target, *args):
    child = CONTEXT.Process(target=target, args=tuple(map(str, args)))
    child.start()
    return child


def rows_read(out):
    """(round, slot) -> every (domain, row) that was ever read there."""
    found = {}
    for line in out.with_suffix(".rows").read_text().splitlines():
        round, slot, *row = line.split()
        found.setdefault((round, slot), set()).add(tuple(row))
    return found


def outcome_tensors(out):
    return {
        k: v.tolist() for k, v in load_file(out / "adapter" / "adapter_model.safetensors").items()
    }


def outcome(out):
    return (
        rows_read(out),
        (out / "rounds.jsonl").read_text(),
        (out / "weights.csv").read_text(),
        outcome_tensors(out),
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    lab_run.write_data(folder)
    return folder


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """The run that was left alone: what it came to, and how long it took."""
    out, began = tmp_path_factory.mktemp("alone") / "run", time.time()
    child = run(lab_run.killable, data, out)
    child.join()
    assert child.exitcode == 0
    return outcome(out), time.time() - began


def test_ten_kills(data, alone, tmp_path):
    whole, seconds = alone
    assert len(whole[0]) == 72 and all(len(rows) == 1 for rows in whole[0].values())
    rng, kills, runs = random.Random(0), 0, 1
    while kills < 10:
        out = tmp_path / f"run{runs}"
        child = run(lab_run.killable, data, out)
        child.join(rng.uniform(0.1, 1.1) * seconds)
        if child.is_alive():
            child.kill()
            child.join()
            kills += 1
        else:
            assert child.exitcode == 0 and outcome(out) == whole
            runs += 1
    child = run(lab_run.killable, data, tmp_path / f"run{runs}")
    child.join()
    assert child.exitcode == 0 and outcome(tmp_path / f"run{runs}") == whole


def test_full_disk(data, tmp_path):
    out, said = tmp_path / "run", tmp_path / "said"
    run(lab_run.out_of_disk, data, out, said).join()
    assert (
        "InputError" in said.read_text()
        and "a checkpoint or the adapter could not be written" in said.read_text()
        and "training continues from checkpoint-3" in said.read_text()
    )
    again, whole = run(lab_run.train, data, out), run(lab_run.train, data, tmp_path / "whole")
    again.join()
    whole.join()
    assert outcome(out) == outcome(tmp_path / "whole")


def test_out_of_memory(data, tmp_path):
    said = tmp_path / "said"
    run(lab_run.out_of_memory, data, tmp_path / "run", said).join()
    assert (
        "InputError: out of memory after 0 steps" in said.read_text()
        and "lower batch_size (4096)" in said.read_text()
    )


def test_a_domain_whose_loss_is_no_number(tmp_path):
    """A token that only stands in code's held-out rows gets an embedding of NaN: a real forward pass, and a real NaN."""
    folder, out = tmp_path / "data", tmp_path / "run"
    for domain in lab_run.START:
        rows = lab_run.lab_rows(lab_run.Lab(sentences=2), domain, 44)
        write_json(folder / domain / "train.json", rows[:40])
        write_json(
            folder / domain / "heldout.json",
            rows[40:]
            + (
                [dict(instruction="say it", output="surgeon heals tumor .")]
                if domain == "code"
                else []
            ),
        )
    tokenizer, model = load_tokenizer(lab_model()), load_model(lab_model(), device="cpu")
    tokens = tokenize(load_data(folder), tokenizer, 256)
    elsewhere = {
        t
        for d, rows in [*tokens.train.items(), *tokens.heldout.items()]
        for r in rows
        if not (d == "code" and rows is tokens.heldout["code"])
        for t in r["input_ids"]
    }
    alone = next(t for r in tokens.heldout["code"] for t in r["input_ids"] if t not in elsewhere)
    model.lm_head.weight = torch.nn.Parameter(
        model.lm_head.weight.detach().clone(), requires_grad=False
    )  # no longer the embedding's
    with torch.no_grad():
        model.get_input_embeddings().weight[alone] = float("nan")
    train = lambda model: finetune(
        model,
        tokenizer,
        tokens,
        lab_run.START,
        reference=dict.fromkeys(lab_run.START, 1.0),
        settings=lab_run.SETTINGS,
        out=out,
        progress=False,
    )
    with pytest.warns(
        UserWarning, match="the loss of code is missing or not a number, so the weights are kept"
    ):
        tuned = train(model)
    written = [json.loads(line) for line in (out / "rounds.jsonl").read_text().splitlines()]
    assert len(written) == 4 and all(
        r["losses"]["code"] is None
        and r["losses"]["law"] > 0
        and r["weights"] == dict(lab_run.START)
        for r in written
    )
    assert written[-1]["losses"]["law"] < written[0]["losses"]["law"] / 2
    assert all(np.isfinite(v).all() for v in outcome_tensors(out).values())
    assert not any(
        w in (out / name).read_text()
        for w in ("nan", "None")
        for name in ("weights.csv", "losses.csv")
    )
    shutil.rmtree(out / "adapter")
    assert (
        train(drop_lora(tuned.model)).history.rounds == tuned.history.rounds
    )  # and such a checkpoint can be read again


def test_two_processes_are_one(data, tmp_path):
    script = [str(Path(lab_run.__file__)), str(data)]
    one = subprocess.Popen([sys.executable, *script, str(tmp_path / "one"), "8"])
    two = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc_per_node",
            "2",
            *script,
            str(tmp_path / "two"),
            "4",
        ],
        capture_output=True,
        text=True,
    )
    assert one.wait() == 0 and two.returncode == 0, two.stderr[-3000:]
    (rows, rounds, _, tensors), (rows2, rounds2, _, tensors2) = (
        outcome(tmp_path / "one"),
        outcome(tmp_path / "two"),
    )
    assert rows2 == rows
    for a, b in zip(
        map(json.loads, rounds.splitlines()), map(json.loads, rounds2.splitlines()), strict=True
    ):
        assert a["rows"] == b["rows"] and a["tokens"] == b["tokens"]
        for key in ("losses", "weights"):
            assert b[key] == pytest.approx(a[key], rel=1e-4)
    assert tensors.keys() == tensors2.keys()
    difference = max(
        float(np.abs(np.subtract(values, tensors2[name])).max()) for name, values in tensors.items()
    )
    assert (
        difference < 1e-3
    )  # after nine steps at a learning rate of 3e-3; sums over two processes are rounded otherwise


def test_rows_that_do_not_come_out_even(data, tmp_path):
    script = [str(Path(lab_run.__file__)), str(data), str(tmp_path / "two"), "5"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc_per_node",
            "2",
            *script,
        ],
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode != 0
        and "rows_per_round is 24, and 2 processes take 10 rows at a time" in done.stderr
    )
