"""How a fit goes, is watched, and ends: validation, monitors, callbacks, time, Ctrl-C, a bar, divergence."""

import math
import sys

import numpy as np
import pytest

from mlpxp import DivergenceError, MissingLibraryError, MLPClassifier, MLPRegressor, MlpxpError, Stop, cost, forward
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators.errors import InvalidParameterError

pytest.importorskip("sklearn")

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 3))
CLASSES = np.asarray([0, 0, 1, 0, 2] * 8)
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
HELD_OUT = DRAW.standard_normal((20, 3))
THEIR_CLASSES = np.arange(20) % 3
THEIR_NUMBERS = HELD_OUT @ np.asarray([1.0, -2.0, 0.5])
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "batch_size": 16}
SOLVERS = ["sgd", "adam", "lbfgs"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


def weights_after(estimator, epochs):
    """What a callback sees of the first weights after each of these epochs, by its own copy."""
    seen = []
    estimator.set_params(callbacks=[lambda epoch: seen.append(np.array(epoch.parameters[0].W.mT))])
    return estimator, lambda: [seen[epoch - 1] for epoch in epochs]


# --------------------------------------------------------------------------------------------------------- validation


@pytest.mark.parametrize("weighted", [False, True])
def test_validation_data_are_looked_at_after_each_epoch(weighted):
    weights = np.linspace(0.1, 2.0, 20) if weighted else None
    data = (HELD_OUT, THEIR_NUMBERS, weights) if weighted else (HELD_OUT, THEIR_NUMBERS)
    fitted = regressor().fit(X, NUMBERS, validation_data=data)
    trace = forward(fitted._fitted.network, fitted._parameters(), HELD_OUT.T)
    assert len(fitted.validation_loss_curve_) == len(fitted.validation_scores_) == 4
    assert fitted.validation_loss_curve_[-1] == pytest.approx(
        float(cost(fitted._fitted.network, trace, THEIR_NUMBERS[None], weights)), rel=1e-12
    )
    assert fitted.validation_scores_[-1] == pytest.approx(fitted.score(HELD_OUT, THEIR_NUMBERS, weights), rel=1e-12)
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert [array.tolist() for array in fitted.coefs_] == [array.tolist() for array in regressor().fit(X, NUMBERS).coefs_]  # only looked at


def test_without_validation_data_there_are_no_curves_of_them():
    fitted = regressor().fit(X, NUMBERS)
    assert fitted.validation_loss_curve_ is fitted.validation_scores_ is fitted.best_validation_score_ is None


def test_validation_data_stand_in_for_a_part_of_the_training_data():
    fitted = classifier(early_stopping=True, max_iter=200, n_iter_no_change=3, learning_rate_init=0.05)
    fitted.fit(X, CLASSES, validation_data=(HELD_OUT, THEIR_CLASSES))
    assert fitted.score(HELD_OUT, THEIR_CLASSES) == fitted.best_validation_score_
    assert fitted.t_ == 40 * fitted.n_iter_  # nothing was set aside
    assert fitted.n_iter_ < 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HELD_OUT, r"^validation_data must be \(X, y\) or \(X, y, sample_weight\), got ndarray$"),
        ((HELD_OUT,), "^validation_data must be"),
        ((HELD_OUT, THEIR_CLASSES, None, None), "^validation_data must be"),
        ("ab", "^validation_data must be"),
        ((HELD_OUT[:, :2], THEIR_CLASSES), "X has 2 features, but MLPClassifier is expecting 3"),
        ((HELD_OUT, THEIR_CLASSES[:3]), "inconsistent numbers of samples"),
        ((HELD_OUT, THEIR_CLASSES + 1), "the validation data have classes that the training data lack"),
        ((HELD_OUT, ["a", "b"] * 10), "the validation data have classes that the training data lack"),
        ((HELD_OUT * math.nan, THEIR_CLASSES), "NaN"),
        ((HELD_OUT, THEIR_CLASSES, np.zeros(20)), "(?i)zero"),
        ((HELD_OUT, THEIR_CLASSES, -np.ones(20)), "Negative"),
        ((HELD_OUT[:0], THEIR_CLASSES[:0]), "0 sample"),
        ((HELD_OUT, None), "y"),
    ],
)
def test_bad_validation_data(data, words):
    with pytest.raises(ValueError, match=words) as caught:
        classifier().fit(X, CLASSES, validation_data=data)
    assert isinstance(caught.value, MlpxpError)


