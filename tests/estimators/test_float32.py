"""Fits in float32: as good as in float64 but for the digits that the weights have."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from mlpxp import DataError, GradientDescent, MLPClassifier, MLPRegressor, Network, RangeError, Rows, Stop, train
from mlpxp.estimators._lbfgs import _Objective

LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0.0, "random_state": 0}


def line(level, slope, n_features=1, m=50):
    draw = np.random.default_rng(0)
    X = np.linspace(-1.0, 1.0, m)[:, None] if n_features == 1 else draw.uniform(-1.0, 1.0, (m, n_features))
    return X.astype("float32"), (level + slope * X.sum(axis=1) + 0.01 * slope * draw.standard_normal(m)).astype("float32")


def least_squares(X, y, weights=None):
    """The predictions of the linear model that fits best, in float64, by LAPACK."""
    design = np.column_stack([np.asarray(X, dtype="float64"), np.ones(len(X))])
    root = np.ones(len(X)) if weights is None else np.sqrt(weights)
    return design @ np.linalg.lstsq(root[:, None] * design, root * np.asarray(y, dtype="float64"), rcond=None)[0]


@pytest.mark.parametrize("kind", ["ndarray", "sparse", "torch", "weighted", "ensemble"])
@pytest.mark.parametrize(("level", "slope", "n_features"), [(1e8, 1e7, 1), (-3e6, 2e4, 1), (5e9, 1e9, 3), (1e5, 3.0, 2)])
def test_lbfgs_ends_at_the_least_squares(level, slope, n_features, kind):
    X, y = line(level, slope, n_features)
    weights = np.linspace(0.1, 2.0, len(X)) if kind == "weighted" else None
    given = {"sparse": csr_array, "torch": lambda X: pytest.importorskip("torch").asarray(X)}.get(kind, np.asarray)(X)
    fitted = MLPRegressor(**LINEAR, tol=1e-3, n_networks=2 if kind == "ensemble" else 1).fit(given, y, weights)
    assert set(np.atleast_1d(fitted.stop_)) == {Stop.CONVERGED}
    predicted = np.asarray(fitted.predict(given), dtype="float64")
    wanted = least_squares(X, y, weights)
    digits = 4.0 * 2.0**-24 * abs(level)  # what the intercept and a sum are rounded to
    assert np.abs(predicted - wanted).max() < digits + 1e-3 * abs(slope) / len(X) ** 0.5
    assert str(fitted.coefs_[0].dtype).endswith("float32")


@pytest.mark.parametrize("weighted", [False, True])
def test_lbfgs_goes_on_in_float64_where_float32_finds_no_step(monkeypatch, weighted):
    X, y = load_iris(return_X_y=True)
    X, weights = X.astype("float32"), np.linspace(0.1, 2.0, len(X)) if weighted else None

    def fitted(seed):
        estimator = MLPClassifier((3,), activation="tanh", solver="lbfgs", tol=1e-7, alpha=1.0, max_iter=5000, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return estimator.fit(X, y, weights)

    on = [fitted(seed) for seed in range(8)]
    monkeypatch.setattr(_Objective, "in_float64", lambda self: None)
    alone = [fitted(seed) for seed in range(8)]
    stuck = [seed for seed in range(8) if alone[seed].stop_ is Stop.STUCK]
    assert stuck
    assert {one.stop_ for one in on} == {Stop.CONVERGED}
    for seed in stuck:
        assert on[seed].n_iter_ > alone[seed].n_iter_
        assert on[seed].loss_ <= alone[seed].loss_ * (1.0 + 1e-6)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_slow_descent_is_no_convergence(solver):
    """An epoch gains more than tol, and less than float32's last digit of the loss, 0.06: float64's fit doesn't stop either."""
    X, y = line(1400.0, 1.0)
    rate = {"adam": 3e-7, "sgd": 2e-10}[solver]
    options = {"solver": solver, "learning_rate_init": rate, "momentum": 0.0, "max_iter": 30, "alpha": 0.0, "random_state": 0}
    curves = []
    for dtype in ("float32", "float64"):
        with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(30\) reached"):
            fitted = MLPRegressor(hidden_layer_sizes=(), **options).fit(X.astype(dtype), y.astype(dtype))
        assert fitted.stop_ is Stop.MAXIMUM
        curves.append(np.asarray(fitted.loss_curve_))
    gains = -np.diff(curves, axis=1)
    assert (gains > 1e-4).all()
    assert (gains < 0.06).all()
    assert gains[0] == pytest.approx(gains[1], rel=0.3)


def test_a_fit_that_float32_shows_well_enough_has_the_same_curve():
    X, y = line(0.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = MLPClassifier((4,), max_iter=5, random_state=0).fit(X, y > 0)
    assert all(float(np.float32(loss)) == loss for loss in fitted.loss_curve_), "nothing is spent on digits that nobody looks at"


# ---------------------------------------------------------------------------------------------------- what float32 has not

FAR = np.asarray([[1e39, 0.0], [1.0, 1.0]])
TOO_LARGE = r"must be within ±3.403e\+38, got -?1e\+39, which is too large for float32: put it on another scale, or fit in float64$"


def mapped(X, folder):
    file = folder / f"{X.max():g}.npy"
    np.save(file, X)
    return np.load(file, mmap_mode="r")


KINDS = {
    "ndarray": lambda X, _: X,
    "list": lambda X, _: X.tolist(),
    "sparse": lambda X, _: csr_array(X),
    "mapped": mapped,
    "torch": lambda X, _: pytest.importorskip("torch").asarray(X),
}


def small(name, **options):
    given = {"hidden_layer_sizes": (3,), "dtype": "float32", "max_iter": 2, "random_state": 0} | options
    return {"classifier": MLPClassifier, "regressor": MLPRegressor}[name](**given)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["classifier", "regressor", "ensemble"])
