"""What is watched on weighted validation data, and on validation data that lack a class, against scikit-learn's metrics."""

import warnings

import numpy as np
import pytest
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from mlpxp import DataError, MLPClassifier, MLPRegressor, MlpxpError

draw = np.random.default_rng(5)
X = draw.standard_normal((120, 3))
SCORE = X[:, 0] + 0.5 * draw.standard_normal(120)
TWO, THREE = (SCORE > 0).astype(int), np.digitize(SCORE, [-0.7, 0.7])
THEIRS = slice(80, 120)
WEIGHTS = np.where(np.arange(40) % 7 == 0, 30.0, 0.05) * draw.uniform(0.5, 1.5, 40)
OPTIONS = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0}


def own_scorer(estimator, rows, y, sample_weight=None):
    return -metrics.mean_absolute_error(y, estimator.predict(rows), sample_weight=sample_weight)


METRICS = {  # by hand, from what the fitted model predicts
    "accuracy": lambda m, rows, y, w: metrics.accuracy_score(y, m.predict(rows), sample_weight=w),
    "score": lambda m, rows, y, w: metrics.accuracy_score(y, m.predict(rows), sample_weight=w),
    "balanced_accuracy": lambda m, rows, y, w: metrics.balanced_accuracy_score(y, m.predict(rows), sample_weight=w),
    "f1_macro": lambda m, rows, y, w: metrics.f1_score(y, m.predict(rows), average="macro", sample_weight=w),
    "neg_log_loss": lambda m, rows, y, w: -metrics.log_loss(y, m.predict_proba(rows), sample_weight=w),
    "roc_auc_ovr_weighted": lambda m, rows, y, w: metrics.roc_auc_score(
        y, m.predict_proba(rows), multi_class="ovr", average="weighted", sample_weight=w
    ),
}
NUMBERS = {
    "r2": lambda m, rows, y, w: metrics.r2_score(y, m.predict(rows), sample_weight=w),
    "score": lambda m, rows, y, w: metrics.r2_score(y, m.predict(rows), sample_weight=w),
    "neg_mean_squared_error": lambda m, rows, y, w: -metrics.mean_squared_error(y, m.predict(rows), sample_weight=w),
    own_scorer: lambda m, rows, y, w: -np.average(np.abs(y - m.predict(rows)), weights=w),
}


def assert_weighted(fitted, rows, y, w, metric):
    """The last epoch's score is what the metric says of the weights that it ended with, and weighed differently it is another."""
    assert fitted.validation_scores_[-1] == pytest.approx(metric(fitted, rows, y, w), rel=1e-9 if rows.dtype == np.float64 else 1e-6)
    assert abs(metric(fitted, rows, y, w) - metric(fitted, rows, y, None)) > 1e-4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("monitor", METRICS)
def test_a_classifier_scores_weighted_validation_data(monitor, dtype):
    rows = X.astype(dtype)
    fitted = MLPClassifier(**OPTIONS, monitor=monitor)
    fitted.fit(rows[:80], THREE[:80], validation_data=(rows[THEIRS], THREE[THEIRS], WEIGHTS))
    assert_weighted(fitted, rows[THEIRS], THREE[THEIRS], WEIGHTS, METRICS[monitor])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("monitor", NUMBERS)
def test_a_regressor_scores_weighted_validation_data(monitor):
    fitted = MLPRegressor(**OPTIONS, monitor=monitor).fit(X[:80], SCORE[:80], validation_data=(X[THEIRS], SCORE[THEIRS], WEIGHTS))
    assert_weighted(fitted, X[THEIRS], SCORE[THEIRS], WEIGHTS, NUMBERS[monitor])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("options", [{}, {"class_weight": {0: 9.0, 1: 0.1}}], ids=["sample_weight", "and class_weight"])
