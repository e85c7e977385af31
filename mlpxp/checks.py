"""What training asks for at the door: options in their range, and values that can be learnt from."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from mlpxp.arrays import Array, check_floating, namespace
from mlpxp.errors import DataError, RangeError, ScaleWarning, ShapeError
from mlpxp.history import TrainingResult
from mlpxp.shapes import check_labels, check_layers, check_precision, check_shapes, check_whole
from mlpxp.streaming import Rows

if TYPE_CHECKING:
    from mlpxp.backend import Backend
    from mlpxp.network import Network, Parameters

__all__ = ["check_examples", "check_keeping", "check_kinds", "check_options", "warn_of_scale"]


_TOO_FAR = 2.0**19  # in float32, see warn_of_scale
_LOOKED_AT = 2**16  # numbers, of at most 1024 examples


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
) -> None:
    """Refuse options of :func:`mlpxp.train` that are out of range.

    Raises
    ------
    RangeError
    """
    if not (hasattr(optimizer, "start") and hasattr(optimizer, "update")) or isinstance(optimizer, type):
        raise RangeError(f"optimizer must be an optimizer such as GradientDescent(0.1) or Adam(), got {optimizer!r}")
    if not isinstance(callbacks, Sequence) or not all(callable(callback) for callback in callbacks):
        raise RangeError(f"callbacks must be a sequence of callables, got {callbacks!r}")
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) in {2, 3}):
        raise RangeError(f"validation must be (X, Y) or (X, Y, weights), got {type(validation).__name__}")
    if not (start is None or isinstance(start, TrainingResult | tuple)):
        raise RangeError(f"start must be a tuple of layers or an earlier TrainingResult, got {type(start).__name__}")
    check_whole("epochs", epochs)
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    if patience is not None:
        check_whole("patience", patience)
    if penalty_on not in {"mean", "sum"}:
        raise RangeError(f"penalty_on must be 'mean' or 'sum', got {penalty_on!r}")
    if not (order is None or callable(order)):
        raise RangeError(f"order must be a callable, order(epoch), got {type(order).__name__}")
    if clip_norm is not None and (not isinstance(clip_norm, Real) or isinstance(clip_norm, bool) or not 0.0 < float(clip_norm) < math.inf):
        raise RangeError(f"clip_norm must be a number above 0, got {clip_norm!r}")
    for name, value in (("tolerance", tolerance), ("penalty", penalty), ("max_seconds", max_seconds)):
        if value is not None or name == "penalty":
            _check_number(name, value)


def check_keeping(*, checkpoint: object, every: object, every_seconds: object, resume: object) -> None:
    """Refuse options of :func:`mlpxp.train` about checkpoints that are out of range.

    Raises
    ------
    RangeError
    """
    if not (checkpoint is None or isinstance(checkpoint, str | os.PathLike)):
        raise RangeError(f"checkpoint must be the name of a file, got {type(checkpoint).__name__}")
    if not isinstance(resume, bool):
        raise RangeError(f"resume must be True or False, got {resume!r}")
    for name, value in (("every", every), ("every_seconds", every_seconds), ("resume", resume or None)):
        if value is not None and checkpoint is None:
            raise RangeError(f"{name} needs checkpoint, the name of a file")
    if every is not None:
        check_whole("every", every)
    if every_seconds is not None:
        _check_number("every_seconds", every_seconds)


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0.0 <= float(value) < math.inf:
        raise RangeError(f"{name} must be a number from 0, got {value!r}")


def check_kinds(network: Network, X: Array | Rows, Y: Array) -> None:
    """Refuse X and Y whose dtypes no parameters can be drawn for, and labels in the place of distributions.

    Raises
    ------
    ShapeError, DtypeError, BackendError
    """
    check_labels(network, X, Y)
    check_floating(X=None if isinstance(X, Rows) else X, Y=Y)
    check_precision(Y)


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
        X.check(names[0])
        X = xp.broadcast_to(Y[:1, :1] * 0.0, X.shape)  # of the same shape, and no memory
    check_floating(**dict(zip(("the parameters", *names), (check_layers(network, parameters), X, Y, weights), strict=True)))
    check_shapes(network, parameters, X, Y, weights)
    for number, layer in enumerate(parameters, start=1):
        if not (xp.all(xp.isfinite(layer.W)) and xp.all(xp.isfinite(layer.b))):
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
        if not xp.all(xp.isfinite(weights)) or xp.any(weights < 0.0):
            raise DataError(f"{names[2]} must be finite and not negative")
        if not xp.any(weights > 0.0):
            raise DataError(f"{names[2]} must not all be zero: there would be nothing to learn from")


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
        stacklevel=_outside(),
    )


def _outside() -> int:
    """The stack level at which :func:`warn_of_scale` was entered from outside the library (scikit-learn's wrappers count as inside)."""
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
