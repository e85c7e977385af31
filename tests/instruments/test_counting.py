"""Counts against numbers worked by hand, and the cost claims K1 to K3 against counts of the core as it is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpxp
from mlpxp import ACTIVATIONS, Adam, AdamW, GradientDescent, Network, count_operations, counting, get_backend
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.instruments.counting import unwrap

HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
OUTPUTS = [
    *((output, "mse") for output in ACTIVATIONS),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("exp", "poisson"),
]


def example(network, m=5, *stacked, dtype="float64"):
    draw = np.random.default_rng(0).random
    seeds = 0 if not stacked else range(stacked[0])
    parameters = mlpxp.initialize(network, seed=seeds, dtype=dtype)
    X, Y = (draw((n, m)).astype(dtype) for n in (network.sizes[0], network.sizes[-1]))
    return parameters, X, Y


def operations_of(function, *shapes, dtype="float64"):
    return count_operations(function, *(np.full(shape, 2.0, dtype=dtype) for shape in shapes))


def only_event(operations):
    (event,) = operations.events
    return event


# ----------------------------------------------------------------------------------------------------- counts by hand


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ((2, 3), (3, 4), 2 * 2 * 3 * 4),
        ((7, 2, 3), (3, 4), 7 * 2 * 2 * 3 * 4),  # a stack
        ((5, 1, 2, 3), (7, 3, 4), 5 * 7 * 2 * 2 * 3 * 4),
        ((3,), (3,), 2 * 3),
        ((2, 0), (0, 4), 0),
    ],
)
def test_a_product_is_2pqr(a, b, count):
    operations = operations_of(lambda A, B: A @ B, a, b)
    assert operations.matmul == operations.total == count
    assert only_event(operations)[:3] == ("matmul", "matmul", (a, b))
    assert only_event(operations).bytes_read == 8 * (math.prod(a) + math.prod(b))
    assert only_event(operations).bytes_written == 8 * math.prod(only_event(operations).result)


ELEMENTWISE = {
    "scalar on the right": (lambda A: A * 2.0, ((2, 3),), 6),
    "scalar on the left": (lambda A: 1.0 / A, ((2, 3),), 6),
    "broadcast": (lambda A, B: A + B, ((2, 3), (2, 1)), 6),
    "both broadcast": (lambda A, B: A - B, ((2, 1), (1, 3)), 6),
    "function": (lambda A: namespace(A).exp(A), ((2, 3),), 6),
    "function and scalar": (lambda A: namespace(A).maximum(A, 0.0), ((2, 3),), 6),
    "comparison": (lambda A: A > 0.0, ((2, 3),), 6),
    "sign": (lambda A: -A, ((2, 3),), 6),
    "size": (abs, ((2, 3),), 6),
    "power": (lambda A: A**3, ((2, 3),), 6),
    "nothing": (lambda A: A + 1.0, ((0, 3),), 0),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_element_by_element_is_one_each(name):
    function, shapes, count = ELEMENTWISE[name]
    operations = operations_of(function, *shapes)
    assert operations.elementwise == operations.total == count
    assert only_event(operations).operands == shapes


REDUCTIONS = {
    "everything": (lambda xp, A: xp.sum(A), 23),
    "lines": (lambda xp, A: xp.sum(A, axis=-1), 2 * 3 * 3),
    "lines kept": (lambda xp, A: xp.max(A, axis=-2, keepdims=True), 2 * 4 * 2),
    "two axes": (lambda xp, A: xp.sum(A, axis=(-2, -1)), 2 * 11),
    "places": (lambda xp, A: xp.argmax(A, axis=-1), 2 * 3 * 3),
    "mean": (lambda xp, A: xp.mean(A, axis=-1), 24),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_of_n_is_n_minus_1(name):
    function, count = REDUCTIONS[name]
    operations = operations_of(lambda A: function(namespace(A), A), (2, 3, 4))
    assert operations.reduction == operations.total == count


MOVES = {  # name: (function, bytes read, bytes written), of float64 A (2, 3)
    "where": (lambda xp, A: xp.where(xp.asarray([[True], [False]]), A, 0.0), 2 + 48, 2 + 48),  # the mask is written first
    "astype": (lambda xp, A: xp.astype(A, xp.float32), 48, 24),
    "stack": (lambda xp, A: xp.stack([A, A]), 96, 96),
    "concat": (lambda xp, A: xp.concat([A, A], axis=0), 96, 96),
    "ones_like": (lambda xp, A: xp.ones_like(A), 0, 48),
    "zeros": (lambda xp, A: xp.zeros((2, 2), dtype=xp.float32), 0, 16),
    "take": (lambda xp, A: xp.take(A, xp.asarray([0, 0, 1, 1]), axis=-1), 64 + 32, 32 + 64),  # int64 indices are written first
    "by mask": (lambda xp, A: A[xp.asarray([True, False])], 24 + 2, 2 + 24),
    "integers": (lambda xp, A: xp.asarray([1, 2]) + 1, 16, 16 + 16),
    "truths": (lambda xp, A: ~xp.asarray([True, False]), 2, 2 + 2),
    "all": (lambda xp, A: xp.all(xp.asarray([True, False])), 2, 2 + 1),
}


@pytest.mark.parametrize("name", MOVES)
def test_moves_are_bytes_and_no_operations(name):
    function, read, written = MOVES[name]
    operations = operations_of(lambda A: function(namespace(A), A), (2, 3))
    assert (operations.total, operations.bytes_read, operations.bytes_written) == (0, read, written)


VIEWS = {
    "transpose": lambda xp, A: A.mT,
    "slice": lambda xp, A: A[:, 1:],
    "entry": lambda xp, A: A[0, ...],
    "new axis": lambda xp, A: A[..., None, :],
    "reshape": lambda xp, A: xp.reshape(A, (-1,)),
    "broadcast": lambda xp, A: xp.broadcast_to(A, (5, 2, 3)),
    "several": lambda xp, A: xp.broadcast_arrays(A, A)[0],
    "itself": lambda xp, A: xp.asarray(A),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_cost_nothing(name):
    operations = operations_of(lambda A: VIEWS[name](namespace(A), A), (2, 3))
    assert operations.events == []
    assert operations.peak_bytes == 48


def test_the_order_and_the_shapes_of_events():
    network = Network((3, 4, 2), hidden="tanh", output="sigmoid")
    operations = count_operations(mlpxp.forward, network, *example(network)[:2])
    assert [(event.name, *event.operands) for event in operations.events] == [
        ("matmul", (4, 3), (3, 5)),
        ("add", (4, 5), (4, 1)),
        ("tanh", (4, 5)),
        ("matmul", (2, 4), (4, 5)),
        ("add", (2, 5), (2, 1)),
        ("maximum", (2, 5)),
        ("negative", (2, 5)),
        ("exp", (2, 5)),
        ("add", (2, 5)),
        ("divide", (2, 5)),
    ]
    assert operations.total == sum(event.operations for event in operations.events) == (120 + 80) + 2 * 20 + 6 * 10


# ----------------------------------------------------------------------------------------------------------------- memory


def test_memory_is_given_back_and_its_high_water_mark_kept():
    A = np.ones((10, 10))  # 800 bytes
    with counting() as operations:
        X = operations.wrap(A)
        assert operations.peak_bytes == 800
        Y = X + 1.0
        assert operations.peak_bytes == 1600
        view = Y.mT
        del Y  # its memory lives on in the view
        Z = X + 1.0
        assert operations.peak_bytes == 2400
        del view, Z
        Y = X + 1.0
        Z = Y + 1.0
        assert operations.peak_bytes == 2400
        assert Z.shape == (10, 10)


def test_in_place_takes_no_memory_and_does_not_touch_what_came_in():
    A, B = np.ones((10, 10)), np.ones((10, 1))

    def add(A, B):
        Z = A * 2.0
        Z += B
        Z /= 2.0
        return Z

    operations = count_operations(add, A, B)
    assert operations.peak_bytes == 800 + 80 + 800
    assert [(event.name, event.operations, event.bytes_read, event.bytes_written) for event in operations.events] == [
        ("multiply", 100, 800, 800),
        ("add", 100, 880, 800),
        ("divide", 100, 800, 800),
    ]
    assert np.all(operations.result == 1.5)
    assert np.all(A == 1.0)


def test_an_array_that_comes_in_twice_is_held_once():
    A = np.ones((10, 10))
    assert count_operations(lambda pair, again: None, (A, A), again={"of it": [A]}).peak_bytes == 800


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5), m=st.integers(1, 40))
def test_k3_memory_of_a_gradient(sizes, m):
    """K3: the activations of the batch, and at any time no more than four layers' worth of errors and of what they are made of.

    Beside them parameters, gradients and data, and a few numbers an example.
    """
    network = Network(sizes, hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    parameters, X, Y = example(network, m, dtype="float32")
    operations = count_operations(mlpxp.cost_and_gradients, network, parameters, X, Y)
    activations = m * (sum(sizes[1:]) + sizes[-1])  # the output's Z too: its cost comes from the logits
    numbers = 2 * network.n_parameters + m * (sizes[0] + sizes[-1]) + activations + 4 * m * max(sizes[1:])
    assert operations.peak_bytes <= 4 * (numbers + 2 * m)


# ------------------------------------------------------------------------------------------------------- the cost claims


networks = st.builds(
    lambda sizes, hidden, output: (sizes, hidden, *output),
    st.lists(st.integers(1, 9), min_size=2, max_size=5),
    st.sampled_from([name for name in HIDDEN if name != "exp"]),  # layer upon layer of it soon is no number
    st.sampled_from(OUTPUTS),
).filter(lambda spec: spec[2] != "softmax" or spec[0][-1] > 1)


@settings(deadline=None)
@given(spec=networks, m=st.integers(1, 20), members=st.integers(0, 3))
def test_k2_products_of_both_passes(spec, m, members):
    sizes, hidden, output, loss = spec
    network = Network(sizes, hidden=hidden, output=output, loss=loss)
    parameters, X, Y = example(network, m, *([members] if members else []))
    trace = count_operations(mlpxp.forward, network, parameters, X)
    gradients = count_operations(mlpxp.backward, network, parameters, trace.result, Y)
    products = [n * n_in for n, n_in in network.shapes]
    k = members or 1
    assert trace.matmul == k * 2 * m * sum(products)
    assert gradients.matmul == k * 2 * m * (sum(products) + sum(products[1:]))
    assert trace.matmul + gradients.matmul < 3 * trace.matmul
    assert count_operations(mlpxp.cost_and_gradients, network, parameters, X, Y).matmul == trace.matmul + gradients.matmul


@settings(deadline=None)
@given(spec=networks, m=st.integers(1, 20), weighted=st.booleans())
def test_a_gradient_is_never_more_than_five_costs_in_all_operations(spec, m, weighted):
    """Baur and Strassen 1983; Griewank: at most 5 times the operations of the function, however many variables it has."""
    sizes, hidden, output, loss = spec
    network = Network(sizes, hidden=hidden, output=output, loss=loss)
    parameters, X, Y = example(network, m)
    weights = np.ones(m) if weighted else None

    def cost(parameters):
        return mlpxp.cost(network, mlpxp.forward(network, parameters, X), Y, weights)

    def both(parameters):
        return mlpxp.cost_and_gradients(network, parameters, X, Y, weights)

    def on_counting_arrays(function):
        with counting() as operations:
            nonlocal X, Y, weights
            plain = X, Y, weights
            X, Y, weights = operations.wrap(plain)
            function(operations.wrap(parameters))
            X, Y, weights = plain
        return operations

    assert on_counting_arrays(both).total <= 5 * on_counting_arrays(cost).total


# ------------------------------------------------------------------------------------- the library, untouched, on counting arrays


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), GradientDescent(0.1, momentum=0.9, nesterov=True), Adam(), AdamW()])
def test_an_update_has_no_product_and_the_same_result(optimizer):
    network = Network((3, 4, 2))
    parameters, X, Y = example(network)
    gradients = mlpxp.cost_and_gradients(network, parameters, X, Y)[1]
    operations = count_operations(optimizer.update, parameters, gradients, optimizer.start(parameters))
    assert operations.matmul == 0
    assert operations.elementwise >= 2 * network.n_parameters
    wanted = optimizer.update(parameters, gradients, optimizer.start(parameters))
    for got, reference in zip(tree_leaves(operations.result), tree_leaves(wanted), strict=True):
        assert type(got) is type(reference)
        assert np.array_equal(got, reference)


def test_gradient_descent_is_two_operations_a_parameter():
    network = Network((3, 4, 2))
    parameters, *_ = example(network)
    optimizer = GradientDescent(0.1)
    assert count_operations(optimizer.update, parameters, parameters, optimizer.start(parameters)).total == 2 * network.n_parameters


def training_example():
    X = np.random.default_rng(0).random((3, 10))
    Y = np.stack([np.arange(10) % 2 == 0, np.arange(10) % 2 == 1]).astype(np.float64)
    return Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy"), X, Y


def test_training_is_counted_whole():
    network, X, Y = training_example()
    options = {"optimizer": Adam(0.1), "epochs": 3, "batch_size": 4, "validation": (X, Y), "patience": 3}
    operations = count_operations(mlpxp.train, network, X, Y, **options)
    plain = mlpxp.train(network, X, Y, **options)
    examples = 3 * 10  # in all epochs
    assert operations.matmul == 2 * examples * ((20 + 20 + 8) + 20)  # forward, backward, and forward for the validation
    assert operations.result.network is network
    assert operations.result.history.cost == plain.history.cost
    for got, wanted in zip(tree_leaves(operations.result.parameters), tree_leaves(plain.parameters), strict=True):
        assert type(got) is np.ndarray
        assert np.array_equal(got, wanted)


def test_training_is_counted_on_every_backend(backend, to_device, to_host):
    network, X, Y = training_example()
    options = {"optimizer": GradientDescent(0.1), "epochs": 2}
    operations = count_operations(mlpxp.train, network, *to_device((X, Y)), **options)
    assert operations.matmul == 2 * 2 * 10 * (20 + 20 + 8)
    wanted = mlpxp.train(network, X, Y, **options)
    assert type(operations.result.parameters[0].W) is type(to_device(X))
    for got, reference in zip(tree_leaves(to_host(operations.result.parameters)), tree_leaves(wanted.parameters), strict=True):
        assert np.abs(got - reference).max() < 1e-12


def test_the_same_counts_on_every_backend(backend, to_device, to_host):
    network = Network((3, 4, 2), hidden="gelu", output="softmax", loss="mse")
    parameters, X, Y = example(network)
    weights = np.arange(1.0, 6.0)
    on_host = count_operations(mlpxp.cost_and_gradients, network, parameters, X, Y, weights)
    operations = count_operations(mlpxp.cost_and_gradients, network, *to_device((parameters, X, Y, weights)))
    assert operations.events == on_host.events or backend.name == "jax"  # it has no +=
    assert [event[:5] for event in operations.events] == [event[:5] for event in on_host.events]
    for got, wanted in zip(tree_leaves(to_host(operations.result)), tree_leaves(on_host.result), strict=True):
        assert np.abs(got - wanted).max() < 1e-14


def test_a_device_is_kept():
    strict = get_backend("strict")
    network = Network((3, 2))
    parameters = mlpxp.initialize(network, seed=0, backend=strict, device="device1")
    X = strict.asarray(np.ones((3, 5)), dtype="float32", device="device1")
    operations = count_operations(mlpxp.forward, network, parameters, X)
    assert operations.matmul == 60
    assert str(operations.result[-1].A.device) == str(X.device)


def test_other_calls_of_the_library():
    network = Network((3, 4, 2), output="sigmoid", loss="binary_cross_entropy")
    parameters, X, Y = example(network)
    Y = np.round(Y)
    assert count_operations(mlpxp.predict, network, parameters, X).result.shape == (2, 5)
    evaluation = count_operations(mlpxp.evaluate, network, parameters, X, Y).result
    assert evaluation == pytest.approx(mlpxp.evaluate(network, parameters, X, Y))
    earlier = mlpxp.train(network, X, Y, optimizer=Adam(), epochs=1)
    later = count_operations(mlpxp.train, network, X, Y, optimizer=Adam(), epochs=1, start=earlier)
    assert later.result.epochs == 2
    assert later.matmul == 2 * 5 * (20 + 20 + 8)


# ---------------------------------------------------------------------------------------------------------- the way in and out


def test_only_the_block_is_counted():
    with counting() as operations:
        X = operations.wrap(np.ones((2, 2)))
        X @ X
    X @ X
    assert operations.matmul == 16


def test_a_block_within_a_block():
    with counting() as outer:
        X = outer.wrap(np.ones((2, 2)))
        X @ X
        with counting() as inner:
            X @ X
        inside = count_operations(lambda X: X @ X, X)
    assert (outer.matmul, inner.matmul, inside.matmul) == (48, 16, 16)
    assert inside.peak_bytes == 64


def test_reading_a_value_is_an_event():
    with counting() as operations:
        X = operations.wrap(np.ones((2, 2)))
        C = namespace(X).sum(X)
        assert float(C) == 4.0
        assert bool(C > 3.0)
        assert np.asarray(X).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert [event.bytes_read for event in operations.events if event.name == "to_host"] == [8, 1, 32]


def test_trees_are_wrapped_and_what_is_no_array_stays_the_same():
    network = Network((3, 2))
    tree = (network, [np.ones(2), None], {"a": 1.5, "b": "text"}, Adam())
    with counting() as operations:
        wrapped = operations.wrap(tree)
    assert wrapped[0] is network
    assert wrapped[2]["b"] == "text"
    assert wrapped[3] is tree[3]
    assert unwrap(wrapped)[1][0] is tree[1][0]


def test_what_is_not_counted_is_an_error():
    X = np.ones((2, 2))
    with pytest.raises(mlpxp.UnknownNameError, match=r"^counting over .*numpy has no linalg") as caught:
        count_operations(lambda X: namespace(X).linalg, X)
    assert isinstance(caught.value, AttributeError)
    for function in (np.sum, np.exp, np.linalg.inv):
        with pytest.raises(TypeError):
            count_operations(function, X)
    assert not hasattr(count_operations(namespace, X).result, "fft")


def test_counting_arrays_are_not_mixed_with_others():
    network = Network((3, 2))
    parameters, X, _ = example(network)
    with counting() as operations, pytest.raises(mlpxp.BackendError, match="X must be an array of the library of the parameters"):
        mlpxp.forward(network, operations.wrap(parameters), X)


def test_a_summary_to_print():
    operations = operations_of(lambda A: A @ A + 1.0, (100, 100))
    assert repr(operations) == (
        "Operations(matmul=2,000,000, elementwise=10,000, reduction=0, total=2,010,000, "
        "bytes_read=240,000, bytes_written=160,000, peak_bytes=240,000)"
    )


def test_counting_looks_at_no_value():
    """What is counted follows from shapes: numbers that aren't any count the same."""
    network = Network((3, 4, 2), hidden="elu", output="softmax", loss="cross_entropy")
    parameters, X, Y = example(network)
    nan = tree_map(lambda array: array * np.nan, parameters)
    one, other = (count_operations(mlpxp.cost_and_gradients, network, layers, X, Y) for layers in (parameters, nan))
    assert one.events == other.events
