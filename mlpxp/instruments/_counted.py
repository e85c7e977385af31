"""What each function of the standard costs: the table behind :mod:`mlpxp.instruments.counting`, which says what is counted."""

from __future__ import annotations

import math
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mlpxp.arrays.standard import namespace
from mlpxp.instruments._lifting import COMPARISONS, CREATION, LOGICAL, STEPWISE, VIEWS, Instrument, Lifted, call, to_host

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACTIVE", "Counter", "Event", "is_counted", "lift"]


class Event(NamedTuple):
    """One function of the standard that was run.

    Attributes
    ----------
    name : str
        The standard's name: ``"matmul"``, ``"exp"``.
    kind : {"matmul", "elementwise", "reduction", "move"}
    operands : tuple of shapes
        Of the arrays that went in, in order.
    result : shape
    operations : int
        On floating-point numbers.
    bytes_read, bytes_written : int
    """

    name: str
    kind: str
    operands: tuple[tuple[int, ...], ...]
    result: tuple[int, ...]
    operations: int
    bytes_read: int
    bytes_written: int


class Counter(Protocol):
    """Who is told of events and of memory."""

    events: list[Event]

    def claim(self, n_bytes: int) -> None:
        """Count bytes that are held from now on, or, where negative, no longer."""
        ...


ACTIVE: ContextVar[tuple[Counter, ...]] = ContextVar("ACTIVE", default=())


class _Claim:
    """An array's claim on memory, shared by its views; it ends when the last of them is gone."""

    __slots__ = ("counters", "n_bytes")

    def __init__(self, n_bytes: int, counters: tuple[Counter, ...]) -> None:
        self.n_bytes, self.counters = n_bytes, counters
        for counter in counters:
            counter.claim(n_bytes)

    def __del__(self) -> None:
        for counter in self.counters:
            counter.claim(-self.n_bytes)


def lift(array: Any, counters: tuple[Counter, ...]) -> Lifted:
    """Return a counting array that holds its memory on the account of these counters."""
    xp = _counting(namespace(array))
    return Lifted(xp, array, _Claim(_bytes(xp, array), counters))


def is_counted(value: object) -> bool:
    """Whether it is a counting array."""
    return isinstance(value, Lifted) and value.xp.functions is _FUNCTIONS


@cache
def _counting(xp: Any) -> Instrument:
    return Instrument("counting", xp, _FUNCTIONS)


@lru_cache(maxsize=64)
def _item_bytes(xp: Any, dtype: Any) -> int:
    if xp.isdtype(dtype, "bool"):
        return 1
    if xp.isdtype(dtype, "integral"):
        return int(xp.iinfo(dtype).bits) // 8
    return int(xp.finfo(dtype).bits) // 8 * (2 if xp.isdtype(dtype, "complex floating") else 1)


def _bytes(xp: Instrument, array: Any) -> int:
    return math.prod(map(int, array.shape)) * _item_bytes(xp.xp, array.dtype)


def _arrays(values: Any) -> list[Any]:
    """The bare arrays among the arguments of a function, in lists and tuples too; Python's scalars are none."""
    if isinstance(values, tuple | list):
        return [array for value in values for array in _arrays(value)]
    return [values] if hasattr(values, "dtype") and not isinstance(values, type) else []  # a dtype can be a type that has one


def _is_floating(xp: Instrument, arrays: list[Any]) -> bool:
    return any(bool(xp.isdtype(array.dtype, ("real floating", "complex floating"))) for array in arrays)


def _note(name: str, kind: str, operands: list[Any], result: Any, operations: int, read: int, written: int) -> None:
    shapes = tuple(tuple(array.shape) for array in operands)
    event = Event(name, kind, shapes, tuple(result.shape), operations, read, written)
    for counter in ACTIVE.get():
        counter.events.append(event)


def _made(xp: Instrument, name: str, kind: str, operands: list[Any], result: Any, operations: int, read: int | None = None) -> Lifted:
    """Take note of a new array and lift it."""
    written = _bytes(xp, result)
    if read is None:
        read = sum(_bytes(xp, array) for array in operands)
    _note(name, kind, operands, result, operations, read, written)
    return Lifted(xp, result, _Claim(written, ACTIVE.get()))


def _matmul(name: str, xp: Instrument, a: Any, b: Any, /) -> Lifted:
    operands = [xp.bare(a), xp.bare(b)]
    result = call(xp.xp, name, *operands)
    return _made(xp, name, "matmul", operands, result, 2 * math.prod(result.shape) * operands[0].shape[-1])


