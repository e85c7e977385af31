"""Dual numbers a + bε with ε² = 0: each array carries its derivative along one direction, exact to rounding (forward mode).

>>> import numpy as np
>>> from mlpxp import Layer, Network, cost, forward
>>> from mlpxp.instruments.dual import constant, dual, tangent
>>> network = Network((1, 1), output="identity")  # C = ½(wx + b - y)²
>>> W, b, x, y = (np.full((1, 1), number) for number in (2.0, 1.0, 3.0, 5.0))
>>> parameters = (Layer(dual(W, np.ones((1, 1))), constant(b)),)
>>> C = cost(network, forward(network, parameters, constant(x)), constant(y))
>>> float(tangent(C))  # ∂C/∂w = (wx + b - y)x
6.0

Where one formula takes over from another, the same side is taken throughout: max(a, b) is a where a > b and b elsewhere, min(a, b)
the other one, and |a| is max(a, -a). So what is smooth as a whole has its derivative there too, ln(1 + e^z) at 0 for one.
A derivative that is zero because nothing depends on the direction is ``None`` and costs nothing.
"""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import namespace
from mlpxp.errors import DtypeError
from mlpxp.instruments._lifting import COMPARISONS, CREATION, LINEAR, LOGICAL, STEPWISE, Instrument, Lifted, call, to_host

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["constant", "dual", "tangent"]


def dual(array: Any, tangent: Any) -> Lifted:
    """Return ``array`` + ``tangent`` ε; the tangent has its shape and dtype."""
    return Lifted(_dual(namespace(array)), array, tangent)


def constant(array: Any) -> Lifted:
    """Return an array as dual numbers that depend on nothing."""
    return dual(array, None)


def tangent(lifted: Lifted) -> Any:
    """Return b of a + bε, zeros where nothing depended on the direction."""
    return lifted.xp.xp.zeros_like(lifted.array) if lifted.beside is None else lifted.beside


@cache
def _dual(xp: Any) -> Instrument:
    return Instrument("dual numbers", xp, _FUNCTIONS)


def _lift(xp: Instrument, array: Any, tangent: Any = None) -> Lifted:
    if tangent is not None and tuple(tangent.shape) != tuple(array.shape):
        tangent = xp.xp.broadcast_to(tangent, tuple(array.shape))
    return Lifted(xp, array, tangent)


def _added(a: Any, b: Any) -> Any:
    """a + b, of which either can be missing."""
    return b if a is None else a if b is None else a + b


