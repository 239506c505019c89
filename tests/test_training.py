"""A run that is killed, starved or shared out over two processes is the run left alone."""

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

from versatune.basics import cache_dir
from versatune.data import load_data
from versatune.domains import write_json
from versatune.evaluate import evaluate
from versatune.finetune import finetune
from versatune.lab import lab_model
from versatune.models import drop_lora, load_model, load_tokenizer, tokenizer_fingerprint
from versatune.tokens import tokenize

# children are forked from a server that has imported everything and computed nothing:
# each is a process of its own, and starts at once
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["lab_run"])


def run(target, *args):
    child = CONTEXT.Process(target=target, args=tuple(map(str, args)))
    child.start()
    return child


def rows_read(out):
    """(round, slot) -> every (domain, row) that was ever read there."""
    read = {}
    for line in out.with_suffix(".rows").read_text().splitlines():
        round, slot, *row = line.split()
        read.setdefault((round, slot), set()).add(tuple(row))
    return read


def outcome_tensors(out):
    tensors = load_file(out / "adapter" / "adapter_model.safetensors")
    return {name: tensor.tolist() for name, tensor in tensors.items()}


def outcome(out):
    """Rows read, rounds, weights and tensors of a run."""
    rounds, weights = ((out / name).read_text() for name in ("rounds.jsonl", "weights.csv"))
    return rows_read(out), rounds, weights, outcome_tensors(out)


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
    """Whatever is being written when there is no more room: one sentence, and the run goes on."""
    whole = run(lab_run.train, data, tmp_path / "whole")
    sizes = (100, 20_000, 200_000)  # bytes that a file may have from round 2 on
    for size in sizes:
        out, told = tmp_path / f"run{size}", tmp_path / f"told{size}"
        run(lab_run.out_of_disk, data, out, told, size).join()
        error = told.read_text()
        assert error.startswith(("InputError", "Exhausted")), error
        assert str(out) in error and "make room there and start again" in error
        if size == 200_000:
            assert "a checkpoint or the adapter could not be written" in error
            assert "training continues from checkpoint-3" in error
    whole.join()
    for size in sizes:
        run(lab_run.train, data, tmp_path / f"run{size}").join()
        assert outcome(tmp_path / f"run{size}") == outcome(tmp_path / "whole")


def test_a_home_folder(data, tmp_path, monkeypatch):
    """Tables, checkpoints and adapter land in one folder, also where its name begins with ~."""
    monkeypatch.setenv("VERSATUNE_CACHE", str(cache_dir()))  # HOME would move it
    monkeypatch.setenv("HOME", str(tmp_path))
    tuned = lab_run.finetuned(data, "~/run", rounds=1)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"adapter", "checkpoints", "losses.csv", "rounds.jsonl", "weights.csv"}
    tuned.save("~/again")
    assert (tmp_path / "again" / "adapter" / "adapter_config.json").exists()


TEMPLATE = (
    "{% for m in messages %}{{ m.role + ' : ' + m.content }}"
    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant : ' }}{% endif %}"
)


def test_an_adapter_is_a_model(data, tmp_path):
    """Its folder loads with its tokenizer and template, and is asked questions like any model."""
    tokenizer = load_tokenizer(lab_model())
    tokenizer.chat_template = TEMPLATE
    tuned = lab_run.finetuned(data, tmp_path / "run", tokenizer=tokenizer, rounds=1)
    question = dict(question="Who sues ?", choices=["the judge", "the kernel"], answer_index=0)
    questions = dict(law=[question])
    for folder in (tmp_path / "run", tmp_path / "run" / "adapter"):
        model, its_own = load_model(folder, device="cpu"), load_tokenizer(folder)
        assert its_own.chat_template == TEMPLATE
        assert tokenizer_fingerprint(its_own) == tokenizer_fingerprint(tokenizer)
        scores = evaluate(model, its_own, questions)
        assert scores.frame.score[0] == evaluate(tuned.model, tokenizer, questions).frame.score[0]
    merged = tuned.merge(tmp_path / "merged", lab_model())
    assert load_tokenizer(merged).chat_template == TEMPLATE


def test_out_of_memory(data, tmp_path):
    told = tmp_path / "told"
    run(lab_run.out_of_memory, data, tmp_path / "run", told).join()
    error = told.read_text()
    assert "InputError: out of memory after 0 steps" in error
    assert "lower batch_size (4096)" in error


def write_data_with_a_rare_word(folder):
    """The lab's rows; one more, held out in code, has a token that stands nowhere else."""
    for domain in lab_run.START:
        rows = lab_run.lab_rows(lab_run.Lab(sentences=2), domain, 44)
        heldout = rows[40:]
        if domain == "code":
            heldout.append(dict(instruction="say it", output="surgeon heals tumor ."))
        write_json(folder / domain / "train.json", rows[:40])
        write_json(folder / domain / "heldout.json", heldout)


