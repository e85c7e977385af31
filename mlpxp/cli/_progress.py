"""The progress bars: on a terminal, and nowhere else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlpxp.cli._wording import number, printable, seconds, share

if TYPE_CHECKING:
    from rich.progress import Progress

    from mlpxp.runs.history import Epoch

__all__ = ["busy", "is_watched", "measuring", "progress"]

LEAST_SECONDS = 0.1  # between two updates
NARROW = 76  # no bar below this
WORDS = 66  # the columns beside the bar, and the ^C that a terminal writes after it


def is_watched() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


@contextlib.contextmanager
def busy() -> Iterator[Callable[[str], None]]:
    """Say on a terminal what the block is at, and give the function to say it with."""
    from rich.console import Console

    if not is_watched():
        yield lambda _: None
        return
    with Console(stderr=True, highlight=False, markup=False).status("") as status:
        yield status.update


@contextlib.contextmanager
def progress(epochs: int, metric: str) -> Iterator[Callable[[Epoch], None]]:
    """Show a bar while the block runs, and give a callback that moves it.

    Parameters
    ----------
    epochs : int
        How many there may be.
    metric : {"accuracy", "r2"}
        What the validation score is.
    """
    with _bar() as (bar, brief):
        task = bar.add_task(f"epoch 0/{epochs:,}", total=epochs)
        shown = 0.0

        def advance(epoch: Epoch) -> None:
            nonlocal shown
            if epoch.seconds - shown < LEAST_SECONDS and epoch.number < epoch.last:
                return
            shown = epoch.seconds
            bar.update(task, completed=epoch.number, description=_told(epoch, metric, brief=brief))

        yield advance


@contextlib.contextmanager
def measuring() -> Iterator[Callable[[str, float], None]]:
    """Show a bar on a terminal while the block runs, and give the function that says what is being done and which share is done."""
    if not is_watched():
        yield lambda _text, _share: None
        return
    with _bar() as (bar, _):
        task = bar.add_task("", total=1.0)
        yield lambda text, share: bar.update(task, completed=share, description=printable(text))


@contextlib.contextmanager
def _bar() -> Iterator[tuple[Progress, bool]]:
    """A bar on stderr that leaves nothing behind, and whether the terminal is so narrow that there are only words."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True, highlight=False)
    brief = console.width < NARROW
    words = TextColumn("{task.description}", markup=False)
    columns = (words,) if brief else (BarColumn(bar_width=min(30, console.width - WORDS)), words)
    with Progress(*columns, console=console, transient=True) as bar:
        yield bar, brief


def _told(epoch: Epoch, metric: str, *, brief: bool) -> str:
    left = epoch.seconds / epoch.number * (epoch.last - epoch.number)
    score = "" if epoch.validation_score is None else share(epoch.validation_score, metric)
    if brief:
        return "  ".join(part for part in (f"epoch {epoch.number}", score, f"{seconds(left)} left") if part)
    parts = [f"epoch {epoch.number:,}/{epoch.last:,}", f"cost {number(epoch.cost)}", f"{seconds(left)} left"]
    if score:
        parts.insert(2, f"{'R2' if metric == 'r2' else metric} {score}")
    return "  ".join(parts)
