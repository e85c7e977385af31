"""Estimators as files: the same to the bit, and nothing in a file is believed."""

import contextlib
import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from mlpxp import (
    ACTIVATIONS,
    Activation,
    Cosine,
    Device,
    DtypeError,
    FileFormatError,
    Loss,
    MLPClassifier,
    MLPRegressor,
    MlpxpError,
    Model,
    RangeError,
    Rows,
    UnknownNameError,
    WarmUp,
    from_sklearn,
    get_backend,
    load,
    save,
    to_backend,
)
from mlpxp.arrays.standard import is_array, library_of, tree_leaves
from mlpxp.estimators.errors import NotFittedError
from mlpxp.exchange import _estimator_file as estimator_file
from mlpxp.files import load_model

pytest.importorskip("sklearn")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 3))
CLASSES = np.arange(40) % 3
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
SEVERAL = (X > 0.0).astype(int)
SMALL = {"hidden_layer_sizes": (5, 4), "max_iter": 4, "random_state": 0, "batch_size": 16}


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "e.safetensors"


def same(one, other):
    """Whether two values are equal, whatever is in them, NaN too."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "get_params"):
        return type(one) is type(other) and same_fitted(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, np.random.RandomState):
        return same(one.get_state(), other.get_state())
    if is_array(one):
        return library_of(one) == library_of(other) and one.tolist() == other.tolist()
    return type(one) is type(other) and (one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other)))


def same_fitted(one, other):
    """Whether two estimators have the same attributes, private ones too."""
    assert same(getattr(one, "estimators_", None), getattr(other, "estimators_", None))
    mine, yours = ({name: value for name, value in sorted(vars(each).items()) if name != "_fitted"} for each in (one, other))
    mine, yours = ({**of, **known(each)} for each, of in ((one, mine), (other, yours)))
    assert mine.keys() == yours.keys()
    for name, value in mine.items():
        assert same(value, yours[name]), name
    return True


def known(estimator):
    """What is known of a fit beside the public attributes, but for what makes estimators_ and where it is."""
    return {name: getattr(estimator._fitted, name) for name in ("network", "labels", "curves", "left")}


def through(path, estimator):
    save(path, estimator)
    return load(path)


def diverged():
    """An ensemble with a member that stopped before the other."""
    fitted = regressor(n_networks=2).fit(X, NUMBERS)
    fitted.coefs_ = [coefs.copy() for coefs in fitted.coefs_]
    fitted.coefs_[0][1] *= 1e200
    return fitted.partial_fit(X, NUMBERS)


CASES = {
    "adam": lambda: classifier().fit(X, CLASSES),
    "adamw": lambda: regressor(solver="adamw").fit(X, NUMBERS),
    "sgd": lambda: classifier(solver="sgd", learning_rate="invscaling").fit(X, CLASSES),
    "sgd without momentum": lambda: regressor(solver="sgd", momentum=0.0).fit(X, NUMBERS),
    "adaptive": lambda: regressor(solver="sgd", learning_rate="adaptive", n_iter_no_change=1, tol=10.0).fit(X, NUMBERS),
    "lbfgs": lambda: classifier(solver="lbfgs").fit(X, CLASSES),
    "two classes": lambda: classifier().fit(X, CLASSES > 0),
    "one class": lambda: classifier().fit(X, CLASSES * 0),
    "several labels": lambda: classifier().fit(X, SEVERAL),
    "several numbers": lambda: regressor().fit(X, X),
    "counts": lambda: regressor(loss="poisson").fit(X, np.round(np.exp(NUMBERS))),
    "float32": lambda: classifier(activation="logistic").fit(X.astype("float32"), CLASSES),
    "early stopping": lambda: classifier(early_stopping=True, n_iter_no_change=np.inf).fit(X, CLASSES),
    "validated": lambda: regressor(dropout=[0.1, 0.2]).fit(X, NUMBERS, validation_data=(X, NUMBERS)),
    "validated later": lambda: regressor(warm_start=True).fit(X, NUMBERS).fit(X, NUMBERS, validation_data=(X, NUMBERS)),
    "an ensemble": lambda: classifier(n_networks=3, activation=["gelu", "leaky_relu"]).fit(X, CLASSES),
    "an ensemble by lbfgs": lambda: regressor(n_networks=2, solver="lbfgs").fit(X, NUMBERS),
    "a diverged member": diverged,
    "partial": lambda: classifier().partial_fit(X, CLASSES, classes=[0, 1, 2, 3]),
    "one network, said oddly": lambda: regressor(n_networks=True).fit(X, NUMBERS),
    "no hidden layer": lambda: classifier(hidden_layer_sizes=()).fit(X, CLASSES),
    "an output": lambda: regressor(output_activation="softplus", learning_rate="cosine", warm_up=1).fit(X, NUMBERS**2),
}


def answers(estimator, X):
    if hasattr(estimator, "predict_proba"):
        return [
            estimator.predict(X),
            estimator.predict_proba(X),
            *estimator.predict_proba(X, return_std=True),
            estimator.predict_log_proba(X),
        ]
    return [estimator.predict(X), *estimator.predict(X, return_std=True)]


@pytest.mark.parametrize("name", CASES)
def test_what_comes_back_is_what_went(path, name):
    fitted = CASES[name]()
    again = through(path, fitted)
    assert same_fitted(fitted, again)
    for rows in (X, X[:1], X.astype("float32")):
        with np.errstate(over="ignore"):  # what a diverged member says
            assert same(answers(fitted, rows), answers(again, rows))


@pytest.mark.parametrize("name", [name for name in CASES if "lbfgs" not in name and "early" not in name])
def test_partial_fit_goes_on_as_if_nothing_had_happened(path, name):
    """The optimizer's state, the rates, the epochs counted: to the bit, three times through a file."""
    fitted = CASES[name]()
    again = through(path, fitted)
    y = {"several labels": SEVERAL, "several numbers": X, "two classes": CLASSES > 0, "one class": CLASSES * 0}.get(name)
    y = y if y is not None else CLASSES if hasattr(fitted, "classes_") else np.abs(NUMBERS)
    rows = X.astype(fitted.coefs_[0].dtype)
    for _ in range(3):
        fitted.partial_fit(rows, y)
        again = through(path, again.partial_fit(rows, y))
        assert same_fitted(fitted, again)