def test_validation_data_need_a_solver_with_epochs():
    with pytest.raises(RangeError, match=r"X_val \(or validation_data\) needs one of the solvers sgd, adam and adamw, got lbfgs"):
        classifier(solver="lbfgs").fit(X, CLASSES, validation_data=(HELD_OUT, THEIR_CLASSES))


@pytest.mark.parametrize("fraction", [0, 0.0, 1])
def test_early_stopping_needs_a_share_to_validate_on(fraction):
    with pytest.raises(InvalidParameterError, match="validation_fraction"):
        classifier(early_stopping=True, validation_fraction=fraction).fit(X, CLASSES)
    if not fraction:
        classifier(validation_fraction=fraction).fit(X, CLASSES)
        classifier(early_stopping=True, validation_fraction=fraction).fit(X, CLASSES, validation_data=(HELD_OUT, THEIR_CLASSES))


@pytest.mark.parametrize(("m", "fraction"), [(1, 0.1), (3, 0.9)])
def test_early_stopping_needs_an_example_to_learn_from(m, fraction):
    words = rf"^The training set is empty: validation_fraction={fraction} of {m} examples is all of them\.$"
    with pytest.raises(DataError, match=words):
        regressor(early_stopping=True, validation_fraction=fraction).fit(X[:m], NUMBERS[:m])


