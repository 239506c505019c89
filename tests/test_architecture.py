"""The rooms of the house: a module imports only from lower-numbered ones, and stays small enough to hold in one's head."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "nbs").glob("[0-9][0-9]*_*.ipynb"))
NUMBER = {p.stem.split("_", 1)[1]: number for number, p in enumerate(NOTEBOOKS)}
MODULES = sorted(p.stem for p in (ROOT / "versatune").glob("[!_]*.py"))


def test_every_module_has_a_notebook():
    assert set(MODULES) <= set(NUMBER)  # 05b_trust only measures, and has no module


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_from_lower_numbers(module):
    source = (ROOT / "versatune" / f"{module}.py").read_text(encoding="utf-8")
    used = set(re.findall(r"^\s*from (?:versatune)?\.(\w+) import", source, re.M))
    assert {m for m in used if NUMBER[m] >= NUMBER[module]} == set()


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small(module):
    assert len((ROOT / "versatune" / f"{module}.py").read_text(encoding="utf-8").splitlines()) <= 400


def test_reweighting_needs_no_torch():
    source = (ROOT / "versatune" / "reweight.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(?:from|import) (?:torch|transformers|numpy)", source, re.M)
