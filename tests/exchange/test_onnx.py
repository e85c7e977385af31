"""ONNX files: onnxruntime gives what the library gives."""

import json
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.linear_model import LogisticRegression

import mlpxp
from mlpxp import ACTIVATIONS, Activation, Adam, Layer, Loss, MLPClassifier, MLPRegressor, MlpxpError, Network, initialize, train
from mlpxp.exchange import export_onnx
from mlpxp.files import load_model, save_model

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
DTYPES = sorted(TOLERANCE)


@pytest.fixture
def written(tmp_path):
    """A function that exports a model and returns what runs the file: inputs by name in, outputs by name out."""

    def write(model):
        path = tmp_path / "model.onnx"
        export_onnx(model, path)
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        return lambda **inputs: dict(zip(names, session.run(None, inputs), strict=True))

    return write


@pytest.fixture
def file(tmp_path):
    """Where the last one was written."""
    return tmp_path / "model.onnx"


def assert_close(got, wanted, dtype):
    """Equal to the tolerance of the dtype, relative to the larger of 1 and the largest number."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE[dtype] * scale)


def rows(m, n, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=(m, n)).astype(dtype)


def library(network, parameters, X):
    """The library's own A, one example a row."""
    return mlpxp.predict(network, parameters, X.T).T


# ------------------------------------------------------------------------------------------------------------ networks
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_network_of_each_activation_gives_the_same_outputs(written, name, dtype):
    network = Network((5, 9, 3), hidden="tanh" if name == "softmax" else name, output="tanh" if name == "exp" else name)
    parameters = initialize(network, seed=1, dtype=dtype)
    run = written((network, parameters))
    for m in (1, 7, 64, 0):
        X = rows(m, 5, dtype, seed=m)
        assert_close(run(X=X)["A"], library(network, parameters, X), dtype)


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_with_an_activation_for_each_layer_give_the_same_outputs(written, seed):
    random = np.random.default_rng(seed)
    dtype = DTYPES[seed % 2]
    depth = int(random.integers(0, 4))
    hidden = [str(name) for name in random.choice([name for name in ACTIVATIONS if name not in ("softmax", "exp")], depth)]
    sizes = [int(size) for size in random.integers(1, 20, depth + 2)]
    network = Network(sizes, hidden=hidden, output="identity")
    parameters = tuple(Layer(W, rows(len(W), 1, dtype, seed)) for W, _ in initialize(network, seed=seed, dtype=dtype))
    X = rows(33, sizes[0], dtype, seed)
    assert_close(written((network, parameters))(X=X)["A"], library(network, parameters, X), dtype)


@pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name, dtype in zip(ACTIVATIONS, DTYPES * 9, strict=False) if name != "exp"])
def test_huge_tiny_and_undefined_numbers_are_treated_alike(written, name, dtype):
    network = Network((2, 2), output=name)
    one = np.eye(2, dtype=dtype)
    parameters = (Layer(one, np.zeros((2, 1), dtype=dtype)),)
    X = np.array(
        [[1e30, -1e30], [1000.0, -1000.0], [1e-30, -1e-30], [0.0, -0.0], [np.inf, 1.0], [1.0, -np.inf], [np.nan, 1.0]], dtype=dtype
    )
    with np.errstate(all="ignore"):
        wanted = library(network, parameters, X)
    np.testing.assert_allclose(written((network, parameters))(X=X)["A"], wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_the_heart_itself_is_what_is_written(written, monkeypatch):
    network = Network((3, 4, 2), hidden="tanh")
    parameters = initialize(network, seed=0)
    X = rows(5, 3, "float32")
    heart, seen = mlpxp.core.propagation.predict, []

    def doubled(network, parameters, X):
        seen.append(type(X).__module__.partition(".")[0])
        return 2.0 * heart(network, parameters, X)

    wanted = library(network, parameters, X)
    monkeypatch.setattr(mlpxp.core.propagation, "predict", doubled)
    assert_close(written((network, parameters))(X=X)["A"], 2.0 * wanted, "float32")
    assert seen == ["ndonnx"]


def test_a_file_has_the_layers_operations_and_nothing_else(written, file):
    network = Network((3, 4, 2), hidden="relu", output="identity")
    written((network, initialize(network, seed=0)))
    graph = onnx.load(file).graph
    assert [node.op_type for node in graph.node] == ["MatMul", "Transpose", "Add", "Max", "MatMul", "Add", "Transpose", "Identity"]
    assert sorted(tuple(one.dims) for one in graph.initializer) == [(), (2, 1), (2, 4), (3, 4), (4, 1)]


def test_a_second_runtime_gives_the_same_also_of_no_examples(written, file):
    from onnx.reference import ReferenceEvaluator

    network = Network((3, 4, 3), hidden="softplus", output="softmax", loss="cross_entropy")
    parameters = initialize(network, seed=0, dtype="float64")
    written((network, parameters))
    runtime = ReferenceEvaluator(onnx.load(file))
    for m in (0, 1, 7):
        X = rows(m, 3, "float64")
        assert_close(runtime.run(None, {"X": X})[0], library(network, parameters, X), "float64")


def test_the_parameters_may_be_another_librarys(written, backend):
    network = Network((3, 4, 2), hidden="gelu")
    parameters = initialize(network, seed=0, dtype="float64", backend=backend)
    X = rows(6, 3, "float64")
    wanted = library(network, initialize(network, seed=0, dtype="float64"), X)
    assert_close(written((network, parameters))(X=X)["A"], wanted, "float64")


def test_a_training_result_and_a_model_that_was_read_are_exported(written, tmp_path):
    X, Y = rows(2, 20, "float64"), rows(1, 20, "float64")
    result = train(Network((2, 4, 1), hidden="tanh", output="identity"), X, Y, optimizer=Adam(), epochs=3)
    wanted = library(result.network, result.parameters, X.T)
    assert_close(written(result)(X=X.T)["A"], wanted, "float64")
    save_model(tmp_path / "model.safetensors", result.network, result.parameters)
    assert_close(written(load_model(tmp_path / "model.safetensors"))(X=X.T)["A"], wanted, "float64")


def sine(Z):
    return mlpxp.arrays.standard.namespace(Z).sin(Z)


def test_an_activation_of_your_own_is_exported_if_it_uses_the_array_api(written):
    network = Network((2, 5, 1), hidden=Activation("sine", sine, None, needs_z=True), output="identity")
    parameters = initialize(network, seed=0)
    X = rows(9, 2, "float32")
    assert_close(written((network, parameters))(X=X)["A"], library(network, parameters, X), "float32")


def with_numpy(Z):
    return np.sin(Z)


def with_a_look(Z):
    return Z if float(Z[0, 0]) > 0 else -Z


def of_another_dtype(Z):
    return mlpxp.arrays.standard.namespace(Z).astype(Z, mlpxp.arrays.standard.namespace(Z).float64)


@pytest.mark.parametrize("function", [with_numpy, with_a_look, of_another_dtype])
def test_an_activation_that_can_t_be_exported_is_named(tmp_path, function):
    network = Network((2, 5, 5, 1), hidden=["tanh", Activation("strange", function, None)])
    with pytest.raises(mlpxp.BackendError, match="the activation 'strange' can't be put into an ONNX file: "):
        export_onnx((network, initialize(network, seed=0)), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------------- estimators
IRIS, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
MANY, LABELS = make_multilabel_classification(n_samples=80, n_features=6, n_classes=4, random_state=0)
QUICK = {"max_iter": 8, "random_state": 0}
OWN = Loss("own", lambda A, Y: (abs(A - Y) ** 2).sum(axis=-2), lambda A, Y: 2.0 * (A - Y))

CLASSIFIERS = {
    "numbers": (MLPClassifier(**QUICK), IRIS, SPECIES),
    "small numbers": (MLPClassifier(**QUICK), IRIS, SPECIES.astype(np.uint8)),
    "text": (MLPClassifier(**QUICK), IRIS, NAMES[SPECIES]),
    "text as objects": (MLPClassifier(**QUICK), IRIS, NAMES[SPECIES].astype(object)),
    "text of any alphabet": (MLPClassifier(**QUICK), IRIS, np.array(["ä", "日本", ""])[SPECIES]),
    "floats": (MLPClassifier(**QUICK), IRIS, SPECIES * 1.0),
    "two classes": (MLPClassifier(**QUICK), IRIS, SPECIES == 1),
    "two classes of text": (MLPClassifier(**QUICK), IRIS, np.where(SPECIES == 1, "yes", "no")),
    "one class": (MLPClassifier(**QUICK), IRIS, np.full(150, 7)),
    "several labels": (MLPClassifier(**QUICK), MANY, LABELS),
    "several labels, sparse": (MLPClassifier(**QUICK), MANY, scipy.sparse.csr_matrix(LABELS)),
    "an ensemble": (MLPClassifier((7,), n_networks=3, **QUICK), IRIS, NAMES[SPECIES]),
    "an ensemble of two classes": (MLPClassifier((7,), n_networks=3, **QUICK), IRIS, SPECIES == 1),
    "an ensemble of several labels": (MLPClassifier((7,), n_networks=2, **QUICK), MANY, LABELS),
    "an activation each": (MLPClassifier((6, 5, 4), activation=["gelu", "logistic", "leaky_relu"], **QUICK), IRIS, SPECIES),
    "no hidden layer": (MLPClassifier((), **QUICK), IRIS, SPECIES),
    "lbfgs": (MLPClassifier((6,), solver="lbfgs", **QUICK), IRIS, SPECIES),
    "what only training knows": (
        MLPClassifier((6,), solver="adamw", dropout=0.2, label_smoothing=0.1, class_weight="balanced", early_stopping=True, **QUICK),
        IRIS,
        SPECIES,
    ),
    "softmax for several labels": (MLPClassifier((6,), output_activation="softmax", loss=OWN, **QUICK), MANY, LABELS),
}
BOTH = ("text", "two classes", "several labels", "an ensemble")


def cases(names):
    """Each with one dtype, in turn, and a few with both."""
    return [(name, DTYPES[(index + more) % 2]) for index, name in enumerate(names) for more in range(1 + (name in BOTH))]


def fitted(estimator, X, y, dtype):
    return clone(estimator).fit(X.astype(dtype), y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "dtype"), cases(CLASSIFIERS))
def test_a_classifier_gives_the_same_labels_and_probabilities(written, name, dtype):
    model = fitted(*CLASSIFIERS[name], dtype)
    run = written(model)
    for m in (80, 1, 7):
        X = CLASSIFIERS[name][1][:m].astype(dtype)
        found, wanted = run(X=X), model.predict(X)
        wanted = wanted.toarray() if hasattr(wanted, "toarray") else wanted
        assert list(found) == ["label", "probabilities"]
        np.testing.assert_array_equal(found["label"], wanted)
        assert found["label"].dtype == (object if wanted.dtype.kind in "UO" else wanted.dtype)
        assert_close(found["probabilities"], model.predict_proba(X), dtype)
    assert {name: len(values) for name, values in run(X=X[:0]).items()} == {"label": 0, "probabilities": 0}


REGRESSORS = {
    "one": (MLPRegressor(**QUICK), IRIS, IRIS[:, 0]),
    "several": (MLPRegressor(**QUICK), IRIS, IRIS[:, :2]),
    "poisson": (MLPRegressor(loss="poisson", **QUICK), IRIS, SPECIES),
    "softplus": (MLPRegressor(output_activation="softplus", **QUICK), IRIS, IRIS[:, 0]),
    "a loss of one's own": (MLPRegressor(loss=OWN, **QUICK), IRIS, IRIS[:, 0]),
    "an ensemble": (MLPRegressor(hidden_layer_sizes=(9,), activation="silu", n_networks=4, **QUICK), IRIS, IRIS[:, 0]),
    "an ensemble of several": (MLPRegressor(hidden_layer_sizes=(9,), n_networks=4, **QUICK), IRIS, IRIS[:, :2]),
    "lbfgs": (MLPRegressor(hidden_layer_sizes=(9, 4), activation="tanh", solver="lbfgs", **QUICK), IRIS, IRIS[:, 0]),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "dtype"), cases(REGRESSORS))
