"""scikit-learn's fitted estimators as ours and the other way: equal predictions, and both learn on as one."""

import numpy as np
import pytest
from estimator_pairs import assert_equal, binary, both, counts, diabetes, digits, largest_difference, multilabel

from mlpxp import (
    Activation,
    DataError,
    DtypeError,
    Loss,
    MLPClassifier,
    MLPRegressor,
    UnknownNameError,
    from_sklearn,
    to_backend,
    to_sklearn,
)
from mlpxp.estimators.errors import NotFittedError

theirs = pytest.importorskip("sklearn.neural_network")
GridSearchCV = pytest.importorskip("sklearn.model_selection").GridSearchCV
LogisticRegression = pytest.importorskip("sklearn.linear_model").LogisticRegression
StandardScaler = pytest.importorskip("sklearn.preprocessing").StandardScaler
make_pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 5, "random_state": 0}
DATA = {
    "digits": ("MLPClassifier", digits),
    "binary": ("MLPClassifier", binary),
    "multilabel": ("MLPClassifier", multilabel),
    "diabetes": ("MLPRegressor", diabetes),
    "several numbers": ("MLPRegressor", lambda: (diabetes()[0], diabetes()[0][:, :3])),
    "counts": ("MLPRegressor", counts),
}
SOLVERS = [
    {"solver": "adam"},
    {"solver": "adam", "activation": "tanh"},
    {"solver": "sgd", "activation": "logistic"},
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.0},
    {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 10.0, "nesterovs_momentum": False},
    {"solver": "lbfgs", "activation": "identity"},
]


def pair(name, **options):
    kind, data = DATA[name]
    return (*both(kind, **SMALL | ({"loss": "poisson"} if name == "counts" else {}) | options), *data())


def answers(estimator, X):
    if not hasattr(estimator, "predict_proba"):
        return [estimator.predict(X)]
    return [estimator.predict_proba(X), estimator.predict_log_proba(X), estimator.predict(X)]


def assert_same_answers(one, other, X, atol=1e-12):
    for a, b in zip(answers(one, X), answers(other, X), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=atol, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DATA)
def test_predictions_are_equal_in_both_directions(name, dtype):
    wanted, ours, X, y = pair(name)
    X = X.astype(dtype)
    atol = 1e-12 if dtype == "float64" else 1e-6
    wanted.fit(X, y)
    got = from_sklearn(wanted)
    assert type(got) is type(ours)
    assert {array.dtype.name for array in got.coefs_} == {dtype}
    assert_same_answers(wanted, got, X, atol)
    ours.fit(X, y)
    assert_same_answers(to_sklearn(ours), ours, X, atol)
    assert wanted.score(X, y) == pytest.approx(got.score(X, y), abs=1e-6)


@pytest.mark.parametrize(
    "labels",
    [
        np.asarray(["no", "yes"]),
        np.asarray([-1, 4]),
        np.asarray([False, True]),
        np.asarray([0.0, 2.0]),
        np.asarray(["é", "☃"], dtype=object),
    ],
)
def test_labels_of_any_kind(labels):
    wanted, ours, X, y = pair("binary")
    y = labels[y]
    for one, other in ((wanted.fit(X, y), from_sklearn(wanted)), (ours.fit(X, y), to_sklearn(ours))):
        assert (one.classes_.dtype, one.classes_.tolist()) == (other.classes_.dtype, other.classes_.tolist())
        assert (one.predict(X) == other.predict(X)).all()


