"""A formula such as ``sin(3*x)`` as a function, read without ever being executed.

Python's own parser makes a syntax tree of the text; what is in it is compared with a short list, and everything else is refused. The tree
becomes a :class:`Node`, which is a value: it can be evaluated over NumPy's arrays and over intervals, and differentiated. All numbers are
float64, so that ``9**9**9**9`` is infinity and not a day's work.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mlpxp.errors import RangeError, ShapeError, UnknownNameError

__all__ = ["FUNCTIONS", "Expression", "Node", "parse_expression", "parse_number"]

LONGEST, DEEPEST, LARGEST_EXPONENT = 500, 100, 100
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "min": np.minimum,
    "max": np.maximum,
}
_ALIASES = {"ln": "log", "atan": "arctan", "minimum": "min", "maximum": "max"}
_OPERATORS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_MEANINGS: dict[str, Callable[..., Any]] = FUNCTIONS | {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.true_divide,
    "**": np.power,
    "neg": operator.neg,
}
_VARIABLE = re.compile(r"x([1-9]\d?)?")


class Node(NamedTuple):
    """A number (``op`` is ``"number"``), a variable (``"x"``, ``value`` its index from 0), or an operation on other nodes."""

    op: str
    operands: tuple[Node, ...] = ()
    value: float = 0.0

    def apply(self, values: Callable[[Node], Any], meanings: dict[str, Callable[..., Any]]) -> Any:
        """Evaluate the tree: ``values`` of what has no operands, ``meanings`` of the rest."""
        if not self.operands:
            return values(self)
        return meanings[self.op](*(operand.apply(values, meanings) for operand in self.operands))

    def operations(self) -> set[str]:
        """The names of the operations in the tree."""
        return {self.op}.union(*(operand.operations() for operand in self.operands))


@dataclass(frozen=True)
class Expression:
    """A formula in x, or in x1, ..., xn; calling it evaluates it.

    Attributes
    ----------
    text : str
        As it was written.
    dimension : int
        n, the number of variables.
    tree : Node
    """

    text: str
    dimension: int
    tree: Node = field(repr=False)

    def __call__(self, *x: Any) -> Any:
        """Evaluate over NumPy's arrays, one for each variable; a value that isn't finite is returned as it is, without a warning.

        Raises
        ------
        ShapeError
            There are more or fewer arrays than variables.
        """
        if len(x) != self.dimension:
            raise ShapeError(f"{self.text} needs {self.dimension} arguments, one for each variable, got {len(x)}")
        columns = np.broadcast_arrays(*(np.asarray(one, dtype="float64") for one in x)) if x else ()
        with np.errstate(all="ignore"):
            values = self.tree.apply(lambda leaf: columns[int(leaf.value)] if leaf.op == "x" else np.float64(leaf.value), _MEANINGS)
        return np.broadcast_to(values, columns[0].shape).copy() if columns else values

    def __str__(self) -> str:
        return self.text


def parse_expression(text: str, dimension: int | None = None) -> Expression:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, ``pi``, ``e``, the variables ``x`` (the same as ``x1``), ``x1``, ``x2``, ..., ``+ - * / **``, parentheses, and the
        functions sin, cos, tan, exp, log (or ln), sqrt, abs, sign, sinh, cosh, tanh, arctan (or atan), min and max. At most 500
        characters, nested at most 100 deep; an exponent is a number of at most 100, or its base is a positive number, as in ``2**x``.
    dimension : int, optional
        How many variables there are; by default as many as the highest of them says, and one if there is none.

    Returns
    -------
    Expression

    Raises
    ------
    RangeError
        It can't be read, has something in it that no formula has, or is too long or too deep.
    UnknownNameError
        A name that isn't known; the message lists those that are.

    Examples
    --------
    >>> from mlpxp.textbook.approximation import parse_expression
    >>> float(parse_expression("x1*x2 - 1")(3.0, 4.0))
    11.0
    """
    tree = _read(text, 99 if dimension is None else dimension)
    highest = _highest(tree)
    return Expression(text.strip(), max(1, highest) if dimension is None else dimension, tree)


def parse_number(text: str) -> float:
    """Read a number that may be written as a formula: ``-pi/2``.

    Raises
    ------
    RangeError, UnknownNameError
        As :func:`parse_expression`; also where the number is not finite.
    """
    number = float(Expression(text, 0, _read(text, 0))())
    if not math.isfinite(number):
        raise RangeError(f"a number must be finite, got {text!r}")
    return number


