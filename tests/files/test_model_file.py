import json
import os
import struct

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from mlpxp import (
    Activation,
    DataError,
    DtypeError,
    FileFormatError,
    Layer,
    Loss,
    Network,
    OutputError,
    RangeError,
    ShapeError,
    UnknownNameError,
    initialize,
)
from mlpxp.files import load_model, save_model
from mlpxp.files.networks import described

NETWORK = Network((4, 3, 2), hidden="relu", output="softmax", loss="cross_entropy")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


@pytest.fixture
def saved(path):
    """The path of a good model file."""
    save_model(path, NETWORK, initialize(NETWORK, seed=0), metadata={"note": "é ☃"}, arrays={"p.mean": np.arange(3.0)})
    return path


@pytest.fixture
def forge(saved):
    """A function that changes a good file's metadata and tensors."""

    def change(texts=(), tensors=()):
        with safe_open(saved, "numpy") as opened:
            metadata = opened.metadata() | dict(texts)
        arrays = load_file(saved) | dict(tensors)
        save_file(
            {name: array for name, array in arrays.items() if array is not None},
            saved,
            {name: text for name, text in metadata.items() if text is not None},
        )
        return saved

    return change


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "network",
    [
        NETWORK,
        Network((3, 1), output="sigmoid", loss="binary_cross_entropy"),
        Network((2, 3, 4, 1), hidden=("tanh", "gelu"), output="identity"),
        Network((2, 3, 1), hidden="exp", output="exp", loss="poisson"),
    ],
    ids=repr,
)
def test_a_model_comes_back_as_it_was(path, backend, network, dtype):
    parameters = initialize(network, seed=3, backend=backend, dtype=dtype)
    save_model(path, network, parameters, metadata={"a": [1, None, "x"]}, arrays={"b": np.ones((2, 2)), "empty": np.zeros(0)})
    model = load_model(path, backend=backend)
    assert model.network == network
    assert model.dtype == dtype
    for one, other in zip(model.parameters, parameters, strict=True):
        assert one.W.dtype == other.W.dtype
        assert np.array_equal(backend.to_numpy(one.W), backend.to_numpy(other.W))
        assert np.array_equal(backend.to_numpy(one.b), backend.to_numpy(other.b))
    assert model.metadata == {"a": [1, None, "x"]}
    assert np.array_equal(model.arrays["b"], np.ones((2, 2)))
    assert model.arrays["empty"].shape == (0,)


def test_a_stack_comes_back_as_it_was(path):
    parameters = initialize(NETWORK, seed=[0, 1, 2])
    save_model(path, NETWORK, parameters)
    assert load_model(path).parameters[0].W.shape == (3, 3, 4)


def test_a_file_says_who_wrote_it(saved):
    model = load_model(saved)
    assert set(model.versions) == {"mlpxp", "numpy", "python"}
    assert model.versions["numpy"] == np.__version__
    assert model.created.startswith("20")
    assert model.metadata == {"note": "é ☃"}


def test_the_schema_is_as_documented(saved):
    with safe_open(saved, "numpy") as opened:
        texts, names = opened.metadata(), set(opened.keys())
    assert names == {"layers.1.W", "layers.1.b", "layers.2.W", "layers.2.b", "extra.p.mean"}
    assert set(texts) == {"format", "format_version", "kind", "network", "dtype", "metadata", "created", "versions"}
    assert (texts["format"], texts["format_version"], texts["kind"]) == ("mlpxp", "1", "model")
    assert json.loads(texts["network"]) == {"sizes": [4, 3, 2], "hidden": ["relu"], "output": "softmax", "loss": "cross_entropy"}


def test_additions_of_a_later_writer_don_t_hinder(forge):
    assert load_model(forge({"colour": "blue"}, {"other": np.zeros(2)})).network == NETWORK


@pytest.mark.parametrize(
    "activation", [Activation("cube", lambda Z: Z**3, lambda Z, A: 3 * Z**2, needs_z=True), Activation("relu", lambda Z: Z, lambda Z, A: A)]
)
def test_a_user_s_own_activation_is_refused(path, activation):
    network = Network((2, 3, 1), hidden=activation)
    with pytest.raises(UnknownNameError, match=f"'{activation.name}' of layer 1 can't be saved"):
        save_model(path, network, initialize(network, seed=0))
    assert not path.exists()


def test_a_user_s_own_loss_is_refused(path):
    network = Network((2, 1), loss=Loss("absolute", lambda A, Y: abs(A - Y), lambda A, Y: A))
    with pytest.raises(UnknownNameError, match="the loss 'absolute' can't be saved"):
        save_model(path, network, initialize(network, seed=0))


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"parameters": ()}, ShapeError, "must have 2 layers"),
        ({"parameters": initialize(Network((4, 5, 2)), seed=0)}, ShapeError, r"W_1 must have shape \(3, 4\)"),
        ({"parameters": tuple(Layer(W * np.nan, b) for W, b in initialize(NETWORK, seed=0))}, RangeError, "W_1 must be finite"),
        ({"parameters": tuple(Layer(W.astype("float16"), b) for W, b in initialize(NETWORK, seed=0))}, DtypeError, "float32 or float64"),
        ({"parameters": tuple(Layer(W, b.astype("float64")) for W, b in initialize(NETWORK, seed=0))}, DtypeError, "of one dtype"),
        ({"metadata": {"x": float("nan")}}, RangeError, "what JSON can hold"),
        ({"metadata": {"x": object()}}, RangeError, "what JSON can hold"),
        ({"arrays": {"x": np.array(["a"])}}, DtypeError, "the array 'x' must be float32 or float64"),
    ],
)  # fmt: skip
def test_what_can_t_be_saved(path, changes, error, says):
    with pytest.raises(error, match=says):
        save_model(path, NETWORK, **{"parameters": initialize(NETWORK, seed=0)} | changes)
    assert not path.exists()


