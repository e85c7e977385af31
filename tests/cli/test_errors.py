"""Bad input: exit code 2, one line on stderr that says what, no traceback, and no file left behind."""

import gzip
import os
import shutil
import struct

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from mlpxp import Network
from mlpxp.files import load_model, save_model


@pytest.fixture
def fails(run, files):
    """A function that runs the program, and asserts that it ends in one line with these words in it, changing no file."""

    def check(*arguments, says):
        before = files()
        result = run(*arguments)
        assert result.code == 2, result.out
        assert result.err.startswith("mlpxp: error: "), result.err
        assert result.err.count("\n") == 1, result.err
        assert result.err.endswith("\n")
        assert "Traceback" not in result.err
        for words in [says] if isinstance(says, str) else says:
            assert words in result.err
        assert files() == before

    return check


@pytest.fixture
def write(tmp_path):
    """A function that writes a CSV file and returns its name."""

    def file(text, name="t.csv"):
        (tmp_path / name).write_text(text)
        return name

    return file


ROWS = "".join(f"{index % 5},{'ab'[index % 2]}\n" for index in range(60))
FITTING = "x,y\n" + ROWS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--epochs", "0"), "epochs must be a whole number from 1, got 0"),
        (("--epochs", "many"), ("--epochs", "integer", "mlpxp train --help")),
        (("--learning-rate", "-0.1"), "learning_rate must be a positive number, got -0.1"),
        (("--learning-rate", "nan"), "learning_rate must be a positive number"),
        (("--optimizer", "sgd", "--momentum", "1.5"), "momentum must be in [0, 1], got 1.5"),
        (("--optimizer", "sgd", "--momentum", "nan"), "momentum must be in [0, 1], got nan"),
        (("--momentum", "0.9"), "adam has a momentum of its own"),
        (("--optimizer", "adagrad"), "optimizer must be one of adam, adamw, sgd, got 'adagrad'"),
        (("--schedule", "linear"), "schedule must be one of cosine, constant"),
        (("--activation", "swish"), "activation must be one of identity, sigmoid"),
        (("--activation", "softmax"), "softmax can only be the output"),
        (("--hidden", "64,-3"), "hidden must be the widths of the layers"),
        (("--hidden", "64,0"), "must be a whole number from 1, got 0"),
        (("--hidden", "wide"), "such as 64,32, or none, got 'wide'"),
        (("--hidden", "999999999999999999"), "parameters: wanted at most"),
        (("--batch-size", "0"), "batch_size must be a whole number from 1"),
        (("--patience", "0"), "patience must be a whole number from 1"),
        (("--tolerance", "-1"), "tolerance must be a number from 0"),
        (("--penalty", "-1"), "penalty must be a number from 0"),
        (("--max-seconds", "-1"), "max_seconds must be a number from 0"),
        (("--seed", "-1"), "seed must be a whole number from 0"),
        (("--seed", "4294967296"), "seed must be a whole number from 0"),
        (("--test", "1"), "test must be a fraction of the rows"),
        (("--validation", "nan"), "validation must be a fraction of the rows"),
        (("--validation", "0.001"), "no room for each of 3 classes"),
        (("--dtype", "float16"), "dtype must be float32 or float64, got 'float16'"),
        (("--backend", "abacus"), "backend must be auto or one of numpy"),
        (("--task", "clustering"), "task must be one of classification, regression"),
        (("--missing", "guess"), "missing must be one of mean, drop"),
        (("--plot", "curve.gif"), "a picture must be named .png, .svg, .pdf, got 'curve.gif'"),
        (("--plot", "model.svg", "--output", "model.svg"), "are one file"),
        (("--target", "species", "--drop", "species"), "has no target column 'species'"),
        (("--drop", "nose"), "no column to drop 'nose'"),
        (("--target", "specis"), "did you mean 'species'?"),
        (("--colour", "red"), "No such option"),
    ],
)
def test_options_of_train(fails, options, says):
    fails("train", "iris", *options, says=says)


