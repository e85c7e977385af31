"""What training says of numbers that it can take but not do well with."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from mlpxp import (
    DataError,
    DtypeError,
    GradientDescent,
    Layer,
    MLPClassifier,
    MLPRegressor,
    Network,
    Rows,
    ScaleWarning,
    cost_and_gradients,
    train,
)

NETWORK = Network((3, 2, 1), hidden="tanh", output="identity")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 5000)).astype("float32")
Y = RANDOM.normal(size=(1, 5000)).astype("float32")
SCALES = np.array([[1.0], [1e6], [1.0]], "float32")


def trained(X, Y, **options):
    return train(NETWORK, X, Y, optimizer=GradientDescent(1e-15), epochs=1, **options)


def test_a_feature_of_a_million_is_said(backend):
    message = r"^feature 1 of X \(counted from 0\) reaches 3\.\d+e\+06 and has a standard deviation of .*standardise it"
    X_there, Y_there = (backend.asarray(values, dtype="float32") for values in (X * SCALES, Y))
    with pytest.warns(ScaleWarning, match=message) as caught:
        trained(X_there, Y_there)
    assert caught[0].filename == __file__


def test_a_feature_that_hardly_varies_around_a_large_value_is_said():
    hardly = X * np.float32(1e-3) + np.array([[0.0], [0.0], [5e3]], "float32")
    with pytest.warns(ScaleWarning, match="feature 2 of X"):
        trained(hardly, Y)


def test_several_are_counted():
    with pytest.warns(ScaleWarning, match=r"feature 0 of X \(counted from 0, and 2 more\)"):
        trained(X * np.float32(1e7), Y)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 255.0, 1e4, 1e5])
def test_scales_that_float32_has_digits_for_are_not_spoken_of(scale):
    trained(X * np.float32(scale) + np.float32(scale), Y)


def test_float64_has_the_digits_and_what_is_constant_says_nothing():
    trained((X * SCALES).astype("float64"), Y.astype("float64"))
    trained(np.ones_like(X) * np.float32(1e5), Y)


def test_rows_and_stacks_are_looked_at_too():
    with pytest.warns(ScaleWarning, match="feature 1 of X"):
        trained(Rows((X * SCALES).T), Y, batch_size=100)
    stack = tuple(Layer(np.stack([W, W]), np.stack([b, b])) for W, b in trained(X, Y).parameters)
    with pytest.warns(ScaleWarning, match="feature 1 of X"):
        trained(np.stack([X, X * SCALES]), Y, start=stack)


def test_what_goes_on_is_not_told_twice():
    with pytest.warns(ScaleWarning):
        result = trained(X * SCALES, Y)
    trained(X * SCALES, Y, start=result)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_the_estimators_say_it_where_they_were_called(Estimator, solver):
    with pytest.warns(ScaleWarning, match="feature 1 of X") as caught, np.errstate(all="ignore"):
        Estimator(hidden_layer_sizes=(2,), max_iter=2, solver=solver).fit((X * SCALES).T[:100], (Y[0, :100] > 0).astype(int))
    assert [one.filename for one in caught if one.category is ScaleWarning] == [__file__]


def test_a_warning_can_be_made_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ScaleWarning):
            trained(X * SCALES, Y)


@pytest.mark.parametrize("start", [True, False])
def test_half_precision_is_refused_where_a_gradient_would_overflow(start):
    half, targets = X.astype("float16"), Y.astype("float16")
    parameters = tuple(Layer(np.ones(shape, "float16"), np.ones((shape[0], 1), "float16")) for shape in NETWORK.shapes)
    with pytest.raises(DtypeError, match="Y must be float32 or float64 for a cost and its gradient, got float16"):
        trained(half, targets, start=parameters if start else None)
    with pytest.raises(DtypeError, match="got float16"):
        cost_and_gradients(NETWORK, parameters, half, targets)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_bfloat16_is_refused_by_train_and_widened_by_the_estimators(library):
    xp = pytest.importorskip("torch" if library == "torch" else "jax.numpy")
    half, targets = (xp.asarray(values[:, :50].tolist(), dtype=xp.bfloat16) for values in (X, Y))
    with pytest.raises(DtypeError, match="bfloat16"):
        trained(half, targets)
    estimator = MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, tol=0.0, n_iter_no_change=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(half.T, targets[0])
    assert "float" in str(estimator.coefs_[0].dtype)
    assert "bfloat" not in str(estimator.coefs_[0].dtype)


def test_rows_that_are_stored_in_half_precision_are_computed_in_the_targets(tmp_path):
    stored = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float16", (5000, 3))
    stored[...] = X.T
    rows = Rows(stored)
    result = trained(rows, Y, batch_size=1000)
    same = trained(stored.astype("float32").T, Y, batch_size=1000)
    assert result.parameters[0].W.dtype == np.float32
    assert np.array_equal(result.parameters[0].W, same.parameters[0].W)


def test_numbers_that_float16_lost_are_found_at_the_door():
    with np.errstate(over="ignore"):
        stored = (X * np.float32(1e6)).astype("float16")
    with pytest.raises(DataError, match=r"X must be finite, got -?inf"):
        trained(Rows(stored.T), Y, batch_size=1000)
