"""An element-wise expression in CUDA C++."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpxp_backends.expressions import Expression

__all__ = ["source"]

_TYPES = {"float32": "float", "float64": "double", "int32": "int", "bool": "bool"}

# A comparison with NaN is false, so that the first operand of maximum and minimum has to be asked by itself; the second is taken then.
_OPERATIONS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}", "negative": "-{0}",
    "maximum": "{0} >= {1} || {0} != {0} ? {0} : {1}", "minimum": "{0} <= {1} || {0} != {0} ? {0} : {1}",
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    "logical_and": "{0} && {1}", "logical_or": "{0} || {1}", "logical_xor": "{0} != {1}", "logical_not": "!{0}",
    "where": "{0} ? {1} : {2}", "astype": "({type}){0}", "full": "{0}", "abs": "fabs({0})", "square": "{0} * {0}", "pow": "pow({0}, {1})",
    **{name: name + "({0})" for name in ("cos", "exp", "expm1", "log", "log1p", "sin", "sqrt", "tanh")},
}  # fmt: skip

# Integers wrap around, which C promises of unsigned ones alone; a shift by more bits than there are is one by all of them.
_ON_INTEGERS = {
    **{name: f"(int)((unsigned){{0}} {sign} (unsigned){{1}})" for name, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*"))},
    "bitwise_and": "{0} & {1}", "bitwise_xor": "{0} ^ {1}", "bitwise_right_shift": "{0} >> ((unsigned){1} < 32u ? {1} : 31)",
}  # fmt: skip


def source(expression: Expression) -> tuple[str, str, str]:
    """Return the declarations of the arguments ``a0``, ``a1``, ... and of the results ``r0``, ``r1``, ..., and what makes one of the other.

    Every operation is a constant of the dtype it has in the library: nothing is computed in double precision on the way to a float.
    """
    arguments = ", ".join(f"{dtype} a{i}" for i, dtype in enumerate(expression.arguments))
    results = ", ".join(f"{expression.steps[i][2]} r{n}" for n, i in enumerate(expression.results))
    lines = []
    for number, (operation, operands, dtype) in enumerate(expression.steps):
        names = [f"s{i}" if i >= 0 else f"a{~i}" for i in operands]
        template = (_ON_INTEGERS if dtype == "int32" else {}).get(operation) or _OPERATIONS[operation]
        lines.append(f"const {_TYPES[dtype]} s{number} = {template.format(*names, type=_TYPES[dtype])};")
    lines += [f"r{n} = s{i};" for n, i in enumerate(expression.results)]
    return arguments, results, "\n".join(lines)
