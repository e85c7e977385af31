"""The one rule for what is taken as a trained network."""

from __future__ import annotations

import sys
from typing import Any

from mlpxp.core.model import Model
from mlpxp.core.network import Network
from mlpxp.errors import DtypeError
from mlpxp.runs.history import TrainingResult

__all__ = ["is_estimator", "is_pair", "one_value"]


def is_pair(value: object) -> bool:
    """Whether a value is a pair (network, parameters); a tuple of layers is none."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Network)


def is_estimator(value: object) -> bool:
    """Whether a value is an estimator of ours; where scikit-learn was not imported there is none."""
    ours: Any = sys.modules.get("mlpxp.estimators")
    return ours is not None and isinstance(value, ours.MLPClassifier | ours.MLPRegressor)


def one_value(value: Any, by: str, *, also: str = "") -> Any:
    """Return a Model, a TrainingResult or an estimator of ours as it is, and a pair (network, parameters) as a Model.

    It is what everything takes that takes a trained network: ``save``, ``export_onnx``, ``to_torch``, ``to_backend``.

    Parameters
    ----------
    value : object
    by : str
        Who takes it, for the message.
    also : str, optional
        What else that takes.

    Raises
    ------
    DtypeError
        It is none of these.
    """
    if is_pair(value):
        return Model(*value)
    if isinstance(value, Model | TrainingResult) or is_estimator(value):
        return value
    got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    raise DtypeError(
        f"{by} takes {also}a Model, a TrainingResult, a fitted MLPClassifier or MLPRegressor, or (network, parameters), got {got}"
    )
