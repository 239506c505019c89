"""Every page of the reproduction runs as shipped, from the files that are kept beside it."""

import pytest
from notebook_run import notebooks, run_all


@pytest.mark.parametrize("notebook", notebooks("nbs/repro"), ids=str)
def test_page_runs(notebook, tmp_path):
    run_all(notebook, tmp_path)
