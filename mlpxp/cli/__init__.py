"""The command line: ``train``, ``predict``, ``evaluate``, ``show``, ``backends``, the lesson's five, and ``bench``.

::

    _app.py           the commands and their options
    _bench.py         those of ``mlpxp bench``
    _separate.py, _xor.py, _explain.py, _approximate.py, _lesson.py
                  one command each; no module but these seven knows typer
    _running.py       what happens around a command: errors in one line, exit codes, Ctrl-C, broken pipes
    _options.py       what was asked for, checked before anything is read
    _fitting.py       table -> preparation -> network -> training -> record; prints nothing
    _serving.py       a model file and raw data -> predictions and scores; prints nothing
    _report.py        tables for people
    _checkpoints.py   what is said of checkpoints
    _progress.py      the progress bars
    _wording.py       numbers and labels as text
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the program on ``sys.argv`` and leave with its exit code.

    0 is success, 2 bad input (one line on stderr says what), 130 an interruption by Ctrl-C.
    """
    try:
        from mlpxp.cli._app import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mlpxp"):
            raise
        print(f"mlpxp: error: the command line needs {error.name}, which is not installed: pip install 'mlpxp[cli]'", file=sys.stderr)
        sys.exit(2)
    app(prog_name="mlpxp")