def _constant_function(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A function that is constant wherever it is differentiable."""
    return _lift(xp, call(xp.xp, name, *map(xp.bare, args), **options))


def _made(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A new array, of the shape of another or of a shape that is given."""
    return _lift(xp, getattr(xp.xp, name)(xp.bare(args[0]), *args[1:], **options))


def _linear(name: str, xp: Instrument, x: Any, /, *args: Any, **options: Any) -> Lifted:
    """A function of one array that only moves or adds its entries."""
    function, t = getattr(xp.xp, name), xp.beside(x)
    args = tuple(map(xp.bare, args))
    return _lift(xp, function(xp.bare(x), *args, **options), None if t is None else function(t, *args, **options))


def _unary(name: str, slope: Callable[[Any, Any, Any], Any], xp: Instrument, x: Any, /) -> Lifted:
    a, t = xp.bare(x), xp.beside(x)
    y = call(xp.xp, name, a)
    return _lift(xp, y, None if t is None else t * slope(xp.xp, a, y))


def _binary(name: str, slopes: Callable[[Any, Any, Any, Any], tuple[Any, Any]], xp: Instrument, x1: Any, x2: Any, /) -> Lifted:
    a, b, s, t = xp.bare(x1), xp.bare(x2), xp.beside(x1), xp.beside(x2)
    y = call(xp.xp, name, a, b)
    if s is None and t is None:
        return _lift(xp, y)
    along_a, along_b = slopes(xp.xp, a, b, y)
    return _lift(xp, y, _added(None if s is None else along_a(s), None if t is None else along_b(t)))


def _matmul(xp: Instrument, x1: Any, x2: Any, /) -> Lifted:
    a, b, s, t = xp.bare(x1), xp.bare(x2), xp.beside(x1), xp.beside(x2)
    return _lift(xp, a @ b, _added(None if s is None else s @ b, None if t is None else a @ t))


def _pow(xp: Instrument, x1: Any, x2: Any, /) -> Lifted:
    a, b, s, t = xp.bare(x1), xp.bare(x2), xp.beside(x1), xp.beside(x2)
    y = a**b
    of_base = None if s is None else s * (b * a ** (b - 1))
    of_exponent = None if t is None else t * (y * (math.log(a) if isinstance(a, int | float) else xp.xp.log(a)))
    return _lift(xp, y, _added(of_base, of_exponent))


def _where(xp: Instrument, condition: Any, x1: Any, x2: Any, /) -> Lifted:
    where, condition, s, t = xp.xp.where, xp.bare(condition), xp.beside(x1), xp.beside(x2)
    tangent = None if s is None and t is None else where(condition, 0.0 if s is None else s, 0.0 if t is None else t)
    return _lift(xp, where(condition, xp.bare(x1), xp.bare(x2)), tangent)


def _extreme(name: str, xp: Instrument, x1: Any, x2: Any, /) -> Lifted:
    a, b = xp.bare(x1), xp.bare(x2)
    chosen = _where(xp, a > b, x1, x2) if name == "maximum" else _where(xp, a > b, x2, x1)
    return _lift(xp, getattr(xp.xp, name)(a, b), chosen.beside)  # the library's own value: it lets NaN through


def _clip(xp: Instrument, x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - the standard's names
    x = x if min is None else _extreme("maximum", xp, x, min)
    return x if max is None else _extreme("minimum", xp, x, max)


def _abs(xp: Instrument, x: Any, /) -> Lifted:
    a, t = xp.bare(x), xp.beside(x)
    return _lift(xp, call(xp.xp, "abs", a), None if t is None else xp.xp.where(a > 0.0, t, -t))


def _largest(name: str, xp: Instrument, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Lifted:
    """The maximum or minimum of each line; where several entries are it, the mean of their derivatives."""
    a, t = xp.bare(x), xp.beside(x)
    y = getattr(xp.xp, name)(a, axis=axis, keepdims=keepdims)
    if t is None:
        return _lift(xp, y)
    best = getattr(xp.xp, name)(a, axis=axis, keepdims=True)
    chosen = xp.xp.astype(~(a < best) if name == "max" else ~(a > best), a.dtype)  # of NaN all are
    total = partial(xp.xp.sum, axis=axis, keepdims=keepdims)
    return _lift(xp, y, total(chosen * t) / total(chosen))


def _joined(name: str, xp: Instrument, arrays: Any, /, **options: Any) -> Lifted:
    bare, tangents = [xp.bare(x) for x in arrays], [xp.beside(x) for x in arrays]
    joined = getattr(xp.xp, name)(bare, **options)
    if all(t is None for t in tangents):
        return _lift(xp, joined)
    tangents = [xp.xp.zeros_like(a) if t is None else t for a, t in zip(bare, tangents, strict=True)]
    return _lift(xp, joined, getattr(xp.xp, name)(tangents, **options))


def _broadcast_arrays(xp: Instrument, /, *arrays: Any) -> list[Lifted]:
    return [_lift(xp, a, xp.beside(x)) for a, x in zip(xp.xp.broadcast_arrays(*map(xp.bare, arrays)), arrays, strict=True)]


def _astype(xp: Instrument, x: Any, dtype: Any, /, **options: Any) -> Lifted:
    a, t = xp.bare(x), xp.beside(x)
    keeps = t is not None and xp.isdtype(dtype, "real floating")
    return _lift(xp, xp.xp.astype(a, dtype, **options), xp.xp.astype(t, dtype, **options) if keeps else None)


def _asarray(xp: Instrument, values: Any, /, *, dtype: Any = None, **options: Any) -> Any:
    if isinstance(values, Lifted) and values.xp is xp:
        return values if dtype is None or dtype == values.dtype else _astype(xp, values, dtype)
    return _lift(xp, xp.xp.asarray(values, dtype=dtype, **options))


def _getitem(xp: Instrument, x: Lifted, key: Any, /) -> Lifted:
    key = xp.bare(key)
    return _lift(xp, x.array[key], None if x.beside is None else x.beside[key])


def _to_host(xp: Instrument, x: Lifted, /) -> Any:
    if x.beside is not None:
        raise DtypeError("a dual number can't be turned into a float: its derivative would be lost")
    return to_host(x.array)


def _squared_secant(t: Any) -> Any:
    """1 / cosh² x of t = e^{-|x|}."""
    secant = 2.0 * t / (1.0 + t * t)
    return secant * secant


_UNARY: dict[str, Callable[[Any, Any, Any], Any]] = {  # name: (xp, a, y = f(a)) -> f'(a)
    "negative": lambda xp, a, y: -1.0,
    "positive": lambda xp, a, y: 1.0,
    "square": lambda xp, a, y: 2.0 * a,
    "reciprocal": lambda xp, a, y: -(y * y),
    "sqrt": lambda xp, a, y: 0.5 / y,
    "exp": lambda xp, a, y: y,
    "expm1": lambda xp, a, y: xp.exp(a),
    "log": lambda xp, a, y: 1.0 / a,
    "log1p": lambda xp, a, y: 1.0 / (1.0 + a),
    "log2": lambda xp, a, y: 1.0 / (math.log(2.0) * a),
    "log10": lambda xp, a, y: 1.0 / (math.log(10.0) * a),
    "sin": lambda xp, a, y: xp.cos(a),
    "cos": lambda xp, a, y: -xp.sin(a),
    "tan": lambda xp, a, y: 1.0 + y * y,
    "asin": lambda xp, a, y: 1.0 / xp.sqrt(1.0 - a * a),
    "acos": lambda xp, a, y: -1.0 / xp.sqrt(1.0 - a * a),
    "atan": lambda xp, a, y: 1.0 / (1.0 + a * a),
    "sinh": lambda xp, a, y: xp.cosh(a),
    "cosh": lambda xp, a, y: xp.sinh(a),
    "tanh": lambda xp, a, y: _squared_secant(xp.exp(-xp.abs(a))),  # 1 - y² loses its digits where y is close to ±1
    "asinh": lambda xp, a, y: 1.0 / xp.sqrt(a * a + 1.0),
    "acosh": lambda xp, a, y: 1.0 / xp.sqrt(a * a - 1.0),
    "atanh": lambda xp, a, y: 1.0 / (1.0 - a * a),
}
_BINARY: dict[str, Callable[[Any, Any, Any, Any], tuple[Any, Any]]] = {  # name: (xp, a, b, y = f(a, b)) -> what each tangent contributes
    "add": lambda xp, a, b, y: (lambda s: s, lambda t: t),
    "subtract": lambda xp, a, b, y: (lambda s: s, lambda t: -t),
    "multiply": lambda xp, a, b, y: (lambda s: s * b, lambda t: a * t),
    "divide": lambda xp, a, b, y: (lambda s: s / b, lambda t: -(y * t / b)),
    "logaddexp": lambda xp, a, b, y: (lambda s: s * xp.exp(a - y), lambda t: t * xp.exp(b - y)),
    "hypot": lambda xp, a, b, y: (lambda s: s * a / y, lambda t: t * b / y),
}

_PLACES = ("argmax", "argmin", "all", "any")

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: partial(_unary, name, slope) for name, slope in _UNARY.items()},
    **{name: partial(_binary, name, slopes) for name, slopes in _BINARY.items()},
    **{name: partial(_linear, name) for name in LINEAR},
    **{name: partial(_constant_function, name) for name in (*COMPARISONS, *LOGICAL, *STEPWISE, *_PLACES)},
    **{name: partial(_made, name) for name in CREATION},
    **{name: partial(_extreme, name) for name in ("maximum", "minimum")},
    **{name: partial(_largest, name) for name in ("max", "min")},
    **{name: partial(_joined, name) for name in ("stack", "concat")},
    "matmul": _matmul,
    "pow": _pow,
    "where": _where,
    "clip": _clip,
    "abs": _abs,
    "astype": _astype,
    "asarray": _asarray,
    "broadcast_arrays": _broadcast_arrays,
    "__getitem__": _getitem,
    "__array__": _to_host,
}
