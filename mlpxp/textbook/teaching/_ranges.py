"""Host values that come in, as a matrix, or one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, ShapeError

__all__ = ["matrix"]


def matrix(name: str, values: Any) -> NDArray[Any]:
    """Return host values as float64 (n, m), one example a column.

    Raises
    ------
    DataError
        They are no numbers, or not finite.
    ShapeError
        They are no matrix with at least one row and one column.
    """
    try:
        array = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must hold numbers on the host: {error}") from error
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(f"{name} must have shape (n, m), one example a column, got {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite, got NaN or infinity")
    return array
