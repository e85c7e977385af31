"""The estimators among scikit-learn's tools: pipelines, searches, ensembles, calibration, data frames, persistence, metadata routing."""

import io
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.ensemble import StackingClassifier, VotingClassifier, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpxp import DataError, MLPClassifier, MLPRegressor, MlpxpError

IRIS = load_iris(return_X_y=True)
NAMES = np.asarray(load_iris().target_names)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "max_iter": 40, "random_state": 0, **options})


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "max_iter": 40, "random_state": 0, **options})


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X[:200] / X.std(), (y[:200] - y.mean()) / y.std()


def test_pipeline_and_cross_val_score():
    scores = cross_val_score(make_pipeline(StandardScaler(), classifier()), *IRIS, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.9


def test_grid_search_in_two_processes():
    pipeline = make_pipeline(StandardScaler(), classifier(max_iter=15))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e2], "mlpclassifier__solver": ["adam", "lbfgs"]}, cv=2, n_jobs=2)
    search.fit(*IRIS)
    assert search.best_params_["mlpclassifier__alpha"] == 1e-4
    assert search.best_score_ > 0.9
    alone = clone(pipeline).set_params(**search.best_params_).fit(*IRIS)
    np.testing.assert_array_equal(search.best_estimator_.predict_proba(IRIS[0]), alone.predict_proba(IRIS[0]))


def test_calibration():
    X, y = IRIS
    calibrated = CalibratedClassifierCV(make_pipeline(StandardScaler(), classifier()), cv=3).fit(X, y)
    assert calibrated.score(X, y) > 0.9
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(voting):
    members = [("mlp", classifier()), ("linear", LogisticRegression())]
    assert VotingClassifier(members, voting=voting).fit(IRIS[0], NAMES[IRIS[1]]).score(IRIS[0], NAMES[IRIS[1]]) > 0.9


def test_stacking_and_the_regressors_tools(diabetes):
    assert StackingClassifier([("mlp", make_pipeline(StandardScaler(), classifier()))], cv=2).fit(*IRIS).score(*IRIS) > 0.8
    X, y = diabetes
    assert VotingRegressor([("mlp", regressor()), ("ridge", Ridge())]).fit(X, y).score(X, y) > 0.4
    transformed = TransformedTargetRegressor(regressor(), transformer=StandardScaler()).fit(X, 100.0 * y + 1000.0)
    assert transformed.score(X, 100.0 * y + 1000.0) > 0.4
    _, train_scores, _ = learning_curve(regressor(max_iter=5), X, y, cv=2, train_sizes=[0.5, 1.0])
    assert np.isfinite(train_scores).all()


def test_permutation_importance_finds_the_feature_that_matters():
    X = np.random.default_rng(0).normal(size=(150, 3))
    importance = permutation_importance(regressor().fit(X, X[:, 1]), X, X[:, 1], n_repeats=2, random_state=0).importances_mean
    assert importance.argmax() == 1
    assert importance[1] > 10 * max(importance[0], importance[2])


@pytest.mark.parametrize("estimator", [classifier(), regressor(), classifier(solver="lbfgs"), classifier(early_stopping=True)])
def test_clone_has_the_parameters_and_nothing_fitted(estimator):
    fitted = clone(estimator).fit(*IRIS)
    copy = clone(fitted)
    assert copy.get_params() == estimator.get_params()
    assert not [name for name in vars(copy) if name.endswith("_") or name not in copy.get_params()]
    np.testing.assert_array_equal(copy.fit(*IRIS).predict(IRIS[0]), fitted.predict(IRIS[0]))