def test_a_number_that_float32_has_not_is_refused_wherever_it_comes_in(name, kind, tmp_path):
    near, far = (KINDS[kind](X, tmp_path) for X in (FAR / 1e39, sign(kind) * FAR))
    y = [0, 1]
    options = {"n_networks": 2} if name == "ensemble" else {}
    name = "classifier" if name == "ensemble" else name
    fitted = small(name, **options).fit(near, y)
    calls = [fitted.predict, *([fitted.predict_proba, fitted.predict_log_proba] if name == "classifier" else [])]
    calls += [lambda X: fitted.score(X, y), lambda X: fitted.partial_fit(X, y)]
    calls += [lambda X, solver=solver: small(name, solver=solver, **options).fit(X, y) for solver in ("adam", "sgd", "lbfgs")]
    calls += [lambda X: small(name, **options).fit(near, y, validation_data=(X, y))]
    for call in calls:
        with pytest.raises(DataError, match=r"^X (of the validation data )?" + TOO_LARGE) as caught:
            call(far)
        assert isinstance(caught.value, ValueError)
    assert np.isfinite(np.asarray(small(name, dtype="float64", **options).fit(near, y).predict(near), dtype="float64")).all()


def sign(kind):
    return -1.0 if kind in {"list", "torch"} else 1.0


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_targets_that_float32_has_not(solver):
    X, y = np.asarray([[0.0], [1.0]]), np.asarray([0.0, 1e39])
    with pytest.raises(DataError, match="^y " + TOO_LARGE):
        small("regressor", solver=solver).fit(X, y)
    with pytest.raises(DataError, match="^y " + TOO_LARGE):
        small("regressor", hidden_layer_sizes=()).fit(X, np.stack([y, y], axis=1))
    if solver != "lbfgs":
        with pytest.raises(DataError, match="^y of the validation data " + TOO_LARGE):
            small("regressor", solver=solver).fit(X, [0.0, 1.0], validation_data=(X, y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_largest_number_of_float32_is_none_too_large():
    edge = float(np.finfo("float32").max)
    fitted = small("classifier", activation="tanh").fit([[0.0], [1.0]], [0, 1])
    assert fitted.predict([[edge]]).shape == (1,)
    assert fitted.predict([[edge * (1.0 + 2.0**-26)]]).shape == (1,), "it is rounded down"
    with pytest.raises(DataError, match="too large for float32"):
        fitted.predict([[edge * (1.0 + 2.0**-24)]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scale", [1e-300, 1e-50, 1e50, 1e300, 1.7e306])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_only_the_ratios_of_weights_count(solver, dtype, scale):
    """Without a penalty: whatever they are counted in, as in arithmetic."""
    X, y = load_iris(return_X_y=True)
    weights = np.linspace(0.1, 2.0, 150)
    options = {"solver": solver, "alpha": 0.0, "dtype": dtype, "max_iter": 8}
    wanted = small("classifier", **options).fit(X, y, weights, **validated(solver, X, y, weights))
    got = small("classifier", **options).fit(X, y, weights * scale, **validated(solver, X, y, weights * scale))
    np.testing.assert_allclose(got.predict_proba(X), wanted.predict_proba(X), rtol=1e-3 if dtype == "float32" else 1e-7)
    assert got.loss_ == pytest.approx(wanted.loss_, rel=1e-4 if dtype == "float32" else 1e-9)
    if solver != "lbfgs":
        assert got.validation_loss_curve_ == pytest.approx(wanted.validation_loss_curve_, rel=1e-4)


def validated(solver, X, y, weights):
    return {} if solver == "lbfgs" else {"validation_data": (X[::2], y[::2], weights[::2])}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("power", [-60, 60])
def test_a_penalty_is_on_the_sum_whatever_the_weights_are_counted_in(solver, power):
    """α and the weights in another unit are the same fit, to the last bit where the unit is a power of two."""
    X, y = load_iris(return_X_y=True)
    weights, unit = np.linspace(0.1, 2.0, 150), 2.0**power
    fits = [small("classifier", solver=solver, alpha=u).fit(X, y, weights * u) for u in (1.0, unit)]
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_penalty_beside_which_float32_has_no_losses_is_refused(solver):
    with pytest.raises(RangeError, match=r"^alpha must be below 1e\+30 times what the examples weigh together in float32, got"):
        small("classifier", solver=solver, alpha=1.0).fit([[0.0], [1.0]], [0, 1], [1e-50, 1e-50])


def test_examples_in_a_file_are_read_in_the_dtype_they_are_learnt_in():
    X, Y = np.asarray([[0.0], [1e39], [1.0]]), np.ones((1, 3), dtype="float32")
    line = Network((1, 1), output="identity", loss="mse")
    with pytest.raises(DataError, match=r"^X must be finite, got 1e\+39 in row 0 of example 1, which is too large for float32$"):
        train(line, Rows(X), Y, optimizer=GradientDescent(0.1), epochs=1)
