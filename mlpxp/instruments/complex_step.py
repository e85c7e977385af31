"""The complex step: an array carries its derivative in its imaginary part, f'(x) ≈ Im f(x + ih) / h (Squire and Trapp 1998).

Nothing is subtracted, so nothing cancels: with h² below rounding the derivative is as exact as the function. The arrays are the
library's own complex ones, but they say that they are real, and what orders numbers looks at the real part alone: comparisons,
maximum and minimum, |z| and sorting out branches. As in :mod:`mlpxp.instruments.dual` max(a, b) is a where a > b and b elsewhere,
min(a, b) the other one, |a| = max(a, -a). Whether the result is the derivative is up to the function: it has to be analytic,
as the whole that the branches make.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import namespace
from mlpxp.errors import BackendError, DtypeError
from mlpxp.instruments._lifting import COMPARISONS, CREATION, LINEAR, LOGICAL, STEPWISE, Instrument, Lifted, call, to_host

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["imaginary", "lift"]


def lift(array: Any, imaginary: Any = None) -> Lifted:
    """Return ``array`` + i ``imaginary`` as an array that says it is real.

    Raises
    ------
    BackendError
        The array's library has no complex numbers.
    """
    xp = namespace(array)
    if not hasattr(xp, "complex128"):
        raise BackendError(f"the complex step needs complex numbers, and {xp.__name__} has none")
    instrument = _complex_step(xp)
    Z = _complex(xp, array)
    return Lifted(instrument, Z if imaginary is None else Z + 1j * _complex(xp, imaginary))


def imaginary(lifted: Lifted) -> Any:
    """Return the imaginary part."""
    xp = lifted.xp.xp
    return xp.imag(lifted.array)


@cache
def _complex_step(xp: Any) -> Instrument:
    return Instrument("complex step", xp, _FUNCTIONS, dtype=_real_dtype)


def _is_complex(xp: Any, array: Any) -> bool:
    return bool(xp.isdtype(array.dtype, "complex floating"))


def _real_dtype(xp: Instrument, array: Any) -> Any:
    return _real_form(xp.xp, array.dtype == xp.complex64) if _is_complex(xp, array) else array.dtype


@cache
def _real_form(xp: Any, single: bool) -> Any:
    """The dtype that an array has, which need not be what the library calls it by: ``numpy.float32`` is a type."""
    return xp.zeros((), dtype=xp.float32 if single else xp.float64).dtype


def _complex_dtype(xp: Any, dtype: Any) -> Any:
    return xp.complex64 if dtype == xp.float32 else xp.complex128


def _complex(xp: Any, array: Any) -> Any:
    return xp.astype(array, _complex_dtype(xp, array.dtype)) if xp.isdtype(array.dtype, "real floating") else array


def _real(xp: Instrument, value: Any) -> Any:
    bare = xp.bare(value)
    return xp.xp.real(bare) if hasattr(bare, "dtype") and _is_complex(xp, bare) else bare


def _forwarded(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A function that complex numbers have, and that is analytic (or moves numbers without looking at them)."""
    if options.get("dtype") is not None:
        options["dtype"] = _complex_dtype(xp, options["dtype"])
    return Lifted(xp, call(xp.xp, name, *map(xp.bare, args), **options))


