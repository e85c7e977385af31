"""n_networks networks as one stack: their members, their mean, their spread."""

import copy
import math
import pickle
import warnings

import numpy as np
import pytest

from mlpxp import MLPClassifier, MLPRegressor, Stop

clone = pytest.importorskip("sklearn").clone
ConvergenceWarning = pytest.importorskip("sklearn.exceptions").ConvergenceWarning

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 3))
CLASSES = np.asarray([0, 0, 1, 0, 2] * 8)
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "batch_size": 16, "n_networks": 3}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_prediction_is_the_mean_of_the_members_and_the_spread_their_deviation(solver):
    fitted = classifier(solver=solver).fit(X, CLASSES)
    each = np.stack([member.predict_proba(X) for member in fitted.estimators_])
    mean, spread = fitted.predict_proba(X, return_std=True)
    assert mean == pytest.approx(each.mean(axis=0), rel=1e-12)
    assert spread == pytest.approx(each.std(axis=0), rel=1e-9, abs=1e-12)
    assert (fitted.predict(X) == mean.argmax(axis=1)).all()
    assert fitted.predict_log_proba(X) == pytest.approx(np.log(mean), rel=1e-12)
    numbers = regressor(solver=solver).fit(X, NUMBERS)
    each = np.stack([member.predict(X) for member in numbers.estimators_])
    mean, spread = numbers.predict(X, return_std=True)
    assert mean == pytest.approx(each.mean(axis=0), rel=1e-9, abs=1e-12)
    assert spread == pytest.approx(each.std(axis=0), rel=1e-9, abs=1e-12)
    assert (spread > 0.0).all()


@pytest.mark.parametrize(("labels", "columns"), [(CLASSES > 0, 2), (CLASSES, 3), (np.eye(3, dtype=int)[CLASSES], 3)])
def test_the_spread_has_the_shape_of_the_probabilities(labels, columns):
    mean, spread = classifier().fit(X, labels).predict_proba(X, return_std=True)
    assert mean.shape == spread.shape == (40, columns)
    assert (spread > 0.0).all()


def test_one_network_has_no_spread_and_no_members():
    fitted = regressor(n_networks=1).fit(X, np.stack([NUMBERS, -NUMBERS], axis=1))
    mean, spread = fitted.predict(X, return_std=True)
    assert mean.shape == (40, 2)
    assert (spread == 0.0).all()
    assert not hasattr(fitted, "estimators_")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_members_are_estimators(solver):
    fitted = classifier(solver=solver).fit(X, CLASSES)
    assert [array.shape for array in (*fitted.coefs_, *fitted.intercepts_)] == [(3, 3, 5), (3, 5, 3), (3, 5), (3, 3)]
    assert len(fitted.estimators_) == 3
    for i, member in enumerate(fitted.estimators_):
        assert member.n_networks == 1
        assert (member.coefs_[0] == fitted.coefs_[0][i]).all()
        assert 0.0 <= member.score(X, CLASSES) <= 1.0
    assert fitted.loss_ == pytest.approx(np.mean([member.loss_ for member in fitted.estimators_]), rel=1e-12)
    assert len({member.loss_ for member in fitted.estimators_}) == 3


def test_members_train_as_they_would_alone():
    """With equal batches: the draws of a lone network's batches come after those of its own weights only."""
    fitted = regressor(shuffle=False).fit(X, NUMBERS)
    alone = regressor(shuffle=False, n_networks=1).fit(X, NUMBERS)
    assert fitted.estimators_[0].coefs_[0] == pytest.approx(alone.coefs_[0], rel=1e-10)
    assert fitted.estimators_[0].loss_curve_ == pytest.approx(alone.loss_curve_, rel=1e-10)


def test_members_stop_early_each_for_itself():
    options = {"early_stopping": True, "max_iter": 300, "n_iter_no_change": 5, "learning_rate_init": 0.05}
    fitted = classifier(**options).fit(X, CLASSES)
    epochs = [member.n_iter_ for member in fitted.estimators_]
    assert len(set(epochs)) > 1
    assert max(epochs) == fitted.n_iter_ == len(fitted.loss_curve_)
    for member in fitted.estimators_:
        assert len(member.loss_curve_) == len(member.validation_scores_) == len(member.validation_loss_curve_) == member.n_iter_
        assert member.best_validation_score_ == max(member.validation_scores_)
        assert member.validation_scores_.index(member.best_validation_score_) >= member.n_iter_ - 7


def test_members_slow_down_each_for_itself():
    options = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.5, "tol": 0.01, "n_iter_no_change": 2}
    rates = []
    fitted = classifier(max_iter=1000, callbacks=[lambda epoch: rates.append(epoch.learning_rate)], **options).fit(X, CLASSES)
    assert len({member.n_iter_ for member in fitted.estimators_}) > 1
    assert any(len(set(each)) > 1 for each in rates)
    assert fitted.n_iter_ < 1000


def test_partial_fit_and_warm_start_go_on():
    parts = regressor().partial_fit(X, NUMBERS)
    first = [member.loss_curve_ for member in parts.estimators_]
    parts.partial_fit(X, NUMBERS)
    assert [member.loss_curve_[:1] for member in parts.estimators_] == first
    assert [len(member.loss_curve_) for member in parts.estimators_] == [2, 2, 2]
    whole = regressor(max_iter=2, shuffle=False).fit(X, NUMBERS)
    again = regressor(shuffle=False).partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    assert again.coefs_[0] == pytest.approx(whole.coefs_[0], rel=1e-12)
    warm = regressor(warm_start=True).fit(X, NUMBERS).fit(X, NUMBERS)
    assert [len(member.loss_curve_) for member in warm.estimators_] == [8, 8, 8]


