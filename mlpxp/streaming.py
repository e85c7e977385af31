"""Examples that stay where they are, and are read a batch at a time: a memory-mapped array, a sparse matrix, a file's data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.errors import DataError, DtypeError, MlpxpError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Rows"]

_CHUNK = 1 << 17  # numbers that are read at once where the order is free: 1 MiB in float64


class Rows:
    """X of :func:`mlpxp.train` as rows on the host, one example a row, of which a batch at a time is read, made dense, and moved.

    Parameters
    ----------
    values : array-like, shape (m, n_0)
        Whatever has a shape and a dtype, and takes an array of row numbers: ``numpy.memmap``, SciPy's ``csr_array``, an HDF5 data set.
    index : ndarray of int, optional
        The rows that count, in their order; all by default.

    Attributes
    ----------
    shape : (int, int)
        (n_0, m): as :func:`mlpxp.train` counts, one example a column.

    Raises
    ------
    ShapeError
        ``values`` is no matrix.
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
        self.values = values
        self.index = index
        self.shape = (int(shape[1]), int(shape[0] if index is None else len(index)))
        try:
            Rows.take(self, np.arange(min(1, self.shape[1])))
        except MlpxpError:
            raise
        except Exception as error:  # any library's own
            reason = " ".join(str(error).split())
            raise DataError(f"rows must be readable by their numbers, {type(values).__name__} answers: {reason}") from error

    def take(self, rows: Any) -> Any:
        """Return these rows as a dense ndarray.

        Raises
        ------
        DataError
            Some of their numbers are masked.
        """
        rows = rows if self.index is None else self.index[rows]
        taken = self.values[rows]
        if np.ma.is_masked(taken):
            raise DataError("rows must have no masked numbers: fill them, or leave their examples out by an index")
        return taken.toarray() if hasattr(taken, "toarray") else np.asarray(taken)

    def chunks(self) -> Iterator[Any]:
        """Yield the row numbers in order, as many at a time as make about a megabyte."""
        n_0, m = self.shape
        size = max(1, _CHUNK // max(n_0, 1))
        for first in range(0, m, size):
            yield np.arange(first, min(first + size, m))

    def check(self, name: str) -> None:
        """Read all of it once, about a megabyte at a time, and refuse what can't be learnt from.

        Raises
        ------
        DtypeError
            It doesn't hold numbers.
        DataError
            NaN or infinity; the message names the first place.
        """
        for rows in self.chunks():
            values = self.take(rows)
            if values.dtype.kind not in "fiub":
                raise DtypeError(f"{name} must hold numbers, got {values.dtype}")
            good = np.isfinite(values)
            if not good.all():
                example, row = (int(position[0]) for position in (~good).nonzero())
                raise DataError(f"{name} must be finite, got {values[example, row]} in row {row} of example {int(rows[0]) + example}")