@pytest.mark.parametrize("name", ["adam", "lbfgs", "early stopping", "an ensemble", "validated"])
def test_a_warm_start_goes_on_as_if_nothing_had_happened(path, name):
    fitted = CASES[name]().set_params(warm_start=True)
    again = through(path, fitted)
    y = CLASSES if hasattr(fitted, "classes_") else NUMBERS
    assert same_fitted(fitted.fit(X, y), again.fit(X, y))


@pytest.mark.parametrize(
    "labels",
    [
        np.asarray(["a", "é ☃", "c"]),
        np.asarray(["a", "b", "c"], dtype="U50"),
        np.asarray(["a", "b", "c"], dtype="U5000"),
        np.asarray(["a", "b", "c"], dtype=object),
        np.asarray([-1, 2**62, 2**63 - 1]),
        np.asarray([0, 1, 2**64 - 1], dtype="uint64"),
        np.asarray([1, 2, 3], dtype="int8"),
        np.asarray([0.0, 1.0, 5.0]),
        np.asarray([1.0, 2.0, 4.0], dtype="float32"),
        np.asarray([True, False, False]),
    ],
    ids=lambda labels: f"{labels.dtype}",
)
def test_labels_keep_their_dtype(path, labels):
    fitted = classifier().fit(X, labels[CLASSES])
    again = through(path, fitted)
    if labels.dtype.itemsize < 5000:
        assert again.classes_.dtype == fitted.classes_.dtype
    assert again.classes_.tolist() == fitted.classes_.tolist()
    assert again.predict(X).tolist() == fitted.predict(X).tolist()


