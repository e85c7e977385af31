"""Lazy arrays on NumPy: the same numbers as without them, in fewer passes, and any step that works without them works with them."""

import gc
import math
import threading
import weakref
from dataclasses import dataclass
from typing import NamedTuple

import array_api_compat.numpy as xp
import array_api_strict
import numpy as np
import pytest

from mlpxp import ACTIVATIONS, Activation, Adam, GradientDescent, Network, get_backend, initialize, train
from mlpxp.arrays import namespace, tree_leaves
from mlpxp.backend import fold_in_python
from mlpxp_backends.fusion import ELEMENTWISE, Expression, Fusion, step_by_step
from mlpxp_backends.numpy import NumpyBackend
from mlpxp_backends.replay import Register, Tape

HIDDEN = [*[name for name in ACTIVATIONS if name != "softmax"], "bump"]


def close(got, wanted, dtype="float64"):
    """Equal but for the rounding of a few operations, in dtype and shape too."""
    tolerance = 1e-13 if dtype == "float64" else 8 * 2.0**-23
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def plain(case):
    with np.errstate(all="ignore"):
        return fold_in_python(xp, case.step, case.state, case.inputs, *case.data)


@pytest.fixture
def fusion():
    return Fusion(xp, step_by_step(xp))


# ------------------------------------------------------------------------------------------------------- the core's steps
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", range(len(HIDDEN)), ids=HIDDEN)
def test_a_fold_is_what_it_is_without_fusion(core, recorder, number, dtype):
    """Each hidden activation with all outputs and losses; four steps, so that half of them come from the tape."""
    for turn, head in enumerate(core.HEADS, start=number):
        optimizer = list(core.OPTIMIZERS.values())[turn % len(core.OPTIMIZERS)]
        each = core.case(core.HIDDEN[number], head, optimizer, dtype=dtype, steps=4, **core.WAYS[turn % len(core.WAYS)])
        close(recorder.fold(each), plain(each), dtype)


