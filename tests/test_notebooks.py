"""Every lesson and every page of the reproduction runs as shipped, as with "Run All"."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ROOT / "nbs", ROOT / "nbs" / "repro"
NOTEBOOKS = sorted(p.relative_to(ROOT) for folder in FOLDERS for p in folder.glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=str)
def test_notebook_runs(notebook, tmp_path):
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", str(notebook)]
    command += ["--output-dir", str(tmp_path), "--ExecutePreprocessor.timeout=600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
