"""JAX: an epoch is one program, compiled once, and nothing but the rows of its batches goes to the device for it."""

import gc
import itertools
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import mlpxp
from mlpxp import Activation, Adam, Cosine, DtypeError, GradientDescent, Network, RangeError, train
from mlpxp.arrays.standard import tree_leaves, tree_map

jax = pytest.importorskip("jax")
module = pytest.importorskip("mlpxp_backends.jax")

NETWORK = Network((3, 5, 2), hidden="tanh", output="softmax", loss="cross_entropy")


def data(m=24):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, m)
    return jax.numpy.asarray(draw.standard_normal((3, m), dtype="float32")), jax.numpy.asarray(np.eye(2, dtype="float32")[:, labels])


COMPILED = []  # the names of JAX's events; a listener can't be taken away again
jax.monitoring.register_event_duration_secs_listener(lambda name, _, **__: COMPILED.append(name))


@pytest.fixture
def compilations():
    """How many programs JAX has compiled since the test began, whoever asked for them."""
    first = len(COMPILED)
    return lambda: COMPILED[first:].count("/jax/core/compile/backend_compile_duration")


@pytest.fixture
def programs():
    """How many programs are kept for folds, and for predictions, since the test began."""
    module._programs.cache_clear()
    module._recent.cache_clear()
    return lambda: module._programs(32).cache_info().currsize


@pytest.fixture
def folds(monkeypatch):
    """The arguments of every fold."""
    calls, fold = [], module.JaxBackend.fold

    def recorded(self, step, state, inputs, *data):
        calls.append((step, state, inputs, data))
        return fold(self, step, state, inputs, *data)

    monkeypatch.setattr(module.JaxBackend, "fold", recorded)
    return calls


@pytest.mark.parametrize("optimizer", [GradientDescent, Adam])
def test_a_changed_learning_rate_compiles_nothing(programs, optimizer):
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=optimizer(Cosine(0.1, 4)), epochs=4, batch_size=6)
    train(NETWORK, X, Y, optimizer=optimizer(0.3), epochs=3, batch_size=6)
    assert len(set(result.history.learning_rate)) == 4
    assert programs() == 1


def test_each_network_optimizer_and_batch_shape_is_compiled_once(programs):
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
            counts.append(programs())
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
        (parameters, _), _ = jax.jit(module._fold, static_argnums=0)(step, state, inputs._replace(rows=rows), fixed)
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
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda *args, **kwargs: 1)
    library, seen = mlpxp.get_backend("jax"), []

    class Watching(type(library)):
        def fold(self, step, state, inputs, *data):
            seen.append(all(leaf.is_ready() for leaf in jax.tree.leaves(state)))
            return super().fold(step, state, inputs, *data)

    network = mlpxp.Network((500, 1000, 2), "tanh", "softmax", "cross_entropy")
    X, Y = np.ones((500, 2000), dtype="float32"), np.eye(2, dtype="float32")[:, np.arange(2000) % 2]
    mlpxp.train(network, X, Y, optimizer=mlpxp.GradientDescent(0.1), epochs=1, batch_size=500, backend=Watching())
    assert seen == [True] * 4


# ------------------------------------------------------------------------------------------------------ how much is kept


def test_the_programs_used_last_are_kept_and_the_others_let_go(programs, monkeypatch):
    made, jit = [], jax.jit
    monkeypatch.setattr(jax, "jit", lambda function: made.append(weakref.ref(function)) or jit(function))
    library = mlpxp.get_backend("jax", programs=3)
    X, Y = data()
    for width in (4, 5, 6, 7, 8):
        train(Network((3, width, 2)), X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=6, backend=library)
    gc.collect()
    assert [function() is not None for function in made] == [False, False, True, True, True]
    assert programs() == 0  # another limit, another cache
    for width in (8, 7, 6, 4):
        train(Network((3, width, 2)), X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=6, backend=library)
    assert len(made) == 6


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "many", None])
def test_how_many_are_kept_is_a_whole_number(number):
    with pytest.raises(RangeError, match=r"^programs must be a whole number from 1 for JAX, got "):
        mlpxp.get_backend("jax", programs=number)


def test_training_a_network_of_other_sizes_compiles_its_folds_and_nothing_else_but_zeros(compilations):
    X, Y = data(20)
    for width in (11, 12, 13, 14):
        before = compilations()
        train(Network((3, width, 2), "tanh"), X, Y, optimizer=Adam(0.1), epochs=3, batch_size=8)
        counted = compilations() - before
    assert counted <= 2 + 3  # batches of 8, and the last one of 4; Adam's sums for two shapes of weights and one of biases