def through_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("there_and_back", [through_pickle, through_joblib])
@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive"}])
def test_persistence(options, there_and_back):
    X, y = IRIS[0], NAMES[IRIS[1]]
    fitted = classifier(**options).fit(X, y)
    back = there_and_back(fitted)
    np.testing.assert_array_equal(back.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(back.predict(X), fitted.predict(X))
    assert back.stop_ is fitted.stop_
    assert getattr(back, "loss_curve_", None) == getattr(fitted, "loss_curve_", None)


def test_partial_fit_goes_on_after_a_pickle_as_without():
    X, y = IRIS
    stayed = classifier().partial_fit(X, y, classes=[0, 1, 2])
    back = through_pickle(stayed)
    for one in (stayed, back):
        one.partial_fit(X[::2], y[::2]).partial_fit(X[1::2], y[1::2])
    for one, other in zip(stayed.coefs_, back.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(back.loss_curve_) == 3


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_in_a_pipeline(library):
    frame = load_iris(as_frame=True).data
    X = frame if library == "pandas" else pl.from_pandas(frame)
    pipeline = make_pipeline(StandardScaler(), classifier()).set_output(transform=library).fit(X, IRIS[1])
    assert list(pipeline[-1].feature_names_in_) == list(frame.columns)
    assert pipeline.score(X, IRIS[1]) > 0.9
    assert isinstance(pipeline.predict(X), np.ndarray)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("estimator", [classifier(early_stopping=True), regressor(), classifier(solver="lbfgs")])
def test_data_frames(estimator, make):
    X, y = IRIS
    frame = make({f"x{i}": X[:, i] for i in range(4)})
    fitted = clone(estimator).fit(frame, y)
    assert fitted.feature_names_in_.tolist() == ["x0", "x1", "x2", "x3"]
    assert fitted.feature_names_in_.dtype == object
    np.testing.assert_array_equal(fitted.predict(frame), clone(estimator).fit(X, y).predict(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but MLP.* was fitted with feature names"):
        fitted.predict(X)
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        fitted.predict(make({f"z{i}": X[:, i] for i in range(4)}))
    with pytest.warns(UserWarning, match="X has feature names, but MLP.* was fitted without feature names"):
        clone(estimator).fit(X, y).predict(frame)


def test_targets_and_weights_as_series():
    X, y = IRIS
    w = np.linspace(0.5, 1.5, len(y))
    plain = classifier().fit(X, NAMES[y], w)
    for make in (pd.Series, pl.Series):
        series = classifier().fit(X, make(NAMES[y].tolist()), make(w))
        np.testing.assert_array_equal(series.coefs_[0], plain.coefs_[0])
        assert series.predict(X[:1]) == ["setosa"]
    categorical = classifier().fit(X, pd.Series(pd.Categorical(NAMES[y])), w)
    np.testing.assert_array_equal(categorical.predict(X), plain.predict(X))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [np.str_, object])
@pytest.mark.parametrize("classes", [2, 3])
def test_labels_that_are_text(classes, kind, early_stopping):
    X, y = StandardScaler().fit_transform(IRIS[0])[IRIS[1] < classes], IRIS[1][IRIS[1] < classes]
    labels = NAMES[y].astype(kind)
    fitted = classifier(early_stopping=early_stopping, n_iter_no_change=50).fit(X, labels)
    assert fitted.classes_.tolist() == NAMES[:classes].tolist()
    assert fitted.score(X, labels) > 0.8
    np.testing.assert_array_equal(
        fitted.predict(X), NAMES[classifier(early_stopping=early_stopping, n_iter_no_change=50).fit(X, y).predict(X)]
    )
    assert (max(fitted.validation_scores_) > 0.8) if early_stopping else fitted.validation_scores_ is None


def test_labels_of_other_kinds():
    X, y = IRIS
    two = y < 2
    for labels in (y[two] == 1, np.where(y[two] == 1, 7.0, -3.0), np.where(y[two] == 1, 2**40, -5)):
        fitted = classifier().fit(X[two], labels)
        assert fitted.predict(X[two]).dtype == labels.dtype
        assert fitted.score(X[two], labels) == 1.0


def test_partial_fit_with_labels_that_were_not_announced():
    X, y = IRIS[0], NAMES[IRIS[1]]
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit") as first:
        classifier().partial_fit(X, y)
    fitted = classifier().partial_fit(X[:100], y[:100], classes=["setosa", "versicolor"])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`") as later:
        fitted.partial_fit(X, y)
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit") as other:
        fitted.partial_fit(X, y, classes=NAMES)
    assert {type(each.value) for each in (first, later, other)} == {DataError}
    announced = classifier().partial_fit(X[:100], y[:100], classes=NAMES)
    assert announced.predict_proba(X).shape == (150, 3)


@pytest.mark.parametrize("estimator", [classifier(), regressor(), classifier(solver="lbfgs")])
def test_another_number_of_features(estimator):
    fitted = clone(estimator).fit(*IRIS)
    methods = [fitted.predict, lambda X: fitted.score(X, IRIS[1])]
    methods += [fitted.predict_proba, fitted.predict_log_proba] if hasattr(fitted, "predict_proba") else []
    methods += [lambda X: fitted.partial_fit(X, IRIS[1])] if hasattr(fitted, "partial_fit") else []
    for method in methods:
        with pytest.raises(ValueError, match=r"X has 3 features, but MLP.* is expecting 4 features as input") as caught:
            method(IRIS[0][:, :3])
        assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize("estimator", [classifier(), regressor()])
def test_before_fit(estimator):
    for name in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(estimator, name):
            with pytest.raises(NotFittedError, match="instance is not fitted yet") as caught:
                getattr(estimator, name)(IRIS[0])
            assert isinstance(caught.value, MlpxpError)
            assert isinstance(caught.value, ValueError)
            assert isinstance(caught.value, AttributeError)


BAD = [
    ({"hidden_layer_sizes": (0,)}, IRIS, "hidden_layer_sizes must be > 0"),
    ({"solver": "newton"}, IRIS, "The 'solver' parameter of MLP.* must be"),
    ({"alpha": -1}, IRIS, "The 'alpha' parameter"),
    ({"early_stopping": True}, (IRIS[0][:3], [0, 1, 0]), "validation set is too small|have only 1 member|should be greater or equal"),
    ({}, (np.full((4, 2), np.nan), [0, 1, 0, 1]), "Input X contains NaN"),
    ({}, (IRIS[0], IRIS[1][:-1]), "inconsistent numbers of samples"),
    ({}, (np.empty((0, 3)), []), "Found array with 0 sample"),
    ({}, (IRIS[0].astype(complex), IRIS[1]), "Complex data not supported"),
    ({}, (IRIS[0], None), "requires y to be passed"),
]


@pytest.mark.parametrize(("options", "data", "said"), BAD)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.filterwarnings("error")
def test_bad_input_is_said_in_scikit_learns_words_and_is_an_mlpxp_error(estimator, options, data, said):
    with pytest.raises(ValueError, match=said) as caught:
        estimator(**options).fit(*data)
    assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.zeros(150), "weight.*zero"),
        (np.full(150, np.nan), "sample_weight contains NaN"),
        (-np.ones(150), "Negative values in data passed to `?sample_weight"),
        (np.ones(149), "sample_weight.shape == "),
        (np.ones((150, 2)), "Sample weights must be 1D"),
    ],
)
def test_bad_weights(weights, said):
    for estimator in (classifier(), regressor(), classifier(solver="lbfgs")):
        with pytest.raises(DataError, match=said):
            estimator.fit(*IRIS, sample_weight=weights)


def test_partial_fit_is_not_there_with_lbfgs():
    for estimator in (classifier(solver="lbfgs"), regressor(solver="lbfgs")):
        assert not hasattr(estimator, "partial_fit")
        with pytest.raises(AttributeError, match="partial_fit"):
            estimator.partial_fit(*IRIS)


def test_metadata_routing_of_sample_weight():
    X, y = IRIS
    w = np.where(y == 2, 1e-9, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), classifier().set_fit_request(sample_weight=True))
        routed.fit(X, y, sample_weight=w)
        silent = make_pipeline(StandardScaler(), classifier())
        with pytest.raises(ValueError, match=r"sample_weight.* are passed but are not explicitly set"):
            silent.fit(X, y, sample_weight=w)
        search = GridSearchCV(
            classifier(max_iter=5).set_fit_request(sample_weight=True).set_score_request(sample_weight=True), {"alpha": [0.1]}, cv=2
        )
        search.fit(X, y, sample_weight=w)
        partial = classifier().set_partial_fit_request(sample_weight=True, classes=True)
        assert partial.get_metadata_routing().partial_fit.requests == {"sample_weight": True, "classes": True}
    direct = classifier().fit(StandardScaler().fit_transform(X), y, w)
    np.testing.assert_array_equal(routed[-1].coefs_[0], direct.coefs_[0])
    assert (routed.predict(X)[y == 2] != 2).any(), "examples that weigh nothing were learnt all the same"


