"""``mlpxp train --checkpoint``: runs that are interrupted, killed, resumed, and that find their disk full."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlpxp import OutputError, TrainingResult, load
from mlpxp.arrays.standard import tree_leaves
from mlpxp.cli import _fitting as fitting
from mlpxp.files import load_model
from mlpxp.files.checkpoint_file import look_at_checkpoint

TRAIN = ("train", "iris", "--epochs", "8", "--validation", "0.2")


def is_one_error(text):
    return text.startswith("mlpxp: error: ") and text.count("\n") == 1


def bits(path):
    return [leaf.tobytes() for leaf in tree_leaves(load_model(path).parameters)]


@pytest.fixture
def interrupted(monkeypatch):
    """A function that lets Ctrl-C come after some epochs of the next training."""
    train = fitting.train

    def after(epochs):
        def interrupt(epoch):
            if epoch.number == epochs:
                raise KeyboardInterrupt

        def once(*data, callbacks, **options):
            monkeypatch.setattr(fitting, "train", train)
            return train(*data, callbacks=(*callbacks, interrupt), **options)

        monkeypatch.setattr(fitting, "train", once)

    return after


def test_a_run_that_was_interrupted_is_resumed_to_the_same_model(run, files, interrupted):
    run(*TRAIN, "--output", "whole.safetensors")
    interrupted(5)
    first = run(*TRAIN, "--checkpoint", "run.ckpt", "--every", "1")
    assert first.code == 130
    assert "checkpoint  run.ckpt holds the run: the same command with --resume goes on" in first.out
    assert look_at_checkpoint("run.ckpt").epochs == 4
    second = run(*TRAIN, "--checkpoint", "run.ckpt", "--resume")
    assert second.code == 0
    assert "8 epochs" in second.out
    assert bits("model.safetensors") == bits("whole.safetensors")
    assert set(files()) == {"model.safetensors", "whole.safetensors", "run.ckpt", "run.ckpt.previous"}


def test_the_model_file_and_the_record_are_those_of_any_run(run):
    plain = run(*TRAIN, "--json").json
    kept = run(*TRAIN, "--json", "--checkpoint", "run.ckpt").json
    assert plain["checkpoint"] is None
    assert kept["checkpoint"] == "run.ckpt"
    for name in ("scores", "costs", "epochs", "stop"):
        assert plain[name] == kept[name]


def test_ctrl_c_before_the_first_epoch_ended_says_where_the_run_is(run, monkeypatch):
    train = fitting.train

    def interrupt(*data, **options):
        monkeypatch.setattr("mlpxp.training.loop.Loop._updates", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        return train(*data, **options)

    monkeypatch.setattr(fitting, "train", interrupt)
    result = run(*TRAIN, "--checkpoint", "run.ckpt")
    assert result.code == 130
    assert result.err == (
        "mlpxp: interrupted before the first epoch ended: no model was written; "
        "run.ckpt holds the run: the same command with --resume goes on\n"
    )
    assert look_at_checkpoint("run.ckpt").epochs == 0


def test_ctrl_c_while_the_data_are_read_again_says_where_the_run_is(run, monkeypatch):
    run(*TRAIN, "--checkpoint", "run.ckpt")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "load", interrupt)
    result = run(*TRAIN, "--checkpoint", "run.ckpt", "--resume")
    assert result.code == 130
    assert "mlpxp: interrupted; run.ckpt holds the run: the same command with --resume goes on\n" in result.err


def test_a_run_that_had_ended_writes_its_model_again(run):
    run(*TRAIN, "--checkpoint", "run.ckpt")
    before = bits("model.safetensors")
    Path("model.safetensors").unlink()
    assert run(*TRAIN, "--checkpoint", "run.ckpt", "--resume").code == 0
    assert bits("model.safetensors") == before


def test_resuming_where_there_is_nothing_begins_and_says_so(run):
    result = run(*TRAIN, "--checkpoint", "run.ckpt", "--resume")
    assert result.code == 0
    assert "note: there is no checkpoint run.ckpt yet, so that the run begins" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "run.ckpt holds a run: --resume goes on with it; to begin anew remove run.ckpt"),
        (("--resume", "--seed", "1"), "run.ckpt is of a run with"),
        (("--resume", "--hidden", "5"), "run.ckpt is of a run with network"),
        (("--resume", "--optimizer", "sgd"), "run.ckpt is of a run with optimizer"),
        (("--resume", "--epochs", "9"), "run.ckpt is of a run with optimizer Adam(learning_rate=Cosine(rate=0.001, epochs=8"),
        (("--resume", "--batch-size", "5"), "run.ckpt is of a run with batch_size 32, and this one has 5"),
        (("--resume", "--dtype", "float64"), "run.ckpt is of a run with dtype float32, and this one has float64"),
        (("--resume", "--every", "0"), "every must be a whole number from 1"),
        (("--resume", "--every-seconds", "-1"), "every_seconds must be a number from 0"),
        (("--output", "run.ckpt"), "are one file"),
        (("--resume", "--output", "run.ckpt.previous"), "run.ckpt.previous is where the checkpoint before run.ckpt is kept"),
    ],
)
def test_what_is_refused(run, arguments, says):
    run(*TRAIN, "--checkpoint", "run.ckpt")
    before = bits("run.ckpt")
    result = run(*TRAIN, "--checkpoint", "run.ckpt", *arguments)
    assert result.code == 2
    assert says in result.err
    assert is_one_error(result.err)
    assert bits("run.ckpt") == before


@pytest.mark.parametrize("arguments", [("--resume",), ("--every", "1"), ("--every-seconds", "1")])
def test_options_that_need_a_checkpoint(run, files, arguments):
    result = run(*TRAIN, *arguments)
    assert result.code == 2
    assert "needs checkpoint, the name of a file" in result.err
    assert files() == {}


def test_a_damaged_checkpoint_is_said_in_one_line(run):
    run(*TRAIN, "--checkpoint", "run.ckpt", "--every", "1")
    Path("run.ckpt").write_bytes(b"hello")
    result = run(*TRAIN, "--checkpoint", "run.ckpt", "--resume")
    assert result.code == 0
    assert result.err.startswith("mlpxp: warning: run.ckpt is no model file, or it is damaged or cut short")
    assert result.err.endswith("going on from the checkpoint before, run.ckpt.previous, of epoch 7\n")
    assert result.err.count("\n") == 1


def test_a_disk_that_is_full_is_said_in_one_line_and_the_model_is_written(run, monkeypatch):
    from mlpxp.training import checkpoints

    write, times = checkpoints.write_file, []

    def fail(path, *arguments, **options):
        times.append(path)
        if len(times) in {3, 4}:
            raise OutputError(f"{path} can't be written: No space left on device")
        write(path, *arguments, **options)

    monkeypatch.setattr(checkpoints, "write_file", fail)
    result = run(*TRAIN, "--checkpoint", "run.ckpt", "--every", "1")
    assert result.code == 0
    assert result.err.splitlines() == [
        f"mlpxp: warning: no checkpoint after epoch {epoch}: run.ckpt can't be written: No space left on device; "
        "training goes on, and the next checkpoint is tried again"
        for epoch in (2, 3)
    ]
    assert look_at_checkpoint("run.ckpt").epochs == 8
    assert load_model("model.safetensors").metadata["training"]["epochs"] == 8


def test_a_place_for_checkpoints_that_can_t_be_written(run, files):
    result = run(*TRAIN, "--checkpoint", "nowhere/run.ckpt")
    assert result.code == 2
    assert is_one_error(result.err)
    assert "does not exist; make it first" in result.err
    assert files() == {}


def test_show_says_where_the_run_stands(run, interrupted):
    interrupted(5)
    run(*TRAIN, "--checkpoint", "run.ckpt", "--every", "1")
    shown = run("show", "run.ckpt").out
    assert "run.ckpt: a checkpoint of a training run, 4 epochs done\n" in shown
    for text in ("Network((4, 128, 3)", "Adam(learning_rate=Cosine(", "batch_size 32", "with --resume"):
        assert text in " ".join(shown.split())
    found = run("show", "run.ckpt", "--json").json
    assert (found["checkpoint"], found["epochs"], found["batches"], found["run"]["batch_size"]) == ("run.ckpt", 4, 0, 32)
    assert len(found["history"]["cost"]) == 4
    assert isinstance(load("run.ckpt"), TrainingResult)


def test_a_checkpoint_is_no_model_to_predict_with(run):
    run(*TRAIN, "--checkpoint", "run.ckpt")
    for arguments in (("predict", "run.ckpt", "iris"), ("evaluate", "run.ckpt", "iris"), ("export", "run.ckpt", "model.onnx")):
        result = run(*arguments)
        assert result.code == 2
        assert "run.ckpt holds the run of a checkpoint and no model yet: the command that began it, with --resume" in result.err
        assert is_one_error(result.err)
    assert not Path("model.onnx").exists()


def test_a_file_that_holds_no_run_is_never_taken_for_one(run):
    run(*TRAIN)
    before = bits("model.safetensors")
    result = run(*TRAIN, "--checkpoint", "model.safetensors", "--output", "other.safetensors")
    assert result.code == 2
    assert "model.safetensors is there already and holds no run that can be read: name another file" in result.err
    result = run(*TRAIN, "--checkpoint", "model.safetensors", "--output", "other.safetensors", "--resume")
    assert result.code == 2
    assert "wanted a checkpoint, got a model" in result.err
    assert bits("model.safetensors") == before


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_process_that_is_stopped_leaves_a_checkpoint_to_go_on_from(run, tmp_path, how):
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from mlpxp.cli import main; main()"
    train = ["train", "moons", "--epochs", "60", "--hidden", "8"]
    command = [sys.executable, "-c", program, *train, "--checkpoint", "run.ckpt", "--every-seconds", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        while process.poll() is None and not (tmp_path / "run.ckpt.previous").exists():
            time.sleep(0.005)
        process.send_signal(getattr(signal, how))
        out, err = process.communicate(timeout=60)
    assert process.returncode == (130 if how == "SIGINT" else -signal.SIGKILL), err
    if how == "SIGINT":
        assert "run.ckpt holds the run: the same command with --resume goes on" in out + err
    assert look_at_checkpoint("run.ckpt").epochs < 60
    assert run(*train, "--checkpoint", "run.ckpt", "--resume", "--json").json["epochs"] == 60
    run(*train, "--output", "whole.safetensors")
    assert bits("model.safetensors") == bits("whole.safetensors")
