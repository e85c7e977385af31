"""Fitted estimators as graphs: the same average, the same decision and the same probabilities as in ``predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import first_leaf, namespace
from mlpxp.errors import DtypeError
from mlpxp.estimators.fitted import answers, state_of
from mlpxp.exchange._networks import parts_of
from mlpxp.exchange.graph import Graph, Port, listed, outputs, parameters_on_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpxp.estimators.fitted import Labels

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
    name, (network, layers), fitted = type(estimator).__name__, parts_of(estimator, "export_onnx"), state_of(estimator, "export_onnx")
    parameters, labels = parameters_on_host(network, layers), fitted.labels
    facts = {"network": repr(network), "task": "regression" if labels is None else "classification"}
    classes = None
    if labels is not None:
        classes, facts["classes"] = _writable(labels), listed(labels.classes)
    features = getattr(estimator, "feature_names_in_", None)
    if features is not None:
        facts["features"] = listed(features)
    members = f", the mean of {estimator.n_networks}" if estimator.n_networks > 1 else ""

    def function(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        said = answers(fitted, outputs(network, parameters, arrays["X"]))
        if classes is None or labels is None:
            return said
        chosen = said.pop("chosen")
        xp = namespace(chosen)
        return {"label": chosen if labels.several else xp.take(xp.asarray(classes), chosen, axis=0)} | said

    return Graph(
        inputs=(Port("X", first_leaf(parameters).dtype.name, ("N", network.sizes[0])),),
        function=function,
        summary=f"{name}{members}, {network!r}: one example a row in X",
        facts=facts,
    )


def _writable(labels: Labels) -> Any:
    """Return the classes as a file can hold them."""
    classes = np.asarray(labels.classes)
    if classes.dtype.kind not in "biufUO" or (classes.dtype.kind == "f" and classes.itemsize > 8):
        raise DtypeError(
            f"an ONNX file has classes that are numbers of at most 64 bits or text, got {classes.dtype}: fit with y.astype(str)"
        )
    return classes if classes.dtype.kind in "biuf" else classes.astype(str)
