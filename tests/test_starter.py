"""The starter set: large enough, balanced, and nothing held out stands in training too."""

import itertools
import json
import re
from collections import Counter
from importlib.resources import files

import pytest

from versatune.data import load_data
from versatune.domains import DOMAINS

STARTER = files("versatune") / "starter"


def rows(domain, part):
    text = (STARTER / domain / f"{part}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def words(text):
    return set(re.findall(r"\w+", text.lower()))


def overlap(a, b):
    a, b = words(a), words(b)
    return len(a & b) / len(a | b)


def asked(row):
    return row.get("question") or row["instruction"] + " " + row["input"]


def test_sizes():
    data = load_data("starter")
    assert data.domains == DOMAINS
    for d in DOMAINS:
        assert len(data.train[d]) >= 80, d
        assert len(data.heldout[d]) >= 20, d
        assert len(data.choices[d]) >= 25, d


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_is_asked_twice(domain):
    everything = []
    for part in ("train", "heldout", "choices"):
        everything += [(part, asked(r)) for r in rows(domain, part)]
    close = [(a, b) for a, b in itertools.combinations(everything, 2) if overlap(a[1], b[1]) > 0.6]
    assert close == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_heldout_answers_are_not_in_training(domain):
    close = [
        (t["output"], h["output"])
        for t in rows(domain, "train")
        for h in rows(domain, "heldout")
        if overlap(t["output"], h["output"]) > 0.5
    ]
    assert close == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_opening_is_worn_out(domain):
    openings = Counter(
        " ".join(asked(r).split()[:3]).lower()
        for part in ("train", "heldout")
        for r in rows(domain, part)
    )
    assert openings.most_common(1)[0][1] <= 8, openings.most_common(3)


@pytest.mark.parametrize("domain", DOMAINS)
def test_position_and_length_do_not_give_the_answer_away(domain):
    questions = rows(domain, "choices")
    positions = Counter(r["answer_index"] for r in questions)
    assert all(positions[i] >= len(questions) / 4 - 3 for i in range(4)), positions
    longest = [
        max(range(4), key=lambda i: len(r["choices"][i])) == r["answer_index"] for r in questions
    ]
    assert sum(longest) <= 0.5 * len(questions), f"the longest choice is right {sum(longest)} times"
