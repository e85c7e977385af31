"""Naive differentiation: exact counts of its passes, its accuracy, and its agreement with backpropagation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpxp
from mlpxp import ACTIVATIONS, Activation, Layer, Loss, Network, count_operations, get_backend, naive_gradients
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.instruments.naive import default_step

METHODS = ("forward", "central", "complex", "dual")
EXACT = ("complex", "dual")
ANALYTIC = [name for name, activation in ACTIVATIONS.items() if activation.analytic and name != "softmax"]
OUTPUTS = [
    *((output, "mse") for output in ACTIVATIONS),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("exp", "poisson"),
]


def example(network, *, m=5, seed=1, dtype="float64", scale=1.0):
    draw = np.random.default_rng(seed)
    parameters = mlpxp.initialize(network, seed=seed, dtype=dtype)
    parameters = tuple(Layer(W, (b + 0.3 * draw.standard_normal(b.shape)).astype(dtype)) for W, b in parameters)  # no unit is at its kink
    scale = scale / 16 if any(activation.name == "exp" for activation in network.hidden) else scale  # e^{e^z} soon leaves float64
    X = (scale * draw.standard_normal((network.sizes[0], m))).astype(dtype)
    Y = np.zeros((network.sizes[-1], m), dtype=dtype)
    Y[0] = 1.0
    return parameters, X, Y


def worst_error(got, wanted):
    """The largest error beside the largest entry of its array, over all arrays."""
    errors = []
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        errors.append(np.abs(one - other).max() / np.abs(other).max())
    return max(errors)


# ------------------------------------------------------------------------------------------------------------- agreement


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
@pytest.mark.parametrize("hidden", [name for name in ACTIVATIONS if name != "softmax"])
def test_exact_to_rounding(hidden, output, loss, method):
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)
    weights = np.asarray([1.0, 2.0, 0.0, 0.5, 3.0])
    for scale in (1.0, 3.0):
        parameters, X, Y = example(network, scale=scale)
        gradients = mlpxp.cost_and_gradients(network, parameters, X, Y, weights)[1]
        if method == "complex" and not all(activation.analytic for activation in network.activations):
            with pytest.raises(mlpxp.RangeError, match="needs functions that are analytic"):
                naive_gradients(network, parameters, X, Y, weights, method=method)
        else:
            assert worst_error(naive_gradients(network, parameters, X, Y, weights, method=method), gradients) <= 1e-13


@pytest.mark.parametrize(("method", "allowed"), [("forward", 1e-6), ("central", 2e-9)])
@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
def test_differences(output, loss, method, allowed):
    network = Network((3, 4, 2), hidden="elu", output=output, loss=loss)
    parameters, X, Y = example(network)
    gradients = mlpxp.cost_and_gradients(network, parameters, X, Y)[1]
    found = naive_gradients(network, parameters, X, Y, method=method)
    assert worst_error(found, gradients) <= allowed
    assert worst_error(found, gradients) > 1e-13  # it is no other method


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_on_every_backend(backend, to_device, to_host, method, batched):
    network = Network((2, 2, 2), hidden="softplus", output="softmax", loss="cross_entropy")  # few shapes: JAX compiles for each
    arrays = example(network, m=2)
    gradients = mlpxp.cost_and_gradients(network, *arrays)[1]
    found = naive_gradients(network, *to_device(arrays), method=method, batched=batched)
    assert all(isinstance(layer, Layer) for layer in found)
    assert type(found[0].W) is type(to_device(arrays)[0][0].W)
    assert worst_error(to_host(found), gradients) <= {"forward": 1e-6, "central": 1e-8}.get(method, 1e-13)


@pytest.mark.parametrize(("method", "step", "allowed"), [("dual", None, 1e-45), ("central", 1e-15, 1e-26), ("complex", 1e-15, 1e-26)])
def test_with_50_digits(exactly, method, step, allowed):
    """The error of a step is its square; without one there is none but the rounding of the 50th digit."""
    network = Network((2, 3, 2), hidden="tanh", output="softmax", loss="cross_entropy")
    parameters, X, Y = example(network, m=2)
    arrays = tree_map(exactly, parameters), exactly(X), exactly(Y)
    gradients = mlpxp.cost_and_gradients(network, *arrays)[1]
    found = naive_gradients(network, *arrays, method=method, step=step)
    errors = [
        abs(error)
        for got, wanted in zip(tree_leaves(found), tree_leaves(gradients), strict=True)
        for error in np.ravel((got - wanted)._data)
    ]
    assert 0 < max(errors) < allowed


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays_float32(method):
    network = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
    arrays = example(network, dtype="float32")
    gradients = mlpxp.cost_and_gradients(network, *arrays)[1]
    assert worst_error(naive_gradients(network, *arrays, method=method), gradients) <= {"forward": 1e-2, "central": 1e-3}.get(method, 1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_device_is_kept(method):
    strict = get_backend("strict")
    network = Network((2, 3, 1))
    parameters = mlpxp.initialize(network, seed=0, backend=strict, device="device1")
    X, Y = (strict.asarray(np.ones((rows, 4)), dtype="float32", device="device1") for rows in (2, 1))
    for batched in (False, True):
        found = naive_gradients(network, parameters, X, Y, method=method, batched=batched)
        assert all(str(leaf.device) == str(X.device) for leaf in tree_leaves(found))


@pytest.mark.parametrize("method", METHODS)
def test_a_stack_gives_the_same(monkeypatch, method):
    network = Network((3, 5, 2), hidden="gelu", output="sigmoid")
    arrays = example(network)
    weights = np.arange(1.0, 6.0)
    one_by_one = naive_gradients(network, *arrays, weights, method=method)
    rounding = {"forward": 1e-7, "central": 1e-9}.get(method, 1e-14)  # of the costs, over the step
    assert worst_error(naive_gradients(network, *arrays, weights, method=method, batched=True), one_by_one) <= rounding
    monkeypatch.setattr(
        "mlpxp.instruments.naive._STACK_BYTES", 16 * (network.n_parameters + 3 * 5 * 7) * 4
    )  # chunks of 4, and an odd last one
    chunks = []
    found = naive_gradients(network, *arrays, weights, method=method, batched=True, progress=lambda done, _: chunks.append(done))
    assert chunks == [4, 8, 12, 15, 19, 20, 24, 28, 30, 32]
    assert worst_error(found, one_by_one) <= rounding


def test_memory_is_bounded():
    network = Network((20, 40, 10), hidden="tanh")
    arrays = example(network, m=50, dtype="float32")
    operations = count_operations(naive_gradients, network, *arrays, batched=True)
    assert operations.peak_bytes <= 2**24
    assert operations.peak_bytes > 10 * count_operations(naive_gradients, network, *arrays).peak_bytes  # and stacks are what it is for


def test_large_parameters_are_moved_further():
    """With w = 10⁶ and h = 6·10⁻⁶ there would be 4 digits left of w + h; h·|w| keeps them all."""
    network = Network((1, 1), output="identity")
    parameters = (Layer(np.asarray([[1e6]]), np.asarray([[0.25]])),)
    x, y = np.asarray([[1e-6]]), np.asarray([[1.0]])
    gradients = mlpxp.cost_and_gradients(network, parameters, x, y)[1]
    assert worst_error(naive_gradients(network, parameters, x, y), gradients) <= 1e-9


@pytest.mark.parametrize("method", ["forward", "central"])
def test_the_default_step_is_near_the_best(method):
    """Neither a hundred times more nor a hundred times less comes closer."""
    network = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
    arrays = example(network)
    gradients = mlpxp.cost_and_gradients(network, *arrays)[1]
    step = default_step(method, 2.0**-52)
    errors = [worst_error(naive_gradients(network, *arrays, method=method, step=h), gradients) for h in (step / 100, step, step * 100)]
    assert errors[1] < min(errors[0], errors[2])


# ----------------------------------------------------------------------------------------------------------------- counts


def test_each_method_runs_the_network_as_often_as_it_says():
    calls = []

    def tanh(Z):
        calls.append(Z.shape)
        return namespace(Z).tanh(Z)

    network = Network((3, 4, 2), hidden=Activation("counted", tanh, lambda Z, A: 1.0 - A * A))
    arrays = example(network)
    for method, passes in {"forward": 26 + 1, "central": 2 * 26, "complex": 26, "dual": 26}.items():
        calls.clear()
        naive_gradients(network, *arrays, method=method)
        assert calls == [(4, 5)] * passes


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    m=st.integers(1, 6),
    batched=st.booleans(),
    weighted=st.booleans(),
)
def test_k1_counted(sizes, m, batched, weighted):
    """K2: P + 1 or 2P forward passes' products, as integers, against less than 3 for backpropagation; a stack saves none of them."""
    network = Network(sizes, hidden="silu")
    arrays = example(network, m=m)
    weights = np.ones(m) if weighted else None
    P = network.n_parameters
    one_pass = count_operations(mlpxp.forward, network, *arrays[:2]).matmul
    for method, passes in {"forward": P + 1, "central": 2 * P, "complex": P}.items():
        operations = count_operations(naive_gradients, network, *arrays, weights, method=method, batched=batched)
        assert operations.matmul == passes * one_pass
    assert count_operations(mlpxp.cost_and_gradients, network, *arrays, weights).matmul < 3 * one_pass


