"""A module imports only from lower-numbered ones, and each is made by one notebook."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "nbs").glob("[0-9][0-9]_*.ipynb"))
# the reproduction stands on all lessons but those of the command line, which can start it
REPRO = "scales work fast worlds race trials unpacked power experiments verdicts figures".split()
NUMBER = {lesson.stem.split("_", 1)[1]: int(lesson.stem.split("_")[0]) for lesson in LESSONS}
NUMBER |= {f"repro.{name}": NUMBER["flags"] - 0.9 + place / 20 for place, name in enumerate(REPRO)}
FILES = sorted(
    [*(ROOT / "versatune").glob("[!_]*.py"), *(ROOT / "versatune/repro").glob("[!_]*.py")]
)
MODULES = {
    ".".join(path.relative_to(ROOT / "versatune").with_suffix("").parts): path for path in FILES
}


def imported(module):
    "The modules of this package that a module imports, anywhere in it."
    source = MODULES[module].read_text(encoding="utf-8")
    absolute = re.findall(r"^\s*(?:from|import) versatune\.([\w.]+)", source, re.M)
    nearby = re.findall(r"^\s*from \.(\w[\w.]*) import", source, re.M)
    above = re.findall(r"^\s*from \.\.(\w[\w.]*) import", source, re.M)
    inside = "repro." if module.startswith("repro.") else ""
    return {*absolute, *above, *(inside + name for name in nearby)}


def test_numbers_have_no_gap():
    assert [int(lesson.stem.split("_")[0]) for lesson in LESSONS] == list(range(len(LESSONS)))


def test_every_module_has_a_notebook():
    assert set(MODULES) == set(NUMBER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_from_lower_numbers(module):
    assert {used for used in imported(module) if NUMBER[used] >= NUMBER[module]} == set()


@pytest.mark.parametrize(
    "module", ["quantify", "reweight", "guards", "history", "rivals", "simulate"]
)
def test_arithmetic_needs_no_torch(module):
    source = MODULES[module].read_text(encoding="utf-8")
    assert not re.search(r"^\s*(?:from|import) (?:torch|transformers)", source, re.M)


def test_the_index_names_every_lesson():
    index = (ROOT / "nbs" / "index.ipynb").read_text(encoding="utf-8")
    assert [p.name for p in LESSONS if f"]({p.name})" not in index] == []
