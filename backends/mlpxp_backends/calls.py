"""What a recording is written in: calls of NumPy's functions, with registers in the place of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

__all__ = ["TAKE", "Call", "Fixed", "Layout", "Register", "exact", "filled", "flat", "registers_in"]

TAKE = partial(np.take, mode="wrap")  # the standard leaves rows that don't exist open; to look for them NumPy takes a detour


@dataclass(frozen=True)
class Register:
    """The place of an array in a recording."""

    number: int

    def __hash__(self) -> int:  # ten times as fast as a dataclass's own, and asked for ten thousand times when a step is bound
        return self.number


class Layout(NamedTuple):
    """What memory an array needs."""

    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_compact(self) -> bool:
        """Whether its numbers lie side by side, whatever the order of the axes."""
        step = self.dtype.itemsize
        for stride, n in sorted((stride, n) for stride, n in zip(self.strides, self.shape, strict=True) if n > 1):
            if stride != step:
                return False
            step *= n
        return True


class Call(NamedTuple):
    """One thing that a step does.

    Attributes
    ----------
    how : {"into", "elsewhere", "view"}
        ``function`` takes ``out=``; it makes an array of its own; its result is the memory of an argument.
    function : callable
    args, kwargs
        With registers in the place of arrays.
    out : Register
    """

    how: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    out: Register


class Fixed:
    """An array that a step has from elsewhere: the same one, not an equal one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.value is other.value

    __hash__ = None  # type: ignore[assignment]


def filled(tree: Any, fill: Callable[[Any], Any]) -> Any:
    """Return a tree of tuples, lists and leaves of any kind, ``fill`` applied to the leaves."""
    if type(tree) in {tuple, list}:
        return type(tree)(filled(one, fill) for one in tree)
    return fill(tree)


def flat(tree: Any) -> list[Any]:
    """Return the leaves of a tree of tuples and lists, in order."""
    return [leaf for branch in tree for leaf in flat(branch)] if type(tree) in {tuple, list} else [tree]


def registers_in(tree: Any) -> set[Register]:
    """Return the registers in the arguments of a call."""
    return {leaf for leaf in flat(tree) if isinstance(leaf, Register)}


def exact(leaf: Any) -> Any:
    """Return a key for an argument that is no array: 1, 1.0 and True are equal, and so are 0.0 and -0.0, but not the same."""
    return (type(leaf), repr(leaf)) if isinstance(leaf, Number | np.generic) else leaf
