"""What a file may hold, as a table: how a value of each kind is written and read. A layer above passes a longer table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.placing import Place
from mlpxp.errors import FileFormatError, RangeError
from mlpxp.files.schema import Contents, Reader, opened, shortened, write_file

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["Kind", "kind_of", "load_as", "save_as"]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Parameters
    ----------
    what : str
        A value of this kind in words, for messages.
    holds : callable
        Whether a value is of this kind; ``None`` where there is nothing to save by hand.
    contents : callable
        What is written of it.
    read : callable
        The value from an opened file, put in its place.
    """

    what: str
    holds: Callable[[object], bool] | None
    contents: Callable[[Any], Contents]
    read: Callable[[Reader, Place], Any]


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return what a file says it holds.

    Raises
    ------
    DataError, FileFormatError
    """
    with opened(path) as reader:
        return reader.kind


def save_as(kinds: Mapping[str, Kind], path: str | os.PathLike[str], value: object) -> None:
    """Write a value as a file of the first of these kinds that it is of."""
    for name, kind in kinds.items():
        if kind.holds is not None and kind.holds(value):
            write_file(path, name, kind.contents(value))
            return
    *others, last = (kind.what for kind in kinds.values() if kind.holds is not None)
    wanted = f"{', '.join(others)} or {last}" if others else last
    raise RangeError(f"what is saved must be {wanted}, got {type(value).__name__}")


def load_as(
    kinds: Mapping[str, Kind],
    path: str | os.PathLike[str],
    *,
    backend: str | Backend = "auto",
    device: Any = None,
    dtype: str | None = None,
) -> Any:
    """Read the value in a file of one of these kinds."""
    place = Place(get_backend(backend), device, dtype)
    with opened(path) as reader:
        if reader.kind not in kinds:
            known = ", ".join(kinds)
            raise FileFormatError(f"{reader.path} holds a {shortened(reader.kind)}, this reads {known}: a newer mlpxp may be needed")
        return kinds[reader.kind].read(reader, place)
