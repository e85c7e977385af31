"""PyTorch: what its tensors may be, shapes without data, and steps that are compiled."""

import contextlib
import gc
import itertools
import weakref
from dataclasses import replace

import numpy as np
import pytest

import mlpxp
from mlpxp import ACTIVATIONS, Adam, BackendError, Cosine, GradientDescent, Network, train
from mlpxp.arrays.standard import tree_leaves

torch = pytest.importorskip("torch")
module = pytest.importorskip("mlpxp_backends.torch")

NETWORK = Network((3, 5, 2), hidden="relu", output="softmax", loss="cross_entropy")


def data(m=20):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, m)
    return torch.as_tensor(draw.standard_normal((3, m), dtype="float32")), torch.as_tensor(np.eye(2, dtype="float32")[:, labels])


@pytest.fixture
def compiling():
    """The backend with compile=True, and no step compiled so far."""
    module._programs.cache_clear()
    return replace(mlpxp.get_backend("torch"), compile=True)


@pytest.fixture
def calls(monkeypatch):
    """The options of every call of torch.compile, which compiles nothing here."""
    options = []
    monkeypatch.setattr(torch, "compile", lambda graph, **given: options.append(given) or graph)
    return options


def needs_a_compiler():
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("there is no C++ compiler")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # PyTorch's compiler warns of PyTorch
def test_a_compiled_step_learns_the_same(compiling):
    needs_a_compiler()
    X, Y = data()
    options = {"optimizer": Adam(Cosine(0.1, 3)), "epochs": 3, "batch_size": 8}
    wanted = train(NETWORK, X, Y, **options)
    result = train(NETWORK, X, Y, backend=compiling, **options)
    assert result.history.cost == pytest.approx(wanted.history.cost, rel=1e-5)
    for leaf, reference in zip(tree_leaves(result.parameters), tree_leaves(wanted.parameters), strict=True):
        torch.testing.assert_close(leaf, reference, rtol=1e-4, atol=1e-6)
    assert module._programs(32).cache_info().currsize == 2  # batches of 8, and the last one of 4


def test_a_step_is_followed_once_for_each_network_optimizer_and_shape(compiling, calls):
    X, Y = data()
    for rate in (Cosine(0.1, 4), 0.3):
        train(NETWORK, X, Y, backend=compiling, optimizer=GradientDescent(rate), epochs=4, batch_size=10)
        assert len(calls) == 1
    train(NETWORK, X, Y, backend=compiling, optimizer=Adam(0.1), epochs=2, batch_size=10)
    assert len(calls) == 2
    train(NETWORK, X, Y, backend=compiling, optimizer=Adam(0.1), epochs=2, batch_size=5)
    assert len(calls) == 3


def test_the_graph_that_is_compiled_takes_the_learning_rate_as_it_comes(compiling, calls):
    X, Y = data()
    options = {"optimizer": GradientDescent(Cosine(0.5, 4)), "epochs": 4, "batch_size": 10}
    result = train(NETWORK, X, Y, backend=compiling, **options)
    assert len(calls) == 1
    assert result.history.cost == pytest.approx(train(NETWORK, X, Y, **options).history.cost, rel=1e-5)


def test_a_compiler_that_is_missing_or_fails_is_one_error(compiling, monkeypatch):
    def fails(*_):
        raise RuntimeError("no working C++ compiler\nand a long story")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: fails)
    with pytest.raises(BackendError, match=r"compile=True could not compile.* for cpu.*: no working C\+\+ compiler$"):
        train(NETWORK, *data(), backend=compiling, optimizer=GradientDescent(0.1), epochs=1)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1, momentum=0.9), Adam(0.1)], ids=["momentum", "adam"])
@pytest.mark.parametrize("members", [(), (4,)], ids=["one", "stack"])
def test_shapes_go_through_a_step_without_data(optimizer, members):
    parameters = mlpxp.initialize(NETWORK, seed=range(*members) if members else 0, backend="torch", device="meta")
    X, Y = torch.empty((3, 7), device="meta"), torch.empty((2, 7), device="meta")
    trace = mlpxp.forward(NETWORK, parameters, X)
    assert [tuple(passed.A.shape) for passed in trace] == [(*members, 5, 7), (*members, 2, 7)]
    assert mlpxp.cost(NETWORK, trace, Y).shape == members
    gradients = mlpxp.backward(NETWORK, parameters, trace, Y)
    new, _ = optimizer.update(parameters, gradients, optimizer.start(parameters))
    for leaf, gradient, old in zip(*map(tree_leaves, (new, gradients, parameters)), strict=True):
        assert leaf.shape == gradient.shape == old.shape
        assert leaf.device.type == "meta"