def test_names_of_features_are_kept(path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "é", "c"])
    again = through(path, regressor().fit(frame, NUMBERS))
    assert again.feature_names_in_.dtype == object
    assert again.feature_names_in_.tolist() == ["a", "é", "c"]
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["a", "c", "é"]])


def test_several_labels_in_a_sparse_matrix(path):
    sparse = pytest.importorskip("scipy.sparse")
    again = through(path, classifier().fit(X, sparse.csr_matrix(SEVERAL)))
    assert sparse.issparse(again.predict(X))


def test_parameters_of_every_kind_come_back(path):
    options = {
        "hidden_layer_sizes": [5, 4],
        "activation": (ACTIVATIONS["tanh"], "relu"),
        "alpha": np.float64(0.5),
        "learning_rate": WarmUp(1.0, Cosine(0.1, 3.0)),
        "random_state": np.random.RandomState(3),
        "n_iter_no_change": np.inf,
        "class_weight": {0: 1.0, np.int64(1): 2, 2: 0.5},
        "dropout": np.asarray([0.1, 0.2]),
        "device": Device("cpu", "the host"),
        "backend": get_backend("numpy"),
        "max_seconds": 1e9,
        "callbacks": [],
    }
    fitted = classifier(**options).fit(X, CLASSES)
    again = through(path, fitted)
    wanted = {"alpha": 0.5, "class_weight": {0: 1.0, 1: 2, 2: 0.5}, "dropout": [0.1, 0.2], "device": "cpu", "backend": "numpy"}
    assert same(again.get_params(), fitted.get_params() | wanted)
    assert same(fitted.partial_fit(X, CLASSES).coefs_, again.partial_fit(X, CLASSES).coefs_), "the random state goes on, too"


# -------------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize("n_networks", [1, 2])
def test_an_estimator_of_one_backend_loads_on_another(path, backend, n_networks):
    fitted = classifier(n_networks=n_networks).fit(X, CLASSES)
    there = to_backend(fitted, backend)
    save(path, there)
    assert same(answers(load(path), X), answers(fitted, X))
    again = load(path, backend=backend)
    rows = backend.asarray(X)
    assert library_of(again.predict(rows)) == library_of(rows)
    assert same(*(backend.to_numpy(each.predict_proba(rows)) for each in (again, there)))
    for each in (again, there):
        each.partial_fit(rows, CLASSES)
    assert same(*(backend.to_numpy(each.predict_proba(rows)) for each in (again, there)))


def test_where_it_computes_stays_what_it_was(path):
    pytest.importorskip("torch")
    fitted = classifier(backend="torch", device="cpu").fit(X, CLASSES)
    again = through(path, fitted)
    assert (again.backend, again.device) == ("torch", "cpu")
    assert same_fitted(fitted.partial_fit(X, CLASSES), again.partial_fit(X, CLASSES))
    here = load(path, backend="torch")
    assert (here.backend, here.device) == ("auto", None)


def test_a_file_of_a_device_that_is_not_here_loads(path):
    fitted = classifier().fit(X, CLASSES)
    save(path, fitted.set_params(backend="cupy", device="cuda:7"))
    again = load(path)
    assert again.device == "cuda:7"
    assert same(answers(to_backend(again, "numpy"), X), answers(fitted.set_params(backend="auto", device=None), X))


def test_a_dtype_that_was_asked_for(path):
    fitted = classifier().fit(X, CLASSES)
    save(path, fitted)
    again = load(path, dtype="float32")
    assert {leaf.dtype.name for leaf in (*again.coefs_, *again.intercepts_, *tree_leaves(again._fitted.left.state))} == {"float32"}
    np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-5)
    again.partial_fit(X.astype("float32"), CLASSES)


def test_a_member_of_an_ensemble(path):
    member = classifier(n_networks=2).fit(X, CLASSES).estimators_[1]
    assert same(answers(through(path, member), X), answers(member, X))


