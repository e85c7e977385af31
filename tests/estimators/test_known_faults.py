"""Known faults of scikit-learn's MLP, by the number of the issue: what it does today, and what ours does."""

import warnings

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

from mlpxp import DivergenceError, MLPClassifier, MLPRegressor, MlpxpError, Stop

IRIS = load_iris(return_X_y=True)
CLASSIFIERS = {"theirs": theirs.MLPClassifier, "ours": MLPClassifier}
ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def slow_to_learn():
    """Targets of a large scale, of which an epoch explains less than tol = 1e-4 more."""
    X = np.random.default_rng(0).normal(size=(200, 3))
    return X, 300.0 * X[:, 0]


def test_24411_early_stopping_on_r2_ends_a_fit_that_still_learns_and_ours_says_that_it_stopped(capsys):
    X, y = slow_to_learn()
    options = {"early_stopping": True, "hidden_layer_sizes": (8,), "learning_rate_init": 1e-4, "max_iter": 40, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # neither of them warns, because to stop early is what was asked for
        wanted, got = theirs.MLPRegressor(**options).fit(X, y), MLPRegressor(**options, verbose=True).fit(X, y)
    assert wanted.n_iter_ == got.n_iter_ < 15
    assert np.all(np.diff(got.validation_loss_curve_) < 0.0), "each epoch did improve"
    said = {name for name, value in vars(wanted).items() if isinstance(value, str) and "stop" in value}
    assert not said, "scikit-learn's estimator tells it to nobody"
    assert got.stop_ is Stop.EARLY
    assert capsys.readouterr().out.endswith(f"Stopped after {got.n_iter_} epochs: stopped early\n")


@ignore_convergence
def test_24411_ours_can_watch_the_loss():
    X, y = slow_to_learn()
    options = {"early_stopping": True, "hidden_layer_sizes": (8,), "learning_rate_init": 1e-4, "max_iter": 40, "random_state": 0}
    by_score, by_loss = MLPRegressor(**options).fit(X, y), MLPRegressor(**options, monitor="loss").fit(X, y)
    assert (by_loss.n_iter_, by_loss.stop_) == (40, Stop.MAXIMUM)
    assert by_loss.validation_loss_curve_[-1] < by_score.validation_loss_curve_[-1]


def test_24411_the_epoch_with_the_lowest_validation_loss_is_kept():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16.0, y[:300]
    validation = X[200:], y[200:]
    fitted = MLPClassifier((32,), early_stopping=True, monitor="loss", learning_rate_init=0.03, max_iter=300, random_state=0)
    fitted.fit(X[:200], y[:200], validation_data=validation)
    assert fitted.stop_ is Stop.EARLY
    p = fitted.predict_proba(validation[0])[np.arange(100), validation[1]]
    assert -np.log(p).mean() == pytest.approx(min(fitted.validation_loss_curve_), rel=1e-9)
    assert min(fitted.validation_loss_curve_) < fitted.validation_loss_curve_[-1]


STOPS = [
    ({"max_iter": 3}, Stop.MAXIMUM),
    ({"tol": 0.5, "n_iter_no_change": 2}, Stop.CONVERGED),
    ({"early_stopping": True, "tol": 0.5, "n_iter_no_change": 2}, Stop.EARLY),
    ({"max_seconds": 1e-9}, Stop.TIME),
    ({"callbacks": [lambda epoch: epoch.number == 2]}, Stop.CALLBACK),
    ({"solver": "lbfgs", "tol": 1e-2}, Stop.CONVERGED),
    ({"solver": "lbfgs", "max_iter": 2}, Stop.MAXIMUM),
    ({"solver": "lbfgs", "max_fun": 2}, Stop.MAXIMUM),
    ({"solver": "lbfgs", "max_seconds": 1e-9}, Stop.TIME),
    ({"solver": "lbfgs", "callbacks": [lambda epoch: epoch.number == 2]}, Stop.CALLBACK),
]


@ignore_convergence
@pytest.mark.parametrize(("options", "stop"), STOPS)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_24411_every_fit_says_why_it_stopped(estimator, options, stop):
    assert estimator(hidden_layer_sizes=(4,), random_state=0, **options).fit(*IRIS).stop_ is stop


def test_24411_each_member_of_an_ensemble_says_it():
    fitted = MLPClassifier((4,), tol=0.02, n_iter_no_change=2, learning_rate_init=0.05, n_networks=3, random_state=0, max_iter=500)
    fitted.fit(*IRIS)
    assert fitted.stop_ == (Stop.CONVERGED,) * 3 == tuple(member.stop_ for member in fitted.estimators_)
    assert [len(member.learning_rate_curve_) for member in fitted.estimators_] == [member.n_iter_ for member in fitted.estimators_]
    assert len(fitted.learning_rate_curve_) == fitted.n_iter_ == max(member.n_iter_ for member in fitted.estimators_)
    assert fitted.learning_rate_curve_ == pytest.approx([0.05] * fitted.n_iter_)


def test_24411_a_line_search_that_finds_nothing_is_said():
    """Beside scikit-learn's warning: near 1e12 the loss is soon flat to its last digit, and no gradient is small enough for tol=0."""
    X = np.linspace(-1.0, 1.0, 40)[:, None]
    stops = []
    for seed in range(20):
        fitted = MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", tol=0.0, alpha=0.0, max_iter=5000, random_state=seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted.fit(X, 1e12 + X[:, 0])
        assert fitted.stop_ is (Stop.STUCK if caught else Stop.CONVERGED)
        assert all("ABNORMAL" in str(w.message) for w in caught)
        stops.append(fitted.stop_)
    assert Stop.STUCK in stops


@ignore_convergence
def test_18507_there_is_a_validation_loss_curve():
    X, y = IRIS
    options = {"early_stopping": True, "hidden_layer_sizes": (8,), "max_iter": 30, "n_iter_no_change": 30, "random_state": 0}
    assert not [name for name in vars(theirs.MLPClassifier(**options).fit(X, y)) if "validation_loss" in name]
    early = MLPClassifier(**options).fit(X, y)
    assert len(early.validation_loss_curve_) == len(early.validation_scores_) == len(early.loss_curve_) == 30
    assert early.validation_loss_curve_[-1] < early.validation_loss_curve_[0]
    X_test, y_test = X[1::2], y[1::2]
    given = MLPClassifier((8,), max_iter=30, random_state=0).fit(X[::2], y[::2], validation_data=(X_test, y_test))
    p = given.predict_proba(X_test)[np.arange(75), y_test]
    assert given.validation_loss_curve_[-1] == pytest.approx(-np.log(p).mean(), rel=1e-9)
    assert given.validation_scores_[-1] == given.score(X_test, y_test)


@ignore_convergence
def test_25693_partial_fit_with_early_stopping_is_refused_and_leaves_the_estimator_as_it_was():
    """scikit-learn's test demands the error; ours comes before the data are looked at, and without early_stopping the run goes on."""
    X, y = IRIS
    fitted = MLPRegressor(early_stopping=True, max_iter=5, random_state=0).fit(X, y)
    before, curve = [array.copy() for array in fitted.coefs_], list(fitted.loss_curve_)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True") as caught:
        fitted.partial_fit(X[:, :2], y)
    assert isinstance(caught.value, MlpxpError)
    assert all(np.array_equal(one, other) for one, other in zip(before, fitted.coefs_, strict=True))
    assert fitted.set_params(early_stopping=False).partial_fit(X, y).loss_curve_[:-1] == curve


def test_12505_partial_fit_on_several_labels_needs_no_classes():
    X, Y = make_multilabel_classification(n_samples=150, n_features=8, random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        theirs.MLPClassifier().partial_fit(X, Y)
    options = {"hidden_layer_sizes": (20,), "learning_rate_init": 0.01, "n_iter_no_change": 100, "max_iter": 60, "random_state": 0}
    at_once = MLPClassifier(**options)
    with pytest.warns(ConvergenceWarning):
        at_once.fit(X, Y)
    stream = np.random.RandomState(0)  # one stream over all calls, as within fit
    in_parts = MLPClassifier(**options | {"random_state": stream})
    for _ in range(60):
        in_parts.partial_fit(X, Y)
    assert in_parts.classes_.tolist() == at_once.classes_.tolist() == [0, 1, 2, 3, 4]
    assert in_parts.predict(X).shape == (150, 5)
    np.testing.assert_allclose(in_parts.loss_curve_, at_once.loss_curve_, rtol=1e-9)  # one batch: the order of the rows doesn't matter
    np.testing.assert_allclose(in_parts.coefs_[0], at_once.coefs_[0], atol=1e-9)


DIVERGES = {
    "hidden_layer_sizes": 100,
    "activation": "identity",
    "solver": "sgd",
    "learning_rate_init": 1.0,
    "max_iter": 20,
    "random_state": 0,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scikit-learn's overflows
@ignore_convergence
def test_29504_a_run_that_diverges_ends_at_once_and_keeps_finite_weights():
    X, y = IRIS
    wanted, got = theirs.MLPRegressor(**DIVERGES), MLPRegressor(**DIVERGES)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        wanted.fit(X, y)
    assert wanted.n_iter_ == 20, "scikit-learn goes on computing with NaN to the end"
    assert np.isnan(wanted.coefs_[0]).any()
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights") as caught:
        got.fit(X, y)
    assert isinstance(caught.value, DivergenceError)
    assert "learning rate 1.0" in str(caught.value)
    assert got.n_iter_ < 20
    assert got.stop_ is Stop.DIVERGED
    assert all(np.isfinite(array).all() for array in got.coefs_ + got.intercepts_)
    assert len(got.loss_curve_) == len(got.learning_rate_curve_) == got.n_iter_


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_29504_with_early_stopping_the_best_epoch_is_kept_and_the_divergence_is_said():
    X, y = IRIS
    wanted, got = theirs.MLPRegressor(**DIVERGES, early_stopping=True), MLPRegressor(**DIVERGES, early_stopping=True)
    with pytest.warns(ConvergenceWarning) as their_warnings:
        wanted.fit(X, y)
    assert not [w for w in their_warnings if "diverge" in str(w.message) or "finite" in str(w.message)]
    with pytest.warns(ConvergenceWarning, match="Training diverged, the best epoch's weights are kept"):
        got.fit(X, y)
    assert got.stop_ is Stop.DIVERGED
    assert np.isnan(got.validation_scores_[-1])
    np.testing.assert_allclose(got.predict(X), wanted.predict(X), rtol=1e-9)


@pytest.mark.parametrize("multi_class", [False, True])
@ignore_convergence
def test_probabilities_that_round_to_zero_have_a_finite_logarithm(multi_class):
    X, y = IRIS
    X, y = (X, y) if multi_class else (X[y < 2], y[y < 2])
    options = {"hidden_layer_sizes": (4,), "learning_rate_init": 0.05, "max_iter": 50, "random_state": 0}
    wanted, got = (one(**options).fit(X, y) for one in CLASSIFIERS.values())
    far = 1e3 * X
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert np.isneginf(wanted.predict_log_proba(far)).any()
    logarithms = got.predict_log_proba(far)
    assert np.isfinite(logarithms).all()
    assert logarithms.min() < -745.0, "the exponential of no float64 is as small"
    near = got.predict_log_proba(X)
    np.testing.assert_allclose(near, wanted.predict_log_proba(X), rtol=1e-7, atol=1e-12)


@ignore_convergence
def test_the_loss_is_computed_from_the_logits():
    """A weight that is wrong by a thousand costs a thousand; scikit-learn clips the probability at 2.2e-16 and says 36, whatever it is."""
    X, y = np.asarray([[-1000.0], [1000.0]]), [0, 1]
    losses = {}
    for who, estimator in CLASSIFIERS.items():
        one = estimator((), solver="sgd", learning_rate_init=1e-30, momentum=0.0, alpha=0.0, max_iter=1, warm_start=True, random_state=0)
        one.fit(X, y)
        one.coefs_, one.intercepts_ = [np.asarray([[-1.0]])], [np.zeros(1)]
        losses[who] = one.fit(X, y).loss_
    assert losses["ours"] == pytest.approx(1000.0)
    assert losses["theirs"] == pytest.approx(-np.log(np.finfo(float).eps))


@ignore_convergence
def test_a_batch_whose_weights_are_all_zero_is_passed_over():
    X, y = IRIS
    weights = np.where(np.arange(150) < 50, 0.0, 1.0)
    options = {"hidden_layer_sizes": (4,), "batch_size": 50, "shuffle": False, "max_iter": 3, "random_state": 0}
    with pytest.raises(ZeroDivisionError):
        theirs.MLPClassifier(**options).fit(X, y, weights)
    weighted = MLPRegressor(**options).fit(X, y, weights)
    left_out = MLPRegressor(**options).fit(X[50:], y[50:])
    np.testing.assert_allclose(weighted.coefs_[0], left_out.coefs_[0], rtol=1e-12)


@ignore_convergence
def test_a_user_who_interrupts_a_fit_is_told_and_keeps_what_was_learnt():
    def interrupts(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    for options in ({}, {"solver": "lbfgs"}):
        fitted = MLPClassifier((4,), callbacks=[interrupts], random_state=0, **options)
        with pytest.warns(UserWarning, match="Training interrupted by user") as caught:
            fitted.fit(*IRIS)
        assert caught[0].filename == __file__
        assert fitted.stop_ is Stop.INTERRUPTED
        assert 2 <= fitted.n_iter_ <= 3
        assert np.isfinite(fitted.predict_proba(IRIS[0])).all()
