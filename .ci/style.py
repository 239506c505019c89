"""How the pages read: python .ci/style.py prints a table, beside fastcore's.

Measured on notebooks: how wide lines and cells are, how many exported cells follow each other
without one that runs, and how many of the other cells show something. Measured on modules: how long
and how wide they are. The limits below are checked by .ci/check.py, which names notebook and cell.
"""

import json
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 100  # characters of a line
CELL_LINES = 25  # lines of a cell that are not blank
NOT_RUN_HERE = ("make", "gpu")  # folders whose notebooks need what a checkout has not
EXPORTS = 3  # exported cells in a row
SHOWN = 0.6  # of the cells that export nothing, those with an output
MODULE_LINES = 400
# fastcore 1.12, measured the same way; wide cells hold a line of over 128 characters
FASTCORE = dict(p95=95, wide=0.03, shown=0.39, run=9)


def notebooks(root=ROOT):
    found = (root / "nbs").rglob("*.ipynb")
    return sorted(p for p in found if ".ipynb_checkpoints" not in p.parts)


def modules(root=ROOT):
    return sorted(p for p in (root / "versatune").rglob("*.py") if not p.name.startswith("_"))


def code_cells(path):
    "(number, lines that are not blank, exported, shows something) of each code cell of a notebook."
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
        lines = [line for line in "".join(cell["source"]).split("\n") if line.strip()]
        if cell["cell_type"] == "code" and lines and not lines[0].startswith("#| default_exp"):
            exported = any(re.match(r"#\|\s*export", line) for line in lines)
            yield number, lines, exported, bool(cell["outputs"])


def page(path):
    "The figures of one notebook."
    cells, run, longest = list(code_cells(path)), 0, 0
    for _, _, exported, _ in cells:
        run = run + 1 if exported else 0
        longest = max(longest, run)
    plain = [shown for _, _, exported, shown in cells if not exported]
    return dict(
        cells=len(cells),
        widths=[len(line) for _, lines, _, _ in cells for line in lines],
        wide=sum(any(len(line) > 128 for line in lines) for _, lines, _, _ in cells),
        run=longest,
        plain=len(plain),
        shown=sum(plain),
    )


def problems(root=ROOT):
    "Every place that leaves the limits, one line each."
    for path in notebooks(root):
        name, run, plain = path.relative_to(root), 0, []
        for number, lines, exported, shown in code_cells(path):
            if (widest := max(map(len, lines))) > WIDTH:
                yield f"{name}, cell {number}: a line of {widest} characters; at most {WIDTH}"
            if len(lines) > CELL_LINES:
                yield f"{name}, cell {number}: {len(lines)} lines; at most {CELL_LINES}"
            run = run + 1 if exported else 0
            if run == EXPORTS + 1:
                yield f"{name}, cell {number}: the {run}th exported cell in a row; run something"
            if not exported:
                plain.append(shown)
        if path.parent.name not in NOT_RUN_HERE and sum(plain) < SHOWN * len(plain):
            share = f"{sum(plain)} of {len(plain)}"
            yield f"{name}: {share} cells that export nothing show something; at least {SHOWN:.0%}"
    for path in modules(root):
        lines = path.read_text(encoding="utf-8").splitlines()
        lines = [line for line in lines if not line.startswith("# %%")]  # nbdev's cell marks
        if len(lines) > MODULE_LINES:
            yield f"{path.relative_to(root)}: {len(lines)} lines; at most {MODULE_LINES}"


def p95(values):
    return sorted(values)[int(0.95 * len(values))] if values else 0


def table(root=ROOT):
    "The figures as lines of text: each notebook, all of them, and each module."
    yield f"{'notebook':40} cells  line p95  wide cells  exports in a row  shown"
    pages = {path.relative_to(root / "nbs"): page(path) for path in notebooks(root)}
    total = dict(cells=0, widths=[], wide=0, run=0, plain=0, shown=0)
    row = "{:40} {:5}  {:8}  {:10.1%}  {:16}  {:5.0%}"
    for name, found in pages.items():
        total = {k: max(total[k], v) if k == "run" else total[k] + v for k, v in found.items()}
        shares = found["wide"] / max(found["cells"], 1), found["shown"] / max(found["plain"], 1)
        yield row.format(
            str(name), found["cells"], p95(found["widths"]), shares[0], found["run"], shares[1]
        )
    shares = total["wide"] / total["cells"], total["shown"] / total["plain"]
    yield row.format(
        "all", total["cells"], p95(total["widths"]), shares[0], total["run"], shares[1]
    )
    f = FASTCORE
    yield row.format("fastcore", "", f["p95"], f["wide"], f["run"], f["shown"])
    yield f"\n{'module':40} lines  median  p95"
    for path in modules(root):
        widths = [len(n) for n in path.read_text(encoding="utf-8").splitlines() if n.strip()]
        if widths:
            name = str(path.relative_to(root))
            yield f"{name:40} {len(widths):5}  {statistics.median(widths):6.0f}  {p95(widths):3}"


if __name__ == "__main__":
    print("\n".join(table()))
    sys.exit(0)