def test_a_counted_result_is_the_uncounted_one():
    network = Network((3, 4, 2), hidden="tanh")
    arrays = example(network)
    for method in METHODS:
        got, wanted = (run(naive_gradients, network, *arrays, method=method) for run in (counted, plain))
        assert all(np.array_equal(*pair) for pair in zip(tree_leaves(got), tree_leaves(wanted), strict=True))


def counted(function, *args, **kwargs):
    return count_operations(function, *args, **kwargs).result


def plain(function, *args, **kwargs):
    return function(*args, **kwargs)


# ------------------------------------------------------------------------------------------------------- progress, stopping


@pytest.mark.parametrize("method", METHODS)
def test_progress_and_what_is_left_when_it_is_stopped(method):
    network = Network((3, 2, 1), hidden="tanh")
    arrays = example(network)
    seen = []

    def progress(done, total):
        seen.append((done, total))
        return done == 8

    found = naive_gradients(network, *arrays, method=method, progress=progress)
    assert seen == [(done, 11) for done in range(1, 9)]
    whole = np.concatenate([np.ravel(leaf) for leaf in tree_leaves(naive_gradients(network, *arrays, method=method))])
    flat = np.concatenate([np.ravel(leaf) for leaf in tree_leaves(found)])
    assert np.array_equal(flat[:8], whole[:8])
    assert np.isnan(flat[8:]).all()
    assert [leaf.shape for leaf in tree_leaves(found)] == [(2, 3), (2, 1), (1, 2), (1, 1)]


