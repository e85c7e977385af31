"""Operations that wait: what each is applied to, and which of them are computed together, as one expression."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlpxp_backends.expressions import FLOATS, FUNCTIONS, INTEGER, ON_BOOLEANS, ON_FLOATS, ON_INTEGERS, Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlpxp_backends.replay import Register, Tape

__all__ = ["Node", "broadcast", "common_dtype", "cut"]


class Node:
    """An array that is there (``value``), or an operation that waits and what it is applied to.

    It is what lazy arrays and other nodes share. Where somebody still holds the lazy array itself, ``holder`` finds it: such a node
    will be asked for again, and any other is only on the way to something else.
    """

    __slots__ = ("dear", "dtype", "holder", "length", "operands", "operation", "reads", "register", "shape", "tape", "value")

    def __init__(
        self,
        value: Any,
        shape: tuple[int, ...],
        dtype: str | None,  # None is one that nothing is put off for
        operation: str = "",
        operands: tuple[Any, ...] = (),  # nodes and numbers
        reads: str | None = None,  # the operands' dtype
        length: int = 0,
        dear: bool = False,
    ) -> None:
        self.value, self.shape, self.dtype = value, shape, dtype
        self.operation, self.operands, self.reads, self.length, self.dear = operation, operands, reads, length, dear
        self.holder: Callable[[], Any] = _nobody
        self.tape: Tape | None = None  # the one that it was last put on
        self.register: Register | None = None

    def put_on(self, tape: Tape) -> None:
        """Give it a register of a tape."""
        self.tape, self.register = tape, tape.new()


def _nobody() -> None:
    return None


def common_dtype(operation: str, operands: tuple[Any, ...]) -> str | None:
    """Return the one dtype of the operands, or ``None`` where this is no operation to put off: other dtypes, or more than one."""
    if operation == "where":
        if getattr(operands[0], "dtype", None) != "bool":
            return None
        operands = operands[1:]
    arrays = [one for one in operands if type(one) is Node]
    if not arrays or any(one.dtype != arrays[0].dtype for one in arrays):
        return None
    dtype: str | None = arrays[0].dtype
    if dtype == "bool":
        return dtype if operation in ON_BOOLEANS and len(arrays) == len(operands) else None
    if dtype == INTEGER:
        return dtype if operation in ON_INTEGERS and all(type(one) is Node or _is_int32(one) for one in operands) else None
    return dtype if dtype in FLOATS and operation in ON_FLOATS else None


def _is_int32(number: Any) -> bool:
    return type(number) is int and -(2**31) <= number < 2**31


@lru_cache(maxsize=4096)
def broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of two arrays together."""
    n = max(len(one), len(other))
    pairs = list(zip((1,) * (n - len(one)) + one, (1,) * (n - len(other)) + other, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(f"arrays of shapes {one} and {other} can't be broadcast together")
    return tuple([b if a == 1 else a for a, b in pairs])


def cut(root: Node, wanted: Iterable[Node], compute: Callable[[Node], None]) -> tuple[Expression, list[Any], list[Node]]:
    """Return what a node waits for as one expression, its arguments, and the nodes whose values it gives.

    Parameters
    ----------
    root : Node
    wanted : iterable of Node
        Those that need what is computed here are computed on the same way.
    compute : callable
        Computes a node by an expression of its own, where it has few numbers that are needed for each of many.
    """
    shape = root.shape
    places: dict[Any, int] = {}
    arguments: list[Any] = []
    dtypes: list[Any] = []
    steps: list[tuple[str, tuple[int, ...], Any]] = []
    dear: list[bool] = []
    results: dict[Node, int] = {}

    def argument(one: Any, dtype: str | None) -> int:
        arguments.append(one)
        dtypes.append(dtype)
        return -len(arguments)

    def place(node: Node) -> int:
        if (at := places.get(node)) is not None:
            return at
        if node.value is None and node.shape != shape and (node.dear or node.operation == "full"):
            compute(node)  # few numbers, once, and not again for each of the many
        if node.value is not None:
            places[node] = at = argument(node, node.dtype)
            return at
        operands = tuple([place(one) if type(one) is Node else argument(one, node.reads) for one in node.operands])
        places[node] = at = len(steps)
        steps.append((node.operation, operands, node.dtype))
        dear.append(node.operation in FUNCTIONS or any(i >= 0 and dear[i] for i in operands))
        if dear[at] and node.shape == shape and node.holder() is not None:
            results[node] = at  # somebody will ask for it again
            dear[at] = False
        return at

    results[root] = place(root)
    for node in wanted:
        if node.value is None and node.shape == shape and node not in results:
            if node in places:
                results[node] = places[node]
            elif any(places.get(one, -1) >= 0 for one in node.operands):
                results[node] = place(node)
    return Expression(tuple(dtypes), tuple(steps), tuple(results.values())), arguments, list(results)