def test_host_data_are_copied_and_compile_nothing(compilations):
    """JAX would look at NumPy's memory."""
    library, device = mlpxp.get_backend("jax"), jax.devices()[0]
    for dtype, m in itertools.product(("float32", "int32", "bool"), (1031, 4097)):
        block = np.zeros(4 * m + 64, dtype="uint8")
        first = -block.ctypes.data % 64
        values = block[first : first + m * np.dtype(dtype).itemsize].view(dtype)  # where XLA takes it as it is
        for options in ({}, {"device": device}, {"device": "cpu"}):
            array = library.asarray(values, **options)
            values[:] = 1
            assert not np.asarray(array).any()
            assert array.dtype == dtype
            values[:] = 0
    assert library.asarray(np.ones(7, dtype="float64"), dtype="float32").dtype == "float32"
    assert compilations() == 0


# ------------------------------------------------------------------------------------------------ any number of examples

SIZES = [int(m) for m in np.random.default_rng(3).permutation(np.linspace(1, 4000, 40).astype(int))]
BIG = np.random.default_rng(1).standard_normal((3, 4000)).astype("float32")
TARGETS = np.eye(2, dtype="float32")[:, np.random.default_rng(2).integers(0, 2, 4000)]


def on_numpy(network, parameters):
    return network, tuple(mlpxp.Layer(*map(np.asarray, layer)) for layer in parameters)


@pytest.mark.parametrize("seed", [4, (4, 5)])
def test_predictions_of_forty_row_counts_are_few_programs(compilations, seed):
    network = Network((3, 7, 2), "gelu", "softmax", "cross_entropy")
    parameters = mlpxp.initialize(network, seed=seed, backend="jax")
    reference = on_numpy(network, parameters)
    before = compilations()
    for m in SIZES:
        X = jax.device_put(BIG[:, :m])
        got = mlpxp.predict(network, parameters, X)
        assert isinstance(got, jax.Array)
        assert (got.dtype, got.devices()) == (X.dtype, X.devices())
        np.testing.assert_allclose(got, mlpxp.predict(*reference, BIG[:, :m]), rtol=2e-5, atol=1e-7)
    assert compilations() - before < 5


def test_an_estimators_predictions_too(compilations):
    pytest.importorskip("sklearn")
    rows, labels = BIG.T, TARGETS[1].astype(int)
    options = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 400, "tol": 0.01}
    fitted = mlpxp.MLPClassifier(backend="jax", **options).fit(rows[:90], labels[:90])
    parameters = [*fitted.coefs_, *fitted.intercepts_]
    before = compilations()
    for m in SIZES:
        got = fitted.predict_proba(rows[:m])
        A = np.maximum(rows[:m] @ parameters[0] + parameters[2], 0.0)
        wanted = 1.0 / (1.0 + np.exp(-(A @ parameters[1] + parameters[3])))
        np.testing.assert_allclose(got[:, 1:], wanted, rtol=2e-5, atol=1e-7)
        assert type(got) is np.ndarray
    assert compilations() - before < 5


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "network",
    [
        Network((3, 5, 2), "tanh", "softmax", "cross_entropy"),
        Network((3, 5, 2), "tanh", "identity", "mse"),
        Network((3, 5, 2), "relu", "exp", "poisson"),
    ],
    ids=["hits", "squares", "counts"],
)
def test_an_evaluations_means_count_no_padding(programs, network, weighted):
    parameters = mlpxp.initialize(network, seed=7, backend="jax")
    reference = on_numpy(network, parameters)
    weights = np.random.default_rng(4).uniform(0.0, 2.0, 4000).astype("float32")
    for m in SIZES[:12]:
        given = [BIG[:, :m], TARGETS[:, :m], *([weights[:m]] if weighted else [])]
        got = mlpxp.evaluate(network, parameters, *map(jax.device_put, given))
        wanted = mlpxp.evaluate(*reference, *given)
        assert got.cost == pytest.approx(wanted.cost, rel=1e-5)
        assert got.score == pytest.approx(wanted.score, rel=1e-4, abs=1e-6, nan_ok=True)
    assert programs() < 5