@pytest.mark.parametrize("arguments", [("trian",), ("train",), ("predict", "m"), ("show",), ("show", "a", "b"), ("--nonsense",)])
def test_usage(fails, arguments):
    fails(*arguments, says="see mlpxp")


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", ("--target", "y"), "is empty"),
        ("x,y\n", ("--target", "y"), "nothing beneath it"),
        (FITTING, (), "which column is to be learnt? Say --target COLUMN"),
        (FITTING, ("--target", "z"), "has no target column 'z'"),
        (FITTING, ("--target", "y", "--task", "regression"), "regression needs numbers"),
        ("x,y\n" + "1,a\n" * 60, ("--target", "y"), "has one class only, 'a'"),
        ("x,y\n" + "1,a\n" * 60, ("--target", "y", "--test", "0"), "has one class only, 'a'"),
        ("x,y\n" + "".join(f"{index},n{index}\n" for index in range(60)), ("--target", "y"), "too few of each"),
        ("x,y\nnan,a\n" + ROWS, ("--target", "y"), ("row 1 (line 2)", "column 'x'", "--missing mean or --missing drop")),
        ("x,y\n" + ROWS + "inf,b\n", ("--target", "y"), ("row 61 (line 62)", "'x'", "infinity")),
        ("x,y\n" + ROWS + "3,\n", ("--target", "y"), ("the target 'y' is missing in row 61", "--missing drop")),
        ("x,y\n" + ROWS + "3,c\n", ("--target", "y"), "the class 'c' has one example"),
        ("x,y\n1,a\n2,b\n", ("--target", "y"), "a split"),
        ("x,y\n" + ROWS + "3,a,b\n", ("--target", "y"), "line 62: 3 fields"),
        ("x\n" + "1\n2\n" * 20, ("--target", "x"), "no columns to learn from"),
        (
            "day,y\n" + "".join(f"2024-01-{index % 28 + 1:02d},{'ab'[index % 2]}\n" for index in range(60)),
            ("--target", "y"),
            "dates or times",
        ),
    ],
)
def test_tables_that_can_t_be_learnt(fails, write, text, options, says):
    fails("train", write(text), *options, says=says)


def test_sources_that_are_none(fails, write):
    fails("train", "irsi", says="did you mean 'iris'?")
    fails("train", "missing.csv", "--target", "y", says="no such file")
    fails("train", ".", says="has no IDX images")
    fails("train", write("hello", "notes.md"), says="unknown kind")


def test_a_name_with_a_line_break_stays_on_one_line(fails):
    fails("train", "two\nlines.csv", says="no such file")


def test_arrays_that_don_t_fit_together(fails, tmp_path):
    np.savez(tmp_path / "t.npz", X=np.zeros((5, 2)), y=np.zeros(4))
    fails("train", "t.npz", says="y must have shape (5,)")
    np.savez(tmp_path / "o.npz", X=np.array([[{}]], dtype=object), y=np.zeros(1))
    fails("train", "o.npz", says="Python objects")


def test_truncated_data(fails, tmp_path, idx):
    np.savez(tmp_path / "t.npz", X=np.zeros((50, 20)), y=np.zeros(50))
    _cut(tmp_path / "t.npz")
    fails("train", "t.npz", says="not a whole .npz archive")
    for file in idx.iterdir():
        shutil.copy(file, tmp_path)
    images = next(tmp_path.glob("train-images*"))
    _cut(images)
    fails("train", ".", says="cut short")
    images.with_suffix("").write_bytes(gzip.decompress(next(idx.glob("train-images*")).read_bytes())[:-1])
    fails("train", ".", says="cut short")
    pl.DataFrame({"x": range(100)}).write_parquet(tmp_path / "t.parquet")
    _cut(tmp_path / "t.parquet")
    fails("train", "t.parquet", "--target", "x", says="not a whole Parquet file")


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("nowhere/model.safetensors", ("does not exist", "nowhere")),
        ("folder", "is a folder"),
        ("folder/", "names a folder"),
        ("", "needs a name"),
        ("t.csv", "would overwrite t.csv"),
        ("t.csv/model.safetensors", "is not a folder"),
        ("m" * 300, "can't be written"),
        ("/dev/null", "no regular file"),
    ],
)
@pytest.mark.parametrize("option", ["--output", "--plot"])
def test_places_that_can_t_be_written_are_found_before_training(fails, write, tmp_path, output, says, option, monkeypatch):
    if option == "--plot":
        pytest.importorskip("matplotlib")
        monkeypatch.setattr("mlpxp.plotting._files.PICTURES", ("png", "", "csv", "safetensors"))
    monkeypatch.setattr("mlpxp.cli._fitting.load", lambda *_, **__: pytest.fail("the data were read before the outputs were tried"))
    write(FITTING)
    (tmp_path / "folder").mkdir()
    fails("train", "t.csv", "--target", "y", option, output, says=says)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(fails, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    fails("train", "iris", "--output", "closed/model.safetensors", says="Permission denied")


@pytest.fixture
def model(run, tmp_path):
    """The name of a model of a CSV file that is there too."""
    (tmp_path / "t.csv").write_text(FITTING)
    assert run("train", "t.csv", "--target", "y", "--epochs", 2, "--output", "m.safetensors").code == 0
    return "m.safetensors"


@pytest.mark.parametrize("command", ["predict", "evaluate", "show"])
def test_files_that_are_no_models(fails, write, model, tmp_path, command):
    data = () if command == "show" else ("t.csv",)
    fails(command, "missing.safetensors", *data, says="no such file")
    fails(command, ".", *data, says="is a folder")
    fails(command, "t.csv", *data, says="no model file")
    fails(command, write("", "empty"), *data, says="no model file")
    save_file({"W": np.zeros(3)}, tmp_path / "foreign.safetensors")
    fails(command, "foreign.safetensors", *data, says="no model of mlpxp's")
    whole = (tmp_path / model).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-10])
    fails(command, "cut.safetensors", *data, says="cut short")
    (length,) = struct.unpack("<Q", whole[:8])
    newer = whole[8 : 8 + length].replace(b'"format_version":"1"', b'"format_version":"2"')
    (tmp_path / "newer.safetensors").write_bytes(whole[:8] + newer + whole[8 + length :])
    fails(command, "newer.safetensors", *data, says="a newer mlpxp is needed")
    tensors = load_file(tmp_path / model)
    save_file(tensors | {"layers.1.W": np.zeros((7, 7), dtype=np.float32)}, tmp_path / "lie.safetensors", _texts(tmp_path / model))
    fails(command, "lie.safetensors", *data, says="layers.1.W must have shape (128, 1)")


