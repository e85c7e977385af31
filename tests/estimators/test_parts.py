"""A partial_fit does the same work whatever was done before, and an ensemble's not once for each member."""

import copy
import math
import pickle
import sys

import numpy as np
import pytest

from mlpxp import MLPClassifier, MLPRegressor, to_backend

draw = np.random.default_rng(2)
X = draw.standard_normal((20, 4))
CLASSES, NUMBERS = np.arange(20) % 3, draw.standard_normal(20)
KINDS = {
    "classifier": (MLPClassifier, CLASSES, {}),
    "regressor": (MLPRegressor, NUMBERS, {}),
    "ensemble": (MLPClassifier, CLASSES, {"n_networks": 3}),
    "sgd, adaptive": (MLPClassifier, CLASSES, {"solver": "sgd", "learning_rate": "adaptive"}),
    "invscaling": (MLPRegressor, NUMBERS, {"solver": "sgd", "learning_rate": "invscaling"}),
    "cosine": (MLPRegressor, NUMBERS, {"learning_rate": "cosine", "dropout": 0.2}),
}


class Number(float):
    """A float of the past, which nobody has a reason to look at."""

    def _refuse(self, *_):
        raise AssertionError("the past is looked at")

    __lt__ = __gt__ = __le__ = __ge__ = __add__ = __radd__ = __eq__ = _refuse
    __hash__ = float.__hash__


class Row(tuple):
    __slots__ = ()
    __iter__ = __getitem__ = __len__ = Number._refuse


def begun(kind, calls=3):
    make, y, options = KINDS[kind]
    estimator = make(hidden_layer_sizes=(5,), random_state=0, **options)
    for _ in range(calls):
        part(estimator, y)
    return estimator, y


def part(estimator, y):
    known = {"classes": [0, 1, 2]} if hasattr(estimator, "predict_proba") and not hasattr(estimator, "classes_") else {}
    return estimator.partial_fit(X, y, **known)


def with_a_long_past(estimator, epochs=20_000):
    """Put epochs before those that there are, which take exception to being looked at."""
    k = estimator.n_networks
    for name, curve in estimator._fitted.curves.items():
        if curve is not None:
            curve[:] = [Row((0.5,) * k)] * epochs
            getattr(estimator, name)[:] = [Number(0.5)] * epochs
    return estimator


def calls_of(function):
    """How many functions are called, Python's and C's."""
    count = 0

    def counted(_, event, __):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_does_not_grow_with_what_was_done_before(kind):
    estimator, y = begun(kind)
    young = calls_of(lambda: part(estimator, y))
    with_a_long_past(estimator)
    lists = {name: id(curve) for name, curve in vars(estimator).items() if isinstance(curve, list) and len(curve) >= 20_000}
    assert len(lists) == 2
    old = calls_of(lambda: part(estimator, y))
    assert abs(old - young) < 0.05 * young
    assert {name: id(vars(estimator)[name]) for name in lists} == lists, "a curve was copied"
    assert {len(vars(estimator)[name]) for name in lists} == {20_001}


def test_the_work_does_not_grow_with_the_members():
    few, many = (MLPClassifier((5,), random_state=0, n_networks=k) for k in (2, 64))
    counts = []
    for estimator in (few, many):
        for _ in range(3):
            part(estimator, CLASSES)
        counts.append(calls_of(lambda estimator=estimator: part(estimator, CLASSES)))
    assert counts[1] - counts[0] < 62 * 60, "what is done for each member is a few sums"
    made = calls_of(lambda: many.estimators_)
    assert made > 62 * 60, "the members are made when they are asked for"
    assert len(many.estimators_) == 64


