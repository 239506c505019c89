"""As a user walks: own data in three formats, from files to a merged model and an answer of it."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import yaml

from versatune.cli import _COMMANDS, main
from versatune.domains import read_json, write_atomic, write_json
from versatune.flags import read_command
from versatune.lab import Lab, lab_model, lab_rows
from versatune.models import load_model, load_tokenizer
from versatune.records import read_history, read_profile
from versatune.use import answers

EXAMPLES = [(name, line) for name, c in _COMMANDS.items() for line in c.example.splitlines()]
OWN = [(name, line) for name, line in EXAMPLES if line.split()[0] == name]


def test_every_command_has_an_example():
    assert {name for name, _ in OWN} == set(_COMMANDS)


@pytest.mark.parametrize("name, line", EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_can_be_typed(name, line, capsys):
    args = read_command(_COMMANDS, shlex.split(line))
    assert args.command == line.split()[0]
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0 and f"versatune {line}" in capsys.readouterr().out


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Three domains: Alpaca as JSON lines, prompt/completion as CSV, chat as Parquet."""
    folder, lab = tmp_path_factory.mktemp("walk"), Lab(sentences=3)
    rows = lab_rows(lab, "law", 30)
    write_atomic(folder / "data/rights.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    rows = lab_rows(lab, "code", 30)
    pairs = [dict(prompt=r["instruction"], completion=r["output"]) for r in rows]
    pd.DataFrame(pairs).to_csv(folder / "data/programs.csv", index=False)
    rows = lab_rows(lab, "other", 30)
    chats = [
        [
            dict(role="user", content=r["instruction"]),
            dict(role="assistant", content=r["output"]),
        ]
        for r in rows
    ]
    pd.DataFrame(dict(messages=chats)).to_parquet(folder / "data/life.parquet")
    return folder


@pytest.fixture(scope="module")
def run(place):
    """A run of them, from a file of settings, with a classifier of their domains and of other."""
    fit = ["classifier", "fit", "--data", str(place / "data"), "--other"]
    assert main([*fit, "--out", str(place / "own.npz")]) == 0
    settings = dict(model=str(lab_model()), data=str(place / "data"))
    settings |= dict(classifier=str(place / "own.npz"), sample=dict(n=16, max_new_tokens=16))
    settings |= dict(precision="fp32", train=dict(epochs=0.5, rounds=2, max_length=128))
    settings |= dict(reference=dict(epochs=1, rows=4), report_to=["tensorboard"])
    write_atomic(place / "my.yaml", yaml.safe_dump(settings))
    typed = ["train", "--config", str(place / "my.yaml"), "--train.lora.r", "4"]
    assert main([*typed, "--out", str(place / "run")]) == 0
    return place / "run"


def test_the_settings_are_those_of_the_file_and_of_what_was_typed(run):
    train = read_json(run / "config.json")["train"]
    assert (train["lora"]["r"], train["rounds"], train["epochs"]) == (4, 2, 0.5)
    assert train["rows_per_round"] == 21  # half of three times 28 rows, in two rounds, rounded up
    assert read_json(run / "adapter/adapter_config.json")["r"] == 4
    assert list((run / "logs").rglob("events*")) and not (run / "checkpoints").exists()


def test_other_is_detected_and_what_is_left_is_shared_out(run):
    detected = dict(read_profile(run / "profile.json").weights)
    assert set(detected) == {"rights", "programs", "life", "other"}
    rest = 1 - detected.pop("other")
    wanted = {d: share / rest for d, share in detected.items()}
    assert read_history(run).rounds[0]["weights"] == pytest.approx(wanted, abs=1e-6)


def test_its_config_is_given_back(run, capsys):
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*")}
    assert main(["train", "--config", str(run), "--out", str(run)]) == 0
    assert {p: p.stat().st_mtime_ns for p in run.rglob("*")} == before
    assert main(["train", "--config", str(run), "--train.rounds", "3", "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed[printed.index("model:") :])["train"]["rounds"] == 3
    assert main(["train", "--config", str(run), "--train.lora.r", "8", "--out", str(run)]) == 2
    assert "holds a run with train.lora.r=4, not 8" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(run, place, capsys):
    typed = ["train", "--config", str(place / "my.yaml"), "--dry-run"]
    assert main([*typed, "--out", str(place / "dry")]) == 0
    printed = capsys.readouterr().out
    assert "42 rows" in printed and "memory" in printed and not (place / "dry").exists()


def test_the_mixture_goes_to_other_trainers(place, capsys):
    typed = ["compose", "--data", str(place / "data"), "--weights", "uniform", "--n", "6"]
    for trainer in ("llamafactory", "axolotl", "trl"):
        out = place / trainer
        more = ["--export", trainer, "--model", str(lab_model()), "--out", str(out)]
        assert main([*typed, *more]) == 0
        assert str(out / f"{trainer}.yaml") in capsys.readouterr().out
        assert yaml.safe_load((out / f"{trainer}.yaml").read_text())
        assert len((out / "mixture.jsonl").read_text().splitlines()) == 6
    assert main([*typed, "--out", str(place / "m.parquet")]) == 0
    assert len(pd.read_parquet(place / "m.parquet")) == 6


def test_the_report_shows_answers_beside_their_questions(run):
    rows, page = read_json(run / "answers.json"), (run / "report.html").read_text("utf-8")
    assert {row["domain"] for row in rows} == {"rights", "programs", "life"}
    assert all(f'<p class="said">{row["question"].split(maxsplit=1)[0]}' in page for row in rows)
    assert f"versatune chat {run}" in page


def test_the_run_and_the_merged_model_answer(run, place, capsys):
    out = place / "merged"
    assert main(["export", str(run), "--merge", "--out", str(out)]) == 0
    assert main(["export", str(run), "--merge", "--out", str(out)]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    question = read_json(run / "answers.json")[0]["question"]
    for name in (run, out):  # the merged one is rounded to 16 bits, so its words may differ
        typed = ["chat", str(name), "--prompt", question, "--max-new-tokens", "8"]
        assert main([*typed, "--precision", "fp32"]) == 0
        said = capsys.readouterr().out.strip()
        model = load_model(name, "fp32"), load_tokenizer(name)
        assert said and answers(*model, [question], 8)[0].strip() == said


def test_the_guides_lines_load_the_merged_model(run, place, capsys):
    guide = (Path(__file__).parents[1] / "docs/guide.md").read_text(encoding="utf-8")
    (lines,) = [b for b in re.findall(r"```python\n(.*?)```", guide, re.S) if "models/mine" in b]
    assert (place / "merged/config.json").is_file()
    exec(lines.replace("models/mine", str(place / "merged")), {})
    assert "tenant" in capsys.readouterr().out


def test_it_is_evaluated_by_its_name(run, place, capsys):
    facts = [" ".join(fact) for fact in Lab().tables["law"][0][:2]]
    rows = [dict(question="law", choices=[f, f[::-1]], answer_index=0) for f in facts]
    write_json(place / "q.json", rows)
    typed = ["evaluate", "--model", str(run), "--precision", "fp32", "--out", str(place / "r.json")]
    assert main([*typed, "--benchmarks", f"rights={place}/q.json"]) == 0
    assert "average" in capsys.readouterr().out
    assert main([*typed[:-1], str(place / "s.json")]) == 2
    assert f"the data {place}/data have no questions" in capsys.readouterr().err


def test_the_environment_is_printed(capsys):
    assert main(["env"]) == 0
    printed = capsys.readouterr().out
    assert "torch" in printed and "cores" in printed and str(Path.home()) not in printed