@pytest.mark.parametrize("optimizer", ["descent", "momentum", "nesterov", "adam", "adam without memory", "adamw"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_optimizer_is_what_it_is_without_fusion(core, recorder, optimizer, dtype):
    for way in core.WAYS:
        each = core.case("sigmoid", core.HEADS[-2], core.OPTIMIZERS[optimizer], dtype=dtype, steps=4, **way)
        close(recorder.fold(each), plain(each), dtype)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_evaluation_is_what_it_is_without_fusion(core, fusion, weighted):
    as_it_is = type("AsItIs", (), {"fold": staticmethod(lambda step, *args: fold_in_python(xp, step, *args))})
    for head in core.HEADS:
        got, wanted = (core.evaluate(each, head, "float64", weighted=weighted) for each in (fusion, as_it_is))
        np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_full_batches_too(core, recorder):
    each = core.case("gelu", core.HEADS[-2], Adam(0.01), steps=4)
    each = each._replace(inputs=each.inputs._replace(rows=None))
    close(recorder.fold(each), plain(each))


def test_the_standard_alone_is_enough(core):
    """On array-api-strict, where a function that it lacks or an operand that it forbids would fail."""
    library = get_backend("strict")
    fusion = Fusion(array_api_strict, step_by_step(array_api_strict))
    for number, each in enumerate(core.cases("float64")):
        if number % 7:
            continue
        state, inputs, data = fusion_tree(library.asarray, (each.state, each.inputs, each.data))
        close(fusion_tree(library.to_numpy, fusion.fold(each.step, state, inputs, *data)), plain(each))


def fusion_tree(function, tree):
    if isinstance(tree, tuple):
        branches = [fusion_tree(function, one) for one in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return None if tree is None else function(tree)


@dataclass(frozen=True)
class FusedNumpy(NumpyBackend):
    """NumPy with the fold of a library that fuses."""

    fusion: Fusion

    def fold(self, step, state, inputs, *data):
        with np.errstate(all="ignore"):
            return self.fusion.fold(step, state, inputs, *data)


@pytest.mark.parametrize("stack", [False, True])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_whole_run_has_the_same_history(fusion, stack, batch_size):
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((4, 30)), np.eye(3)[rng.integers(0, 3, 30)].T
    network = Network((4, 6, 5, 3), hidden="silu", output="softmax", loss="cross_entropy")
    # members of a stack that converge are frozen, so that the last epochs run with a mask
    rates = (0.01, 1e-9) if stack else 0.01
    start = initialize(network, seed=(1, 2) if stack else 1, dtype="float64")
    results = [
        train(
            network, X, Y, optimizer=Adam(rates), epochs=12, batch_size=batch_size, seed=3, start=start, penalty=0.01,
            weights=np.linspace(0.5, 1.5, 30), validation=(X[:, :20], Y[:, :20]), tolerance=1e-6, patience=3, backend=library,
        )
        for library in (FusedNumpy(fusion), "numpy")
    ]  # fmt: skip
    fused, wanted = results
    assert fused.stop == wanted.stop
    np.testing.assert_allclose(fused.history.cost, wanted.history.cost, rtol=1e-12)
    np.testing.assert_allclose(fused.history.validation_cost, wanted.history.validation_cost, rtol=1e-12)
    assert fused.history.validation_score == wanted.history.validation_score
    close(fused.last_parameters, wanted.last_parameters, "float32" if stack else "float64")


# -------------------------------------------------------------------------------------------------------- how many passes
@pytest.mark.parametrize("optimizer", ["descent", "momentum", "nesterov", "adam", "adamw"])
@pytest.mark.parametrize(
    ("head", "forward_and_back"),
    [
        # A_1, A_2, three deltas, then what the cost and its derivative need
        (("tanh", "mse"), 5 + 3),  # the squares with A_3 beside them, the losses' factor ½ with their sum, the mean
        (("sigmoid", "binary_cross_entropy"), 5 + 2),  # from the logits: the losses, the mean
        (("softmax", "cross_entropy"), 5 + 6),  # Z_3 and e^Z for A_3, Z_3 again and e^Z for the cost, the losses, the mean
    ],
)
def test_a_step_of_three_layers_takes_so_many_evaluations(core, recorder, optimizer, head, forward_and_back):
    head = next(one for one in core.HEADS if (one[0].name, one[1].name) == head)
    recorder.fold(core.case("tanh", head, core.OPTIMIZERS[optimizer]))
    # one for each W and each b with its moments, and for Adam one for t and the corrected η
    assert recorder.evaluations == forward_and_back + 6 + optimizer.startswith("adam")


def test_a_mask_over_the_members_costs_no_evaluation(core, recorder):
    """W, its moments and t are chosen in the kernel that makes them; the state's η is what it was."""
    plain, frozen = ({"stack": True}, {"stack": True, "frozen": True})
    counts = []
    for way in (plain, frozen):
        before = recorder.evaluations
        recorder.fold(core.case("tanh", core.HEADS[-2], OPTIMIZER, **way))
        counts.append(recorder.evaluations - before)
    assert counts[1] == counts[0]


def operations(expressions, name):
    return sum(step[0] == name for expression in expressions for step in expression.steps)


def test_what_is_dear_is_computed_once(core, recorder):
    """A sigmoid output under MSE is needed by the cost and by the error, and Adam's corrected η by every parameter."""
    head = next(one for one in core.HEADS if (one[0].name, one[1].name) == ("sigmoid", "mse"))
    recorder.fold(core.case("tanh", head, OPTIMIZER))
    assert operations(recorder.seen, "exp") == 1
    assert operations(recorder.seen, "expm1") == 2  # 1 - β₁ᵗ and 1 - β₂ᵗ


OPTIMIZER = Adam(0.01)


def test_a_derivative_reads_what_the_forward_pass_made(fusion):
    Z = fusion.lazy(np.linspace(-1.0, 1.0, 5))
    A = fusion.tanh(Z)
    fusion.sum(A * A)
    assert A.node.value is not None
    np.testing.assert_array_equal((1.0 - A * A).value, 1.0 - np.tanh(Z.value) ** 2)


def test_the_number_of_steps_changes_no_expression(core):
    recorders = []
    for steps in (1, 2, 30):
        recorder = core.Recorder()
        each = core.case("gelu", core.HEADS[-2], Adam(0.01), steps=steps)
        recorder.fold(each._replace(step=Looks(each.step)))  # looks at a number, so that no step comes from a tape
        recorders.append(recorder)
    first, second, last = recorders
    assert set(first.seen) == set(second.seen) == set(last.seen)
    assert last.evaluations == 30 * first.evaluations


class Looks:
    """A step that asks for a number, each time."""

    def __init__(self, step):
        self.step, self.calls = step, 0

    def __call__(self, state, inputs, *data):
        self.calls += 1
        assert math.isfinite(float(inputs[1]))
        return self.step(state, inputs, *data)


def test_another_batch_size_or_number_needs_no_other_kernel(core, recorder):
    kernels = set()
    for m in (10, 7):
        each = core.case("tanh", core.HEADS[-2], GradientDescent(0.1, momentum=0.5 + 0.01 * m))
        recorder.fold(each._replace(inputs=each.inputs._replace(rows=each.inputs.rows[:, :m])))
        kernels.add(frozenset(recorder.seen))
    assert len(kernels) == 1


def test_long_expressions_are_cut(recorder):
    fusion = recorder.fusion
    x = z = fusion.lazy(np.linspace(-0.5, 0.5, 3))
    for _ in range(2000):
        z = 0.5 * z + x
    np.testing.assert_allclose(z.value, 2.0 * x.value, rtol=1e-15)
    assert max(len(expression.steps) for expression in recorder.seen) <= 128
    assert max(len(expression.arguments) for expression in recorder.seen) <= 257


class Host(np.ndarray):
    """An array that can be watched."""


def test_what_was_computed_lets_go_of_what_it_was_made_of(fusion):
    big = np.ones(4).view(Host)
    gone = weakref.ref(big)
    kept = [fusion.tanh(fusion.lazy(big) + 1.0)]
    del big
    assert gone() is not None
    fusion.computed(tuple(kept))
    gc.collect()
    assert gone() is None


# --------------------------------------------------------------------------------------------------------------- the tape
class Counts:
    def __init__(self, step):
        self.step, self.calls = step, 0

    def __call__(self, *args):
        self.calls += 1
        return self.step(*args)


def test_a_step_is_run_twice_and_then_replayed_also_in_later_folds(core, recorder):
    each = core.case("tanh", core.HEADS[-2], OPTIMIZER, steps=10)
    step = Counts(each.step)
    counted = each._replace(step=step)
    close(recorder.fold(counted), plain(each))
    assert step.calls == 2
    close(recorder.fold(counted), plain(each))
    assert step.calls == 2


def test_other_shapes_are_another_tape(core, recorder):
    each = core.case("tanh", core.HEADS[-2], OPTIMIZER, steps=5)
    short = each._replace(inputs=each.inputs._replace(rows=each.inputs.rows[:, :3]))
    step = Counts(each.step)
    for one in (each, short, each, short):
        close(recorder.fold(one._replace(step=step)), plain(one))
    assert step.calls == 4


def test_a_step_that_looks_at_a_number_is_run_each_time(core, recorder):
    each = core.case("tanh", core.HEADS[-2], OPTIMIZER, steps=10)
    step = Looks(each.step)
    close(recorder.fold(each._replace(step=step)), plain(each))
    assert step.calls == 10


def branching(state, one, X):
    state = state * 0.5 if float(X[0]) + float(state) > one else state + 1.0
    return state, state


def test_a_branch_is_taken_as_the_numbers_say(fusion):
    inputs, X = np.asarray([0.5, 3.0, 3.0, 0.1, 0.7, 9.0]), np.asarray([0.25])
    start = np.asarray(1.0)
    close(fusion.fold(branching, start, inputs, X), fold_in_python(xp, branching, start, inputs, X))


class Drifts:
    """A number of its own that changes from step to step."""

    def __init__(self):
        self.scale = 1.0

    def __call__(self, state, one):
        self.scale *= 0.5
        return state + self.scale * one, state


def test_numbers_that_change_from_step_to_step_are_seen(fusion):
    start, inputs = np.zeros(2), np.ones((12, 2))
    close(fusion.fold(Drifts(), start, inputs), fold_in_python(xp, Drifts(), start, inputs))


class Noise:
    """Host arrays from elsewhere, another each time."""

    def __init__(self):
        self.rng = np.random.default_rng(3)

    def __call__(self, state, one):
        return state + one * self.rng.standard_normal(2), state


def test_arrays_from_elsewhere_are_seen(fusion):
    start, inputs = np.zeros(2), np.ones((12, 2))
    close(fusion.fold(Noise(), start, inputs), fold_in_python(xp, Noise(), start, inputs))


def test_arrays_from_elsewhere_are_seen_in_a_functions_arguments_too(fusion):
    class Turns(Noise):
        def __call__(self, state, one):
            return namespace(one).atan2(one, self.rng.standard_normal(2)), state

    start, inputs = np.zeros(2), np.ones((12, 2))
    close(fusion.fold(Turns(), start, inputs), fold_in_python(xp, Turns(), start, inputs))


def test_answers_of_the_librarys_own_functions_are_seen(fusion):
    """``array_equal`` returns a bool: what a step does then is its own affair."""

    def step(state, one):
        xp = namespace(one)
        return (state - 1.0 if xp.array_equal(one, state) else state + 1.0), state

    start, inputs = np.zeros(1), np.asarray([[9.0], [9.0], [9.0], [3.0], [2.0], [9.0]])
    close(fusion.fold(step, start, inputs), fold_in_python(xp, step, start, inputs))


def test_an_array_that_is_two_at_once_is_only_that(fusion):
    """X as Y, as an autoencoder has it, leaves no trace in a later fold in which they differ."""

    def step(state, one, X, Y):
        return state + one * namespace(X).sum(X - 2.0 * Y), state

    same, other, start, inputs = np.ones(3), np.arange(3.0), np.asarray(0.0), np.ones(4)
    for X, Y in ((same, same), (same, other), (other, same)):
        close(fusion.fold(step, start, inputs, X, Y), fold_in_python(xp, step, start, inputs, X, Y))


def test_a_step_that_fails_teaches_nothing(fusion):
    def step(state, one):
        if step.fails:
            raise KeyboardInterrupt
        return state + one, state

    for step.fails in (True, True, False):
        if step.fails:
            with pytest.raises(KeyboardInterrupt):
                fusion.fold(step, np.zeros(2), np.ones((3, 2)))
    close(fusion.fold(step, np.zeros(2), np.ones((5, 2))), (np.full(2, 5.0), np.arange(5.0)[:, None] * np.ones(2)))


def test_a_replay_frees_what_it_no_longer_needs():
    alive = []

    def made(*_):
        alive.append([one() is not None for one in watched])
        array = np.ones(3).view(Host)
        watched.append(weakref.ref(array))
        return array

    tape = Tape()
    given = tape.new()
    first, second, third, fourth = (tape.new() for _ in range(4))
    for args, out in (((given,), first), ((first,), second), ((second, [first]), third), ((third,), fourth)):
        tape.note(made, args, {}, out)
    tape.result = (second, fourth)
    tape.prepare()
    watched = []
    result = tape([np.zeros(3)])
    assert alive == [[], [True], [True, True], [False, True, True]]
    assert [one() is not None for one in watched] == [False, True, False, True]
    assert result[0] is watched[1]()


def test_a_number_is_no_register():
    tapes = []
    for last in (Register(1), 1):
        tape = Tape()
        tape.note(max, (tape.new(), last), {}, tape.new())
        tapes.append(tape)
    assert not tapes[0].says_the_same(tapes[1])
    assert tapes[0].says_the_same(tapes[0])


def test_threads_record_apart(fusion):
    """A fold in another thread, in the middle of a step that is being recorded, is on no tape but its own."""

    def step(state, one):
        step.calls += 1
        state = namespace(one).sum(one * state) + state
        if step.calls <= 2:
            thread = threading.Thread(target=fusion.fold, args=(lambda state, one: (namespace(one).sum(one) + state, state), *other))
            thread.start()
            thread.join()
        return namespace(one).cumulative_sum(one * state)[-1] / 3.0, state

    step.calls = 0
    other = np.asarray(5.0), np.ones((1, 7))
    start, inputs = np.asarray(1.0), np.linspace(0.0, 1.0, 24).reshape(8, 3)
    got = fusion.fold(step, start, inputs)
    assert step.calls == 2
    fusion, step.calls = Fusion(xp, step_by_step(xp)), 0
    close(got, fold_in_python(xp, step, start, inputs))


# ------------------------------------------------------------------------------------------------------- arrays of the standard
def test_a_number_keeps_the_arrays_dtype(fusion):
    x = fusion.lazy(np.ones(3, dtype="float32"))
    for y in (x + 0.1, 0.1 - x, 2 * x, x / 3, x**2, fusion.maximum(x, 0.5), fusion.where(x > 0.0, x, math.pi), fusion.exp(x), 1 / x):
        assert y.dtype == y.value.dtype == np.float32
    assert (x > 0.1).dtype == (x > 0.1).value.dtype == np.bool_
    assert (x + np.float64(0.1)).dtype == (np.ones(3, dtype="float32") + np.float64(0.1)).dtype


@pytest.mark.parametrize(
    "shapes", [((3, 1), (3, 4)), ((4,), (2, 3, 4)), ((2, 1, 1), (3, 4)), ((), (3, 4)), ((), ()), ((2, 3, 1), (2, 1, 4)), ((0, 3), (1, 3))]
)
def test_shapes_are_broadcast(fusion, shapes):
    a, b = (np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape) for shape in shapes)
    got = fusion.tanh(fusion.lazy(a) * fusion.lazy(b)) / 2.0
    assert got.shape == np.broadcast_shapes(*shapes)
    np.testing.assert_array_equal(got.value, np.tanh(a * b) / 2.0)


def test_shapes_that_cannot_be_broadcast_are_an_error(fusion):
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        fusion.lazy(np.ones(3)) + fusion.lazy(np.ones(4))


def test_nan_is_passed_on_by_maximum_and_minimum(fusion):
    x = fusion.lazy(np.asarray([math.nan, 1.0, -math.inf]))
    for function in (fusion.maximum, fusion.minimum):
        np.testing.assert_array_equal(np.isnan(function(x, 0.0).value), [True, False, False])
        np.testing.assert_array_equal(np.isnan(function(0.5, x + 1.0).value), [True, False, False])


def whole(x, xp):
    return xp.astype(100.0 * x, xp.int32)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, b, xp: x.mT @ x + 0.5,
        lambda x, b, xp: np.ones((2, 3)) + x,  # a stray array of the library's own, on either side
        lambda x, b, xp: x * np.ones((2, 3)) @ np.ones((3, 1)),
        lambda x, b, xp: np.ones((3, 2)) @ x,
        lambda x, b, xp: -x + abs(x) + +x,
        lambda x, b, xp: x // 0.3 + x % 0.3 + 5.0 // x + 5.0 % (x + 9.0),
        lambda x, b, xp: xp.astype(~b, x.dtype) + xp.astype(b & (x > 0.0) | (x < -1.0) ^ b, x.dtype),
        lambda x, b, xp: x[0, 1:] + x[..., None][1, 1:, 0] + x[x > 0.0][0],
        lambda x, b, xp: xp.where(b, x, 1.0) + xp.where(b, 2.0, x) + xp.where(b, xp.ones_like(x), 0.5),
        lambda x, b, xp: xp.clip(x, -0.5, 0.5) + xp.sign(x) + xp.atan2(x, xp.abs(x) + 1.0),
        lambda x, b, xp: xp.astype(xp.argmax(x, axis=0, keepdims=True) == xp.argmax(-x, axis=0, keepdims=True), x.dtype),
        lambda x, b, xp: xp.concat([x, xp.exp(x)], axis=0) + xp.stack([xp.sum(x), xp.max(x)])[0],
        lambda x, b, xp: xp.sum(xp.stack(xp.broadcast_arrays(x, x[:, :1])), axis=0) + xp.full_like(x, 2.0) + xp.zeros_like(x),
        lambda x, b, xp: xp.cumulative_sum(x, axis=1) + xp.linalg.matrix_norm(x, keepdims=True),
        lambda x, b, xp: xp.astype(xp.astype(x, xp.float32), xp.float64) + xp.asarray([0.5, 1.0, 2.0]) + xp.arange(3) + xp.pi,
        lambda x, b, xp: xp.astype(xp.logical_xor(b, x > 0.0), xp.float64) + xp.astype((x > 0.0) == b, xp.float64) + xp.square(x) ** 1.5,
        lambda x, b, xp: xp.minimum(xp.maximum(x, -1.0), xp.sqrt(xp.abs(x))) + xp.pow(2.0 + xp.abs(x), x) - xp.log(xp.abs(x) + 1.0),
        lambda x, b, xp: x + xp.take(x, xp.asarray([1, 0]), axis=0) + xp.mean(x) + xp.var(x, axis=1, keepdims=True),
        lambda x, b, xp: x + float(x[0, 0]) + int(x[0, 0]) + len(x) + bool(b[0, 0]) + x.size + np.asarray(x).sum(),
        lambda x, b, xp: x + x.sum() if hasattr(x, "sum") else x,
        lambda x, b, xp: xp.linalg.svd(x)[1][:, None] + xp.linalg.matmul(x, x.mT) @ x,
        lambda x, b, xp: xp.astype((whole(x, xp) * 2147483647 ^ whole(x, xp) >> 3) & 1023, xp.float64),
        lambda x, b, xp: xp.where(b, whole(x, xp), 3) // 2 + (-whole(x, xp) << 1 | 5) - abs(whole(x, xp)) % 3 + (whole(x, xp) > -2),
        lambda x, b, xp: whole(x, xp) * 0.5 + whole(x, xp) / 3 + xp.astype(whole(x, xp) + 7, xp.float32) + (5 & whole(x, xp)),
        lambda x, b, xp: x + x.T[0, 1] + xp.finfo(x.dtype).eps + xp.isdtype(x.dtype, "real floating"),
    ],
)
def test_whatever_a_users_function_asks_for(fusion, function):
    x, b = np.asarray([[0.5, -0.25, 2.0], [-3.0, 1.0, 0.125]]), np.asarray([[True, False, True], [False, False, True]])
    wanted = function(x, b, xp)
    lazies = fusion.lazy((x, b))
    assert namespace(lazies[0]) is fusion
    got = fusion.computed(function(*lazies, namespace(lazies[0])))
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(got, wanted, rtol=1e-15)


