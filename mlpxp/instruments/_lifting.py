"""What the instruments share: an array with something beside it, and a namespace that is a table of functions.

A :class:`Lifted` array holds an array of any library and, beside it, what its instrument keeps of each (a tangent, a claim
on memory). Its operators are the functions of its namespace, an :class:`Instrument`: a table in which an instrument says
what each function of the standard does. What stands in no table is an error, never a silent wrong number.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any

import array_api_compat

from mlpxp.arrays.backend import backend_of
from mlpxp.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "COMPARISONS",
    "CREATION",
    "LINEAR",
    "LOGICAL",
    "STEPWISE",
    "VIEWS",
    "Instrument",
    "Lifted",
    "UnknownFunctionError",
    "call",
    "to_host",
]

# The standard's functions by what they do with numbers, for the instruments' tables.
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isnan", "isinf", "signbit")
LOGICAL = ("logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert")
STEPWISE = ("sign", "floor", "ceil", "trunc", "round")  # constant wherever they are differentiable
CREATION = ("zeros_like", "ones_like", "full_like", "zeros", "ones", "full", "eye", "arange", "linspace")
VIEWS = ("matrix_transpose", "permute_dims", "moveaxis", "expand_dims", "squeeze", "reshape", "broadcast_to", "flip")
LINEAR = (*VIEWS, "sum", "mean", "take")  # what only moves or adds the entries of one array

_PASSED_ON = frozenset(
    ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64", "complex128")
) | {"e", "inf", "nan", "newaxis", "pi", "finfo", "iinfo", "isdtype", "__array_api_version__", "__array_namespace_info__"}
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "pow": operator.pow,
    "matmul": operator.matmul,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "bitwise_invert": operator.invert,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "negative": operator.neg,
    "positive": operator.pos,
    "abs": operator.abs,
}


class UnknownFunctionError(UnknownNameError, AttributeError):
    """A function that an instrument has no rule for."""


def call(xp: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a function of the standard by name; as an operator where it is one, since only operators take a scalar everywhere."""
    if name in _OPERATORS:
        return _OPERATORS[name](*args, **kwargs)
    return getattr(xp, name)(*args, **kwargs)


class Instrument:
    """The namespace of lifted arrays.

    Parameters
    ----------
    name : str
        What messages call it.
    xp : namespace
        Of the arrays that are lifted.
    functions : mapping of str to callable
        What each function of the standard does: called with this namespace and then its arguments. Beside the standard's
        names there are ``__getitem__``, ``__array__`` (to NumPy) and, where there is more to ``+=`` than to ``+``, ``__iadd__``.
    dtype : callable, optional
        The dtype that a lifted array says it has, of the array it holds; that array's own by default.
    """

    def __init__(
        self, name: str, xp: Any, functions: Mapping[str, Callable[..., Any]], *, dtype: Callable[[Any, Any], Any] | None = None
    ) -> None:
        self.__name__ = f"{name} over {xp.__name__}"
        self.xp, self.functions, self.dtype = xp, functions, dtype

    def __getattr__(self, name: str) -> Any:
        found: Any
        if name in self.functions:
            found = partial(self.functions[name], self)
        elif name in _PASSED_ON:
            found = getattr(self.xp, name)
        else:
            raise UnknownFunctionError(f"{self.__name__} has no {name}: it can't be followed through it")
        setattr(self, name, found)  # looked up once
        return found

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def bare(self, value: Any) -> Any:
        """Return what was lifted into this namespace; lists and tuples of it too, and anything else as it is."""
        if isinstance(value, Lifted) and value.xp is self:
            return value.array
        if isinstance(value, list):
            return [self.bare(one) for one in value]
        return tuple(self.bare(one) for one in value) if isinstance(value, tuple) else value

    def beside(self, value: Any) -> Any:
        """Return what a lifted array carries; ``None`` for anything else, which is a constant."""
        return value.beside if isinstance(value, Lifted) and value.xp is self else None


def _binary(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    return lambda self, other: getattr(self.xp, name)(self, other), lambda self, other: getattr(self.xp, name)(other, self)


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda self: getattr(self.xp, name)(self)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    def apply(self: Lifted, other: Any) -> Any:
        function = self.xp.functions.get(name)
        return NotImplemented if function is None else function(self.xp, self, other)  # Python then takes the operator that isn't in place

    return apply


class Lifted:
    """An array of another library, with something beside it.

    Parameters
    ----------
    xp : Instrument
        Its namespace.
    array : array
        What gives it its shape and its numbers.
    beside : object
        What the instrument keeps of it.
    """

    __slots__ = ("array", "beside", "xp")
    __array_ufunc__ = None  # NumPy's operators are to leave it to ours
    __hash__ = None  # type: ignore[assignment]  # as other arrays: == is element by element

    def __init__(self, xp: Instrument, array: Any, beside: Any = None) -> None:
        self.xp, self.array, self.beside = xp, array, beside

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Instrument:
        return self.xp

    def __array_function__(self, *_: Any) -> Any:
        return NotImplemented  # numpy.sum(x) is a TypeError, not a sum that nobody followed

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def ndim(self) -> int:
        return int(self.array.ndim)

    @property
    def size(self) -> int | None:
        size: int | None = array_api_compat.size(self.array)
        return size

    @property
    def dtype(self) -> Any:
        return self.array.dtype if self.xp.dtype is None else self.xp.dtype(self.xp, self.array)

    @property
    def device(self) -> Any:
        return array_api_compat.device(self.array)

    @property
    def mT(self) -> Any:
        return self.xp.matrix_transpose(self)

    __add__, __radd__ = _binary("add")
    __sub__, __rsub__ = _binary("subtract")
    __mul__, __rmul__ = _binary("multiply")
    __truediv__, __rtruediv__ = _binary("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide")
    __mod__, __rmod__ = _binary("remainder")
    __pow__, __rpow__ = _binary("pow")
    __matmul__, __rmatmul__ = _binary("matmul")
    __and__, __rand__ = _binary("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor")
    __lt__, __gt__ = _binary("less")[0], _binary("greater")[0]
    __le__, __ge__ = _binary("less_equal")[0], _binary("greater_equal")[0]
    __eq__, __ne__ = _binary("equal")[0], _binary("not_equal")[0]
    __neg__, __pos__, __abs__, __invert__ = _unary("negative"), _unary("positive"), _unary("abs"), _unary("bitwise_invert")
    __iadd__, __isub__ = _in_place("__iadd__"), _in_place("__isub__")
    __imul__, __itruediv__ = _in_place("__imul__"), _in_place("__itruediv__")

    def __getitem__(self, key: Any, /) -> Any:
        return self.xp.functions["__getitem__"](self.xp, self, key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.xp.functions["__array__"](self.xp, self)
        return array if dtype is None else array.astype(dtype)

    def __bool__(self) -> bool:
        return bool(self.__array__())

    def __float__(self) -> float:
        return float(self.__array__())

    def __int__(self) -> int:
        return int(self.__array__())

    def __index__(self) -> int:
        return operator.index(self.__array__())

    def __repr__(self) -> str:
        return f"Lifted({self.array!r}, {self.xp.__name__})"


def to_host(array: Any) -> Any:
    """Bring an array of any library to NumPy."""
    return backend_of(array).to_numpy(array)
