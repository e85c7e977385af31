"""What training asks for at the door: options in their range, and values that can be learnt from."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpxp.arrays.placing import beside_its_arrays
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.scalars import FROM_0, POSITIVE, flag, real_number, told, whole_number
from mlpxp.arrays.standard import Array, check_floating, dtype_name, namespace, tree_leaves
from mlpxp.core.shapes import check_labels, check_layers, check_precision, check_shapes
from mlpxp.errors import DataError, RangeError, ScaleWarning, ShapeError
from mlpxp.runs.history import TrainingResult

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = ["Numbers", "check_examples", "check_keeping", "check_kinds", "check_options", "finite_members", "outside", "warn_of_scale"]


_TOO_FAR = 2.0**19  # in float32, see warn_of_scale
_LOOKED_AT = 2**16  # numbers, of at most 1024 examples


class Numbers(NamedTuple):
    """The options of :func:`mlpxp.train` that are numbers, as plain ones."""

    epochs: int
    batch_size: int | None
    tolerance: float | None
    patience: int | None
    penalty: float
    clip_norm: float | None
    max_seconds: float | None


def check_options(
    *,
    optimizer: object,
    epochs: object,
    batch_size: object,
    validation: object,
    tolerance: object,
    patience: object,
    start: object,
    penalty: object,
    max_seconds: object,
    callbacks: object,
    penalty_on: object = "mean",
    clip_norm: object = None,
    order: object = None,
) -> Numbers:
    """Refuse options of :func:`mlpxp.train` that are out of range, and return those that are numbers.

    Raises
    ------
    RangeError
    """
    if not (hasattr(optimizer, "start") and hasattr(optimizer, "update")) or isinstance(optimizer, type):
        raise RangeError(f"optimizer must be an optimizer such as GradientDescent(0.1) or Adam(), got {told(optimizer)}")
    if not isinstance(callbacks, Sequence) or not all(callable(callback) for callback in callbacks):
        raise RangeError(f"callbacks must be a sequence of callables, got {told(callbacks)}")
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) in {2, 3}):
        raise RangeError(f"validation must be (X, Y) or (X, Y, weights), got {type(validation).__name__}")
    if not (start is None or isinstance(start, TrainingResult | tuple)):
        raise RangeError(f"start must be a tuple of layers or an earlier TrainingResult, got {type(start).__name__}")
    if not isinstance(penalty_on, str) or penalty_on not in {"mean", "sum"}:
        raise RangeError(f"penalty_on must be 'mean' or 'sum', got {told(penalty_on)}")
    if not (order is None or callable(order)):
        raise RangeError(f"order must be a callable, order(epoch), got {type(order).__name__}")
    return Numbers(
        epochs=whole_number("epochs", epochs),
        batch_size=None if batch_size is None else whole_number("batch_size", batch_size),
        tolerance=None if tolerance is None else real_number("tolerance", tolerance, FROM_0),
        patience=None if patience is None else whole_number("patience", patience),
        penalty=real_number("penalty", penalty, FROM_0),
        clip_norm=None if clip_norm is None else real_number("clip_norm", clip_norm, POSITIVE),
        max_seconds=None if max_seconds is None else real_number("max_seconds", max_seconds, FROM_0),
    )


def check_keeping(*, checkpoint: object, every: object, every_seconds: object, resume: object) -> tuple[int | None, float | None, bool]:
    """Refuse options of :func:`mlpxp.train` about checkpoints that are out of range; return ``every``, ``every_seconds`` and ``resume``.

    Raises
    ------
    RangeError
    """
    if not (checkpoint is None or isinstance(checkpoint, str | os.PathLike)):
        raise RangeError(f"checkpoint must be the name of a file, got {type(checkpoint).__name__}")
    resume = flag("resume", resume)
    for name, value in (("every", every), ("every_seconds", every_seconds), ("resume", resume or None)):
        if value is not None and checkpoint is None:
            raise RangeError(f"{name} needs checkpoint, the name of a file")
    return (
        None if every is None else whole_number("every", every),
        None if every_seconds is None else real_number("every_seconds", every_seconds, FROM_0),
        resume,
    )


def finite_members(library: Backend, tree: Any) -> Any:
    """Return whether all numbers of a network's arrays are finite, () or (k,) for a stack: on the host, where nothing is compiled."""
    finite: Any = True
    for leaf in map(library.to_numpy, tree_leaves(tree)):
        xp = namespace(leaf)
        finite = finite & xp.all(xp.isfinite(leaf), axis=(-2, -1))
    return finite


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
        _check_weights(library.to_numpy(weights).astype("float64"), names[2], weights)


def _check_weights(values: Any, name: str, weights: Array) -> None:
    """Refuse weights, on the host as float64, that have no mean, or whose sum or its reciprocal has no normal number in their own dtype."""
    xp = namespace(values)
    if not xp.all(xp.isfinite(values)) or xp.any(values < 0.0):
        raise DataError(f"{name} must be finite and not negative")
    if not xp.any(values > 0.0):
        raise DataError(f"{name} must not all be zero: there would be nothing to learn from")
    largest, least = float(xp.max(values)), float(namespace(weights).finfo(weights.dtype).smallest_normal)
    total = largest * float(xp.sum(values / largest))  # may be infinite, and no warning then
    if not least <= total <= 1.0 / least:
        raise DataError(
            f"{name} must add up to a number from {least:.3g} to {1.0 / least:.3g} in {dtype_name(weights)}, got {total:.3g}: "
            "divide them by the largest, which changes no mean"
        )


def warn_of_scale(library: Backend, X: Array | Rows, dtype: str) -> None:
    """Warn of a feature for whose scale float32 has too few digits; looks at up to 1024 examples, evenly spaced.

    A layer's z is a sum of w·x, where w begins near 1/√n and activations change over a distance of about 1 in z. In float32 a product is
    rounded by up to u = 2⁻²⁴ of itself, so a feature of size x moves z by u·x. From x = 2¹⁹ (524,288) on that is 1/32: three hundredths
    of the range over which a sigmoid changes are noise. What a feature says is how it varies, so the same holds of one that is stored
    as 2¹⁹ of its standard deviations: its own digits are gone. float64 has u = 2⁻⁵³, and nothing is said of it. Below these sizes bad
    scales make training slow, but it is not rounding that hinders it.

    Warns
    -----
    ScaleWarning
    """
    if dtype != "float32":
        return
    n, m = X.shape[-2:]
    step = max(1, -(-m // min(1024, max(2, _LOOKED_AT // max(1, n)))))
    values = X.take(slice(None, None, step)).T if isinstance(X, Rows) else library.to_numpy(X[..., ::step])
    values = values.astype("float64")
    reach = abs(values).max(axis=-1)
    spread = values.std(axis=-1)
    bad = (reach >= _TOO_FAR) | ((spread > 0.0) & (reach >= _TOO_FAR * spread))
    if not bad.any():
        return
    place = tuple(int(axis[0]) for axis in bad.nonzero())
    more = f", and {bad.sum() - 1:,} more" if bad.sum() > 1 else ""
    warnings.warn(
        f"feature {place[-1]} of X (counted from 0{more}) reaches {reach[place]:.3g} and has a standard deviation of {spread[place]:.3g}: "
        "float32 rounds away what is to be learnt from it; standardise it, (x - mean) / deviation, or train in float64",
        ScaleWarning,
        stacklevel=outside(),
    )


def outside() -> int:
    """Return the stack level, for a warning of the caller's, at which the library was entered (scikit-learn's wrappers count as inside)."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in {"mlpxp", "sklearn"}:
        level, frame = level + 1, frame.f_back
    return level


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