def test_a_regressor_gives_the_same_prediction(written, name, dtype):
    model = fitted(*REGRESSORS[name], dtype)
    run = written(model)
    for m in (150, 1, 7):
        X = IRIS[:m].astype(dtype)
        found = run(X=X)
        assert list(found) == ["prediction"]
        assert_close(found["prediction"], model.predict(X), dtype)
    assert run(X=X[:0])["prediction"].shape == (0, *model.predict(X).shape[1:])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_output_that_promises_no_probabilities_has_labels_alone(written):
    model = MLPClassifier((6,), output_activation="tanh", loss=OWN, **QUICK).fit(IRIS, NAMES[SPECIES])
    found = written(model)(X=IRIS)
    assert list(found) == ["label"]
    np.testing.assert_array_equal(found["label"], model.predict(IRIS))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_of_another_library_is_exported(written, backend):
    X = backend.asarray(IRIS, dtype="float64")
    model = MLPClassifier((6,), **QUICK).fit(X, SPECIES)
    found = written(model)(X=IRIS)
    np.testing.assert_array_equal(found["label"], backend.to_numpy(model.predict(X)))
    assert_close(found["probabilities"], backend.to_numpy(model.predict_proba(X)), "float64")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_file_says_what_it_is(written, file):
    frame = pd.DataFrame(IRIS, columns=["a", "b", "c", "d"])
    written(MLPClassifier((6,), n_networks=2, **QUICK).fit(frame, NAMES[SPECIES]))
    model = onnx.load(file)
    assert (model.producer_name, model.producer_version) == ("mlpxp", mlpxp.__version__)
    assert "MLPClassifier, the mean of 2" in model.doc_string
    facts = {one.key: one.value for one in model.metadata_props}
    assert json.loads(facts["classes"]) == NAMES.tolist()
    assert json.loads(facts["features"]) == ["a", "b", "c", "d"]
    assert (facts["task"], facts["mlpxp"]) == ("classification", mlpxp.__version__)
    shapes = {
        one.name: [dim.dim_param or dim.dim_value for dim in one.type.tensor_type.shape.dim]
        for one in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"X": ["N", 4], "label": ["N"], "probabilities": ["N", 3]}


