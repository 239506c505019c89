"""Both pages for GPUs run whole on a CPU, with parameters put in as papermill does it."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "nbs" / "gpu"


def run_with(name, **parameters):
    """The notebook after a run with these values set behind its cell of parameters."""
    notebook = nbformat.read(FOLDER / name, 4)
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    place = tags.index(["parameters"]) + 1
    lines = [f"{parameter} = {value!r}" for parameter, value in parameters.items()]
    notebook.cells.insert(place, nbformat.v4.new_code_cell("\n".join(lines)))
    where = dict(metadata=dict(path=str(FOLDER)))
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where).execute()
    return notebook


def text_of(notebook):
    """All that the cells of a notebook show as text."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(shown)


def test_one_gpu():
    sizes = dict(rounds=1, rows_per_round=12, gradient_accumulation=1, batch_size=4)
    sizes |= dict(max_length=128, token_budget=1024, heldout_rows=1)
    few = dict(TEXTS=16, TEXT_TOKENS=8, PROBED=1, PROXY_PACKS=2, QUESTIONS=1)
    notebook = run_with("one_gpu.ipynb", MODEL="random-tiny", SIZES=sizes, **few)
    shown = text_of(notebook)
    assert "12 rows" in shown and "3 steps" in shown  # what was put in
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def test_several_gpus():
    notebook = run_with("many_gpus.ipynb", MODEL="random-tiny", PROCESSES=2, BATCH=8)
    shown = text_of(notebook)
    assert "FullyShardedDataParallel" in shown and "False" not in shown
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
