"""The tape: a step is run twice and then replayed, unless it is no function of its arrays alone."""

import threading
import weakref

import numpy as np
import numpy as xp
import pytest
from backend_folds import Counts, Looks, close, plain

from mlpxp import Adam, GradientDescent, Network, initialize
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace, tree_map
from mlpxp.training.step import Inputs, TrainingStep
from mlpxp_backends.expressions import step_by_step
from mlpxp_backends.fusion import Fusion
from mlpxp_backends.replay import Register, Tape

OPTIMIZER = Adam(0.01)


class Host(np.ndarray):
    """An array that can be watched."""


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


@pytest.mark.parametrize(("optimizer", "more"), [("descent", 0), ("adam", 1)])
@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_so_many_kernels_are_launched_in_a_step(layers, optimizer, more, fusion, monkeypatch):
    """A layer: three products (the first two), a kernel for bias and activation, one for its error, a sum, two for the updates."""
    tapes = []
    monkeypatch.setattr(Tape, "prepare", lambda tape, prepare=Tape.prepare: (prepare(tape), tapes.append(tape)))
    network = Network((4, *[5] * (layers - 1), 3), "relu", "softmax", "cross_entropy")
    rule = {"descent": GradientDescent, "adam": Adam}[optimizer](0.1)
    parameters = tree_map(np.asarray, initialize(network, seed=0))
    data = np.ones((9, 4), "float32"), np.full((9, 3), 1 / 3, "float32"), None, None
    inputs = Inputs(np.zeros((3, 6), "int32"), np.full(3, 0.1, "float32"))
    fusion.fold(TrainingStep(network, rule), (parameters, rule.start(parameters)), inputs, *data)
    (tape,) = tapes
    launches = [call for call in tape.calls if call.function is not getattr]  # .mT is a view
    assert sum(getattr(call.function, "__name__", "") == "matmul" for call in launches) == 3 * layers - 1
    assert len(launches) == (3 * layers - 1) + 3 * layers + 2 * layers + 10 + more  # batch, softmax and its loss; for Adam t and its η


def test_what_may_draw_is_called_each_time(fusion, monkeypatch):
    """The same call twice gives other numbers: only sums, maxima and kernels are known to give the same."""
    prepared, drawn = [], iter(range(100))
    monkeypatch.setattr(Tape, "prepare", lambda tape, prepare=Tape.prepare: (prepare(tape), prepared.append(tape)))

    def draw(x):
        return x + next(drawn)

    def step(state, one):
        xp = namespace(state)
        first, second = xp.call(draw, state), xp.call(draw, state)
        return 0.0 * first + second, xp.sum(first) + xp.sum(first) - xp.sum(second)

    fusion.fold(step, np.asarray([1.0]), np.zeros(6))
    assert len(prepared) == 1
    assert next(drawn) == 12
    assert sum(call.function is np.sum for call in prepared[0].calls) == 2


def test_what_is_read_again_after_it_was_written_is_read_again(fusion):
    def step(state, one):
        xp = namespace(state)
        Z = xp.matmul(state, state)
        before = xp.sum(Z)
        xp.cumsum(Z, axis=0, out=Z)
        return state * 0.9, before + 10.0 * xp.sum(Z)

    state, inputs = np.linspace(0.1, 1.0, 9).reshape(3, 3), np.zeros(6)
    wanted = []
    for _ in inputs:
        Z = state @ state
        wanted.append(Z.sum() + 10.0 * np.cumsum(Z, axis=0).sum())
        state = state * 0.9
    _, outs = fusion.fold(step, np.linspace(0.1, 1.0, 9).reshape(3, 3), inputs)
    np.testing.assert_allclose(outs, wanted, rtol=1e-13)


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


def test_an_array_that_a_step_keeps_is_no_register_of_a_later_tape(fusion):
    """It was made on an earlier one, where its register was its own."""

    class Keeps:
        def __init__(self):
            self.kept = None

        def __call__(self, state, one):
            xp = namespace(state)
            new = xp.sin(0.9 * (state * one))
            if self.kept is None:
                self.kept = xp.tanh(0.5 * xp.ones_like(state))
            return new + self.kept, state

    start, inputs = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.1, 1.0, 8)
    close(fusion.fold(Keeps(), start, inputs), fold_in_python(xp, Keeps(), start, inputs))
