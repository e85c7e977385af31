"""What goes on from something before is scikit-learn's too: warm starts, partial_fit, and the streams of random numbers."""

import numpy as np
import pytest
from estimator_pairs import assert_equal, binary, both, diabetes, digits

from mlpxp import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_warm_start(name, solver):
    X, y = digits() if name == "MLPClassifier" else diabetes()
    wanted, got = both(
        name, solver=solver, learning_rate="invscaling", warm_start=True, hidden_layer_sizes=(9,), max_iter=3, random_state=0
    )
    for _ in range(3):
        assert_equal(wanted.fit(X, y), got.fit(X, y), X)
    assert len(got.loss_curve_) == len(got.learning_rate_curve_) == 9


def test_warm_start_of_lbfgs():
    X, y = diabetes()
    wanted, got = both("MLPRegressor", solver="lbfgs", warm_start=True, hidden_layer_sizes=(9,), max_iter=4, random_state=0)
    for _ in range(2):
        assert_equal(wanted.fit(X, y), got.fit(X, y), X)


def test_warm_start_with_early_stopping():
    X, y = binary()
    wanted, got = both("MLPClassifier", early_stopping=True, warm_start=True, hidden_layer_sizes=(9,), max_iter=8, random_state=0)
    for _ in range(3):
        assert_equal(wanted.fit(X, y), got.fit(X, y), X)
    assert len(got.validation_scores_) > 12


@pytest.mark.parametrize("options", [{}, {"solver": "sgd", "learning_rate": "invscaling"}, {"solver": "sgd", "learning_rate": "adaptive"}])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_partial_fit_in_parts_of_several_sizes(name, options):
    X, y = digits() if name == "MLPClassifier" else diabetes()
    wanted, got = both(name, **options, n_iter_no_change=2, tol=0.5, hidden_layer_sizes=(9,), random_state=np.random.RandomState(3))
    got.random_state = np.random.RandomState(3)
    classes = {"classes": np.unique(y)} if name == "MLPClassifier" else {}
    for part in (slice(0, 50), slice(50, 120), slice(120, 150)) * 3:
        for one in (wanted, got):
            one.partial_fit(X[part], y[part], **classes)
        assert_equal(wanted, got, X)
    assert len(got.loss_curve_) == 9


def test_partial_fit_after_fit_goes_on_with_the_optimizer():
    X, y = digits()
    wanted, got = both("MLPClassifier", hidden_layer_sizes=(9,), max_iter=3, random_state=0)
    for one in (wanted, got):
        one.fit(X, y).partial_fit(X[:70], y[:70]).partial_fit(X[70:], y[70:], np.linspace(0.5, 1.5, 160))
    assert_equal(wanted, got, X)


def test_a_second_fit_begins_anew():
    X, y = digits()
    got = MLPClassifier((9,), max_iter=3, random_state=0).fit(X, y)
    first = got.coefs_[0].copy()
    np.testing.assert_array_equal(got.fit(X, y).coefs_[0], first)
    assert len(got.loss_curve_) == 3


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"shuffle": False}, {"solver": "lbfgs"}])
def test_a_random_state_instance_is_left_in_the_same_state(options):
    X, y = digits()
    streams = np.random.RandomState(7), np.random.RandomState(7)
    for one, stream in zip(both("MLPClassifier", hidden_layer_sizes=(9,), max_iter=3, **options), streams, strict=True):
        one.set_params(random_state=stream).fit(X, y).fit(X, y)
    assert streams[0].randint(2**31) == streams[1].randint(2**31)


def test_no_random_state_draws_from_numpys_global_one():
    X, y = digits()
    results = []
    for one in both("MLPClassifier", hidden_layer_sizes=(9,), max_iter=3):
        np.random.seed(11)  # noqa: NPY002 - the global generator is what is tested
        results.append(one.fit(X, y))
    assert_equal(*results, X)