def test_load_model_reads_the_network_of_it(path):
    fitted = regressor().fit(X, NUMBERS)
    save(path, fitted)
    model = load_model(path)
    assert isinstance(model, Model)
    assert same(model.parameters[0].W, np.ascontiguousarray(fitted.coefs_[0].T))


def test_an_estimator_of_scikit_learn_s_through_a_file(path):
    theirs = pytest.importorskip("sklearn.neural_network").MLPClassifier(**SMALL).fit(X, CLASSES)
    fitted = from_sklearn(theirs)
    again = through(path, fitted)
    assert same(answers(again, X), answers(fitted, X))
    assert not hasattr(again, "stop_")
    assert same(fitted.partial_fit(X, CLASSES).coefs_, again.partial_fit(X, CLASSES).coefs_)


def test_nothing_is_pickled(path):
    save(path, classifier().fit(X, CLASSES))
    data = path.read_bytes()
    assert int.from_bytes(data[:8], "little") < len(data)
    with pytest.raises(Exception, match=r"invalid load key|pickle|unpickling|STRING|opcode|memo|stack"):
        pickle.loads(data)


# ------------------------------------------------------------------------------------------------------ not to be saved


def absolute():
    return Loss("absolute", lambda A, Y: abs(A - Y).sum(axis=-2), lambda A, Y: np.sign(A - Y), analytic=False)


def mine():
    return Activation("relu", lambda Z: 0.5 * Z, lambda Z, A: 0.5 + 0.0 * A)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": mine()}, "the parameter activation=<activation relu> can't be saved"),
        ({"activation": ["tanh", mine()]}, "the parameter activation="),
        ({"output_activation": mine()}, "the parameter output_activation="),
        ({"loss": absolute()}, "the parameter loss=<loss absolute> can't be saved"),
        ({"callbacks": [print]}, "the parameter callbacks=<built-in function print> can't be saved"),
        ({"learning_rate": lambda epoch: 0.1}, "the parameter learning_rate="),
        ({"monitor": lambda *_: 0.5, "early_stopping": True}, "the parameter monitor="),
        ({"random_state": np.random.RandomState(np.random.PCG64(1))}, "a RandomState of MT19937, got PCG64"),
    ],
)  # fmt: skip
def test_what_a_file_can_t_hold_is_named_before_anything_is_written(path, options, says):
    path.write_text("old")
    with pytest.raises(UnknownNameError, match=says) as caught:
        save(path, regressor(**options).fit(X, NUMBERS))
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert len(list(path.parent.iterdir())) == 1


def test_what_was_fitted_with_counts_too(path):
    fitted = regressor(loss=absolute()).fit(X, NUMBERS).set_params(loss="squared_error")
    with pytest.raises(UnknownNameError, match="the loss 'absolute' can't be saved"):
        save(path, fitted)
    fitted = regressor(backend=get_backend("torch", compile=True)).set_params(backend="numpy").fit(X, NUMBERS)
    with pytest.raises(UnknownNameError, match="the parameter backend="):
        save(path, fitted.set_params(backend=get_backend("torch", compile=True)))


def test_other_estimators_are_not_saved(path):
    with pytest.raises(NotFittedError, match="no weights for save"):
        save(path, MLPClassifier())

    class Derived(MLPClassifier):
        pass

    with pytest.raises(DtypeError, match="save takes an MLPClassifier or an MLPRegressor itself, got Derived"):
        save(path, Derived().set_params(**SMALL).fit(X, CLASSES))
    for value in (MLPClassifier, Rows(X), 3):
        with pytest.raises(DtypeError, match="save takes a Model, a TrainingResult, a fitted MLPClassifier or MLPRegressor, or"):
            save(path, value)
    with pytest.raises(RangeError, match="n_networks must be what was fitted to be saved, got 2"):
        save(path, classifier().fit(X, CLASSES).set_params(n_networks=2))
    with pytest.raises(RangeError, match="alpha"):
        save(path, classifier().fit(X, CLASSES).set_params(alpha=-1.0))
    assert not path.exists()