def test_an_old_file_survives_a_save_that_fails(saved):
    before = saved.read_bytes()
    with pytest.raises(RangeError):
        save_model(saved, NETWORK, initialize(NETWORK, seed=0), metadata={"x": object()})
    assert saved.read_bytes() == before


def test_a_place_that_can_t_be_written(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_model(tmp_path / "nowhere" / "m", NETWORK, initialize(NETWORK, seed=0))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_model(tmp_path / "nothing")
    with pytest.raises(DataError, match="is a folder"):
        load_model(tmp_path)


def test_a_pipe_and_a_device_have_no_end(path):
    os.mkfifo(path)
    with pytest.raises(DataError, match="is no regular file"):
        load_model(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="is no regular file"):
        load_model(path)


@pytest.mark.parametrize("name", ["\0", "a\0.safetensors", "x" * 5000, "\udcff", ""])
def test_names_that_are_no_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        load_model(name)


@pytest.mark.parametrize("size", [0, 1])
def test_a_million_layers(forge, size):
    n = 10**6
    network = {"sizes": [size] * n, "hidden": ["relu"] * (n - 2), "output": "identity", "loss": "mse"}
    _refused(forge({"network": json.dumps(network)}), "damaged or foreign")


@pytest.mark.parametrize("kept", [0, 4, 8, 50, 500, -1])
def test_a_file_cut_short_anywhere(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    _refused(saved, "damaged or cut short")


@pytest.mark.parametrize("content", [b"x,y\n1,2\n", b"\xff" * 100, struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 2) + b"{}"])
def test_files_of_other_kinds(path, content):
    path.write_bytes(content)
    _refused(path, "no model")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"format": None}, "no model of mlpxp's"),
        ({"format": "pt"}, "no model of mlpxp's"),
        ({"format_version": "2"}, "a newer mlpxp is needed"),
        ({"format_version": "1000000000000"}, "format_version"),
        ({"format_version": "one"}, "format_version must be a whole number"),
        ({"format_version": "²"}, "format_version must be a whole number"),
        ({"format_version": None}, "format_version"),
        ({"network": None}, "no 'network'"),
        ({"network": "{"}, "not JSON"),
        ({"network": "[" * 100_000}, "not JSON"),
        ({"network": "3"}, "must be a JSON object"),
        ({"dtype": "float64"}, "must be float64, got float32"),
        ({"dtype": "int8"}, "dtype must be float32 or float64"),
        ({"dtype": None}, "dtype"),
        ({"metadata": "[1]"}, "must be a JSON object"),
        ({"metadata": '{"x": NaN}'}, "NaN is no number in JSON"),
        ({"versions": "no"}, "not JSON"),
    ],
)
def test_metadata_that_lie(forge, texts, says):
    _refused(forge(texts), says)


@pytest.mark.parametrize(
    "changed",
    [
        {"sizes": [4, 3, 3]},
        {"sizes": [4, 3]},
        {"sizes": [4, 3, 2, 2]},
        {"sizes": [4, 3, -2]},
        {"sizes": [4, 3, 2.0]},
        {"sizes": [4, True, 2]},
        {"sizes": [4, 10**40, 2]},
        {"sizes": ["4", "3", "2"]},
        {"sizes": "432"},
        {"sizes": None},
        {"sizes": []},
        {"hidden": "relu"},
        {"hidden": ["relu", "relu"]},
        {"hidden": [3]},
        {"hidden": ["softmax"]},
        {"hidden": ["swish"]},
        {"output": "identity"},
        {"output": None},
        {"loss": "hinge"},
        {"loss": {}},
    ],
)
def test_networks_that_lie(forge, changed):
    network = {"sizes": [4, 3, 2], "hidden": ["relu"], "output": "softmax", "loss": "cross_entropy"} | changed
    _refused(forge({"network": json.dumps(network)}), "damaged or foreign")


@pytest.mark.parametrize("size", ["1e999", "NaN", "Infinity", "9" * 5000])
def test_sizes_that_are_no_finite_numbers(forge, size):
    _refused(
        forge({"network": json.dumps(described(NETWORK)).replace("2]", f"{size}]")}),
        "damaged or foreign",
    )


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"layers.2.b": None}, "no tensor 'layers.2.b'"),
        ({"layers.1.W": np.zeros((4, 3), dtype=np.float32)}, r"layers.1.W must have shape \(3, 4\)"),
        ({"layers.1.b": np.zeros(3, dtype=np.float32)}, r"layers.1.b must have shape \(3, 1\)"),
        ({"layers.1.W": np.zeros((3, 4))}, "layers.1.W must be float32, got float64"),
        ({"layers.1.W": np.zeros((3, 4), dtype=np.int64)}, "layers.1.W must be float32, got I64"),
        ({"layers.1.W": np.full((3, 4), np.inf, dtype=np.float32)}, "layers.1.W must be finite"),
        ({"layers.1.W": np.zeros((5, 3, 4), dtype=np.float32)}, "one network or of one stack"),
        ({"extra.p.mean": np.array([np.nan])}, "extra.p.mean must be finite"),
        ({"extra.p.mean": np.array([1])}, "extra.p.mean must be float32 or float64"),
    ],
)
def test_tensors_that_lie(forge, tensors, says):
    _refused(forge(tensors=tensors), says)


def _refused(path, says):
    with pytest.raises(FileFormatError, match=says) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
