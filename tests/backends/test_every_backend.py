"""What every backend promises, whatever its library: run once on each."""

import numpy as np
import pytest

import mlpxp
from mlpxp import (
    ACTIVATIONS,
    Adam,
    AdamW,
    BackendError,
    Cosine,
    Device,
    DtypeError,
    GradientDescent,
    MlpxpError,
    Network,
    OutOfMemoryError,
    train,
)
from mlpxp.arrays.backend import Backend, backend_of, fold_in_python
from mlpxp.arrays.standard import device_of, library_of, namespace, tree_leaves
from mlpxp.training.step import Inputs, TrainingStep


def test_it_satisfies_the_protocol(backend):
    assert isinstance(backend, Backend)
    assert backend.version[0].isdigit()
    assert len(backend.runs) > 5
    assert backend.synchronize() is None


def test_its_devices_are_asked_for_by_name_by_value_and_by_the_librarys_object(backend):
    devices = backend.devices()
    assert devices
    for device in devices:
        assert isinstance(device, Device)
        assert device.description
        assert device.memory is None or device.memory > 0
        assert device.free is None or 0 < device.free <= device.memory  # of a GPU that nobody uses nothing is asked
        there = backend.asarray([1.0], dtype="float32", device=device.name)
        again = backend.asarray([1.0], dtype="float32", device=device)
        assert device_of(there) == device_of(again) == device_of(backend.asarray([1.0], dtype="float32", device=device_of(there)))
        assert backend.to_numpy(there).tolist() == [1.0]
    assert len({str(device_of(backend.asarray([1.0], dtype="float32", device=device))) for device in devices}) == len(devices)


@pytest.mark.parametrize("device", ["cuda:99", "gpu0", "", "abacus:1"])
def test_a_device_that_is_not_there(backend, device):
    with pytest.raises(BackendError, match=r"^device must be one that backend '.+' has here, ") as caught:
        backend.asarray([1.0], device=device)
    assert "\n" not in str(caught.value)
    assert repr(backend.devices()[0].name) in str(caught.value)
    with pytest.raises(BackendError, match=r"^device must be one that backend '.+' has here"):
        mlpxp.initialize(Network((1, 1)), seed=0, backend=backend, device=device)


def test_a_device_without_float64(backend):
    for device in backend.devices():
        if device.float64:
            assert str(backend.asarray([1.0], dtype="float64", device=device).dtype).endswith("float64")
        else:
            with pytest.raises(DtypeError, match="float32"):
                backend.asarray([1.0], dtype="float64", device=device)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back_again(backend, dtype):
    values = np.random.default_rng(0).standard_normal((3, 4)).astype(dtype)
    there = backend.asarray(values)
    assert str(there.dtype).endswith(dtype)
    assert namespace(there) is backend.namespace
    back = backend.to_numpy(there)
    assert isinstance(back, np.ndarray)
    assert back.tolist() == values.tolist()
    other = "float64" if dtype == "float32" else "float32"
    assert str(backend.asarray(there, dtype=other).dtype).endswith(other)


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    "layout",
    [lambda v: v[::-1], lambda v: v[:, ::-1], lambda v: v.T, np.asfortranarray, lambda v: v[::2, 1:], read_only, lambda v: v[:0], list],
)
def test_host_data_of_any_layout_are_copied_where_they_have_to_be(backend, layout):
    values = layout(np.arange(12.0).reshape(4, 3))
    before = np.array(values)
    there = backend.asarray(values, dtype="float64")
    there = there + 1.0
    assert backend.to_numpy(there).tolist() == (before + 1.0).tolist()
    assert np.array_equal(values, before)


@pytest.mark.parametrize("other", ["numpy", "strict", "torch"])
def test_arrays_of_another_library_are_taken_when_asked_for(backend, other):
    try:
        there = mlpxp.get_backend(other).asarray(np.arange(6.0).reshape(2, 3).T, dtype="float32")
    except BackendError:
        pytest.skip(f"{other} is not here")
    here = backend.asarray(there)
    assert library_of(here) == library_of(backend.asarray([1.0]))
    assert backend.to_numpy(here).tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]


@pytest.mark.parametrize("values", [np.ones((2, 4), dtype="int64"), np.ones((2, 4), dtype="complex64"), np.ones((2, 4), dtype="bool")])
def test_only_real_floating_arrays_are_learnt_from(backend, values):
    Y = backend.asarray(np.ones((1, 4)), dtype="float32")
    with pytest.raises(DtypeError, match=r"^X must have a real floating dtype, got .*: convert it with xp\.astype\(X, xp\.float32\)$"):
        train(Network((2, 1)), backend.asarray(values), Y, optimizer=Adam(), epochs=1)


# ------------------------------------------------------------------------------------------------------- what comes out


HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
CASES = [  # an optimizer is given gradients, and never learns of the output and the loss that they come from
    (GradientDescent(0.1), "identity", "mse"),
    (GradientDescent(0.1, 0.9, nesterov=True), "sigmoid", "binary_cross_entropy"),
    (AdamW(0.1), "softmax", "cross_entropy"),
    (AdamW(0.1), "softmax", "mse"),
    (GradientDescent(0.1), "exp", "poisson"),
]


@pytest.mark.parametrize(("optimizer", "output", "loss"), CASES, ids=["descent", "nesterov", "adamw", "softmax under mse", "poisson"])
def test_library_device_and_dtype_in_are_library_device_and_dtype_out(backend, optimizer, output, loss):
    """Float32, through every activation, and on array-api-strict on a device that has nothing else."""
    device = next((device for device in backend.devices() if not device.float64), backend.devices()[-1])
    network = Network((3, *[4] * len(HIDDEN), 2), HIDDEN, output, loss)
    X, Y = (backend.asarray(np.full((n, 8), 0.5), dtype="float32", device=device) for n in (3, 2))
    weights = backend.asarray(np.ones(8), dtype="float32", device=device)
    options = {"weights": weights, "penalty": 0.1, "validation": (X, Y, weights)}
    result = train(network, X, Y, optimizer=optimizer, epochs=1, batch_size=4, **options)
    made = tree_leaves((result.parameters, result.optimizer_state, mlpxp.forward(network, result.parameters, X)[-1].A))
    assert {(library_of(leaf), leaf.dtype, str(device_of(leaf))) for leaf in made} == {(library_of(X), X.dtype, str(device_of(X)))}


def test_arrays_of_two_devices_are_refused_and_both_are_named(backend):
    devices = [device for device in backend.devices() if device.float64]
    if len(devices) < 2:
        pytest.skip("it has one device")
    X, Y = (backend.asarray(np.ones((1, 4)), dtype="float32", device=device) for device in devices[:2])
    with pytest.raises(BackendError, match=r"must be on the device of .* nothing is moved between devices silently"):
        train(Network((1, 1)), X, Y, optimizer=Adam(), epochs=1)
    result = train(Network((1, 1)), X, Y, optimizer=Adam(), epochs=1, device=devices[1])  # but it was asked for here
    assert device_of(result.parameters[0].W) == device_of(Y)


def test_another_librarys_arrays_are_refused_and_both_are_named(backend):
    other = mlpxp.get_backend("strict" if backend.name == "numpy" else "numpy")
    X, Y = (library.asarray(np.ones((1, 4)), dtype="float32") for library in (backend, other))
    with pytest.raises(BackendError, match=f"^Y must be an array of the library of X .*{library_of(X)}.*, got {library_of(Y)}"):
        train(Network((1, 1)), X, Y, optimizer=Adam(), epochs=1)


# ------------------------------------------------------------------------------------------------------------- the fold


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), Adam(0.1)])
def test_a_fold_is_its_steps_one_after_the_other(backend, to_host, optimizer):
    network = Network((3, 4, 2), "tanh", "softmax", "cross_entropy")
    parameters = mlpxp.initialize(network, seed=0, backend=backend, dtype="float64")
    draw = np.random.default_rng(0)
    X, Y = backend.asarray(draw.standard_normal((8, 3))), backend.asarray(np.eye(2)[draw.integers(0, 2, 8)])
    inputs = Inputs(backend.asarray(draw.integers(0, 8, (5, 4))), backend.asarray(np.linspace(0.1, 0.5, 5)))
    arguments = TrainingStep(network, optimizer), (parameters, optimizer.start(parameters)), inputs, X, Y, None, None
    got, costs = backend.fold(*arguments)
    wanted, wanted_costs = fold_in_python(backend.namespace, *arguments)
    assert costs.shape == (5,)
    for one, other in zip(tree_leaves(to_host((got, costs))), tree_leaves(to_host((wanted, wanted_costs))), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.fixture(scope="module")
def digits():
    """1,617 handwritten digits to learn from and 180 to test on, as columns between 0 and 1."""
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    X, Y = (images / 16.0).T, np.eye(10)[:, labels]
    return (X[:, :1617], Y[:, :1617]), (X[:, 1617:], Y[:, 1617:])


def learnt(digits, backend, dtype, optimizer):
    """Twenty epochs: the result, and the score on the rest."""
    network = Network((64, 32, 10), "tanh", "softmax", "cross_entropy")
    (X, Y), rest = (tuple(array.astype(dtype) for array in part) for part in digits)
    result = train(network, X, Y, optimizer=optimizer, epochs=20, batch_size=100, seed=3, backend=backend)
    assert library_of(result.parameters[0].W) == library_of(backend.asarray([1.0]))
    there = tuple(backend.asarray(array) for array in rest)
    return result, mlpxp.evaluate(network, result.parameters, *there)


def distance(got, wanted):
    """‖Δ‖/‖W‖, the largest of all arrays."""
    pairs = zip(tree_leaves(got), tree_leaves(wanted), strict=True)
    return max(float(np.linalg.norm(one - other) / np.linalg.norm(other)) for one, other in pairs)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.5), GradientDescent(0.1, momentum=0.9), Adam(Cosine(0.01, 20))], ids=repr)
