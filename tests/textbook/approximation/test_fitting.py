"""Training approximants: what comes out reads x, is the same on every backend, and improves with the width."""

import numpy as np
import pytest

from mlpxp import Network, RangeError, UnknownNameError, initialize, predict, unstack
from mlpxp.textbook.approximation import Fitting, error_against_width, log_slope, make_target
from mlpxp.textbook.approximation._fitting import _start, fit_all, whole_numbers

QUICK = Fitting(seeds=3, epochs=400)


def test_wider_is_better_and_the_errors_are_those_of_predict():
    target = make_target("sin(3*x)", (2, 4))
    study = error_against_width(target, (8, 1), fitting=QUICK)
    assert study.widths == (1, 8)
    assert study.max_errors.shape == study.rms_errors.shape == (2, 3)
    assert np.median(study.max_errors[1]) < 0.1
    assert np.median(study.max_errors[0]) > 0.4
    wide = study.trained[1]
    x = np.linspace(2, 4, 2**14)
    errors = np.abs(predict(wide.network, wide.parameters, x[None])[:, 0, :] - np.sin(3 * x))
    np.testing.assert_allclose(wide.max_error, errors.max(axis=-1), rtol=1e-10)
    np.testing.assert_allclose(wide.rms_error, np.sqrt((errors**2).mean(axis=-1)), rtol=1e-10)
    np.testing.assert_allclose(wide(x), predict(wide.network, wide.parameters, x[None])[:, 0, :], rtol=0, atol=1e-12)
    assert wide(x[:6].reshape(2, 3)).shape == (3, 2, 3)
    assert len(unstack(wide.parameters)) == 3


def test_the_staircase_goes_with_it():
    study = error_against_width("sine", (4, 8, 16), fitting=Fitting(seeds=1, epochs=1))
    assert (study.constructed_errors <= study.bounds).all()
    assert -1.1 < log_slope(study.widths, study.bounds) < -0.8
    assert error_against_width(np.sin, (2,), fitting=Fitting(seeds=1, epochs=1)).bounds is None


def test_two_variables():
    study = error_against_width("saddle", (12,), fitting=Fitting(seeds=2, epochs=400))
    assert study.constructed_errors is None
    assert study.bounds is None
    assert np.median(study.rms_errors) < 0.05


def test_every_backend_learns_the_same(backend):
    here, there = (
        error_against_width("sine", (5,), fitting=Fitting(seeds=2, epochs=20, backend=library)).max_errors for library in ("numpy", backend)
    )
    np.testing.assert_allclose(there, here, rtol=1e-8)


def test_float32():
    study = error_against_width("sine", (8,), fitting=Fitting(seeds=2, epochs=300, dtype="float32"))
    assert study.trained[0].parameters[0].W.dtype == study.constructed[0].parameters[0].W.dtype == np.float32
    assert study.constructed_errors[0] <= study.bounds[0]


def test_the_first_layer_is_spread_over_the_box():
    network = Network((2, 40, 1), hidden="tanh", output="identity")
    first, last = _start(network, 3, QUICK)
    np.testing.assert_allclose(np.linalg.norm(first.W, axis=1), 3.0)
    distance = np.abs(first.b[:, 0]) / 3.0
    assert distance.max() <= np.sqrt(2)
    assert distance.min() < 0.1
    np.testing.assert_array_equal(last.W, initialize(network, seed=3, dtype="float64")[1].W)
    line = Network((1, 10, 1), hidden="tanh", output="identity")
    (layer, _) = _start(line, 0, QUICK)
    places = np.sort((-layer.b / layer.W)[:, 0])
    np.testing.assert_array_equal(np.floor((places + 1) * 5), np.arange(10))  # one in each tenth of [-1, 1]


def test_what_is_learnt_is_spread_as_asked():
    assert Fitting(examples=2, spacing="uniform").points(1).tolist() == [[0.5, -0.5]]
    assert Fitting(examples=2).points(1) == pytest.approx(np.asarray([[np.sqrt(0.5), -np.sqrt(0.5)]]))
    assert [Fitting().points(n).shape for n in (1, 2, 3, 4)] == [(1, 128), (2, 512), (3, 2048), (4, 2048)]
    assert np.abs(Fitting().points(3)).max() <= 1.0


def test_a_constant_can_be_learnt():
    assert error_against_width("7", (1,), fitting=QUICK).max_errors.max() < 0.05


def test_progress_is_told_and_ends_at_one():
    told = []
    error_against_width("sine", (1, 4), fitting=Fitting(seeds=1, epochs=3), tell=lambda text, share: told.append((text, share)))
    assert [text for text, _ in told] == ["training 1-1-1"] * 3 + ["training 1-4-1"] * 3
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[2] == pytest.approx(4 / 17)
    assert shares[-1] == pytest.approx(1.0)


def test_an_interruption_ends_everything():
    def press(text, share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        error_against_width("sine", (1, 4), fitting=QUICK, tell=press)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seeds": 0}, "seeds must be a whole number from 1, got 0"),
        ({"epochs": -1}, "epochs must be a whole number from 1, got -1"),
        ({"examples": 0}, "examples must be a whole number from 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be a positive number, got 0.0"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(RangeError, match=says):
        Fitting(**options)


def test_other_bad_input():
    with pytest.raises(UnknownNameError, match="spacing must be chebyshev or uniform, got 'even'"):
        Fitting(spacing="even")
    for widths in ((), (0,), (1.5,), 3, "ab"):
        with pytest.raises(RangeError, match="widths must be whole numbers from 1"):
            whole_numbers("widths", widths)
    with pytest.raises(UnknownNameError, match="activation must be one of"):
        error_against_width("sine", activation="swish")


def test_networks_are_yielded_as_they_are_done():
    networks = [Network((1, n, 1), hidden="relu", output="identity") for n in (1, 2)]
    found = fit_all(make_target("sine"), networks, Fitting(seeds=1, epochs=1))
    assert next(found).network.sizes == (1, 1, 1)
    assert next(found).name == "trained, relu"


def test_a_slope():
    assert log_slope([1, 2, 4], [3.0, 1.5, 0.75]) == pytest.approx(-1.0)
    assert log_slope([1, 2], [1.0, 0.0]) is None
