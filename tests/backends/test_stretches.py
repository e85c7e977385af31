"""Batches gathered and costs computed for many steps at once: the same bits as step by step, where a step can be taken apart."""

import numpy as np
import pytest
from backend_folds import Counts
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpxp import Adam, GradientDescent, Network, initialize
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.core.transforms import ClipNorm
from mlpxp.training.step import Inputs, TrainingStep
from mlpxp_backends import program, stretches
from mlpxp_backends.packing import packed
from mlpxp_backends.recording import record
from mlpxp_backends.repetitions import without_repetitions
from mlpxp_backends.replaying import fold
from mlpxp_backends.stretches import stretch

DESCENT = GradientDescent(0.1)


def names(calls):
    return [getattr(call.function, "__name__", "take") for call in calls]


def taken_apart(step, state, inputs, *data, steps=20):
    recording, _ = record(step, state, tree_map(lambda leaf: leaf[0, ...], inputs), data)
    return stretch(packed(without_repetitions(recording)), steps)


def training(network, optimizer=DESCENT, *, size=4, steps=20, m=30, dtype="float32", weighted=False, penalty=False, **options):
    draw = np.random.default_rng(0)
    parameters = initialize(network, seed=1, dtype=dtype)
    n = network.sizes[-1]
    Y = np.eye(n)[draw.integers(0, n, m)] if n > 1 else draw.integers(0, 2, (m, 1))
    data = (
        draw.standard_normal((m, network.sizes[0])).astype(dtype),
        Y.astype(dtype),
        draw.uniform(1, 2, m).astype(dtype) if weighted else None,
    )
    inputs = Inputs(draw.integers(0, m, (steps, size)), np.full(steps, 0.1, dtype), np.full(steps, 0.01, dtype) if penalty else None)
    return TrainingStep(network, optimizer, **options), (parameters, optimizer.start(parameters)), inputs, *data, None


def check(step, state, inputs, *data):
    """Three folds: recorded, run, and run with fewer steps, which are no whole number of stretches."""
    counted = Counts(step)
    for some in (inputs, inputs, tree_map(lambda leaf: leaf[:-3], inputs)):
        with np.errstate(all="ignore"):
            got, wanted = fold(counted, state, some, *data), fold_in_python(np, step, state, some, *data)
        for one, other in zip(tree_leaves(got), tree_leaves(tree_map(np.asarray, wanted)), strict=True):
            assert (one.shape, one.dtype, one.tobytes()) == (other.shape, other.dtype, other.tobytes())
    assert counted.calls == 3


SOFTMAX = Network((2, 3, 2), "tanh", "softmax", "cross_entropy")


def test_batches_come_before_the_steps_and_costs_after_them():
    found = taken_apart(*training(SOFTMAX))
    assert (found.length, names(found.before)) == (16, ["take", "take"])
    assert names(found.after) == ["matrix_transpose", "log", "subtract", "multiply", "reduce", "reduce", "multiply"]
    assert not {"take", "log"} & set(names(call for _, call in found.during))


def test_few_steps_and_large_arrays_are_not_taken_apart():
    assert taken_apart(*training(SOFTMAX), steps=3).length == 1
    assert taken_apart(*training(SOFTMAX, steps=100, m=30), steps=100).length == 16
    wide = taken_apart(*training(Network((5000, 3, 2), "tanh", "softmax", "cross_entropy")))
    assert names(wide.before) == ["take"]  # of the targets alone
    many = taken_apart(*training(Network((2, 3, 5000), "tanh", "softmax", "cross_entropy")))
    assert (names(many.before), "log" in names(many.after)) == (["take"], False)  # of the features alone; 20,000 losses stay in their step
    assert taken_apart(*training(Network((5000, 3, 5000), "tanh", "softmax", "cross_entropy"), size=64)).before == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"weighted": True}, {"penalty": True}, {"transforms": (ClipNorm(0.1),)}], ids=str)
