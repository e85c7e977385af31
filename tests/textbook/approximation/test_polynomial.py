"""With z^r no width helps: a polynomial of degree r is all there is."""

import numpy as np
import pytest

from mlpxp import Network, RangeError, forward, initialize
from mlpxp.instruments.gradient_check import check_gradients
from mlpxp.textbook.approximation import Fitting, best_polynomial, make_target, polynomial_failure, polynomial_network, power


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_a_wide_layer_spans_as_many_dimensions_as_there_are_powers(degree):
    """40 units with random weights and biases: with the constant, rank r + 1."""
    network = Network((1, 40, 1), hidden=power(degree), output="identity")
    first, last = initialize(network, seed=0, dtype="float64")
    first = first._replace(b=np.random.default_rng(0).uniform(-1, 1, (40, 1)))
    hidden = forward(network, (first, last), np.linspace(-1, 1, 100)[None])[0].A
    assert np.linalg.matrix_rank(np.vstack([hidden, np.ones(100)]), tol=1e-10) == degree + 1


@pytest.mark.parametrize("text", ["sine", "runge", "abs(x - 0.2)"])
@pytest.mark.parametrize("degree", [1, 2, 3, 6, 12])
def test_the_floor_is_reached_by_a_network_of_one_unit_more_than_the_degree(text, degree):
    target = make_target(text, (-1, 1) if text == "runge" else (1, 4))
    attained = polynomial_network(target, degree)
    assert attained.network.sizes == (1, degree + 1, 1)
    assert attained.rms_error == pytest.approx(best_polynomial(target, degree)[1], rel=1e-6, abs=1e-9)


def test_the_best_polynomial_worked_by_hand():
    """x² on [-1, 1] by degree 1: the mean ⅓, with a deviation of √(1/5 - 1/9); T_0 alone."""
    coefficients, floor = best_polynomial(make_target("x**2"), 1)
    assert coefficients == pytest.approx([1 / 3, 0.0], abs=2e-4)  # the grid has its ends, which a mean has not
    assert floor == pytest.approx(np.sqrt(4 / 45), abs=2e-4)
    assert best_polynomial(make_target("x**2"), 2)[1] < 1e-14


def test_training_comes_to_the_floor_and_never_below():
    study = polynomial_failure("runge", 2, (4, 32), fitting=Fitting(seeds=3, epochs=800))
    errors = np.stack([one.rms_error for one in study.trained])
    assert (errors >= study.floor * (1 - 1e-12)).all()
    assert (np.median(errors, axis=-1) <= study.floor * 1.01).all()
    assert np.median(study.compared[1].rms_error) < study.floor / 20
    assert study.attained.rms_error == pytest.approx(study.floor, rel=1e-10)
    assert study.fitting.spacing == "uniform"


def test_the_derivative_of_the_power():
    network = Network((1, 3, 1), hidden=power(3), output="identity")
    parameters = initialize(network, seed=1, dtype="float64")
    X = np.linspace(-1, 1, 5)[None]
    assert check_gradients(network, parameters, X, X**2).passed


@pytest.mark.parametrize("degree", [0, 13, 2.5])
def test_bad_degrees(degree):
    for function in (power, lambda degree: best_polynomial(make_target("sine"), degree)):
        with pytest.raises(RangeError, match="degree must be"):
            function(degree)


def test_several_variables():
    with pytest.raises(RangeError, match="needs a function of one variable"):
        polynomial_failure("saddle")
