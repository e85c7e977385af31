"""A network with its parameters as one value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import described, dtype_name
from mlpxp.core import functional
from mlpxp.core.evaluation import evaluate

if TYPE_CHECKING:
    from mlpxp.arrays.standard import Array
    from mlpxp.core.evaluation import Evaluation
    from mlpxp.core.network import Network, Parameters

__all__ = ["Model"]


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