def test_a_row_count_that_comes_again_and_again_is_computed_as_it_is(programs, monkeypatch):
    widths, call = [], module._call
    monkeypatch.setattr(module, "_call", lambda function, parameters, X: widths.append(X.shape[-1]) or call(function, parameters, X))
    parameters = mlpxp.initialize(NETWORK, seed=7, backend="jax")
    for m in (65, 70, 65, 65, 65, 5000, 1, 8, 513):
        mlpxp.predict(NETWORK, parameters, jax.device_put(np.ones((3, m), "float32")))
    assert widths == [512, 65, 8192, 8, 4096]  # as they are compiled
    assert programs() == 5


@pytest.mark.parametrize("pure", [False, True])
def test_a_function_of_the_users_sees_the_examples_and_no_others(pure):
    """One that is declared pure may still look at all examples of a call."""
    seen = []

    def centred(Z):
        seen.append(Z.shape[-1])
        return Z - Z.mean(axis=-1, keepdims=True)

    network = Network((3, 4, 2), Activation("centred", centred, lambda Z, A: A, pure=pure), "identity")
    parameters = mlpxp.initialize(network, seed=0, backend="jax")
    (W, b), (V, c) = on_numpy(network, parameters)[1]
    for m in (3, 9, 70):
        X = BIG[:, :m]
        Z = W @ X + b
        got = mlpxp.predict(network, parameters, jax.device_put(X))
        np.testing.assert_allclose(got, V @ (Z - Z.mean(axis=-1, keepdims=True)) + c, rtol=1e-4, atol=1e-6)
        loss = 0.5 * np.mean(np.sum((V @ (Z - Z.mean(axis=-1, keepdims=True)) + c - TARGETS[:, :m]) ** 2, axis=0))
        if pure:  # JAX compiles an evaluation
            assert mlpxp.evaluate(network, parameters, *map(jax.device_put, (X, TARGETS[:, :m]))).cost == pytest.approx(loss, rel=1e-5)
    assert set(seen) == {3, 9, 70}


def test_predictions_go_through_jaxs_own_transformations():
    parameters = mlpxp.initialize(NETWORK, seed=0, backend="jax")
    X = jax.device_put(BIG[:, :5])
    wanted = mlpxp.predict(NETWORK, parameters, X)
    np.testing.assert_allclose(jax.jit(lambda X: mlpxp.predict(NETWORK, parameters, X))(X), wanted, rtol=1e-6)
    columns = jax.vmap(lambda x: mlpxp.predict(NETWORK, parameters, x[:, None])[:, 0], in_axes=1, out_axes=1)(X)
    np.testing.assert_allclose(columns, wanted, rtol=1e-5)
    slope = jax.grad(lambda p: mlpxp.predict(NETWORK, p, X)[0].sum())(parameters)
    assert np.abs(slope[0].W).max() > 0.0
    with jax.transfer_guard("disallow"):
        mlpxp.predict(NETWORK, parameters, X)


def test_no_example_has_no_prediction():
    parameters = mlpxp.initialize(NETWORK, seed=0, backend="jax")
    assert mlpxp.predict(NETWORK, parameters, jax.numpy.ones((3, 0))).shape == (2, 0)


def test_what_is_on_a_gpu_is_not_padded_as_it_would_come_to_the_host_for_that(monkeypatch):
    """The CPU under a GPU's name: nothing is asked back from the device."""
    library = mlpxp.get_backend("jax")
    parameters = mlpxp.initialize(NETWORK, seed=0, backend=library)
    X, _ = data(13)
    wanted = mlpxp.predict(NETWORK, parameters, X)
    monkeypatch.setattr(module, "_is_on_host", lambda array: False)
    monkeypatch.setattr(module.jax, "device_get", lambda _: pytest.fail("it came to the host"))
    assert [library.columns(m, (X,), "anything") for m in (1, 13, 5000)] == [1, 13, 5000]
    got = mlpxp.predict(NETWORK, parameters, X)
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-6)


AS_USERS_HAVE_IT = [
    "tests/backends/test_every_backend.py::test_twenty_epochs_on_digits_agree_in_float64",
    "tests/backends/test_every_backend.py::test_twenty_epochs_on_digits_agree_in_float32",
]


def test_compiled_as_users_have_it_jax_learns_the_same():
    """XLA is told by conftest.py to compile quickly; here are some tests with the optimizations that it makes by itself."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--backend=jax", *AS_USERS_HAVE_IT]
    environment = os.environ | {"XLA_FLAGS": ""}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout.splitlines()[-1]
