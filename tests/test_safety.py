"""What comes from data, models or settings leaves no folder, runs no code and is shown as text."""

import re
from pathlib import Path

import pytest

from test_bad_input import RUN
from versatune.data import load_data
from versatune.domains import DomainWeights, InputError, write_json
from versatune.finetune import FineTuned
from versatune.history import History
from versatune.lab import lab_model
from versatune.models import add_lora, load_model
from versatune.report import report

ROOT = Path(__file__).parents[1]
EVIL = "<img src=x onerror=alert(1)>"
ROWS = [dict(prompt=f"say {i}", completion=f"it is {i}") for i in range(4)]


@pytest.mark.parametrize(
    "name", ["../law", "/etc/law", "a/b", "a\\b", "..", ".", "", "a\0b", "a\nb"]
)
def test_no_domain_name_is_a_path(name, tmp_path):
    with pytest.raises(InputError, match="domain"):
        load_data({name: ROWS, "code": ROWS})
    with pytest.raises(InputError, match="domain"):
        DomainWeights({name: 0.5, "code": 0.5})


def everywhere(content, text):
    """The same JSON with a text put before each text in it, names of domains aside."""
    if isinstance(content, dict):
        return {name: everywhere(part, text) for name, part in content.items()}
    if isinstance(content, list):
        return [everywhere(part, text) for part in content]
    name = content in ("law", "code", EVIL)
    return text + content if isinstance(content, str) and not name else content


def renamed(content, name):
    """The same JSON with a domain of another name."""
    if isinstance(content, dict):
        return {name if k == "law" else k: renamed(part, name) for k, part in content.items()}
    if isinstance(content, list):
        return [renamed(part, name) for part in content]
    return name if content == "law" else content


@pytest.fixture
def evil_run(tmp_path):
    for file, content in RUN.items():
        content = renamed(content, EVIL)
        if file not in ("versions.json", "before.json", "after.json"):
            content = everywhere(content, EVIL)
        if file == "history.json":
            note = dict(kind="floor", domains=[EVIL], message=EVIL)
            content["rounds"][1]["reports"] = [note]
        write_json(tmp_path / file, content)
    return tmp_path


def test_the_report_shows_all_names_as_text(evil_run):
    page = report(evil_run).read_text(encoding="utf-8")
    assert EVIL not in page and "&lt;img src=x" in page
    assert not re.search(r"<script|onerror=alert\(1\)>", page)


def test_the_card_shows_all_names_as_text():
    model = add_lora(load_model(lab_model(), "fp32", device="cpu"))
    model.peft_config["default"].base_model_name_or_path = EVIL
    rounds = renamed(RUN["history.json"]["rounds"], "a | b\n\n<script>x</script>")
    with pytest.raises(InputError):  # a name with a line break is none
        DomainWeights(rounds[0]["weights"])
    rounds = renamed(RUN["history.json"]["rounds"], "law | <script>x</script>")
    card = FineTuned(model, History(rounds, None)).card()
    text = card.split("---\n", 2)[2]  # above it is YAML, which nothing shows as a page
    assert "<script>" not in text and EVIL not in text


def test_nothing_unpickles_or_runs_what_it_reads():
    """No pickle, no unsafe YAML, no code of a model, in any module."""
    unsafe = r"import pickle|allow_pickle=True|yaml\.(unsafe|full)|(?<![.\w])(eval|exec)\("
    unsafe += r"|trust_remote_code=True|weights_only=False|shell=True|os\.system\("
    for path in (ROOT / "versatune").rglob("*.py"):
        sandboxed = path.name == "execute.py"  # holds the program that runs answers in its sandbox
        if "task_files" not in path.parts and not sandboxed:
            for line in path.read_text(encoding="utf-8").splitlines():
                assert not re.search(unsafe, line), f"{path.name}: {line}"


def test_pins_say_when_they_were_seen():
    first = (ROOT / ".ci/constraints.txt").read_text(encoding="utf-8").splitlines()[0]
    assert re.search(r"20\d\d-\d\d-\d\d", first), first
