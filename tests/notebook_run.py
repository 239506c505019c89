"""A notebook as a reader runs it, with "Run All", for the tests of lessons and of pages."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notebooks(folder):
    "The notebooks of a folder of the project, as paths relative to the root."
    return sorted(p.relative_to(ROOT) for p in (ROOT / folder).glob("*.ipynb"))


def run_all(notebook, out):
    "Execute a notebook in a process of its own; the executed copy goes to the folder `out`."
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", str(notebook)]
    command += ["--output-dir", str(out), "--ExecutePreprocessor.timeout=600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