@pytest.mark.parametrize("m", [2, 3, 10])
def test_one_example_is_no_validation_set(m):
    """Rather than that it has fewer examples than there are classes, in the words of the function that splits."""
    for estimator, y in ((classifier(), CLASSES), (classifier(), np.arange(40) // 2 % 2), (regressor(), NUMBERS)):
        estimator.set_params(early_stopping=True, validation_fraction=0.1)
        with pytest.raises(DataError, match=r"^The validation set is too small\. Increase 'validation_fraction'|least populated classes"):
            estimator.fit(X[:m], y[:m])


# ---------------------------------------------------------------------------------------------------- monitor, restore_best


def stopped(**options):
    estimator = regressor(early_stopping=True, max_iter=400, n_iter_no_change=4, learning_rate_init=0.1, **options)
    return estimator.fit(X, NUMBERS, validation_data=(HELD_OUT, np.sign(THEIR_NUMBERS)))


def negative_worst(estimator, rows, numbers):
    return -np.abs(estimator.predict(rows) - numbers).max()


@pytest.mark.parametrize("monitor", ["loss", "score", "r2", "neg_mean_absolute_error", negative_worst])
def test_the_best_epoch_by_what_is_watched_is_kept(monitor):
    fitted = stopped(monitor=monitor)
    watched = [-loss for loss in fitted.validation_loss_curve_] if monitor == "loss" else fitted.validation_scores_
    best = int(np.argmax(watched))
    assert best < fitted.n_iter_ - 1 < 399
    again, seen = weights_after(regressor(max_iter=best + 1, learning_rate_init=0.1), [best + 1])
    again.fit(X, NUMBERS)
    assert fitted.coefs_[0] == pytest.approx(seen()[0], rel=1e-12)


def test_scores_of_a_scorer_are_those_that_are_written():
    fitted = stopped(monitor=negative_worst)
    assert fitted.best_validation_score_ == pytest.approx(negative_worst(fitted, HELD_OUT, np.sign(THEIR_NUMBERS)), rel=1e-12)
    assert stopped(monitor="r2").validation_scores_ == pytest.approx(stopped(monitor="score").validation_scores_, rel=1e-12)


def test_the_last_epoch_may_be_kept_and_the_best_without_early_stopping():
    fitted = stopped(restore_best=False)
    plain = regressor(max_iter=fitted.n_iter_, learning_rate_init=0.1).fit(X, NUMBERS)
    assert fitted.coefs_[0] == pytest.approx(plain.coefs_[0], rel=1e-12)
    data = (HELD_OUT, np.sign(THEIR_NUMBERS))
    kept = regressor(restore_best=True, max_iter=30, learning_rate_init=0.1).fit(X, NUMBERS, validation_data=data)
    assert kept.n_iter_ == 30
    assert kept.score(*data) == pytest.approx(max(kept.validation_scores_), rel=1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_monitor_that_nobody_knows(early_stopping):
    with pytest.raises(ValueError, match="'fun' is not a valid scoring value") as caught:
        regressor(monitor="fun", early_stopping=early_stopping).fit(X, NUMBERS)
    assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize("monitor", ["loss", "r2", negative_worst])
def test_a_monitor_with_nothing_to_look_at(monitor):
    with pytest.raises(InvalidParameterError, match=r"^monitor needs validation data to look at: set early_stopping=True or pass"):
        regressor(monitor=monitor).fit(X, NUMBERS)
    parts = regressor(monitor=monitor).fit(X, NUMBERS, validation_data=(HELD_OUT, THEIR_NUMBERS)).partial_fit(X, NUMBERS)
    assert len(parts.loss_curve_) == 5  # partial_fit has one epoch and nothing to look at, whatever the parameters are


def test_a_monitor_scores_validation_data_without_stopping_anything():
    plain, scored = (
        regressor(monitor=monitor).fit(X, NUMBERS, validation_data=(HELD_OUT, THEIR_NUMBERS)) for monitor in ("score", "neg_max_error")
    )
    assert scored.coefs_[0].tolist() == plain.coefs_[0].tolist()
    assert scored.validation_scores_[-1] == -np.abs(plain.predict(HELD_OUT) - THEIR_NUMBERS).max()
    assert scored.best_validation_score_ == max(scored.validation_scores_)


@pytest.mark.parametrize("answer", ["much", None, [1.0]])
def test_a_monitor_that_answers_no_number(answer):
    with pytest.raises(RangeError, match=r"^monitor must return a number, got "):
        regressor(monitor=lambda estimator, rows, numbers: answer, early_stopping=True).fit(X, NUMBERS)


@pytest.mark.parametrize(("monitor", "name"), [("score", "score"), ("loss", "loss"), ("r2", "r2"), (negative_worst, "negative_worst")])
def test_verbose_says_what_is_watched(monitor, name, capsys):
    fitted = stopped(monitor=monitor, verbose=True)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Validation")]
    values = fitted.validation_loss_curve_ if monitor == "loss" else fitted.validation_scores_
    assert said == [f"Validation {name}: {value:f}" for value in values]


def test_a_scorer_of_another_kind_of_target():
    with pytest.raises(ValueError, match="not supported") as caught:
        regressor(monitor="accuracy", early_stopping=True).fit(X, NUMBERS)
    assert isinstance(caught.value, MlpxpError)


# ---------------------------------------------------------------------------------------------------------- callbacks


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("true", [True, np.True_])
def test_callbacks_are_called_after_each_epoch_and_may_stop_the_fit(solver, true):
    seen, also = [], []
    callbacks = [lambda epoch: seen.append((epoch.number, epoch.last)), lambda epoch: true if epoch.number == 3 else None, also.append]
    fitted = classifier(solver=solver, max_iter=20, callbacks=callbacks).fit(X, CLASSES)
    assert seen == [(1, 20), (2, 20), (3, 20)]
    assert [epoch.number for epoch in also] == [1, 2, 3]
    assert fitted.n_iter_ == 3
    assert fitted.loss_ == pytest.approx(also[-1].cost, rel=1e-12)
    assert np.array(also[-1].parameters[0].W.mT) == pytest.approx(fitted.coefs_[0], rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_keeps_what_was_learnt(solver):
    def interrupt(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = classifier(solver=solver, max_iter=20, callbacks=[interrupt]).fit(X, CLASSES)
    three = classifier(solver=solver, max_iter=20, callbacks=[lambda epoch: epoch.number == 3]).fit(X, CLASSES)
    assert fitted.n_iter_ == 3
    assert fitted.coefs_[0].tolist() == three.coefs_[0].tolist()
    assert fitted.loss_ == pytest.approx(three.loss_, rel=1e-12)


def test_ctrl_c_ends_an_ensemble_of_lbfgs_at_once():
    heard = []

    def interrupt(epoch):
        heard.append(epoch.number)
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user") as warned:
        fitted = classifier(solver="lbfgs", n_networks=3, max_iter=20, callbacks=[interrupt]).fit(X, CLASSES)
    assert heard == [1, 2]
    assert len(warned) == 1
    assert [member.n_iter_ for member in fitted.estimators_] == [2, 0, 0]


# --------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("options", [{}, {"n_networks": 2}, {"early_stopping": True}, {"learning_rate": "adaptive", "solver": "sgd"}])
def test_time_that_is_up_within_the_first_epoch(options):
    fitted = classifier(max_seconds=1e-9, **options).fit(X, CLASSES)
    assert (fitted.n_iter_, fitted.t_, fitted.loss_curve_) == (0, 0, [])
    assert math.isnan(fitted.loss_)
    assert fitted.predict(X).shape == (40,)
    fitted.set_params(max_seconds=None, early_stopping=False).partial_fit(X, CLASSES)
    assert len(fitted.loss_curve_) == 1


@pytest.mark.parametrize("n_networks", [1, 3])
def test_time_that_is_up_with_lbfgs(n_networks):
    fitted = classifier(solver="lbfgs", max_seconds=1e-9, max_iter=100, n_networks=n_networks).fit(X, CLASSES)
    assert fitted.n_iter_ == 1
    assert math.isfinite(fitted.loss_)


# ---------------------------------------------------------------------------------------------------------------- bar


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_bar_goes_to_stderr_and_leaves_nothing(solver, capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as rich can see
    monkeypatch.setenv("TERM", "xterm")
    classifier(solver=solver, progress=True).fit(X, CLASSES)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert err.rstrip().endswith("\x1b[2K")  # the line is erased


def test_a_bar_without_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(MissingLibraryError, match=r"^progress=True needs rich"):
        classifier(progress=True).fit(X, CLASSES)


# --------------------------------------------------------------------------------------------------------- divergence


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_a_loss_that_is_no_longer_finite():
    estimator = regressor(solver="sgd", learning_rate_init=1e3, max_iter=50)
    with pytest.raises(ValueError, match="non-finite parameter weights") as caught:
        estimator.fit(X, NUMBERS)
    assert isinstance(caught.value, DivergenceError)
    assert all(np.isfinite(array).all() for array in (*estimator.coefs_, *estimator.intercepts_))
    assert math.isnan(estimator.loss_)
    assert estimator.loss_curve_[:-1] == list(caught.value.history.cost)
    assert estimator.n_iter_ == len(estimator.loss_curve_)


@pytest.mark.parametrize("n_networks", [1, 2])
def test_lbfgs_on_a_loss_that_is_finite_nowhere(n_networks):
    estimator = regressor(solver="lbfgs", n_networks=n_networks)
    with pytest.raises(ValueError, match="non-finite parameter weights") as caught:
        estimator.fit(X, np.full(40, 1e300))
    assert isinstance(caught.value, DivergenceError)
    assert all(np.isfinite(array).all() for array in (*estimator.coefs_, *estimator.intercepts_))
    assert estimator.stop_ == (Stop.DIVERGED if n_networks == 1 else (Stop.DIVERGED,) * 2)
    assert estimator.predict(X).shape == (40,)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_with_early_stopping_the_best_epoch_is_kept():
    estimator = regressor(solver="sgd", learning_rate=[0.01] * 5 + [1e6] * 45, max_iter=50, early_stopping=True)
    with pytest.warns(UserWarning, match="Training diverged, the best epoch's weights are kept"):
        estimator.fit(X, NUMBERS, validation_data=(HELD_OUT, THEIR_NUMBERS))
    assert estimator.score(HELD_OUT, THEIR_NUMBERS) == pytest.approx(estimator.best_validation_score_, rel=1e-12)


# ------------------------------------------------------------------------------------------------------ sample weights


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.full(40, math.nan), "NaN"),
        (np.full(40, math.inf), "infinity"),
        (np.zeros(40), "(?i)zero"),
        (np.linspace(-1.0, 1.0, 40), "Negative"),
        (np.ones(39), "sample_weight.shape"),
        (np.ones((40, 2)), "1D array"),
        (["a"] * 40, "could not convert"),
        (np.ones(40) * 1j, "(?i)complex"),
    ],
)
def test_bad_weights(solver, weights, words):
    for estimator, y in ((classifier(solver=solver), CLASSES), (regressor(solver=solver), NUMBERS)):
        with pytest.raises(ValueError, match=words) as caught:
            estimator.fit(X, y, sample_weight=weights)
        assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_weight_for_all_and_examples_without_weight(solver):
    plain = regressor(solver=solver).fit(X, NUMBERS)
    assert regressor(solver=solver).fit(X, NUMBERS, sample_weight=1.0).coefs_[0].tolist() == plain.coefs_[0].tolist()
    some = np.where(np.arange(40) < 20, 1.0, 0.0)
    options = {"solver": solver, "shuffle": False, "batch_size": 20, "alpha": 0.0}
    half = regressor(**options).fit(X, NUMBERS, sample_weight=some)
    assert half.coefs_[0] == pytest.approx(regressor(**options).fit(X[:20], NUMBERS[:20]).coefs_[0], rel=1e-6)