def test_members_are_those_of_the_last_call():
    estimator, y = begun("ensemble")
    first = estimator.estimators_
    assert estimator.estimators_ is first
    part(estimator, y)
    second = estimator.estimators_
    assert [len(one.loss_curve_) for one in (*first, *second)] == [3, 3, 3, 4, 4, 4]
    for i, member in enumerate(second):
        np.testing.assert_array_equal(member.coefs_[0], estimator.coefs_[0][i])
        assert member.loss_curve_[:3] == first[i].loss_curve_
        assert member.best_loss_ == min(member.loss_curve_)
    assert estimator.loss_curve_ == pytest.approx(np.mean([one.loss_curve_ for one in second], axis=0).tolist(), rel=1e-12)
    assert estimator.best_loss_ == min(estimator.loss_curve_)


@pytest.mark.parametrize("through", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), lambda one: to_backend(one, "numpy")])
@pytest.mark.parametrize("kind", ["classifier", "ensemble"])
def test_a_copy_has_curves_of_its_own(kind, through):
    estimator, y = begun(kind)
    again = through(estimator)
    part(again, y)
    assert (len(estimator.loss_curve_), len(again.loss_curve_)) == (3, 4)
    assert again.loss_curve_[:3] == estimator.loss_curve_
    assert {len(curve) for curve in estimator._fitted.curves.values() if curve is not None} == {3}
    wanted = copy.deepcopy(estimator)
    np.testing.assert_allclose(part(wanted, y).coefs_[0], again.coefs_[0], rtol=1e-12)


def test_the_best_of_all_calls_is_the_best_of_the_curve():
    estimator = MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=0.4, momentum=0.0, random_state=0)
    for i in range(12):
        estimator.partial_fit(X * (1.0 + i % 3), NUMBERS)
        assert estimator.best_loss_ == min(estimator.loss_curve_)
        assert estimator.loss_ == estimator.loss_curve_[-1]
    assert estimator.loss_curve_ != sorted(estimator.loss_curve_, reverse=True), "it only ever fell, so this shows little"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_best_score_outlives_calls_without_validation_data():
    estimator = MLPRegressor(hidden_layer_sizes=(5,), max_iter=6, warm_start=True, random_state=0)
    estimator.fit(X, NUMBERS, validation_data=(X, NUMBERS))
    best = estimator.best_validation_score_
    estimator.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    assert estimator.best_validation_score_ == best == max(estimator.validation_scores_[:6])
    assert len(estimator.validation_scores_) == 13
    assert all(map(math.isnan, estimator.validation_scores_[6:]))


def test_a_warning_that_is_an_error_leaves_the_curves_as_they_were():
    estimator = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3, warm_start=True, random_state=0)
    part(estimator, NUMBERS)
    before = list(estimator.loss_curve_)
    with pytest.raises(Warning, match="Maximum iterations"):
        estimator.fit(X, NUMBERS)
    assert estimator.loss_curve_ == before
    assert [list(curve) for curve in estimator._fitted.curves.values() if curve is not None] == [[(loss,) for loss in before], [(0.001,)]]


@pytest.mark.parametrize(
    "labels", [np.asarray(["b", "a", "c"]), np.asarray([5, -1, 7]), np.asarray([2.0, 0.0, 1.0]), np.asarray([True, False])]
)
def test_labels_of_any_kind_are_learnt_as_their_numbers(labels):
    n = len(labels)
    names = np.sort(labels)[np.arange(20) % n]
    by_name, by_number = MLPClassifier((5,), random_state=0), MLPClassifier((5,), random_state=0)
    for _ in range(2):
        by_name.partial_fit(X, names, classes=labels)
        by_number.partial_fit(X, np.arange(20) % n, classes=range(n))
    np.testing.assert_array_equal(by_name.coefs_[0], by_number.coefs_[0])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        by_number.partial_fit(X, np.arange(20) % n + 1)


@pytest.mark.parametrize("name", ["alpha", "solver", "hidden_layer_sizes"])
def test_a_parameter_that_is_changed_between_two_calls_is_looked_at_again(name):
    estimator, y = begun("classifier")
    with pytest.raises(ValueError, match=name):
        estimator.set_params(**{name: -1.0}).partial_fit(X, y)
