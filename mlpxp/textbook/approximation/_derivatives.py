"""The derivative of a formula, as a formula: the rules of a first course, one a line."""

from __future__ import annotations

from collections.abc import Callable

from mlpxp.textbook.approximation._expression import Node

__all__ = ["KINKED", "derivative"]

KINKED = frozenset({"abs", "sign", "min", "max"})  # what has no second derivative everywhere, or not even a first


def derivative(tree: Node, variable: int = 0) -> Node:
    """Return ∂/∂x_variable of a tree; where it has a kink (abs, min, max) or a jump (sign), that of what is beside it.

    Parameters
    ----------
    tree : Node
    variable : int, default 0
        Counted from 0.

    Returns
    -------
    Node
    """
    if not tree.operands:
        return _ONE if tree.op == "x" and int(tree.value) == variable else _ZERO
    return _RULES[tree.op](*tree.operands, *(derivative(operand, variable) for operand in tree.operands))


def _number(value: float) -> Node:
    return Node("number", value=value)


_ZERO, _ONE = _number(0.0), _number(1.0)


def _add(u: Node, v: Node) -> Node:
    return v if u == _ZERO else u if v == _ZERO else Node("+", (u, v))


def _sub(u: Node, v: Node) -> Node:
    return u if v == _ZERO else _neg(v) if u == _ZERO else Node("-", (u, v))


def _neg(u: Node) -> Node:
    return u if u == _ZERO else Node("neg", (u,))


def _mul(u: Node, v: Node) -> Node:
    return _ZERO if _ZERO in (u, v) else v if u == _ONE else u if v == _ONE else Node("*", (u, v))


def _div(u: Node, v: Node) -> Node:
    return _ZERO if u == _ZERO else Node("/", (u, v))


def _pow(u: Node, exponent: float) -> Node:
    return _ONE if exponent == 0.0 else u if exponent == 1.0 else Node("**", (u, _number(exponent)))


def _call(name: str, *operands: Node) -> Node:
    return Node(name, operands)


def _power(u: Node, p: Node, du: Node, _: Node) -> Node:
    return _mul(_mul(_number(p.value), _pow(u, p.value - 1.0)), du) if p.value else _ZERO  # (u^p)' = p u^{p-1} u'


def _larger(u: Node, v: Node, du: Node, dv: Node) -> Node:
    """max(u, v) = ½(u + v + |u - v|)."""
    return _mul(_number(0.5), _add(_add(du, dv), _mul(_call("sign", _sub(u, v)), _sub(du, dv))))


def _smaller(u: Node, v: Node, du: Node, dv: Node) -> Node:
    """min(u, v) = ½(u + v - |u - v|)."""
    return _mul(_number(0.5), _sub(_add(du, dv), _mul(_call("sign", _sub(u, v)), _sub(du, dv))))


_RULES: dict[str, Callable[..., Node]] = {
    "+": lambda u, v, du, dv: _add(du, dv),
    "-": lambda u, v, du, dv: _sub(du, dv),
    "*": lambda u, v, du, dv: _add(_mul(du, v), _mul(u, dv)),
    "/": lambda u, v, du, dv: _sub(_div(du, v), _mul(_div(u, _pow(v, 2.0)), dv)),
    "**": _power,
    "neg": lambda u, du: _neg(du),
    "sin": lambda u, du: _mul(_call("cos", u), du),
    "cos": lambda u, du: _neg(_mul(_call("sin", u), du)),
    "tan": lambda u, du: _mul(_add(_ONE, _pow(_call("tan", u), 2.0)), du),
    "exp": lambda u, du: _mul(_call("exp", u), du),
    "log": lambda u, du: _div(du, u),
    "sqrt": lambda u, du: _div(du, _mul(_number(2.0), _call("sqrt", u))),
    "abs": lambda u, du: _mul(_call("sign", u), du),
    "sign": lambda u, du: _ZERO,
    "sinh": lambda u, du: _mul(_call("cosh", u), du),
    "cosh": lambda u, du: _mul(_call("sinh", u), du),
    "tanh": lambda u, du: _mul(_sub(_ONE, _pow(_call("tanh", u), 2.0)), du),
    "arctan": lambda u, du: _div(du, _add(_ONE, _pow(u, 2.0))),
    "min": _smaller,
    "max": _larger,
}
