"""Run notebooks from top to bottom and keep their outputs: python .ci/refresh.py nbs/00_domains.ipynb ...

Cells marked `#| gpu` (without a GPU) or `#| slow` (unless --slow) are left as they are, their kept outputs too. A notebook is
written only when every cell ran. Progress bars and warnings (stderr) are not kept: they differ from run to run.
"""
import argparse
import base64
import io
import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbdev.clean import nbdev_clean
from PIL import Image

ROOT = Path(__file__).parents[1]


def _skips(slow):
    import torch
    return {flag for flag, run in (("slow", slow), ("gpu", torch.cuda.is_available())) if not run}


def _small_png(encoded):
    """A figure with 128 colours looks the same and takes a third of the space."""
    image, out = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _tidy(cell):
    """Drop stderr, write temporary folders as TMP, and make figures small."""
    cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    for o in cell.outputs:
        if "text" in o:
            o.text = re.sub(re.escape(tempfile.gettempdir()) + r"/\w+", "TMP", o.text)
        if "image/png" in o.get("data", {}):
            o.data["image/png"] = _small_png(o.data["image/png"])


def refresh(path, skips):
    nb = nbformat.read(path, 4)
    code = [c for c in nb.cells if c.cell_type == "code"]
    kept = {}
    for c in code:
        flags = set(re.findall(r"^#\|\s*(\w+)", c.source, re.M))
        if flags & skips:
            kept[c.id], c.source = (c.source, c.outputs), ""
    NotebookClient(nb, timeout=None if "slow" not in skips else 1800, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    for c in code:
        if c.id in kept:
            c.source, c.outputs = kept[c.id]
        else:
            _tidy(c)
    nbformat.write(nb, path)
    nbdev_clean(str(path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--slow", action="store_true", help="also run the cells marked `#| slow`")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    notebooks = args.notebooks or sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if not p.name.startswith("_") and ".ipynb_checkpoints" not in p.parts)
    for nb in notebooks:
        print(nb, flush=True)
        refresh(nb.resolve(), _skips(args.slow))
