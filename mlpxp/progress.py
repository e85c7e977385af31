"""A progress bar over the epochs of a fit: rich's, on a terminal and in a notebook."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpxp.errors import MissingLibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpxp.history import Epoch

__all__ = ["bar"]


@contextmanager
def bar(epochs: int, *, shown: bool) -> Iterator[list[Callable[[Epoch], None]]]:
    """Show a bar while the block runs, if it is to be shown, and give the callbacks that move it.

    Raises
    ------
    MissingLibraryError
        rich is not installed.
    """
    if not shown:
        yield []
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError as error:
        raise MissingLibraryError("progress=True needs rich, which can't be imported: pip install 'mlpxp[sklearn]'") from error
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=epochs)

        def advance(epoch: Epoch) -> None:
            loss = sum(epoch.cost) / len(epoch.cost) if isinstance(epoch.cost, tuple) else epoch.cost
            progress.update(task, completed=epoch.number, description=f"loss {loss:.6g}")

        yield [advance]