def test_twenty_epochs_on_digits_agree_in_float64(digits, backend, to_host, optimizer):
    wanted, verdict = learnt(digits, mlpxp.get_backend("numpy"), "float64", optimizer)
    got, same = learnt(digits, backend, "float64", optimizer)
    assert verdict.score > 0.85
    assert distance(to_host(got.parameters), wanted.parameters) < 1e-12
    assert same.score == verdict.score
    np.testing.assert_allclose(got.history.cost, wanted.history.cost, rtol=1e-12)


def test_twenty_epochs_on_digits_agree_in_float32(digits, backend, to_host):
    wanted, verdict = learnt(digits, mlpxp.get_backend("numpy"), "float32", GradientDescent(0.5))
    got, same = learnt(digits, backend, "float32", GradientDescent(0.5))
    assert distance(to_host(got.parameters), wanted.parameters) < 1e-4
    assert same.score == pytest.approx(verdict.score, abs=1 / 180)


def test_twenty_epochs_of_adam_on_digits_agree_in_cost_and_score_in_float32(digits, backend):
    wanted, verdict = learnt(digits, mlpxp.get_backend("numpy"), "float32", Adam(0.01))
    got, same = learnt(digits, backend, "float32", Adam(0.01))
    np.testing.assert_allclose(got.history.cost, wanted.history.cost, rtol=1e-3)
    assert same.cost == pytest.approx(verdict.cost, rel=1e-3)
    assert same.score == pytest.approx(verdict.score, abs=1 / 180)


# --------------------------------------------------------------------------------------------------------------- memory


def test_too_little_memory_says_what_was_asked_for_and_suggests_a_batch_size(backend):
    network = Network((1, 2**20, 1), "identity", "identity")
    X, Y = (backend.asarray(np.zeros((1, 2**22)), dtype="float32") for _ in range(2))
    with pytest.raises(OutOfMemoryError, match=r" has too little memory: \d+\.\d TiB asked for, .* free; try batch_size=\d+$") as caught:
        train(network, X, Y, optimizer=GradientDescent(0.1), epochs=1)
    assert isinstance(caught.value, MlpxpError)
    assert isinstance(caught.value, MemoryError)
    assert caught.value.asked >= 2**44  # Z of 2**20 units and 2**22 examples
    suggested = int(str(caught.value).rpartition("=")[2])
    assert 1 <= suggested <= 2**21
    assert suggested * 2**20 * 4 < 2**40


def test_it_is_found_again_by_its_arrays(backend):
    assert backend_of(backend.asarray([1.0])).name == backend.name


def test_a_lack_of_memory_outside_of_training_is_the_same_error(backend):
    network = Network((1, 2**20, 1), "identity", "identity")
    parameters = mlpxp.initialize(network, seed=0, backend=backend)
    X = backend.asarray(np.zeros((1, 2**22)), dtype="float32")
    with pytest.raises(OutOfMemoryError, match=r" has too little memory: \d+\.\d TiB asked for, .* free$"):
        backend.to_numpy(mlpxp.predict(network, parameters, X))


# --------------------------------------------------------------------------------------------------------- bad host data


@pytest.mark.parametrize("values", [[[1.0, 2.0], [3.0]], [["a", "b"]], [[None, 1.0]], np.asarray([["2026-11-24"]], dtype="datetime64[D]")])
def test_host_data_that_are_no_numbers(backend, values):
    with pytest.raises(MlpxpError) as caught:
        train(Network((1, 1)), values, [[1.0, 2.0]], optimizer=Adam(), epochs=1, backend=backend)
    assert isinstance(caught.value, TypeError | ValueError)
    assert "\n" not in str(caught.value)


def test_bytes_in_the_other_order_are_turned_round(backend):
    assert backend.to_numpy(backend.asarray(np.asarray([1.0, 2.0], dtype=">f8"))).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("device", [3.5, object(), ("cpu",)])
def test_what_is_no_device(backend, device):
    with pytest.raises(BackendError, match=r"^device must be one that backend '.+' has here"):
        backend.asarray([1.0], device=device)


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_a_dtype_by_name_and_by_numpys_object(backend, dtype):
    assert str(backend.asarray([1.0], dtype=dtype).dtype).endswith("float32")
    with pytest.raises(DtypeError, match=r"^dtype must be float32 or float64, got "):
        backend.asarray([1.0], dtype=np.int32)
