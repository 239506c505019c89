"""Every lesson runs as shipped."""

import pytest
from notebook_run import notebooks, run_all


@pytest.mark.parametrize("notebook", notebooks("nbs"), ids=str)
def test_lesson_runs(notebook, tmp_path):
    run_all(notebook, tmp_path)