@pytest.mark.parametrize("options", SOLVERS, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("name", DATA)
def test_a_warm_start_goes_on_as_theirs_does(name, options):
    wanted, ours, X, y = pair(name, warm_start=True, **options)
    wanted.fit(X, y)
    ours.fit(X, y)
    got, back = from_sklearn(wanted), to_sklearn(ours)
    several = name == "several numbers"  # their loss is the mean of the numbers', ours the sum
    if several and (options["solver"] == "lbfgs" or options.get("learning_rate") == "adaptive"):
        pytest.skip("what follows from another loss is another fit")
    if not several:
        assert_equal(wanted, got, X, atol=1e-10)
        assert_equal(back, ours, X, atol=1e-10)
    for one, other in ((wanted, got), (back, ours)):
        before = one.coefs_[0].copy()
        assert_equal(one.fit(X, y), other.fit(X, y), X, atol=1e-6, curves=not several)
        assert not np.array_equal(one.coefs_[0], before)


@pytest.mark.parametrize("options", SOLVERS[:-1], ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("name", DATA)
def test_partial_fit_goes_on_with_the_optimizer_s_state(name, options):
    """Adam's t and moments, the velocity, the rate that has fallen: without any of them the weights would be others."""
    wanted, ours, X, y = pair(name, **options)
    if name == "several numbers" and options.get("learning_rate") == "adaptive":
        pytest.skip("their loss is the mean of the numbers', ours the sum: what was reached can't be compared")
    known = {"classes": np.arange(4) if name == "multilabel" else np.unique(y)} if DATA[name][0] == "MLPClassifier" else {}
    for estimator in (wanted, ours):
        estimator.partial_fit(X, y, **(known if name != "multilabel" or estimator is wanted else {}))
        for _ in range(3):
            estimator.partial_fit(X, y)
    got, back = from_sklearn(wanted), to_sklearn(ours)
    for _ in range(3):
        for estimator in (wanted, ours, got, back):
            estimator.partial_fit(X, y)
        assert largest_difference(wanted, got) < 1e-9
        assert largest_difference(back, ours) < 1e-9
    assert (got.t_, got.n_iter_, len(got.loss_curve_)) == (wanted.t_, wanted.n_iter_, len(wanted.loss_curve_))
    assert (back.t_, back.n_iter_, len(back.loss_curve_)) == (ours.t_, ours.n_iter_, len(ours.loss_curve_))
    assert np.isnan(got.learning_rate_curve_[:4]).all()
    assert not np.isnan(got.learning_rate_curve_[4:]).any()


def test_there_and_back_is_the_same_to_the_bit():
    _, ours, X, y = pair("digits")
    again = from_sklearn(to_sklearn(ours.fit(X, y)))
    assert all(map(np.array_equal, again.coefs_ + again.intercepts_, ours.coefs_ + ours.intercepts_))
    assert again.get_params() == ours.get_params()
    assert again.loss_curve_ == ours.loss_curve_


def test_training_one_leaves_the_other_as_it_was():
    """Theirs updates its weights in place."""
    wanted, ours, X, y = pair("diabetes")
    for source, copied in ((wanted.fit(X, y), from_sklearn(wanted)), (ours.fit(X, y), to_sklearn(ours))):
        for one, other in ((source, copied), (copied, source)):
            before = [array.copy() for array in other.coefs_ + other.intercepts_]
            one.partial_fit(X, y)
            assert all(map(np.array_equal, other.coefs_ + other.intercepts_, before))
            assert not np.array_equal(one.coefs_[0], before[0])


def test_names_of_features_go_along():
    pandas = pytest.importorskip("pandas")
    wanted, ours, X, y = pair("diabetes")
    frame = pandas.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    for one, other in ((wanted.fit(frame, y), from_sklearn(wanted)), (ours.fit(frame, y), to_sklearn(ours))):
        assert other.feature_names_in_.tolist() == one.feature_names_in_.tolist()
        np.testing.assert_allclose(other.predict(frame), one.predict(frame), rtol=1e-12)
        with pytest.raises(ValueError, match="feature names"):
            other.predict(frame.rename(columns={"x0": "z"}))


def test_several_labels_in_a_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    wanted, ours, X, y = pair("multilabel")
    y = sparse.csr_matrix(y)
    for one, other in ((wanted.fit(X, y), from_sklearn(wanted)), (ours.fit(X, y), to_sklearn(ours))):
        assert sparse.issparse(other.predict(X))
        assert (one.predict(X) != other.predict(X)).nnz == 0


def test_an_estimator_of_another_library_is_theirs_on_numpy():
    torch = pytest.importorskip("torch")
    _, ours, X, y = pair("digits")
    moved = to_backend(ours.fit(X, y), "torch")
    moved.partial_fit(torch.asarray(X), y)
    ours.partial_fit(X, y)
    assert_same_answers(to_sklearn(moved), ours, X, 1e-10)


def test_an_output_that_somebody_has_set():
    wanted, _, X, y = pair("diabetes")
    wanted.fit(X, y)
    wanted.out_activation_ = "tanh"
    got = from_sklearn(wanted)
    np.testing.assert_allclose(got.predict(X), wanted.predict(X), rtol=1e-12, atol=1e-12)
    assert np.abs(got.predict(X)).max() <= 1.0
    got.partial_fit(X, y / 10.0)


# -------------------------------------------------------------------------------------------------------- refusals


class Derived(theirs.MLPClassifier):
    pass


FITTED = theirs.MLPClassifier(max_iter=2)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: make_pipeline(StandardScaler(), FITTED), UnknownNameError, r"Pipeline: take its last step, pipeline\[-1\]"),
        (lambda: GridSearchCV(FITTED, {"alpha": [1.0]}).fit(*digits()), UnknownNameError, "take its best_estimator_"),
        (LogisticRegression, UnknownNameError, "wanted scikit-learn's MLPClassifier or MLPRegressor itself, got sklearn's Log"),
        (Derived, UnknownNameError, "Derived"),
        (MLPClassifier, UnknownNameError, "got mlpxp's MLPClassifier"),
        (lambda: 3, UnknownNameError, "got builtins's int"),
        (lambda: FITTED, NotFittedError, r"no weights for from_sklearn: call fit\(X, y\) first"),
        (lambda: broken("coefs_", lambda coefs: [coefs[0] * np.nan, coefs[1]]), DataError, "must be finite"),
        (
            lambda: broken("coefs_", lambda coefs: [each.astype("float16") for each in coefs]),
            DtypeError,
            "all float64, got float16, float64",
        ),
        (lambda: broken("coefs_", lambda coefs: [coefs[0].astype("float32"), coefs[1]]), DtypeError, "got float32, float64"),
        (
            lambda: broken("classes_", lambda classes: classes[:5]),
            DataError,
            "10 outputs of a multiclass classifier",
        ),
        (lambda: broken("classes_", lambda classes: classes[::-1]), DataError, "classes must be sorted"),
        (lambda: broken("out_activation_", lambda _: "swish"), DataError, "swish"),
        (lambda: broken("coefs_", lambda coefs: [coefs[0], coefs[1][:3]]), DataError, "shape"),
        (lambda: broken("intercepts_", lambda intercepts: intercepts[:1]), DataError, "shape"),
    ],
)
def test_what_can_t_be_taken_over(make, error, says):
    with pytest.raises(error, match=says) as caught:
        from_sklearn(make())
    assert "\n" not in str(caught.value)


