"""An equal random_state gives what scikit-learn's MLP gives: weights, intercepts, curves, counts and predictions."""

import itertools
import warnings

import numpy as np
import pytest
from estimator_pairs import (
    assert_equal,
    assert_fits_equal,
    binary,
    both,
    counts,
    diabetes,
    digits,
    largest_difference,
    multilabel,
    standardised,
)
from scipy.sparse import csc_array, csc_matrix, csr_array, csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpxp import MLPClassifier, Stop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

POLICIES = ("constant", "invscaling", "adaptive")
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
CLASSES = {"digits": digits, "binary": binary, "multilabel": multilabel}


@pytest.mark.parametrize("data", CLASSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_every_solver_and_activation(solver, activation, data):
    X, y = CLASSES[data]()
    options = {"max_iter": 10} if solver == "lbfgs" else {"max_iter": 5, "learning_rate_init": 0.01}
    assert_fits_equal("MLPClassifier", X, y, solver=solver, activation=activation, hidden_layer_sizes=(12, 7), **options)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_every_solver_and_activation_of_the_regressor(solver, activation, loss):
    X, y = counts() if loss == "poisson" else diabetes()
    options = {"solver": solver, "activation": activation, "loss": loss, "hidden_layer_sizes": (9,), "max_iter": 10}
    assert_fits_equal("MLPRegressor", X, y, **options)


@pytest.mark.parametrize("batch_size", [1, 32, 64, 230, "auto"])  # 64 and the automatic 200 don't divide 230
@pytest.mark.parametrize("shuffle", [True, False])
def test_batch_sizes(batch_size, shuffle):
    options = {"batch_size": batch_size, "shuffle": shuffle, "hidden_layer_sizes": (9,), "max_iter": 1 if batch_size == 1 else 4}
    assert_fits_equal("MLPClassifier", *digits(), **options)


def test_a_batch_size_larger_than_the_data_is_clipped_with_the_same_warning():
    X, y = digits()
    said = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
    for estimator in both("MLPClassifier", batch_size=1000, max_iter=2):
        with pytest.warns(UserWarning, match=said) as caught:
            estimator.fit(X, y)
    assert next(w for w in caught if said in str(w.message)).filename == __file__, "ours points at the caller's line"


@pytest.mark.parametrize("momentum", [{"momentum": 0.0}, {"nesterovs_momentum": False}, {"momentum": 0.95}])
@pytest.mark.parametrize("policy", POLICIES)
def test_learning_rate_policies(policy, momentum):
    options = {"solver": "sgd", "learning_rate": policy, "learning_rate_init": 0.05, "hidden_layer_sizes": (9,), "batch_size": 32}
    wanted, got = assert_fits_equal("MLPClassifier", *binary(), max_iter=40, tol=1e-2, n_iter_no_change=2, **options, **momentum)
    assert got.learning_rate_curve_[0] == 0.05
    assert len(got.learning_rate_curve_) == wanted.n_iter_
    if policy == "adaptive":
        assert set(got.learning_rate_curve_) > {0.05, 0.01}, "it never slowed down, so this shows little"
    if policy == "constant":
        assert wanted.n_iter_ < 40, "it never converged, so this shows little"


@pytest.mark.parametrize(
    "options", [{"beta_1": 0.5, "beta_2": 0.9}, {"epsilon": 1e-3}, {"alpha": 1.0}, {"alpha": 0.0}, {"learning_rate": "adaptive"}]
)
def test_hyperparameters_of_adam(options):
    assert_fits_equal("MLPClassifier", *binary(), hidden_layer_sizes=(9,), max_iter=6, **options)


@pytest.mark.parametrize("hidden", [(), (5,), (9, 8, 7), 6])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_depths(solver, name, hidden):
    X, y = digits() if name == "MLPClassifier" else diabetes()
    for activation in ("relu", "logistic"):  # the latter's initial weights are smaller
        assert_fits_equal(name, X, y, solver=solver, hidden_layer_sizes=hidden, activation=activation, max_iter=8)


@pytest.mark.parametrize("data", CLASSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_of_the_classifier(data, weighted):
    X, y = CLASSES[data]()
    w = np.random.default_rng(0).uniform(0.5, 2.0, len(X)) if weighted else None
    options = {"hidden_layer_sizes": (9,), "learning_rate_init": 0.02, "n_iter_no_change": 4, "max_iter": 60, "validation_fraction": 0.2}
    wanted, _ = assert_fits_equal("MLPClassifier", X, y, sample_weight=w, early_stopping=True, **options)
    assert 5 < wanted.n_iter_ < 60


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_early_stopping_of_the_regressor(solver):
    options = {"hidden_layer_sizes": (9,), "learning_rate_init": 0.02, "n_iter_no_change": 5, "max_iter": 200}
    wanted, _ = assert_fits_equal("MLPRegressor", *diabetes(), early_stopping=True, solver=solver, **options)
    assert 5 < wanted.n_iter_ < 200


def test_early_stopping_with_an_adaptive_rate():
    options = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "n_iter_no_change": 2, "max_iter": 100}
    wanted, got = assert_fits_equal("MLPClassifier", *binary(), early_stopping=True, hidden_layer_sizes=(9,), **options)
    assert wanted.n_iter_ < 100
    assert got.learning_rate_curve_[-1] < 1e-5


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_sample_weight(name, solver):
    X, y = digits() if name == "MLPClassifier" else diabetes()
    w = np.random.default_rng(0).exponential(size=len(X)) * (np.arange(len(X)) % 3 > 0)
    options = {"solver": solver, "hidden_layer_sizes": (9,), "max_iter": 8}
    assert_fits_equal(name, X, y, sample_weight=w, curves=solver == "lbfgs", **options)
    if solver != "lbfgs":
        assert_fits_equal(name, X, y, sample_weight=w, batch_size=len(X), **options)  # one batch: the epoch's loss is the same mean


def test_the_loss_of_a_weighted_epoch_is_the_mean_over_its_examples():
    """Intended: scikit-learn weighs the batches' losses by how many examples they have, whatever these weigh."""
    X, y = digits()
    w = np.where(np.arange(len(X)) < 100, 1e-3, 1.0)
    options = {"solver": "sgd", "shuffle": False, "batch_size": 100, "alpha": 0.0, "learning_rate_init": 1e-12, "max_iter": 1}
    wanted, got = (one.fit(X, y, w) for one in both("MLPClassifier", random_state=0, **options))
    p = got.predict_proba(X)[np.arange(len(y)), y]
    assert got.loss_ == pytest.approx(np.average(-np.log(p), weights=w), rel=1e-9)
    parts = [(slice(0, 100), 100), (slice(100, 200), 100), (slice(200, 230), 30)]
    assert wanted.loss_ == pytest.approx(sum(np.average(-np.log(p[s]), weights=w[s]) * n for s, n in parts) / 230, rel=1e-9)
    assert abs(wanted.loss_ - got.loss_) > 1e-4 * got.loss_


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_float32(name, solver):
    X, y = digits() if name == "MLPClassifier" else diabetes()
    wanted, got = both(name, solver=solver, hidden_layer_sizes=(9,), max_iter=5, random_state=0)
    X = X.astype(np.float32)
    for one in (wanted, got):
        one.fit(X, y.astype(np.float32) if name == "MLPRegressor" else y)
    assert {str(a.dtype) for a in got.coefs_ + got.intercepts_} == {"float32"}  # scikit-learn's own are float64 after L-BFGS
    assert largest_difference(wanted, got) < 2e-4
    np.testing.assert_allclose(got.loss_, wanted.loss_, rtol=1e-4)


@pytest.mark.parametrize("container", [csr_array, csc_array, csr_matrix, csc_matrix])
@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"shuffle": False, "batch_size": 50}])
def test_sparse(container, options):
    X, y = digits()
    wanted, got = both("MLPClassifier", hidden_layer_sizes=(9,), max_iter=4, random_state=0, **options)
    S = container(X)
    assert_equal(wanted.fit(S, y), got.fit(S, y), S)
    np.testing.assert_allclose(got.predict_proba(X), got.predict_proba(S), atol=1e-12)


