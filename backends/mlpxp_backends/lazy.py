"""The array that waits: the standard's array object, whose operators only take note of what is to be done."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from mlpxp_backends.expressions import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp_backends.fusion import Fusion
    from mlpxp_backends.waiting import Node

__all__ = ["Lazy"]

_SWAPPED = ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul", "and", "or", "xor", "lshift", "rshift")


class Lazy:
    """An array that may not have been computed yet; what its shape and dtype will be is known.

    The arrays of each :class:`Fusion` are a subclass of their own, which knows it as ``xp``.
    """

    __slots__ = ("__weakref__", "node")
    __array_ufunc__ = None  # NumPy and CuPy leave operators with one of their own arrays to this class
    xp: Fusion

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def value(self) -> Any:
        """The library's array, computed now if it was not yet; what is done with it outside is on no tape."""
        self.xp.give_up_the_tape()
        return self.xp.value(self.node)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def dtype(self) -> Any:
        name = self.node.dtype
        return self.node.value.dtype if name is None else self.xp.dtypes[name]

    @property
    def device(self) -> Any:
        return self.xp.value(self.node).device

    @property
    def mT(self) -> Any:
        return self.xp.call(getattr, self, "mT")

    def __array_namespace__(self, *, api_version: str | None = None) -> Fusion:
        return self.xp

    def __getattr__(self, name: str) -> Any:
        if name in {"node", "value"}:  # not yet there in a copy that is being made
            raise AttributeError(name)
        return getattr(self.value, name)

    def __getitem__(self, key: Any) -> Any:
        return self.xp.call(operator.getitem, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.node = self.xp.call(self.xp.written, self, key, value).node

    def __hash__(self) -> int:  # == makes an array
        return id(self)

    def __repr__(self) -> str:
        return repr(self.value)


def _operator(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator that waits, and the same with its operands swapped."""
    return lambda one, *other: one.xp.put_off(name, one, *other), lambda one, other: one.xp.put_off(name, other, one)


def _operator_now(symbol: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator on the values, and the same with its operands swapped."""
    method = getattr(operator, f"__{symbol}__")
    return lambda one, *other: one.xp.call(method, one, *other), lambda one, other: one.xp.call(method, other, one)


def _conversion(convert: Callable[[Any], Any]) -> Callable[[Lazy], Any]:
    return lambda one: convert(one.value)


for _name, _symbol in SYMBOLS.items():
    _method, _swapped = _operator(_name)
    setattr(Lazy, f"__{_symbol}__", _method)
    if _symbol in _SWAPPED:
        setattr(Lazy, f"__r{_symbol}__", _swapped)
for _symbol in ("floordiv", "mod", "matmul", "or", "lshift", "pos", "invert"):
    _method, _swapped = _operator_now(_symbol)
    setattr(Lazy, f"__{_symbol}__", _method)
    if _symbol in _SWAPPED:
        setattr(Lazy, f"__r{_symbol}__", _swapped)
for _convert in (bool, float, int, complex, len, operator.index):
    setattr(Lazy, f"__{_convert.__name__}__", _conversion(_convert))
