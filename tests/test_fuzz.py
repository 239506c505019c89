"""Damaged files of every kind that is read back: the right answer or an InputError, nothing else.

Each reader meets arbitrary bytes, arbitrary JSON, a good file with one place in it replaced, and a
good file with one byte replaced. The examples are the same in every run; VERSATUNE_FUZZ=2000 tries
so many of each, at random.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from test_bad_input import RUN
from versatune.classify import LinearClassifier
from versatune.config import read_settings, show_settings
from versatune.data import read_choices
from versatune.detect import KnowledgeProfile
from versatune.domains import DomainWeights, InputError, read_json, write_json
from versatune.evaluate import _read_answers
from versatune.history import History, read_text_table
from versatune.labels import Labels, sampled_texts
from versatune.losses import _read_cache
from versatune.records import SHAPES, read_history, read_profile, read_record, read_results
from versatune.report import metrics
from versatune.results import Results
from versatune.sample import _resume
from versatune.settings import PathSettings, read_weights
from versatune.sources import find_sources, read_table
from versatune.tasks import Benchmark
from versatune.written import load_classifier

MANY = int(os.environ.get("VERSATUNE_FUZZ", 0))
fuzz = settings(
    max_examples=MANY or 15,
    derandomize=not MANY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def rows_of(path):
    return list(read_table(path))


def header():
    return dict(versatune="samples", version=2, model="m", tokenizer="t", seed=0)


ROWS = [dict(instruction=f"say {i}", output="it") for i in range(3)]
TEXTS = [dict(text=f"text {i}", n_tokens=2, ended=True, number=i + 1) for i in range(3)]
CHOICES = [dict(question="1 + 2?", choices=["2", "3"], answer_index=1)]
LABELS = [dict(text="a text", label="law", by="me"), dict(text="another", label="code", by="me")]
PATH = PathSettings()
ANSWERS = dict(key="answers", benchmark="questions", domain="law", items={"0-a": 1})
BENCHMARK = Benchmark("questions", "law")
HALVES = dict(law=0.5, code=0.5)

# a file's name -> (what a good one holds: JSON, JSON lines or text; how it is read)
READERS = {name: (RUN[name], read_record) for name in RUN}
READERS |= {
    "weights.json": (HALVES, read_weights),
    "domain_weights.json": (HALVES, DomainWeights.load),
    "knowledge/profile.json": (RUN["profile.json"], KnowledgeProfile.load),
    "checked/profile.json": (RUN["profile.json"], read_profile),
    "results.json": (RUN["after.json"], Results.load),
    "checked/after.json": (RUN["after.json"], read_results),
    "checked/history.json": (RUN["history.json"], lambda path: read_history(path.parent)),
    "saved_history.json": (RUN["history.json"], History.load),
    "proxy.json": (RUN["proxy_losses.json"], lambda path: _read_cache(path, "k")),
    "answers.json": (ANSWERS, lambda path: _read_answers(path, BENCHMARK)),
    "settings.json": (RUN["config.json"], lambda path: read_settings(PATH, path)),
    "settings.yaml": (show_settings(PATH), lambda path: read_settings(PATH, path)),
    "names.yaml": ("law: law.jsonl\ncode: {train: code.jsonl}\n", find_sources),
    "names.json": (dict(law="law.jsonl", code=dict(train="code.jsonl")), find_sources),
    "rows.json": (ROWS, rows_of),
    "rows.jsonl": (ROWS, rows_of),
    "rows.csv": ('instruction,output\nsay,it\nsay it,"a, b"\n', rows_of),
    "choices.jsonl": (CHOICES, read_choices),
    "labels.jsonl": (LABELS, Labels.load),
    "texts.jsonl": (TEXTS, sampled_texts),
    "samples.jsonl": ([header(), *TEXTS], lambda path: _resume(path, header())),
    "rounds.jsonl": (RUN["history.json"]["rounds"], read_record),
    "weights.csv": ("round,domain,weight\n0,law,0.5\n0,code,0.5\n", read_text_table),
}


def written(content, path):
    """The bytes of a good file."""
    if isinstance(content, str):
        return content.encode()
    if path.suffix == ".jsonl":
        return "".join(json.dumps(row) + "\n" for row in content).encode()
    return json.dumps(content).encode()


def answer(read, path, data):
    """What a reader makes of these bytes: a value, or the InputError's message."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    try:
        return read(path), None
    except InputError as error:
        return None, str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(content, above=()):
    """Every place in nested JSON, as a tuple of keys."""
    yield above
    if isinstance(content, dict):
        for name in content:
            yield from places(content[name], (*above, name))
    if isinstance(content, list):
        for i, part in enumerate(content[:4]):
            yield from places(part, (*above, i))