def test_representations():
    estimator = MLPClassifier((8,), alpha=0.1)
    assert repr(estimator) == "MLPClassifier(alpha=0.1, hidden_layer_sizes=(8,))"
    page = estimator._repr_html_()
    assert "MLPClassifier" in page
    assert "hidden_layer_sizes" in page
    assert "Not fitted" in page
    assert "Fitted" in estimator.set_params(max_iter=3).fit(*IRIS)._repr_html_()
    assert "MLPRegressor" in make_pipeline(StandardScaler(), MLPRegressor())._repr_html_()


def test_nothing_is_written_on_the_data():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100] / 16.0, y[:100]
    for array in (X, y):
        array.flags.writeable = False
    for solver in ("sgd", "adam", "lbfgs"):
        for early_stopping in (False, True):
            classifier(solver=solver, early_stopping=early_stopping, max_iter=3).fit(X, y).predict(X)


def test_no_warning_where_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for solver in ("sgd", "adam", "lbfgs"):
            fitted = classifier(solver=solver, max_iter=3000, tol=1e-2).fit(*IRIS)
            fitted.predict(IRIS[0]), fitted.predict_log_proba(IRIS[0])
        classifier(early_stopping=True, max_iter=500).fit(pd.DataFrame(IRIS[0], columns=list("abcd")), NAMES[IRIS[1]])
