"""Where an estimator computes and where its answers live: any library in, the same library out."""

import copy
import pickle
import re

import numpy as np
import pytest

from mlpxp import (
    BackendError,
    DataError,
    DtypeError,
    Loss,
    MLPClassifier,
    MLPRegressor,
    MlpxpError,
    RangeError,
    UnknownNameError,
    get_backend,
    to_backend,
)
from mlpxp.arrays.standard import device_of, library_of
from mlpxp.estimators._inputs import to_host as on_host
from mlpxp.estimators.errors import NotFittedError

sklearn = pytest.importorskip("sklearn")

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((32, 3))
CLASSES = np.arange(32) % 3
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "batch_size": 16}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


def same_place(array, like):
    return library_of(array) == library_of(like) and device_of(array) == device_of(like)


@pytest.fixture
def put(backend):
    """A function that puts an array of NumPy's where the tests of this backend have their arrays, NumPy's integers too."""
    if backend.name == "strict":
        return lambda values: backend.namespace.asarray(values, device=device_of(backend.asarray([0.0])))
    return backend.asarray


# ------------------------------------------------------------------------------------- NumPy in, another library inside, NumPy out


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_numpy_data_train_on_a_backend_and_come_back(backend, solver):
    options = {"solver": solver, "backend": backend}
    for make, y in ((classifier, CLASSES), (regressor, NUMBERS)):
        there, here = (make(**each).fit(X, y) for each in (options, {"solver": solver}))
        answers = there.predict(X)
        assert type(answers) is np.ndarray
        assert {type(array) for array in (*there.coefs_, *there.intercepts_)} == {np.ndarray}
        for got, wanted in zip(there.coefs_, here.coefs_, strict=True):
            assert got == pytest.approx(wanted, rel=1e-8, abs=1e-10)
        if make is classifier:
            assert there.predict_proba(X) == pytest.approx(here.predict_proba(X), rel=1e-8)
            assert (answers == here.predict(X)).all()
        else:
            assert answers == pytest.approx(here.predict(X), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_follows_x_unless_it_is_asked_for(backend, dtype):
    given, asked = X.astype(dtype), {"float32": "float64", "float64": "float32"}[dtype]
    for estimator, wanted in ((regressor(backend=backend), dtype), (regressor(backend=backend, dtype=asked), asked)):
        estimator.fit(given, NUMBERS)
        assert estimator.coefs_[0].dtype == wanted
        assert estimator.predict(given).dtype == wanted


# ----------------------------------------------------------------------------------- a library's arrays in, the same kind out


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_arrays_of_a_library_come_out_as_they_went_in(backend, put, to_host, solver):
    data = put(X)
    fitted, here = (classifier(solver=solver).fit(each, labels) for each, labels in ((data, put(CLASSES)), (X, CLASSES)))
    results = fitted.predict(data), fitted.predict_proba(data), fitted.predict_log_proba(data)
    for array in (*results, fitted.classes_, *fitted.coefs_, *fitted.intercepts_):
        assert same_place(array, data)
    assert to_host(results[1]) == pytest.approx(here.predict_proba(X), rel=1e-8)
    assert (to_host(results[0]) == here.predict(X)).all()
    assert fitted.score(data, put(CLASSES)) == here.score(X, CLASSES)
    numbers = regressor(solver=solver).fit(data, put(NUMBERS))
    assert same_place(numbers.predict(data), data)
    assert numbers.score(data, put(NUMBERS)) == pytest.approx(regressor(solver=solver).fit(X, NUMBERS).score(X, NUMBERS), rel=1e-8)


def test_partial_fit_stays_where_it_began(backend, put, to_host):
    fitted, here = (classifier().partial_fit(each, CLASSES, classes=[0, 1, 2]).partial_fit(each, CLASSES) for each in (put(X), X))
    assert same_place(fitted.coefs_[0], put(X))
    assert to_host(fitted.predict_proba(put(X))) == pytest.approx(here.predict_proba(X), rel=1e-8)


def test_several_labels_and_several_numbers(backend, put):
    labels = (X > 0.0).astype("int64")
    fitted = classifier().fit(put(X), put(labels))
    assert same_place(fitted.predict(put(X)), put(X))
    assert tuple(fitted.predict_proba(put(X)).shape) == (32, 3)
    assert tuple(regressor().fit(put(X), put(X)).predict(put(X)).shape) == (32, 3)


def test_labels_that_are_text_stay_numpys(backend, put):
    names = np.asarray(["a", "b", "c"])[CLASSES]
    fitted = classifier().fit(put(X), names)
    assert type(fitted.classes_) is np.ndarray
    assert set(fitted.predict(put(X))) <= {"a", "b", "c"}
    assert 0.0 <= fitted.score(put(X), names) <= 1.0


def test_y_and_weights_may_be_any_librarys(backend, put):
    weights = np.linspace(0.1, 2.0, 32)
    given = regressor().fit(X, put(NUMBERS), sample_weight=put(weights))
    assert type(given.predict(X)) is np.ndarray
    assert given.coefs_[0].tolist() == regressor().fit(X, NUMBERS, sample_weight=weights).coefs_[0].tolist()
    there = regressor().fit(put(X), NUMBERS, sample_weight=weights.tolist())
    assert same_place(there.predict(put(X)), put(X))


def test_validation_data_and_early_stopping(backend, put):
    fitted = classifier(early_stopping=True).fit(put(X), put(CLASSES))
    assert len(fitted.validation_scores_) == fitted.n_iter_
    validated = classifier().fit(put(X), put(CLASSES), validation_data=(put(X), put(CLASSES), put(np.ones(32))))
    wanted = classifier().fit(X, CLASSES, validation_data=(X, CLASSES, np.ones(32)))
    assert validated.validation_loss_curve_ == pytest.approx(wanted.validation_loss_curve_, rel=1e-8)


def test_an_ensemble(backend, put, to_host):
    fitted, here = (regressor(n_networks=3).fit(each, NUMBERS) for each in (put(X), X))
    mean, spread = fitted.predict(put(X), return_std=True)
    assert same_place(spread, put(X))
    for got, wanted in zip((mean, spread), here.predict(X, return_std=True), strict=True):
        assert to_host(got) == pytest.approx(wanted, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score", "partial_fit"])
def test_another_library_than_the_one_that_was_fitted(backend, put, method):
    if backend.name == "numpy":
        pytest.skip("it is the other library")
    for fitted, other in ((classifier().fit(X, CLASSES), put(X)), (classifier().fit(put(X), CLASSES), X)):
        arguments = (other, CLASSES) if method in {"score", "partial_fit"} else (other,)
        with pytest.raises(ValueError, match="must use the same namespace and the same device as those passed to fit") as caught:
            getattr(fitted, method)(*arguments)
        assert isinstance(caught.value, MlpxpError)
        assert "to_backend" in str(caught.value)
    with pytest.raises(DataError, match="same namespace"):
        classifier().fit(put(X), CLASSES, validation_data=(X, CLASSES))


def test_another_device_than_the_one_that_was_fitted():
    strict = pytest.importorskip("array_api_strict")
    fitted = regressor().fit(strict.asarray(X, device=strict.Device("device1")), NUMBERS)
    with pytest.raises(DataError, match=r"Devices used during fit .*device1.* and predict .* differ"):
        fitted.predict(strict.asarray(X))


# ------------------------------------------------------------------------------------------------------------- moving


def test_to_a_backend_and_back(backend, put, to_host):
    """What is moved predicts and learns on, and what comes back is what went."""
    fitted = classifier().partial_fit(X, CLASSES, classes=[0, 1, 2])
    moved = to_backend(fitted, backend, device_of(put(X)) if backend.name != "numpy" else None)
    assert same_place(moved.coefs_[0], put(X))
    assert same_place(moved.predict(put(X)), put(X))
    back = to_backend(moved, "numpy")
    assert (back.predict_proba(X) == fitted.predict_proba(X)).all()
    moved.partial_fit(put(X), CLASSES)
    fitted.partial_fit(X, CLASSES)
    assert to_host(moved.predict_proba(put(X))) == pytest.approx(fitted.predict_proba(X), rel=1e-8)


def test_moved_members_move_along(backend, put):
    moved = to_backend(classifier(n_networks=2).fit(X, CLASSES), backend, device_of(put(X)) if backend.name != "numpy" else None)
    assert [same_place(member.predict(put(X)), put(X)) for member in moved.estimators_] == [True, True]


def test_what_was_trained_elsewhere_computes_where_it_is_moved():
    pytest.importorskip("torch")
    fitted = regressor(backend="torch").fit(X, NUMBERS)
    moved = to_backend(fitted, "torch")
    assert library_of(moved.predict(get_backend("torch").asarray(X))) == "torch"
    assert (fitted.backend, moved.backend, moved.device) == ("torch", "auto", None)


def test_what_cannot_be_moved():
    with pytest.raises(NotFittedError, match=r"call fit\(X, y\) first"):
        to_backend(classifier(), "numpy")
    with pytest.raises(ValueError, match="backend must be auto or one of"):
        to_backend(regressor().fit(X, NUMBERS), "abacus")


# ------------------------------------------------------------------------------------------------------------ pickles


@pytest.mark.parametrize("through", [lambda estimator: pickle.loads(pickle.dumps(estimator)), copy.deepcopy])
@pytest.mark.parametrize("n_networks", [1, 2])
def test_a_pickle_predicts_and_goes_on_learning(backend, put, n_networks, through):
    """Also where the library's devices can't be pickled (JAX)."""
    for options, data in (({"backend": backend.name}, X), ({}, put(X))):
        fitted = classifier(n_networks=n_networks, **options).partial_fit(data, CLASSES, classes=[0, 1, 2])
        again = through(fitted)
        assert same_place(again.coefs_[0], data)
        assert (on_host(again.predict_proba(data)) == on_host(fitted.predict_proba(data))).all()
        for each in (again, fitted):
            each.partial_fit(data, CLASSES)
        assert (on_host(again.coefs_[0]) == on_host(fitted.coefs_[0])).all()
        assert again.loss_curve_ == fitted.loss_curve_


def test_a_backend_that_is_changed_after_the_fit(backend):
    fitted = regressor().fit(X, NUMBERS)
    before = fitted.predict(X)
    fitted.set_params(backend=backend)
    assert fitted.predict(X) == pytest.approx(before, rel=1e-10)
    fitted.partial_fit(X, NUMBERS)
    fitted.set_params(backend="numpy")
    assert type(fitted.predict(X)) is np.ndarray


def test_another_precision_goes_on_in_the_first_ones():
    fitted = classifier().partial_fit(X, CLASSES, classes=[0, 1, 2]).partial_fit(X.astype("float32"), CLASSES)
    assert fitted.coefs_[0].dtype == "float64"


# ------------------------------------------------------------------------------------------------- devices without float64


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_jax_without_float64_says_so(solver):
    jax = pytest.importorskip("jax")
    assert not jax.config.jax_enable_x64
    for make, y in ((classifier, CLASSES), (regressor, NUMBERS)):
        with pytest.raises(TypeError, match=r"^JAX has no float64 until it is asked for: use float32") as caught:
            make(backend="jax", solver=solver).fit(X, y)
        assert isinstance(caught.value, DtypeError)
        assert make(backend="jax", solver=solver, dtype="float32").fit(X, y).coefs_[0].dtype == "float32"


def test_a_device_without_float64_says_so_and_takes_float32():
    pytest.importorskip("array_api_strict")
    options = {"backend": "strict", "device": "no_float64"}
    with pytest.raises(DtypeError, match=r"does not support dtype=array_api_strict\.float64"):
        regressor(**options).fit(X, NUMBERS)
    assert regressor(**options).fit(X.astype("float32"), NUMBERS).predict(X.astype("float32")).dtype == "float32"


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_device_or_a_library_that_is_not_here(backend, solver):
    """Scikit-learn's users expect a ValueError, of the parameters' values."""
    fitted = regressor(solver=solver).fit(X, NUMBERS)
    for options, words in (({"backend": backend, "device": "cuda:99"}, "cuda:99"), ({"backend": "abacus"}, "abacus")):
        for act in (
            lambda options=options: regressor(solver=solver, **options).fit(X, NUMBERS),
            lambda options=options: copy.deepcopy(fitted).set_params(**options).predict(X),
        ):
            with pytest.raises(ValueError, match=words) as caught:
                act()
            assert isinstance(caught.value, BackendError | UnknownNameError)


def test_whole_numbers_and_labels_that_are_floats_on_a_device_without_float64():
    strict = pytest.importorskip("array_api_strict")
    data = strict.asarray(np.round(9 * X).astype("int32"), device=strict.Device("no_float64"))
    fitted = classifier().fit(data, CLASSES.astype("float64"))
    assert fitted.coefs_[0].dtype == strict.float32
    assert same_place(fitted.predict(data), data)


def test_labels_that_jax_would_cut_stay_whole():
    jax = pytest.importorskip("jax")
    assert not jax.config.jax_enable_x64
    data, labels = jax.numpy.asarray(X), CLASSES + 2**40
    fitted = classifier().fit(data, labels)
    assert fitted.classes_.tolist() == [2**40, 2**40 + 1, 2**40 + 2]
    assert set(fitted.predict(data).tolist()) <= set(labels.tolist())
    several = classifier().fit(data, (X > 0.0).astype("int64"))
    assert several.predict(data).dtype == "int32"


# ----------------------------------------------------------------------------------------------- a library's bad arrays


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda xp, data: data[0, :], "Expected 2D array, got 1D array instead"),
        (lambda xp, data: data[None, ...], "Found array with dim 3, while dim <= 2 is required"),
        (lambda xp, data: data[:0, :], r"Found array with 0 sample\(s\)"),
        (lambda xp, data: data[:, :0], r"Found array with 0 feature\(s\)"),
        (lambda xp, data: xp.where(data > 0.0, data, float("nan")), "contains NaN or infinity"),
        (lambda xp, data: xp.astype(data, xp.complex64), "Complex data not supported"),
        (lambda xp, data: data[:5, :], "inconsistent numbers of samples"),
    ],
)
def test_bad_arrays(backend, put, change, words):
    if backend.name == "numpy":
        pytest.skip("scikit-learn's own checks")
    with pytest.raises(ValueError, match=words) as caught:
        regressor().fit(change(backend.namespace, put(X)), NUMBERS)
    assert isinstance(caught.value, MlpxpError)