def broken(name, change):
    """A fitted classifier with one attribute changed."""
    fitted = theirs.MLPClassifier(max_iter=2).fit(*digits())
    setattr(fitted, name, change(getattr(fitted, name)))
    return fitted


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_networks": 2}, r"one network, got n_networks=2: take one of estimators_"),
        ({"activation": "gelu"}, "one activation for all hidden layers, .* got gelu"),
        ({"activation": ["relu", "tanh"]}, "got relu, tanh"),
        ({"activation": Activation("relu", lambda Z: Z, lambda Z, A: 1.0 + 0.0 * A)}, "one activation for all hidden layers"),
        ({"solver": "adamw"}, "solver"),
        ({"learning_rate": "cosine"}, "learning_rate"),
        ({"learning_rate": [0.1] * 5}, "learning_rate"),
        ({"output_activation": "tanh"}, "no output_activation, got 'tanh': set_params"),
        ({"dropout": 0.1}, r"no dropout, got 0.1: set_params\(dropout=0.0\) first"),
        ({"dropout": np.asarray([0.1, 0.2])}, "no dropout"),
        ({"clip_norm": 1.0}, "no clip_norm"),
        ({"restore_best": True}, "no restore_best"),
        ({"loss": Loss("absolute", lambda A, Y: abs(A - Y).sum(axis=-2), lambda A, Y: np.sign(A - Y))}, "loss"),
        ({"callbacks": [print]}, "no callbacks"),
    ],
)  # fmt: skip
def test_what_theirs_can_t_hold_is_named(options, says):
    X, y = diabetes()
    fitted = MLPRegressor(**SMALL | {"callbacks": ()} | options)
    fitted.fit(X, y)
    with pytest.raises(UnknownNameError, match=says) as caught:
        to_sklearn(fitted)
    assert "\n" not in str(caught.value)


def test_what_was_fitted_counts_and_not_what_is_set_now():
    X, y = diabetes()
    fitted = MLPRegressor(**SMALL, output_activation="tanh").fit(X, y / 1e3).set_params(output_activation=None)
    with pytest.raises(UnknownNameError, match="no output 'tanh' with the loss 'mse'"):
        to_sklearn(fitted)
    fitted = MLPRegressor(**SMALL, activation=["tanh", "tanh"], dropout=0.2).fit(X, y).set_params(dropout=0.0)
    assert to_sklearn(fitted).activation == "tanh"


def test_what_can_t_be_handed_over():
    with pytest.raises(NotFittedError, match=r"no weights for to_sklearn"):
        to_sklearn(MLPRegressor())
    with pytest.raises(UnknownNameError, match="wanted mlpxp's MLPClassifier or MLPRegressor itself, got sklearn's"):
        to_sklearn(theirs.MLPRegressor())


def test_the_curves_go_on_together():
    fitted, _, X, y = pair("digits", early_stopping=True)
    ours = from_sklearn(fitted.fit(X, y)).set_params(early_stopping=False).partial_fit(X, y)
    assert {len(curve) for curve in ours._fitted.curves.values()} == {len(ours.loss_curve_)} == {6}
