"""NumPy's fold: a step that was recorded gives, bit for bit, what it gives when it is called; what can't be recorded is called."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import numpy as xp
import pytest
from backend_folds import Counts, plain

from mlpxp import ACTIVATIONS, Adam, Network
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp_backends.replaying import fold

HIDDEN = [*[name for name in ACTIVATIONS if name != "softmax"], "bump"]


def equal(got, wanted):
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(one, other)


def check(case, *, calls=3, folds=3):
    """Fold three times in a row, as epochs do; the inputs are left as they were."""
    step, before = Counts(case.step), tree_map(np.copy, (case.state, case.inputs, case.data))
    state = other = case.state
    with np.errstate(all="ignore"):
        for _ in range(folds):
            state, outs = fold(step, state, case.inputs, *case.data)
            other, wanted = fold_in_python(xp, case.step, other, case.inputs, *case.data)
            equal((state, outs), (tree_map(np.asarray, other), wanted))
    equal(before, tree_map(np.asarray, (case.state, case.inputs, case.data)))
    assert step.calls == calls


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", range(len(HIDDEN)), ids=HIDDEN)
def test_every_activation_and_loss_is_recorded_and_gives_the_same_bits(core, number, dtype):
    for turn, head in enumerate(core.HEADS, start=number):
        optimizer = list(core.OPTIMIZERS.values())[turn % len(core.OPTIMIZERS)]
        check(core.case(core.HIDDEN[number], head, optimizer, dtype=dtype, steps=4, **core.WAYS[turn % len(core.WAYS)]))


@pytest.mark.parametrize("optimizer", ["descent", "momentum", "nesterov", "adam", "adam without memory", "adamw"])
def test_every_optimizer_too(core, optimizer):
    for way in core.WAYS:
        check(core.case("sigmoid", core.HEADS[-2], core.OPTIMIZERS[optimizer], steps=4, **way))


def test_full_batches_one_step_a_fold(core):
    each = core.case("gelu", core.HEADS[-2], Adam(0.01))
    check(each._replace(inputs=each.inputs._replace(rows=None)), folds=6)


@pytest.mark.parametrize("stack", [False, True])
def test_dropout(core, stack):
    check(core.dropout_case(Network((4, 6, 5, 2), hidden="relu", output="softmax", loss="cross_entropy"), stack=stack))


def test_batches_of_another_size_are_another_program(core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=5)
    short = each._replace(inputs=each.inputs._replace(rows=each.inputs.rows[:, :3]))
    step = Counts(each.step)
    for one in (each, short, each, short):
        equal(fold(step, one.state, one.inputs, *one.data), plain(one))
    assert step.calls == 6


def test_data_that_are_others_each_time(core):
    """As when they are read from a file, batch by batch."""
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=3, weighted=True)
    step = Counts(each.step)
    for number in range(5):
        X, *others = each.data
        one = each._replace(data=(X + number, *others))
        equal(fold(step, one.state, one.inputs, *one.data), plain(one))
    assert step.calls == 3


def test_what_was_returned_stays_as_it_is(core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=3)
    first = fold(each.step, each.state, each.inputs, *each.data)
    kept = tree_map(np.copy, first)
    for _ in range(3):
        fold(each.step, first[0], each.inputs, *each.data)
    equal(first, kept)


# ------------------------------------------------------------------------------------------- where the results are in memory
def swapped(state, one):
    a, b = state
    return (b + 0.0 * one, a), a


def rotated(state, one):
    a, b, c = state
    return (b, c, a * one), a + b


def turned(state, one):
    (W,) = state
    return (W.mT,), one * namespace(W).sum(W, axis=-1)


def crossed(state, one):
    """A new array is the first's memory plus the second's, and the second comes out as it was."""
    a, b = state
    c = a * one
    return (b, c), c + b


def twice(state, one):
    a, b = state
    c = a + one
    return (c, c), b


def given_back(state, one, X):
    a, b = state
    return (X, a), b * one


def a_view_outlives_its_array(state, one):
    (W,) = state
    E = W * one
    V = E.mT
    xp = namespace(W)
    return (xp.exp(-V) + xp.matrix_transpose(E * E),), xp.max(V)


@pytest.mark.parametrize("step", [swapped, rotated, turned, crossed, twice, given_back, a_view_outlives_its_array])
def test_no_result_is_written_over_before_it_is_read(step):
    draw = np.random.default_rng(0)
    size = {rotated: 3, turned: 1, a_view_outlives_its_array: 1}.get(step, 2)
    state = tuple(draw.standard_normal((4, 4)) for _ in range(size))
    data = (draw.standard_normal((4, 4)),) if step is given_back else ()
    inputs, counted = draw.uniform(0.5, 1.5, 7), Counts(step)
    equal(fold(counted, state, inputs, *data), fold_in_python(xp, step, state, inputs, *data))
    assert counted.calls == 3


def test_nothing_is_allocated_once_it_is_recorded(core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=50)
    sizes = []
    for steps in (10, 50, 10, 50):
        inputs = tree_map(lambda leaf, steps=steps: leaf[:steps], each.inputs)
        tracemalloc.start()
        fold(each.step, each.state, inputs, *each.data)
        sizes.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert sizes[3] - sizes[2] <= 40 * 8 + 256  # the costs


# ------------------------------------------------------------------------------------------------- what can't be recorded
def branches(state, one, X):
    state = state * 0.5 if float(X[0]) + float(state) > one else state + 1.0
    return state, state


class Drifts:
    """A number of its own that changes from step to step."""

    def __init__(self):
        self.scale = 1.0

    def __call__(self, state, one, X):
        self.scale *= 0.5
        return state + self.scale * one, state


class Noise:
    """Host arrays from elsewhere, another each time."""

    def __init__(self):
        self.draw = np.random.default_rng(3)

    def __call__(self, state, one, X):
        return state + one * self.draw.standard_normal(2), state


class Answers:
    """``array_equal`` returns a bool: what a step does then is its own affair."""

    def __call__(self, state, one, X):
        return (state - 1.0 if xp.array_equal(one, state) else state + 1.0), state


class Leaves:
    """NumPy's own functions, not those of the array's namespace."""

    def __call__(self, state, one, X):
        return np.where(state > one, state, 2.0 * one), state


class Writes:
    def __call__(self, state, one, X):
        new = state + one
        new[0] = 3.0
        return new, state


class ChangesWhatHasAView:
    def __call__(self, state, one, X):
        new = state + one
        view = new[:1]
        new += 1.0
        return new + view, state


class Picks:
    def __call__(self, state, one, X):
        return state + X[state > one].sum(), state


@pytest.mark.parametrize("step", [branches, Drifts, Noise, Answers, Leaves, Writes, ChangesWhatHasAView, Picks])
def test_a_step_that_is_no_function_of_its_arrays_alone_is_called_each_time(step):
    start, inputs, X = np.zeros(2), np.asarray([0.5, 3.0, 3.0, 0.1, 0.7, 9.0]), np.asarray([0.25, 1.0])
    if step is branches:
        start, one, other = np.asarray(1.0), branches, branches
    else:
        one, other = step(), step()
    for _ in range(2):
        got, wanted = fold(one, start, inputs, X), fold_in_python(xp, other, start, inputs, X)
        equal(tree_map(np.asarray, got), tree_map(np.asarray, wanted))


def test_an_error_is_the_steps_own():
    def step(state, one):
        raise ZeroDivisionError(f"{type(state).__name__}")

    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="ndarray"):
            fold(step, np.zeros(2), np.ones((3, 2)))


def test_ctrl_c_while_it_is_recorded_teaches_nothing():
    def step(state, one):
        if step.fails:
            raise KeyboardInterrupt
        return state + one, state

    for step.fails in (True, True):
        with pytest.raises(KeyboardInterrupt):
            fold(step, np.zeros(2), np.ones((3, 2)))
    step.fails = False
    equal(fold(step, np.zeros(2), np.ones((5, 2))), (np.full(2, 5.0), np.arange(5.0)[:, None] * np.ones(2)))


def test_memory_mapped_data_are_not_recorded(tmp_path, core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=4)
    np.save(tmp_path / "X.npy", each.data[0])
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    step = Counts(each.step)
    got = fold(step, each.state, each.inputs, X, *each.data[1:])
    equal(tree_map(np.asarray, got), plain(each))
    assert step.calls == 4


def test_threads_have_programs_of_their_own(core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=40)
    wanted, results = plain(each), {}

    def run(name):
        for _ in range(5):
            results[name] = fold(each.step, each.state, each.inputs, *each.data)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in range(4):
        equal(results[name], wanted)


def test_a_program_is_forgotten_with_its_step(core):
    each = core.case("tanh", core.HEADS[-2], Adam(0.01), steps=4)
    step = Counts(each.step)
    X = each.data[0].copy()
    fold(step, each.state, each.inputs, X, *each.data[1:])
    gone, data = weakref.ref(step), weakref.ref(X)
    del step, X
    gc.collect()
    assert (gone(), data()) == (None, None)
