"""A plane through the space of the features, and what an estimator says on it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import device_of, is_array
from mlpxp.errors import DataError, RangeError, ShapeError, UnknownNameError
from mlpxp.plotting.fitted import host, texts

__all__ = ["MARGIN", "Plane", "examples_of", "made_like", "names_of", "pair_of", "through"]

MARGIN = 0.08  # of the examples' range, on each side
_AT_A_TIME = 4_000_000  # numbers that are handed to the estimator


@dataclass(frozen=True)
class Plane:
    """Two features vary, the others are held.

    Attributes
    ----------
    held : ndarray, shape (n_features,)
        The values of the others.
    pair : (int, int)
        Which features vary: from left to right, and upwards.
    right, up : ndarray, shape (g,)
        Their values on the grid.
    """

    held: NDArray[Any]
    pair: tuple[int, int]
    right: NDArray[Any]
    up: NDArray[Any]

    def rows(self, lines: slice = slice(None)) -> NDArray[Any]:
        """The examples of these lines of the grid, shape (lines · g, n_features), from the lowest line up."""
        right, up = np.meshgrid(self.right, self.up[lines])
        rows = np.tile(self.held, (right.size, 1))
        rows[:, self.pair[0]], rows[:, self.pair[1]] = right.ravel(), up.ravel()
        return rows

    def values(self, function: Callable[[Any], Any], like: Any) -> NDArray[Any]:
        """What a function of examples, made as ``like`` is, is worth on the grid: shape (g, g, ...)."""
        g = len(self.up)
        step = max(1, _AT_A_TIME // (g * len(self.held)))
        blocks = [host(function(made_like(self.rows(slice(at, at + step)), like))) for at in range(0, g, step)]
        values = np.concatenate(blocks)
        return values.reshape(g, g, *values.shape[1:])


def through(examples: NDArray[Any], pair: tuple[int, int], grid_resolution: int, margin: float = MARGIN) -> Plane:
    """Return the plane through the medians of the examples, as wide as they are and this share of it more on each side."""

    def axis(values: NDArray[Any]) -> NDArray[Any]:
        low, high = values.min(), values.max()
        more = margin * (high - low) or 0.5
        return np.linspace(low - more, high + more, grid_resolution)

    return Plane(np.median(examples, axis=0), pair, axis(examples[:, pair[0]]), axis(examples[:, pair[1]]))


def examples_of(X: Any) -> NDArray[Any]:
    """Return the examples on the host, in float64.

    Raises
    ------
    ShapeError, DataError
        They are no matrix of at least one example and two features, or hold anything but finite numbers.
    """
    values = host(X)
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise ShapeError(f"X must have shape (m, n_features) with at least one example and two features, got {values.shape}")
    try:
        examples = values.astype("float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"X must hold numbers: {error}") from error
    if not np.isfinite(examples).all():
        row, column = np.argwhere(~np.isfinite(examples))[0]
        raise DataError(f"X must be finite, got {examples[row, column]} in feature {column} of example {row}")
    return examples


def names_of(estimator: Any, X: Any, n: int) -> list[str]:
    """Return the names of n features: those of the data frame, those that the estimator has seen, or their numbers."""
    known = [str(name) for name in X.columns] if hasattr(X, "columns") else texts(getattr(estimator, "feature_names_in_", None))
    return known or [f"feature {index}" for index in range(n)]


def pair_of(features: Any, names: list[str]) -> tuple[int, int]:
    """Return the indices of two different features, asked for by index or by name.

    Raises
    ------
    RangeError, UnknownNameError
        They are not two, or not there.
    """
    if not isinstance(features, Sequence) or isinstance(features, str) or len(features) != 2:
        raise RangeError(f"features must be two indices or names, such as (0, 1), got {features!r}")
    first, second = (_index(feature, names) for feature in features)
    if first == second:
        raise RangeError(f"features must be two different ones, got {features!r}")
    return first, second


def _index(feature: Any, names: list[str]) -> int:
    if isinstance(feature, str):
        if feature not in names:
            known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise UnknownNameError(f"features must be among {known}, got {feature!r}")
        return names.index(feature)
    try:
        index = operator.index(feature)
    except TypeError:
        index = -1
    if not 0 <= index < len(names):
        raise RangeError(f"features must be indices from 0 to {len(names) - 1} or names, got {feature!r}: X has {len(names)} features")
    return index


def made_like(rows: NDArray[Any], X: Any) -> Any:
    """Make examples what X is: a data frame with its columns, or an array of its library, dtype and device."""
    if hasattr(X, "columns"):
        named = {"schema": X.columns, "orient": "row"} if type(X).__module__.startswith("polars") else {"columns": X.columns}
        return type(X)(rows, **named)
    if not is_array(X):
        return rows
    library, dtype = backend_of(X), str(X.dtype).rpartition(".")[-1]
    if dtype not in {"float32", "float64"}:  # whole numbers: not every library and device has float64
        dtype = "float64" if library.name == "numpy" else "float32"
    return library.asarray(rows, dtype=dtype, device=device_of(X))
