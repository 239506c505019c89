"""Wrong commands and damaged files: each is answered by one line, never by a traceback.

A row of a table is one case: what is typed, or what is written into which file of a run, and words
that the line holds.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from bad_inputs import FILES
from versatune.classify import LinearClassifier
from versatune.cli import main
from versatune.config import read_settings
from versatune.data import load_data, read_choices
from versatune.detect import KnowledgeProfile
from versatune.domains import InputError, write_json
from versatune.folder import claim, locked
from versatune.history import History, read_text_table
from versatune.lab import lab_model
from versatune.labels import Labels
from versatune.losses import _read_cache
from versatune.models import load_model, load_tokenizer
from versatune.records import SHAPES, check_records, versions
from versatune.report import report
from versatune.results import Results
from versatune.sample import _resume
from versatune.settings import PathSettings, read_weights
from versatune.tokens import tokenize

DOMAINS = ("law", "code")
ALPACA = [dict(instruction=f"say {i}", output=f"it is {i}") for i in range(6)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, weights, a model that is none, and other things to name by mistake."""
    folder = tmp_path_factory.mktemp("place")
    for d in DOMAINS:
        write_json(folder / f"data/{d}.json", ALPACA)
    for name, content in dict(
        good=dict(law=0.5, code=0.5), sum=dict(law=0.5, code=0.4), art=dict(law=0.5, art=0.5)
    ).items():
        write_json(folder / f"{name}.json", content)
    write_json(folder / "list.json", [0.5, 0.5])
    write_json(folder / "text.json", dict(law="half", code=0.5))
    write_json(folder / "negative.json", dict(law=-0.5, code=1.5))
    write_json(folder / "null.json", None)
    write_json(folder / "model/config.json", dict(model_type="llama", hidden_size=8))
    (folder / "model/model.safetensors").write_bytes(b"weights")
    (folder / "nan.json").write_text('{"law": NaN, "code": 0.5}')
    (folder / "torn.json").write_text('{"law": 0.5, "co')
    (folder / "empty.json").write_text("")
    (folder / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (folder / "notes.txt").write_text("mine")
    (folder / "fake.npz").write_text("no classifier")
    (folder / "empty").mkdir()
    return folder


# what is typed (PLACE is the folder above) | words of the answer; no model is read
COMMANDS = """
| no command is given
trian | did you mean train
dem | did you mean demo
evalute | did you mean evaluate
run | choose one of demo
report PLACE | no command 'report'
--model x | COMMAND
demo --modle x | did you mean --model
demo --over | did you mean --overwrite
demo --sample 3 | did you mean --samples
demo --target law | belongs to expand
demo --rule Constant | belongs to train
detect --rounds 3 | belongs to demo and train and expand
plot PLACE --out x | belongs to demo
demo now | 'now' is one word too many
demo --model | --model: expected one argument
demo --seed -1 | --seed is -1; give a whole number from 0
demo --seed 1.5 | --seed: invalid int value
demo --seed 4294967296 | --seed is 4294967296
demo --samples 0 | --samples is 0; give a whole number, 1 or more
demo --samples -3 | --samples is -3
demo --samples many | --samples: invalid int value
demo --rounds 0 | --rounds is 0
demo --rounds 1e3 | --rounds: invalid int value
demo --rows 0 | --rows is 0
demo --rows -40 | --rows is -40
demo --lr 0 | --lr is 0.0; give a number above 0
demo --lr=-1e-4 | --lr is -0.0001
demo --lr nan | --lr is nan
demo --lr inf | --lr is inf
demo --lr fast | --lr: invalid float value
demo --max-length 1 | --max-length is 1; give a whole number, 2 or more
demo --max-length -1 | --max-length is -1
demo --sigma -0.5 | --sigma is -0.5
demo --sigma nan | --sigma is nan
demo --reference-rows 0 | --reference-rows is 0
demo --reference-epochs 0 | --reference-epochs is 0
demo --precision int4 | --precision is 'int4'; choose one of nf4, bf16, fp32
demo --share-of words | --share-of is 'words'; choose 'rows' or 'tokens'
demo --guards off | --guards is 'off'; choose 'on' or 'paper'
demo --data nowhere | data nowhere: no such folder or file
demo --data PLACE/empty | PLACE/empty
demo --data PLACE/notes.txt | PLACE/notes.txt
demo --data PLACE/fake.npz | PLACE/fake.npz
demo --model ./nowhere | no such file or folder
demo --model PLACE/empty | PLACE/empty
demo --model PLACE/notes.txt | is a file but not a .gguf file
demo --model PLACE/model --data PLACE/data --weights uniform | PLACE/model: no tokenizer
demo --data PLACE/data --classifier nothing.npz | classifier nothing.npz: no such file
demo --data PLACE/data --classifier PLACE/fake.npz | PLACE/fake.npz
demo --data PLACE/data --classifier PLACE/data | PLACE/data
demo --data PLACE/data --classifier paper | paper
demo --data PLACE/data | in the classifier
demo --data PLACE/data --weights none.json | none.json: no such file
demo --data PLACE/data --weights PLACE | PLACE is a folder
demo --data PLACE/data --weights PLACE/sum.json | weights sum to 0.9
demo --data PLACE/data --weights PLACE/art.json | 'art' in the weights
demo --data PLACE/data --weights PLACE/list.json | holds no weights
demo --data PLACE/data --weights PLACE/null.json | holds no weights
demo --data PLACE/data --weights PLACE/text.json | 'law' is 'half'
demo --data PLACE/data --weights PLACE/negative.json | 'law' is -0.5
demo --data PLACE/data --weights PLACE/nan.json | NaN is no number that JSON has
demo --data PLACE/data --weights PLACE/torn.json | not valid JSON
demo --data PLACE/data --weights PLACE/empty.json | not valid JSON
demo --data PLACE/data --weights PLACE/bytes.json | not valid JSON
demo --data PLACE/data --weights unifrom | unifrom
train --rule Magic | rule 'Magic' is unknown
train --rule versatune | rule 'versatune' is unknown
train --rule OnlyTarget | rule OnlyTarget needs target
train --rule DomainExpansion | expand --target
expand | give --target DOMAIN
train --rows 8 --epochs 1 | give one of them
train --config nowhere.yaml | nowhere.yaml: no such file
train --config PLACE/notes.txt | settings are lines of
train --train.loar.r 8 | did you mean train.lora.r?
train --train.lora.r | has no value
train --train.lora.r x | train.lora.r
train --train.batch_size 0 | batch_size is 0
train --rule Uniform --sigma 1 | has no setting
expand --target art | choose one of law, medicine
expand --data PLACE/data --target medicine --weights uniform | choose one of law, code
expand --target law --delta 0 | --delta is 0.0; give a number between 0 and 1
expand --target law --delta 1 | --delta is 1.0
expand --target law --delta nan | --delta is nan
expand --target law --epsilon -1 | --epsilon is -1.0
detect --within 0 | --within is 0.0; give a number between 0 and 1
detect --within 2 | --within is 2.0
detect --aggregate median | --aggregate is 'median'; choose one of mean
detect --classifier nothing.npz | classifier nothing.npz: no such file
detect --model ./nowhere | no such file or folder
compose | compose does not detect
compose --weights PLACE | PLACE is a folder
compose --weights uniform --n 0 | --n is 0
compose --weights uniform --n -5 | --n is -5
compose --weights PLACE/good.json | 'medicine'
compose --weights uniform --data nowhere | data nowhere
evaluate --benchmarks MedQ | benchmark 'MedQ' is unknown
evaluate --benchmarks | expected at least one argument
evaluate --benchmarks law=none.jsonl | none.jsonl: no such file
evaluate --benchmarks law=PLACE/data/law.json | PLACE/data/law.json, row 1
evaluate --limit 0 | --limit is 0
evaluate --limit all | --limit: invalid int value
evaluate --data PLACE/data | have no questions
repro --scale huge | scale is 'huge'
repro --scale smoke nothing | 'nothing'
repro --workers 0 | --workers is 0
repro --workers -2 | --workers is -2
plot | required: run
plot nowhere | nowhere: no such folder
plot PLACE | PLACE is no run of versatune
plot PLACE/model | its config.json is of something else
plot PLACE/notes.txt | PLACE/notes.txt: no such folder
"""
WITH_OUT = ("demo", "detect", "compose", "train", "expand", "evaluate", "repro")


def answer(capsys, typed):
    """The one line that a user sees."""
    assert main(typed) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("versatune"), lines
    return lines[0]


@pytest.mark.parametrize("case", COMMANDS.strip("\n").splitlines())
def test_a_wrong_command_is_answered_in_a_line(case, place, tmp_path, capsys):
    typed, words = case.replace("PLACE", str(place)).split("|")
    typed = typed.split()
    if typed and typed[0] in WITH_OUT:
        typed += ["--out", str(tmp_path / "out")]
    assert words.strip() in answer(capsys, typed)
    assert not (tmp_path / "out").exists()


OUTS = [
    ("compose --weights uniform --n 3 --out", "PLACE", "is a folder"),
    ("compose --weights uniform --n 3 --out", "PLACE/notes.txt", "exists"),
    ("compose --weights uniform --n 3 --out", "PLACE/notes.txt/x.jsonl", "is a file"),
    ("compose --weights uniform --n 3 --out", "mixture.csv", "end its name so"),
    ("compose --weights uniform --n 3 --out", "", "--out is ''"),
    ("compose --weights uniform --n 3 --out", "/proc/version/x", "is a file"),
    ("compose --weights uniform --n 3 --out", "x" * 300, "too long"),
    ("detect --out", "PLACE/notes.txt", "exists"),
    ("evaluate --out", "PLACE/data", "is a folder"),
    ("demo --weights uniform --out", " ", "--out is ' '"),
    ("demo --out x --model", "", "--model is ''"),
    ("demo --out x --data", "", "--data is ''"),
    ("demo --out x --data", "a\0b", "--data is"),
    ("demo --out x --data", "d" * 5000, "too long"),
    ("demo --out x --model", "/" + "m" * 5000, "too long"),
    ("plot", "r" * 5000, "too long"),
]


@pytest.mark.parametrize("typed, last, words", OUTS)
def test_a_wrong_place_is_answered_in_a_line(typed, last, words, place, capsys, monkeypatch):
    monkeypatch.chdir(place / "empty")
    before = sorted(place.rglob("*"))
    line = answer(capsys, [*typed.split(), last.replace("PLACE", str(place))])
    assert words.lower() in line.lower()
    assert sorted(place.rglob("*")) == before


# ---- files that a user names ----


def _template(path):
    tokenizer = load_tokenizer(lab_model())
    tokenizer.chat_template = path.read_text()
    write_json(path.parent / "law.json", ALPACA)
    write_json(path.parent / "code.json", ALPACA)
    path.rename(path.parent / "_template.jinja")
    tokenize(load_data(path.parent), tokenizer)


READ = dict(
    data=lambda path: load_data(path if path.suffix == ".yaml" else _domains(path)),
    choices=read_choices,
    weights=read_weights,
    config=lambda path: read_settings(PathSettings(), path),
    classifier=LinearClassifier.load,
    labels=Labels.load,
    profile=KnowledgeProfile.load,
    results=Results.load,
    history=History.load,
    references=lambda path: _read_cache(path, "k"),
    samples=lambda path: _resume(path, dict(versatune="samples", seed=0)),
    table=read_text_table,
    template=_template,
    model=lambda path: load_model(str(path if path.suffix == ".gguf" else path.parent)),
)


def _domains(path):
    """The folder of data that a file stands in."""
    return path.parent if path.parent.name != "law" else path.parent.parent


@pytest.mark.parametrize("case", FILES.strip().splitlines())
def test_a_bad_file_is_named_with_what_is_wrong(case, tmp_path):
    kind, name, text, words = (part.strip() for part in case.split(" |"))
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    if name != "none":
        path.write_bytes(text.encode().decode("unicode_escape").encode("latin1"))
    with pytest.raises(InputError) as error:
        READ[kind](path)
    message = str(error.value)
    assert words.replace("MODEL", str(path.parent)) in message
    says_where = "domain" in words or ".jsonl" in words  # the domain, or a file that is missing
    assert path.name in message or says_where or kind in ("template", "model")


# ---- files of a run ----


def entry(t):
    """A round of a history."""
    return dict(
        round=t,
        losses=dict(law=2.0 - t / 4, code=1.5),
        weights=dict(law=0.5, code=0.5),
        rows=dict(law=4, code=4) if t else {},
        tokens=dict(law=40 * t, code=40 * t) if t else {},
        potential=dict(law=0.2, code=0.1) if t else {},
        forgetting=dict(law=0.0, code=0.0) if t else {},
        reports=[],
        state={},
    )


SCORE = dict(benchmark="questions", method="m", metric="acc", score=0.5, stderr=0.5, n=2)
RESULTS = dict(
    frame=[dict(SCORE, domain=d, chance=0.25, majority=0.5, asked="all") for d in DOMAINS],
    items={d: {"questions": {"0-a": 1, "1-b": 0}} for d in DOMAINS},
)
HALVES = dict(law=0.5, code=0.5)
PROFILE = dict(weights=HALVES, low=dict(law=0.4, code=0.4), high=dict(law=0.6, code=0.6))
RUN = {
    "versions.json": versions(),
    "config.json": json.loads(json.dumps(PathSettings().as_dict() | dict(content=dict(data="1")))),
    "profile.json": PROFILE
    | dict(n=60, excluded=0, how=dict(classifier="c", aggregate="mean", level=0.95)),
    "composition.json": dict(rows_per_round=8, requested=HALVES, rows=dict(law=4, code=4))
    | dict(available=dict(law=5, code=5), dropped=dict(law=1, code=0), cut=dict(law=0, code=0)),
    "proxy_losses.json": dict(
        key="k", by_epoch={d: dict(train=[2.0], heldout=[1.5]) for d in DOMAINS}
    ),
    "reference.json": dict(law=1.0, code=1.0),
    "before.json": RESULTS,
    "after.json": RESULTS,
    "history.json": dict(rounds=[entry(0), entry(1)], reference=dict(law=1.0, code=1.0)),
    "model.json": dict(architecture="Tiny", parameters=10, trainable=1, linear4bit=2)
    | dict(megabytes=0.5, dtype="bfloat16", device="cpu", lora=True),
    "cost.json": dict(profile=dict(seconds=1.5, peak_memory_gb=0.5)),
}


@pytest.fixture
def run(tmp_path):
    """The files of a finished run."""
    for name, content in RUN.items():
        write_json(tmp_path / "run" / name, content)
    return tmp_path / "run"


def test_the_undamaged_run_is_whole(run, capsys):
    check_records(run)
    assert main(["plot", str(run)]) == 0
    assert "report.html" in capsys.readouterr().out
    page = report(run).read_text(encoding="utf-8")
    assert page.count("data:image/png") == 7 and "law: 1 of 6 rows dropped" in page


# file of a run | what is written at the place in it, as JSON | words of the answer
DAMAGE = """
profile.json | | [] | it is []
profile.json | | 3 | it is 3
profile.json | | null | it is null
profile.json | weights | [0.5, 0.5] | weights is [0.5, 0.5]
profile.json | weights | {"law": 0.5} | 'code' in low but not in the weights
profile.json | weights | {"law": 0.9, "code": 0.9} | weights sum to 1.8
profile.json | weights.law | "0.5" | weights.law is "0.5"
profile.json | weights.law | NaN | NaN is no number that JSON has
profile.json | low | {} | but not in low
profile.json | high.art | 0.5 | 'art' in high
profile.json | n | "sixty" | n is "sixty"
profile.json | n | 1.5 | n is 1.5, not a whole number
profile.json | how | "by hand" | how is "by hand"
profile.json | how.level | null | how.level is null
profile.json | how | {} | how has no field 'classifier'
composition.json | | [1] | it is [1]
composition.json | rows | [4, 4] | rows is [4, 4]
composition.json | rows.law | "4" | rows.law is "4"
composition.json | dropped | 3 | dropped is 3
composition.json | available.law | null | available.law is null
reference.json | | ["law", 1.0] | it is ["law", 1.0]
reference.json | law | "low" | law is "low"
reference.json | law | Infinity | Infinity is no number that JSON has
reference.json | law | {"law": 1} | not a number
proxy_losses.json | | {} | has no field 'key'
proxy_losses.json | by_epoch.law | [1.0] | by_epoch.law is [1.0]
proxy_losses.json | by_epoch.law.heldout | [] | by_epoch.law.heldout is an empty list
proxy_losses.json | by_epoch.law.heldout | ["x"] | by_epoch.law.heldout[0] is "x"
before.json | | [] | it is []
before.json | frame | [] | frame is an empty list
before.json | frame | {} | frame is {}
before.json | frame | [3] | frame[0] is 3
before.json | frame | [{"domain": "law"}] | frame[0] has no field 'benchmark'
before.json | items | [] | items is []
before.json | items | {} | no marks of it
before.json | items.law | {"questions": {}} | no marks of it
before.json | items.law.questions | [1, 0] | items.law.questions is [1, 0]
before.json | items.law.questions | {"0-a": "right"} | is "right", not a number
after.json | items.law.questions | {"0-a": 1} | different questions
after.json | frame.0.score | "good" | frame[0].score is "good"
after.json | frame.0.n | null | frame[0].n is null
history.json | | [] | it is []
history.json | | {"rounds": []} | no field 'reference'
history.json | rounds | [] | rounds is an empty list
history.json | rounds | {"0": {}} | rounds is
history.json | rounds | [[]] | rounds[0] is []
history.json | rounds | [{"round": 0}] | rounds[0] has no field 'losses'
history.json | rounds.1.losses | null | rounds[1].losses is null
history.json | rounds.1.losses | {"law": 1.0} | 'code' in the weights of the start
history.json | rounds.1.losses.law | [2.0] | rounds[1].losses.law is [2.0]
history.json | rounds.1.weights | {"law": 0.5, "code": 0.6} | weights sum to 1.1
history.json | rounds.1.weights.law | -0.5 | 'law' is -0.5
history.json | rounds.1.round | "one" | rounds[1].round is "one"
history.json | rounds.1.potential | {"art": 0.1} | 'art'
history.json | rounds.1.reports | ["bad"] | rounds[1].reports[0] is "bad"
history.json | rounds.1.tokens.law | "many" | rounds[1].tokens.law is "many"
history.json | reference | [1.0] | reference is [1.0]
history.json | reference | {"art": 1.0} | 'art' in the reference
model.json | | [] | it is []
model.json | megabytes | "small" | megabytes is "small"
model.json | linear4bit | null | linear4bit is null
cost.json | | [1] | it is [1]
cost.json | profile | 3 | profile is 3
cost.json | profile.seconds | "1.5" | profile.seconds is "1.5"
cost.json | profile.peak_memory_gb | NaN | NaN is no number that JSON has
config.json | | [] | it is []
config.json | | {} | it has no field 'model'
config.json | train | [] | train is []
config.json | train.seed | "x" | train.seed is "x"
config.json | model | 3 | model is 3
config.json | rule | "VersaTune" | rule is "VersaTune"
versions.json | | [] | it is []
versions.json | python | 3.11 | python is 3.11
"""


def put(content, place, value):
    """`content` with `value` at a place such as 'rounds.1.losses'."""
    if not place:
        return value
    name, _, rest = place.partition(".")
    name = int(name) if isinstance(content, list) else name
    content = json.loads(json.dumps(content))
    content[name] = put(content[name] if rest else None, rest, value)
    return content


def refused(run, words):
    """A run that goes on and a new drawing are refused with these words; nothing is lost."""
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    config = RUN["config.json"]
    for work in (lambda: claim(run, config), lambda: (check_records(run), report(run))):
        with pytest.raises(InputError) as error:
            work()
        assert words in str(error.value) and str(run) in str(error.value)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("case", DAMAGE.strip().splitlines())
def test_a_damaged_file_is_named_with_the_place_in_it(case, run):
    name, place, value, words = (part.strip() for part in case.split("|"))
    content = put(RUN[name], place, json.loads(value))
    (run / name).write_text(json.dumps(content))
    if words == "different questions":  # only seen where both are compared
        with pytest.raises(InputError, match=words):
            report(run)
    else:
        refused(run, words)


BROKEN = dict(empty=b"", torn=b'{"law": 0.5, "co', binary=b"\xff\xfe\x00\x01", deep=b"[" * 100_000)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", [*BROKEN, "folder"])
def test_a_file_that_is_no_json_is_named(name, kind, run):
    path = run / name
    if name.endswith(".jsonl"):
        if kind in ("empty", "torn"):
            pytest.skip("a line without an end was being written: it is left out")
        (run / "history.json").unlink()
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(BROKEN[kind] + (b"\n" if name.endswith(".jsonl") else b""))
    with pytest.raises(InputError, match=name):
        claim(run, RUN["config.json"])


def test_lines_of_another_shape_are_named(run):
    for name, line in (("samples.jsonl", '["text"]'), ("rounds.jsonl", '{"round": 0}')):
        (run / name).write_text(line + "\n")
        with pytest.raises(InputError, match=rf"{name}: line 1"):
            claim(run, RUN["config.json"])
        (run / name).unlink()


# ---- what --overwrite must not take ----


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


def test_overwrite_takes_no_folder_that_is_no_run(place):
    before = contents(place)
    for folder in (place, place / "model", place / "data"):
        with pytest.raises(InputError, match="is no run of versatune"):
            claim(folder, RUN["config.json"], overwrite=True)
        with pytest.raises(InputError, match="is no run of versatune"), locked(folder):
            pass
    assert contents(place) == before


def test_overwrite_is_only_reached_when_all_else_is_right(run, place, capsys):
    before = contents(run)
    for wrong in ("--data nowhere", "--model ./nowhere", "--weights none.json", "--rounds 0"):
        answer(capsys, ["demo", "--out", str(run), "--overwrite", *wrong.split()])
    assert contents(run) == before


@pytest.mark.parametrize("way", ["plain", "relative", "link to it", "link in it", "named", "above"])
def test_overwrite_takes_nothing_that_is_in_use(way, run, monkeypatch):
    """The weights, model or data of the new run lie in the old one, or the old one in them."""
    used = run / "profile.json"
    monkeypatch.chdir(run.parent)
    if way == "relative":
        used = Path("run/../run/profile.json")
    if way == "link to it":
        used = run.parent / "weights.json"
        used.symlink_to(run / "profile.json")
    if way == "link in it":
        used = run.parent / "data"
        used.mkdir()
        (used / "law.jsonl").symlink_to(run / "samples.jsonl")
    if way == "named":
        used = run.parent / "data.yaml"
        used.write_text("law: {train: run/composition.json}\ncode: elsewhere.jsonl\n")
    if way == "above":
        used = run.parent
    before = contents(run)
    with pytest.raises(InputError, match="--overwrite would empty"):
        claim(run, RUN["config.json"], overwrite=True, used={"--data": str(used)})
    assert contents(run) == before


def test_overwrite_keeps_what_is_not_of_the_run(run):
    mine = ["notes.txt", "figures/mine.png", "adapter/notes.txt", "checkpoints/mine/x", "other/y"]
    for name in mine:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("mine")
    elsewhere = run.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "adapter_model.safetensors").write_bytes(b"not mine to delete")
    shutil.rmtree(run / "adapter")
    (run / "adapter").symlink_to(elsewhere)
    new = put(RUN["config.json"], "data", "others")
    claim(run, new, overwrite=True)
    assert [
        name for name in mine if name != "adapter/notes.txt" and not (run / name).exists()
    ] == []
    assert (elsewhere / "adapter_model.safetensors").read_bytes() == b"not mine to delete"
    assert json.loads((run / "config.json").read_text())["data"] == "others"
    assert not (run / "history.json").exists() and not os.path.lexists(run / "adapter")
