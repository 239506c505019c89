"""The README's Python blocks are run as they stand, on the lab's small model."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from versatune.lab import lab_model

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


def test_there_are_blocks():
    assert len(BLOCKS) >= 2
    assert len(BLOCKS[0].strip().splitlines()) <= 10


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block, tmp_path):
    assert '"smollm2-135m"' in block
    code = block.replace('"smollm2-135m"', repr(str(lab_model())))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-4000:]