def _elementwise(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    bare, named = [xp.bare(arg) for arg in args], {key: xp.bare(one) for key, one in options.items()}
    operands = _arrays([*bare, *named.values()])
    result = call(xp.xp, name, *bare, **named)
    return _made(xp, name, "elementwise", operands, result, math.prod(result.shape) if _is_floating(xp, operands) else 0)


def _in_place(name: str, xp: Instrument, x: Lifted, other: Any, /) -> Any:
    method = getattr(x.array, name, None)
    if method is None or method(xp.bare(other)) is not x.array:  # immutable, as JAX's arrays and NumPy's scalars are
        return NotImplemented
    operands = _arrays([x.array, xp.bare(other)])
    operations = math.prod(x.shape) if _is_floating(xp, operands) else 0
    _note(_IN_PLACE[name], "elementwise", operands, x.array, operations, sum(_bytes(xp, array) for array in operands), _bytes(xp, x.array))
    return x


def _reduction(name: str, xp: Instrument, x: Any, /, **options: Any) -> Lifted:
    array = xp.bare(x)
    result = getattr(xp.xp, name)(array, **options)
    n, lines = math.prod(array.shape), math.prod(result.shape)
    operations = (n if name == "mean" else max(n - lines, 0)) if _is_floating(xp, [array]) else 0
    return _made(xp, name, "reduction", [array], result, operations)


def _move(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A result that is copied together from the operands, or from nothing; the very same array is no copy."""
    bare = [xp.bare(arg) for arg in args]
    operands = _arrays(bare)
    result = getattr(xp.xp, name)(*bare, **options)
    for arg in args:
        if isinstance(arg, Lifted) and arg.array is result:
            return arg
    return _made(xp, name, "move", operands, result, 0)


def _asarray(xp: Instrument, values: Any, /, **options: Any) -> Lifted:
    """An array of a counting one (the same, where nothing has to be converted), or of the host's data, which isn't counted."""
    if isinstance(values, Lifted):
        return _move("asarray", xp, values, **options)
    return _made(xp, "asarray", "move", [], xp.xp.asarray(values, **options), 0)


def _created(name: str, xp: Instrument, /, *args: Any, **options: Any) -> Lifted:
    """A new array, of the shape of another that isn't read, or of a shape that is given."""
    return _made(xp, name, "move", [], getattr(xp.xp, name)(*map(xp.bare, args), **options), 0)


def _take(name: str, xp: Instrument, x: Any, indices: Any, /, **options: Any) -> Lifted:
    operands = [xp.bare(x), xp.bare(indices)]
    result = getattr(xp.xp, name)(*operands, **options)
    return _made(xp, name, "move", operands, result, 0, _bytes(xp, result) + _bytes(xp, operands[1]))


def _view(name: str, xp: Instrument, x: Any, /, *args: Any, **options: Any) -> Lifted:
    return Lifted(xp, getattr(xp.xp, name)(xp.bare(x), *args, **options), xp.beside(x))


def _broadcast_arrays(xp: Instrument, /, *arrays: Any) -> list[Any]:
    views = xp.xp.broadcast_arrays(*(xp.bare(array) for array in arrays))
    return [Lifted(xp, view, xp.beside(array)) for view, array in zip(views, arrays, strict=True)]


def _getitem(xp: Instrument, x: Lifted, key: Any, /) -> Lifted:
    bare = xp.bare(key)
    indices = _arrays(bare)
    result = x.array[bare]
    if not indices:
        return Lifted(xp, result, x.beside)
    return _made(xp, "getitem", "move", [x.array, *indices], result, 0, _bytes(xp, result) + sum(_bytes(xp, one) for one in indices))


def _to_host(xp: Instrument, x: Lifted, /) -> Any:
    _note("to_host", "move", [x.array], x.array, 0, _bytes(xp, x.array), 0)
    return to_host(x.array)


_ARITHMETIC = ("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "negative", "abs", "maximum", "minimum", "clip")
_IN_PLACE = {"__iadd__": "add", "__isub__": "subtract", "__imul__": "multiply", "__itruediv__": "divide"}
_ELEMENTARY = ("exp", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "sqrt", "square", "reciprocal", "hypot")
_TRIGONOMETRIC = ("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")
_REDUCTIONS = ("sum", "prod", "max", "min", "mean", "argmax", "argmin", "all", "any")
_MOVES = ("where", "astype", "stack", "concat", "positive")
_PARTS = ("real", "imag", "conj")  # of complex numbers: what the complex step asks for

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: partial(_elementwise, name) for name in _ARITHMETIC + _ELEMENTARY + _TRIGONOMETRIC + STEPWISE + COMPARISONS + LOGICAL},
    **{name: partial(_in_place, name) for name in _IN_PLACE},
    **{name: partial(_reduction, name) for name in _REDUCTIONS},
    **{name: partial(_move, name) for name in _MOVES + _PARTS},
    **{name: partial(_created, name) for name in (*CREATION, "empty", "empty_like")},
    **{name: partial(_view, name) for name in VIEWS},
    "asarray": _asarray,
    "matmul": partial(_matmul, "matmul"),
    "take": partial(_take, "take"),
    "broadcast_arrays": _broadcast_arrays,
    "__getitem__": _getitem,
    "__array__": _to_host,
}
