"""Run notebooks and keep their outputs: python .ci/refresh.py nbs/01_domains.ipynb ...

A notebook is written only when every cell ran. Progress bars and warnings (stderr) are not kept:
they differ from run to run. Without names, every lesson and page of nbs/repro is run; studies,
make and gpu take their own time and are named.
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
WIDGET = "application/vnd.jupyter.widget-view+json"  # progress bars, where ipywidgets is installed
COLORS = 256  # with fewer, two lines of one plot may become one colour


def small_png(encoded):
    """The figure with a palette of its own: a third of the bytes."""
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def tidy(cell):
    """Drop stderr and widgets (bars), write temporary folders as TMP, make figures small."""
    kept = [o for o in cell.outputs if o.get("name") != "stderr"]
    cell.outputs = [o for o in kept if WIDGET not in o.get("data", {})]
    for output in cell.outputs:
        if "text" in output:
            folder = re.escape(tempfile.gettempdir()) + r"/\w+"
            output.text = re.sub(folder, "TMP", output.text)
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = small_png(output.data["image/png"])


def refresh(path):
    notebook = nbformat.read(path, 4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=None, kernel_name="python3", resources=where).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tidy(cell)
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)
    nbdev_clean(str(path))


def pages():
    """Every lesson and every page of the reproduction."""
    return sorted([*(ROOT / "nbs").glob("*.ipynb"), *(ROOT / "nbs" / "repro").glob("*.ipynb")])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    for name in args.notebooks or pages():
        print(name, flush=True)
        refresh(name.resolve())