@pytest.mark.parametrize(("frozen", "stride"), list(itertools.product((False, True), (1, -1, -2))))
def test_numpy_data_may_be_read_only_and_backwards(frozen, stride):
    array = np.arange(24, dtype="float32").reshape(3, 8)[:, ::stride]
    array.flags.writeable = not frozen
    kept = array.copy()
    tensor = mlpxp.get_backend("torch").asarray(array)
    assert tensor.tolist() == kept.tolist()
    tensor += 1.0 if frozen or stride < 0 else 0.0  # a copy, then: the data stay as they are
    assert array.tolist() == kept.tolist()


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_nothing_is_recorded_for_autograd(compiling, calls, compiled):
    X, Y = data()
    start = tuple(mlpxp.Layer(*(leaf.requires_grad_() for leaf in layer)) for layer in mlpxp.initialize(NETWORK, seed=0, backend="torch"))
    library = compiling if compiled else mlpxp.get_backend("torch")
    seen = []
    result = train(
        NETWORK, X.requires_grad_(), Y, backend=library, start=start, optimizer=Adam(0.1), epochs=2, batch_size=10,
        callbacks=[lambda epoch: seen.append(epoch.parameters)],
    )  # fmt: skip
    for leaf in tree_leaves((result.parameters, tuple(seen), result.optimizer_state)):
        assert not leaf.requires_grad
        assert leaf.grad_fn is None
    assert all(leaf.grad is None for leaf in (X, *tree_leaves(start)))
    assert isinstance(library.to_numpy(start[0].W), np.ndarray)
    assert bool(calls) == compiled


@pytest.mark.parametrize("value", ["no", 3, None])
def test_compile_is_true_or_false(value):
    with pytest.raises(mlpxp.RangeError, match=r"^compile must be True or False for PyTorch, got "):
        mlpxp.get_backend("torch", compile=value)


def test_an_array_without_values_can_not_be_brought_to_the_host():
    with pytest.raises(mlpxp.BackendError, match=r"^an array on device 'meta' has a shape and no values"):
        mlpxp.get_backend("torch").to_numpy(torch.empty(3, device="meta"))


# ----------------------------------------------------------------------------------------------------- PyTorch's switches


@contextlib.contextmanager
def default_device(how):
    """Meta as PyTorch's default device, in either of its ways: what lands there has no values."""
    if how == "context":
        with torch.device("meta"):
            yield
    else:
        torch.set_default_device("meta")
        try:
            yield
        finally:
            torch.set_default_device(None)


HOW = pytest.mark.parametrize("how", ["context", "set"])


@HOW
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
def test_pytorchs_default_device_moves_no_array(how, dtype):
    library = mlpxp.get_backend("torch")
    here, there = torch.ones((2, 3)), torch.ones((2, 3), device="meta")
    with default_device(how):
        assert library.asarray(here, dtype=dtype).device.type == "cpu"
        assert library.asarray(here.mT, dtype=dtype).device.type == "cpu"
        assert library.asarray(there, dtype=dtype).device.type == "meta"
        assert library.asarray(here, dtype=dtype, device="meta").device.type == "meta"
        for values in ([[1.0, 2.0]], np.ones((1, 2)), np.ones((1, 2))[:, ::-1]):  # of the host, as they would be without a default
            assert library.asarray(values, dtype=dtype).device.type == "cpu"
            assert library.asarray(values, dtype=dtype, device="meta").device.type == "meta"
    assert library.asarray(there, dtype=dtype).device.type == "meta"


MADE = *data(), torch.linspace(0.0, 1.0, 20)


def run(network, library="auto", *, host=False, **options):
    X, Y, weights = MADE  # before any switch
    if host:
        X, Y, weights = X.numpy(), Y.numpy(), weights.numpy()
    options = {"batch_size": 8, "weights": weights, "penalty": 0.1, "dropout": 0.2, "clip_norm": 1.0} | options
    return train(network, X, Y, optimizer=Adam(0.1), epochs=3, validation=(X, Y), patience=3, backend=library, **options)


HEADS = [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("exp", "poisson"), ("identity", "mse"), ("tanh", "mse")]


