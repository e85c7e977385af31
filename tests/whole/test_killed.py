"""A kill at any moment leaves a file that loads and a run that goes on; ``tests/soak/kill.py`` does it 200 times."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILL = Path(__file__).parents[1] / "soak" / "kill.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_killed_runs_and_savers_leave_the_old_or_the_new_file():
    arguments = ["--runs", "6", "--saves", "6", "--seed", str(os.getpid())]
    done = subprocess.run([sys.executable, str(KILL), *arguments], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same bits 6" in done.stdout
    assert "old or new 6" in done.stdout
