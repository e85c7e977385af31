"""A run that is cut anywhere and resumed ends bit for bit as one that wasn't."""

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from training_runs import NETWORK, OPTIMIZERS, data, is_finite, start

import mlpxp
from mlpxp import (
    Activation,
    Adam,
    AdamW,
    CheckpointWarning,
    Cosine,
    DivergenceError,
    FileFormatError,
    GradientDescent,
    Network,
    OutputError,
    RangeError,
    Rows,
    Stop,
    TrainingResult,
    WarmUp,
    initialize,
    load,
    train,
)
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.files.checkpoint_file import look_at_checkpoint
from mlpxp.files.disk import previous_of
from mlpxp.training.checkpoints import Checkpoints, said

EPOCHS = 12


class CutError(Exception):
    """What ends a run in a test, as a kill does: nothing after it is done."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.ckpt"


@pytest.fixture
def cut(monkeypatch):
    """A function that lets a run write so many checkpoints, and ends it right after the last."""

    def after(writes):
        write, left = Checkpoints._write, [writes]

        def written(self, kept):
            write(self, kept)
            left[0] -= 1
            if not left[0]:
                monkeypatch.setattr(Checkpoints, "_write", write)
                raise CutError

        monkeypatch.setattr(Checkpoints, "_write", written)

    return after


def bits(tree):
    return [(leaf.shape, leaf.dtype, leaf.tobytes()) for leaf in map(np.asarray, tree_leaves(tree))]


def assert_the_same(one, other):
    """Two results, but for the time they took."""
    for name in ("parameters", "last_parameters", "optimizer_state"):
        assert bits(getattr(one, name)) == bits(getattr(other, name)), name
    for name in ("cost", "validation_cost", "validation_score", "learning_rate"):
        assert np.array_equal(getattr(one.history, name), getattr(other.history, name), equal_nan=True), name
    for name in ("network", "stop", "best_epoch", "seed", "restored_best"):
        assert getattr(one, name) == getattr(other, name), name
    assert len(one.history.seconds) == len(other.history.seconds)


ROWS = Rows(np.ascontiguousarray(data(m=50)[0].T)), data(m=50)[1]
WEIGHTS = np.where(np.arange(50) % 7 == 0, 0.0, np.linspace(0.1, 2.0, 50))
DEEP = Network((3, 5, 4, 2), hidden=("relu", "gelu"), output="softmax", loss="cross_entropy")
STRAIGHT = Network((3, 2), output="identity")
STACK = initialize(NETWORK, seed=[0, 1, 2], dtype="float64")
RUNS = {
    **{f"{optimizer}": {"optimizer": optimizer, "batch_size": 8} for optimizer in OPTIMIZERS},
    "whole batches": {"optimizer": Adam(0.05)},
    "float32": {"optimizer": AdamW(0.05), "batch_size": 8, "data": data(m=50, dtype="float32")},
    "dropout": {"dropout": 0.3, "batch_size": 8},
    "two rates of dropout": {"network": DEEP, "dropout": (0.2, 0.5), "batch_size": 7},
    "schedule": {"optimizer": GradientDescent(WarmUp(3, Cosine(0.5, 9)), momentum=0.9), "batch_size": 8},
    "patience": {"optimizer": Adam(0.5), "batch_size": 8, "validation": data(1, m=20), "patience": 4},
    "tolerance": {"optimizer": Adam(0.05), "batch_size": 8, "tolerance": 0.02},
    "validation": {"batch_size": 8, "validation": (*data(1, m=20), np.linspace(0.0, 1.0, 20))},
    "penalty": {"batch_size": 8, "penalty": 0.01},
    "penalty on the sum": {"batch_size": 8, "penalty": 0.1, "penalty_on": "sum", "weights": WEIGHTS},
    "weights": {"batch_size": 2, "weights": WEIGHTS},
    "clipped": {"batch_size": 8, "clip_norm": 0.1},
    "stack": {"start": STACK, "batch_size": 8},
    "stack with rates": {"start": STACK, "optimizer": AdamW((0.01, 0.1, 1.0)), "batch_size": 8, "dropout": 0.1},
    "stack with patience": {
        "start": STACK, "optimizer": Adam((0.001, 0.1, 2.0)), "batch_size": 8, "validation": data(1, m=20), "patience": 3,
    },
    "diverging member": {
        "network": STRAIGHT, "start": initialize(STRAIGHT, seed=[0, 1, 2], dtype="float64"), "batch_size": 8,
        "optimizer": GradientDescent((0.1, 1e4, 0.2), momentum=0.5),
    },
    "rows": {"data": ROWS, "batch_size": 8, "optimizer": Adam(0.05)},
    "rows, whole": {"data": ROWS, "optimizer": Adam(0.05)},
    "one input, one output": {
        "network": Network((1, 1), output="identity"), "data": (np.linspace(-1, 1, 50)[None], np.linspace(1, 3, 50)[None]), "batch_size": 7,
    },
    "columns beside each other": {"data": tuple(map(np.asfortranarray, data(m=50))), "optimizer": Adam(0.05)},
    "a start in columns": {"start": tree_map(np.asfortranarray, start()), "optimizer": AdamW(0.05), "batch_size": 8},
}  # fmt: skip


def run(name="Adam", **more):
    options = {"optimizer": Adam(0.05), "epochs": EPOCHS, "data": data(m=50), "network": NETWORK} | RUNS.get(name, {}) | more
    return train(options.pop("network"), *options.pop("data"), **options)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_was_cut_after_an_epoch_ends_as_one_that_wasn_t(path, cut, name):
    whole = run(name)
    for epochs in (1, 4):
        cut(1 + epochs)
        with pytest.raises(CutError):
            run(name, checkpoint=path, every=1)
        assert look_at_checkpoint(path).epochs == epochs
        assert_the_same(run(name, checkpoint=path, resume=True), whole)
        for file in path.parent.iterdir():
            file.unlink()


@pytest.mark.parametrize("name", [name for name in RUNS if name not in {"whole batches", "rows, whole", "columns beside each other"}])
def test_a_run_that_was_cut_within_an_epoch_ends_as_one_that_wasn_t(path, cut, monkeypatch, name):
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 2)
    whole = run(name)
    cut(13)  # the first, and one a fold
    with pytest.raises(CutError):
        run(name, checkpoint=path, every_seconds=0)
    found = look_at_checkpoint(path)
    assert found.epochs + found.batches > 0
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 5)  # the file says how the epochs are cut
    for _ in range(2):
        cut(5)
        with pytest.raises(CutError):
            run(name, checkpoint=path, every_seconds=0, resume=True)
    assert look_at_checkpoint(path).epochs > found.epochs or look_at_checkpoint(path).batches > found.batches
    assert_the_same(run(name, checkpoint=path, resume=True), whole)


@pytest.mark.parametrize("fold", [0, 1, 2, 3])
def test_every_place_within_an_epoch(path, cut, monkeypatch, fold):
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 2)
    cut(1 + 4 * 4 + fold)  # seven batches are four folds: three times within the epoch, and once after it
    with pytest.raises(CutError):
        run("dropout", checkpoint=path, every_seconds=0)
    assert (look_at_checkpoint(path).epochs, look_at_checkpoint(path).batches) == (4, 2 * fold)
    assert_the_same(run("dropout", checkpoint=path, resume=True), run("dropout"))


def test_memory_mapped_data(tmp_path, path, cut):
    X, Y = data(m=50)
    mapped = np.memmap(tmp_path / "X", dtype="float64", mode="w+", shape=(50, 3))
    mapped[:] = X.T
    whole = run(data=(Rows(mapped), Y), batch_size=8)
    cut(20)
    with pytest.raises(CutError):
        run(data=(Rows(mapped), Y), batch_size=8, checkpoint=path, every_seconds=0)
    assert_the_same(run(data=(Rows(mapped), Y), batch_size=8, checkpoint=path, resume=True), whole)


def test_a_checkpointed_run_is_the_run_itself(path):
    assert_the_same(run("dropout", checkpoint=path, every_seconds=0), run("dropout"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_on_every_backend_to_rounding(path, cut, backend, to_device, to_host, optimizer):
    options = {
        "optimizer": optimizer,
        "batch_size": 8,
        "data": to_device(data(m=50)),
        "validation": to_device(data(1, m=20)),
        "patience": 3,
    }
    whole = run(**options)
    cut(6)
    with pytest.raises(CutError):
        run(**options, checkpoint=path, every=1)
    resumed = run(**options, checkpoint=path, resume=True)
    for one, other in zip(tree_leaves(to_host(resumed.parameters)), tree_leaves(to_host(whole.parameters)), strict=True):
        assert np.abs(one - other).max() <= 1e-12
    assert resumed.stop == whole.stop


def test_a_run_goes_on_on_another_backend(path, cut, backend, to_device, to_host):
    cut(6)
    with pytest.raises(CutError):
        run("dropout", checkpoint=path, every=1)
    resumed, whole = run("dropout", checkpoint=path, resume=True, data=to_device(data(m=50))), run("dropout")
    for one, other in zip(tree_leaves(to_host(resumed.parameters)), tree_leaves(whole.parameters), strict=True):
        assert np.abs(one - other).max() <= 1e-12


def test_resuming_twice_and_resuming_what_had_ended_changes_nothing(path):
    whole = run("patience", checkpoint=path)
    before = path.read_bytes()
    assert_the_same(run("patience", checkpoint=path, resume=True), whole)
    assert path.read_bytes() == before


def test_without_a_checkpoint_resume_begins(path):
    assert_the_same(run(checkpoint=path, resume=True), run())


def test_more_epochs_go_on_from_the_end(path):
    run(checkpoint=path, epochs=5)
    assert_the_same(run(checkpoint=path, resume=True), run())


def test_a_run_from_an_earlier_result_is_resumed_with_it(path, cut):
    earlier = run(epochs=3, validation=data(1, m=20), patience=9)
    options = {"start": earlier, "epochs": 7, "validation": data(1, m=20), "patience": 9}
    whole = run(**options)
    cut(4)
    with pytest.raises(CutError):
        run(**options, checkpoint=path, every=1)
    assert look_at_checkpoint(path).epochs == 6
    resumed = run(**options, checkpoint=path, resume=True)
    assert_the_same(resumed, whole)
    assert resumed.epochs == 10


def test_time_that_was_up_counts_and_more_time_goes_on(path, monkeypatch):
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 1)
    now = [0.0]
    monkeypatch.setattr("mlpxp.training.loop.time.perf_counter", lambda: now[0])

    def later(epoch):
        now[0] += 10.0

    stopped = run("dropout", checkpoint=path, max_seconds=35.0, callbacks=[later])
    assert (stopped.stop, stopped.epochs) == (Stop.TIME, 4)
    again = run("dropout", checkpoint=path, max_seconds=35.0, callbacks=[later], resume=True)
    assert (again.stop, again.epochs) == (Stop.TIME, 4)
    assert_the_same(run("dropout", checkpoint=path, resume=True), run("dropout"))


def test_a_callback_s_stop_is_remembered(path):
    options = {"callbacks": [lambda epoch: epoch.number == 5], "checkpoint": path}
    assert run(**options).stop is Stop.CALLBACK
    again = run(**options, resume=True)
    assert (again.stop, again.epochs) == (Stop.CALLBACK, 5)


def test_an_order_that_is_drawn_anew_each_time_is_asked_for_what_is_done(path, cut):
    def shuffled():
        random = np.random.default_rng(3)
        return lambda number: random.permutation(50)

    whole = run(batch_size=8, order=shuffled())
    cut(6)
    with pytest.raises(CutError):
        run(batch_size=8, order=shuffled(), checkpoint=path, every=1)
    assert_the_same(run(batch_size=8, order=shuffled(), checkpoint=path, resume=True), whole)


def test_ctrl_c_leaves_the_last_checkpoint(path):
    def interrupt(epoch):
        if epoch.number == 6:
            raise KeyboardInterrupt

    result = run(checkpoint=path, every=2, callbacks=[interrupt])
    assert result.stop is Stop.INTERRUPTED
    assert look_at_checkpoint(path).epochs == 4
    assert_the_same(run(checkpoint=path, resume=True), run())


def test_a_run_that_diverges_leaves_its_last_checkpoint(path):
    options = {"network": STRAIGHT, "optimizer": GradientDescent(1e4), "batch_size": 8, "checkpoint": path}
    with pytest.raises(DivergenceError) as caught:
        run(**options, every=1)
    finite = len(caught.value.history.cost)
    assert look_at_checkpoint(path).epochs == finite > 2
    assert is_finite(load(path).parameters)
    with pytest.raises(DivergenceError) as again:
        run(**options, resume=True)
    assert bits(again.value.parameters) == bits(caught.value.parameters)


def test_the_member_that_diverges_does_so_after_the_cut():
    result = run("diverging member")
    assert result.stop == (Stop.MAXIMUM, Stop.DIVERGED, Stop.MAXIMUM)
    assert 4 < len([cost for _, cost, _ in result.history.cost if np.isfinite(cost)]) < EPOCHS


def test_an_activation_and_an_optimizer_of_the_caller_s_own(path, cut):
    class Half:
        """Half a step of gradient descent each time; its state is a plain tuple of its own sort."""

        learning_rate = 0.1

        def start(self, parameters):
            return mlpxp.core.optimizers.MomentumState(np.asarray(0.1), parameters)

        def update(self, parameters, gradients, state):
            moved = tree_map(lambda W, g, v: W - 0.5 * state.learning_rate * (g + 0.001 * v), parameters, gradients, state.velocity)
            return moved, state._replace(velocity=gradients)

    network = Network(
        (3, 4, 2), hidden=Activation("mine", lambda Z: 0.5 * Z, lambda Z, A: 0.5 + 0.0 * A), output="softmax", loss="cross_entropy"
    )
    whole = run(network=network, optimizer=Half(), batch_size=8)
    cut(5)
    with pytest.raises(CutError):
        run(network=network, optimizer=Half(), batch_size=8, checkpoint=path, every=1)
    assert_the_same(run(network=network, optimizer=Half(), batch_size=8, checkpoint=path, resume=True), whole)
    with pytest.raises(FileFormatError, match="'mine'"):
        load(path)


def test_when_checkpoints_are_written(path, monkeypatch):
    epochs = []
    monkeypatch.setattr(Checkpoints, "_write", lambda self, kept: epochs.append(len(kept.snapshot.history.cost)))
    run(checkpoint=path, every=5)
    assert epochs == [0, 5, 10, 12]
    epochs.clear()
    run(checkpoint=path)
    assert epochs == [0, 12]  # a minute is long
    epochs.clear()
    now = [0.0]
    monkeypatch.setattr("mlpxp.training.checkpoints.time.perf_counter", lambda: now[0])

    def later(epoch):
        now[0] += 25.0

    run(checkpoint=path, callbacks=[later])
    assert epochs == [0, 3, 6, 9, 12]
    epochs.clear()
    run(checkpoint=path, every=5, every_seconds=100, callbacks=[later])
    assert epochs == [0, 4, 5, 9, 10, 12]


def test_the_last_two_are_kept_and_nothing_else(path):
    run(checkpoint=path, every=1)
    assert {file.name for file in path.parent.iterdir()} == {"run.ckpt", "run.ckpt.previous"}
    assert (look_at_checkpoint(path).epochs, look_at_checkpoint(previous_of(path)).epochs) == (12, 11)


@pytest.mark.parametrize("damage", ["cut", "gone", "foreign"])
def test_a_damaged_checkpoint_is_said_and_the_one_before_is_taken(path, damage):
    whole = run("dropout", checkpoint=path, every=1)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "foreign":
        path.write_bytes(b"hello")
    else:
        path.unlink()
    with pytest.warns(CheckpointWarning, match=r"run\.ckpt.*; going on from the checkpoint before, .*previous, of epoch 11") as caught:
        resumed = run("dropout", checkpoint=path, resume=True)
    assert caught[0].filename == __file__
    assert_the_same(resumed, whole)
    assert look_at_checkpoint(path).epochs == 12


@pytest.mark.filterwarnings("ignore::mlpxp.CheckpointWarning")
def test_a_damaged_checkpoint_never_takes_the_place_of_the_good_one_before(path, cut):
    run(checkpoint=path, every=1, epochs=6)
    path.write_bytes(b"hello")
    for epochs, before in ((6, 5), (7, 6)):
        cut(1)
        with pytest.raises(CutError):
            run(checkpoint=path, every=1, resume=True)
        assert (look_at_checkpoint(path).epochs, look_at_checkpoint(previous_of(path)).epochs) == (epochs, before)


def test_two_damaged_checkpoints_are_an_error(path):
    run(checkpoint=path, every=1)
    for file in (path, previous_of(path)):
        file.write_bytes(b"hello")
    with pytest.raises(FileFormatError, match="damaged or cut short"):
        run(checkpoint=path, resume=True)


def test_leftovers_of_killed_writers_are_removed(path):
    run(checkpoint=path)
    from mlpxp.files import disk as files

    leftover = files._temporary(str(path))
    leftover.write_bytes(b"half")
    other = files._temporary(str(path.with_name("other")))
    other.write_bytes(b"somebody is writing it")
    run(checkpoint=path, resume=True)
    assert not leftover.exists()
    assert other.exists()


def test_a_run_that_is_there_is_not_overwritten(path):
    run(checkpoint=path, epochs=1)
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"run\.ckpt holds a run already: resume it, or remove it and .*previous to begin anew"):
        run(checkpoint=path)
    assert path.read_bytes() == before


def test_a_file_that_holds_no_run_is_not_overwritten_nor_is_its_removal_advised(path):
    mlpxp.save(path, mlpxp.Model(NETWORK, start()))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"run\.ckpt is there already and holds no run that can be read: name another file"):
        run(checkpoint=path)
    with pytest.raises(FileFormatError, match="wanted a checkpoint, got a model"):
        run(checkpoint=path, resume=True)
    assert path.read_bytes() == before


OTHERS = [
    ({"network": DEEP}, "network"),
    ({"network": Network((3, 4, 2), hidden="relu", output="softmax", loss="cross_entropy")}, "network"),
    ({"start": STACK}, "networks 1, and this one has 3"),
    ({"optimizer": AdamW(0.05)}, "optimizer Adam"),
    ({"optimizer": Adam(0.06)}, r"optimizer .*learning_rate=0\.05.*learning_rate=0\.06"),
    ({"optimizer": Adam(Cosine(0.05, 12))}, r"learning_rate=Cosine\(rate=0\.05"),
    ({"data": data(m=50, dtype="float32")}, "dtype float64, and this one has float32"),
    ({"data": data(m=49)}, r"X of shape \[3, 50\], and this one has \[3, 49\]"),
    ({"data": data(5, m=50)}, "other data of the same shape: "),
    ({"weights": WEIGHTS}, "other data"),
    ({"batch_size": 9}, "batch_size 8, and this one has 9"),
    ({"batch_size": None}, "batch_size 8, and this one has 50"),
    ({"seed": 1}, "seed 0, and this one has 1"),
    ({"tolerance": 0.1}, r"tolerance none, and this one has 0\.1"),
    ({"patience": 3}, "patience none, and this one has 3"),
    ({"penalty": 0.1}, r"penalty 0\.0, and this one has 0\.1"),
    ({"penalty_on": "sum"}, "penalty_on mean, and this one has sum"),
    ({"dropout": 0.2}, "dropout"),
    ({"clip_norm": 1.0}, "clip_norm none"),
    ({"order": lambda number: np.arange(50)}, "order drawn from the seed, and this one has given"),
    ({"validation": data(1)}, "validation data none"),
]


@pytest.mark.parametrize(("changed", "says"), OTHERS, ids=[next(iter(changed)) for changed, _ in OTHERS])
def test_another_run_does_not_go_on_from_it(path, changed, says):
    run(batch_size=8, checkpoint=path, epochs=2)
    before = path.read_bytes()
    with pytest.raises(
        RangeError, match=rf"run\.ckpt is of a run with .*{says}.*go on with the arguments of the run that wrote it"
    ) as caught:
        run(**{"batch_size": 8} | changed, checkpoint=path, resume=True)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_another_start_s_epochs_are_another_run(path):
    run(checkpoint=path, epochs=2)
    with pytest.raises(RangeError, match="earlier epochs 0, and this one has 3"):
        run(checkpoint=path, start=run(epochs=3), resume=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"checkpoint": 3}, "checkpoint must be the name of a file"),
        ({"every": 1}, "every needs checkpoint"),
        ({"every_seconds": 1}, "every_seconds needs checkpoint"),
        ({"resume": True}, "resume needs checkpoint"),
        ({"checkpoint": "x", "every": 0}, "every must be a whole number from 1"),
        ({"checkpoint": "x", "every": 1.5}, "every must be a whole number from 1"),
        ({"checkpoint": "x", "every_seconds": -1}, "every_seconds must be a number from 0"),
        ({"checkpoint": "x", "every_seconds": True}, "every_seconds must be a number from 0"),
        ({"checkpoint": "x", "resume": "yes"}, "resume must be True or False"),
    ],
)
def test_options_out_of_range(tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RangeError, match=says):
        run(**options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "nowhere/run.ckpt", ".", "a\0b"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_place_that_can_t_be_written_is_an_error_before_training(tmp_path, monkeypatch, name, resume):
    monkeypatch.chdir(tmp_path)
    seen = []
    with pytest.raises(OutputError):
        run(checkpoint=name, resume=resume, callbacks=[seen.append])
    assert seen == []


def test_a_disk_that_is_too_small_is_an_error_before_training(path, full_disk):
    full_disk(True)
    seen = []
    with pytest.raises(OutputError, match=r"run\.ckpt can't be written: No space left on device"):
        run(checkpoint=path, callbacks=[seen.append])
    assert seen == []
    assert list(path.parent.iterdir()) == []


@pytest.fixture
def full_disk(monkeypatch):
    """A function that makes the disk full, or not any more."""
    from mlpxp.files import disk as files

    fsync = files.os.fsync
    full = [False]

    def refuse(descriptor):
        if full[0]:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", refuse)
    return lambda state: full.__setitem__(0, state)


def test_a_full_disk_is_said_at_once_and_training_goes_on(path, full_disk):
    def watch(epoch):
        full_disk(4 <= epoch.number < 9)

    with pytest.warns(CheckpointWarning) as caught:
        result = run(checkpoint=path, every=1, callbacks=[watch])
    assert_the_same(result, run())
    assert {one.filename for one in caught} == {__file__}
    assert [str(one.message) for one in caught] == [
        f"no checkpoint after epoch {epoch}: {path} can't be written: No space left on device; "
        "training goes on, and the next checkpoint is tried again"
        for epoch in range(4, 9)
    ]
    assert {file.name for file in path.parent.iterdir()} == {"run.ckpt", "run.ckpt.previous"}
    assert look_at_checkpoint(path).epochs == 12


def test_a_disk_that_stays_full_leaves_the_last_good_checkpoint(path, full_disk):
    with pytest.warns(CheckpointWarning):
        result = run(checkpoint=path, every=1, callbacks=[lambda epoch: full_disk(epoch.number >= 4)])
    assert result.epochs == 12
    assert look_at_checkpoint(path).epochs == 3
    full_disk(False)
    assert_the_same(run(checkpoint=path, resume=True), run())


def test_a_folder_that_becomes_read_only_or_goes_away(path, monkeypatch):
    """Root may write anywhere, so the system's answer is played; a folder that is gone is gone for root too."""
    from mlpxp.files import disk as files

    opening = files.os.open

    def refuse(place, flags, *mode):
        if flags & files.os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opening(place, flags, *mode)

    def take(epoch):
        if epoch.number == 4:
            monkeypatch.setattr(files.os, "open", refuse)
        if epoch.number == 8:
            monkeypatch.setattr(files.os, "open", opening)
            path.parent.rename(path.parent.with_name("elsewhere"))

    with pytest.warns(CheckpointWarning) as caught:
        result = run(checkpoint=path, every=1, callbacks=[take])
    assert_the_same(result, run())
    assert "Permission denied" in str(caught[0].message)
    assert "does not exist" in str(caught[-1].message)
    assert len(caught) == 10  # nine epochs, and the end once more


