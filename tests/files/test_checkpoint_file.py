"""What a checkpoint holds, and what is refused of one that lies."""

import contextlib
import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from training_runs import NETWORK, data

from mlpxp import Adam, FileFormatError, GradientDescent, RangeError, initialize, load, train
from mlpxp.files.checkpoint_file import look_at_checkpoint
from mlpxp.files.disk import previous_of

X, Y = data(m=20)
STACK = initialize(NETWORK, seed=[0, 1], dtype="float64")


@pytest.fixture(params=[None, STACK], ids=["network", "stack"])
def resume(request, tmp_path):
    """A function that trains with checkpoints, and goes on from them."""

    def run(optimizer=Adam(0.05), **options):  # noqa: B008 - it is a frozen value
        path = tmp_path / "run.ckpt"
        more = {"validation": (X, Y), "patience": 9, "start": request.param, "checkpoint": path, "batch_size": 6} | options
        train(NETWORK, X, Y, optimizer=optimizer, **more)
        return path

    run(epochs=3)
    return lambda **options: run(epochs=5, resume=True, **options)


@pytest.fixture
def path(resume, tmp_path):
    """The only checkpoint that there is."""
    previous_of(tmp_path / "run.ckpt").unlink()
    return tmp_path / "run.ckpt"


@pytest.fixture
def forge(path):
    """A function that changes the texts and the tensors of a good checkpoint."""

    def change(standing=(), tensors=(), texts=()):
        with safe_open(path, "numpy") as opened:
            metadata = opened.metadata()
        facts = json.loads(metadata["standing"]) | dict(standing)
        metadata["standing"] = json.dumps({name: value for name, value in facts.items() if value != "left out"})
        arrays = load_file(path) | dict(tensors)
        save_file(
            {name: array for name, array in arrays.items() if array is not None},
            path,
            {name: text for name, text in (metadata | dict(texts)).items() if text is not None},
        )
        return path

    return change


def test_the_schema_is_as_documented(path):
    with safe_open(path, "numpy") as opened:
        texts, names = opened.metadata(), set(opened.keys())
    assert texts["kind"] == "checkpoint"
    assert set(texts) == {"format", "format_version", "kind", "network", "dtype", "run", "standing", "created", "versions"}
    assert {name.partition(".")[0] for name in names} >= {"layers", "optimizer", "history", "watch", "rate", "part"}
    assert "optimizer.squares.2.b" in names
    facts = json.loads(texts["standing"])
    assert set(facts) == {
        "epochs", "first", "seconds", "batches", "weight", "longest", "best_epoch", "stale", "stops", "is_stack", "restored_best", "seed",
        "optimizer_state", "same_as",
    }  # fmt: skip
    assert facts["epochs"] == 3


def test_parameters_that_are_the_same_are_written_once(tmp_path):
    train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=1, checkpoint=tmp_path / "run.ckpt")
    with safe_open(previous_of(tmp_path / "run.ckpt"), "numpy") as opened:
        assert json.loads(opened.metadata()["standing"])["same_as"] == dict.fromkeys(("now", "started", "before", "safe"), "layers")
        assert not [name for name in opened.keys() if name.startswith(("now", "started", "before", "safe"))]  # noqa: SIM118 - no mapping


