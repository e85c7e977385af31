"""What users call: the heart (:mod:`mlpxp.core.propagation`) behind a check of every array that comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import plain
from mlpxp.arrays.placing import working_on
from mlpxp.arrays.scalars import whole_number
from mlpxp.arrays.standard import namespace
from mlpxp.core import propagation
from mlpxp.core.prediction import prediction
from mlpxp.core.shapes import check_shapes, fitting

if TYPE_CHECKING:
    from mlpxp.arrays.standard import Array
    from mlpxp.core.network import Network, Parameters
    from mlpxp.core.propagation import Trace

__all__ = ["backward", "cost", "cost_and_gradients", "forward", "predict"]


def forward(network: Network, parameters: Parameters, X: Array) -> Trace:
    """Propagate X through the layers: Z_l = W_l A_{l-1} + b_l (F1), A_l = σ_l(Z_l) (F2).

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
        One network, or a stack of k.
    X : array, shape (n_0, m) or (k, n_0, m)
        One example a column; in the parameters' library, dtype and device. A stack shares X or has one each.

    Returns
    -------
    tuple of Passed
        ``(A_in, Z, A)`` of each layer; ``trace[-1].A`` is the prediction (n_L, m) or (k, n_L, m).

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Some of their numbers are masked.
    OutOfMemoryError
        The device has too little memory: try fewer examples at a time.
    """
    parameters, X, *_ = fitting(network, parameters, X)
    with working_on(X):
        return propagation.forward(network, parameters, X)


def predict(network: Network, parameters: Parameters, X: Array, *, batch_size: int | None = None) -> Any:
    """Return the prediction A_L for X and keep nothing else.

    Parameters
    ----------
    network, parameters, X
        As in :func:`forward`.
    batch_size : int or None, default None
        How many examples at a time, all by default. What the layers make of m examples takes about m times the widest layer: a few
        thousand at a time need the memory of a few thousand, and are the fastest on a CPU.

    Returns
    -------
    array, shape (n_L, m) or (k, n_L, m)

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Some of their numbers are masked.
    RangeError
        ``batch_size`` is no whole number from 1.
    OutOfMemoryError
        The device has too little memory: try a smaller ``batch_size``.
    """
    parameters, X, *_ = fitting(network, parameters, X)
    with working_on(X):
        if batch_size is None:
            return prediction(network, parameters, X)
        batch_size = whole_number("batch_size", batch_size)
        m = X.shape[-1]
        batches = [X[..., first : min(first + batch_size, m)] for first in range(0, max(m, 1), batch_size)]
        parts = [prediction(network, parameters, batch) for batch in batches]
        return parts[0] if len(parts) == 1 else namespace(X).concat(parts, axis=-1)


def cost(network: Network, trace: Trace, Y: Array, weights: Array | None = None) -> Any:
    """Return the cost C of a forward pass: the (weighted) mean of the per-example losses (C1, C2, C3, or the network's own).

    Parameters
    ----------
    network : Network
    trace : tuple of Passed
        What :func:`forward` returned.
    Y : array, shape (n_L, m) or (k, n_L, m)
        The targets. For ``cross_entropy`` each column is a distribution: it adds up to 1; for ``poisson`` no number is negative.
    weights : array, shape (m,) or (k, m), optional
        A non-negative weight for each example.

    Returns
    -------
    array, shape () or (k,)
        One cost a network. Where output and loss are a natural pairing it comes from the logits, and is exact where the
        probabilities round to 0 or 1.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Some of their numbers are masked.
    OutOfMemoryError
        The device has too little memory: try fewer examples at a time.
    """
    Y, weights = plain("Y", Y), plain("weights", weights)
    check_shapes(network, None, trace[0].A_in, Y, weights, output=trace[-1].A)
    with working_on(Y):
        return propagation.cost(network, trace, Y, weights)


def backward(network: Network, parameters: Parameters, trace: Trace, Y: Array, weights: Array | None = None) -> Parameters:
    """Propagate the error back and return the gradients of the cost (B1 to B4).

    Parameters
    ----------
    network, parameters
        As in :func:`forward`.
    trace, Y, weights
        As in :func:`cost`.

    Returns
    -------
    tuple of Layer
        ∂C/∂W_l and ∂C/∂b_l in the shapes of the parameters.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Some of their numbers are masked.
    OutOfMemoryError
        The device has too little memory: try fewer examples at a time.
    """
    parameters, _, Y, weights = fitting(network, parameters, trace[0].A_in, Y, weights)
    with working_on(Y):
        return propagation.backward(network, parameters, trace, Y, weights)


def cost_and_gradients(
    network: Network, parameters: Parameters, X: Array, Y: Array, weights: Array | None = None
) -> tuple[Any, Parameters]:
    """Return the cost and its gradients: one forward and one backward pass, whatever the number of parameters (K1).

    Parameters
    ----------
    network, parameters, X
        As in :func:`forward`.
    Y, weights
        As in :func:`cost`.

    Returns
    -------
    cost : array, shape () or (k,)
    gradients : tuple of Layer
        In the shapes of the parameters.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Some of their numbers are masked.
    OutOfMemoryError
        The device has too little memory: try fewer examples at a time.
    """
    parameters, X, Y, weights = fitting(network, parameters, X, Y, weights)
    with working_on(X):
        trace = propagation.forward(network, parameters, X)
        return propagation.cost(network, trace, Y, weights), propagation.backward(network, parameters, trace, Y, weights)
