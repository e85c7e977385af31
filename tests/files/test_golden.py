"""Files that earlier versions have written load, with the values that they were written with."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from files.golden import make

from mlpxp import Model, Stop, TrainingResult, load, predict
from mlpxp.arrays.standard import tree_leaves
from mlpxp.files import load_model
from mlpxp.files.schema import opened

GOLDEN = Path(__file__).parent / "golden"
BEFORE = np.asarray([[0.49984962, 0.44806078, 0.50819176, 0.43286628]])  # what the model of before-kinds.safetensors predicts


def same(one, other):
    pairs = list(zip(tree_leaves(one), tree_leaves(other), strict=True))
    return bool(pairs) and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


@pytest.fixture(params=[None, "again"], ids=["as committed", "as made now"])
def golden(request, tmp_path):
    """A function that returns the path of a golden file: the committed one, or one that the script makes now."""
    if request.param is None:
        return GOLDEN.joinpath
    make.main(tmp_path)
    return tmp_path.joinpath


def test_a_model(golden):
    found, wanted = load(golden("model.safetensors")), make.model()
    assert isinstance(found, Model)
    assert same(found.parameters, wanted.parameters)
    assert (found.network, found.dtype, found.metadata) == (wanted.network, "float32", {"note": "é ☃", "n": [1, None]})
    assert found.arrays["mean"].tolist() == [0.5, -0.25]


@pytest.mark.parametrize("name", ["result", "stack"])
def test_a_result(golden, name):
    found, wanted = load(golden(f"{name}.safetensors")), getattr(make, name)()
    assert isinstance(found, TrainingResult)
    for field in ("parameters", "last_parameters", "optimizer_state"):
        assert same(getattr(found, field), getattr(wanted, field))
    assert type(found.optimizer_state) is type(wanted.optimizer_state)
    for field in ("network", "stop", "best_epoch", "seed", "restored_best"):
        assert getattr(found, field) == getattr(wanted, field)
    for field in ("cost", "validation_cost", "validation_score", "seconds", "learning_rate"):
        assert np.array_equal(getattr(found.history, field), getattr(wanted.history, field), equal_nan=True)


def test_a_checkpoint(golden, tmp_path):
    path = shutil.copy(golden("run.ckpt"), tmp_path / "copy.ckpt")
    found = load(path)
    assert (found.stop, found.epochs, found.optimizer_state.t) == (Stop.INTERRUPTED, 2, 10.0)
    resumed, whole = make.run(checkpoint=path, resume=True), make.run()
    for one, other in zip(tree_leaves(resumed.parameters), tree_leaves(whole.parameters), strict=True):
        assert np.abs(one - other).max() < 1e-12  # another machine's rounding
    assert resumed.epochs == 5


def test_a_model_from_before_files_said_what_they_hold():
    path = GOLDEN / "before-kinds.safetensors"
    with opened(path) as reader:
        assert "kind" not in reader.texts
    for found in (load(path), load_model(path)):
        assert isinstance(found, Model)
        assert found.network.sizes == (2, 2, 1)
        assert found.metadata["training"]["epochs"] == 3
        assert found.versions["mlpxp"] == "0.1.0"
        A = predict(found.network, found.parameters, make.X.astype("float32"))
        assert np.abs(A - BEFORE).max() < 1e-6
