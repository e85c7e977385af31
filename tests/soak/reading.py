"""What is in a file, found out a second time by plain means: a reader's answer is right if it says the same."""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import re
import struct

import numpy as np
import polars as pl

from mlpxp import Adam, GradientDescent, MLPClassifier, Model, Network, Rows, load, predict, train
from mlpxp.cli._serving import Served
from mlpxp.data import Matrix, Preparation, infer_task
from mlpxp.data import load as read_table
from mlpxp.data._columns import NULL_MARKERS
from mlpxp.data._idx import load_pair
from mlpxp.files import load_model
from mlpxp.files.checkpoint_file import look_at_checkpoint
from mlpxp.textbook.lesson._examples import from_csv

__all__ = ["CHECKS"]

UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress, ".zst": lambda content: content[9:]}
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?$")


def check_model(path):
    """Read a model file; its tensors are what their offsets say, and so are its predictions."""
    model, content = load_model(path), path.read_bytes()
    _check_layers(content, model.parameters, "layers")
    A = X = np.linspace(-1.0, 1.0, 3 * model.network.sizes[0]).reshape(model.network.sizes[0], 3).astype(model.dtype)
    for activation, layer in zip(model.network.activations, model.parameters, strict=True):
        with np.errstate(all="ignore"):
            A = activation.function(layer.W @ A + layer.b)
    with np.errstate(all="ignore"):
        assert np.array_equal(predict(model.network, model.parameters, X), A, equal_nan=True)
    Served.of(model, path)


def check_result(path):
    """Read a training result; its parameters are what is in the file, and training goes on from it or says why it doesn't."""
    result, content = load(path), path.read_bytes()
    _check_layers(content, result.parameters, "layers")
    if isinstance(result, Model):
        return  # as every file was before one said what it holds
    _check_layers(content, result.last_parameters, "last")
    W = result.parameters[0].W
    X = np.linspace(-1.0, 1.0, 4 * W.shape[-1]).reshape(W.shape[-1], 4).astype(W.dtype)
    Y = np.full((result.network.sizes[-1], 4), 0.5, W.dtype)
    optimizer = Adam(0.1) if hasattr(result.optimizer_state, "squares") else GradientDescent(0.1)
    assert train(result.network, X, Y, optimizer=optimizer, epochs=1, start=result).epochs == result.epochs + 1


