"""The command line: ``train``, ``predict``, ``evaluate``, ``show``, ``backends``, the lesson's five, and ``bench``.

::

    _app.py           the program, and what its commands have in common
    _train.py, _use.py, _exporting.py, _bench.py
                      the commands on tables and model files, and ``mlpxp bench``
    _separate.py, _xor.py, _explain.py, _approximate.py, _lesson.py
                      one command of the lesson's each
    _arguments.py     the arguments that several have
    _running.py       what happens around a command: errors in one line, exit codes, Ctrl-C, broken pipes; none below knows typer
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
