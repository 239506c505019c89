"""Checks that notebooks and package agree: python .ci/check.py (exit 1 and what is wrong).

1. Every module of versatune is just what its notebook exports; none is left over.
2. The notebooks are clean (nbdev_clean would change nothing) and under 300 KB, results under 2 MB.
3. No notebook holds a path of somebody's machine.
4. Pages and modules stay within the limits of .ci/style.py.
"""

import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import style

ROOT = Path(__file__).parents[1]
MACHINE_PATH = re.compile(
    r"(?<![\w.])(/home/\w|/root/|/Users/\w|/work/|/tmp/\w|\b[A-Z]:\\\\+(Users|Windows|Program))|site-packages/"
)
LEFT_OUT = (".git", ".venv", "runs", "*.egg-info", "__pycache__", ".ipynb_checkpoints", "_docs")


def exported_afresh():
    """A copy of the project whose modules were exported anew and whose notebooks were cleaned."""
    copy = Path(tempfile.mkdtemp()) / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for module in style.modules(copy):
        if "task_files" not in module.parts:
            module.unlink()
    for tool in ("nbdev_export", "nbdev_clean"):
        command = [str(Path(sys.executable).parent / tool)]
        subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL)
    return copy


def texts(root):
    "Relative path -> text of each Python file of the package."
    found = (root / "versatune").rglob("*.py")
    return {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in found}


def drift(copy):
    here, fresh = texts(ROOT), texts(copy)
    for name in sorted(here.keys() | fresh.keys()):
        a, b = (side.get(name, "").split("\n") for side in (fresh, here))
        if a != b:
            diff = difflib.unified_diff(a, b, "notebook", "module", lineterm="", n=1)
            shown = "\n".join(list(diff)[:12])
            yield f"{name} is not what the notebooks export (run nbdev_export):\n{shown}"
    for path in style.notebooks():
        name = path.relative_to(ROOT)
        if path.read_text(encoding="utf-8") != (copy / name).read_text(encoding="utf-8"):
            yield f"{name} is not clean (run nbdev_clean)"


def without_pictures(cell):
    "Source and outputs of a cell as text; pictures are left out."
    outputs = []
    for output in cell.get("outputs", []):
        data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
        outputs.append(output | dict(data=data))
    return json.dumps([cell["source"], outputs])


def sizes_and_paths():
    for path in style.notebooks():
        name, text = path.relative_to(ROOT), path.read_text(encoding="utf-8")
        if len(text) > 300_000:
            yield f"{name} has {len(text) // 1000} KB; keep it under 300"
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            plain = without_pictures(cell)
            if found := MACHINE_PATH.search(plain):
                near = plain[max(0, found.start() - 30) : found.end() + 30]
                yield f"{name}, cell {number} holds a path of a machine: {near}"
    results = [p for p in (ROOT / "nbs").rglob("results/**/*") if p.is_file()]
    if (total := sum(p.stat().st_size for p in results)) > 2_000_000:
        yield f"result files have {total // 1000} KB together; keep them under 2,000"


def problems():
    copy = exported_afresh()
    yield from drift(copy)
    shutil.rmtree(copy.parent, ignore_errors=True)
    yield from sizes_and_paths()
    yield from style.problems()


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) or "notebooks and modules agree, and the pages keep their limits")
    sys.exit(bool(found))
