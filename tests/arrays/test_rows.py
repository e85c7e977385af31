"""Rows that are read a batch at a time: the same training as on an array, and never more of them in memory than was asked for."""

import numpy as np
import pytest
from training_runs import NETWORK, assert_close, data, listed, start

from mlpxp import Adam, DataError, DtypeError, GradientDescent, RangeError, Rows, ShapeError, train

sparse = pytest.importorskip("scipy.sparse")


class Counted(Rows):
    """Rows that remember how many were asked for at a time."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = []

    def take(self, rows):
        self.asked.append(len(rows))
        return super().take(rows)


class DataSet:
    """What an HDF5 data set reads: one slice with a positive step, or row numbers that rise, each once and none from the end."""

    def __init__(self, values):
        self._values, self.shape, self.dtype, self.asked = values, values.shape, values.dtype, []

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            if (rows.step or 1) < 1:
                raise ValueError("Step must be >= 1")
        else:
            rows = np.asarray(rows)
            if rows.ndim != 1 or rows.dtype.kind not in "iu":
                raise TypeError("Only one-dimensional selections of whole numbers are supported")
            if (np.diff(rows.astype("int64")) <= 0).any():
                raise TypeError("Indexing elements must be in increasing order")
            if rows[0] < 0 or rows[-1] >= len(self._values):
                raise IndexError("Index out of range")
        self.asked.append(rows)
        return self._values[rows].copy()


@pytest.fixture
def mapped(tmp_path):
    """A function that puts a matrix into a file and maps it into memory."""

    def put(values):
        file = np.memmap(tmp_path / "X", dtype=values.dtype, mode="w+", shape=values.shape)
        file[...] = values
        file.flush()
        return np.memmap(tmp_path / "X", dtype=values.dtype, mode="r", shape=values.shape)

    return put


@pytest.mark.parametrize("size", [4, None])
@pytest.mark.parametrize("kind", ["mapped", "csr", "csc", "coo", "index", "data set", "data set, index"])
def test_trains_as_the_array_does(backend, to_device, to_host, mapped, kind, size):
    X, Y = data()
    X[np.abs(X) < 0.5] = 0.0
    rows = {
        "mapped": lambda: Rows(mapped(X.T)),
        "csr": lambda: Rows(sparse.csr_array(X.T)),
        "csc": lambda: Rows(sparse.csc_array(X.T)),
        "coo": lambda: Rows(sparse.coo_array(X.T)),
        "data set": lambda: Rows(DataSet(X.T.copy())),
        "data set, index": lambda: Rows(DataSet(np.concatenate([np.full((3, 3), np.nan), X.T[::-1]])), np.arange(12, 2, -1)),
        "index": lambda: Rows(np.concatenate([np.full((3, 3), np.nan), X.T[::-1]]), np.arange(12, 2, -1)),
    }[kind]()
    weights = np.random.default_rng(3).uniform(0.1, 2.0, 10)
    options = {"optimizer": Adam(0.05), "epochs": 4, "batch_size": size, "seed": 5, "penalty": 0.01, "dropout": 0.25}
    streamed, dense = (
        train(NETWORK, given, to_device(Y), weights=to_device(weights), start=to_device(start()), validation=to_device((X, Y)), **options)
        for given in (rows, to_device(X))
    )
    assert_close(to_host(streamed.parameters), to_host(dense.parameters))
    assert streamed.history.cost == pytest.approx(dense.history.cost, rel=1e-12)
    assert streamed.history.validation_cost == pytest.approx(dense.history.validation_cost, rel=1e-12)


def test_numbers_of_any_kind_take_the_dtype_of_the_targets(backend, to_device, to_host):
    X, Y = data(dtype="float32")
    X = np.round(9 * X)
    for kind in ("int16", "float64", "float32"):
        result = train(
            NETWORK, Rows(X.T.astype(kind)), to_device(Y), optimizer=GradientDescent(0.1), epochs=2, start=to_device(start(dtype="float32"))
        )
        dense = train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=2, start=start(dtype="float32"))
        assert_close(to_host(result.parameters), dense.parameters, rtol=1e-5)


def test_a_stack_reads_each_batch_once(monkeypatch):
    X, Y = data()
    monkeypatch.setattr("mlpxp.arrays.rows._CHUNK", 9)
    rows = Counted(X.T)
    stack = tuple(layer._make(np.stack([leaf, leaf]) for leaf in layer) for layer in start())
    train(NETWORK, rows, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=4, start=stack)
    assert rows.asked == [3, 3, 3, 1, *[4, 4, 2] * 2]


def test_5_epochs_and_5_more_are_10():
    X, Y = data()
    options = {"optimizer": Adam(0.1), "batch_size": 3}
    once = train(NETWORK, Rows(X.T), Y, epochs=10, **options)
    five = train(NETWORK, Rows(X.T), Y, epochs=5, **options)
    assert listed(train(NETWORK, Rows(X.T), Y, epochs=5, start=five, **options).parameters) == listed(once.parameters)


def test_shape_is_that_of_examples_in_columns():
    assert Rows(np.zeros((5, 3))).shape == (3, 5)
    assert Rows(np.zeros((5, 3)), np.asarray([4, 4])).shape == (3, 2)
    assert Rows(sparse.csr_array((5, 3))).take(np.asarray([1, 0])).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(("values", "got"), [(np.zeros(3), r"\(3,\)"), (np.zeros((2, 2, 2)), r"\(2, 2, 2\)"), ([[1.0]], "list")])
def test_what_is_no_matrix(values, got):
    with pytest.raises(ShapeError, match=rf"^rows must be a matrix of shape \(m, n_0\), got {got}$"):
        Rows(values)


def test_values_that_cannot_be_learnt_from_are_found_wherever_they_are(monkeypatch):
    X, Y = data()
    monkeypatch.setattr("mlpxp.arrays.rows._CHUNK", 9)  # 3 examples at a time
    X[1, 7] = np.nan
    with pytest.raises(DataError, match=r"^X must be finite, got nan in row 1 of example 7$"):
        train(NETWORK, Rows(X.T), Y, optimizer=GradientDescent(0.1), epochs=1)
    with pytest.raises(DataError, match=r"^X must be finite, got nan in row 1 of example 0$"):
        train(NETWORK, Rows(X.T, np.asarray([7, 1])), Y[:, :2], optimizer=GradientDescent(0.1), epochs=1)
    with pytest.raises(DtypeError, match=r"^X must hold numbers, got <U1$"):
        train(NETWORK, Rows(np.full((10, 3), "a")), Y, optimizer=GradientDescent(0.1), epochs=1)


def test_as_many_rows_as_targets_and_as_many_features_as_the_network_reads():
    X, Y = data()
    with pytest.raises(ShapeError, match=r"^X must have shape \(3, m\), got \(2, 10\)"):
        train(NETWORK, Rows(X[:2].T), Y, optimizer=GradientDescent(0.1), epochs=1)
    with pytest.raises(ShapeError, match="9"):
        train(NETWORK, Rows(X[:, :9].T), Y, optimizer=GradientDescent(0.1), epochs=1)


@pytest.mark.parametrize(
    "rows", [[0], [9], [2, 0], [0, 1, 2, 3], [3, 2, 1, 0], [5, 5, 5], [7, 1, 7, 3, 1], [0, 2, 4, 9], list(range(10))], ids=str
)
@pytest.mark.parametrize("index", [None, [4, 4, 0, 9, 2, 7, 1, 1, 8, 3]], ids=["all", "chosen"])
def test_any_rows_of_what_reads_in_rising_order_only(rows, index):
    values = np.arange(30.0).reshape(10, 3)
    wanted = values if index is None else values[index]
    taken = Rows(DataSet(values), index).take(np.asarray(rows))
    assert taken.tolist() == wanted[rows].tolist()
    assert type(taken) is np.ndarray


@pytest.mark.parametrize("rows", [slice(None), slice(None, None, 3), slice(0, 4), slice(2, 9, 2)], ids=str)
@pytest.mark.parametrize("index", [None, [4, 4, 0, 9, 2, 7, 1, 1, 8, 3]], ids=["all", "chosen"])
def test_any_slice_of_it(rows, index):
    values = np.arange(30.0).reshape(10, 3)
    assert Rows(DataSet(values), index).take(rows).tolist() == (values if index is None else values[index])[rows].tolist()


def test_what_lies_together_is_read_as_one_slice_and_nothing_twice():
    """A data set reads a slice many times as fast as a list of rows."""
    values = DataSet(np.arange(30.0).reshape(10, 3))
    rows = Rows(values)
    values.asked.clear()  # its first row, to see that it can be read
    rows.take(np.asarray([4, 2, 3, 2]))
    rows.take(np.asarray([8, 2, 2, 8]))
    assert values.asked[0] == slice(2, 5)
    assert values.asked[1].tolist() == [2, 8]


def test_ndarrays_and_sparse_matrices_are_read_as_they_are_asked_for(monkeypatch):
    monkeypatch.setattr("mlpxp.arrays.rows.Rows._read", None)
    values = np.arange(30.0).reshape(10, 3)
    for kind in (np.asarray, sparse.csr_array, sparse.csr_matrix):
        assert Rows(kind(values)).take(np.asarray([7, 1, 7])).tolist() == values[[7, 1, 7]].tolist()


@pytest.mark.parametrize(
    ("index", "error", "says"),
    [
        ([0, 10], RangeError, r"^index must hold numbers of rows from 0 to 9, got 10 in place 1$"),
        ([0, -1], RangeError, r"^index must hold numbers of rows from 0 to 9, got -1 in place 1$"),
        (np.ones(10, bool), DtypeError, r"^index must hold whole numbers, the numbers of rows, got bool$"),
        ([0.0, 1.0], DtypeError, r"^index must hold whole numbers, the numbers of rows, got float64$"),
        ([[0, 1]], ShapeError, r"^index must hold numbers of rows, one after the other, got shape \(1, 2\)$"),
    ],
)
def test_what_is_no_index(index, error, says):
    for values in (np.zeros((10, 3)), DataSet(np.zeros((10, 3))), sparse.csr_array((10, 3))):
        with pytest.raises(error, match=says):
            Rows(values, index)


def test_a_table_is_no_matrix_of_rows():
    """Its [[0, 1]] are columns."""
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DtypeError, match=r"^rows must have a dtype, as arrays do, got DataFrame: convert a table with to_numpy\(\)$"):
        Rows(pandas.DataFrame(np.zeros((3, 3))))
