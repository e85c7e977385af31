"""The derivative of a formula against a complex step, and against numbers worked by hand."""

import numpy as np
import pytest

from mlpxp.textbook.approximation import parse_expression
from mlpxp.textbook.approximation._derivatives import derivative
from mlpxp.textbook.approximation._expression import _MEANINGS, Expression

X = np.linspace(0.2, 0.9, 11)
SMOOTH = [
    "sin(3*x)*cos(x)",
    "tan(x/2)",
    "exp(-x**2)",
    "log(1 + x)/x",
    "sqrt(x + 2)",
    "sinh(x)*cosh(2*x)",
    "tanh(4*x)",
    "arctan(3*x)",
    "x**-3 + x**0.5 + x**0 + x**1",
    "2**x - -x",
    "(x - 1/x)/(x + 5)",
]


def derived(expression, variable=0):
    return Expression("d", expression.dimension, derivative(expression.tree, variable))


@pytest.mark.parametrize("text", SMOOTH)
def test_first_and_second_derivatives(text):
    """f'(x) = Im f(x + ih)/h to rounding, of a formula that is analytic, and of its derivative."""
    expression = parse_expression(text)
    for _ in range(2):
        stepped = expression.tree.apply(lambda leaf: X + 1e-30j if leaf.op == "x" else complex(leaf.value), _MEANINGS)
        expression = derived(expression)
        np.testing.assert_allclose(expression(X), stepped.imag / 1e-30, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("text", "at", "wanted"),
    [
        ("abs(x - 1)", [0.0, 3.0], [-1.0, 1.0]),
        ("max(x, 2*x)", [-1.0, 1.0], [1.0, 2.0]),
        ("min(x, 2*x)", [-1.0, 1.0], [2.0, 1.0]),
        ("sign(x)", [-1.0, 1.0], [0.0, 0.0]),
    ],
)
def test_beside_a_kink(text, at, wanted):
    np.testing.assert_array_equal(derived(parse_expression(text))(at), wanted)


def test_the_partial_derivatives_of_several_variables():
    expression = parse_expression("x1**2*x2 + x3")
    assert [float(derived(expression, variable)(3.0, 5.0, 7.0)) for variable in range(3)] == [30.0, 9.0, 1.0]
