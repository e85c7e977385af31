"""One run by every way that X may come in, and by another one after a checkpoint."""

import itertools

import numpy as np
import pytest
from training_runs import NETWORK, data, listed, start

from mlpxp import Adam, GradientDescent, RangeError, Rows, stack, train
from mlpxp.arrays import draws
from mlpxp.files.checkpoint_file import look_at_checkpoint
from mlpxp.training.checkpoints import Checkpoints

M, SIZE = 23, 3  # seven whole batches and a smaller one
WEIGHTS = np.random.default_rng(3).uniform(0.1, 2.0, M)
WEIGHTS[draws.batch_order(5, 2, M)[6:12]] = 0.0  # the third and the fourth batch of the second epoch weigh nothing
RUNS = {
    "plain": {"optimizer": Adam(0.05)},
    "everything": {
        "optimizer": GradientDescent(lambda epoch: 0.1 / (1.0 + epoch), momentum=0.9), "weights": WEIGHTS, "dropout": 0.25,
        "penalty": 0.1, "penalty_on": "sum", "clip_norm": 0.5,
    },
    "repeats": {"optimizer": Adam(0.05), "order": lambda epoch: np.random.default_rng(epoch).integers(0, M, M), "dropout": 0.25},
    "whole": {"optimizer": Adam(0.05), "batch_size": None, "weights": WEIGHTS},
}  # fmt: skip


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def mapped(X, folder):
    file = np.memmap(folder / "X", dtype=X.dtype, mode="w+", shape=X.T.shape)
    file[...] = X.T
    file.flush()
    return np.memmap(folder / "X", dtype=X.dtype, mode="r", shape=X.T.shape)


WAYS = {
    "array": lambda X, _: X,
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "read-only": lambda X, _: read_only(X),
    "backwards": lambda X, _: X[:, ::-1].copy()[:, ::-1],
    "rows": lambda X, _: Rows(X.T.copy()),
    "mapped": lambda X, folder: mapped(X, folder).T,
    "mapped rows": lambda X, folder: Rows(mapped(X, folder)),
    "chosen rows": lambda X, _: Rows(np.concatenate([np.full((2, 3), np.nan), X.T[::-1]]), np.arange(M + 1, 1, -1)),
}


class CutError(Exception):
    """A write of a checkpoint after which nothing more happens."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that trains by a way, from a checkpoint on and up to one if that is wanted."""
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 2)
    X, Y = data(m=M)
    write = Checkpoints._write

    def trained(name, way, *, writes=None, resume=False):
        left = [writes]

        def counted(self, kept):
            write(self, kept)
            left[0] = None if left[0] is None else left[0] - 1
            if left[0] == 0:
                raise CutError

        monkeypatch.setattr(Checkpoints, "_write", counted)
        options = {"epochs": 4, "batch_size": SIZE, "seed": 5, "start": start(), **RUNS[name]}
        if writes is not None or resume:
            options |= {"checkpoint": tmp_path / "run.ckpt", "every_seconds": 0, "resume": resume}
        return train(NETWORK, WAYS[way](X, tmp_path), Y, **options)

    return trained


def assert_the_same(one, other):
    assert listed((one.parameters, one.optimizer_state)) == listed((other.parameters, other.optimizer_state))
    assert one.history.cost == other.history.cost
    assert one.history.learning_rate == other.history.learning_rate


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_is_the_same_run(run, name, way):
    assert_the_same(run(name, way), run(name, "array"))


def pairs(name):
    """Two ways: all pairs of two runs; of the others, whose code they share, each way and three others, and each place of a cut twice."""
    if name in {"everything", "whole"}:
        return list(itertools.permutations(WAYS, 2))
    ways = list(WAYS)
    return [(way, ways[(place + step) % len(ways)]) for step in (1, 3, 4) for place, way in enumerate(ways)]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_began_by_one_way_ends_by_another_as_if_nothing_had_happened(run, name, tmp_path):
    whole = run(name, "array")
    for number, (first, then) in enumerate(pairs(name)):
        with pytest.raises(CutError):
            run(name, first, writes=2 + number % (4 if name == "whole" else 12))  # after another batch each time
        found = look_at_checkpoint(tmp_path / "run.ckpt")
        assert found.epochs + found.batches > 0
        assert_the_same(run(name, then, resume=True), whole)
        for file in tmp_path.iterdir():
            file.unlink()


@pytest.mark.parametrize(("first", "then"), [("array", "rows"), ("rows", "array")])
def test_a_stack_too(tmp_path, monkeypatch, first, then):
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 3)
    X, Y = data(m=M)
    options = {"optimizer": Adam(0.05), "batch_size": SIZE, "start": stack([start(0), start(1)]), "dropout": 0.25}
    whole = train(NETWORK, X, Y, epochs=4, **options)
    train(NETWORK, WAYS[first](X, tmp_path), Y, epochs=2, checkpoint=tmp_path / "run.ckpt", **options)
    resumed = train(NETWORK, WAYS[then](X, tmp_path), Y, epochs=4, checkpoint=tmp_path / "run.ckpt", resume=True, **options)
    assert_the_same(resumed, whole)


def test_other_rows_are_other_data(tmp_path):
    X, Y = data(m=M)
    train(NETWORK, X, Y, optimizer=Adam(0.05), epochs=1, checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(RangeError, match="other data of the same shape"):
        train(NETWORK, Rows(X.T, np.arange(M)[::-1]), Y, optimizer=Adam(0.05), epochs=2, checkpoint=tmp_path / "run.ckpt", resume=True)