@pytest.mark.parametrize(
    ("output", "loss", "n"),
    [
        ("softmax", "cross_entropy", 3),
        ("sigmoid", "binary_cross_entropy", 1),
        ("identity", "mse", 2),
        ("exp", "poisson", 1),
        ("tanh", "mse", 2),
    ],
)
def test_the_same_bits(output, loss, n, options, dtype):
    check(*training(Network((4, 5, n), "relu", output, loss), Adam(0.1), dtype=dtype, **options))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    size=st.integers(1, 40),
    dtype=st.sampled_from(["float32", "float64"]),
    longest=st.integers(1, 9),
)
def test_sums_of_any_shape_have_the_same_order(sizes, size, dtype, longest):
    network = Network(sizes, "tanh", *(("softmax", "cross_entropy") if sizes[-1] > 1 else ("sigmoid", "binary_cross_entropy")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "_LONGEST", longest)
        check(*training(network, size=size, dtype=dtype))


def test_a_penalty_reads_the_weights_of_its_step():
    """They are written over by the next step: their squares are summed in each step, and added to the losses after all of them."""
    plain, penalized = (taken_apart(*training(SOFTMAX, penalty=penalty)) for penalty in (False, True))
    assert names(plain.after) == ["matrix_transpose", "log", "subtract", "multiply", "reduce", "reduce", "multiply"]
    assert sorted(names(penalized.after)) == sorted([*names(plain.after), "multiply", "add", "multiply", "add"])


def test_hundreds_of_layers():
    check(*training(Network((2, *[2] * 300, 2), "tanh", "softmax", "cross_entropy"), steps=8))


def last_cost_unread(state, one, X):
    xp = namespace(state)
    xp.exp(state * one)
    return state * 0.5 + xp.sum(X), one


def out_is_the_input(state, one, X):
    return state * one + X, one


def out_is_the_state(state, one, X):
    state = state * one + X
    return state, state


def out_is_the_state_before(state, one, X):
    return state * one + X, state


def out_is_the_data(state, one, X):
    return state * one, X


def state_is_the_input(state, one, X):
    return one, namespace(state).sum(state * X)


def out_is_a_view(state, one, X):
    xp = namespace(state)
    Z = xp.exp(state * one)
    return state * 0.5, xp.matrix_transpose(Z) * 2.0 + xp.sum(X)


def out_is_but_a_view(state, one, X):
    xp = namespace(state)
    return state * 0.5, xp.matrix_transpose(xp.exp(state * one) + X)


def out_reads_a_part(state, one, X):
    xp = namespace(state)
    Z = xp.exp(state * one)
    return Z * 0.1, xp.sum(xp.log(Z[0, ...]) * X[0, ...])


def all_of(xp, Z):
    return xp.sum(xp.sum(Z, axis=-1), axis=-1)


ELSEWHERE = np.linspace(1.0, 2.0, 6).reshape(2, 3)


def out_reads_an_array_from_elsewhere(state, one, X):
    xp = namespace(state)
    return state * 0.9 + one, all_of(xp, xp.exp(state * one) * ELSEWHERE) + all_of(xp, xp.log(xp.exp(state * one)) * 2.0)


def out_reads_what_is_of_the_data_alone(state, one, X):
    xp = namespace(state)
    return state * 0.9 + one, all_of(xp, xp.log(X) * xp.exp(state * one)) + all_of(xp, xp.sqrt(xp.matrix_transpose(X)))


def out_is_a_power(state, one, X):
    xp = namespace(state)
    return state * 0.9 + one, all_of(xp, xp.pow(xp.exp(state), all_of(xp, one))) + all_of(xp, xp.exp(state) ** 3.0)


def out_is_of_whole_numbers_and_truths(state, one, X):
    xp = namespace(state)
    Z = xp.exp(state * one)
    return Z * 0.1, xp.astype(Z > 1.0, xp.float64) + xp.floor(Z) + xp.where(Z > 1.2, Z, X)


def two_outs_in_one_memory(state, one, X):
    xp = namespace(state)
    Z = xp.exp(state * one)
    part = Z[:, 1:]
    return Z * 0.5, xp.sum(part * part, axis=-2) + xp.sum(xp.matrix_transpose(part), axis=-1)


def sums_over_all_axes(state, one, X):
    xp = namespace(state)
    return state * 0.9 + one, xp.sum(xp.sqrt(xp.abs(state * X))) + xp.sum(state * one, axis=0)


@pytest.mark.parametrize(
    "step",
    [
        last_cost_unread, out_is_the_input, out_is_the_state, out_is_the_state_before, out_is_the_data, state_is_the_input, out_is_a_view,
        out_is_but_a_view, out_reads_a_part, out_reads_an_array_from_elsewhere,
        out_reads_what_is_of_the_data_alone, out_is_a_power, out_is_of_whole_numbers_and_truths, two_outs_in_one_memory, sums_over_all_axes,
    ],
)  # fmt: skip
def test_steps_that_are_no_training(step):
    state, X = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.5, 1.0, 6).reshape(2, 3)
    inputs = np.linspace(0.1, 1.0, 60).reshape(10, 2, 3)
    counted = Counts(step)
    for some in (inputs, inputs, inputs[:7]):
        got, wanted = fold(counted, state, some, X), fold_in_python(np, step, state, some, X)
        for one, other in zip(tree_leaves(got), tree_leaves(tree_map(np.asarray, wanted)), strict=True):
            assert (one.shape, one.tobytes()) == (other.shape, other.tobytes())


