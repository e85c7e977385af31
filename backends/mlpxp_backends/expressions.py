"""Element-wise functions of several arrays as one value, and what they may be made of.

Nothing here names an array library: an :class:`Expression` says what is to be computed, in the standard's names, and each library
compiles it in its own way.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "ELEMENTWISE",
    "FLOATS",
    "FUNCTIONS",
    "INTEGER",
    "ON_BOOLEANS",
    "ON_FLOATS",
    "ON_INTEGERS",
    "OPERATORS",
    "SYMBOLS",
    "TO_BOOLEANS",
    "Compile",
    "Expression",
    "step_by_step",
]

_LOGIC = frozenset({"logical_and", "logical_or", "logical_xor", "logical_not"})  # of booleans
_EQUALITY = frozenset({"equal", "not_equal"})  # of booleans or of numbers
_COMPARISONS = _EQUALITY | {"less", "less_equal", "greater", "greater_equal"}
_BITS = frozenset({"bitwise_and", "bitwise_xor", "bitwise_right_shift"})  # of integers
_ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "negative", "maximum", "minimum", "abs", "square"})
FUNCTIONS = frozenset({"cos", "exp", "expm1", "log", "log1p", "pow", "sin", "sqrt", "tanh"})  # dear: not to be computed twice
ELEMENTWISE = _LOGIC | _COMPARISONS | _BITS | _ARITHMETIC | FUNCTIONS | {"where", "astype", "full"}  # in the standard's names

FLOATS = ("float32", "float64")
INTEGER = "int32"  # the one that masks are hashed in; others are the library's affair

TO_BOOLEANS = _COMPARISONS | _LOGIC
ON_BOOLEANS = _LOGIC | _EQUALITY | {"where"}
ON_FLOATS = ELEMENTWISE - _LOGIC - _BITS
ON_INTEGERS = _COMPARISONS | _BITS | {"add", "subtract", "multiply", "where"}

# The standard's functions that have an operator, by its method: operators take numbers in every library.
SYMBOLS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "pow": "pow",
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne",
    "negative": "neg", "abs": "abs", "bitwise_and": "and", "bitwise_xor": "xor", "bitwise_right_shift": "rshift",
}  # fmt: skip
OPERATORS: dict[str, Callable[..., Any]] = {name: getattr(operator, f"__{symbol}__") for name, symbol in SYMBOLS.items()}

Compile: TypeAlias = "Callable[[Expression], Callable[..., Sequence[Any]]]"


class Expression(NamedTuple):
    """Element-wise functions of several arrays, as a value that can be a key.

    Numbers are arguments like arrays: a batch of another size, or a rate that changes, makes no other expression.

    Attributes
    ----------
    arguments : tuple of str
        The dtypes of what goes in: ``"float32"``, ``"float64"``, ``"int32"`` or ``"bool"``.
    steps : tuple of (str, tuple of int, str)
        Done one after the other: an operation, its operands and the dtype of what it gives. An operand i >= 0 is what step i gave,
        i < 0 is argument ~i.
    results : tuple of int
        The steps that give what comes out.
    """

    arguments: tuple[str, ...]
    steps: tuple[tuple[str, tuple[int, ...], str], ...]
    results: tuple[int, ...]


def step_by_step(library: Any) -> Compile:
    """Return a compiler that fuses nothing and does the steps one after the other: what every other has to agree with."""

    def compiled(expression: Expression) -> Callable[..., list[Any]]:
        def run(shape: tuple[int, ...], *arguments: Any) -> list[Any]:
            done: list[Any] = []
            for operation, operands, dtype in expression.steps:
                values = [done[i] if i >= 0 else arguments[~i] for i in operands]
                if operation == "astype":
                    result = library.astype(*values, getattr(library, dtype))
                elif operation == "full":
                    result = library.full(shape, *values, dtype=getattr(library, dtype))
                else:
                    result = (OPERATORS.get(operation) or getattr(library, operation))(*values)
                done.append(result)
            return [done[i] for i in expression.results]

        return run

    return compiled