def test_too_little_memory_for_a_copy_is_a_warning_too(path, monkeypatch):
    run(checkpoint=path, epochs=1)

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("mlpxp.training.checkpoints.write_file", fail)
    with pytest.warns(CheckpointWarning, match="there is not enough memory"):
        assert_the_same(run(checkpoint=path, resume=True), run())


def test_a_checkpoint_loads_as_an_interrupted_result(path, cut):
    cut(6)
    with pytest.raises(CutError):
        run("patience", checkpoint=path, every=1)
    result = load(path)
    assert isinstance(result, TrainingResult)
    assert (result.stop, result.epochs) == (Stop.INTERRUPTED, 5)
    shorter = run("patience", epochs=5)
    assert_the_same(replace(result, stop=shorter.stop), shorter)


def test_safetensors_is_asked_for_before_training(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    seen = []
    with pytest.raises(mlpxp.MissingLibraryError, match=r"pip install 'mlpxp\[files\]'"):
        run(checkpoint=path, callbacks=[seen.append])
    assert seen == []


def test_a_function_is_said_by_its_name_so_that_another_process_says_the_same():
    assert said(Adam(lambda epoch: 0.1)).startswith("Adam(learning_rate=test_a_function_is_said")
    assert said(GradientDescent((0.1, 0.2))) == "GradientDescent(learning_rate=(0.1, 0.2), momentum=0.0, nesterov=False)"
    assert "0x" not in said(Adam(partial(Cosine(0.1, 3))))


def test_nothing_is_written_without_being_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run()
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "tolerance", "patience"),
    [({}, None, None), ({"tolerance": 0.0}, 0.0, 10), ({"patience": 3}, None, 3), ({"tolerance": 0.5, "patience": 2}, 0.5, 2)],
    ids=str,
)
def test_a_checkpoint_says_what_was_asked_for_and_not_what_that_comes_to(path, asked, tolerance, patience):
    run(checkpoint=path, epochs=1, **asked)
    told = look_at_checkpoint(path).run
    assert (told["tolerance"], told["patience"]) == (tolerance, patience)
    run(checkpoint=path, resume=True, epochs=2, **asked)
