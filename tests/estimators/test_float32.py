"""Fits in float32: as good as in float64 but for the digits that the weights have."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from mlpxp import MLPClassifier, MLPRegressor, Stop
from mlpxp.estimators.lbfgs import _Objective

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
