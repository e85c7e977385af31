"""A formula is what it says, and nothing that is none gets in."""

import math

import numpy as np
import pytest

from mlpxp import RangeError, ShapeError, UnknownNameError
from mlpxp.textbook.approximation import parse_expression, parse_number
from mlpxp.textbook.approximation._expression import FUNCTIONS

X = np.linspace(0.1, 2.0, 7)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sin(3*x)", lambda x: np.sin(3 * x)),
        ("-x**2", lambda x: -(x**2)),
        ("2**-x", lambda x: 2.0**-x),
        ("x**2**2", lambda x: x**4),
        ("x/2/5", lambda x: x / 10),
        ("1 - (x - 3)", lambda x: 4 - x),
        ("+x*x", lambda x: x**2),
        ("max(x, 1) + min(x, 1)", lambda x: x + 1),
        ("maximum(x, 1) - minimum(1, x)", lambda x: abs(x - 1)),
        ("ln(e**x)", lambda x: x),
        ("atan(tan(x/2))", lambda x: x / 2),
        ("x1 + 0*pi", lambda x: x),
        ("1", lambda x: 0 * x + 1),
    ],
)
def test_a_formula_is_its_value(text, wanted):
    expression = parse_expression(text)
    assert expression.dimension == 1
    np.testing.assert_allclose(expression(X), wanted(X), rtol=1e-14)
    assert expression(X).shape == X.shape


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("min", "max")])
def test_every_function_is_numpys(name):
    np.testing.assert_array_equal(parse_expression(f"{name}(x)")(X), FUNCTIONS[name](X))


def test_several_variables():
    expression = parse_expression("x1*x3")
    assert expression.dimension == 3
    assert expression(2.0, 5.0, 3.0) == 6.0
    assert parse_expression("x", 2).dimension == 2
    with pytest.raises(ShapeError, match="needs 3 arguments, one for each variable, got 1"):
        expression(X)


def test_values_that_are_not_finite_come_without_a_warning():
    assert not np.isfinite(parse_expression("1/x + log(x) + sqrt(x)")([0.0, -1.0])).any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a formula such as sin"),
        ("   ", "a formula such as sin"),
        (3, "got 3"),
        ("sin(3x)", r"got 'sin\(3x\)', which can't be read at character"),
        ("x +", "which can't be read"),
        ("\0", "which can't be read"),
        ("x; x", "which can't be read"),
        ("x = 1", "which can't be read"),
        ("x^2", r"a power is written with \*\*, got \^ in"),
        ("x if x else 1", "may hold numbers"),
        ("lambda: 1", "may hold numbers"),
        ("x < 1", "may hold numbers"),
        ("x.real", "got 'x.real'"),
        ("x[0]", r"got 'x\[0\]'"),
        ("[x for x in x]", "may hold numbers"),
        ("(x := 1)", "may hold numbers"),
        ("x % 2", "may hold numbers"),
        ("~x", "got '~x'"),
        ("'a'", "may hold numbers"),
        ("True", "may hold numbers"),
        ("1j", "may hold numbers"),
        ("sin(x=1)", "may hold numbers"),
        ("sin(*x)", "got '\\*x'"),
        ("sin(x)(x)", "may hold numbers"),
        ("().__class__.__bases__[0]", "may hold numbers"),
        ("max(x)", "max takes 2 arguments, got 1"),
        ("sin(x, x)", "sin takes 1 argument, got 2"),
        ("x**x", "an exponent|a power must have a number as its exponent"),
        ("(-2)**x", "a power must have a number as its exponent"),
        ("x**101", "an exponent must be from -100 to 100, got 101"),
        ("9**9**9**9", "an exponent must be from -100 to 100"),
        ("x**(1/0)", "an exponent must be from -100 to 100, got inf"),
        ("x**(0/0)", "an exponent must be from -100 to 100, got nan"),
        ("1e999", "must be finite"),
        ("1" + "0" * 400, "must be finite"),
        ("x" + "+x" * 250, "at most 500 characters, got 501"),
        ("x" + "+x" * 120, "nested at most 100 deep"),
        ("-" * 499 + "x", "nested at most 100 deep"),
        ("(" * 240 + "x" + ")" * 240, "which can't be read"),
    ],
)
def test_what_is_no_formula_is_refused_in_one_line(text, says):
    with pytest.raises(RangeError, match=says) as caught:
        parse_expression(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("y", "may use x, pi, e, sin, .* max, got 'y'"),
        ("x2", "may use x, pi, .* got 'x2'"),
        ("x0", "got 'x0'"),
        ("sin", r"got 'sin': write sin\(x\)"),
        ("f(x)", "a function must be one of sin, .* max, got 'f'"),
        ("__import__('os')", "a function must be one of sin, .* got '__import__'"),
        ("eval(x)", "got 'eval'"),
        ("open", "got 'open'"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(text, says):
    with pytest.raises(UnknownNameError, match=says):
        parse_expression(text, 1)


def test_a_number_may_be_a_formula():
    assert parse_number("-pi/2") == -math.pi / 2
    with pytest.raises(RangeError, match="must be finite, got '1/0'"):
        parse_number("1/0")
    with pytest.raises(UnknownNameError, match="may use pi, e, sin"):
        parse_number("x")