def check_checkpoint(path):
    """Read a checkpoint as what it was cut out of, as one looks at it, and go on from it: the run of ``tests/files/golden/make.py``."""
    run = path.with_name("run.ckpt")
    try:
        run.write_bytes(path.read_bytes())
        result, content = load(run), run.read_bytes()
        _check_layers(content, result.parameters, "layers")
        assert look_at_checkpoint(run).epochs == result.epochs == len(_tensors(content)["history.cost"])
        X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])
        network = Network((2, 3, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
        options = {"optimizer": Adam(0.1), "batch_size": 1, "dropout": 0.25, "checkpoint": run, "resume": True}
        ended = train(network, Rows(X.T), Y, epochs=5, **options)
        assert ended.epochs == 5 or ended.stop in {"converged", "stopped early", "stopped by a callback", "diverged"}
        assert np.isfinite(ended.last_parameters[0].W).all()
    finally:
        for file in (run, run.with_name("run.ckpt.previous")):
            file.unlink(missing_ok=True)


def check_estimator(path):
    """Read a fitted estimator; its weights are what is in the file, it predicts and learns on or says why it doesn't."""
    estimator, content = load(path), path.read_bytes()
    _check_layers(content, [(W.mT, b[..., None]) for W, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)], "layers")
    X = np.linspace(-1.0, 1.0, 6 * estimator.n_features_in_).reshape(6, -1)
    answers = estimator.predict(X)
    assert len(answers) == 6
    if isinstance(estimator, MLPClassifier):
        shares = estimator.predict_proba(X)
        assert shares.shape == (6, len(estimator.classes_))
        assert np.isin(answers, estimator.classes_).all()
    estimator.partial_fit(X, answers)


def _tensors(content):
    """The arrays of a safetensors file, from their offsets."""
    length = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    dtypes = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    return {
        name: np.frombuffer(data[slice(*said["data_offsets"])], dtypes[said["dtype"]]).reshape(said["shape"])
        for name, said in header.items()
        if name != "__metadata__"
    }


def _check_layers(content, parameters, prefix):
    tensors = _tensors(content)
    for number, layer in enumerate(parameters, 1):
        for name, got in zip("Wb", layer, strict=True):
            wanted = tensors[f"{prefix}.{number}.{name}"]
            assert np.array_equal(got, wanted, equal_nan=True)
            assert got.dtype == wanted.dtype


def check_csv(path):
    """Read a CSV file; cells that are plainly a number, a text or nothing are what is in the table."""
    table = read_table(path, target="kind")
    content = path.read_bytes()
    text = UNPACK.get(path.suffix, bytes)(content).decode("utf-8-sig")
    text = text.lstrip("\r\n")
    separator = next((one for one in ",;\t" if one in text.split("\n", 1)[0]), ",")
    header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines = [line for line in lines if any(cell.strip() and cell.strip() not in NULL_MARKERS for cell in line)]
    names = [name.strip() or f"column {index}" for index, name in enumerate(header, 1)]
    if len(lines) == len(table):  # a quote that is opened within a field ends differently for polars than for csv
        for column in (*table.columns, table.target):
            if not column.refusal:
                _check_column(column, [_cell(line, names.index(column.name)) for line in lines])
    elif '"' not in text and "\r" not in text.replace("\r\n", ""):
        raise AssertionError(f"{len(lines)} lines, {len(table)} rows")
    _check_prepared(table)


def _cell(line, index):
    return line[index].strip() if index < len(line) else ""


def _check_column(column, cells):
    for index, cell in enumerate(cells):
        value = column.values[index]
        if cell in NULL_MARKERS:
            assert column.missing()[index]
        elif column.kind == "text":
            if '"' not in cell:
                assert column.categories[value] == cell
        elif NUMBER.match(cell):
            assert value == float(cell) or math.isclose(value, float(cell), rel_tol=1e-15)
        elif cell.lower() in {"true", "false"}:
            assert value == (cell.lower() == "true")


def check_parquet(path):
    """Read a Parquet file; the table has what polars by itself reads."""
    table = read_table(path, target="kind")
    frame = pl.read_parquet(path.read_bytes())
    for column in (*table.columns, table.target):
        series = frame[column.name]
        assert len(column) == frame.height
        if not column.refusal and column.kind != "text":
            if series.dtype.is_numeric() or series.dtype == pl.Boolean:
                assert np.array_equal(column.values.astype(float), series.cast(pl.Float64).fill_null(math.nan).to_numpy(), equal_nan=True)
        elif not column.refusal:
            wanted = [None if one is None or one.strip() in NULL_MARKERS else one.strip() for one in series.cast(pl.String).to_list()]
            assert [None if code < 0 else column.categories[code] for code in column.values] == wanted
    _check_prepared(table)


def check_npz(path):
    """Read an archive; its arrays are those of ``numpy.load``."""
    table = read_table(path)
    with np.load(path, allow_pickle=False) as arrays:
        X, y = arrays["X"], arrays["y"]
    assert np.array_equal(table.features.values, X.reshape(len(X), -1), equal_nan=True)
    got = np.array(table.target.categories)[table.target.values] if table.target.kind == "text" else table.target.values
    wanted = y.reshape(len(y))
    assert np.array_equal(got, wanted.astype(np.str_) if wanted.dtype.kind == "S" else wanted, equal_nan=wanted.dtype.kind == "f")
    _check_prepared(table)


def check_idx(path):
    """Read images with good labels beside them; they are what the header and the bytes say."""
    labels = path.with_name("labels")
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = None
    if not labels.exists():
        labels.write_bytes(b"\0\0\x08\x01" + struct.pack(">I", 12) + bytes([0, 1, 2] * 4))
    table = load_pair(path, labels)
    content = gzip.decompress(path.read_bytes()) if content is None else content
    shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    dtype = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[content[2]]
    wanted = np.frombuffer(content[4 + 4 * content[3] :], dtype).reshape(len(table), -1)
    assert math.prod(shape) == wanted.size
    assert np.array_equal(table.features.values, wanted, equal_nan=True)
    _check_prepared(table)


def check_lesson(path):
    """Read what a page sends; the points are the first two columns, standardised."""
    text = path.read_bytes().decode(errors="surrogateescape")
    examples = from_csv(text)
    header, *lines = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""))
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    assert examples.X.shape == (2, examples.m)
    assert np.isfinite(examples.X).all()
    assert len(header) == 3
    cells = [[_cell(line, index) for line in lines] for index in (0, 1)]
    if len(lines) == examples.m and all(NUMBER.match(cell) for row in cells for cell in row):
        _check_standardised(np.array(cells, dtype=float).T, examples.X.T)


def _check_prepared(table):
    """Go on as training does: the inputs are finite and, of numbers, standardised."""
    task, _ = infer_task(table.target)
    preparation = Preparation.fit(table, task=task)
    inputs = preparation.inputs(table)
    preparation.targets(table)
    assert inputs.shape == (len(table), preparation.n_inputs)
    assert np.isfinite(inputs).all()
    if isinstance(table.features, Matrix) and not table.features.pixels:
        _check_standardised(table.features.values, inputs)


def _check_standardised(values, inputs):
    values = values.astype(np.longdouble)
    spread = values.std(axis=0)
    varies = spread > 1e-6 * np.abs(values).max(axis=0)
    wanted = (values - values.mean(axis=0))[:, varies] / spread[varies]
    assert np.allclose(inputs[:, varies], wanted.astype(float), rtol=1e-6, atol=1e-6)


CHECKS = {
    "model": check_model,
    "result": check_result,
    "checkpoint": check_checkpoint,
    "estimator": check_estimator,
    "csv": check_csv,
    "csv.gz": check_csv,
    "csv.bz2": check_csv,
    "csv.xz": check_csv,
    "csv.zst": check_csv,
    "parquet": check_parquet,
    "npz": check_npz,
    "idx": check_idx,
    "idx.gz": check_idx,
    "lesson": check_lesson,
}
