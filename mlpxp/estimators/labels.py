"""The labels of a classifier: which may be learnt, and what each class weighs."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target

from mlpxp.checks import outside
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators.errors import translated

__all__ = ["class_weights", "is_multilabel", "numbers_of", "read_labels"]

_CLASSES = {"binary", "multiclass", "multilabel-indicator"}


def read_labels(y: Any, name: str = "y") -> Any:
    """Return labels on the host as (m,), a column with scikit-learn's warning, or as an indicator matrix (m, n_classes).

    Raises
    ------
    DataError
        They are no classes.
    """
    if y.ndim == 2 and y.shape[1] == 1 and not hasattr(y, "tocsr"):
        y = column_or_1d(y, warn=True)
    if y.dtype == object and not all(isinstance(label, str) for label in y.flat):
        kinds = ", ".join(sorted({type(label).__name__ for label in y.flat}))
        raise DataError(
            f"Unknown label type: {name} must hold text, or be an array of numbers, got objects ({kinds}): "
            f"leave out what has no label, and convert the others, with {name}.astype(int) or {name}.astype(str)"
        )
    kind = type_of_target(y)
    if kind not in _CLASSES:
        raise DataError(
            f"Unknown label type: {kind}. {name} must hold one label an example, text or whole numbers, or be an indicator matrix of "
            "0 and 1 (m, n_classes); MLPRegressor learns all other numbers"
        )
    return y


def is_multilabel(y: Any) -> bool:
    """Whether labels are an indicator matrix, dense or sparse."""
    return bool(type_of_target(y) == "multilabel-indicator")


def numbers_of(y: Any, classes: Any) -> Any:
    """Return the number of each label's class (m,), or ``None`` where some have none, or are of another kind or not one an example."""
    if y.ndim != 1 or y.dtype.kind != classes.dtype.kind:
        return None
    numbers = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    return numbers if (classes[numbers] == y).all() else None


def class_weights(class_weight: Any, y: Any, classes: Any, *, incremental: bool) -> Any:
    """Return what each example weighs by its class.

    Raises
    ------
    RangeError, DataError

    Warns
    -----
    UserWarning
        The weights name a class that there is not: a fold of a time series may lack it, or it is a typing error.
    """
    if y.ndim > 1:
        raise RangeError("class_weight weighs examples by their one class, and these have several labels: use sample_weight")
    if isinstance(class_weight, dict):
        known, here = set(classes.tolist()), set(np.unique(y).tolist())
        unknown = [label for label in class_weight if label not in known]
        if unknown:
            warnings.warn(f"class_weight has weights for {unknown}, which are none of the classes {sorted(known)}", stacklevel=outside())
        for label, weight in class_weight.items():
            if not isinstance(weight, Real) or not 0.0 <= float(weight) < math.inf:
                raise RangeError(f"class_weight must be a number from 0 for each class, got {weight!r} for {label!r}")
        class_weight = {label: weight for label, weight in class_weight.items() if label in here}
    elif incremental:
        raise RangeError(
            "class_weight='balanced' is not supported for partial_fit, which sees a part of the examples: "
            "compute the weights with sklearn.utils.class_weight.compute_class_weight and pass them as a dict"
        )
    with translated():
        return compute_sample_weight(class_weight, y)
