"""JAX: an epoch is one program, compiled once, and nothing but the rows of its batches goes to the device for it."""

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, Cosine, DtypeError, GradientDescent, Network, train
from mlpxp.arrays import tree_leaves, tree_map

jax = pytest.importorskip("jax")
module = pytest.importorskip("mlpxp_backends.jax")

NETWORK = Network((3, 5, 2), hidden="tanh", output="softmax", loss="cross_entropy")


def data(m=24):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, m)
    return jax.numpy.asarray(draw.standard_normal((3, m), dtype="float32")), jax.numpy.asarray(np.eye(2, dtype="float32")[:, labels])


@pytest.fixture
def compilations():
    """How many programs a fold has been compiled to since the test began."""
    module._fold.clear_cache()
    return module._fold._cache_size


@pytest.fixture
def folds(monkeypatch):
    """The arguments of every call of the compiled fold."""
    calls, fold = [], module._fold

    def recorded(*arguments):
        calls.append(arguments)
        return fold(*arguments)

    monkeypatch.setattr(module, "_fold", recorded)
    return calls


@pytest.mark.parametrize("optimizer", [GradientDescent, Adam])
def test_a_changed_learning_rate_compiles_nothing(compilations, optimizer):
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=optimizer(Cosine(0.1, 4)), epochs=4, batch_size=6)
    train(NETWORK, X, Y, optimizer=optimizer(0.3), epochs=3, batch_size=6)
    assert len(set(result.history.learning_rate)) == 4
    assert compilations() == 1


def test_each_network_optimizer_and_batch_shape_is_compiled_once(compilations):
    X, Y = data()
    counts = []
    for network, optimizer, size in (
        (NETWORK, GradientDescent(0.1), 6),
        (Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy"), GradientDescent(0.1), 6),
        (NETWORK, Adam(0.1), 6),
        (NETWORK, GradientDescent(0.1), 8),
    ):
        for _ in range(2):
            train(network, X, Y, optimizer=optimizer, epochs=3, batch_size=size)
            counts.append(compilations())
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_promotes_no_dtype(dtype):
    backend = mlpxp.get_backend("jax")
    X, Y = (backend.asarray(np.asarray(array), dtype=dtype) for array in data())
    options = {"batch_size": 7, "weights": backend.asarray(np.linspace(0.0, 1.0, 24), dtype=dtype), "penalty": 0.01, "patience": 2}
    with jax.numpy_dtype_promotion("strict"):
        result = train(NETWORK, X, Y, optimizer=Adam(Cosine(0.1, 3)), epochs=3, validation=(X, Y), **options)
    assert {str(leaf.dtype) for leaf in tree_leaves(result.parameters)} == {dtype}


def test_the_rows_are_all_that_goes_to_the_device_for_an_epoch(folds):
    X, Y = data()
    train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=6)
    assert len(folds) == 2
    for _, state, inputs, fixed in folds:
        assert isinstance(inputs.rows, np.ndarray)
        assert all(isinstance(leaf, jax.Array) for leaf in tree_leaves((state, inputs._replace(rows=None), fixed)))


def test_a_fold_transfers_nothing_that_was_not_asked_for(folds):
    X, Y = data()
    wanted = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, batch_size=6)
    step, state, inputs, fixed = folds[-1]
    rows = jax.device_put(inputs.rows)
    with jax.transfer_guard("disallow"):  # the compiled program alone, without the fold's leave for rows
        (parameters, _), _ = module._fold(step, state, inputs._replace(rows=rows), fixed)
    assert [leaf.tolist() for leaf in tree_leaves(parameters)] == [leaf.tolist() for leaf in tree_leaves(wanted.parameters)]
    with jax.transfer_guard("disallow"):
        mlpxp.get_backend("jax").fold(step, state, inputs._replace(rows=np.asarray(rows)), *fixed)


def test_the_parameters_that_training_began_from_are_still_there():
    X, Y = data()
    start, seen = mlpxp.initialize(NETWORK, seed=1, backend="jax"), []
    before = tree_map(np.array, start)
    train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=6, start=start, callbacks=[lambda epoch: seen.append(epoch.parameters)])
    for leaf, copy in zip(tree_leaves(start), tree_leaves(before), strict=True):
        np.testing.assert_array_equal(leaf, copy)
    assert not any(leaf.is_deleted() for leaf in tree_leaves(tuple(seen)))
    assert seen[0][0].W.tolist() != seen[1][0].W.tolist()


def test_float64_without_x64_is_one_error_that_names_both_ways_to_get_it():
    assert not jax.config.jax_enable_x64
    X, Y = (np.asarray(array, dtype="float64") for array in data())
    with pytest.raises(DtypeError, match=r"jax\.config\.update\('jax_enable_x64', True\).*JAX_ENABLE_X64=1"):
        train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=1, backend="jax")


def test_synchronize_waits_for_what_is_queued():
    """A queue of products takes much longer to run than to fill; whether an array is there can be asked without waiting."""
    A = jax.numpy.ones((1500, 1500))
    products = [A @ A for _ in range(20)]
    mlpxp.get_backend("jax").synchronize()
    assert all(product.is_ready() for product in products)


def test_a_stop_request_is_heard_between_the_folds_of_an_epoch(monkeypatch):
    """What is queued for an earlier fold is there before the next one begins."""
    monkeypatch.setattr("mlpxp.training.longest_fold", lambda *args, **kwargs: 1)
    library, seen = mlpxp.get_backend("jax"), []

    class Watching(type(library)):
        def fold(self, step, state, inputs, *data):
            seen.append(all(leaf.is_ready() for leaf in jax.tree.leaves(state)))
            return super().fold(step, state, inputs, *data)

    network = mlpxp.Network((500, 1000, 2), "tanh", "softmax", "cross_entropy")
    X, Y = np.ones((500, 2000), dtype="float32"), np.eye(2, dtype="float32")[:, np.arange(2000) % 2]
    mlpxp.train(network, X, Y, optimizer=mlpxp.GradientDescent(0.1), epochs=1, batch_size=500, backend=Watching())
    assert seen == [True] * 4
