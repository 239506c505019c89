"""Checks that notebooks and package agree: python .ci/check.py (exit status 1 and a list of what is wrong).

1. Every versatune/*.py is just what its notebook exports, and no module is left over from a notebook that is gone.
2. The notebooks are clean (nbdev_clean would change nothing) and under 300 KB.
3. No notebook holds a path of somebody's machine.
"""
import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MACHINE_PATH = re.compile(r"(?<![\w.])(/home/\w|/root/|/Users/\w|/work/|/tmp/\w|[A-Z]:\\\\)|site-packages/")


def _notebooks(root):
    return sorted(p for p in (root / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def _exported_afresh():
    """A copy of the project whose modules were exported anew and whose notebooks were cleaned."""
    copy = Path(tempfile.mkdtemp()) / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "runs", "*.egg-info", "__pycache__", ".ipynb_checkpoints"))
    for module in copy.glob("versatune/*.py"):
        module.unlink()
    for tool in ("nbdev_export", "nbdev_clean"):
        subprocess.run([str(Path(sys.executable).parent / tool)], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    return copy


def problems():
    copy = _exported_afresh()
    here, fresh = ({p.name: p.read_text(encoding="utf-8") for p in root.glob("versatune/*.py")} for root in (ROOT, copy))
    for name in sorted(here.keys() | fresh.keys()):
        if here.get(name) != fresh.get(name):
            diff = "\n".join(list(difflib.unified_diff(fresh.get(name, "").split("\n"), here.get(name, "").split("\n"), "notebook", "module", lineterm=""))[:12])
            yield f"versatune/{name} is not what the notebooks export (run nbdev_export):\n{diff}"
    for path in _notebooks(ROOT):
        name, text = path.relative_to(ROOT), path.read_text(encoding="utf-8")
        if text != (copy / name).read_text(encoding="utf-8"):
            yield f"{name} is not clean (run nbdev_clean)"
        if len(text) > 300_000:
            yield f"{name} has {len(text) // 1000} KB; keep it under 300"
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            plain = json.dumps([cell["source"], [{k: v for k, v in o.items() if k != "data"} | {k: v for k, v in o.get("data", {}).items() if not k.startswith("image/")} for o in cell.get("outputs", [])]])
            if found := MACHINE_PATH.search(plain):
                yield f"{name}, cell {number} holds a path of a machine: {plain[max(0, found.start() - 30):found.end() + 30]}"
    shutil.rmtree(copy.parent, ignore_errors=True)


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) or "notebooks and modules agree")
    sys.exit(bool(found))
