"""What is left of a fit for the next call: after another solver, after other validation data, and after a call that failed."""

import copy
import math

import numpy as np
import pytest

from mlpxp import MLPClassifier, MLPRegressor, MlpxpError, RangeError, Stop
from mlpxp.estimators.errors import NotFittedError
from mlpxp.plotting import plot_loss_curve

pytest.importorskip("sklearn")

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 3))
CLASSES = np.asarray([0, 0, 1, 0, 2] * 8)
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
HELD_OUT = DRAW.standard_normal((20, 3)), np.arange(20) % 3
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "batch_size": 16}
OF_EPOCHS = {"loss_curve_", "learning_rate_curve_", "validation_loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


def same(one, other):
    """Whether two values are equal, arrays within them too."""
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one == other or one is other


def fresh(fitted, **options):
    """An estimator with nothing of another but its weights, ready for a warm start or partial_fit."""
    estimator = type(fitted)(**fitted.get_params() | {"max_iter": 1, "solver": "lbfgs"}).fit(X, NUMBERS)
    estimator.coefs_, estimator.intercepts_ = [a.copy() for a in fitted.coefs_], [a.copy() for a in fitted.intercepts_]
    return estimator.set_params(**fitted.get_params() | options)


# ----------------------------------------------------------------------------------------------------- another solver

SOLVERS = [
    {"solver": "adam"},
    {"solver": "adamw"},
    {"solver": "sgd"},
    {"solver": "sgd", "momentum": 0.0},
    {"solver": "sgd", "learning_rate": "adaptive"},
    {"solver": "lbfgs"},
]
PAIRS = [(one, other) for one in SOLVERS for other in SOLVERS if one is not other and other["solver"] != "lbfgs"]


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("n_networks", [1, 2])
def test_partial_fit_with_another_solver_keeps_the_weights_and_begins_its_optimizer_anew(one, other, n_networks):
    if one["solver"] == other["solver"] and "momentum" not in one | other:
        pytest.skip("the same optimizer, which goes on")
    fitted = regressor(shuffle=False, n_networks=n_networks, **one).fit(X, NUMBERS)
    before = len(getattr(fitted, "loss_curve_", ()))
    defaults = {"momentum": 0.9, "learning_rate": "constant"}
    wanted = fresh(fitted, **defaults | other)
    wanted.partial_fit(X, NUMBERS)
    fitted.set_params(**defaults | other).partial_fit(X, NUMBERS)
    assert same(fitted.coefs_, wanted.coefs_)
    assert len(fitted.loss_curve_) == len(fitted.learning_rate_curve_) == before + 1
    assert fitted.loss_curve_[-1] == wanted.loss_curve_[-1]
    assert fitted.learning_rate_curve_[-1] == 0.001
    assert fitted.n_iter_ == 1


def test_the_same_optimizer_goes_on():
    parts = [regressor(**SOLVERS[0]).partial_fit(X, NUMBERS) for _ in range(2)]
    parts[1] = fresh(parts[1])
    one, other = (each.partial_fit(X, NUMBERS) for each in parts)
    assert not same(one.coefs_, other.coefs_)


def test_a_warm_start_with_another_solver():
    fitted = regressor(solver="lbfgs", warm_start=True).fit(X, NUMBERS)
    assert not OF_EPOCHS & set(vars(fitted))
    reached = fitted.loss_
    fitted.set_params(solver="adam").fit(X, NUMBERS)
    assert len(fitted.loss_curve_) == 4
    assert fitted.loss_curve_[0] < 1.5 * reached
    fitted.set_params(solver="sgd").fit(X, NUMBERS)
    assert len(fitted.loss_curve_) == 8
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    reached = fitted.loss_
    fitted.set_params(solver="lbfgs").fit(X, NUMBERS)
    assert fitted.loss_ < reached
    assert not OF_EPOCHS & set(vars(fitted)), "no curve is left that isn't of this fit"
    with pytest.raises(RangeError, match="its solver keeps none"):
        plot_loss_curve(fitted)


def test_a_schedule_begins_after_the_epochs_that_there_are():
    fitted = regressor(solver="lbfgs").fit(X, NUMBERS).set_params(solver="adam", learning_rate=[0.1, 0.2, 0.3, 0.4])
    fitted.partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    assert fitted.learning_rate_curve_ == [0.1, 0.2]


def test_an_adaptive_rate_begins_with_the_initial_one_where_there_was_none():
    fitted = regressor(solver="sgd").partial_fit(X, NUMBERS).set_params(learning_rate="adaptive").partial_fit(X, NUMBERS)
    assert fitted.learning_rate_curve_ == [0.001, 0.001]


# ------------------------------------------------------------------------------------------------ other things to watch


def test_what_was_watched_before_is_not_what_another_number_has_to_beat():
    """An accuracy of 0.8 is more than any negative loss."""
    fitted = classifier(early_stopping=True, warm_start=True).fit(X, CLASSES)
    fitted.set_params(early_stopping=False, max_iter=60).fit(X, CLASSES)
    assert (fitted.n_iter_, fitted.stop_) == (60, Stop.MAXIMUM)
    fitted.set_params(early_stopping=True, monitor="loss", max_iter=4).fit(X, CLASSES)
    assert fitted.stop_ is Stop.MAXIMUM


def test_epochs_without_validation_data_have_no_number_in_its_curves():
    fitted = classifier(warm_start=True).fit(X, CLASSES)
    fitted.fit(X, CLASSES, validation_data=HELD_OUT).partial_fit(X, CLASSES)
    for curve in (fitted.validation_loss_curve_, fitted.validation_scores_):
        assert [math.isnan(value) for value in curve] == [True] * 4 + [False] * 4 + [True]
    assert len(fitted.loss_curve_) == 9
    assert fitted.best_validation_score_ == max(fitted.validation_scores_[4:8])
    pytest.importorskip("matplotlib")
    axes = plot_loss_curve(fitted).axes[0]
    assert len(axes.lines[1].get_ydata()) == 9


def test_many_short_warm_fits_with_early_stopping_get_on():
    """On a plateau of the accuracy none of them beats the best: to go back to it each time would be to stand still."""
    fitted = classifier(early_stopping=True, warm_start=True, max_iter=2, n_iter_no_change=1000).fit(X, CLASSES)
    losses = [fitted.fit(X, CLASSES).loss_ for _ in range(20)]
    assert losses[-1] < losses[0]
    assert len(set(losses)) == 20


def test_partial_fit_with_a_part_of_the_classes_and_warm_start():
    fitted = classifier(warm_start=True, batch_size="auto").partial_fit(X, CLASSES, classes=[0, 1, 2])
    assert len(fitted.partial_fit(X[:2], CLASSES[:2]).loss_curve_) == 2


# ------------------------------------------------------------------------------------------------------- a failed call


def _fail(*_):
    raise KeyError("a mistake of the user's")


def _boom(epoch):
    if epoch.number == 2:
        raise KeyError("a mistake of the user's")


FAILURES = {
    "another number of features": (lambda e: e.fit(X[:, :2] * math.nan, CLASSES), {}),
    "validation data of another width": (lambda e: e.fit(X + 1.0, CLASSES % 2, validation_data=(X[:, :2], CLASSES)), {}),
    "validation data of other classes": (lambda e: e.fit(X[:, :2], CLASSES % 2, validation_data=(X[:, :2], CLASSES)), {}),
    "weights": (lambda e: e.fit(X[:, :2], CLASSES % 2, np.zeros(40)), {}),
    "a class weight": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"class_weight": {0: -1.0}}),
    "a pairing": (lambda e: e.fit(X[:, :2], CLASSES), {"output_activation": "sigmoid"}),
    "a schedule": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"learning_rate": [0.1]}),
    "a device": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"device": "cuda:7"}),
    "a device, by lbfgs": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"device": "cuda:7", "solver": "lbfgs"}),
    "a split": (lambda e: e.fit(X[:, :2], CLASSES == 99), {"early_stopping": True, "validation_fraction": 0.01}),
    "a callback": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"callbacks": [_boom]}),
    "a callback, by lbfgs": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"callbacks": [_boom], "solver": "lbfgs"}),
    "a scorer": (lambda e: e.fit(X[:, :2], CLASSES % 2), {"monitor": _fail, "early_stopping": True}),
    "classes that are not all": (lambda e: e.partial_fit(X, CLASSES, classes=[0, 1]), {}),
    "a part with weights of zero": (lambda e: e.partial_fit(X, CLASSES, np.zeros(40), classes=[0, 1, 2]), {}),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("n_networks", [1, 2])
def test_a_call_that_fails_leaves_the_estimator_as_it_was(name, n_networks):
    act, options = FAILURES[name]
    fitted, first = classifier(n_networks=n_networks).fit(X, CLASSES), classifier(n_networks=n_networks)
    wanted = fitted.predict_proba(X)
    for estimator in (fitted, first):
        estimator.set_params(**options)
        before = copy.copy(vars(estimator))
        with pytest.raises((MlpxpError, KeyError)):
            act(estimator)
        assert vars(estimator).keys() == before.keys()
        assert all(value is before[key] for key, value in vars(estimator).items())
    with pytest.raises(NotFittedError):
        first.predict(X)
    fitted.set_params(**classifier(n_networks=n_networks).get_params())
    assert same(fitted.predict_proba(X), wanted)
    assert len(fitted.partial_fit(X, CLASSES).loss_curve_) == 5


def test_a_fit_that_succeeds_after_one_that_failed():
    estimator = classifier()
    with pytest.raises(MlpxpError):
        estimator.fit(X[:, :2], CLASSES % 2, validation_data=(X, CLASSES))
    assert same(estimator.fit(X, CLASSES).coefs_, classifier().fit(X, CLASSES).coefs_)