def test_what_a_progress_bar_returns_does_not_stop_it():
    network = Network((3, 2, 1))
    for answer in (None, 1, "text", np.False_):
        found = naive_gradients(network, *example(network), progress=lambda done, total, answer=answer: answer)
        assert not any(np.isnan(leaf).any() for leaf in tree_leaves(found))
    assert np.isnan(naive_gradients(network, *example(network), progress=lambda *_: np.True_)[1].W).all()


def test_ctrl_c_is_passed_on():
    def interrupt(done, total):
        raise KeyboardInterrupt

    network = Network((3, 2, 1))
    with pytest.raises(KeyboardInterrupt):
        naive_gradients(network, *example(network), progress=interrupt)


# ------------------------------------------------------------------------------------------------------- what can't be done


def test_unknown_method():
    network = Network((3, 2, 1))
    with pytest.raises(mlpxp.UnknownNameError, match=r"^method must be one of central, forward, complex, dual, got 'backward'$"):
        naive_gradients(network, *example(network), method="backward")


@pytest.mark.parametrize("method", ["forward", "central", "complex"])
@pytest.mark.parametrize("step", [0, 0.0, -1e-6, math.inf, math.nan, True, "1e-6", 1e-320, 1e400])
def test_steps_that_are_none(method, step):
    network = Network((3, 2, 1))
    with pytest.raises(mlpxp.RangeError, match=r"^step must be "):
        naive_gradients(network, *example(network), method=method, step=step)