def test_sparse_partial_fit_and_regression():
    X, y = diabetes()
    S = csr_array(np.where(np.abs(X) > 0.5, X, 0.0))
    wanted, got = both("MLPRegressor", hidden_layer_sizes=(9,), random_state=0)
    for one in (wanted, got):
        one.partial_fit(S[:100], y[:100]).partial_fit(S[100:], y[100:])
    assert_equal(wanted, got, S)


def two_outputs():
    X, y = diabetes()
    return X, np.column_stack([y, 3.0 * np.sin(y) + X[:, 0]])


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_several_outputs_have_the_same_weights_and_the_loss_that_is_descended(solver):
    """Intended: scikit-learn descends ½ Σ (ŷ - y)² over the outputs, and reports the mean over them; ours is the sum in both."""
    X, Y = two_outputs()
    wanted, got = assert_fits_equal("MLPRegressor", X, Y, solver=solver, alpha=0.0, hidden_layer_sizes=(9,), max_iter=8, curves=False)
    np.testing.assert_allclose(got.loss_curve_, 2.0 * np.asarray(wanted.loss_curve_), rtol=1e-9)


def test_several_outputs_with_lbfgs_reach_the_minimum():
    """scikit-learn hands L-BFGS a value and a gradient that isn't its own. With no hidden layer the minimum is ridge regression's."""
    X, Y = two_outputs()
    ridge = Ridge(alpha=10.0).fit(X, Y)
    wanted, got = both("MLPRegressor", solver="lbfgs", alpha=10.0, tol=1e-9, hidden_layer_sizes=(), random_state=0)
    np.testing.assert_allclose(got.fit(X, Y).coefs_[0], ridge.coef_.T, atol=1e-4)
    assert got.stop_ is Stop.CONVERGED
    assert np.abs(wanted.fit(X, Y).coefs_[0] - ridge.coef_.T).max() > 1e-3