# ------------------------------------------------------------------------------------------------------ files that lie


@pytest.fixture
def forge(path):
    """A function that changes what a good file says: ``part`` of its estimator, its texts and its tensors."""

    def change(part=None, of=(), *, fitted=None, tensors=(), texts=()):
        save(path, classifier().fit(X, CLASSES) if fitted is None else fitted)
        with safe_open(path, "numpy") as opened:
            metadata = opened.metadata()
        estimator = json.loads(metadata["estimator"])
        if part is not None:
            estimator[part] = estimator.get(part, {}) | of if isinstance(of, dict) else of
        metadata["estimator"] = json.dumps(estimator)
        arrays = load_file(path) | dict(tensors)
        save_file({name: array for name, array in arrays.items() if array is not None}, path, metadata | dict(texts))
        return path

    return change


def _refused(path, says):
    with pytest.raises(FileFormatError, match=says) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("part", "of", "says"),
    [
        ("class", "os.system", "its class must be MLPClassifier or MLPRegressor"),
        ("class", ["MLPClassifier"], "its class must be"),
        ("class", "MLPRegressor", "MLPRegressor has no parameter 'class_weight'"),
        ("parameters", {"colour": "blue"}, "MLPClassifier has no parameter 'colour'"),
        ("parameters", [], "its parameters must be a JSON object"),
        ("parameters", {"alpha": -1}, "alpha"),
        ("parameters", {"alpha": "x"}, "alpha"),
        ("parameters", {"solver": "newton"}, "solver"),
        ("parameters", {"callbacks": "print"}, "callbacks"),
        ("parameters", {"max_iter": {"float": "nan"}}, "max_iter"),
        ("parameters", {"max_iter": {"float": "1e5"}}, "no parameter that a file can hold"),
        ("parameters", {"activation": {"activation": "swish"}}, "no parameter that a file can hold"),
        ("parameters", {"loss": {"loss": "hinge"}}, "no parameter that a file can hold"),
        ("parameters", {"learning_rate": {"schedule": "Cosine", "of": {}}}, "Cosine has other fields"),
        ("parameters", {"learning_rate": {"schedule": "Constant", "of": {"rate": -1.0}}}, "Constant makes no sense"),
        ("parameters", {"learning_rate": {"schedule": "os.system", "of": {}}}, "no parameter that a file can hold"),
        ("parameters", {"class_weight": {"dict": [[[1], 2]]}}, "can't be a key"),
        ("parameters", {"class_weight": {"dict": [[1]]}}, "no parameter that a file can hold"),
        ("parameters", {"random_state": {"random_state": {"key": [1]}}}, "624 words"),
        ("parameters", {"random_state": {"random_state": {"key": [0] * 624, "pos": 625, "has_gauss": 0, "gauss": 0.0}}}, "624 words"),
        ("parameters", {"random_state": {"random_state": {"key": [0] * 624, "pos": 0, "has_gauss": [], "gauss": 0.0}}}, "624 words"),
        ("parameters", {"n_networks": 2}, "n_networks=2 doesn't go with weights"),
        ("fitted", {"n_iter_": -1}, "its n_iter_ must be a whole number from 0"),
        ("fitted", {"n_iter_": True}, "its n_iter_ must be a whole number from 0"),
        ("fitted", {"t_": 2**64}, "its t_ must be a whole number from 0"),
        ("fitted", {"loss_": [1]}, "is no number"),
        ("fitted", {"best_loss_": "x"}, "is no number"),
        ("fitted", {"stop_": "tired"}, "its stop_ must be a reason to stop"),
        ("fitted", {"stop_": ["converged"]}, "its stop_ must be a reason to stop"),
        ("fitted", {"feature_names_in_": ["a"]}, "its feature_names_in_ must be a name for each feature"),
        ("fitted", {"feature_names_in_": [1, 2, 3]}, "its feature_names_in_ must be a name for each feature"),
        ("fitted", 3, "its fitted must be a JSON object"),
        ("labels", {"values": [0, 1]}, "3 outputs of a multiclass classifier don't go with 2 classes"),
        ("labels", {"values": [0, 1, 2, 3]}, "3 outputs of a multiclass classifier don't go with 4 classes"),
        ("labels", {"values": [0, 2, 1]}, "classes must be sorted"),
        ("labels", {"values": [0, 1, 1]}, "classes must be sorted"),
        ("labels", {"values": [0, 1, "x"]}, "labels of one dtype"),
        ("labels", {"values": [0, 1, True]}, "labels of one dtype"),
        ("labels", {"values": 3}, "labels of one dtype"),
        ("labels", {"dtype": "O8"}, "labels of one dtype"),
        ("labels", {"dtype": ["int64"]}, "labels of one dtype"),
        ("labels", {"dtype": "int8", "values": [0, 1, 300]}, "don't go into int8"),
        ("labels", {"dtype": "float16", "values": [0.0, 1.0, 1e30]}, "don't go into float16"),
        ("labels", {"dtype": "str999999999", "values": ["a", "b", "c"]}, "labels of one dtype"),
        ("labels", {"dtype": "str9999999", "values": ["a", "b", "c"]}, "can't have the dtype str9999999"),
        ("labels", {"dtype": "str1", "values": ["a", "b", "cc"]}, "can't have the dtype str1"),
        ("labels", {"dtype": "str²", "values": ["a", "b", "c"]}, "labels of one dtype"),
        ("labels", {"kind": "binary"}, "3 outputs of a binary classifier"),
        ("labels", {"kind": "unknown"}, "its kind must be a kind of labels"),
        ("labels", {"sparse": 1}, "its sparse must be true or false"),
        ("labels", None, "its labels must be a JSON object"),
        ("members", [{}, {}], "its members must be one object for each member"),
        ("left", {"optimizer": ["lbfgs", False]}, "its optimizer must be a solver"),
        ("left", {"optimizer": ["adam", 0]}, "its optimizer must be a solver"),
        ("left", {"optimizer": ["sgd", True]}, "its state must be that of sgd"),
        ("left", {"state": "os.system"}, "its state must be that of adam"),
        ("left", {"watched": 3}, "its watched must be a name or null"),
        ("left", {"best": [1.0, 2.0]}, "its best must be a list of 1 or none"),
        ("left", {"best": ["x"]}, "is no number"),
        ("left", {"stale": [-1]}, "its stale must be whole numbers"),
        ("left", 3, "its left must be a JSON object"),
    ],
)  # fmt: skip
def test_attributes_that_lie(forge, part, of, says):
    _refused(forge(part, of), says)


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"layers.1.W": np.zeros((3, 5))}, r"layers.1.W must have shape \(5, 3\)"),
        ({"layers.1.W": np.full((5, 3), np.nan)}, "must be finite"),
        ({"optimizer.t": None}, "the state of its optimizer lacks t"),
        ({"optimizer.squares.1.W": None, "optimizer.squares.1.b": None}, "lacks squares|no tensor"),
        ({"optimizer.gradients.2.W": np.zeros((5, 5))}, "optimizer.gradients.2.W must have shape"),
        ({"optimizer.gradients.2.W": np.zeros((2, 4, 5))}, "one network or of one stack"),
        ({"curves.loss_curve_": np.zeros((4, 2))}, "curves.loss_curve_ must have shape"),
        ({"curves.loss_curve_": np.zeros(4)}, "curves.loss_curve_"),
        ({"curves.loss_curve_": np.zeros((3, 1))}, "as long as its loss_curve_"),
        ({"curves.loss_curve_": None}, "as long as its loss_curve_"),
        ({"curves.loss_curve_": np.zeros((4, 1), dtype="float32")}, "must be float64"),
    ],
)  # fmt: skip
def test_tensors_that_lie(forge, tensors, says):
    _refused(forge(tensors=tensors), says)


