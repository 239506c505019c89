"""What the plan says of SmolLM2 is what its training then takes, within a fifth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "plan.py"


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_memory_and_tokens():
    case = ["--case", "nf4", "--alone", "--rows", "8", "--rounds", "1", "--probe", "0"]
    done = subprocess.run([sys.executable, SCRIPT, *case], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    planned, measured = result["planned"], result["measured"]
    assert planned["steps"] == 1
    assert sum(row["taught"] for row in planned["rounds"]) == measured["taught"]
    assert 0.8 < planned["bytes"] / measured["bytes"] < 1.2