def gathers_into_the_state(state, rows, A, B):
    xp = namespace(A)
    a, b = state
    new = 0.9 * a + 0.1 * xp.take(A, rows, axis=-2), 0.9 * b + 0.1 * xp.take(B, rows, axis=-2)
    return new, all_of(xp, xp.exp(a))


def test_batches_that_become_a_part_of_the_state():
    """An optimizer's calls are made once for both, on one memory, of which a gathered batch is a part then."""
    draw = np.random.default_rng(0)
    data, state = (draw.uniform(size=(9, 3)), draw.uniform(size=(9, 2))), (draw.uniform(size=(4, 3)), draw.uniform(size=(4, 2)))
    check(gathers_into_the_state, state, draw.integers(0, 9, (20, 4)), *data)


def cost_of_the_input(state, one, X):
    xp = namespace(state)
    return state * 0.9 + one, all_of(xp, xp.exp(state * one) * X)


@pytest.mark.parametrize("first", ["rows", "columns", "reversed", "every other", "the same"])
def test_inputs_that_lie_in_memory_in_any_way(first):
    numbers = np.linspace(0.1, 1.0, 240).reshape(40, 2, 3)
    ways = {
        "rows": numbers[:20],
        "columns": np.asfortranarray(numbers[:20]),
        "reversed": numbers[:20, ::-1, ::-1],
        "every other": np.repeat(numbers[:20], 2, axis=-1)[..., ::2],
        "the same": np.broadcast_to(numbers[:20, :1, :1], (20, 2, 3)),
    }
    state, X = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.5, 1.0, 6).reshape(2, 3)
    step = Counts(cost_of_the_input)
    for inputs in (ways[first], *ways.values()):
        got, wanted = fold(step, state, inputs, X), fold_in_python(np, cost_of_the_input, state, inputs, X)
        for one, other in zip(tree_leaves(got), tree_leaves(tree_map(np.asarray, wanted)), strict=True):
            assert one.tobytes() == other.tobytes()
    assert step.calls == 3
    assert taken_apart(cost_of_the_input, state, numbers, X).after


def test_the_first_fold_tells_how_long_they_are():
    """It is run step by step until the step is known; what is left of it is shorter than those to come."""
    case = training(SOFTMAX, steps=8)
    lengths = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "stretch", lambda recording, steps: lengths.append(steps) or stretch(recording, steps))
        for _ in range(2):
            fold(*case)
    assert set(lengths) == {8}
