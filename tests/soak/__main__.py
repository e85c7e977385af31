"""All the long versions, one after the other, and their rows as one table: what ``make soak`` runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MOST = 15 * 60.0  # seconds, all together
FOLDER = Path(__file__).parent


def main():
    """Run every module here that has a main, each with an equal share of the time that is left."""
    sources = {
        path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"), reverse=True) if not path.stem.startswith("_")
    }
    # runs and fuzz, which need the most time, come last and get what the others leave
    names = sorted((name for name, source in sources.items() if "\ndef main(" in source), key=["runs", "fuzz"].__contains__)
    rows, failed, end = [], [], time.monotonic() + MOST
    for number, name in enumerate(names):
        share = (end - time.monotonic()) / (len(names) - number)
        bound = ["--seconds", f"{0.8 * share:.0f}"] if '"--seconds"' in sources[name] else []
        command = [sys.executable, "-m", f"tests.soak.{name}", *bound]
        print(" ".join(["python", *command[1:]]), flush=True)
        try:
            code, out = _run(command, share)
        except subprocess.TimeoutExpired:
            failed.append(f"{name} took more than {share:.0f} s")
            continue
        if code:
            failed.append(f"{name} ended with {code}")
        table = [line for line in out.splitlines() if line.startswith("|")]
        rows += table[2:] if table[1:2] and table[1].startswith("|---") else table  # without a head of its own
    print("\n| what | times | outcomes | seconds |\n|---|---|---|---|", *rows, sep="\n")
    if failed:
        sys.exit(f"failed: {'; '.join(failed)}")


def _run(command, seconds):
    """Run a command for so long at most, in a group of its own: what it has begun ends with it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            out, _ = process.communicate(timeout=seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out


if __name__ == "__main__":
    main()