def test_ensembles_that_lie(forge):
    fitted = regressor(n_networks=2).fit(X, NUMBERS)
    for part, of, says in (
        ("fitted", {"stop_": "converged"}, "its stop_ must be"),
        ("fitted", {"stop_": None}, "why each member stopped"),
        ("members", [{}], "one object for each member"),
        ("members", [{}, {}], "its epochs must be a whole number"),
        ("members", [{"epochs": 1, "n_iter_": 0.5}, {}], "its n_iter_ must be"),
        ("parameters", {"n_networks": 1}, "n_networks=1 doesn't go with weights"),
        ("parameters", {"n_networks": 10**9}, "n_networks=1000000000 doesn't go with weights"),
    ):
        _refused(forge(part, of, fitted=fitted), says)


@pytest.mark.parametrize("depth", [100, 900])
def test_a_parameter_that_is_nested_deeply(forge, depth):
    _refused(forge("parameters", {"alpha": json.loads("[" * depth + "]" * depth)}), "alpha|nested too deeply")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"estimator": "{"}, "its estimator is not JSON"),
        ({"estimator": "[]"}, "its estimator must be a JSON object"),
        ({"kind": "poem"}, "this reads model, result"),
    ],
)
def test_texts_that_lie(forge, texts, says):
    _refused(forge(texts=texts), says)


