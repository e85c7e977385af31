"""What the heart asks of what it is given, checked at the doors: shapes and dtypes everywhere, and where they are read once, values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import plain
from mlpxp.arrays.placing import beside_its_arrays
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import Array, check_floating, check_together, dtype_name, namespace, tree_leaves
from mlpxp.core.network import Layer
from mlpxp.errors import DataError, DtypeError, ShapeError

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = [
    "check_examples",
    "check_kinds",
    "check_labels",
    "check_layers",
    "check_precision",
    "check_shapes",
    "check_weights",
    "finite_members",
    "fitting",
    "plain_layers",
]

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


def check_kinds(network: Network, X: Array | Rows, Y: Array) -> None:
    """Refuse X and Y whose dtypes no parameters can be drawn for, and labels in the place of distributions.

    Raises
    ------
    ShapeError, DtypeError, BackendError
    """
    check_labels(network, X, Y)
    check_floating(X=None if isinstance(X, Rows) else X, Y=Y)
    check_precision(Y)


@beside_its_arrays
def check_examples(
    network: Network, library: Backend, parameters: Parameters, examples: tuple[Array, Array, Array | None], *, names: tuple[str, str, str]
) -> None:
    """Refuse examples that don't fit the network, or that hold values that can't be learnt from. Reads the values once.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit.
    DataError
        NaN or infinity, targets that the loss has no meaning for, or weights that are negative or all zero.
    """
    X, Y, weights = examples
    check_labels(network, X, Y, names[1])
    xp = namespace(Y)
    if isinstance(X, Rows):
        X.check(names[0], dtype_name(Y))
        X = xp.broadcast_to(Y[:1, :1] * 0.0, X.shape)  # of the same shape, and no memory
    check_floating(**dict(zip(("the parameters", *names), (check_layers(network, parameters), X, Y, weights), strict=True)))
    check_shapes(network, parameters, X, Y, weights)
    for number, layer in enumerate(parameters, start=1):
        if not finite_members(library, layer).all():
            raise DataError(f"parameters to start from must be finite, got NaN or infinity in layer {number}")
    for name, array in zip(names[:2], (X, Y), strict=True):
        if not xp.isfinite(xp.sum(array)) and not xp.all(xp.isfinite(array)):  # a sum needs no memory, but may overflow
            row, example = _first(library, ~xp.isfinite(array))
            raise DataError(f"{name} must be finite, got {library.to_numpy(array[..., row, example])} in row {row} of example {example}")
    wrong, wanted = _wrong_targets(network, xp, Y)
    if wrong is not None and xp.any(wrong):
        _, example = _first(library, wrong)
        got = library.to_numpy(Y[..., :, example]).tolist()
        raise DataError(f"{names[1]} must hold {wanted}, got {got} for example {example}: {network.loss.name} needs it")
    if weights is not None:
        if weights.ndim != 1:
            raise ShapeError(f"{names[2]} must have shape {(X.shape[-1],)}, one for each example, got {tuple(weights.shape)}")
        check_weights(library.to_numpy(weights).astype("float64"), names[2], weights)


def finite_members(library: Backend, tree: Any) -> Any:
    """Return whether all numbers of a network's arrays are finite, () or (k,) for a stack: on the host, where nothing is compiled."""
    finite: Any = True
    for leaf in map(library.to_numpy, tree_leaves(tree)):
        xp = namespace(leaf)
        finite = finite & xp.all(xp.isfinite(leaf), axis=(-2, -1))
    return finite


def check_weights(values: Any, name: str, weights: Array) -> None:
    """Refuse weights, on the host as float64, that have no mean, or whose sum or its reciprocal has no normal number in their own dtype."""
    xp = namespace(values)
    if not xp.all(xp.isfinite(values)) or xp.any(values < 0.0):
        raise DataError(f"{name} must be finite and not negative")
    if not xp.all(xp.any(values > 0.0, axis=-1)):
        raise DataError(f"{name} must not all be zero: a mean over nothing is undefined")
    largest, least = float(xp.max(values)), float(namespace(weights).finfo(weights.dtype).smallest_normal)
    shares = xp.sum(values / largest, axis=-1)
    for total in (largest * float(xp.min(shares)), largest * float(xp.max(shares))):  # may be infinite, and no warning then
        if not least <= total <= 1.0 / least:
            raise DataError(
                f"{name} must add up to a number from {least:.3g} to {1.0 / least:.3g} in {dtype_name(weights)}, got {total:.3g}: "
                "divide them by the largest, which changes no mean"
            )


def _wrong_targets(network: Network, xp: Any, Y: Any) -> tuple[Any, str]:
    if network.loss.expects == "positive":
        return Y < 0.0, "counts or amounts, not negative"
    if network.loss.expects == "probability":
        return (Y < 0.0) | (Y > 1.0), "probabilities, from 0 to 1"
    if network.loss.expects == "distribution":
        off = xp.abs(xp.sum(Y, axis=-2, keepdims=True) - 1.0) > 1e-4
        return (Y < 0.0) | off, "one distribution an example, adding up to 1"
    return None, ""


def _first(library: Backend, where: Any) -> tuple[int, int]:
    """Return the row and the example of the first true entry."""
    position = library.to_numpy(where).nonzero()
    return int(position[-2][0]), int(position[-1][0])
