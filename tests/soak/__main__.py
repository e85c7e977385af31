"""All the long versions, one after the other, and their rows as one table: what ``make soak`` runs."""

import subprocess
import sys
import time
from pathlib import Path

MOST = 15 * 60.0  # seconds, all together
FOLDER = Path(__file__).parent


def main():
    """Run every module here that has a main, each with an equal share of the time that is left."""
    names = [path.stem for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("_") and "\ndef main(" in path.read_text("utf-8")]
    rows, failed, end = [], [], time.monotonic() + MOST
    for number, name in enumerate(names):
        share = (end - time.monotonic()) / (len(names) - number)
        command = [sys.executable, "-m", f"tests.soak.{name}", "--seconds", f"{share - 10:.0f}"]
        print(" ".join(["python", *command[1:]]), flush=True)
        try:
            run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=share)
        except subprocess.TimeoutExpired:
            failed.append(f"{name} took more than {share:.0f} s")
            continue
        lines = run.stdout.splitlines()
        if run.returncode:
            failed.append(f"{name} ended with {run.returncode}")
        rows += [line for line in lines[-1:] if line.startswith("|")]
    print("\n| what | how much | time |\n|---|---|---|", *rows, sep="\n")
    if failed:
        sys.exit(f"failed: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
