import numpy as np
import pytest

from mlpxp import DataError, RangeError, ShapeError
from mlpxp.textbook.approximation import TARGETS, make_target
from mlpxp.textbook.approximation._targets import box_grid


@pytest.mark.parametrize("name", TARGETS)
def test_the_built_in_targets_can_be_made(name):
    target = make_target(name)
    assert target.name == TARGETS[name]
    assert np.isfinite(target(*box_grid(target.box, 100))).all()


@pytest.mark.parametrize(
    ("text", "box", "lipschitz", "curvature"),
    [
        ("sin(3*x)", (-1, 1), 3.0, 9.0),
        ("2*x", (0, 5), 2.0, 0.0),
        ("x**3", (-1, 2), 12.0, 12.0),
        ("exp(-x)", (0, 1), 1.0, 1.0),
        ("1/(1 + 25*x**2)", (-1, 1), 15 * np.sqrt(3) / 8, 50.0),  # at x² = 1/75
        ("abs(x) + abs(x - 1)", (-2, 2), 2.0, None),
        ("max(x, 1 - 3*x)", (0, 1), 3.0, None),
        ("x1**2 - x2**2", ((-1, 1), (-1, 1)), 4.0, None),
    ],
)
def test_proved_bounds_are_the_known_ones(text, box, lipschitz, curvature):
    """Never below what is so, and within 1 % of it."""
    target = make_target(text, box)
    assert lipschitz <= target.lipschitz <= 1.01 * lipschitz
    assert target.curvature is None if curvature is None else curvature <= target.curvature <= 1.01 * curvature + 1e-12


def test_where_there_is_no_slope_there_is_none():
    assert make_target("sqrt(abs(x))").lipschitz is None
    assert make_target("sign(x)").lipschitz is None
    assert make_target("sqrt(1 - x**2)").curvature is None


@pytest.mark.parametrize(
    ("text", "delta", "omega"),
    [("sqrt(abs(x))", 0.01, 0.1), ("sin(3*x)", 0.001, 0.003), ("sin(3*x)", 2.0, 2.0), ("sign(x)", 1e-9, 2.0), ("x", 0.3, 0.3)],
)
def test_the_modulus_of_continuity(text, delta, omega):
    """ω(δ) of √|x| is √δ; a jump is seen however small δ is."""
    assert omega * (1 - 1e-12) <= make_target(text).modulus(delta) <= 1.01 * omega


def test_a_function_of_your_own():
    target = make_target(lambda x: 2.0 * x, (0, 1), lipschitz=2.0, name="twice")
    assert (target.name, target.lipschitz, target.curvature, target.modulus(0.25)) == ("twice", 2.0, None, 0.5)
    assert make_target(lambda x: 3, (0, 1))([1.0, 2.0]).tolist() == [3.0, 3.0]
    assert make_target(np.sin).modulus(0.1) is None
    plane = make_target(lambda x1, x2: x1 - x2, ((0, 1), (0, 2)))
    assert plane.centre.tolist() == [[0.5], [1.0]]
    assert plane.reach.tolist() == [[0.5], [1.0]]
    assert plane([1.0], [2.0]).tolist() == [-1.0]


@pytest.mark.parametrize(
    ("function", "box", "says"),
    [
        ("1/x", (-1, 1), r"1/x must be finite all over the box, got inf at x = 0$"),
        ("1/(x - 0.123456)", (-1, 1), "near x = 0.123456 no bound was found: is there a pole or a gap"),
        ("log(x)", (-1, 1), "got nan at x = -1"),
        ("sin(x)/x", (-1, 1), "got nan at x = 0"),
        ("sqrt(1e6*(x - 0.299945)**2 - 1e-3)", (-1, 1), "near x = 0.2999.* no bound was found"),
        ("1/(x1 - x2 - 0.1234)", ((-1, 1), (-1, 1)), "near x1 = .*, x2 = .* no bound was found"),
        (np.log, (0, 1), "must be finite all over the box, got -inf at x = 0"),
        (lambda x: x + 1j, (0, 1), "must return real numbers, got complex128"),
    ],
)
def test_what_is_not_finite_is_refused_with_its_place(function, box, says):
    with pytest.raises(DataError, match=says) as caught:
        make_target(function, box)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "box",
    [(1, 0), (0, 0), (0, np.inf), (0, 1, 2), (), "ab", ((0, 1), (1, 0)), (np.nan, 1), [[[0, 1]]], (-1e308, 1e308 * 1.5), None.__class__],
)
def test_boxes_that_are_none(box):
    with pytest.raises(RangeError, match="a box must be"):
        make_target("x", box)


def test_other_bad_input():
    with pytest.raises(RangeError, match="at least a millionth"):
        make_target("x", (1.0, 1.0 + 1e-9))
    with pytest.raises(RangeError, match="a target must be a name, a formula or a function, got 3"):
        make_target(3)
    with pytest.raises(RangeError, match="are computed for a formula"):
        make_target("x", lipschitz=1.0)
    with pytest.raises(RangeError, match="lipschitz must be a number from 0, got -1"):
        make_target(np.sin, lipschitz=-1)
    with pytest.raises(ShapeError, match="must return one value for each of"):
        make_target(lambda x: x[:3], (0, 1))
