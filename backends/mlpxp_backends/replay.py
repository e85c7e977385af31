"""A tape: what one step of a fold did to its arrays, to be done again to others of the same shapes."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Learnt", "Register", "Tape"]

_TRIES = 4  # tapes that differ before a step is taken for one without a tape


class Register(int):
    """The place of an array on a tape; no number, though it counts."""

    def __eq__(self, other: object) -> bool:
        return type(other) is Register and int(self) == int(other)

    def __hash__(self) -> int:
        return int(self)


class _Call(NamedTuple):
    """``function(*args, **dict(kwargs))``, its arrays named by their registers, and where the arrays it returns go."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    out: Any  # a register, or a tuple of them
    again: bool  # whether it has to be made again where the same was made before: it may draw, or write


class Tape:
    """Calls that turn the arrays in the first registers into a tree of arrays.

    Attributes
    ----------
    whole : bool
        Whether the calls are all there is: ``False`` once something was done that a tape can't repeat.
    """

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.size, self.whole = 0, True
        self.result: Any = None
        self._prepared: list[tuple[_Call, bool, list[int]]] = []

    def new(self) -> Register:
        """Return a register that is not yet in use."""
        self.size += 1
        return Register(self.size - 1)

    def note(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any, *, again: bool = True) -> None:
        """Add a call; ``again`` is whether it has to be made again where the same was made before, as it may draw, or write."""
        self.calls.append(_Call(function, args, tuple(kwargs.items()), out, again))

    def says_the_same(self, other: Tape) -> bool:
        """Whether another tape holds the same calls of the same functions with the same numbers."""
        return (self.size, self.result, self.calls) == (other.size, other.result, other.calls)

    def prepare(self) -> None:
        """Leave out what is computed twice, and find out after which call an array is no longer needed, so that its memory is free."""
        self._leave_out_repetitions()
        needed = _registers(self.result)
        prepared = []
        for call in reversed(self.calls):
            used = _registers((call.args, tuple(call.kwargs), call.out))
            is_nested = bool(call.kwargs) or any(type(one) is not Register and _registers(one) for one in call.args)
            prepared.append((call, is_nested, sorted(used - needed)))
            needed |= used
        self._prepared = prepared[::-1]

    def _leave_out_repetitions(self) -> None:
        """Softmax and its loss begin with the same maximum, exponentials and sum: two kernels and a reduction less in each step."""
        same: list[Any] = [Register(number) for number in range(self.size)]
        known: dict[Any, Any] = {}
        calls = []
        for call in self.calls:
            one = call._replace(args=_filled(call.args, same), kwargs=_filled(call.kwargs, same))
            try:
                first = known.setdefault((one.function, _exact(one.args), _exact(one.kwargs)), one.out)
            except TypeError:  # a slice or a list among the arguments
                first = one.out
            if first is one.out or one.again:
                calls.append(one)
                if one.again and one.function is not getattr:
                    known.clear()  # it may have written to what was read before
            else:
                for place, other in zip(_flat(one.out), _flat(first), strict=True):
                    same[place] = other
        self.calls, self.result = calls, _filled(self.result, same)

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """Return the tree of arrays that the calls make of these."""
        registers = [*arrays, *[None] * (self.size - len(arrays))]
        for (function, args, kwargs, out, _), is_nested, freed in self._prepared:
            if is_nested:
                result = function(*_filled(args, registers), **{key: _filled(one, registers) for key, one in kwargs})
            else:
                result = function(*[registers[one] if type(one) is Register else one for one in args])
            if type(out) is Register:
                registers[out] = result
            else:
                for place, one in zip(out, result, strict=True):
                    registers[place] = one
            for place in freed:
                registers[place] = None
        return _filled(self.result, registers)


class Learnt:
    """What is known about a step: nothing, its tape, or that it has none."""

    def __init__(self) -> None:
        self.tape: Tape | None = None
        self.is_hopeless = False
        self._seen: list[Tape] = []

    def see(self, tape: Tape) -> None:
        """Take the tape for the step if the step before said the same; after a few that differ there is no hope."""
        if tape.whole and self._seen and tape.says_the_same(self._seen[-1]):
            tape.prepare()
            self.tape, self._seen = tape, []
            return
        self._seen.append(tape)
        self.is_hopeless = not tape.whole or len(self._seen) > _TRIES


def _flat(out: Any) -> tuple[Any, ...]:
    return (out,) if type(out) is Register else out


def _exact(tree: Any) -> Any:
    """Return a key for arguments: 1, 1.0 and True are equal, and so are 0.0 and -0.0 and a register and a number, but not the same."""
    if isinstance(tree, tuple):
        return tuple(_exact(one) for one in tree)
    return type(tree), tree if isinstance(tree, str | int) else repr(tree) if isinstance(tree, Number) else tree


def _registers(tree: Any) -> set[int]:
    if isinstance(tree, tuple | list):
        return {one for branch in tree for one in _registers(branch)}
    return {tree} if type(tree) is Register else set()


def _filled(tree: Any, registers: list[Any]) -> Any:
    """Return a tree with the arrays in the place of their registers."""
    if type(tree) is Register:
        return registers[tree]
    if isinstance(tree, tuple | list):
        branches = [_filled(one, registers) for one in tree]
        return branches if isinstance(tree, list) else type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return tree