def test_a_loss_in_the_librarys_own_functions_is_checked_and_trained_with():
    torch = pytest.importorskip("torch")

    def absolute(factor):
        return Loss("absolute", lambda A, Y: torch.abs(A - Y).sum(dim=-2), lambda A, Y: factor * torch.sign(A - Y), analytic=False)

    rows, numbers = torch.asarray(X), torch.asarray(NUMBERS)
    assert regressor(loss=absolute(1.0)).fit(rows, numbers).predict(rows).shape == (32,)
    with pytest.raises(RangeError, match=r"^the derivative of loss .absolute. must be that of its value"):
        regressor(loss=absolute(2.0)).fit(rows, numbers)


# -------------------------------------------------------------------------------------------------- what is no matrix of examples


@pytest.mark.parametrize("shape", [(), (3,), (1, 32, 3), (0, 3), (32, 0), (32, 2)])
def test_another_shape_is_refused_in_the_words_that_numpy_arrays_have(backend, put, shape):
    """scikit-learn's: for one axis and three as for the number of features."""
    for make in (classifier, regressor):
        there, here = make().fit(put(X), CLASSES), make().fit(X, CLASSES)
        for method in ("predict", "predict_proba", "predict_log_proba", "score", "fit", "partial_fit"):
            if not hasattr(here, method) or (method == "fit" and shape == (32, 2)):
                continue
            more = (CLASSES,) if method in {"score", "fit", "partial_fit"} else ()
            said = []
            for model, rows in ((there, put(np.ones(shape))), (here, np.ones(shape))):
                with pytest.raises(DataError) as caught:
                    getattr(model, method)(rows, *more)
                said.append(str(caught.value))
            assert said[0] == said[1]
            assert re.search(
                {0: "^Expected 2D", 1: "^Expected 2D", 3: "^Found array with dim 3"}.get(len(shape), "feature|sample"), said[0]
            )


def test_a_copy_of_one_that_is_to_go_on_elsewhere():
    """What its optimizer holds is of the backend that made it, not of the one that it is set to now."""
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3)), rng.integers(0, 2, 40)
    model = MLPClassifier((4,), random_state=0).partial_fit(X, y, classes=[0, 1])
    model.set_params(backend="torch")
    for one in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(one.predict_proba(X), model.predict_proba(X))