def replaced(content, place, value):
    """`content` with another value at a place; without the place where the value is `...`."""
    if not place:
        return None if value is ... else value
    content = json.loads(json.dumps(content))
    inside = content
    for name in place[:-1]:
        inside = inside[name]
    if value is ...:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return content


@pytest.mark.parametrize("name", READERS)
def test_a_good_file_is_read(name, tmp_path):
    content, read = READERS[name]
    for stem in ("law", "code"):
        (tmp_path / f"{stem}.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    value, refused = answer(read, tmp_path / name, written(content, tmp_path / name))
    assert refused is None and value is not None


@pytest.mark.parametrize("name", READERS)
def test_arbitrary_bytes_and_json(name, tmp_path):
    read = READERS[name][1]

    @fuzz
    @given(st.binary(max_size=60) | json_values.map(lambda v: json.dumps(v).encode() + b"\n"))
    def attempt(data):
        answer(read, tmp_path / name, data)

    attempt()


@pytest.mark.parametrize("name", [n for n in READERS if not isinstance(READERS[n][0], str)])
def test_one_place_is_another(name, tmp_path):
    content, read = READERS[name]
    all_places = sorted(places(content), key=str)

    @fuzz
    @given(st.sampled_from(all_places), json_values | st.just(...))
    def attempt(place, value):
        wrong = replaced(content, place, value)
        if Path(name).suffix == ".jsonl" and not isinstance(wrong, list):
            wrong = [wrong]
        answer(read, tmp_path / name, written(wrong, tmp_path / name))

    attempt()


@pytest.mark.parametrize("name", READERS)
def test_one_byte_is_another(name, tmp_path):
    content, read = READERS[name]
    good = written(content, tmp_path / name)

    @fuzz
    @given(st.integers(0, len(good) - 1), st.integers(0, 255))
    def attempt(i, byte):
        answer(read, tmp_path / name, good[:i] + bytes([byte]) + good[i + 1 :])

    attempt()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A saved classifier of two domains: its path and its bytes."""
    path = tmp_path_factory.mktemp("classifier") / "mine.npz"
    rng = np.random.default_rng(0)
    LinearClassifier(("law", "code"), rng.normal(size=(2, 1 << 16)), np.zeros(2)).save(path)
    return path, path.read_bytes()


def test_a_damaged_classifier(classifier, tmp_path):
    _, good = classifier

    @fuzz
    @given(st.integers(0, len(good) - 1), st.integers(1, 255), st.booleans())
    def attempt(i, change, torn):
        data = good[:i] if torn else good[:i] + bytes([good[i] ^ change]) + good[i + 1 :]
        clf, refused = answer(load_classifier, tmp_path / "damaged.npz", data)
        assert refused or clf.domains == ("law", "code")

    attempt()


@fuzz
@given(st.dictionaries(st.sampled_from("law code art".split()), st.floats(0, 1), min_size=1))
def test_weights_come_back_to_the_last_bit(tmp_path_factory, shares):
    with suppress(InputError):
        weights = DomainWeights.from_counts(shares)
        path = weights.save(tmp_path_factory.getbasetemp() / "weights.json")
        assert dict(DomainWeights.load(path)) == dict(weights) == dict(read_weights(path))


@fuzz
@given(json_values)
def test_json_comes_back_as_it_was(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    try:
        write_json(path, value)
    except ValueError:  # NaN and infinities have no form in JSON
        return
    assert read_json(path) == json.loads(json.dumps(value))


def test_what_fits_can_be_drawn(tmp_path):
    """A file of a run that is accepted is one that the report can be made from."""
    names = [name for name in RUN if name not in ("versions.json", "config.json")]
    places_of = {name: sorted(places(RUN[name]), key=str) for name in names}

    @fuzz
    @given(st.sampled_from(names), st.data())
    def attempt(name, data):
        place = data.draw(st.sampled_from(places_of[name]))
        wrong = replaced(RUN[name], place, data.draw(json_values | st.just(...)))
        for other, content in RUN.items():
            write_json(tmp_path / other, content)
        (tmp_path / name).write_text(json.dumps(wrong))
        with suppress(InputError):
            metrics(tmp_path)

    attempt()


def test_every_file_of_a_run_has_a_reader():
    assert set(SHAPES) <= set(READERS) | {"samples.jsonl", "rounds.jsonl"}
