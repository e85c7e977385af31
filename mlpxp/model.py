"""A network with its parameters as one value, and the one rule for what is taken as such."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpxp import functional
from mlpxp.arrays import described, dtype_name
from mlpxp.errors import DtypeError
from mlpxp.evaluation import evaluate
from mlpxp.history import TrainingResult
from mlpxp.network import Network

if TYPE_CHECKING:
    from mlpxp.arrays import Array
    from mlpxp.evaluation import Evaluation
    from mlpxp.network import Parameters

__all__ = ["Model", "is_estimator", "is_pair", "one_value"]


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its parameters, as a model file holds it.

    Attributes
    ----------
    network : Network
    parameters : tuple of Layer
        A stack too.
    metadata : dict
        What JSON can hold.
    arrays : dict of str to ndarray
        The caller's own arrays, float32 or float64.
    created : str
        When the file was written, or empty.
    versions : dict of str to str
        By what.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Model, Network, initialize
    >>> network = Network((2, 3, 1))
    >>> model = Model(network, initialize(network, seed=0))
    >>> model
    Model(Network((2, 3, 1), hidden='relu', output='identity', loss='mse'), float32, numpy on cpu)
    >>> model.predict(np.zeros((2, 5), dtype="float32")).shape
    (1, 5)
    """

    network: Network
    parameters: Parameters
    metadata: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(sorted({*self.metadata, *self.arrays}))
        about = f", with {names}" if names else ""
        return f"Model({self.network!r}, {described(self.parameters)}{about})"

    @property
    def dtype(self) -> str:
        """``float32`` or ``float64``, of the parameters."""
        return dtype_name(self.parameters[0].W)

    @property
    def networks(self) -> int:
        """How many networks there are: 1, or those of a stack."""
        return math.prod(self.parameters[0].W.shape[:-2])

    def predict(self, X: Array, *, batch_size: int | None = None) -> Any:
        """Return A_L for X (n_0, m), (n_L, m): :func:`mlpxp.predict` with this network and these parameters.

        X is what the network reads: a file of the command line also says, in ``metadata``, how raw columns become that.

        Raises
        ------
        ShapeError, DtypeError, BackendError, DataError, RangeError, OutOfMemoryError
            As :func:`mlpxp.predict`.
        """
        return functional.predict(self.network, self.parameters, X, batch_size=batch_size)

    def evaluate(self, X: Array, Y: Array, weights: Array | None = None) -> Evaluation:
        """Return the cost and the score on X (n_0, m) and Y (n_L, m): :func:`mlpxp.evaluate` with this network and these parameters.

        Raises
        ------
        ShapeError, DtypeError, BackendError, DataError
            As :func:`mlpxp.evaluate`.
        """
        return evaluate(self.network, self.parameters, X, Y, weights)


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