LIES = [
    ({"standing": {"epochs": -1}}, "its epochs must be a whole number"),
    ({"standing": {"epochs": 4}}, "its history must have the 4 epochs"),
    ({"standing": {"first": 4}}, "4 epochs came before it"),
    ({"standing": {"batches": 10**30}}, "its batches must be a whole number"),
    ({"standing": {"batches": 1}}, "1 batches of an epoch can't weigh 0.0 together"),
    ({"standing": {"weight": 6.0}}, "0 batches of an epoch can't weigh 6.0 together"),
    ({"standing": {"first": 2}}, "2 epochs came before it, and of its run that it was 0"),
    ({"standing": {"batches": True}}, "its batches must be a whole number"),
    ({"standing": {"batches": "left out", "folds": []}}, "its batches must be a whole number from 0, got None"),
    ({"standing": {"longest": 0}}, "its longest must be a whole number from 1"),
    ({"standing": {"seconds": -1.0}}, "its seconds must be a number from 0"),
    ({"standing": {"weight": "left out"}}, "its weight must be a number from 0, got None"),
    ({"standing": {"best_epoch": 3}}, "its best_epoch must be a list"),
    ({"standing": {"best_epoch": [4]}}, "its best_epoch must be a list of whole numbers up to the 3 epochs"),
    ({"standing": {"stale": [10**30]}}, "its stale must be a list of whole numbers up to the 3 epochs"),
    ({"standing": {"stops": ["interrupted"]}}, "its stops must be a list of reasons"),  # which holds for now only
    ({"standing": {"best_epoch": [1, 2, 3]}}, "one entry for each"),
    ({"standing": {"stops": ["bored"]}}, "its stops must be a list of reasons"),
    ({"standing": {"stops": [[]]}}, "its stops must be a list of reasons"),
    ({"standing": {"stops": []}}, "one entry for each"),
    ({"standing": {"is_stack": 1}}, "its is_stack must be"),
    ({"standing": {"restored_best": None}}, "its restored_best must be"),
    ({"standing": {"optimizer_state": 1}}, "its optimizer_state must be a name"),
    ({"standing": {"same_as": {"now": "elsewhere"}}}, "its same_as must be names"),
    ({"standing": {"same_as": []}}, "its same_as must be names"),
    ({"standing": {"same_as": {"layers": "now", "now": "layers"}}, "tensors": {"layers.1.W": None}}, "no tensor 'layers.1.W'"),
    ({"texts": {"standing": "{"}}, "its standing is not JSON"),
    ({"texts": {"standing": None}}, "no 'standing'"),
    ({"tensors": {"watch.best": np.zeros(7)}}, "watch.best must have shape"),
    ({"tensors": {"part.cost": np.zeros(7)}}, "part.cost must have shape"),
    ({"tensors": {"part.cost": None}}, "no tensor 'part.cost'"),
    ({"tensors": {"rate": np.zeros(7)}}, "rate must be one number"),
    ({"tensors": {"optimizer.t": None}}, "its optimizer must have the tensors"),
    ({"tensors": {"optimizer.more": np.zeros(1)}}, "its optimizer must have the tensors"),
    ({"tensors": {"optimizer.squares.1.b": np.zeros((1, 4))}}, "optimizer.squares.1.b must have shape"),
    ({"tensors": {"layers.1.W": np.zeros((5, 4, 3))}}, "its layers must"),
    ({"tensors": {"history.cost": np.zeros((3, 9))}}, "history.cost must have one number an epoch"),
    ({"tensors": {"history.seconds": np.zeros(())}}, "history.seconds must have one number an epoch"),
]


@pytest.mark.parametrize(("changes", "says"), LIES, ids=[says for _, says in LIES])
def test_a_checkpoint_that_lies_is_refused(forge, resume, changes, says):
    path = forge(**changes)
    with pytest.raises(FileFormatError, match=says) as caught:
        resume()
    assert "\n" not in str(caught.value)
    for read in (load, look_at_checkpoint):  # which do without some of it
        with contextlib.suppress(FileFormatError):
            read(path)


def test_more_batches_than_an_epoch_has_are_refused_and_none_is_left_out(forge, resume):
    forge(standing={"batches": 9, "weight": 20.0})
    with pytest.raises(RangeError, match="9 batches of epoch 4 can't have been done"):
        resume()


def test_a_model_s_file_is_no_checkpoint(forge, resume):
    forge(texts={"kind": "model", "run": None})
    with pytest.raises(FileFormatError, match="wanted a checkpoint, got a model"):
        resume()
