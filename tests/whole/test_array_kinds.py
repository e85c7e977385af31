"""Arrays of unusual kinds: what they hold is computed with as a plain array's numbers are, or they are refused in one line."""

import types

import numpy as np
import pytest
import scipy.sparse

import mlpxp
from mlpxp import GradientDescent, Layer, MLPClassifier, MlpxpError, Model, Network, Rows, initialize, to_backend, train
from mlpxp.arrays.standard import is_array, tree_map

pytestmark = pytest.mark.filterwarnings(
    "ignore:the matrix subclass:PendingDeprecationWarning", "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)
NETWORK = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
PARAMETERS = initialize(NETWORK, seed=0, dtype="float64")
RANDOM = np.random.default_rng(0)
X, LABELS = RANDOM.normal(size=(3, 20)), RANDOM.integers(0, 2, 20)
Y, WEIGHTS = np.eye(2)[:, LABELS], RANDOM.uniform(0.5, 2.0, size=20)


class Quantity(np.ndarray):
    """A stand-in for an array with units, whose products are no plain numbers' ones."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        raise TypeError(f"no {ufunc.__name__} of units")


def mapped(array, folder):
    there = np.memmap(folder / f"{len(list(folder.iterdir()))}.raw", dtype=array.dtype, mode="w+", shape=array.shape)
    there[...] = array
    return there


PLAIN = {  # what these hold is what a plain array holds
    "matrix": lambda array, _: np.matrix(array) if array.ndim == 2 else array,
    "nothing masked": lambda array, _: np.ma.masked_invalid(array),
    "another byte order": lambda array, _: array.astype(array.dtype.newbyteorder(">")),
    "record array": lambda array, _: array.view(np.recarray),
    "memory map": mapped,
    "quantity": lambda array, _: array.view(Quantity),
    "read-only": lambda array, _: np.broadcast_to(array, array.shape),
}
TENSORS = {
    "parameter": lambda torch, array: torch.nn.Parameter(torch.tensor(array)),
    "marked as negated": lambda torch, array: torch.complex(torch.tensor(array), torch.tensor(-array)).conj().imag,
}


def run(parameters, X, Y, weights, batch_size=7):
    return train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=3, batch_size=batch_size, weights=weights, start=parameters)


def numbers(parameters, X, Y, weights):
    """All that the doors say of these arrays."""
    trace = mlpxp.forward(NETWORK, parameters, X)
    C, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X, Y, weights)
    A = [mlpxp.predict(NETWORK, parameters, X), mlpxp.predict(NETWORK, parameters, X, batch_size=6), trace[-1].A]
    more = [mlpxp.cost(NETWORK, trace, Y, weights), C, *mlpxp.evaluate(NETWORK, parameters, X, Y, weights)]
    layers = [*gradients, *mlpxp.backward(NETWORK, parameters, trace, Y, weights), *run(parameters, X, Y, weights).parameters]
    layers += train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=7, weights=weights, backend="numpy").parameters
    every = [*A, *more, *(leaf for layer in layers for leaf in layer)]
    return [leaf.detach().numpy() if hasattr(leaf, "detach") else leaf for leaf in every], A


@pytest.mark.parametrize("which", ["parameters", "X", "Y", "weights", "all"])
@pytest.mark.parametrize("kind", PLAIN)
def test_what_holds_plain_numbers_is_computed_with_as_a_plain_array(kind, which, tmp_path):
    arrays = {"parameters": PARAMETERS, "X": X, "Y": Y, "weights": WEIGHTS}
    wanted, _ = numbers(**arrays)
    for name in arrays if which == "all" else [which]:
        arrays[name] = tree_map(lambda array: PLAIN[kind](array, tmp_path), arrays[name])
    got, A = numbers(**arrays)
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    assert all(type(each) is np.ndarray and each.dtype == np.float64 for each in A)


@pytest.mark.parametrize("kind", TENSORS)
def test_tensors_that_hold_plain_numbers_are_computed_with_as_plain_ones(kind):
    torch = pytest.importorskip("torch")
    arrays = {"parameters": PARAMETERS, "X": X, "Y": Y, "weights": WEIGHTS}
    wanted, _ = numbers(**arrays)
    got, _ = numbers(**{name: tree_map(lambda array: TENSORS[kind](torch, array), one) for name, one in arrays.items()})
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", PLAIN)
def test_so_are_they_in_rows_estimators_files_and_other_libraries(kind, tmp_path):
    pytest.importorskip("torch")
    rows, odd = X.T.copy(), PLAIN[kind](X.T.copy(), tmp_path)
    np.testing.assert_array_equal(run(PARAMETERS, Rows(odd), Y, None).parameters[0].W, run(PARAMETERS, Rows(rows), Y, None).parameters[0].W)
    for library in ("numpy", "torch"):
        np.testing.assert_array_equal(np.asarray(to_backend(odd, library)), rows)
    parameters = tree_map(lambda array: PLAIN[kind](array, tmp_path), PARAMETERS)
    mlpxp.save(tmp_path / "model.safetensors", Model(NETWORK, parameters))
    np.testing.assert_array_equal(mlpxp.load(tmp_path / "model.safetensors").parameters[0].W, PARAMETERS[0].W)
    if kind != "matrix":  # scikit-learn has no place for it
        ours, theirs = (MLPClassifier((4,), random_state=0, max_iter=3, batch_size=7).fit(each, LABELS) for each in (odd, rows))
        np.testing.assert_array_equal(ours.coefs_[0], theirs.coefs_[0])
        np.testing.assert_array_equal(theirs.predict_proba(odd), theirs.predict_proba(rows))


def masked(array):
    """The array with its first number masked, and NaN behind the mask."""
    odd = np.ma.array(array.copy(), mask=False)
    odd[(0,) * array.ndim] = np.ma.masked
    odd.data[(0,) * array.ndim] = np.nan
    return odd


def every_door(parameters, X, Y, weights):
    """What takes these arrays, by name."""
    trace = mlpxp.forward(NETWORK, PARAMETERS, np.array(np.ma.getdata(X)))
    validation = {"optimizer": GradientDescent(0.1), "epochs": 1, "validation": (X, Y, weights)}
    return {
        "forward": lambda: mlpxp.forward(NETWORK, parameters, X),
        "predict": lambda: mlpxp.predict(NETWORK, parameters, X),
        "cost": lambda: mlpxp.cost(NETWORK, trace, Y, weights),
        "backward": lambda: mlpxp.backward(NETWORK, parameters, trace, Y, weights),
        "cost_and_gradients": lambda: mlpxp.cost_and_gradients(NETWORK, parameters, X, Y, weights),
        "evaluate": lambda: mlpxp.evaluate(NETWORK, parameters, X, Y, weights),
        "naive_gradients": lambda: mlpxp.naive_gradients(NETWORK, parameters, X, Y, weights),
        "check_gradients": lambda: mlpxp.check_gradients(NETWORK, parameters, X, Y, weights),
        "train": lambda: run(parameters, X, Y, weights),
        "validation": lambda: train(NETWORK, np.array(np.ma.getdata(X)) * 0.0, np.eye(2)[:, LABELS], start=parameters, **validation),
    }


DOORS = {
    "parameters": {"forward", "predict", "backward", "cost_and_gradients", "evaluate", "naive_gradients", "check_gradients", "train"},
    "X": {"forward", "predict", "cost_and_gradients", "evaluate", "naive_gradients", "check_gradients", "train", "validation"},
    "Y": {"cost", "backward", "cost_and_gradients", "evaluate", "naive_gradients", "check_gradients", "train", "validation"},
}
DOORS["weights"] = DOORS["Y"]


@pytest.mark.parametrize(("which", "door"), [(which, door) for which in DOORS for door in sorted(DOORS[which])])
def test_masked_numbers_are_refused(which, door):
    arrays = {"parameters": PARAMETERS, "X": X, "Y": Y, "weights": WEIGHTS}
    arrays[which] = tree_map(masked, arrays[which])
    name = {"parameters": "a parameter"}.get(which, f"validation {which}" if door == "validation" else which)
    with pytest.raises(mlpxp.DataError, match=rf"^{name} must have no masked numbers, got 1: fill them with filled\(0\.0\)"):
        every_door(**arrays)[door]()


def test_masked_numbers_are_refused_by_rows_estimators_files_and_other_libraries(tmp_path):
    odd = masked(X.T)
    model = MLPClassifier((4,), random_state=0, max_iter=3, batch_size=7).fit(X.T, LABELS)
    weights = np.ma.masked_greater(WEIGHTS, 1.5)
    asked = {
        "rows": lambda: Rows(odd),
        "later rows": lambda: run(PARAMETERS, Rows(masked(X.T[::-1])[::-1]), Y, None),
        "to_backend": lambda: to_backend(odd, "numpy"),
        "save": lambda: mlpxp.save(tmp_path / "model.safetensors", Model(NETWORK, tree_map(masked, PARAMETERS))),
        "fit": lambda: MLPClassifier().fit(odd, LABELS),
        "partial_fit": lambda: MLPClassifier().partial_fit(odd, LABELS, classes=[0, 1]),
        "y": lambda: MLPClassifier().fit(X.T, np.ma.masked_equal(LABELS, 1)),
        "sample_weight": lambda: MLPClassifier().fit(X.T, LABELS, sample_weight=weights),
        "predict": lambda: model.predict(odd),
        "score": lambda: model.score(odd, LABELS),
        "validation_data": lambda: MLPClassifier().fit(X.T, LABELS, validation_data=(odd, LABELS)),
    }
    for ask in asked.values():
        with pytest.raises(mlpxp.DataError, match=r"^\S+ must have no masked numbers"):
            ask()


@pytest.mark.parametrize("dtype", ["complex128", "object", "S3", [("a", "f8")]])
def test_what_is_no_real_number_is_refused_by_its_dtype(dtype):
    odd, trains = np.zeros((3, 20), dtype), {"optimizer": GradientDescent(0.1), "epochs": 1}
    for kind in (odd, odd.view(np.recarray)) if isinstance(dtype, list) else (odd,):
        for ask in (
            lambda kind=kind: mlpxp.forward(NETWORK, PARAMETERS, kind),
            lambda kind=kind: mlpxp.evaluate(NETWORK, PARAMETERS, kind, Y),
            lambda kind=kind: train(NETWORK, kind, Y, **trains),
            lambda kind=kind: train(NETWORK, Rows(kind.T), Y, **trains),
        ):
            with pytest.raises(mlpxp.DtypeError, match=r"^X must h"):
                ask()


def odd_tensors(torch):
    dense = torch.tensor(X)
    nested = torch.nested.nested_tensor([torch.ones(20, dtype=torch.float64)] * 3)
    return {
        "torch.sparse_coo": dense.to_sparse(),
        "torch.sparse_csr": dense.to_sparse_csr(),
        "nested": nested,
        "masked": torch.masked.masked_tensor(dense, dense > 0.0),
    }


@pytest.mark.filterwarnings("ignore")  # PyTorch calls these kinds experimental
@pytest.mark.parametrize("kind", ["torch.sparse_coo", "torch.sparse_csr", "nested", "masked"])
def test_tensors_that_are_not_dense_are_refused_by_name(kind, tmp_path):
    torch = pytest.importorskip("torch")
    odd, parameters, targets = odd_tensors(torch)[kind], to_backend(PARAMETERS, "torch"), torch.tensor(Y)
    model = MLPClassifier((4,), random_state=0, max_iter=3, batch_size=7).fit(torch.tensor(X.T.copy()), LABELS)
    layers = (Layer(odd, parameters[0].b), *parameters[1:])
    asked = {
        "forward": lambda: mlpxp.forward(NETWORK, parameters, odd),
        "predict": lambda: mlpxp.predict(NETWORK, parameters, odd, batch_size=7),
        "evaluate": lambda: mlpxp.evaluate(NETWORK, parameters, odd, targets),
        "train": lambda: run(parameters, odd, targets, None),
        "train on NumPy": lambda: train(NETWORK, odd, targets, optimizer=GradientDescent(0.1), epochs=1, backend="numpy"),
        "parameters": lambda: mlpxp.forward(NETWORK, layers, torch.tensor(X)),
        "to_backend": lambda: to_backend(odd, "numpy"),
        "save": lambda: mlpxp.save(tmp_path / "model.safetensors", Model(NETWORK, layers)),
        "fit": lambda: MLPClassifier().fit(odd, LABELS[:3]),
        "predict of an estimator": lambda: model.predict(odd),
    }
    for ask in asked.values():
        with pytest.raises(mlpxp.BackendError, match=rf"^\S+( \S+)? must be a dense tensor, got one that is {kind}: (make|fill) it"):
            ask()


def test_what_can_only_be_read_as_another_dtype_or_has_no_values_is_refused_where_values_are_asked_for(tmp_path):
    torch = pytest.importorskip("torch")
    parameters, targets = to_backend(PARAMETERS, "torch"), torch.tensor(Y)
    short = tree_map(lambda leaf: leaf.bfloat16(), parameters)
    empty = torch.empty(3, 20, dtype=torch.float64, device="meta")
    asked = {
        "save": (lambda: mlpxp.save(tmp_path / "model.safetensors", Model(NETWORK, short)), mlpxp.DtypeError, "has no torch.bfloat16"),
        "move": (lambda: to_backend(short, "numpy"), mlpxp.DtypeError, "has no torch.bfloat16"),
        "train": (lambda: run(parameters, empty, targets, None), mlpxp.BackendError, "meta"),
        "fit": (lambda: MLPClassifier().fit(empty, LABELS[:3]), mlpxp.BackendError, "meta"),
        "move there": (lambda: to_backend(empty, "torch", device="cpu"), mlpxp.BackendError, "meta"),
        "move elsewhere": (lambda: to_backend(empty, "numpy"), mlpxp.BackendError, "meta"),
    }
    for ask, error, message in asked.values():
        with pytest.raises(error, match=message):
            ask()
    placed = tree_map(lambda leaf: leaf.to("meta"), parameters)
    assert mlpxp.predict(NETWORK, placed, empty).shape == (2, 20)  # a shape is all that is asked for


class Lazy:
    """A stand-in for dask's arrays: the standard's namespace, an array's shape, no matrix transpose, and NumPy can read it."""

    def __init__(self, values):
        self.values = values
        self.shape, self.ndim, self.dtype = values.shape, values.ndim, values.dtype

    def __array_namespace__(self, api_version=None):
        return types.SimpleNamespace(__name__="lazy")

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        return Lazy(self.values[key])


class Sparse(Lazy):
    """A stand-in for pydata's arrays: all of the standard, but sparse; NumPy may not read it."""

    mT = property(lambda self: Sparse(self.values.mT))

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("cannot convert a sparse array to dense automatically")

    def __getitem__(self, key):
        return Sparse(self.values[key])

    def todense(self):
        return self.values

    def tocsr(self):
        return scipy.sparse.csr_array(self.values)


def test_arrays_that_lack_a_part_of_the_standard_are_data_of_the_host():
    lazy = Lazy(X)
    assert not is_array(lazy)
    wanted = run(PARAMETERS, X, Y, WEIGHTS)
    for ours in (run(PARAMETERS, lazy, Lazy(Y), Lazy(WEIGHTS)), run(PARAMETERS, lazy, Y, WEIGHTS)):
        np.testing.assert_array_equal(ours.parameters[0].W, wanted.parameters[0].W)
    with pytest.raises(mlpxp.BackendError, match=r"^X must be an array, got .*: make one with numpy.asarray"):
        mlpxp.predict(NETWORK, PARAMETERS, lazy)
    ours, theirs = (MLPClassifier((4,), random_state=0, max_iter=3, batch_size=7).fit(rows, LABELS) for rows in (Lazy(X.T), X.T))
    np.testing.assert_array_equal(ours.coefs_[0], theirs.coefs_[0])
    np.testing.assert_array_equal(theirs.predict_proba(Lazy(X.T)), theirs.predict_proba(X.T))


def test_sparse_arrays_of_any_library_are_refused_or_read_as_scipys():
    for odd in (Sparse(X), scipy.sparse.csr_array(X), scipy.sparse.coo_matrix(X)):
        for ask, message in (
            (lambda odd=odd: run(PARAMETERS, odd, Y, None), "^data must be dense"),
            (lambda odd=odd: train(NETWORK, odd, Y, optimizer=GradientDescent(0.1), epochs=1, backend="torch"), "^data must be dense"),
            (lambda odd=odd: mlpxp.evaluate(NETWORK, PARAMETERS, odd, Y), "^X must be dense, got .*: make it so with todense"),
            (lambda odd=odd: to_backend(odd, "numpy"), "^to_backend takes arrays"),
        ):
            with pytest.raises(MlpxpError, match=message):
                ask()
    ours, theirs = (MLPClassifier((4,), random_state=0, max_iter=3, batch_size=7).fit(rows, LABELS) for rows in (Sparse(X.T), X.T))
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(theirs.predict_proba(Sparse(X.T)), theirs.predict_proba(X.T), rtol=1e-12)


def test_rows_that_cannot_be_read_are_refused_where_they_are_given():
    np.testing.assert_array_equal(Rows(Sparse(X.T)).take(np.asarray([3, 1, 1])), X.T[[3, 1, 1]])  # it knows how to be SciPy's

    class Locked:
        shape, dtype = X.T.shape, X.dtype

        def __getitem__(self, rows):
            raise OSError("the file is locked by another\nprocess")

    with pytest.raises(
        mlpxp.DataError, match=r"^rows must be readable by their numbers, Locked answers: the file is locked by another process$"
    ):
        Rows(Locked())
    with pytest.raises(mlpxp.RangeError, match=r"^index must hold numbers of rows from 0 to 19, got 20 in place 0$"):
        Rows(X.T, index=np.asarray([20]))
