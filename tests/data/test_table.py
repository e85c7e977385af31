"""The raw table: parts of it, and where its rows stand."""

import numpy as np
import pytest

from mlpxp.data import Column, Matrix, Table
from mlpxp.errors import ShapeError

NUMBER = Column("n", np.array([1.5, np.nan, 2.5, 1.5]))
TEXT = Column("t", np.array([1, 0, -1, 1], dtype=np.int32), "text", ("u", "v"))


def test_missing():
    assert NUMBER.missing().tolist() == [False, True, False, False]
    assert TEXT.missing().tolist() == [False, False, True, False]
    assert not Column("i", np.array([1, 2])).missing().any()


@pytest.mark.parametrize(
    ("column", "labels", "codes"),
    [
        (NUMBER, (1.5, 2.5), [0, -1, 1, 0]),
        (TEXT, ("u", "v"), [1, 0, -1, 1]),
        (Column("i", np.array([3.0, np.nan, 1.0]), "integer"), (1, 3), [1, -1, 0]),
        (Column("i", np.array([3, 1], dtype=np.uint8), "integer"), (1, 3), [1, 0]),
        (Column("b", np.array([1.0, np.nan, 0.0]), "boolean"), (False, True), [1, -1, 0]),
        (Column("b", np.array([True, False]), "boolean"), (False, True), [1, 0]),
        (Column("t", np.array([2, 2], dtype=np.int32), "text", ("u", "v", "w")), ("w",), [0, 0]),
    ],
)
def test_distinct_values_keep_their_type(column, labels, codes):
    got, places = column.distinct()
    assert got == labels
    assert [type(one) for one in got] == [type(one) for one in labels]
    assert places.tolist() == codes


def test_take_remembers_the_rows_and_has_no_test_set():
    whole = Table("x.csv", (NUMBER, TEXT), NUMBER, test=Table("x.csv", (NUMBER, TEXT)), first_line=2)
    part = whole.take(np.array([3, 1])).take(np.array([1]))
    assert len(part) == 1
    assert part.where(0) == "row 2 (line 3)"
    assert part.columns[1].values.tolist() == [0]
    assert part.test is None


def test_a_block_is_not_copied_and_keeps_its_dtype():
    values = np.arange(12, dtype=np.uint8).reshape(4, 3)
    table = Table("x.npz", Matrix(values, pixels=True))
    assert (len(table), table.feature_names) == (4, ("x0", "x1", "x2"))
    assert np.shares_memory(table.columns[2].values, values)
    part = table.take(np.array([0, 2]))
    assert isinstance(part.features, Matrix)
    assert part.features.pixels
    assert part.features.values.dtype == np.uint8


def test_parts_must_be_equally_long():
    with pytest.raises(ShapeError, match=r"equally long, got lengths \[2, 4\]"):
        Table("x", (NUMBER,), Column("y", np.arange(2)))
    with pytest.raises(ShapeError, match=r"must have shape \(m, n\), got \(4,\)"):
        Table("x", Matrix(np.arange(4)))