@pytest.mark.parametrize("command", ["predict", "evaluate", "show"])
def test_a_model_that_contradicts_itself(fails, model, tmp_path, command):
    data = () if command == "show" else ("t.csv",)
    found = load_model(tmp_path / model)
    preparation = found.metadata["preparation"]
    for name, other, says in (
        ("classes", preparation | {"target": {"name": "y", "classes": ["a", "b", "c"]}}, "contradicts itself"),
        ("nothing", 3, "damaged or foreign"),
        ("future", preparation | {"version": 99}, "newer mlpxp"),
    ):
        save_model(tmp_path / f"{name}.safetensors", found.network, found.parameters, metadata={"preparation": other}, arrays=found.arrays)
        fails(command, f"{name}.safetensors", *data, says=says)
    counts = Network(found.network.sizes, found.network.hidden, output="exp", loss="poisson")
    save_model(tmp_path / "counts.safetensors", counts, found.parameters, metadata={"preparation": preparation}, arrays=found.arrays)
    fails(command, "counts.safetensors", *data, says="outputs that are no probabilities")


def test_data_that_a_model_does_not_read(fails, model, write, tmp_path):
    fails("predict", model, "missing.csv", says="no such file")
    fails("predict", model, write("z\n1\n", "other.csv"), says="no column 'x', which the model reads")
    fails("predict", model, write("x\nred\n", "text.csv"), says="was numbers in training, got 'red'")
    fails("predict", model, write("x,w\n,1\n", "gap.csv"), says=("missing value", "row 1"))
    fails("predict", model, write("x\n1e300\n", "far.csv"), says="too far from the training rows")
    np.savez(tmp_path / "wide.npz", X=np.zeros((2, 9)))
    fails("predict", model, "wide.npz", says="got a block of 9 numbers a row")
    fails("evaluate", model, write("x,y\n1,c\n2,a\n", "labels.csv"), says=("'c'", "training never saw", "known are 'a', 'b'"))
    fails("evaluate", model, write("x\n1\n", "bare.csv"), says="'y'")
    fails("evaluate", model, "t.csv", "--target", "z", says="no target column 'z'")


def test_predictions_that_can_t_be_written(fails, model):
    fails("predict", model, "t.csv", "--output", "nowhere/p.csv", says="does not exist")
    fails("predict", model, "t.csv", "--output", "t.csv", says="would overwrite t.csv")
    fails("predict", model, "t.csv", "--output", model, says="would overwrite m.safetensors")


def test_probabilities_of_a_quantity(fails, run):
    run("train", "diabetes", "--epochs", 1)
    fails("predict", "model.safetensors", "diabetes", "--probabilities", says="probabilities need classes")


def test_ctrl_c_before_the_training_leaves_no_file(run, files, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlpxp.cli._fitting.load", interrupted)
    result = run("train", "iris")
    assert (result.code, result.out, result.err) == (130, "", "")
    assert files() == {}


def test_ctrl_c_before_the_first_epoch_ends_leaves_the_old_model(run, tmp_path, files, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    (tmp_path / "model.safetensors").write_text("precious")
    monkeypatch.setattr("mlpxp_backends.numpy.NumpyBackend.fold", interrupted)
    result = run("train", "iris")
    assert result.code == 130
    assert result.err == "mlpxp: interrupted before the first epoch ended: no model was written\n"
    assert files() == {"model.safetensors": 8}


def test_a_missing_library_is_named(fails, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    fails("train", "iris", "--plot", "c.png", says="pip install 'mlpxp[plot]'")


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _texts(path):
    from safetensors import safe_open

    with safe_open(path, "numpy") as opened:
        return opened.metadata()
