"""The labels of a classifier: which may be learnt, and what each class weighs."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target

from mlpxp.arrays.backend import plain
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators._inputs import to_host
from mlpxp.estimators._state import Labels
from mlpxp.estimators.errors import translated
from mlpxp.training.precision import outside

__all__ = ["binarizer_of", "check_labels", "class_weights", "host_labels", "is_multilabel", "labels_in", "numbers_of", "read_labels"]

_CLASSES = {"binary", "multiclass", "multilabel-indicator"}
_EXACT = 2**53  # from here on float64 has no place for each whole number


def host_labels(y: Any, name: str = "y") -> Any:
    """Return labels from anywhere as an array of NumPy that holds each as it is: no whole number becomes a float on the way.

    A sparse column is an array; a sparse matrix of several columns stays one.

    Raises
    ------
    DataError
        An example has no label, or one that is neither text nor a number.
    """
    y = to_host(plain(name, y))
    if hasattr(y, "sparse") and y.ndim == 2:  # a data frame of sparse columns
        y = y.sparse.to_coo()
    if y is None or (hasattr(y, "tocsr") and y.ndim == 2 and y.shape[1] != 1):
        return y
    try:
        labels = np.asarray(y.toarray() if hasattr(y, "tocsr") else y)
    except Exception as error:  # whatever the library of y raises
        raise DataError(f"{name} must be an array of labels, got {type(y).__name__}: {error}") from error
    if labels.dtype.kind == "T":  # NumPy's text of any length, which scikit-learn doesn't know
        labels = labels.astype(object)
    if labels.dtype == object:
        labels = _plain(labels, name)
    elif labels.dtype.kind in "Uf" and isinstance(y, list | tuple):  # NumPy may have made text or floats of other things
        _plain(np.asarray(y, dtype=object), name)
    missing = np.isnan(labels) if labels.dtype.kind in "fmM" else np.zeros(0)  # NumPy says it of NaT, too
    if missing.any():
        example = int(missing.nonzero()[0][0])
        raise DataError(f"{name} must have a label for each example, got {labels[example]} for example {example}: leave out what has none")
    return labels


def _plain(objects: Any, name: str) -> Any:
    """Return objects that are numbers as an array of them, text as it is."""
    values = list(objects.flat)
    if all(isinstance(label, str) for label in values):
        return objects
    whole = [label for label in values if isinstance(label, bool | np.bool_ | Integral)]
    if len(whole) == len(values) or all(isinstance(label, bool | np.bool_ | Integral | float | np.floating) for label in values):
        numbers = np.asarray(objects.tolist())
        if numbers.dtype.kind in "biu" or (numbers.dtype.kind == "f" and all(abs(int(label)) <= _EXACT for label in whole)):
            return numbers
        raise DataError(
            f"{name} must hold whole numbers that go into one dtype of at most 64 bits, got {max(values)} and {min(values)}: use text"
        )
    kinds = ", ".join(sorted({type(label).__name__ for label in values}))
    raise DataError(
        f"Unknown label type: {name} must hold text, or be an array of numbers, got objects ({kinds}): "
        f"leave out what has no label, and convert the others, with {name}.astype(int) or {name}.astype(str)"
    )


def read_labels(y: Any, name: str = "y") -> Any:
    """Return labels of the host as (m,), a column with scikit-learn's warning, or as an indicator matrix (m, n_classes).

    Raises
    ------
    DataError
        They are no classes.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    check_labels(y, name)
    return y


def check_labels(y: Any, name: str = "y") -> None:
    """Refuse numbers that are no labels.

    Raises
    ------
    DataError
        They are measured rather than counted, or in several columns and not 0 and 1.
    """
    kind = type_of_target(y)
    if kind not in _CLASSES:
        raise DataError(
            f"Unknown label type: {kind}. {name} must hold one label an example, text or whole numbers, or be an indicator matrix of "
            "0 and 1 (m, n_classes); MLPRegressor learns all other numbers"
        )
    if kind == "multilabel-indicator":
        values = y.data if hasattr(y, "tocsr") else y
        if ((values != 0) & (values != 1)).any():
            found = np.unique(values)
            raise DataError(
                f"{name} must be an indicator matrix of 0 and 1, got {' and '.join(map(str, found))}: say which of them is present, "
                f"with {name} == {found[-1]}"
            )


def labels_in(y: Any) -> Labels:
    """Return the labels that there are in y, as :func:`read_labels` returns it."""
    binarizer = LabelBinarizer().fit(y)
    return Labels(binarizer.classes_, binarizer.y_type_, bool(binarizer.sparse_input_))


def binarizer_of(labels: Labels) -> LabelBinarizer:
    """Return scikit-learn's binarizer of these labels."""
    binarizer = LabelBinarizer()
    binarizer.classes_, binarizer.y_type_, binarizer.sparse_input_ = labels
    return binarizer


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
