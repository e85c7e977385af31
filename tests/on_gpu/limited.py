"""Children that are given a time: what hangs or takes too long is ended, and what it had written by then is there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
GRACE = 5.0  # seconds between asking to end and ending


def python(*arguments):
    """Return the command of a child: this Python, with the checkout as its path."""
    return [sys.executable, "-m", *map(str, arguments)]


def run(commands, seconds, *, environment=None):
    """Run commands at once; those that are not done in time are interrupted, and killed if they don't listen.

    Returns
    -------
    list of int or None
        The exit code of each; ``None`` where its time ran out.
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    around = os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | (environment or {})
    until = time.monotonic() + seconds
    children = [subprocess.Popen(command, cwd=ROOT, env=around, start_new_session=True) for command in commands]
    try:
        codes = [_wait(child, until - time.monotonic()) for child in children]
    finally:
        for sign, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, None)):
            left = [child for child in children if child.poll() is None]
            for child in left:
                os.killpg(child.pid, sign)
            for child in left:
                _wait(child, patience)
    return codes


def _wait(child, seconds):
    try:
        return child.wait(None if seconds is None else max(seconds, 0.0))
    except subprocess.TimeoutExpired:
        return None