def _on_real_part(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A function that orders numbers, and returns truths or places."""
    return Lifted(xp, call(xp.xp, name, *(_real(xp, arg) for arg in args), **options))


def _within_domain(name: str, xp: Instrument, x: Any, /) -> Lifted:
    """A function that real numbers don't have everywhere: NaN where its real form is, and not the complex value."""
    function = getattr(xp.xp, name)
    return _nan_where_real(xp, function(_real(xp, x)), function(xp.bare(x)))


def _log1p(xp: Instrument, x: Any, /) -> Lifted:
    """ln(1 + a + ib) = ln(1 + a) + ln(1 + ib/(1 + a)): the libraries' own are inexact, or NaN, where a is small."""
    a, b = _real(xp, x), xp.xp.imag(xp.bare(x))
    return Lifted(xp, xp.xp.log1p(a) + xp.xp.log(1.0 + 1j * _complex(xp.xp, b / (1.0 + a))))


def _pow(xp: Instrument, x1: Any, x2: Any, /) -> Any:
    if isinstance(x2, int | float) and float(x2).is_integer() and abs(x2) <= 64:  # the library's e^{b ln a} is inexact where a < 0
        power = Lifted(xp, xp.xp.ones_like(xp.bare(x1)))
        for _ in range(abs(int(x2))):
            power = power * x1
        return power if x2 >= 0 else 1.0 / power
    base = x1 if isinstance(x1, Lifted) else Lifted(xp, xp.xp.full_like(xp.bare(x2), x1))
    return _forwarded("exp", xp, x2 * _within_domain("log", xp, base))


def _where(xp: Instrument, condition: Any, x1: Any, x2: Any, /) -> Lifted:
    return Lifted(xp, xp.xp.where(xp.bare(condition), xp.bare(x1), xp.bare(x2)))


def _extreme(name: str, xp: Instrument, x1: Any, x2: Any, /) -> Lifted:
    a, b = _real(xp, x1), _real(xp, x2)
    chosen = _where(xp, a > b, x1, x2) if name == "maximum" else _where(xp, a > b, x2, x1)
    return _nan_where_real(xp, getattr(xp.xp, name)(a, b), chosen.array)


def _nan_where_real(xp: Instrument, real: Any, Z: Any) -> Lifted:
    return Lifted(xp, xp.xp.where(xp.xp.isnan(real), float("nan"), Z))


def _clip(xp: Instrument, x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - the standard's names
    x = x if min is None else _extreme("maximum", xp, x, min)
    return x if max is None else _extreme("minimum", xp, x, max)


def _abs(xp: Instrument, x: Any, /) -> Lifted:
    Z = xp.bare(x)
    return Lifted(xp, xp.xp.where(_real(xp, x) > 0.0, Z, -Z))


def _logaddexp(xp: Instrument, x1: Any, x2: Any, /) -> Any:
    larger, smaller = _extreme("maximum", xp, x1, x2), _extreme("minimum", xp, x1, x2)
    return larger + xp.log1p(xp.exp(smaller - larger))


def _largest(name: str, xp: Instrument, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Lifted:
    """The entry with the largest or smallest real part of each line; the mean of several such."""
    real, Z = _real(xp, x), xp.bare(x)
    best = getattr(xp.xp, name)(real, axis=axis, keepdims=True)
    chosen = ~(real < best) if name == "max" else ~(real > best)  # of NaN all are
    total = partial(xp.xp.sum, axis=axis, keepdims=keepdims)
    return Lifted(xp, total(xp.xp.where(chosen, Z, 0.0)) / total(xp.xp.astype(chosen, Z.dtype)))


def _joined(name: str, xp: Instrument, arrays: Any, /, **options: Any) -> Lifted:
    return Lifted(xp, getattr(xp.xp, name)([xp.bare(x) for x in arrays], **options))


def _broadcast_arrays(xp: Instrument, /, *arrays: Any) -> list[Lifted]:
    return [Lifted(xp, view) for view in xp.xp.broadcast_arrays(*map(xp.bare, arrays))]


def _astype(xp: Instrument, x: Any, dtype: Any, /, **options: Any) -> Lifted:
    if xp.isdtype(dtype, "real floating"):
        return Lifted(xp, xp.xp.astype(xp.bare(x), _complex_dtype(xp, dtype), **options))
    return Lifted(xp, xp.xp.astype(_real(xp, x), dtype, **options))


def _asarray(xp: Instrument, values: Any, /, *, dtype: Any = None, **options: Any) -> Any:
    if isinstance(values, Lifted) and values.xp is xp:
        return values if dtype is None or dtype == values.dtype else _astype(xp, values, dtype)
    return Lifted(xp, _complex(xp.xp, xp.xp.asarray(values, dtype=dtype, **options)))


def _made(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """An array of real numbers as yet: a new one, or a function that is constant wherever it is differentiable."""
    return Lifted(xp, _complex(xp.xp, getattr(xp.xp, name)(_real(xp, args[0]), *args[1:], **options)))


def _getitem(xp: Instrument, x: Lifted, key: Any, /) -> Lifted:
    return Lifted(xp, x.array[xp.bare(key)])


def _to_host(xp: Instrument, x: Lifted, /) -> Any:
    if _is_complex(xp, x.array):
        raise DtypeError("an array of the complex step can't be turned into floats: its imaginary part would be lost")
    return to_host(x.array)


_ARITHMETIC = ("add", "subtract", "multiply", "divide", "negative", "positive", "square", "reciprocal", "matmul")
_ANALYTIC = ("exp", "expm1", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh")  # on the whole real line
_LIMITED = ("log", "log2", "log10", "sqrt")
_PLACES = ("argmax", "argmin", "all", "any")

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: partial(_forwarded, name) for name in _ARITHMETIC + _ANALYTIC + LINEAR},
    **{name: partial(_within_domain, name) for name in _LIMITED},
    **{name: partial(_on_real_part, name) for name in COMPARISONS + LOGICAL + _PLACES},
    **{name: partial(_made, name) for name in CREATION + STEPWISE},
    **{name: partial(_extreme, name) for name in ("maximum", "minimum")},
    **{name: partial(_largest, name) for name in ("max", "min")},
    **{name: partial(_joined, name) for name in ("stack", "concat")},
    "log1p": _log1p,
    "pow": _pow,
    "where": _where,
    "clip": _clip,
    "abs": _abs,
    "logaddexp": _logaddexp,
    "astype": _astype,
    "asarray": _asarray,
    "broadcast_arrays": _broadcast_arrays,
    "__getitem__": _getitem,
    "__array__": _to_host,
}
