"""The examples of a fit as :func:`mlpxp.train` takes them, and those of them that are set aside for validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from mlpxp.arrays import dtype_name, namespace
from mlpxp.errors import DataError
from mlpxp.estimators.errors import translated
from mlpxp.estimators.inputs import is_mapped
from mlpxp.streaming import Rows

if TYPE_CHECKING:
    from mlpxp.estimators.inputs import Place

__all__ = ["columns", "for_training", "set_aside"]


def set_aside(estimator: Any, examples: tuple[Any, Any, Any, Any], random: np.random.RandomState) -> tuple[Any, Any]:
    """Split (X, targets, y, weights) as scikit-learn does, by the numbers of the rows; what is mapped into memory stays there."""
    X, targets, y, weights = examples
    m, binary = X.shape[0], targets.dtype == bool and targets.shape[1] == 1
    size = math.ceil(estimator.validation_fraction * m)
    if size == m:
        raise DataError(f"The training set is empty: validation_fraction={estimator.validation_fraction} of {m} examples is all of them.")
    split: Any = {"test_size": min(max(size, 2), m - 1), "stratify": targets if binary else None}
    with translated():
        inside, outside = train_test_split(np.arange(m), random_state=random, **split)
    if size < 2:
        raise DataError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")

    def part(rows: Any) -> tuple[Any, Any, Any, Any]:
        return _take(X, rows), targets[rows], y[rows], None if weights is None else weights[rows]

    return part(inside), part(outside)


def _take(X: Any, rows: Any) -> Any:
    if isinstance(X, np.ndarray) and is_mapped(X):
        return Rows(X, rows)
    if hasattr(X, "tocsr") or isinstance(X, np.ndarray):
        return X[rows]
    xp = namespace(X)
    return xp.take(X, xp.asarray(rows, device=X.device), axis=0)


def for_training(X: Any, targets: Any, weights: Any, place: Place, *, moves: bool) -> tuple[Any, Any, Any]:
    """Return X, Y and weights as train has them, one example a column."""
    Y = place.put(targets.astype(place.dtype), dtype=place.dtype).mT
    return columns(X, place, moves=moves), Y, None if weights is None else place.put(weights, dtype=place.dtype)


def columns(X: Any, place: Place, *, moves: bool) -> Any:
    """Return X one example a column; what is sparse, or mapped and has to be moved or converted, is read a batch at a time."""
    if isinstance(X, Rows):
        return X
    same = dtype_name(X) == place.dtype
    if hasattr(X, "tocsr") or (isinstance(X, np.ndarray) and is_mapped(X) and (moves or not same)):
        return Rows(X)
    return (X if same else place.put(X, dtype=place.dtype)).mT