def _read(text: str, dimension: int) -> Node:
    if not isinstance(text, str) or not text.strip():
        raise RangeError(f"an expression must be a formula such as sin(3*x), got {text!r}")
    if len(text) > LONGEST:
        raise RangeError(f"an expression must have at most {LONGEST} characters, got {len(text):,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parser's: 1if
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: too deep for the parser itself
        offset = getattr(error, "offset", None)
        where = f" at character {offset}" if offset else ""
        raise RangeError(f"an expression must be a formula such as sin(3*x), got {text!r}, which can't be read{where}") from None
    return _node(tree, dimension, text, 1)


def _node(found: ast.AST, dimension: int, text: str, depth: int) -> Node:
    """What is on the list, as a node."""
    if depth > DEEPEST:
        raise RangeError(f"an expression must be nested at most {DEEPEST} deep, got {text[:40]!r}...")

    def read(part: ast.AST) -> Node:
        return _node(part, dimension, text, depth + 1)

    match found:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _number(value)
        case ast.Name(id=name):
            return _named(name, dimension)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return read(operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Node("neg", (read(operand),))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            return _operation(_OPERATORS[type(op)], read(left), read(right), text)
        case ast.BinOp(op=ast.BitXor()):
            raise RangeError(f"a power is written with **, got ^ in {text!r}")
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return Node(_function(name, len(arguments)), tuple(read(argument) for argument in arguments))
    part = ast.get_source_segment(text.strip(), found) if isinstance(found, ast.expr) else None
    raise RangeError(
        f"an expression may hold numbers, variables, + - * / **, parentheses and functions such as sin(3*x), got {part or text!r}"
    )


def _number(value: float) -> Node:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RangeError("a number in an expression must be finite, got one above 1.8e308")
    return Node("number", value=number)


def _named(name: str, dimension: int) -> Node:
    if name in CONSTANTS:
        return Node("number", value=CONSTANTS[name])
    found = _VARIABLE.fullmatch(name)
    if found and (index := int(found[1] or 1)) <= dimension:
        return Node("x", value=index - 1)
    variables = {0: (), 1: ("x",), 99: ("x", "x1", "x2", "...")}.get(dimension, tuple(f"x{index}" for index in range(1, dimension + 1)))
    known = ", ".join((*variables, *CONSTANTS, *FUNCTIONS))
    called = f": write {name}(x)" if name in FUNCTIONS or name in _ALIASES else ""
    raise UnknownNameError(f"an expression may use {known}, got {name!r}{called}")


def _function(name: str, arguments: int) -> str:
    name = _ALIASES.get(name, name)
    if name not in FUNCTIONS:
        raise UnknownNameError(f"a function must be one of {', '.join(FUNCTIONS)}, got {name!r}")
    wanted = 2 if name in ("min", "max") else 1
    if arguments != wanted:
        raise RangeError(f"{name} takes {wanted} argument{'s' if wanted > 1 else ''}, got {arguments}")
    return name


def _operation(op: str, left: Node, right: Node, text: str) -> Node:
    if op == "**":
        return _power(left, right, text)
    if op == "*" and left == right:
        return Node("**", (left, Node("number", value=2.0)))  # the same numbers, and an interval that knows that it isn't negative
    return Node(op, (left, right))


def _power(base: Node, exponent: Node, text: str) -> Node:
    """A power whose exponent is a number, or whose base is a positive one: ``2**x`` is ``exp(x log 2)``."""
    if not _highest(exponent):
        value = float(Expression(text, 0, exponent)())
        if not abs(value) <= LARGEST_EXPONENT:
            raise RangeError(f"an exponent must be from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}, got {value:.3g} in {text!r}")
        return Node("**", (base, Node("number", value=value)))
    if not _highest(base) and (value := float(Expression(text, 0, base)())) > 0.0 and math.isfinite(value):
        return Node("exp", (Node("*", (exponent, Node("number", value=math.log(value)))),))
    raise RangeError(f"a power must have a number as its exponent, or a positive number as its base, got {text!r}: write exp(b*log(a))")


def _highest(tree: Node) -> int:
    """The number of the highest variable in a tree; 0 if there is none."""
    return int(tree.value) + 1 if tree.op == "x" else max(map(_highest, tree.operands), default=0)