@pytest.mark.parametrize("through", [lambda estimator: pickle.loads(pickle.dumps(estimator)), copy.deepcopy])
def test_copies(through):
    fitted = classifier().fit(X, CLASSES)
    again = through(fitted)
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert (again.estimators_[1].predict_proba(X) == fitted.estimators_[1].predict_proba(X)).all()
    assert (clone(fitted).fit(X, CLASSES).predict_proba(X) == fitted.predict_proba(X)).all()


def test_parameters_that_are_changed_after_the_fit_do_not_change_what_was_fitted():
    ensemble, network = regressor().fit(X, NUMBERS), regressor(n_networks=1).fit(X, NUMBERS)
    wanted = ensemble.predict(X), network.predict(X)
    assert (ensemble.set_params(n_networks=1).predict(X) == wanted[0]).all()
    assert (network.set_params(n_networks=3).predict(X) == wanted[1]).all()
    with pytest.raises(ValueError, match="what was fitted before has weights of the shapes"):
        network.partial_fit(X, NUMBERS)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_one_member_that_diverges_stops_at_its_last_finite_weights_and_the_others_go_on():
    estimator = regressor(solver="sgd", learning_rate=lambda epoch: [0.01, 1e6, 0.02], max_iter=30)
    with pytest.warns(UserWarning, match="Some of the networks diverged"):
        estimator.fit(X, NUMBERS)
    assert all(np.isfinite(array).all() for array in estimator.coefs_)
    alone = regressor(solver="sgd", learning_rate=lambda epoch: 0.01, max_iter=30, n_networks=1, shuffle=False)
    shuffled = regressor(solver="sgd", learning_rate=lambda epoch: [0.01, 1e6, 0.02], max_iter=30, shuffle=False)
    with pytest.warns(UserWarning, match="Some of the networks diverged"):
        shuffled.fit(X, NUMBERS)
    assert shuffled.estimators_[0].coefs_[0] == pytest.approx(alone.fit(X, NUMBERS).coefs_[0], rel=1e-9)
    assert math.isfinite(shuffled.estimators_[2].loss_)


@pytest.mark.parametrize("labels", [CLASSES, CLASSES > 0, np.eye(3, dtype=int)[CLASSES]])
def test_the_logarithm_of_probabilities_that_round_to_zero_for_all_members(labels):
    fitted = classifier(max_iter=50, learning_rate_init=0.1).fit(X, labels)
    near, far = fitted.predict_log_proba(X), fitted.predict_log_proba(1e4 * X)
    assert near == pytest.approx(np.log(fitted.predict_proba(X)), rel=1e-9, abs=1e-12)
    assert np.isfinite(far).all()
    assert far.min() < -745.0
    each = np.stack([member.predict_log_proba(1e4 * X) for member in fitted.estimators_])
    assert (far <= each.max(axis=0) + 1e-9).all()
    assert (far >= each.max(axis=0) - math.log(3.0) - 1e-9).all()


def test_one_member_of_lbfgs_that_diverges_keeps_its_weights_and_the_others_go_on():
    """It begins where its cost is infinite already."""
    options = {"solver": "lbfgs", "warm_start": True}
    fitted, wanted = regressor(**options).fit(X, NUMBERS), regressor(**options).fit(X, NUMBERS)
    fitted.coefs_ = [np.concatenate([coefs[:1], 1e200 * coefs[1:2], coefs[2:]]) for coefs in fitted.coefs_]
    before = fitted.coefs_[0][1].copy()
    with pytest.warns(ConvergenceWarning, match="Some of the networks diverged: their last finite weights are kept") as caught:
        fitted.fit(X, NUMBERS)
    assert caught[-1].filename == __file__
    wanted.fit(X, NUMBERS)
    assert fitted.stop_ == (Stop.MAXIMUM, Stop.DIVERGED, Stop.MAXIMUM)
    assert (fitted.coefs_[0][1] == before).all()
    for i in (0, 2):
        assert (fitted.estimators_[i].coefs_[0] == wanted.estimators_[i].coefs_[0]).all()
        assert fitted.estimators_[i].loss_ == wanted.estimators_[i].loss_
    assert fitted.estimators_[1].stop_ is Stop.DIVERGED


@pytest.mark.parametrize("options", [{"early_stopping": True, "n_iter_no_change": 5}, {"restore_best": True}], ids=str)
def test_a_member_that_diverges_at_once_costs_the_others_nothing(options):
    """They keep their best epochs' weights, those that each alone would; it ends where it diverged, with finite weights."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(80, 3)).astype("float32")
    y = X @ np.asarray([1.0, -2.0, 0.5], dtype="float32") + 0.3 * draw.normal(size=80).astype("float32")
    common = {"hidden_layer_sizes": (8,), "solver": "sgd", "batch_size": 5, "max_iter": 40, "random_state": 0, "n_networks": 3} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = MLPRegressor(learning_rate=lambda _: [0.005, 0.01, 0.02], **common).fit(X, y)
        fitted = MLPRegressor(learning_rate=lambda _: [1e5, 0.01, 0.02], **common).fit(X, y)
    assert str(fitted.stop_[0]) == "diverged"
    for i in (1, 2):
        np.testing.assert_array_equal(fitted.coefs_[0][i], alone.coefs_[0][i])
        assert fitted.estimators_[i].n_iter_ == alone.estimators_[i].n_iter_
    assert fitted.estimators_[0].n_iter_ == len(fitted.estimators_[0].loss_curve_) == 1
    assert np.isfinite(fitted.coefs_[0]).all()
    last = MLPRegressor(learning_rate=lambda _: [1e5, 0.01, 0.02], **common | {"restore_best": False})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last.fit(X, y)
    assert not np.array_equal(last.coefs_[0][1], fitted.coefs_[0][1]), "the best is not the last here"
