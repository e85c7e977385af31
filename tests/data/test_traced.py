"""The preparation as array operations does what the preparation does."""

import numpy as np
import pytest

from mlpxp.data import Column, Matrix, Preparation, Table
from mlpxp.data.traced import answered, prepared, raw_columns


def a_table(missing=None):
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, 40).astype(np.int32)
    numbers = random.normal(3, 5, 40)
    if missing is not None:
        numbers[5], codes[7] = np.nan, -1
    columns = (
        Column("a", numbers),
        Column("t", codes, "text", ("x", "y", "z")),
        Column("b", random.integers(0, 99, 40), "integer"),
        Column("c", random.normal(size=40).astype(np.float32)),
    )
    return Table("d", columns, Column("y", random.integers(0, 2, 40), "integer"))


def raw(table):
    """What a file's user would give: (m, 1) each."""
    texts = np.array([*table.columns[1].categories, ""], dtype="<U9")
    return {one.name: texts[one.values][:, None] if one.kind == "text" else one.values.astype(np.float64)[:, None] for one in table.columns}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("missing", [None, "mean"])
def test_columns_become_the_same_inputs(missing, dtype):
    table = a_table(missing)
    preparation = Preparation.fit(table, task="classification", missing=missing)
    assert raw_columns(preparation) == {"a": ("float64", 1), "t": ("str", 1), "b": ("float64", 1), "c": ("float64", 1)}
    X, valid = prepared(preparation, raw(table), dtype)
    np.testing.assert_array_equal(X, preparation.inputs(table, dtype=dtype))
    assert valid.all()


@pytest.mark.parametrize("pixels", [False, True])
def test_a_block_becomes_the_same_inputs(pixels):
    values = np.random.default_rng(0).integers(0, 255, (30, 6)).astype(np.uint8)
    table = Table("d", Matrix(values, pixels), Column("y", np.arange(30) % 3, "integer"))
    preparation = Preparation.fit(table, task="classification")
    assert raw_columns(preparation) == {"X": ("float64", 6)}
    X, valid = prepared(preparation, {"X": values.astype(np.float64)}, "float32")
    np.testing.assert_array_equal(X, preparation.inputs(table, dtype="float32"))
    assert valid.all()


def test_rows_that_are_refused_are_not_valid():
    table = a_table()
    given = {name: values[:5].copy() for name, values in raw(table).items()}
    given["a"][0], given["b"][1], given["t"][2], given["c"][3] = np.nan, np.inf, "NA", 1e300
    with np.errstate(over="ignore"):
        _, valid = prepared(Preparation.fit(table, task="classification"), given, "float32")
    assert valid.tolist() == [False, False, False, False, True]
    _, valid = prepared(Preparation.fit(table, task="classification", missing="mean"), given, "float64")
    assert valid.tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_outputs_become_the_same_labels_and_probabilities(n_classes):
    table = Table("d", (Column("a", np.arange(30.0)),), Column("y", np.arange(30) % n_classes, "integer"))
    preparation = Preparation.fit(table, task="classification")
    A = np.random.default_rng(0).random((9, preparation.n_outputs))
    found = answered(preparation, A, np.arange(9) != 4)
    np.testing.assert_array_equal(found["label"], preparation.decode(A))
    wanted = preparation.probabilities(A)
    wanted[4] = np.nan
    np.testing.assert_array_equal(found["probabilities"], wanted)


def test_outputs_become_the_same_quantities():
    table = Table("d", (Column("a", np.arange(30.0)),), Column("y", np.arange(30) ** 1.5))
    preparation = Preparation.fit(table, task="regression")
    A = np.random.default_rng(0).normal(size=(9, 1)).astype(np.float32)
    found = answered(preparation, A, np.arange(9) != 4)["prediction"]
    wanted = preparation.decode(A)
    wanted[4] = np.nan
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == np.float64
