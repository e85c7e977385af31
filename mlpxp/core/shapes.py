"""What the heart asks of the arrays it is given, checked at the door from their shapes and dtypes alone (no value is read)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import plain
from mlpxp.arrays.standard import Array, check_floating, check_together, dtype_name
from mlpxp.core.network import Layer
from mlpxp.errors import DtypeError, ShapeError

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["check_labels", "check_layers", "check_precision", "check_shapes", "fitting", "plain_layers"]

_HALF = ("float16", "bfloat16")
_MATRIX = 2  # the axes of one network's arrays; those before them are a stack


def check_shapes(
    network: Network,
    parameters: Parameters | None,
    X: Array,
    Y: Array | None = None,
    weights: Array | None = None,
    *,
    output: Array | None = None,
) -> None:
    """Refuse arrays that don't fit the network or each other.

    ``output`` is A_L where there are no parameters at hand.

    Raises
    ------
    ShapeError
        A shape that the equations can't use; the message says which shape was wanted and why.
    DtypeError
        A dtype that is not real and floating, or that differs from the others'; half precision where there are targets.
    BackendError
        No array, or arrays of two libraries or two devices.
    """
    W: Any = output if parameters is None else check_layers(network, parameters)
    _check_arrays(network, parameters, W, X, Y, weights)


def _check_arrays(network: Network, parameters: Parameters | None, W: Any, X: Array, Y: Array | None, weights: Array | None) -> None:
    if Y is not None:
        check_labels(network, X, Y)
    arrays = {"the parameters": W, "X": X, "Y": Y, "weights": weights}
    check_floating(**arrays)
    check_together(**arrays)
    if Y is not None:
        check_precision(Y)
    stacked = tuple(W.shape[:-_MATRIX])
    if parameters is not None:
        _check_layers(network, parameters, stacked)
    _check_columns("X", X, network.sizes[0], stacked, "layer 1 reads", "feature")
    if Y is not None:
        _check_columns("Y", Y, network.sizes[-1], stacked, "the output layer has", "unit")
        if Y.shape[-1] != X.shape[-1]:
            raise ShapeError(f"Y must have a column for each of X's {X.shape[-1]} examples, got {Y.shape[-1]}")
        if Y.shape[-1] == 0:
            raise ShapeError("X and Y must have at least one example, got none: a mean over no examples is undefined")
    if weights is not None and tuple(weights.shape) not in ((X.shape[-1],), (*stacked, X.shape[-1])):
        raise ShapeError(f"weights must have shape {(X.shape[-1],)}, one for each example, got {tuple(weights.shape)}")


def fitting(
    network: Network, parameters: Parameters, X: Array, Y: Array | None = None, weights: Array | None = None
) -> tuple[Parameters, Any, Any, Any]:
    """Return arrays as the equations compute with them (:func:`mlpxp.arrays.backend.plain`), if they fit the network and each other.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        As :func:`check_shapes`.
    DataError
        Some of their numbers are masked.
    """
    check_layers(network, parameters)
    parameters, X = plain_layers(parameters), plain("X", X)
    Y, weights = None if Y is None else plain("Y", Y), None if weights is None else plain("weights", weights)
    _check_arrays(network, parameters, parameters[0].W, X, Y, weights)
    return parameters, X, Y, weights


def plain_layers(parameters: Parameters) -> Parameters:
    """Return parameters as the equations compute with them; the same tuple where they are so already, as nearly always."""
    for W, b in parameters:
        if plain("a parameter", W) is not W or plain("a parameter", b) is not b:
            return tuple(Layer(W=plain("W", W), b=plain("b", b)) for W, b in parameters)
    return parameters


def check_labels(network: Network, X: object, Y: object, name: str = "Y") -> None:
    """Refuse one label an example, (m,) or (1, m), where the loss wants a distribution, and say how to make one of it.

    Raises
    ------
    ShapeError
    """
    of_x, shape = (tuple(getattr(array, "shape", ())) for array in (X, Y))
    if network.loss.expects == "distribution" and shape and shape in (of_x[-1:], (1, *of_x[-1:])):
        n, join = network.sizes[-1], "stack" if len(shape) == 1 else "concat"
        raise ShapeError(
            f"{name} must have shape {(n, *of_x[-1:])}, a distribution a column, got {shape}: {network.loss.name} wants labels from 0 "
            f"one-hot, xp.astype(xp.{join}([labels == k for k in range({n})]), X.dtype)"
        )


def check_precision(Y: Array) -> None:
    """Refuse targets of half precision: a cost and its gradient are sums, and 65,504 is float16's largest number.

    Raises
    ------
    DtypeError
    """
    if dtype_name(Y) in _HALF:
        raise DtypeError(
            f"Y must be float32 or float64 for a cost and its gradient, got {dtype_name(Y)}: their sums overflow in it, or have too few "
            "digits; convert all arrays with xp.astype(..., xp.float32)"
        )


def check_layers(network: Network, parameters: Parameters) -> Any:
    """Refuse parameters that are not as many layers as the network has; return the first weights, which the others have to match."""
    if len(parameters) != len(network.shapes):
        raise ShapeError(
            f"parameters must have {len(network.shapes)} layers, got {len(parameters)}: the network's sizes are {network.sizes}"
        )
    if not all(isinstance(layer, Layer) for layer in parameters):
        raise ShapeError(f"parameters must be a tuple of Layer(W, b), got {type(parameters[0]).__name__} in it")
    return parameters[0].W


def _check_layers(network: Network, parameters: Parameters, stacked: tuple[int, ...]) -> None:
    dtype = parameters[0].W.dtype
    for number, ((W, b), (n, n_in)) in enumerate(zip(parameters, network.shapes, strict=True), start=1):
        if W.dtype != dtype or tuple(W.shape) != (*stacked, n, n_in):
            raise _misfit(network, f"W_{number}", W, (*stacked, n, n_in), dtype)
        if b.dtype != dtype or tuple(b.shape) != (*stacked, n, 1):
            raise _misfit(network, f"b_{number}", b, (*stacked, n, 1), dtype)


def _misfit(network: Network, name: str, array: Array, wanted: tuple[int, ...], dtype: Any) -> ShapeError | DtypeError:
    if array.dtype != dtype:
        return DtypeError(f"{name} must have the dtype of W_1, {dtype}, got {array.dtype}")
    return ShapeError(f"{name} must have shape {wanted}, got {tuple(array.shape)}: the network's sizes are {network.sizes}")


def _check_columns(name: str, array: Array, rows: int, stacked: tuple[int, ...], why: str, noun: str) -> None:
    shape = tuple(array.shape)
    if len(shape) < _MATRIX or shape[-_MATRIX] != rows or shape[:-_MATRIX] not in ((), stacked):
        wanted = f"({rows}, m)" + (f" or ({', '.join(map(str, stacked))}, {rows}, m)" if stacked else "")
        transposed = ": one example a column, so this may want its transpose" if len(shape) == _MATRIX and shape[-1] == rows else ""
        raise ShapeError(f"{name} must have shape {wanted}, got {shape}: {why} {_count(rows, noun)}{transposed}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
