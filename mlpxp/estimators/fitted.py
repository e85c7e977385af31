"""The fitted attributes of an estimator that was not fitted here: from a file, or from another library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from mlpxp.errors import DataError
from mlpxp.estimators._inputs import labels_at, place_of
from mlpxp.estimators.errors import NotFittedError

if TYPE_CHECKING:
    from mlpxp.core.network import Network

__all__ = ["Labels", "adopt", "check_fitted", "labels_of"]


class Labels(NamedTuple):
    """What a classifier knows of its labels.

    Attributes
    ----------
    classes : ndarray
        Sorted; of several labels their numbers.
    kind : {"binary", "multiclass", "multilabel-indicator"}
        One output for two classes, one for each class, or one for each label.
    sparse : bool
        Whether several labels came as a sparse matrix, and are predicted as one.
    """

    classes: Any
    kind: str
    sparse: bool = False


def labels_of(estimator: Any) -> Labels | None:
    """Return the labels of a fitted classifier, on the host; ``None`` of a regressor."""
    binarizer = getattr(estimator, "_binarizer", None)
    return None if binarizer is None else Labels(binarizer.classes_, binarizer.y_type_, bool(binarizer.sparse_input_))


def check_fitted(estimator: Any, what: str) -> None:
    """Refuse an estimator that has no weights.

    Raises
    ------
    NotFittedError
    """
    if not hasattr(estimator, "coefs_"):
        raise NotFittedError(f"{type(estimator).__name__} has no weights to {what}: call fit(X, y) first")


def adopt(
    estimator: Any,
    network: Network,
    coefs: list[Any],
    intercepts: list[Any],
    *,
    labels: Labels | None,
    features: Any = None,
    n_iter: int = 0,
    t: int = 0,
) -> None:
    """Make an estimator one that is fitted, as the fits of this version leave it, but for curves and what training goes on from.

    Parameters
    ----------
    coefs, intercepts : list of array (..., n_in, n) and (..., n)
        Finite; taken as they are.
    labels : Labels
        A classifier's; ``None`` for a regressor.
    features : sequence of str, optional
        Names of the features.

    Raises
    ------
    DataError
        Weights of other shapes than the network's; classes that are not sorted, or not as many as the outputs ask for.
    """
    wanted = [((*coefs[0].shape[:-2], n_in, n), (*coefs[0].shape[:-2], n)) for n, n_in in network.shapes]
    got = [(tuple(W.shape), tuple(b.shape)) for W, b in zip(coefs, intercepts, strict=len(coefs) == len(intercepts))]
    if wanted != got or len(coefs) != len(intercepts):
        raise DataError(f"weights and intercepts must have the shapes {wanted}, got {got}")
    outputs = network.sizes[-1]
    estimator._network, estimator._place = network, place_of(coefs[0], None)
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    estimator.n_layers_, estimator.n_outputs_ = len(network.sizes), outputs
    estimator.out_activation_ = "logistic" if network.output.name == "sigmoid" else network.output.name
    estimator.n_features_in_, estimator.n_iter_, estimator.t_ = network.sizes[0], n_iter, t
    if features is not None:
        estimator.feature_names_in_ = np.asarray(features, dtype=object)
    if labels is None:
        return
    n, kind = len(labels.classes), labels.kind
    if not (outputs == 1 and n in {1, 2} if kind == "binary" else outputs == n and n > (kind == "multiclass")):
        raise DataError(f"{outputs} outputs of a {kind} classifier don't go with {n} classes")
    if not np.array_equal(np.unique(labels.classes), labels.classes):
        raise DataError("classes must be sorted and different")
    binarizer = LabelBinarizer()
    binarizer.classes_, binarizer.y_type_, binarizer.sparse_input_ = labels.classes, kind, labels.sparse
    estimator._binarizer = binarizer
    estimator.classes_ = labels_at(estimator._place, labels.classes)