def test_lbfgs_to_the_end_has_the_same_final_loss():
    options = {"solver": "lbfgs", "activation": "tanh", "hidden_layer_sizes": (5,), "alpha": 1.0, "tol": 1e-7, "max_iter": 2000}
    wanted, got = (one.fit(*load_iris(return_X_y=True)) for one in both("MLPClassifier", random_state=0, **options))
    assert got.loss_ == pytest.approx(wanted.loss_, rel=1e-5)  # an iteration that gains less than 2e-9 is scipy's last, on each CPU another
    assert got.stop_ is Stop.CONVERGED


SCORED = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}


@pytest.mark.parametrize("data", SCORED)
def test_cross_validated_scores(data):
    """The weights are equal by construction, so a few epochs and one seed show it."""
    X, y = SCORED[data](return_X_y=True)
    y = standardised(y[:, None])[:, 0] if data == "diabetes" else y
    name = "MLPRegressor" if data == "diabetes" else "MLPClassifier"
    wanted, got = (
        cross_val_score(make_pipeline(StandardScaler(), one), X, y, cv=5).mean()
        for one in both(name, hidden_layer_sizes=(16,), learning_rate_init=0.01, max_iter=12, random_state=0)
    )
    assert got == pytest.approx(wanted, abs=1e-9)
    assert got > (0.3 if data == "diabetes" else 0.85)


def test_the_warning_of_no_convergence_is_scikit_learns():
    X, y = digits()
    for one, options in itertools.product(both("MLPClassifier"), ({}, {"solver": "lbfgs"})):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            one.set_params(max_iter=3, **options).fit(X, y)
        assert [w.category for w in caught] == [ConvergenceWarning]
        said = "lbfgs failed to converge after 3 iteration" if options else "Maximum iterations (3) reached"
        assert said in str(caught[0].message)
        if isinstance(one, MLPClassifier) and not options:
            assert caught[0].filename == __file__, "the warning points at the caller's line"
