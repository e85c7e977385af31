"""Validation data in the names that pipelines know, and the warning where they are not what is learnt from."""

import doctest
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlpxp
from mlpxp import MLPClassifier, MLPRegressor, MlpxpError, MlpxpWarning, RangeError, ScaleWarning, ValidationWarning

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(300, 3)) * [1.0, 10.0, 1000.0] + [0.0, 5.0, 3000.0]
NUMBERS = (X[:, 2] - 3000.0) / 1000.0 + X[:, 0]
CLASSES = (NUMBERS > 0.0).astype(int)
TRAIN, HELD_OUT = slice(0, 200), slice(200, 300)
SCALED = StandardScaler().fit(X[TRAIN]).transform(X)
WEIGHTS = np.linspace(0.1, 2.0, 100)
BOTH = [(MLPClassifier, CLASSES), (MLPRegressor, NUMBERS)]
OPTIONS = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "max_iter": 20, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def warned(act):
    """The validation warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [one for one in caught if issubclass(one.category, ValidationWarning)]


@pytest.mark.parametrize(("Estimator", "y"), BOTH)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_two_forms_are_the_same(Estimator, y, weights):
    data = (SCALED[HELD_OUT], y[HELD_OUT]) + (() if weights is None else (weights,))
    old = Estimator(**OPTIONS).fit(SCALED[TRAIN], y[TRAIN], validation_data=data)
    new = Estimator(**OPTIONS).fit(SCALED[TRAIN], y[TRAIN], X_val=data[0], y_val=data[1], sample_weight_val=weights)
    assert new.validation_loss_curve_ == old.validation_loss_curve_
    assert new.validation_scores_ == old.validation_scores_
    assert len(new.validation_scores_) == 20
    assert new.validation_scores_[-1] == pytest.approx(new.score(*data), rel=1e-12)
    if Estimator is MLPClassifier:
        P = new.predict_proba(data[0])
        assert new.validation_loss_curve_[-1] == pytest.approx(log_loss(data[1], P, sample_weight=weights), rel=1e-12)


@pytest.mark.parametrize(("Estimator", "y"), BOTH)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["X_val"], "X_val and y_val must be given together, got X_val alone"),
        (["y_val"], "must be given together, got y_val alone"),
        (["sample_weight_val"], "must be given together, got sample_weight_val alone"),
        (["X_val", "sample_weight_val"], "must be given together, got X_val and sample_weight_val alone"),
        (["y_val", "sample_weight_val"], "must be given together, got y_val and sample_weight_val alone"),
        (["X_val", "y_val", "validation_data"], "must be given once, got validation_data and X_val, y_val"),
        (["sample_weight_val", "validation_data"], "must be given once, got validation_data and sample_weight_val"),
    ],
)
def test_a_part_or_twice_is_refused(Estimator, y, given, words):
    every = {
        "X_val": SCALED[HELD_OUT],
        "y_val": y[HELD_OUT],
        "sample_weight_val": WEIGHTS,
        "validation_data": (SCALED[HELD_OUT], y[HELD_OUT]),
    }
    with pytest.raises(RangeError, match=words) as caught:
        Estimator().fit(SCALED[TRAIN], y[TRAIN], **{name: every[name] for name in given})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "data", "words"),
    [
        ({}, {"X_val": SCALED[:, :2], "y_val": CLASSES}, "X has 2 features"),
        ({}, {"X_val": SCALED, "y_val": CLASSES[:3]}, "inconsistent numbers"),
        ({}, {"X_val": SCALED, "y_val": CLASSES + 1}, "classes that the training data lack"),
        ({}, {"X_val": SCALED, "y_val": CLASSES, "sample_weight_val": WEIGHTS}, "sample_weight"),
        ({"solver": "lbfgs"}, {"X_val": SCALED, "y_val": CLASSES}, r"X_val \(or validation_data\) needs one of the solvers"),
        ({"monitor": "loss"}, {}, "set early_stopping=True or pass X_val and y_val to fit"),
        ({"early_stopping": True, "validation_fraction": 0.0}, {}, "or pass X_val and y_val to fit"),
    ],
)
def test_bad_validation_data(options, data, words):
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        MLPClassifier(**options).fit(SCALED, CLASSES, **data)
    assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize(("Estimator", "y"), BOTH)
def test_a_pipeline_scales_them(Estimator, y):
    """The same as scaled by hand, and it asks for what metadata routing asks for."""
    by_hand = Estimator(early_stopping=True, **OPTIONS)
    by_hand.fit(SCALED[TRAIN], y[TRAIN], X_val=SCALED[HELD_OUT], y_val=y[HELD_OUT], sample_weight_val=WEIGHTS)
    with config_context(enable_metadata_routing=True):
        model = Estimator(early_stopping=True, **OPTIONS).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
        pipeline.fit(X[TRAIN], y[TRAIN], X_val=X[HELD_OUT], y_val=y[HELD_OUT], sample_weight_val=WEIGHTS)
        grid = GridSearchCV(make_pipeline(StandardScaler(), model, transform_input=["X_val"]), {}, cv=2)
        grid.fit(X[TRAIN], y[TRAIN], X_val=X[HELD_OUT], y_val=y[HELD_OUT], sample_weight_val=WEIGHTS)
    np.testing.assert_allclose(model.validation_scores_, by_hand.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(model.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(grid.best_estimator_[-1].validation_scores_, by_hand.validation_scores_, rtol=1e-12)
    assert model.best_validation_score_ == pytest.approx(pipeline.score(X[HELD_OUT], y[HELD_OUT], WEIGHTS), rel=1e-12)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_the_examples_of_the_docstring_run(Estimator):
    test = doctest.DocTestFinder(recurse=False).find(Estimator, globs={})[0]
    assert any("transform_input" in example.source for example in test.examples)
    assert doctest.DocTestRunner().run(test).failed == 0


# ---------------------------------------------------------------------------------------------------------- the warning


FAR_OFF = {  # what is learnt, and what is looked at
    "numbers": lambda: MLPRegressor(**OPTIONS).fit(SCALED[TRAIN], NUMBERS[TRAIN], X_val=X[HELD_OUT], y_val=NUMBERS[HELD_OUT]),
    "classes": lambda: MLPClassifier(**OPTIONS).fit(SCALED[TRAIN], CLASSES[TRAIN], X_val=X[HELD_OUT], y_val=CLASSES[HELD_OUT]),
    "as one value": lambda: MLPClassifier(**OPTIONS).fit(SCALED[TRAIN], CLASSES[TRAIN], validation_data=(X[HELD_OUT], CLASSES[HELD_OUT])),
    "a pipeline that was not told": lambda: make_pipeline(StandardScaler(), MLPRegressor(**OPTIONS)).fit(
        X[TRAIN], NUMBERS[TRAIN], mlpregressor__X_val=X[HELD_OUT], mlpregressor__y_val=NUMBERS[HELD_OUT]
    ),
    "targets of another scale": lambda: TransformedTargetRegressor(MLPRegressor(**OPTIONS), transformer=StandardScaler()).fit(
        SCALED[TRAIN], 1e4 * NUMBERS[TRAIN], X_val=SCALED[HELD_OUT], y_val=1e4 * NUMBERS[HELD_OUT]
    ),
    "three networks": lambda: MLPClassifier(n_networks=3, **OPTIONS).fit(
        SCALED[TRAIN], CLASSES[TRAIN], X_val=X[HELD_OUT], y_val=CLASSES[HELD_OUT]
    ),
    "infinite": lambda: MLPRegressor(loss="poisson", **OPTIONS).fit(
        SCALED[TRAIN], abs(NUMBERS[TRAIN]), X_val=X[HELD_OUT], y_val=abs(NUMBERS[HELD_OUT])
    ),
    "weighted": lambda: MLPRegressor(**OPTIONS).fit(
        SCALED[TRAIN], NUMBERS[TRAIN], X_val=X[HELD_OUT], y_val=NUMBERS[HELD_OUT], sample_weight_val=WEIGHTS
    ),
    "early stopping": lambda: MLPRegressor(early_stopping=True, **OPTIONS).fit(
        SCALED[TRAIN], NUMBERS[TRAIN], X_val=X[HELD_OUT], y_val=NUMBERS[HELD_OUT]
    ),
}


@pytest.mark.parametrize("name", FAR_OFF)
def test_validation_data_that_are_far_off_are_warned_of_once(name):
    found = warned(FAR_OFF[name])
    assert len(found) == 1
    assert found[0].filename == __file__  # the line that called fit


def test_the_warning_names_both_losses():
    curves = []
    caught = warned(lambda: curves.append(FAR_OFF["numbers"]()))
    trained, validated = curves[0].loss_curve_[0], curves[0].validation_loss_curve_[0]
    assert validated > 100 * trained
    assert f"the first validation loss, {validated:.3g}, is more than 100 times the training loss, {trained:.3g}: " in str(
        caught[0].message
    )


def learnt_by_heart(Estimator, y):
    """A network that has three examples without any loss, and is to look at others."""
    model = Estimator(hidden_layer_sizes=(20,), solver="lbfgs", alpha=0.0, warm_start=True, max_iter=2000, random_state=0)
    return model.fit(SCALED[:3], y[:3]).set_params(solver="adam", max_iter=2)


NEAR = {
    "scaled": lambda: MLPRegressor(**OPTIONS).fit(SCALED[TRAIN], NUMBERS[TRAIN], X_val=SCALED[HELD_OUT], y_val=NUMBERS[HELD_OUT]),
    "numbers learnt by heart": lambda: learnt_by_heart(MLPRegressor, NUMBERS).fit(
        SCALED[:3], NUMBERS[:3], X_val=SCALED[HELD_OUT], y_val=NUMBERS[HELD_OUT]
    ),
    "classes learnt by heart": lambda: learnt_by_heart(MLPClassifier, np.arange(300) % 2).fit(
        SCALED[:3], [0, 1, 0], X_val=SCALED[HELD_OUT], y_val=CLASSES[HELD_OUT]
    ),
    "one class": lambda: (
        MLPClassifier(**OPTIONS | {"warm_start": True, "max_iter": 500})
        .fit(SCALED, CLASSES * 0)
        .fit(SCALED, CLASSES * 0, X_val=1.5 * SCALED, y_val=CLASSES * 0)
    ),
    "tiny numbers": lambda: MLPRegressor(**OPTIONS).fit(
        SCALED[TRAIN], 1e-9 * NUMBERS[TRAIN], X_val=SCALED[HELD_OUT], y_val=1e-9 * NUMBERS[HELD_OUT]
    ),
    "no counts at all": lambda: MLPRegressor(loss="poisson", **OPTIONS).fit(
        SCALED, 0.0 * NUMBERS, X_val=SCALED[HELD_OUT], y_val=abs(NUMBERS[HELD_OUT])
    ),
    "a part of its own": lambda: MLPRegressor(early_stopping=True, **OPTIONS).fit(X, NUMBERS),
}


@pytest.mark.parametrize("name", NEAR)
def test_a_training_loss_near_0_is_no_reason_to_warn(name):
    assert not warned(NEAR[name])


def test_the_near_ones_are_near():
    """A warning by the training loss alone would be wrong about them."""
    for name in ("numbers learnt by heart", "classes learnt by heart"):
        fitted = NEAR[name]()
        assert fitted.validation_loss_curve_[-fitted.n_iter_] > 100 * fitted.loss_curve_[-fitted.n_iter_]


def test_warnings_have_a_root():
    for one in (ScaleWarning, ValidationWarning, mlpxp.CheckpointWarning):
        assert issubclass(one, MlpxpWarning)
    assert issubclass(MlpxpWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MlpxpWarning)
        with pytest.raises(ValidationWarning, match="the first validation loss"):
            FAR_OFF["numbers"]()
