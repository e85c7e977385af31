"""Counting arrays: how many operations a function does, how many bytes it moves, and how much memory it holds.

>>> import numpy as np
>>> from mlpxp import Network, count_operations, forward, initialize
>>> network = Network((3, 2, 1))
>>> operations = count_operations(forward, network, initialize(network, seed=0), np.ones((3, 5), dtype="float32"))
>>> operations.matmul  # K2: 2m Σ_l n_l n_{l-1}
80

What is counted, of real numbers and of complex ones alike:

- a matrix product of (p, q) and (q, r): 2pqr, times the size of the stack;
- element by element, arithmetic, elementary functions, comparisons, maximum and minimum: 1 for each element of the result;
- a sum, a maximum or a minimum of n elements: n - 1, a mean n;
- anything else (selecting, gathering, converting, making) and what isn't done on floating-point numbers: none, but its bytes.

Each operation reads its operands whole and writes its result. A transpose, a slice, a broadcast and a reshape are views: they
cost nothing and hold no memory of their own. ``+=`` writes where it is, if the library lets it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import is_array
from mlpxp.instruments._counted import ACTIVE, Event, is_counted, lift
from mlpxp.instruments._lifting import Lifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Operations", "count_operations", "counting", "unwrap"]


class Operations:
    """What was counted.

    Attributes
    ----------
    events : list of Event
        Everything, in order.
    matmul, elementwise, reduction : int
        The operations of each kind.
    total : int
        Their sum.
    bytes_read, bytes_written : int
    peak_bytes : int
        The most bytes of counted arrays that were alive at once: those that were wrapped, and all that was made of them.
    result : object
        What :func:`count_operations` was returned, in the arrays that came in.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.peak_bytes = 0
        self.result: Any = None
        self._live_bytes = 0

    def wrap(self, tree: Any) -> Any:
        """Return a tree with counting arrays in the place of arrays; one that occurs twice is held once."""
        seen: dict[int, Lifted] = {}

        def wrap_one(leaf: Any) -> Lifted:
            array = leaf.array if is_counted(leaf) else leaf
            if id(array) not in seen:
                seen[id(array)] = lift(array, (self,))
            return seen[id(array)]

        return _map(wrap_one, tree, wanted=is_array)

    @property
    def matmul(self) -> int:
        return self._of("matmul")

    @property
    def elementwise(self) -> int:
        return self._of("elementwise")

    @property
    def reduction(self) -> int:
        return self._of("reduction")

    @property
    def total(self) -> int:
        return sum(event.operations for event in self.events)

    @property
    def bytes_read(self) -> int:
        return sum(event.bytes_read for event in self.events)

    @property
    def bytes_written(self) -> int:
        return sum(event.bytes_written for event in self.events)

    def _of(self, kind: str) -> int:
        return sum(event.operations for event in self.events if event.kind == kind)

    def claim(self, n_bytes: int) -> None:
        """Count bytes that are held from now on, or, where negative, no longer."""
        self._live_bytes += n_bytes
        self.peak_bytes = max(self.peak_bytes, self._live_bytes)

    def __repr__(self) -> str:
        names = ("matmul", "elementwise", "reduction", "total", "bytes_read", "bytes_written", "peak_bytes")
        return f"Operations({', '.join(f'{name}={getattr(self, name):,}' for name in names)})"


@contextmanager
def counting() -> Iterator[Operations]:
    """Count what is done with counting arrays in the block.

    Yields
    ------
    Operations
        It counts while the block runs and can be read at any time. ``operations.wrap(tree)`` makes counting arrays of arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import counting
    >>> with counting() as operations:
    ...     X = operations.wrap(np.ones((2, 3)))
    ...     Y = X @ X.mT + 1.0
    >>> operations.matmul, operations.elementwise, operations.peak_bytes
    (24, 4, 112)
    """
    operations = Operations()
    token = ACTIVE.set((*ACTIVE.get(), operations))
    try:
        yield operations
    finally:
        ACTIVE.reset(token)


def count_operations(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Operations:
    """Call a function on counting arrays and return what it took.

    Parameters
    ----------
    function : callable
        Anything written against the array API standard: :func:`mlpxp.forward`, :func:`mlpxp.train`, your own.
    *args, **kwargs
        Its arguments. Arrays in them are counted, also in tuples, lists, dicts and dataclasses.

    Returns
    -------
    Operations
        Its ``result`` is what the function returned.

    Raises
    ------
    UnknownNameError
        The function uses one of the standard's that isn't counted.
    """
    with counting() as operations:
        wrapped, named = operations.wrap((args, kwargs))
        operations.result = unwrap(function(*wrapped, **named))
    return operations


def unwrap(tree: Any) -> Any:
    """Return a tree with the plain arrays in the place of counting ones."""
    return _map(lambda leaf: leaf.array, tree, wanted=is_counted)


def _map(function: Callable[[Any], Any], tree: Any, *, wanted: Callable[[Any], bool]) -> Any:
    """Apply ``function`` to the wanted leaves of tuples, lists, dicts and dataclasses; what holds none is left as it is."""
    into = partial(_map, function, wanted=wanted)
    if wanted(tree):
        return function(tree)
    if isinstance(tree, dict):
        return {key: into(branch) for key, branch in tree.items()}
    if isinstance(tree, tuple | list):
        branches = [into(branch) for branch in tree]
        if all(new is old for new, old in zip(branches, tree, strict=True)):
            return tree
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    if is_dataclass(tree) and not isinstance(tree, type):
        held = {field.name: getattr(tree, field.name) for field in fields(tree)}
        changed = {name: new for name, old in held.items() if (new := into(old)) is not old}
        return replace(tree, **changed) if changed else tree
    return tree