@HOW
@pytest.mark.parametrize("hidden", [name for name in ACTIVATIONS if name not in ("softmax", "exp")])
def test_training_is_the_same_whatever_the_default_device_is(how, hidden):
    for number, (output, loss) in enumerate(HEADS):
        network = Network((3, 5, 2), hidden, output, loss)
        wanted = run(network)
        with default_device(how):
            got = run(network, "torch" if number % 2 else "auto", host=bool(number % 2))
        assert got.history.cost == wanted.history.cost
        assert got.history.validation_cost == wanted.history.validation_cost
        assert [leaf.tolist() for leaf in tree_leaves(got.parameters)] == [leaf.tolist() for leaf in tree_leaves(wanted.parameters)]


@HOW
@pytest.mark.parametrize("n_networks", [1, 3])
def test_an_estimator_is_the_same_whatever_the_default_device_is(how, n_networks):
    pytest.importorskip("sklearn")
    X, Y = data()
    labels = Y.argmax(0)
    options = {"hidden_layer_sizes": (5,), "max_iter": 400, "tol": 0.01, "random_state": 0, "n_networks": n_networks}
    wanted = mlpxp.MLPClassifier(**options).fit(X.T, labels).predict_proba(X.T)
    with default_device(how):
        fitted = mlpxp.MLPClassifier(**options).fit(X.T, labels)
        assert fitted.predict_proba(X.T).tolist() == wanted.tolist()
        on_host = mlpxp.MLPClassifier(backend="torch", **options).fit(X.T.numpy(), labels.numpy())
        np.testing.assert_allclose(on_host.predict_proba(X.T.numpy()), wanted, rtol=1e-5)


def under(dtype):
    return torch.autocast("cpu", dtype=dtype) if dtype is not None else contextlib.nullcontext()


@pytest.mark.parametrize("order", list(itertools.permutations([None, torch.bfloat16, torch.float16], 2)))
def test_a_compiled_step_follows_autocast_as_it_is_now(compiling, calls, order):
    """The graph of a step is its own calls, to the bit; ``torch.compile`` is left out."""
    costs = []
    for dtype in (*order, *order):
        with under(dtype):
            wanted, got = (run(NETWORK, library, dropout=0.0) for library in ("torch", compiling))
        assert got.history.cost == wanted.history.cost
        assert {leaf.dtype for leaf in tree_leaves(got.parameters)} == {torch.float32}
        costs.append(got.history.cost)
    assert costs[0] != costs[1]
    assert costs[2:] == costs[:2]
    assert len(calls) == 2 * 3  # steps of 8 and of 4 examples and the evaluation, each once under either


@pytest.mark.parametrize(
    ("switch", "now"),
    [
        ("set_float32_matmul_precision", "medium"),
        ("set_default_dtype", torch.float64),
    ],
)
def test_another_switch_is_another_graph(compiling, calls, switch, now):
    before = {"set_float32_matmul_precision": torch.get_float32_matmul_precision, "set_default_dtype": torch.get_default_dtype}[switch]()
    run(NETWORK, compiling)
    first = len(calls)
    try:
        getattr(torch, switch)(now)
        wanted, got = (run(NETWORK, library) for library in ("torch", compiling))
    finally:
        getattr(torch, switch)(before)
    assert len(calls) == 2 * first
    assert got.history.cost == pytest.approx(wanted.history.cost, rel=1e-6)
    run(NETWORK, compiling)
    assert len(calls) == 2 * first


def test_the_steps_used_last_are_kept_and_the_others_let_go(monkeypatch):
    module._programs.cache_clear()
    graphs = []
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graphs.append(weakref.ref(graph)) or graph)
    library = mlpxp.get_backend("torch", compile=True, programs=2)
    X, Y = data()
    for width in (4, 5, 6, 7):
        train(Network((3, width, 2)), X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=10, backend=library)
    gc.collect()
    assert [graph() is not None for graph in graphs] == [False, False, True, True]
    for width in (7, 6, 4):
        train(Network((3, width, 2)), X, Y, optimizer=GradientDescent(0.1), epochs=2, batch_size=10, backend=library)
    assert len(graphs) == 5


@pytest.mark.parametrize("number", [0, -3, 1.0, True, "all", None])
def test_how_many_are_kept_is_a_whole_number(number):
    with pytest.raises(mlpxp.RangeError, match=r"^programs must be a whole number from 1 for PyTorch, got "):
        mlpxp.get_backend("torch", compile=True, programs=number)
