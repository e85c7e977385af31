"""A cost is the mean negative log-likelihood, which SciPy computes from its distributions, and hands here by multiplying."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from mlpxp import DataError, Layer, Loss, MissingLibraryError, Network, ShapeError, UnknownNameError, cost, forward
from mlpxp.textbook.teaching._likelihood import negative_log_likelihood

pytest.importorskip("scipy")


def fitted(output, loss, n=3, m=20):
    """A network's predictions, random targets that could have been drawn, and its cost."""
    random = np.random.default_rng(0)
    if loss == "cross_entropy":
        Y = np.eye(n)[:, random.integers(0, n, m)]
    else:
        Y = {"mse": random.standard_normal, "poisson": lambda size: random.poisson(2.0, size) * 1.0}.get(
            loss, lambda size: random.integers(0, 2, size) * 1.0
        )((n, m))
    network = Network((2, n), output=output, loss=loss)
    parameters = (Layer(W=random.standard_normal((n, 2)), b=random.standard_normal((n, 1))),)
    trace = forward(network, parameters, random.standard_normal((2, m)))
    return trace[-1].A, Y, float(cost(network, trace, Y))


@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy")])
def test_a_cross_entropy_is_the_negative_log_likelihood(output, loss):
    A, Y, C = fitted(output, loss)
    assert negative_log_likelihood(loss, A, Y) == pytest.approx(C, rel=1e-12)
    drawn = np.where(Y == 1.0, A, 1.0 - A if loss == "binary_cross_entropy" else 1.0)  # the probability of what was drawn
    assert -math.log(math.prod(drawn.ravel())) / A.shape[1] == pytest.approx(C, rel=1e-12)


def test_a_likelihood_multiplied_by_hand():
    """Three classes: ½ · ¼ · ¼ = 1/32, -ln of it over three examples."""
    A = np.asarray([[0.5, 0.25, 0.5], [0.25, 0.25, 0.25], [0.25, 0.5, 0.25]])
    Y = np.asarray([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    likelihood = Fraction(1, 2) * Fraction(1, 4) * Fraction(1, 4)
    assert negative_log_likelihood("cross_entropy", A, Y) == pytest.approx(-math.log(likelihood) / 3, rel=1e-14)


def test_probabilities_of_float32_are_probabilities():
    A = np.asarray([[0.1], [0.7], [0.2]], dtype="float32")
    assert float(A.astype("float64").sum()) != 1.0
    assert negative_log_likelihood("cross_entropy", A, [[0.0], [1.0], [0.0]]) == pytest.approx(-math.log(0.7), rel=1e-6)


def test_the_squared_error_is_it_up_to_a_constant():
    A, Y, C = fitted("identity", "mse")
    assert negative_log_likelihood("mse", A, Y) == pytest.approx(C + 3 * 0.5 * math.log(2 * math.pi), rel=1e-12)


def test_the_poisson_loss_is_it_less_what_the_targets_alone_make():
    A, Y, C = fitted("exp", "poisson")
    alone = [sum(math.lgamma(y + 1) + y - (y * math.log(y) if y else 0.0) for y in column) for column in Y.T]
    assert negative_log_likelihood("poisson", A, Y) == pytest.approx(C + np.mean(alone), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "A", "Y", "error", "says"),
    [
        ("binary_cross_entropy", [[0.5]], [[0.5]], DataError, "zeros and ones"),
        ("cross_entropy", [[0.5], [0.5]], [[1.0], [1.0]], DataError, "a single 1 for each example"),
        ("poisson", [[1.0]], [[0.5]], DataError, "counts, from 0"),
        ("mse", [[1.0]], [[1.0, 2.0]], ShapeError, r"Y must have the shape of A, \(1, 1\), got \(1, 2\)"),
        ("binary_cross_entropy", [[1.5]], [[1.0]], DataError, "A must hold probabilities, from 0 to 1"),
        ("cross_entropy", [[1.5], [-0.5]], [[1.0], [0.0]], DataError, "A must hold probabilities, from 0 to 1"),
        ("cross_entropy", [[0.5], [0.2]], [[1.0], [0.0]], DataError, "A must sum to 1 for each example"),
        ("poisson", [[-1.0]], [[1.0]], DataError, "A must hold means of counts, from 0"),
        ("hinge", [[1.0]], [[1.0]], UnknownNameError, "loss must be one of"),
        (Loss("mine", abs, abs), [[1.0]], [[1.0]], UnknownNameError, "got 'mine'"),
    ],
)
def test_targets_and_predictions_that_nobody_draws(loss, A, Y, error, says):
    with pytest.raises(error, match=says):
        negative_log_likelihood(loss, A, Y)


def test_without_scipy_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'mlpxp\[sklearn\]'"):
        negative_log_likelihood("mse", [[1.0]], [[1.0]])