def test_a_step_that_would_move_nothing():
    network = Network((3, 2, 1))
    with pytest.raises(mlpxp.RangeError, match=r"^step must be at least 1.2e-07 for method 'central' in this dtype, got 1e-08$"):
        naive_gradients(network, *example(network, dtype="float32"), step=1e-8)
    assert naive_gradients(network, *example(network), step=1e-8)
    assert naive_gradients(network, *example(network), step=1e-100, method="complex")


def test_dual_numbers_have_no_step():
    network = Network((3, 2, 1))
    with pytest.raises(mlpxp.RangeError, match=r"^step must be None for method 'dual'"):
        naive_gradients(network, *example(network), method="dual", step=1e-6)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_the_complex_step_names_what_is_not_analytic(name):
    for network in (Network((3, 4, 1), hidden=name), Network((3, 1), output=name)):
        with pytest.raises(mlpxp.RangeError, match=rf"^method 'complex' needs functions that are analytic, and {name} is not: use"):
            naive_gradients(network, *example(network), method="complex")


def test_a_loss_that_is_not_analytic():
    absolute = Loss(
        "absolute",
        lambda A, Y: namespace(A).sum(abs(A - Y), axis=-2),
        lambda A, Y: namespace(A).sign(A - Y),
        analytic=False,
    )
    network = Network((3, 2, 1), loss=absolute)
    arrays = example(network)
    with pytest.raises(mlpxp.RangeError, match="and absolute is not"):
        naive_gradients(network, *arrays, method="complex")
    for method in ("central", "dual"):
        assert worst_error(naive_gradients(network, *arrays, method=method), mlpxp.cost_and_gradients(network, *arrays)[1]) < 1e-8


@pytest.mark.parametrize("method", EXACT)
def test_an_activation_of_your_own(method):
    def arcsinh(Z):
        return namespace(Z).asinh(Z)

    network = Network((3, 4, 2), hidden=Activation("arcsinh", arcsinh, lambda Z, A: 1.0 / namespace(Z).sqrt(1.0 + Z * Z), needs_z=True))
    arrays = example(network)
    assert worst_error(naive_gradients(network, *arrays, method=method), mlpxp.cost_and_gradients(network, *arrays)[1]) < 1e-14


@pytest.mark.parametrize("method", EXACT)
def test_a_function_without_a_rule(method):
    network = Network((3, 4, 2), hidden=Activation("odd", lambda Z: namespace(Z).cumulative_sum(Z, axis=-1), lambda Z, A: A))
    with pytest.raises(mlpxp.UnknownNameError, match="has no cumulative_sum"):
        naive_gradients(network, *example(network), method=method)


def test_what_the_library_refuses_elsewhere():
    network = Network((3, 2, 1))
    parameters, X, Y = example(network)
    with pytest.raises(mlpxp.ShapeError, match=r"^X must have shape"):
        naive_gradients(network, parameters, X.T, Y)
    with pytest.raises(mlpxp.DtypeError, match=r"^Y must have the dtype of the parameters"):
        naive_gradients(network, parameters, X, Y.astype("float32"))
    for dtype, message in (("float16", "^Y must be float32 or float64"), ("int64", "must have a real floating dtype")):
        layers = tuple(Layer(W.astype(dtype), b.astype(dtype)) for W, b in parameters)
        with pytest.raises(mlpxp.DtypeError, match=message):
            naive_gradients(network, layers, X.astype(dtype), Y.astype(dtype))
    with pytest.raises(mlpxp.ShapeError, match=r"^parameters must be one network's, got a stack"):
        naive_gradients(network, mlpxp.stack([parameters, parameters]), X, Y)


def test_nothing_that_came_in_is_changed():
    network = Network((3, 2, 1))
    parameters, X, Y = example(network)
    before = [array.copy() for array in (*tree_leaves(parameters), X, Y)]
    for method in METHODS:
        for batched in (False, True):
            naive_gradients(network, parameters, X, Y, method=method, batched=batched)
    assert all(np.array_equal(*pair) for pair in zip((*tree_leaves(parameters), X, Y), before, strict=True))
