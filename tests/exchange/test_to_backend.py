"""Arrays in another library: what shares memory, what is copied, and that nothing writes into what is shared."""

import itertools

import numpy as np
import pytest

from mlpxp import (
    Adam,
    BackendError,
    DtypeError,
    GradientDescent,
    Layer,
    MLPRegressor,
    Network,
    UnknownNameError,
    get_backend,
    initialize,
    predict,
    to_backend,
    train,
)
from mlpxp.arrays.standard import device_of, library_of, tree_leaves
from mlpxp.files import Model

NETWORK = Network((16, 32, 16), hidden="tanh", output="identity")
HOSTS = ("numpy", "torch", "jax")
PAIRS = list(itertools.permutations(HOSTS, 2))
X, Y = np.random.default_rng(0).standard_normal((2, 16, 40))


def address(array):
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0]
    return array.data_ptr() if library_of(array) == "torch" else array.unsafe_buffer_pointer()


def aligned(array):
    """A copy whose address every library can use."""
    memory = np.empty(array.nbytes + 64, dtype=np.uint8)
    first = -memory.__array_interface__["data"][0] % 64
    copy = memory[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def made(name, dtype="float32"):
    """Parameters of a library on the host, at addresses that every other can use."""
    drawn = tuple(Layer(*map(aligned, layer)) for layer in initialize(NETWORK, seed=0, dtype=dtype))
    return to_backend(drawn, name, "cpu")


@pytest.fixture(autouse=True)
def libraries(request):
    for name in HOSTS[1:]:
        if name in request.node.name:
            pytest.importorskip(name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_libraries_on_the_host_share_memory(one, other, dtype, x64):
    parameters = made(one, dtype)
    moved = to_backend(parameters, other, "cpu")
    assert type(moved) is tuple
    assert {type(layer) for layer in moved} == {Layer}
    for leaf, new in zip(tree_leaves(parameters), tree_leaves(moved), strict=True):
        assert library_of(new) == other
        assert address(new) == address(leaf)
        assert get_backend(one).to_numpy(leaf).tolist() == get_backend(other).to_numpy(new).tolist()


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_there_already_is_not_copied(name):
    parameters = made(name)
    assert [address(leaf) for leaf in tree_leaves(to_backend(parameters, name, "cpu"))] == [
        address(leaf) for leaf in tree_leaves(parameters)
    ]


@pytest.mark.parametrize(
    "optimizer", [Adam(0.01), GradientDescent(0.1, momentum=0.9), GradientDescent(0.1)], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_training_from_shared_parameters_leaves_the_source_as_it_was(one, other, optimizer):
    parameters = made(one)
    before = [get_backend(one).to_numpy(leaf).copy() for leaf in tree_leaves(parameters)]
    there = get_backend(other)
    data = [there.asarray(each, dtype="float32") for each in (X, Y)]
    moved = to_backend(parameters, other, "cpu")
    result = train(NETWORK, *data, optimizer=optimizer, epochs=2, batch_size=8, start=moved)
    again = train(NETWORK, *data, optimizer=optimizer, epochs=1, batch_size=8, start=result)
    predict(NETWORK, moved, data[0])
    assert not np.array_equal(there.to_numpy(again.parameters[0].W), before[0])
    for leaf, old in zip(tree_leaves(parameters), before, strict=True):
        assert np.array_equal(get_backend(one).to_numpy(leaf), old)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_an_estimator_that_goes_on_in_torch_leaves_the_one_that_it_came_from(solver):
    pytest.importorskip("sklearn")
    torch = pytest.importorskip("torch")
    fitted = MLPRegressor(hidden_layer_sizes=8, solver=solver, max_iter=3, random_state=0).fit(X.T, Y[0])
    before = [array.copy() for array in (*fitted.coefs_, *fitted.intercepts_)]
    moved = to_backend(fitted, "torch").set_params(warm_start=True)
    assert [each.data_ptr() for each in moved.coefs_] == [address(each) for each in fitted.coefs_]
    moved.fit(torch.asarray(X.T), Y[0])
    if solver != "lbfgs":
        moved.partial_fit(torch.asarray(X.T), Y[0])
    assert all(map(np.array_equal, (*fitted.coefs_, *fitted.intercepts_), before))
    assert not np.array_equal(moved.coefs_[0].numpy(), before[0])


# ---------------------------------------------------------------------------------------------------------- copied


def test_memory_that_is_read_only_is_copied_for_torch():
    """It would let it be written into, and end the process where the memory is a file's."""
    pytest.importorskip("torch")
    array = aligned(X)
    array.flags.writeable = False
    moved = to_backend(array, "torch")
    moved[...] = 0.0
    assert np.array_equal(array, X)


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("view", [lambda a: a[::-1], lambda a: a[:, ::-2], lambda a: a.T, lambda a: a[:0], lambda a: a[3, 5, None][0]])
def test_views_keep_their_values(name, view, x64):
    """PyTorch ends the process when it is handed a negative stride."""
    array = view(X.copy())
    moved = to_backend(array, name)
    assert np.array_equal(get_backend(name).to_numpy(moved), array)
    assert np.array_equal(to_backend(moved, "numpy"), array)


def test_tensors_that_autograd_follows_come_without_it():
    torch = pytest.importorskip("torch")
    jax = pytest.importorskip("jax")
    tensor = torch.nn.Parameter(torch.ones((3, 3)))
    assert to_backend(tensor, "numpy").tolist() == np.ones((3, 3)).tolist()
    assert isinstance(to_backend(tensor, "jax"), jax.Array)


def test_jax_without_float64_says_so():
    """Its from_dlpack rounds to float32 without a word."""
    jax = pytest.importorskip("jax")
    pytest.importorskip("torch")
    assert not jax.config.jax_enable_x64
    for name in ("numpy", "torch"):
        with pytest.raises(DtypeError, match="JAX has no float64 until it is asked for"):
            to_backend(made(name, "float64"), "jax")


def test_an_address_that_jax_can_t_use():
    pytest.importorskip("jax")
    array = aligned(np.arange(65.0, dtype="float32"))[1:]
    assert np.array_equal(np.asarray(to_backend(array, "jax")), array)


def test_a_device_that_was_asked_for():
    strict = pytest.importorskip("array_api_strict")
    for array in (X, strict.asarray(X), strict.asarray(X, device=strict.Device("device2"))):
        moved = to_backend(array, "strict", "device1")
        assert str(device_of(moved)).count("device1")
        assert np.array_equal(get_backend("strict").to_numpy(moved), X)
    assert str(device_of(to_backend(moved, "strict"))).count("CPU_DEVICE"), "the library's default device"


# ------------------------------------------------------------------------------------------- what is made of arrays


def test_a_model(backend):
    model = Model(NETWORK, made("numpy"), metadata={"a": 1})
    moved = to_backend(model, backend)
    assert (moved.network, moved.metadata) == (NETWORK, {"a": 1})
    assert {type(leaf) for leaf in tree_leaves(moved.parameters)} == {type(backend.asarray([0.0]))}
    assert np.array_equal(backend.to_numpy(moved.parameters[1].W), model.parameters[1].W)


@pytest.mark.parametrize(
    "optimizer", [Adam(0.01), GradientDescent(0.1, momentum=0.9), GradientDescent(0.1)], ids=lambda one: type(one).__name__
)
def test_a_training_goes_on_in_another_library(backend, optimizer):
    options = {"optimizer": optimizer, "batch_size": 8, "seed": 0}
    first = train(NETWORK, X, Y, epochs=2, **options)
    wanted = train(NETWORK, X, Y, epochs=2, start=first, **options)
    moved = to_backend(first, backend)
    assert (moved.history, moved.stop, moved.seed) == (first.history, first.stop, first.seed)
    assert type(moved.optimizer_state) is type(first.optimizer_state)
    got = train(NETWORK, backend.asarray(X), backend.asarray(Y), epochs=2, start=moved, **options)
    for one, other in zip(tree_leaves(got.last_parameters), tree_leaves(wanted.last_parameters), strict=True):
        assert backend.to_numpy(one) == pytest.approx(other, rel=1e-9, abs=1e-12)
    assert got.history.cost == pytest.approx(wanted.history.cost, rel=1e-9)


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("value", [3, "x", [1.0], {"a": X}, (X, 3), MLPRegressor, NETWORK])
def test_what_can_t_be_moved(value):
    with pytest.raises(DtypeError, match="to_backend takes arrays, tuples of them such as parameters, a Model") as caught:
        to_backend(value, "numpy")
    assert "\n" not in str(caught.value)


def test_places_that_are_not_here():
    with pytest.raises(UnknownNameError, match="backend must be auto or one of"):
        to_backend(X, "abacus")
    with pytest.raises(BackendError, match="nowhere"):
        to_backend(X, "numpy", "nowhere")
