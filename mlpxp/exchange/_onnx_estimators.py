"""Fitted estimators as graphs: the same average, the same decision and the same probabilities as in ``predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import first_leaf, namespace
from mlpxp.errors import DtypeError
from mlpxp.estimators import MLPClassifier, MLPRegressor
from mlpxp.estimators.errors import NotFittedError
from mlpxp.estimators.probabilities import columns_of_classes, promises_probabilities
from mlpxp.exchange.graph import Graph, Port, listed, outputs, parameters_on_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["graph_of_estimator"]


def graph_of_estimator(estimator: Any) -> Graph:
    """Return the graph of a fitted estimator of ours.

    Raises
    ------
    NotFittedError
        It is not fitted.
    DtypeError
        Its classes are neither numbers nor text.
    """
    name = type(estimator).__name__
    if not hasattr(estimator, "coefs_"):
        raise NotFittedError(f"{name} has nothing to export: call fit(X, y) first")
    network = estimator._network
    parameters = parameters_on_host(network, estimator._parameters())
    classifies = isinstance(estimator, MLPClassifier)
    answers = _classified(estimator) if classifies else _predicted(estimator)
    facts = {"network": repr(network), "task": "classification" if classifies else "regression"}
    if classifies:
        facts["classes"] = listed(estimator._binarizer.classes_)
    features = getattr(estimator, "feature_names_in_", None)
    if features is not None:
        facts["features"] = listed(features)
    members = f", the mean of {estimator.n_networks}" if estimator.n_networks > 1 else ""
    return Graph(
        inputs=(Port("X", first_leaf(parameters).dtype.name, ("N", network.sizes[0])),),
        function=lambda arrays: answers(estimator._averaged(outputs(network, parameters, arrays["X"]))),
        summary=f"{name}{members}, {network!r}: one example a row in X",
        facts=facts,
    )


def _classified(estimator: MLPClassifier) -> Callable[[Any], Mapping[str, Any]]:
    multilabel = estimator._binarizer.y_type_.startswith("multilabel")
    promised = promises_probabilities(estimator._network, multiclass=estimator._binarizer.y_type_ == "multiclass")
    labels = np.asarray(estimator._binarizer.classes_)
    if labels.dtype.kind not in "biufUO" or (labels.dtype.kind == "f" and labels.itemsize > 8):
        raise DtypeError(
            f"an ONNX file has classes that are numbers of at most 64 bits or text, got {labels.dtype}: fit with y.astype(str)"
        )
    labels = labels if labels.dtype.kind in "biuf" else labels.astype(str)

    def answers(A: Any) -> Mapping[str, Any]:
        xp, chosen = namespace(A), estimator._chosen(A)
        found = {"label": chosen if multilabel else xp.take(xp.asarray(labels), chosen, axis=0)}
        if promised:
            found["probabilities"] = columns_of_classes(A, sharing=estimator._sharing())
        return found

    return answers


def _predicted(estimator: MLPRegressor) -> Callable[[Any], Mapping[str, Any]]:
    return lambda A: {"prediction": estimator._shaped(A)}
