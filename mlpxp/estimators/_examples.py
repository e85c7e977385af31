"""The examples of a fit as :func:`mlpxp.train` takes them, and those of them that are set aside for validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import dtype_name, namespace
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators._inputs import is_mapped
from mlpxp.estimators.errors import translated

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place

__all__ = ["columns", "for_training", "penalty_of", "set_aside", "unit_of"]

_ORDINARY = (2.0**-40, 2.0**40)  # of the largest weight
_LARGEST = 1e30  # a penalty on the mean, of which float32 still has the squares of weights


def set_aside(estimator: Any, examples: tuple[Any, Any, Any, Any], random: np.random.RandomState) -> tuple[Any, Any]:
    """Split (X, targets, y, weights) as scikit-learn does, by the numbers of the rows; what is mapped into memory stays there.

    scikit-learn stratifies two classes. Where something else is monitored than it can monitor, more classes are too, if there are enough.
    """
    X, targets, y, weights = examples
    m = X.shape[0]
    size = math.ceil(estimator.validation_fraction * m)
    if size == m:
        raise DataError(f"The training set is empty: validation_fraction={estimator.validation_fraction} of {m} examples is all of them.")
    tested = min(max(size, 2), m - 1)
    split: Any = {"test_size": tested, "stratify": _strata(estimator, targets, min(tested, m - tested))}
    with translated():
        inside, outside = train_test_split(np.arange(m), random_state=random, **split)
    if size < 2:
        raise DataError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")

    def part(rows: Any) -> tuple[Any, Any, Any, Any]:
        return _take(X, rows), targets[rows], y[rows], None if weights is None else weights[rows]

    return part(inside), part(outside)


def _strata(estimator: Any, targets: Any, smaller: int) -> Any:
    """Return what to stratify by, or ``None``; the smaller part has this many examples."""
    if targets.dtype != bool:
        return None
    n, counts = targets.shape[1], targets.sum(axis=0)
    if n == 1:
        return targets
    one_each = bool((targets.sum(axis=1) == 1).all())  # and not several labels
    return targets.argmax(axis=1) if estimator.monitor != "score" and one_each and smaller >= n and (counts > 1).all() else None


def _take(X: Any, rows: Any) -> Any:
    if isinstance(X, np.ndarray) and is_mapped(X):
        return Rows(X, rows)
    if hasattr(X, "tocsr") or isinstance(X, np.ndarray):
        return X[rows]
    xp = namespace(X)
    return xp.take(X, xp.asarray(rows, device=X.device), axis=0)


def for_training(X: Any, targets: Any, weights: Any, place: Place, *, moves: bool) -> tuple[Any, Any, Any]:
    """Return X, Y and weights as train has them, one example a column; weights in units of :func:`unit_of`."""
    Y = place.put(targets.astype(place.dtype), dtype=place.dtype).mT
    return columns(X, place, moves=moves), Y, None if weights is None else place.put(weights / unit_of(weights), dtype=place.dtype)


def penalty_of(estimator: Any, weights: Any, m: int, place: Place) -> float:
    """Return the penalty on the sum of the losses, whose weights are counted in units of :func:`unit_of`.

    Raises
    ------
    RangeError
        On the mean it would be too large for float32.
    """
    total = float(m if weights is None else (weights / unit_of(weights)).sum())
    alpha = float(estimator.alpha) / unit_of(weights)
    if place.dtype == "float32" and alpha / total > _LARGEST:
        raise RangeError(
            f"alpha must be below {_LARGEST:g} times what the examples weigh together in float32, got alpha={estimator.alpha:g} for "
            f"{total * unit_of(weights):.3g}: the penalty is on the sum of their losses; give them larger weights, or set alpha=0"
        )
    return alpha


def unit_of(weights: Any) -> float:
    """Return a power of two in which weights are counted: 1, but where they are so large or so small that float32 hasn't them.

    A weighted mean is the same in every unit, to the last bit. A penalty on the sum of the losses has to be divided by it.
    """
    largest = 1.0 if weights is None else float(weights.max())
    return 1.0 if _ORDINARY[0] <= largest <= _ORDINARY[1] else 2.0 ** (math.frexp(largest)[1] - 1)


def columns(X: Any, place: Place, *, moves: bool) -> Any:
    """Return X one example a column; what is sparse, or mapped and has to be moved or converted, is read a batch at a time."""
    if isinstance(X, Rows):
        return X
    same = dtype_name(X) == place.dtype
    if hasattr(X, "tocsr") or (isinstance(X, np.ndarray) and is_mapped(X) and (moves or not same)):
        return Rows(X)
    return (X if same else place.put(X, dtype=place.dtype)).mT
