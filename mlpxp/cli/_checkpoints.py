"""What the command line says of checkpoints: whether there is a run to go on with, that one can't be written, where the last one is."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpxp.cli._wording import number, one_line, seconds
from mlpxp.errors import CheckpointWarning, OutputError

if TYPE_CHECKING:
    from mlpxp.files.checkpoint_file import Checkpoint
    from mlpxp.runs.history import TrainingResult

__all__ = ["check_checkpoint", "checkpoint_told", "facts_of", "how_to_go_on", "what_is_left"]


def check_checkpoint(path: str | None, *, resume: bool, written: Sequence[str | None] = ()) -> bool:
    """Find out whether there is a run to go on with.

    Raises
    ------
    OutputError
        There is one, and nobody wants to go on with it; or the file is another one, or one that is ``written`` takes the place of the
        checkpoint before.
    """
    from mlpxp.files.disk import previous_of
    from mlpxp.training.checkpoints import holds_run

    if path is None:
        return False
    before = os.path.realpath(previous_of(path))
    for one in written:
        if one is not None and os.path.realpath(one) == before:
            raise OutputError(f"{one} is where the checkpoint before {path} is kept: name another file")
    there = [str(one) for one in (path, previous_of(path)) if Path(one).exists()]
    if there and not resume and not holds_run(there[0]):
        raise OutputError(f"{there[0]} is there already and holds no run that can be read: name another file for --checkpoint")
    if there and not resume:
        raise OutputError(f"{there[0]} holds a run: --resume goes on with it; to begin anew remove {' and '.join(there)}")
    return bool(there)


@contextlib.contextmanager
def checkpoint_told(path: str | None) -> Iterator[None]:
    """Say in one line what becomes of checkpoints: that one can't be written; where the last is, after Ctrl-C, whenever it comes."""
    show = warnings.showwarning

    def tell(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, CheckpointWarning):
            print(f"mlpxp: warning: {one_line(str(message))}", file=sys.stderr)
        else:
            show(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", CheckpointWarning)
        warnings.showwarning = tell
        try:
            yield
        except KeyboardInterrupt:
            if path is not None and Path(path).exists():
                print(f"mlpxp: interrupted; {how_to_go_on(path)}", file=sys.stderr)
            raise


def how_to_go_on(path: str) -> str:
    """What to do about a run that isn't over."""
    return f"{path} holds the run: the same command with --resume goes on"


def what_is_left(path: str | None, result: TrainingResult) -> str | None:
    """Where the checkpoint of a run is, and how to go on if it isn't over."""
    return path if path is None or result.stop not in {"interrupted", "time is up"} else how_to_go_on(path)


def facts_of(stands: Checkpoint) -> dict[str, str | None]:
    """Where a run stands, by name."""
    run, history = stands.run, stands.history
    stops = [stop for stop in stands.stops if stop is not None]
    return {
        "run": _listed([f"{name} {run[name]}" for name in ("network", "optimizer", "batch_size", "seed") if name in run]),
        "examples": _listed([f"{name} {run[name]}" for name in ("X of shape", "Y of shape", "dtype") if name in run]),
        "cost": _last(history.cost),
        "validation score": _last(history.validation_score),
        "best epoch": _listed([str(epoch) for epoch in stands.best_epoch if epoch]),
        "trained": seconds(stands.seconds),
        "stopped": _listed(stops) if len(stops) == len(stands.stops) else None,
        "written": " by ".join((stands.created, *(f"{name} {one}" for name, one in stands.versions.items() if name == "mlpxp"))),
        "to go on": "the command that began it, with --resume; in Python train(..., resume=True)",
    }


def _last(column: Sequence[Any]) -> str | None:
    """The last entry of a history, one number or one for each member of a stack."""
    last = column[-1] if column else ()
    return _listed([number(one) for one in (last if isinstance(last, tuple) else (last,))])


def _listed(texts: Sequence[str], limit: int = 10) -> str | None:
    more = f", ... ({len(texts) - limit:,} more)" if len(texts) > limit else ""
    return f"{', '.join(texts[:limit])}{more}" or None
