"""What is known of a fitted estimator, for all who don't fit: read here, written here for one from a file or another library, moved here.

It is the door: what else an estimator keeps to itself is nobody's business.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.move import mover
from mlpxp.arrays.placing import Place
from mlpxp.arrays.standard import device_of, tree_map
from mlpxp.errors import DataError
from mlpxp.estimators._answers import answers
from mlpxp.estimators._curves import means_of, of_members
from mlpxp.estimators._inputs import labels_at, place_of
from mlpxp.estimators._labels import binarizer_of
from mlpxp.estimators._state import Fitted, Labels, Left, optimizer_of, watched_by
from mlpxp.estimators.errors import check_fitted

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = [
    "Fitted",
    "Labels",
    "Left",
    "adopt",
    "answers",
    "binarizer_of",
    "moved",
    "of_members",
    "optimizer_of",
    "state_of",
    "watched_by",
]


def state_of(estimator: Any, what: str) -> Fitted:
    """Return what is known of a fitted estimator beside its public attributes; it is to be read, not to be written into.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    what : str
        The name of the function that asks, for the message.

    Raises
    ------
    NotFittedError
    """
    check_fitted(estimator, what)
    state: Fitted = estimator._fitted
    return state


def adopt(
    estimator: Any,
    state: Fitted,
    coefs: list[Any],
    intercepts: list[Any],
    *,
    features: Any = None,
    n_iter: int = 0,
    t: int = 0,
) -> None:
    """Make an estimator one that is fitted, as the fits of this version leave it, but for the numbers that follow from curves.

    Parameters
    ----------
    state : Fitted
        With the labels of a classifier; where it is, is found from the weights.
    coefs, intercepts : list of array (..., n_in, n) and (..., n)
        Finite; taken as they are.
    features : sequence of str, optional
        Names of the features.
    n_iter, t : int
        Epochs of the last fit, and examples seen in all.

    Raises
    ------
    DataError
        Weights of other shapes than the network's; classes that are not sorted, or not as many as the outputs ask for.
    """
    network, labels, place = state.network, state.labels, place_of(coefs[0], None)
    wanted = [((*coefs[0].shape[:-2], n_in, n), (*coefs[0].shape[:-2], n)) for n, n_in in network.shapes]
    got = [(tuple(W.shape), tuple(b.shape)) for W, b in zip(coefs, intercepts, strict=len(coefs) == len(intercepts))]
    if wanted != got or len(coefs) != len(intercepts):
        raise DataError(f"weights and intercepts must have the shapes {wanted}, got {got}")
    if labels is not None:
        _check_labels(labels, network.sizes[-1])
        estimator.classes_ = labels_at(place, labels.classes)
    estimator._fitted = replace(state, place=place)
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    estimator.n_layers_, estimator.n_outputs_ = len(network.sizes), network.sizes[-1]
    estimator.out_activation_ = "logistic" if network.output.name == "sigmoid" else network.output.name
    estimator.n_features_in_, estimator.n_iter_, estimator.t_ = network.sizes[0], n_iter, t
    if features is not None:
        estimator.feature_names_in_ = np.asarray(features, dtype=object)
    vars(estimator).update(means_of(state.curves))


def _check_labels(labels: Labels, outputs: int) -> None:
    n, kind = len(labels.classes), labels.kind
    if not (outputs == 1 and n in {1, 2} if kind == "binary" else outputs == n and n > (kind == "multiclass")):
        raise DataError(f"{outputs} outputs of a {kind} classifier don't go with {n} classes")
    if not np.array_equal(np.unique(labels.classes), labels.classes):
        raise DataError("classes must be sorted and different")


def moved(estimator: Any, library: Backend, device: Any) -> Any:
    """Return a copy of a fitted estimator whose arrays are another library's, which computes where they are; see :func:`mlpxp.to_backend`.

    Raises
    ------
    NotFittedError
    """
    state, move = state_of(estimator, "to_backend"), mover(library, device)
    new: Any = object.__new__(type(estimator))
    vars(new).update(vars(estimator))  # not copy.copy, which asks for the backend: it may be another machine's
    new.coefs_ = [move(coefs.mT).mT for coefs in estimator.coefs_]  # W as training leaves it, rows contiguous
    new.intercepts_ = [move(intercepts) for intercepts in estimator.intercepts_]
    first, stays = new.coefs_[0], device is None and library.name == "numpy"
    new.backend, new.device = "auto", None
    place = Place(library, None if stays else device_of(first), state.place.dtype)
    if state.labels is not None:
        new.classes_ = labels_at(place, state.labels.classes)
    for name in (name for name, value in vars(estimator).items() if name.endswith("curve_") or name == "validation_scores_"):
        vars(new)[name] = copy(vars(estimator)[name])  # a later call writes at their end
    left = None if state.left is None else state.left._replace(state=tree_map(move, state.left.state))
    curves = {name: copy(curve) for name, curve in state.curves.items()}
    new._fitted = replace(state, place=place, left=left, curves=curves, made={})
    return new