# -------------------------------------------------------------------------------------------------------------- errors
def a_network():
    network = Network((2, 1))
    return network, initialize(network, seed=0)


def of_float16(network, parameters):
    return network, tuple(Layer(*(array.astype(np.float16) for array in layer)) for layer in parameters)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (MLPClassifier(), mlpxp.MlpxpError, "This MLPClassifier instance is not fitted yet, and has no weights for export_onnx: call fit"),
        (MLPRegressor(), mlpxp.MlpxpError, "This MLPRegressor instance is not fitted yet, and has no weights for export_onnx: call fit"),
        (LogisticRegression(), mlpxp.DtypeError, "takes a Model, .* got LogisticRegression"),
        (a_network()[1], mlpxp.DtypeError, "got tuple"),
        (3, mlpxp.DtypeError, "got int"),
        ((a_network()[0], initialize(a_network()[0], seed=[0, 1, 2])), mlpxp.ShapeError, "a stack of 3: export each of mlpxp.unstack"),
        ((a_network()[0], initialize(Network((3, 1)), seed=0)), mlpxp.ShapeError, "W_1 must have shape"),
        ((a_network()[0], ()), mlpxp.ShapeError, "layers, got none"),
        (of_float16(*a_network()), mlpxp.DtypeError, "got float16"),
    ],
)
def test_what_can_t_be_exported_is_refused_in_one_line(tmp_path, model, error, message):
    with pytest.raises(error, match=message) as caught:
        export_onnx(model, tmp_path / "model.onnx")
    assert isinstance(caught.value, MlpxpError)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["datetime64[D]", "datetime64[ns]", "timedelta64[s]", "longdouble"])
def test_classes_that_no_file_holds_are_refused_in_one_line(tmp_path, dtype):
    labels = SPECIES.astype("datetime64[s]").astype(dtype) if dtype.startswith("datetime") else SPECIES.astype(dtype)
    model = MLPClassifier((3,), **QUICK).fit(IRIS, labels)
    assert model.predict(IRIS).dtype == labels.dtype
    for error, act in (
        (mlpxp.DtypeError, lambda: export_onnx(model, tmp_path / "model.onnx")),
        (mlpxp.RangeError, lambda: mlpxp.save(tmp_path / "model.safetensors", model)),
    ):
        with pytest.raises(
            error, match=rf"numbers of at most 64 bits or texts?( to be saved)?, got {re.escape(str(labels.dtype))}"
        ) as caught:
            act()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "error"), [("model.bin", mlpxp.UnknownNameError), ("model", mlpxp.UnknownNameError), ("nowhere/model.onnx", mlpxp.OutputError)]
)
def test_a_place_that_can_t_be_written_to_is_refused(tmp_path, name, error):
    with pytest.raises(error):
        export_onnx(a_network(), tmp_path / name)


def test_more_than_a_file_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mlpxp.exchange.graph._MOST_BYTES", 8)
    with pytest.raises(mlpxp.RangeError, match="at most 2 GiB"):
        export_onnx(a_network(), tmp_path / "model.onnx")


def test_an_export_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx(a_network(), path)
    before = path.read_bytes()
    network = Network((2, 1), output=Activation("strange", with_numpy, None))
    with pytest.raises(mlpxp.BackendError):
        export_onnx((network, initialize(network, seed=0)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_without_ndonnx_it_is_said_how_to_get_it(tmp_path):
    program = (
        "import sys; sys.modules['ndonnx'] = None\n"
        "from mlpxp import MissingLibraryError, Network, initialize\n"
        "from mlpxp.exchange import export_onnx\n"
        "network = Network((2, 1))\n"
        "try:\n"
        f"    export_onnx((network, initialize(network, seed=0)), {str(tmp_path / 'model.onnx')!r})\n"
        "except MissingLibraryError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "an ONNX file needs ndonnx, which can't be imported: pip install 'mlpxp[onnx]'\n"