def token_of_code_alone(tokens):
    """A token that only stands in code's held-out rows."""
    elsewhere = set()
    heldout = [rows for domain, rows in tokens.heldout.items() if domain != "code"]
    for rows in [*tokens.train.values(), *heldout]:
        for row in rows:
            elsewhere.update(row["input_ids"])
    for row in tokens.heldout["code"]:
        for token in row["input_ids"]:
            if token not in elsewhere:
                return token


def test_a_domain_whose_loss_is_no_number(tmp_path):
    """An embedding of NaN for a token of code's held-out rows: a real forward pass, a real NaN."""
    folder, out = tmp_path / "data", tmp_path / "run"
    write_data_with_a_rare_word(folder)
    tokenizer, model = load_tokenizer(lab_model()), load_model(lab_model(), device="cpu")
    tokens = tokenize(load_data(folder), tokenizer, 256)
    head = model.lm_head.weight.detach().clone()  # no longer the embedding's
    model.lm_head.weight = torch.nn.Parameter(head, requires_grad=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[token_of_code_alone(tokens)] = float("nan")

    def train(model):
        return finetune(
            model,
            tokenizer,
            tokens,
            lab_run.START,
            reference=dict.fromkeys(lab_run.START, 1.0),
            settings=lab_run.SETTINGS,
            out=out,
            progress=False,
        )

    kept = "the loss of code is missing or not a number, so the weights are kept"
    with pytest.warns(UserWarning, match=kept):
        tuned = train(model)
    written = [json.loads(line) for line in (out / "rounds.jsonl").read_text().splitlines()]
    assert len(written) == 4
    for entry in written:
        assert entry["losses"]["code"] is None
        assert entry["losses"]["law"] > 0
        assert entry["weights"] == dict(lab_run.START)
    assert written[-1]["losses"]["law"] != written[0]["losses"]["law"]  # it was trained
    assert all(np.isfinite(v).all() for v in outcome_tensors(out).values())
    for name in ("weights.csv", "losses.csv"):
        table = (out / name).read_text()
        assert "nan" not in table and "None" not in table
    shutil.rmtree(out / "adapter")
    again = train(drop_lora(tuned.model))  # and such a checkpoint can be read again
    assert again.history.rounds == tuned.history.rounds


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
RECIPE = Path(__file__).parents[1] / "docs" / "fsdp_qlora.yaml"
FSDP = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(RECIPE)]
FSDP += ["--mixed_precision", "no", "--main_process_port", "0"]


@pytest.fixture(scope="module")
def in_one(data, tmp_path_factory):
    """The run of a single process."""
    out = tmp_path_factory.mktemp("single") / "one"
    command = [sys.executable, str(Path(lab_run.__file__)), str(data), str(out), "8"]
    subprocess.run(command, check=True, capture_output=True)
    return outcome(out)


@pytest.mark.parametrize("how, more", [(TORCHRUN, []), (FSDP, ["fsdp"])], ids=["ddp", "fsdp"])
def test_two_processes_are_one(data, tmp_path, in_one, how, more):
    command = [*how, str(Path(lab_run.__file__)), str(data), str(tmp_path / "two"), "4", *more]
    if more:  # FSDP is stopped once, and goes on from a checkpoint that was cut up
        subprocess.run([*command, "stop"], capture_output=True)
        saved = [path.name for path in (tmp_path / "two" / "checkpoints").iterdir()]
        assert saved == ["checkpoint-3"]
    two = subprocess.run(command, capture_output=True, text=True)
    assert two.returncode == 0, two.stderr[-3000:]
    rows, rounds, _, tensors = in_one
    rows2, rounds2, _, tensors2 = outcome(tmp_path / "two")
    assert rows2 == rows
    for line, line2 in zip(rounds.splitlines(), rounds2.splitlines(), strict=True):
        a, b = json.loads(line), json.loads(line2)
        assert a["rows"] == b["rows"] and a["tokens"] == b["tokens"]
        for key in ("losses", "weights"):
            assert b[key] == pytest.approx(a[key], rel=1e-4)
    assert tensors.keys() == tensors2.keys()
    for name, values in tensors.items():
        # after nine steps at a learning rate of 3e-3; two processes round their sums otherwise
        assert float(np.abs(np.subtract(values, tensors2[name])).max()) < 1e-3


def test_rows_that_do_not_come_out_even(data, tmp_path):
    command = [*TORCHRUN, str(Path(lab_run.__file__)), str(data), str(tmp_path / "two"), "5"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode != 0
    uneven = "rows_per_round is 24, and 2 processes take 10 rows at a time"
    assert uneven in finished.stderr
