"""ReLU's interpolant is numpy.interp, and its error is bounded."""

import numpy as np
import pytest

from mlpxp import RangeError
from mlpxp.textbook.approximation import interpolation_bound, make_target, relu_interpolant

FUNCTIONS = [
    ("sin(3*x)", (-1, 1)),
    ("1/(1 + 25*x**2)", (-1, 1)),
    ("exp(x)", (0, 3)),
    ("abs(x)", (-1, 2)),
    ("sqrt(abs(x))", (-1, 1)),
    ("x**2", (0, 1)),
]


@pytest.mark.parametrize(("text", "box"), FUNCTIONS)
@pytest.mark.parametrize("k", [1, 2, 7, 64])
def test_it_is_numpys_interpolation(text, box, k):
    """To a few units in the last place of the largest term that is added up."""
    target = make_target(text, box)
    interpolant = relu_interpolant(target, k)
    assert interpolant.network.sizes == (1, k, 1)
    x, knots = np.linspace(*box, 5001), np.linspace(*box, k + 1)
    hidden, output = interpolant.parameters
    terms = np.abs(output.W) @ np.maximum(hidden.W * x + hidden.b, 0.0) + abs(output.b)
    ulps = np.abs(interpolant(x) - np.interp(x, knots, target(knots))) / np.spacing(terms[0])
    assert ulps.max() <= 8.0


def test_with_numbers_that_need_no_rounding_it_is_the_same_bit_for_bit():
    target = make_target("abs(2*abs(2*abs(x) - 1) - 1)")
    x = np.arange(-512, 513) / 512
    np.testing.assert_array_equal(relu_interpolant(target, 8)(x), target(x))


@pytest.mark.parametrize(("text", "box"), FUNCTIONS)
@pytest.mark.parametrize("k", [1, 2, 7, 64])
def test_the_bound_holds(text, box, k):
    interpolant = relu_interpolant(make_target(text, box), k)
    assert interpolant.max_error <= interpolant.bound.value * (1 + 1e-9) + 1e-14


def test_a_parabola_attains_the_bound():
    """x² on [0, 1] in 4 segments: h²/8 · 2 = 1/64, in the middle of each."""
    interpolant = relu_interpolant(make_target("x**2", (0, 1)), 4)
    assert interpolant.bound.value == pytest.approx(1 / 64, rel=1e-12)
    assert interpolant.bound.formula == "h²/8 max|f″|"
    assert interpolant([0.125, 0.25]) - np.asarray([1 / 64, 1 / 16]) == pytest.approx([1 / 64, 0.0], abs=1e-16)


def test_the_order_is_two_where_there_is_a_curvature():
    target = make_target("sin(3*x)")
    errors = [relu_interpolant(target, k).max_error for k in (32, 64, 128)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.05)
    assert errors[-1] >= 0.95 * interpolation_bound(target, 128).value


@pytest.mark.parametrize(("text", "formula"), [("abs(x)", "L h/2"), ("sqrt(abs(x))", "ω(h)"), ("sin(3*x)", "h²/8 max|f″|")])
def test_the_bound_says_what_it_rests_on(text, formula):
    assert interpolation_bound(make_target(text), 50).formula == formula


def test_without_any_knowledge_there_is_no_bound():
    assert relu_interpolant(make_target(np.sin), 5).bound is None


def test_bad_input():
    with pytest.raises(RangeError, match=r"segments must be a whole number from 1, got 2\.5"):
        relu_interpolant(make_target("x"), 2.5)
    with pytest.raises(RangeError, match=r"needs a function of one variable"):
        relu_interpolant(make_target("saddle"), 3)
