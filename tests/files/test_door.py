"""What save and load promise: the kind, the values, and any backend for any other's file."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from training_runs import NETWORK, OPTIMIZERS, data, start

import mlpxp
from mlpxp import (
    Activation,
    Adam,
    DtypeError,
    FileFormatError,
    GradientDescent,
    Model,
    Network,
    RangeError,
    Stop,
    TrainingResult,
    UnknownNameError,
    initialize,
    train,
)
from mlpxp.arrays.standard import library_of, tree_leaves, tree_map
from mlpxp.exchange import load, save
from mlpxp.files import KINDS, Kind, load_as, load_model, save_as
from mlpxp.files.schema import Contents


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.safetensors"


def same(one, other):
    pairs = list(zip(tree_leaves(one), tree_leaves(other), strict=True))
    return bool(pairs) and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def trained(**options):
    X, Y = data()
    return train(NETWORK, X, Y, **{"optimizer": Adam(0.05), "epochs": 5, "batch_size": 3} | options)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_result_comes_back_as_it_was(path, optimizer):
    result = trained(optimizer=optimizer, validation=data(1), patience=2)
    save(path, result)
    again = load(path)
    assert isinstance(again, TrainingResult)
    assert type(again.optimizer_state) is type(result.optimizer_state)
    for name in ("parameters", "last_parameters", "optimizer_state"):
        assert same(getattr(again, name), getattr(result, name))
    for name in ("network", "history", "stop", "best_epoch", "seed", "restored_best", "epochs"):
        assert getattr(again, name) == getattr(result, name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_run_goes_on_from_a_loaded_result_as_from_the_result_itself(path, optimizer):
    result = trained(optimizer=optimizer)
    save(path, result)
    one, other = (trained(optimizer=optimizer, start=each) for each in (result, load(path)))
    assert same(one.parameters, other.parameters)
    assert one.history.cost == other.history.cost


def test_a_stack_s_result_comes_back_with_a_diverged_member(path):
    X, Y = data()
    result = train(
        NETWORK, X, Y * 1.0, optimizer=GradientDescent((0.1, 1e308)), epochs=4, start=initialize(NETWORK, seed=[0, 1], dtype="float64")
    )
    assert Stop.DIVERGED in result.stop
    save(path, result)
    again = load(path)
    assert again.stop == result.stop
    assert again.best_epoch == result.best_epoch
    assert np.array_equal(again.history.cost, result.history.cost, equal_nan=True)
    assert same(again.optimizer_state, result.optimizer_state)


def test_a_rate_of_each_member_s_own_that_came_later_is_written_for_all_epochs(path):
    X, Y = data()
    first = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=1, start=initialize(NETWORK, seed=[0, 1], dtype="float64"))
    save(path, train(NETWORK, X, Y, optimizer=Adam((0.1, 0.2)), epochs=1, start=first.last_parameters))
    longer = train(NETWORK, X, Y, optimizer=Adam((0.1, 0.2)), epochs=1, start=first)
    save(path, longer)
    assert load(path).history.learning_rate == ((0.1, 0.1), (0.1, 0.2))


def test_a_file_of_one_backend_loads_on_another(path, backend):
    result = trained()
    save(path, result)
    here = load(path, backend=backend)
    assert library_of(here.parameters[0].W) == library_of(backend.asarray([0.0]))
    assert same(tree_map(backend.to_numpy, here.optimizer_state), result.optimizer_state)
    save(path, here)
    assert same(load(path).parameters, result.parameters)
    save(path, Model(NETWORK, here.parameters))
    assert same(load(path).parameters, result.parameters)


@pytest.mark.parametrize("device", ["device1", "device2"])
def test_a_file_of_a_device_loads_on_the_host_and_the_other_way(path, device):
    strict = mlpxp.get_backend("strict")
    there = tree_map(lambda leaf: strict.asarray(leaf, device=device), start())
    save(path, Model(NETWORK, there))
    assert same(load(path).parameters, start())
    again = load(path, backend="strict", device=device).parameters
    assert device in str(again[0].W.device)
    assert same(tree_map(strict.to_numpy, again), start())


def test_float64_on_a_device_without_it_is_refused_and_rounded_when_asked(path):
    save(path, trained())
    with pytest.raises(DtypeError, match=r"the file holds float64, and strict on no_float64 can't: .* dtype='float32' rounds it"):
        load(path, backend="strict", device="no_float64")
    here = load(path, backend="strict", device="no_float64", dtype="float32")
    strict = mlpxp.get_backend("strict")
    assert same(tree_map(strict.to_numpy, here.parameters), tree_map(lambda leaf: leaf.astype("float32"), trained().parameters))
    assert "float32" in str(here.optimizer_state.t.dtype)


def test_load_model_reads_the_parameters_of_any_kind(path):
    save(path, trained())
    assert same(load_model(path).parameters, trained().parameters)


def test_other_values_are_refused(path):
    with pytest.raises(RangeError, match="what is saved must be a Model or a TrainingResult, got tuple"):
        save_as(KINDS, path, start())
    assert not path.exists()


def test_what_only_its_owner_knows_is_refused(path):
    network = Network((3, 4, 2), hidden=Activation("mine", lambda Z: Z, lambda Z, A: 1.0 + 0.0 * Z))
    with pytest.raises(UnknownNameError, match="'mine' of layer 1 can't be saved"):
        save(path, Model(network, start()))
    with pytest.raises(UnknownNameError, match="optimizer's state tuple can't be saved"):
        save(path, replace(trained(), optimizer_state=()))


def test_a_layer_above_brings_kinds_of_its_own(path):
    """As the estimators do: a longer table, and nothing here imports them."""
    kinds = KINDS | {
        "number": Kind(
            "a number",
            lambda value: isinstance(value, float),
            lambda value: Contents({"x": np.asarray([value])}, {}),
            lambda reader, place: place.put(reader.array("x", ("float64",), (1,))),
        )
    }
    save_as(kinds, path, 3.5)
    assert load_as(kinds, path).tolist() == [3.5]
    with pytest.raises(FileFormatError, match="holds a 'number', this reads model, result"):
        load(path)
    with pytest.raises(RangeError, match="a Model, a TrainingResult or a number, got str"):
        save_as(kinds, path, "3.5")
    save_as(kinds, path, Model(NETWORK, start()))
    assert same(load(path).parameters, start())


@pytest.fixture
def forge(path):
    """A function that changes the texts and tensors of a good result's file."""
    save(path, trained(validation=data(1)))

    def change(result=(), tensors=(), texts=()):
        with safe_open(path, "numpy") as opened:
            metadata = opened.metadata()
        metadata["result"] = json.dumps(json.loads(metadata["result"]) | dict(result))
        arrays = load_file(path) | dict(tensors)
        save_file({name: array for name, array in arrays.items() if array is not None}, path, metadata | dict(texts))
        return path

    return change


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"result": {"stop": "tired"}}, "its stop must be a reason to stop"),
        ({"result": {"stop": ["converged"]}}, "its stop must be"),
        ({"result": {"stop": {}}}, "its stop must be"),
        ({"result": {"best_epoch": -1}}, "its best_epoch must be a whole number"),
        ({"result": {"best_epoch": True}}, "its best_epoch must be a whole number"),
        ({"result": {"seed": 0.5}}, "its seed must be"),
        ({"result": {"restored_best": 1}}, "its restored_best must be true or false"),
        ({"result": {"optimizer_state": "os.system"}}, "its optimizer state must be one of MomentumState, AdamState"),
        ({"result": {"optimizer_state": 3}}, "its optimizer_state must be a name"),
        ({"texts": {"result": "[]"}}, "its result must be a JSON object"),
        ({"texts": {"kind": "poem"}}, "holds a 'poem'"),
        ({"tensors": {"last.1.W": None}}, "no tensor 'last.1.W'"),
        ({"tensors": {"optimizer.squares.2.b": np.zeros((3, 1))}}, "optimizer.squares.2.b must have shape"),
        ({"tensors": {"optimizer.t": np.zeros((), dtype="int32")}}, "optimizer.t must be float64, got I32"),
        ({"tensors": {"optimizer.t": np.zeros((2, 2))}}, "optimizer.t must be one number"),
        ({"tensors": {"history.cost": np.zeros(4)}}, "as many entries of each sort"),
        ({"tensors": {"history.cost": np.zeros((5, 1, 1))}}, "history.cost must have one number an epoch"),
        ({"tensors": {"history.seconds": None}}, "no tensor 'history.seconds'"),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_is_refused(forge, changes, says):
    with pytest.raises(FileFormatError, match=says) as caught:
        load(forge(**changes))
    assert "\n" not in str(caught.value)
