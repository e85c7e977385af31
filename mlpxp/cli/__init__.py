"""The command line: ``train``, ``predict``, ``evaluate``, ``show``, ``backends``, the lesson's five, and ``bench``.

::

    app.py        the commands and their options
    bench.py      those of ``mlpxp bench``
    separate.py, xor.py, explain.py, approximate.py, lesson.py
                  one command each; no module but these seven knows typer
    running.py    what happens around a command: errors in one line, exit codes, Ctrl-C, broken pipes
    options.py    what was asked for, checked before anything is read
    fitting.py    table -> preparation -> network -> training -> record; prints nothing
    serving.py    a model file and raw data -> predictions and scores; prints nothing
    report.py     tables for people
    checkpoints.py  what is said of checkpoints
    progress.py   the progress bars
    wording.py    numbers and labels as text
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the program on ``sys.argv`` and leave with its exit code.

    0 is success, 2 bad input (one line on stderr says what), 130 an interruption by Ctrl-C.
    """
    try:
        from mlpxp.cli.app import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mlpxp"):
            raise
        print(f"mlpxp: error: the command line needs {error.name}, which is not installed: pip install 'mlpxp[cli]'", file=sys.stderr)
        sys.exit(2)
    app(prog_name="mlpxp")
