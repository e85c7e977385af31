"""A progress bar over the epochs of a training: rich's, on a terminal and in a notebook."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.scalars import flag
from mlpxp.errors import MissingLibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpxp.runs.history import Epoch, PerMember

__all__ = ["bar"]


def bar(*, shown: object) -> AbstractContextManager[list[Callable[[Epoch], None]]]:
    """Return what shows a bar on stderr while a block runs, if it is to be shown, and gives the callbacks that move it.

    Raises
    ------
    RangeError
        ``shown`` is neither true nor false.
    MissingLibraryError
        rich is not installed.
    """
    if not flag("progress", shown):
        return nullcontext([])
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError as error:
        raise MissingLibraryError("progress=True needs rich, which can't be imported: pip install 'mlpxp[sklearn]'") from error
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
    return _moved(Progress(*columns, console=Console(stderr=True), transient=True))


@contextmanager
def _moved(progress: Any) -> Iterator[list[Callable[[Epoch], None]]]:
    with progress:
        task = progress.add_task("", total=None)

        def advance(epoch: Epoch) -> None:
            told = f"cost {_mean(epoch.cost):.6g}"
            if epoch.validation_cost is not None:
                told += f", validation {_mean(epoch.validation_cost):.6g}"
            progress.update(task, total=epoch.last, completed=epoch.number, description=told)

        yield [advance]


def _mean(cost: PerMember) -> float:
    return sum(cost) / len(cost) if isinstance(cost, tuple) else cost
