"""What the last layer makes of any number of examples; a library that compiles for each of them anew makes do with a few.

A backend may have a method ``by_columns(function, parameters, X, axis=-1)`` that returns ``function(parameters, X)`` and calls the
function with more examples than there are, and a method ``columns(m, arrays, *what)``: with how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import Backend, backend_of
from mlpxp.arrays.standard import device_of, namespace
from mlpxp.core.activations import ACTIVATIONS
from mlpxp.core.losses import LOSSES
from mlpxp.core.propagation import Passed, forward, predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp.arrays.standard import Array
    from mlpxp.core.network import Network, Parameters

__all__ = ["by_columns_of", "last_layer", "padded", "prediction"]

_PLAIN: set[type] = set()  # types of arrays whose backend has no such methods: to find it takes too long beside a row


def prediction(network: Network, parameters: Parameters, X: Array) -> Any:
    """Return A_L of X, (..., n_0, m)."""
    if type(X) not in _PLAIN:
        library = backend_of(X)
        by_columns = by_columns_of(library, network)
        if by_columns is not None:
            return by_columns(_Prediction(network), parameters, X)
        if not hasattr(library, "by_columns"):
            _PLAIN.add(type(X))
    return predict(network, parameters, X)


def last_layer(network: Network, parameters: Parameters, X: Array, by_columns: Callable[..., Any] | None) -> Passed:
    """Return the last layer's Z and A of X, (m, n_0): one example a row; on the host if X is and there is ``by_columns``."""
    if by_columns is None:
        return forward(network, parameters, X.mT)[-1]
    passed: Passed = by_columns(_LastLayer(network), parameters, X, axis=-2)
    return passed


def by_columns_of(library: Backend, network: Network) -> Callable[..., Any] | None:
    """Return the backend's method; ``None`` where it has none, or an activation might look at other examples than its own."""
    by_columns = getattr(library, "by_columns", None)
    return by_columns if by_columns is not None and _looks_at_one(network) else None


def _looks_at_one(network: Network) -> bool:
    """Whether the activations are built in: a user's, declared pure or not, may be centred by the mean of the examples."""
    return all(ACTIVATIONS.get(activation.name) == activation for activation in network.activations)


def padded(library: Backend, network: Network, X: Array, Y: Array, weights: Array | None) -> tuple[Array, Array, Array | None]:
    """Return examples with the last one again and again behind them, weighing nothing, where the library would compile for them alone."""
    m, columns = X.shape[-1], getattr(library, "columns", None)
    if columns is None or not _looks_at_one(network) or LOSSES.get(network.loss.name) != network.loss:
        return X, Y, weights
    missing = columns(m, (X, Y), network, Y.ndim) - m
    if not missing:
        return X, Y, weights
    host = [library.to_numpy(each) for each in (X, Y)]
    xp = namespace(host[0])
    shares = xp.ones(m, dtype=host[1].dtype) if weights is None else library.to_numpy(weights)
    X, Y = (library.asarray(xp.concat([each, xp.repeat(each[..., -1:], missing, axis=-1)], axis=-1), device=device_of(Y)) for each in host)
    zeros = xp.zeros((*shares.shape[:-1], missing), dtype=shares.dtype)
    return X, Y, library.asarray(xp.concat([shares, zeros], axis=-1), device=device_of(Y))


@dataclass(frozen=True)
class _Prediction:
    network: Network

    def __call__(self, parameters: Parameters, X: Array) -> Any:
        return predict(self.network, parameters, X)


@dataclass(frozen=True)
class _LastLayer:
    network: Network

    def __call__(self, parameters: Parameters, X: Array) -> Passed:
        return forward(self.network, parameters, X.mT)[-1]._replace(A_in=None)
