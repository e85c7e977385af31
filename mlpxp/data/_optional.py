"""Libraries that only the data edge needs, imported at the moment they are needed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlpxp.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["datasets_for", "needed_for", "polars_for"]


@contextmanager
def needed_for(purpose: str, library: str) -> Iterator[None]:
    """Say in one line what a library was wanted for and how to get it, where the block can't import it.

    Raises
    ------
    DataError
        The library is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise DataError(f"{purpose} needs {library}, which can't be imported ({error}): pip install 'mlpxp[cli]'") from error


def polars_for(purpose: str) -> Any:
    """Return polars."""
    with needed_for(purpose, "polars"):
        import polars
    return polars


def datasets_for(purpose: str) -> Any:
    """Return scikit-learn's data sets."""
    with needed_for(purpose, "scikit-learn"):
        import sklearn.datasets
    return sklearn.datasets
