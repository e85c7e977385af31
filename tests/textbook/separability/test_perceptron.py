from fractions import Fraction

import numpy as np
import pytest

from mlpxp import DataError, RangeError, perceptron, separate
from mlpxp.textbook.separability import Separation

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_the_rule_on_and_by_hand():
    """Of the first epoch: (0,0) is mistaken, as w · x + b = 0 there; then (1,1)."""
    run = perceptron(SQUARE, [0, 0, 0, 1])
    assert run.stop == "converged"
    assert run.path[:4] == (((0.0, 0.0), 0.0), ((0.0, 0.0), -1.0), ((1.0, 1.0), 0.0), ((1.0, 1.0), -1.0))
    assert run.mistakes == (2, 3, 3, 2, 2, 3, 2, 1, 0)
    assert (run.w, run.b) == run.path[-1] == ((3.0, 2.0), -4.0)
    assert len(run.path) == 1 + sum(run.mistakes)
    assert (run.cycle, run.certificate) == (None, None)
    assert str(run) == "converged: 18 mistakes in 9 epochs, of at most 51 that there can be"


def test_novikoff_s_bound_of_and():
    """R² = |(1,1,1)|² = 3; the hyperplane (2,2,-3) has |(w,b)|² = 17 and reaches 1 at the nearest: 3 · 17 / 1."""
    assert perceptron(SQUARE, [0, 0, 0, 1]).bound == 51


def test_xor_goes_round_in_a_circle_and_that_is_a_certificate():
    run = perceptron(SQUARE, [0, 1, 1, 0])
    assert (run.stop, run.cycle, run.mistakes, run.bound) == ("cycled", (0, 1), (4,), None)
    assert run.path[0] == run.path[-1]
    assert run.certificate == (1, 1, 1, 1) == separate(SQUARE, [0, 1, 1, 0]).certificate
    assert str(run) == "cycled: after epoch 1 it stands where it started, and repeats itself for ever (4 mistakes in 1 epoch)"


@pytest.mark.parametrize("seed", range(20))
def test_it_converges_within_the_bound_or_its_circle_is_a_certificate(seed):
    random = np.random.default_rng(seed)
    n = 1 + seed % 3
    X, y = random.integers(-3, 4, size=(8, n)) / 4, random.integers(0, 2, 8)
    y[:2] = 0, 1
    run, found = perceptron(X, y, epochs=100_000), separate(X, y)
    assert run.stop == ("converged" if found.separable else "cycled")
    if found.separable:
        assert sum(run.mistakes) <= run.bound
        assert Separation(True, run.w, run.b, None, None, (0, 1)).verify(X, y)
    else:
        start, end = run.cycle
        assert end == len(run.mistakes) > start
        assert sum(run.certificate) == sum(run.mistakes[start:end])
        assert Separation(False, None, None, None, run.certificate, (0, 1)).verify(X, y)


def test_both_happen():
    random = np.random.default_rng(0)
    stops = {perceptron(random.integers(-3, 4, size=(6, 2)), [0, 1] * 3, epochs=10_000).stop for _ in range(20)}
    assert stops == {"converged", "cycled"}


def test_the_arithmetic_is_exact():
    """In floats 1e16 + 1 is 1e16: the rule would never leave the place, nor notice."""
    X, y = [[1e16], [1e16 + 2], [5e-324]], [0, 1, 0]
    run = perceptron(X, y, epochs=50)
    w, b = Fraction(0), Fraction(0)
    for _ in range(50):
        for (x,), label in zip(X, y, strict=True):
            sign = 2 * label - 1
            if sign * (w * Fraction(x) + b) <= 0:
                w, b = w + sign * Fraction(x), b + sign
    assert run.stop == "epochs"
    assert (run.w, run.b) == ((float(w),), float(b))
    assert str(run).startswith("not converged yet: ")


def test_the_path_ends_at_the_thousandth_mistake():
    random = np.random.default_rng(0)
    run = perceptron(random.normal(size=(50, 2)), [0, 1] * 25, epochs=100)
    assert sum(run.mistakes) > 1000
    assert len(run.path) == 1001


def test_numbers_beyond_floats_are_infinite():
    """w is (A, A) after the first example; the second is mistaken, and w becomes (3A/2, 0)."""
    A = 1.7e308
    run = perceptron([[A, A], [A / 2, -A], [-A, 0.0]], [1, 1, 0], epochs=1)
    assert run.path == (((0.0, 0.0), 0.0), ((A, A), 1.0), ((np.inf, 0.0), 2.0))
    assert (run.w, run.b) == ((np.inf, 0.0), 2.0)


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "many", True])
def test_epochs_that_make_no_sense(epochs):
    with pytest.raises(RangeError, match="epochs must be a whole number from 1"):
        perceptron(SQUARE, [0, 1, 1, 0], epochs=epochs)


def test_data_that_make_no_sense():
    with pytest.raises(DataError, match="y must hold two classes"):
        perceptron(SQUARE, [1, 1, 1, 1])