@pytest.mark.parametrize("monitor", ["accuracy", "neg_log_loss"])
def test_the_part_that_is_set_aside_is_scored_with_its_weights(monitor, options):
    seen = []

    def spy(estimator, rows, y, sample_weight=None):
        seen.append((rows, y, sample_weight))
        return METRICS[monitor](estimator, rows, y, sample_weight)

    weights = draw.uniform(0.01, 5.0, 120)
    options = OPTIONS | options | {"early_stopping": True, "validation_fraction": 0.3}
    named, called = (MLPClassifier(**options, monitor=one).fit(X, TWO, weights) for one in (monitor, spy))
    assert named.validation_scores_ == pytest.approx(called.validation_scores_, rel=1e-12)
    rows, y, given = seen[0]
    by_row = dict(zip(map(tuple, X), zip(weights, TWO, strict=True), strict=True))
    by_class = options.get("class_weight", {})
    assert given == pytest.approx([by_row[tuple(row)][0] * by_class.get(int(label), 1.0) for row, label in zip(rows, y, strict=True)])


def test_the_epoch_that_is_kept_is_the_best_by_the_weighted_score():
    """One example decides: whether it is right, and not the other 39 that weigh nothing."""
    weights = np.where(np.arange(40) == 3, 1.0, 1e-12)
    options = OPTIONS | {"max_iter": 60, "learning_rate_init": 0.05, "n_iter_no_change": 60, "restore_best": True, "monitor": "accuracy"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = MLPClassifier(**options).fit(X[:80], THREE[:80], validation_data=(X[THEIRS], THREE[THEIRS], weights))
    assert set(np.round(fitted.validation_scores_, 6)) <= {0.0, 1.0}
    assert fitted.predict(X[THEIRS])[3] == THREE[THEIRS][3] or max(fitted.validation_scores_) < 0.5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_r2_of_targets_that_vary_only_where_nothing_weighs():
    """scikit-learn's is 0 then for a prediction that is not perfect."""
    y, w = SCORE[THEIRS].copy(), np.where(np.arange(40) < 20, 1.0, 0.0)
    y[:20] = 2.0
    fitted = MLPRegressor(**OPTIONS).fit(X[:80], SCORE[:80], validation_data=(X[THEIRS], y, w))
    assert fitted.validation_scores_ == [metrics.r2_score(y, fitted.predict(X[THEIRS]), sample_weight=w)] * 4 == [0.0] * 4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("monitor", ["neg_max_error", lambda estimator, rows, y: 1.0])
def test_a_scorer_that_takes_no_weights_says_so(monitor):
    estimator = MLPRegressor(**OPTIONS, monitor=monitor)
    with pytest.warns(UserWarning, match=r"takes no sample_weight: the validation data are scored as if all weighed") as caught:
        estimator.fit(X[:80], SCORE[:80], validation_data=(X[THEIRS], SCORE[THEIRS], WEIGHTS))
    assert next(w for w in caught if "sample_weight" in str(w.message)).filename == __file__


# ------------------------------------------------------------------------------------------------- a class that is missing


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("names", [np.asarray([0, 1, 2]), np.asarray(["a", "b", "c"])])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_log_loss_of_validation_data_that_lack_a_class(missing, names):
    here = THREE[THEIRS] != missing
    rows, y = X[THEIRS][here], names[THREE[THEIRS][here]]
    fitted = MLPClassifier(**OPTIONS, monitor="neg_log_loss").fit(X[:80], names[THREE[:80]], validation_data=(rows, y))
    p = fitted.predict_proba(rows)[np.arange(len(y)), np.searchsorted(names, y)]
    assert fitted.validation_scores_[-1] == pytest.approx(np.log(p).mean(), rel=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_log_loss_of_validation_data_of_one_class_of_two():
    rows = X[THEIRS][TWO[THEIRS] == 1]
    fitted = MLPClassifier(**OPTIONS, monitor="neg_log_loss").fit(X[:80], TWO[:80], validation_data=(rows, np.ones(len(rows), int)))
    assert fitted.validation_scores_[-1] == pytest.approx(np.log(fitted.predict_proba(rows)[:, 1]).mean(), rel=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("monitor", ["neg_log_loss", "roc_auc_ovr", "roc_auc_ovo"])
def test_a_rare_class_is_in_the_part_that_is_set_aside(monitor):
    rare = np.where(np.arange(120) % 30 == 0, 2, TWO)  # four of it; a split by chance of a tenth has none in two of three draws
    for seed in range(5):
        fitted = MLPClassifier(**OPTIONS | {"random_state": seed}, monitor=monitor, early_stopping=True, validation_fraction=0.25).fit(
            X, rare
        )
        assert np.isfinite(fitted.validation_scores_).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_not_defined_is_refused_by_name():
    here = THREE[THEIRS] != 1
    estimator, lacking = MLPClassifier(**OPTIONS, monitor="roc_auc_ovr"), (X[THEIRS][here], THREE[THEIRS][here])
    with pytest.raises(DataError, match=r"^monitor 'roc_auc_ovr' is not defined on these validation data: they lack a class") as caught:
        estimator.fit(X[:80], THREE[:80], validation_data=lacking)
    assert isinstance(caught.value, MlpxpError)


def test_what_scikit_learn_monitors_too_is_split_as_it_does():
    """tests/estimators/test_equal_results.py holds the weights equal; here a class of one example, which can't be stratified."""
    y = np.where(np.arange(120) == 7, 2, TWO)
    for monitor in ("score", "loss"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            assert len(MLPClassifier(**OPTIONS, monitor=monitor, early_stopping=True).fit(X, y).classes_) == 3


# ------------------------------------------------------------------------------------------------------------ class_weight


@pytest.mark.parametrize("names", [np.asarray([0, 1, 2]), np.asarray(["a", "b", "c"])])
def test_a_weight_of_a_class_that_these_rows_lack(names):
    by_class = dict(zip(names.tolist(), (1.0, 3.0, 0.5), strict=True))
    here = THREE < 2
    rows, y = X[here], names[THREE[here]]
    with pytest.warns(UserWarning, match="none of the classes") as caught:
        fitted = MLPClassifier((4,), solver="lbfgs", class_weight=by_class, random_state=0).fit(rows, y)
    assert caught[0].filename == __file__
    wanted = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(rows, y, [by_class[label] for label in y.tolist()])
    np.testing.assert_allclose(fitted.predict_proba(X), wanted.predict_proba(X), rtol=1e-12)
    for theirs in (LogisticRegression, RandomForestClassifier):
        theirs(class_weight=by_class).fit(rows, y)


def test_a_weight_that_is_named_and_one_that_is_not():
    """scikit-learn's helper refuses a dict that both lacks a class and has one too many."""
    with pytest.warns(UserWarning, match=r"weights for \[7\]"):
        fitted = MLPClassifier((4,), solver="lbfgs", class_weight={7: 5.0, 1: 2.0}, random_state=0).fit(X, THREE)
    wanted = MLPClassifier((4,), solver="lbfgs", class_weight={1: 2.0}, random_state=0).fit(X, THREE)
    np.testing.assert_array_equal(fitted.coefs_[0], wanted.coefs_[0])


def test_a_time_series_has_a_score_in_every_fold():
    y = np.repeat([0, 1, 2], 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        scores = cross_val_score(
            MLPClassifier((4,), solver="lbfgs", class_weight={0: 1.0, 1: 2.0, 2: 3.0}, random_state=0),
            X[20:],
            y[20:],
            cv=TimeSeriesSplit(4),
            error_score="raise",
        )
    assert np.isfinite(scores).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parts_that_lack_a_class_that_was_announced_say_nothing():
    parts = MLPClassifier((4,), class_weight={0: 1.0, 1: 2.0, 2: 3.0}, random_state=0)
    parts.partial_fit(X[THREE < 2], THREE[THREE < 2], classes=[0, 1, 2])
    wanted = MLPClassifier((4,), random_state=0)
    wanted.partial_fit(X[THREE < 2], THREE[THREE < 2], np.asarray([1.0, 2.0])[THREE[THREE < 2]], classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.coefs_[0], wanted.coefs_[0])
