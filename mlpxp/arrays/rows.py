"""Examples that stay where they are, and are read a batch at a time: a memory-mapped array, a sparse matrix, a file's data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.errors import DataError, DtypeError, MlpxpError, RangeError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Rows", "in_order", "integer_for", "row_numbers"]

_CHUNK = 1 << 17  # numbers that are read at once where the order is free: 1 MiB in float64


class Rows:
    """X of :func:`mlpxp.train` as rows on the host, one example a row, of which a batch at a time is read, made dense, and moved.

    Parameters
    ----------
    values : array-like, shape (m, n_0)
        Whatever has a shape and a dtype, and reads rows by their numbers: ``numpy.memmap``, SciPy's ``csr_array``, an HDF5 data set. Of
        what is no ndarray and no sparse matrix only rows in rising order are asked for, each once, or a slice.
    index : array of int, optional
        The rows that count, counted from 0, in their order and as often as they are there; all by default.

    Attributes
    ----------
    shape : (int, int)
        (n_0, m): as :func:`mlpxp.train` counts, one example a column.

    Raises
    ------
    ShapeError, DtypeError, RangeError
        ``values`` is no matrix or has no dtype, or ``index`` holds something else than numbers of its rows.
    DataError
        Its first row can't be read, or has masked numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Rows
    >>> rows = Rows(np.arange(6.0).reshape(3, 2))
    >>> rows.shape
    (2, 3)
    >>> rows.take(np.asarray([2, 0]))
    array([[4., 5.],
           [0., 1.]])
    """

    def __init__(self, values: Any, index: Any = None) -> None:
        shape = tuple(getattr(values, "shape", ()))
        if len(shape) != 2:
            raise ShapeError(f"rows must be a matrix of shape (m, n_0), got {shape or type(values).__name__}")
        if not hasattr(values, "dtype"):
            raise DtypeError(f"rows must have a dtype, as arrays do, got {type(values).__name__}: convert a table with to_numpy()")
        self.values = values.tocsr() if hasattr(values, "tocsr") else values
        self.index = None if index is None else row_numbers("index", index, int(shape[0]))
        self.shape = (int(shape[1]), int(shape[0] if self.index is None else len(self.index)))
        try:
            Rows.take(self, np.arange(min(1, self.shape[1])))
        except MlpxpError:
            raise
        except Exception as error:  # any library's own
            reason = " ".join(str(error).split())
            raise DataError(f"rows must be readable by their numbers, {type(values).__name__} answers: {reason}") from error

    def take(self, rows: Any) -> Any:
        """Return these rows, an ndarray of their numbers or a slice, as a dense ndarray.

        Raises
        ------
        DataError
            Some of their numbers are masked.
        """
        rows = rows if self.index is None else self.index[rows]
        by_number = isinstance(self.values, np.ndarray) or hasattr(self.values, "tocsr")
        taken: Any = self.values[rows] if by_number else self._read(rows)
        if np.ma.is_masked(taken):
            raise DataError("rows must have no masked numbers: fill them, or leave their examples out by an index")
        return taken.toarray() if hasattr(taken, "toarray") else np.asarray(taken)

    def _read(self, rows: Any) -> Any:
        """Return rows of what reads them in rising order only, and each once."""
        rows = np.arange(self.shape[1])[rows] if isinstance(rows, slice) else rows
        if not len(rows):
            return np.asarray(self.values[0:0])
        rising, places = np.unique(rows, return_inverse=True)
        first, end = int(rising[0]), int(rising[-1]) + 1
        read = np.asanyarray(self.values[first:end] if end - first == len(rising) else self.values[rising])
        return read if np.array_equal(rising, rows) else read[places]

    def chunks(self) -> Iterator[Any]:
        """Yield the row numbers in order, as many at a time as make about a megabyte."""
        n_0, m = self.shape
        size = max(1, _CHUNK // max(n_0, 1))
        for first in range(0, m, size):
            yield np.arange(first, min(first + size, m))

    def check(self, name: str, dtype: str = "float64") -> None:
        """Read all of it once, about a megabyte at a time, and refuse what can't be learnt from in a dtype.

        Raises
        ------
        DtypeError
            It doesn't hold numbers.
        DataError
            NaN or infinity, or a number that is infinite in ``dtype``; the message names the first place.
        """
        for rows in self.chunks():
            values = self.take(rows)
            if values.dtype.kind not in "fiub":
                raise DtypeError(f"{name} must hold numbers, got {values.dtype}")
            with np.errstate(over="ignore"):
                good = np.isfinite(values.astype(dtype, copy=False))
            if not good.all():
                example, row = (int(position[0]) for position in (~good).nonzero())
                got = values[example, row]
                why = f", which is too large for {dtype}" if np.isfinite(got) else ""
                raise DataError(f"{name} must be finite, got {got} in row {row} of example {int(rows[0]) + example}{why}")


def row_numbers(name: str, values: Any, m: int, *, length: int | None = None) -> np.ndarray:
    """Return the numbers of rows as an ndarray of int, those of any array library too.

    Raises
    ------
    ShapeError
        They are not one after the other, or not ``length``.
    DtypeError
        They are no whole numbers.
    RangeError
        One is no row: they are counted from 0, and none from the end.
    """
    try:
        numbers = values if type(values) is np.ndarray else get_backend("numpy").asarray(values)
    except DataError:
        numbers = np.asarray(None)
    if numbers.ndim != 1 or (length is not None and len(numbers) != length):
        wanted = "one after the other" if length is None else f"({length},), one for each example"
        raise ShapeError(f"{name} must hold numbers of rows, {wanted}, got shape {numbers.shape}")
    if numbers.dtype.kind not in "iu" and numbers.size:
        raise DtypeError(f"{name} must hold whole numbers, the numbers of rows, got {numbers.dtype}")
    if numbers.size and not 0 <= np.minimum.reduce(numbers) <= np.maximum.reduce(numbers) < m:
        at = int(np.argmax((numbers < 0) | (numbers >= m)))
        raise RangeError(f"{name} must hold numbers of rows from 0 to {m - 1}, got {numbers[at]} in place {at}")
    return numbers


def integer_for(m: int) -> type[np.integer[Any]]:
    """Return the dtype of numbers of m examples: int32 where that is enough, half as much to move to a device."""
    return np.int32 if m < 2**31 else np.int64


def in_order(m: int, size: int) -> list[np.ndarray]:
    """Return the rows 0..m-1 in batches, as one array of whole batches and one of what is left, where there is any."""
    rows = np.arange(m, dtype=integer_for(m))
    whole = m // size * size
    return [part for part in (rows[:whole].reshape(-1, size), rows[None, whole:]) if part.size]