def test_integers_wrap_around_and_numbers_that_they_do_not_have_are_the_librarys_affair(fusion):
    x = fusion.lazy(np.asarray([2**31 - 1, -(2**31), -5], dtype="int32"))
    for y, wanted in (
        (x + 1, [-(2**31), -(2**31) + 1, -4]),
        (x * 65539, [2**31 - 65539, -(2**31), -327695]),
        (x >> 1, [2**30 - 1, -(2**30), -3]),
    ):
        assert y.node.value is None
        assert y.dtype == y.value.dtype == np.int32
        np.testing.assert_array_equal(y.value, wanted)
    with pytest.raises(OverflowError):
        x + 2**31


def test_a_boolean_beside_a_number_is_the_librarys_affair(recorder):
    b = recorder.fusion.lazy(np.asarray([True, False]))
    np.testing.assert_array_equal((b == 0.5).value, [False, False])
    np.testing.assert_array_equal(recorder.fusion.where(b, b, 2.0).value, [1.0, 2.0])
    assert not recorder.seen


def test_in_place_operators_leave_the_array_that_was(fusion):
    x = np.ones(3)
    z = before = fusion.lazy(x)
    z += 1.0
    z *= 2.0
    assert before is not z
    np.testing.assert_array_equal(z.value, [4.0, 4.0, 4.0])
    np.testing.assert_array_equal(x, [1.0, 1.0, 1.0])


