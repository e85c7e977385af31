"""An enclosure holds every value, and becomes tight."""

import mpmath
import numpy as np
import pytest

from mlpxp.textbook.approximation import parse_expression
from mlpxp.textbook.approximation._intervals import Interval, cells_of, enclose, prove_finite

FORMULAS = [
    "sin(5*x)",
    "cos(5*x)",
    "tan(x/2)",
    "exp(3*x)",
    "log(x + 3)",
    "sqrt(x + 2)",
    "abs(x)",
    "sign(x)",
    "sinh(2*x)",
    "cosh(2*x)",
    "tanh(2*x)",
    "arctan(4*x)",
    "min(x, x**2)",
    "max(x, -x)",
    "x**3 - x**2",
    "(x + 3)**-2",
    "(x + 3)**-1",
    "(x + 2)**2.5",
    "(x + 3)**-0.5",
    "x**4",
    "1/(2 + sin(9*x))",
    "x*(x - 1)*-x",
]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("n", [1, 7, 300])
def test_no_value_lies_outside(text, n):
    expression, cells = parse_expression(text), cells_of(((-2.0, 2.0),), n)
    low, high = enclose(expression.tree, cells)
    for share in np.linspace(0.0, 1.0, 41):
        values = expression(cells.low[0] + share * (cells.high[0] - cells.low[0]))
        assert (low <= values).all()
        assert (values <= high).all()


@pytest.mark.parametrize("text", FORMULAS)
def test_small_cells_have_small_enclosures(text):
    """The width of an enclosure falls with that of the cell; a jump keeps its 2."""
    low, high = enclose(parse_expression(text).tree, cells_of(((-2.0, 2.0),), 4096))
    steepest = {"exp(3*x)": 1300.0, "sinh(2*x)": 60.0, "cosh(2*x)": 60.0, "sign(x)": 2100.0}.get(text, 60.0)
    assert (high - low).max() <= steepest * 4 / 4096


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh", "arctan"])
def test_a_point_s_enclosure_holds_the_true_value(name):
    """At single numbers, against 40 digits: rounding is on the outside."""
    x = np.random.default_rng(0).uniform(0.01, 30.0, 500)
    low, high = enclose(parse_expression(f"{name}(x)").tree, Interval(x[None], x[None]))
    with mpmath.workdps(40):
        true = [getattr(mpmath, {"arctan": "atan"}.get(name, name))(mpmath.mpf(one)) for one in x.tolist()]
        assert all(a <= value <= b for a, value, b in zip(low.tolist(), true, high.tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "sin(x)/(2 + x)",
        "sqrt(1 - x**2)",
        "1/(1e-9 + x*x)",
        "1/(1.0001 - x)",
        "exp(700*x)",
        "x/exp(700*x + 5)",
        "sqrt(abs(x))",
        "tan(x)",
        "sqrt(x**2 + 2*x + 1)",
        "(1 - x**2)**1.5",
    ],
)
def test_what_is_finite_is_proved(text):
    assert prove_finite(parse_expression(text).tree, ((-1.0, 1.0),)) is None


@pytest.mark.parametrize(
    ("text", "pole"),
    [
        ("1/(x - 0.123456789)", 0.123456789),
        ("tan(2*x)", np.pi / 4),
        ("log(x + 0.3)", -0.3),
        ("(x-0.7)**-2", 0.7),
        ("x**-0.5", 0.0),
        ("sqrt(1e6*(x - 0.299945)**2 - 1e-3)", 0.3),
    ],
)
def test_a_pole_between_all_samples_is_found(text, pole):
    found = prove_finite(parse_expression(text).tree, ((-1.0, 1.0),))
    assert found is not None
    assert abs(found[0]) == pytest.approx(abs(pole), abs=4e-5) or found[0] < pole  # of a logarithm: anywhere it isn't defined


def test_poles_in_the_plane():
    box = ((-1.0, 1.0), (-1.0, 1.0))
    assert prove_finite(parse_expression("1/(1e-4 + (x1 - x2)**2)").tree, box) is None
    at = prove_finite(parse_expression("1/(x1**2 + (x2 - 0.3)**2)").tree, box)
    assert at == pytest.approx((0.0, 0.3), abs=1e-6)


def test_cells_cover_the_box():
    cells = cells_of(((0.0, 1.0), (2.0, 6.0)), 2)
    assert cells.low.tolist() == [[0.0, 0.0, 0.5, 0.5], [2.0, 4.0, 2.0, 4.0]]
    assert cells.high.tolist() == [[0.5, 0.5, 1.0, 1.0], [4.0, 6.0, 4.0, 6.0]]
