"""The staircase of sigmoids: its bound holds, and says something."""

import numpy as np
import pytest

from mlpxp import RangeError, predict
from mlpxp.textbook.approximation import Bound, make_target, sigmoid_staircase, staircase_bound

FUNCTIONS = [
    ("sin(3*x)", (-1, 1)),
    ("1/(1 + 25*x**2)", (-1, 1)),
    ("abs(x)", (-1, 2)),
    ("sqrt(abs(x))", (-1, 1)),
    ("exp(x)", (0, 3)),
    ("sin(pi*x)*cos(8*x)", (-1, 1)),
    ("x", (100, 101)),
    ("max(x, sin(20*x))", (0, 1)),
]


@pytest.mark.parametrize(("text", "box"), FUNCTIONS)
@pytest.mark.parametrize("width", [1, 3, 70])
@pytest.mark.parametrize("steepness", [0.5, 16.0, 1500.0])
def test_the_bound_holds(text, box, width, steepness):
    staircase = sigmoid_staircase(make_target(text, box), width, steepness=steepness)
    assert staircase.max_error <= staircase.bound.value * (1.0 + 1e-9)
    assert staircase.rms_error <= staircase.max_error


@pytest.mark.parametrize(("text", "box"), FUNCTIONS)
def test_the_bound_is_not_vacuous(text, box):
    """With 150 steps it is at most three times what is so, and it halves as the width doubles, where f has a slope."""
    target = make_target(text, box)
    staircase = sigmoid_staircase(target, 150)
    assert staircase.bound.value <= 3.0 * staircase.max_error
    if target.lipschitz is not None:
        assert staircase_bound(target, 301).value == pytest.approx(staircase.bound.value / 2, rel=0.01)


def test_a_straight_line_attains_the_bound():
    """f(x) = x: at the ends the error is h/2, and the bound h(½ + τ(16)), which is 0.07 % more."""
    staircase = sigmoid_staircase(make_target("x", (0, 1)), 9)
    tau = (1 + np.exp(-16)) / (2 * np.sinh(8))
    assert staircase.bound.value == pytest.approx(0.1 * (0.5 + tau), rel=1e-12)
    assert staircase.bound.formula == "L h (½ + τ)"
    assert staircase.max_error == pytest.approx(0.05, abs=1e-6)


def test_the_weights_are_those_of_the_formula():
    """f(x) = x² on [0, 3], two steps: h = 1, c = ¼, 9/4, 25/4, t = 1, 2."""
    hidden, output = sigmoid_staircase(make_target("x**2", (0, 3)), 2, steepness=8.0).parameters
    assert hidden.W.tolist() == [[8.0], [8.0]]
    assert hidden.b.tolist() == [[-8.0], [-16.0]]
    assert output.W.tolist() == [[2.0, 4.0]]
    assert output.b.tolist() == [[0.25]]


def test_a_function_of_your_own_has_a_bound_on_your_word():
    assert sigmoid_staircase(make_target(np.sin, (0, 1)), 4).bound is None
    target = make_target(np.sin, (0, 1), lipschitz=1.0)
    found = sigmoid_staircase(target, 4)
    assert found.max_error <= found.bound.value == staircase_bound(target, 4).value
    assert isinstance(found.bound, Bound)


def test_it_is_an_ordinary_network_on_every_backend(backend, to_host):
    staircase = sigmoid_staircase(make_target("sin(3*x)"), 12, backend=backend)
    X = backend.asarray(np.linspace(-1, 1, 5)[None])
    there = to_host(predict(staircase.network, staircase.parameters, X))[0]
    np.testing.assert_allclose(staircase(np.linspace(-1, 1, 5)), there, rtol=0, atol=1e-14)
    assert staircase.max_error == pytest.approx(sigmoid_staircase(make_target("sin(3*x)"), 12).max_error, rel=1e-10)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"width": 0}, "width must be a whole number from 1, got 0"),
        ({"width": 2, "steepness": 0.0}, "steepness must be a number from 0.001 to 1,000,000, got 0.0"),
        ({"width": 2, "steepness": 1e308}, "steepness must be a number from"),
        ({"width": 2, "steepness": 5e-324}, "steepness must be a number from"),
        ({"width": 2, "steepness": np.nan}, "steepness must be a number from"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(RangeError, match=says):
        sigmoid_staircase(make_target("x"), **options)


def test_several_variables_have_no_staircase():
    with pytest.raises(RangeError, match="needs a function of one variable, got x1 of 2"):
        sigmoid_staircase(make_target("x1", ((0, 1), (0, 1))), 3)
