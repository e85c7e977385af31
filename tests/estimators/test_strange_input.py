"""Whatever is handed over is either learnt from or refused in one clear error, scikit-learn's and ours."""

import numpy as np
import pytest

from mlpxp import DataError, DtypeError, MLPClassifier, MLPRegressor, MlpxpError, RangeError
from mlpxp.estimators.errors import InvalidParameterError, NotFittedError, translated

sklearn = pytest.importorskip("sklearn")

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((30, 3))
LABELS = np.arange(30) % 2
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0, "batch_size": 10}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def both():
    return MLPClassifier(**SMALL), MLPRegressor(**SMALL)


ROWS = {
    "objects": np.full((30, 3), "a", dtype=object),
    "text": np.full((30, 3), "a"),
    "bytes": b"abc",
    "three axes": X[None],
    "one axis": X[:, 0],
    "no axis": 3.0,
    "nothing": None,
    "no examples": X[:0],
    "no features": X[:, :0],
    "complex": X + 1j,
    "NaN": X * np.nan,
    "infinity": np.full((30, 3), np.inf),
    "ragged": [[1, 2], [3]] * 15,
    "generator": (row for row in X),
    "huge numbers": np.asarray([[10**400, 1]] * 30, dtype=object),
}

TARGETS = {
    "nothing": None,
    "too few": LABELS[:5],
    "NaN": np.full(30, np.nan),
    "infinity": np.full(30, np.inf),
    "three axes": LABELS[:, None, None],
    "complex": LABELS + 1j,
    "missing": np.asarray(["a", None] * 15, dtype=object),
    "ragged": [[1, 2], [3]] * 15,
    "a number": 1,
    "no columns": np.zeros((30, 0)),
}


@pytest.mark.parametrize("name", ROWS)
def test_x_that_cannot_be_learnt_from_or_predicted_on(name):
    for estimator in both():
        with pytest.raises((ValueError, TypeError)) as caught:
            estimator.fit(ROWS[name], LABELS)
        assert isinstance(caught.value, MlpxpError)
        estimator.fit(X, LABELS)
        with pytest.raises((ValueError, TypeError)) as caught:
            estimator.predict(ROWS[name])
        assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize("name", TARGETS)
def test_y_that_cannot_be_learnt(name):
    for estimator in both():
        with pytest.raises((ValueError, TypeError)) as caught:
            estimator.fit(X, TARGETS[name])
        assert isinstance(caught.value, MlpxpError)


def test_labels_that_are_no_classes():
    for y in (X[:, 0], DRAW.random((30, 2)), DRAW.integers(0, 3, (30, 2)), np.asarray(["a", 1] * 15, dtype=object)):
        with pytest.raises((ValueError, TypeError)) as caught:
            MLPClassifier(**SMALL).fit(X, y)
        assert isinstance(caught.value, MlpxpError)


@pytest.mark.parametrize(
    ("labels", "kinds"),
    [
        ([1, "a", None], "NoneType, int, str"),
        (["a", None, "b"], "NoneType, str"),
        ([1, "a", "b"], "int, str"),
        ([None] * 3, "NoneType"),
        ([{}] * 3, "dict"),
    ],
)
def test_labels_that_cannot_be_compared(labels, kinds):
    y = np.asarray(labels * 10, dtype=object)
    words = rf"^Unknown label type: {{}} must hold text, or be an array of numbers, got objects \({kinds}\)"
    for act, name in (
        (lambda: MLPClassifier(**SMALL).fit(X, y), "y"),
        (lambda: MLPClassifier(**SMALL).fit(X, LABELS, validation_data=(X, y)), "y"),
        (lambda: MLPClassifier(**SMALL).partial_fit(X, y, classes=[0, 1]), "y"),
        (lambda: MLPClassifier(**SMALL).partial_fit(X, LABELS, classes=y), "classes"),
    ):
        with pytest.raises(DataError, match=words.format(name)):
            act()


@pytest.mark.parametrize(
    ("labels", "kind"),
    [(X[:, 0], "continuous"), (X, "continuous-multioutput"), (np.stack([LABELS, 2 * LABELS], axis=1), "multiclass-multioutput")],
)
def test_numbers_that_are_no_classes(labels, kind):
    with pytest.raises(DataError, match=rf"^Unknown label type: {kind}\. y must hold one label an example.* MLPRegressor learns"):
        MLPClassifier(**SMALL).fit(X, labels)


def test_numbers_with_gaps():
    for gap in (np.nan, None):
        with pytest.raises(DataError, match=r"Input (y )?contains NaN"):
            MLPRegressor(**SMALL).fit(X, np.asarray([1.0, gap] * 15, dtype=object))


def test_numbers_that_are_text():
    with pytest.raises(DataError, match="could not convert string to float"):
        MLPRegressor(**SMALL).fit(X, ["a", "b"] * 15)


@pytest.mark.parametrize(
    "rows",
    [
        X.astype(object),
        X.tolist(),
        X > 0.0,
        X.astype("float16"),
        (100 * X).astype("int8"),
        np.asfortranarray(X),
        X[:, ::-1],
        np.asarray([[2**70, 1, 0]] * 30, dtype=object),
        np.full((30, 3), 2**63 - 1),
    ],
)
def test_numbers_in_any_form(rows):
    for estimator in both():
        assert estimator.fit(rows, LABELS).predict(rows).shape == (30,)


