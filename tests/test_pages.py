"""Every page of the reproduction runs as shipped, from the files that are kept beside it."""

import json

import pytest
from notebook_run import ROOT, notebooks, run_all


def said(page):
    "The texts of a page's kept verdicts: claims, measured values, answers."
    kept = ROOT / page.parent / "results" / "verdicts" / f"{page.stem}.json"
    rows = json.loads(kept.read_text("utf-8")) if kept.exists() else []
    texts = []
    for row in rows:
        for part in (row, *row["answers"]):
            texts += [value for value in part.values() if isinstance(value, str)]
    return texts


@pytest.mark.parametrize("notebook", notebooks("nbs/repro"), ids=str)
def test_page_runs(notebook, tmp_path):
    kept = said(notebook)
    run_all(notebook, tmp_path)
    assert said(notebook) == kept
