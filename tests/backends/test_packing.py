"""What is done alike to several arrays is done once, and gives the same bits; where the order forbids it, nothing is packed."""

import numpy as np
import numpy as xp
import pytest

from mlpxp import Adam, AdamW, GradientDescent, Network, initialize
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.training.step import Inputs, TrainingStep
from mlpxp_backends.packing import packed
from mlpxp_backends.recording import record
from mlpxp_backends.repetitions import without_repetitions
from mlpxp_backends.replaying import fold


def recorded(step, state, one, *data):
    return without_repetitions(record(step, state, one, data)[0])


def bits(got, wanted):
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        np.testing.assert_array_equal(one, other)


def training(optimizer, *, hidden=(5, 4), penalty=None):
    network = Network((3, *hidden, 2))
    parameters = initialize(network, seed=1, dtype="float64")
    draw = np.random.default_rng(0)
    step, state = TrainingStep(network, optimizer), (parameters, optimizer.start(parameters))
    one = Inputs(np.arange(6), np.asarray(0.1), None if penalty is None else np.asarray(penalty))
    return step, state, one, draw.standard_normal((9, 3)), draw.uniform(size=(9, 2)), None, None


def count(recording, function):
    """How often a function is called on arrays that are no single numbers."""
    return sum(call.function is function and np.prod(recording.layouts[call.out].shape) > 1 for call in recording.calls)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("optimizer", "penalty", "groups"), [(Adam(0.1), None, 1), (Adam(0.1), 0.01, 2), (AdamW(0.1), None, 2)])
def test_adam_is_called_once_whatever_the_depth(layers, optimizer, penalty, groups):
    """Weights and biases together; apart where a penalty or decay is the weights' alone. One layer has nothing that is alike then."""
    before = recorded(*training(optimizer, hidden=(5,) * (layers - 1), penalty=penalty))
    assert count(before, np.sqrt) == 2 * layers
    assert count(packed(before), np.sqrt) == groups


@pytest.mark.parametrize(
    "optimizer", [GradientDescent(0.1), GradientDescent(0.1, momentum=0.9), GradientDescent(0.1, momentum=0.9, nesterov=True)]
)
def test_descent_too(optimizer):
    recording = packed(recorded(*training(optimizer)))
    assert [len(members) for members in recording.packs.values()] == [6] * len(recording.packs)
    assert len(recording.packs) > 2


def test_what_differs_is_not_packed():
    def step(state, one):
        a, b, c = state
        return (2.0 * a, 3.0 * b, c + one), one

    recording = recorded(step, (np.ones(2), np.ones(3), np.ones(4)), np.asarray(1.0))
    assert packed(recording) is recording


def waits(state, one):
    """b's new value needs a's: each is its old one plus a product, and they can't be had at once."""
    a, b = state
    a = a + a @ one
    b = b + one @ a
    return (a, b), one


def crosses(state, one):
    """The same two arrays, in two orders."""
    a, b = state
    return (a * b, b * a), one


def shares(state, one):
    """An array that belongs to both."""
    a, b = state
    c = a @ one
    return (a + c, b + c), one


def reads_a_part(state, one):
    """One of a pack is read before the other is made."""
    a, b = state
    a = 0.5 * a
    out = namespace(a).exp(a) @ one
    return (a, 0.5 * b), out + one


def turned(state, one):
    a, b = state
    return ((a * 0.5).mT, (b * 0.5).mT), one


def same_twice(state, one):
    a, _ = state
    a = a * 0.5
    return (a, a), one


SCALES = np.asarray([[1.0, 2.0, 3.0]])


def fixed(state, one):
    """Arrays from elsewhere, and one of one number that has two axes."""
    a, b = state
    one = one[:1, :1] * 0.5
    return (a * SCALES + one, b * SCALES + one), one


@pytest.mark.parametrize("step", [fixed, waits, crosses, shares, reads_a_part, turned, same_twice])
def test_awkward_orders_give_the_same_bits(step):
    draw = np.random.default_rng(2)
    state, inputs = tuple(draw.standard_normal((2, 3, 3))), 0.1 * draw.standard_normal((6, 3, 3))
    calls = 0

    def counted(*args):
        nonlocal calls
        calls += 1
        return step(*args)

    bits(fold(counted, state, inputs), fold_in_python(xp, step, state, inputs))
    assert calls == 3


def test_an_order_that_can_not_be_is_left_alone():
    recording = recorded(waits, (np.eye(3), np.eye(3)), np.eye(3))
    assert packed(recording) is recording


def test_stacks_whose_members_stop_apart():
    network = Network((3, 4, 2))
    parameters = initialize(network, seed=(1, 2, 3), dtype="float32")
    optimizer = Adam(0.01)
    draw = np.random.default_rng(0)
    state, step = (parameters, optimizer.start(parameters)), TrainingStep(network, optimizer)
    inputs = Inputs(draw.integers(0, 9, (7, 5)).astype("int32"), np.full(7, 0.1, "float32"))
    running = np.asarray([True, False, True])[:, None, None]
    data = draw.standard_normal((9, 3)).astype("float32"), draw.uniform(size=(9, 2)).astype("float32"), None, running
    bits(fold(step, state, inputs, *data), tree_map(np.asarray, fold_in_python(xp, step, state, inputs, *data)))