def test_damage_anywhere_ends_in_an_estimator_or_one_error(forge):
    """Bytes of the header changed one by one: nothing but a clean error, or an estimator that predicts."""
    path = forge()
    data = bytearray(path.read_bytes())
    header = int.from_bytes(data[:8], "little")
    draw = np.random.default_rng(0)
    for at in map(int, draw.integers(8, 8 + header, 300)):
        old, data[at] = data[at], int(draw.integers(32, 127))
        path.write_bytes(bytes(data))
        data[at] = old
        with contextlib.suppress(MlpxpError):  # at once, or where an estimator asks for a backend that nobody has
            again = load(path)
            if isinstance(again, MLPClassifier):  # the word estimator may have been hit, and a model is what is left
                answers(again, X)


# -------------------------------------------------------------------------------------------------------- golden files


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_a_file_of_the_first_version_loads_for_good(name):
    """Made once by make_golden.py; a change of the format adds a file, and takes none away."""
    golden = Path(__file__).parent / "golden"
    wanted = json.loads((golden / f"{name}-1.json").read_text(encoding="utf-8"))
    fitted = load(golden / f"{name}-1.safetensors")
    rows = np.asarray(wanted["X"])
    np.testing.assert_allclose(fitted.predict_proba(rows) if name == "classifier" else fitted.predict(rows), wanted["answers"], rtol=1e-12)
    assert fitted.predict(rows).tolist() == wanted["labels"] if name == "classifier" else True
    assert {key: fitted.get_params()[key] for key in ("alpha", "solver", "n_networks", "random_state")} == wanted["parameters"]
    fitted.partial_fit(rows, wanted["y"])
    np.testing.assert_allclose(fitted.coefs_[0], wanted["coefs after"], rtol=1e-9)


def test_the_documented_parts_are_the_file_s(forge):
    with safe_open(forge(), "numpy") as opened:
        texts, names = opened.metadata(), set(opened.keys())
    assert texts["kind"] == "estimator"
    estimator = json.loads(texts["estimator"])
    assert set(estimator) == {"class", "parameters", "fitted", "labels", "members", "left"}
    assert set(estimator["fitted"]) == {"n_iter_", "t_", "loss_", "best_loss_", "best_validation_score_", "stop_", "feature_names_in_"}
    assert all(f"``{name}``" in estimator_file.__doc__ for part in (estimator, estimator["fitted"], estimator["labels"]) for name in part)
    assert {name.partition(".")[0] for name in names} == {"layers", "optimizer", "curves"}