def test_astype_is_a_copy(fusion):
    z = fusion.lazy(np.ones(3))
    copy = fusion.astype(z, fusion.float64)
    copy[0] = 5.0
    np.testing.assert_array_equal(z.value, [1.0, 1.0, 1.0])


def test_writing_changes_only_what_comes_later(fusion):
    x = np.asarray([-1.0, 2.0, -3.0])
    z = fusion.lazy(x)
    doubled = 2.0 * z
    z[z < 0.0] = 0.0
    np.testing.assert_array_equal(z.value, [0.0, 2.0, 0.0])
    np.testing.assert_array_equal(doubled.value, [-2.0, 4.0, -6.0])
    np.testing.assert_array_equal(x, [-1.0, 2.0, -3.0])


def test_a_written_array_is_on_the_tape(fusion):
    def step(state, one):
        state = state + one
        state[state > 2.0] = 0.0
        return state, state

    counted = Counts(step)
    start, inputs = np.zeros(2), np.asarray([[1.0, 0.5]] * 8)
    wanted = fold_in_python(xp, step, start, inputs)
    close(fusion.fold(counted, start, inputs), wanted)
    assert counted.calls == 2


def test_an_activation_that_loops_on_a_number_trains(fusion):
    """Steps of a tape would freeze the number of rounds; a step that looks at numbers has none."""

    def rounds(Z):
        for _ in range(1 + int(namespace(Z).sum(Z) > 0.0)):
            Z = namespace(Z).tanh(Z)
        return Z

    odd = Activation("odd", rounds, lambda Z, A: 1.0 - A * A)
    network = Network((2, 3, 1), hidden=odd, output="sigmoid", loss="binary_cross_entropy")
    X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])
    fused, wanted = (
        train(network, X, Y, optimizer=GradientDescent(0.5), epochs=20, batch_size=2, seed=2, backend=library)
        for library in (FusedNumpy(fusion), "numpy")
    )
    close(fused.parameters, wanted.parameters)


def test_every_operation_that_waits_is_evaluated(everything):
    assert {step[0] for expression in everything for step in expression.steps} == ELEMENTWISE


def test_an_expression_is_a_key(everything):
    again = {Expression(*expression): None for expression in everything}
    assert again.keys() == everything.keys()
    assert all(hash(one) == hash(Expression(*one)) for one in everything)


class Pair(NamedTuple):
    first: object
    second: object


def test_trees_keep_their_types(fusion):
    tree = Pair(np.ones(2), (None, Pair(np.zeros(2), 3)))
    assert isinstance(fusion.lazy(tree).second[1], Pair)
    got = fusion.computed(fusion.lazy(tree))
    assert isinstance(got, Pair)
    assert got.second[0] is None
    assert got.second[1].first is tree.second[1].first