def test_one_class_one_example_and_one_feature():
    for estimator in both():
        estimator.set_params(batch_size="auto")
        assert np.isfinite(estimator.fit(X, np.zeros(30)).predict(X)).all()
        assert estimator.fit(X[:1], LABELS[:1]).predict(X[:1]).shape == (1,)
        assert estimator.fit(X[:, :1], LABELS).predict(X[:, :1]).shape == (30,)
    assert set(MLPClassifier(**SMALL).fit(X, ["only"] * 30).predict(X)) == {"only"}


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc"))
    for estimator in both():
        fitted = estimator.fit(frame, pandas.Series(LABELS))
        assert fitted.feature_names_in_.tolist() == ["a", "b", "c"]
        with pytest.raises(ValueError, match="feature names should match") as caught:
            fitted.predict(frame[["b", "a", "c"]])
        assert isinstance(caught.value, MlpxpError)
        for bad in (frame.where(frame > 0.0), frame.assign(a="x"), frame.assign(a=pandas.array([1, None] * 15, dtype="Int64"))):
            with pytest.raises(ValueError, match=r"NaN|convert") as caught:
                estimator.fit(bad, LABELS)
            assert isinstance(caught.value, MlpxpError)
    names = pandas.Series(["a", "b"] * 15, dtype="category")
    assert set(MLPClassifier(**SMALL).fit(frame, names).predict(frame)) <= {"a", "b"}


@pytest.mark.parametrize("given", [False, True], ids=["a part", "validation_data"])
def test_a_scorer_watches_a_data_frame_in_silence(given):
    """It is handed an array, whose names fit has read."""
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list("abc"))
    fitted = MLPClassifier(**SMALL, monitor="roc_auc", early_stopping=not given)
    fitted.fit(frame, LABELS, validation_data=(frame, LABELS) if given else None)
    assert len(fitted.validation_scores_) == 2
    assert list(fitted.feature_names_in_) == list("abc")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score"])
def test_before_the_fit(method):
    for estimator in both():
        if hasattr(estimator, method):
            with pytest.raises(
                NotFittedError, match=r"instance is not fitted yet, and has no weights for predict.*: call fit\(X, y\) first"
            ) as caught:
                getattr(estimator, method)(*(X, LABELS)[: 2 if method == "score" else 1])
            assert isinstance(caught.value, sklearn.exceptions.NotFittedError)
            assert isinstance(caught.value, MlpxpError | ValueError | AttributeError)


def test_parameters_out_of_range_are_both_theirs_and_ours():
    from sklearn.utils._param_validation import InvalidParameterError as Theirs

    for estimator in both():
        with pytest.raises(Theirs, match="The 'alpha' parameter of MLP") as caught:
            estimator.set_params(alpha=-1.0).fit(X, LABELS)
        assert isinstance(caught.value, InvalidParameterError)
        assert isinstance(caught.value, RangeError)


def test_parts_of_other_classes_and_widths():
    fitted = MLPClassifier(**SMALL)
    for arguments, words in (
        ((X, LABELS), "classes must be passed on the first call to partial_fit"),
        ((X, LABELS, None, [0, 2]), "`y` has classes not in `self.classes_`"),
    ):
        with pytest.raises(DataError, match=words):
            MLPClassifier(**SMALL).partial_fit(*arguments)
    fitted.partial_fit(X, LABELS, classes=[0, 1])
    for arguments, words in (
        ((X, LABELS + 1), "`y` has classes not in `self.classes_`"),
        ((X, LABELS, None, [0, 1, 2]), "is not the same as on last call to partial_fit"),
        ((X[:, :2], LABELS), "X has 2 features, but MLPClassifier is expecting 3"),
    ):
        with pytest.raises(DataError, match=words):
            fitted.partial_fit(*arguments)
    assert fitted.partial_fit(X, LABELS).loss_curve_[1:] != []


@pytest.mark.parametrize(("theirs", "ours"), [(ValueError, DataError), (TypeError, DtypeError), (MlpxpError, MlpxpError)])
def test_translation_keeps_the_words_and_the_cause(theirs, ours):
    with pytest.raises(ours, match=r"^so it is$") as caught, translated():
        raise theirs("so it is")
    assert isinstance(caught.value, theirs)


def test_translation_does_not_repeat_all_the_data():
    for estimator in both():
        with pytest.raises(DataError, match=r"^Complex data not supported") as caught:
            estimator.fit(X + 1j, LABELS)
        assert "..." in str(caught.value)


def test_other_errors_are_left_alone():
    with pytest.raises(KeyError), translated():
        raise KeyError("a")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_infinity_are_found_in_the_last_part_of_many_rows(method, dtype):
    """4,096 rows are looked at at a time; a finite number whose square is none is a number."""
    model = MLPClassifier(**SMALL).fit(X.astype(dtype), LABELS)
    many = np.zeros((9000, 3), dtype)
    wanted = getattr(model, method)(many)
    for bad in (np.nan, np.inf, -np.inf):
        many[8999, 1] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            getattr(model, method)(many)
    many[8999, 1] = {"float32": 1e30, "float64": 1e200}[dtype]
    np.testing.assert_array_equal(getattr(model, method)(many)[:8999], wanted[:8999])
