"""When training stops, and what it keeps when something goes wrong."""

import math
import pickle
from dataclasses import FrozenInstanceError, fields
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import LINE, NETWORK, Recorder, assert_close, by_hand, data, is_finite, listed, start

import mlpxp
from mlpxp import Adam, Cosine, DataError, DivergenceError, GradientDescent, Layer, MlpxpError, Network, Stop, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp_backends.program import Program

# --------------------------------------------------------------------------------------------------------- divergence


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("rate", [10.0, 1e3, 1e12, 1e30])
def test_divergence_carries_the_last_finite_parameters_and_the_history(backend, to_device, to_host, rate, size):
    recorder = Recorder(to_host)
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    X, Y = to_device((X, 2.0 * X))
    before = mlpxp.initialize(LINE, seed=0)
    with pytest.raises(DivergenceError) as caught:
        train(LINE, X, Y, optimizer=GradientDescent(rate), epochs=500, batch_size=size, start=to_device(before), callbacks=[recorder])
    error = caught.value
    assert isinstance(error, MlpxpError)
    assert isinstance(error, ArithmeticError)
    epoch = len(recorder.events) + 1
    assert f"in epoch {epoch}, with learning rate {rate}:" in str(error)
    assert error.history.cost == tuple(event.cost for event in recorder.events)
    assert all(math.isfinite(cost) for cost in error.history.cost)
    last_finite = [parameters for parameters in (before, *recorder.parameters) if is_finite(parameters)][-1]
    assert listed(to_host(error.parameters)) == listed(last_finite)


@pytest.mark.parametrize("epochs", range(1, 12))
def test_whenever_a_diverging_run_ends_what_it_returns_is_finite(epochs):
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    try:
        kept = train(LINE, X, X, optimizer=GradientDescent(1e5), epochs=epochs, validation=(X, X))
    except DivergenceError as error:
        kept = error
    assert is_finite(kept.parameters)
    assert is_finite(kept.history.cost)


@pytest.mark.filterwarnings("ignore::mlpxp.errors.ScaleWarning")  # as it should
@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_an_update_that_overflows_is_taken_back_even_if_no_cost_has_seen_it(backend, to_device, to_host, epochs):
    """x = 1e15, y = 1, η = 1e30: C = ½ is finite, ∂C/∂W = -1e15, and W becomes 1e45, infinite in float32."""
    x, y = (np.full((1, 1), value, dtype="float32") for value in (1e15, 1.0))
    begin = (Layer(np.zeros((1, 1), dtype="float32"), np.zeros((1, 1), dtype="float32")),)
    X, Y, parameters = to_device((x, y, begin))
    with pytest.raises(DivergenceError, match=f"in epoch {min(epochs, 2)},") as caught:
        train(LINE, X, Y, optimizer=GradientDescent(1e30), epochs=epochs, start=parameters)
    assert listed(to_host(caught.value.parameters)) == listed(begin)
    assert caught.value.history.cost == (0.5,)
    stack = to_device(mlpxp.stack([begin, begin]))
    result = train(LINE, X, Y, optimizer=GradientDescent((1e-30, 1e30)), epochs=epochs, start=stack)
    assert result.stop == (Stop.MAXIMUM, Stop.DIVERGED)
    assert listed(tree_map(lambda leaf: leaf[1, ...], to_host(result.parameters))) == listed(begin)
    assert is_finite(to_host(result.parameters))


@pytest.mark.filterwarnings("ignore::mlpxp.errors.ScaleWarning")  # as it should
def test_weights_that_overflow_behind_a_saturated_unit_are_found():
    """The first step makes W_1 infinite (4 · 1e38 in float32); tanh hides it from the cost for ten epochs."""
    network = Network((1, 1, 1), hidden="tanh", output="identity", loss="mse")
    one = np.ones((1, 1), dtype="float32")
    begin = (Layer(0 * one, 0 * one), Layer(one, 0 * one))
    with pytest.raises(DivergenceError) as caught:
        train(network, 1e38 * one, one, optimizer=GradientDescent(4.0), epochs=10, start=begin)
    assert is_finite(caught.value.parameters)


def test_a_start_that_is_not_finite_is_refused():
    begin = (Layer(np.full((1, 1), math.nan), np.zeros((1, 1))),)
    with pytest.raises(DataError):
        train(LINE, np.ones((1, 4)), np.ones((1, 4)), optimizer=Adam(), epochs=2, start=begin)


def test_a_divergence_survives_a_pickle():
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    with pytest.raises(DivergenceError) as caught:
        train(LINE, X, X, optimizer=GradientDescent(1e6), epochs=50)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is DivergenceError
    assert str(again) == str(caught.value)
    assert listed(again.parameters) == listed(caught.value.parameters)
    assert again.history == caught.value.history


def test_a_validation_cost_that_is_not_finite_is_never_the_best():
    """Overflow in the validation data alone: training goes on, and the best epoch is the last that could be judged."""
    X = np.linspace(-1, 1, 8)[None]
    far = np.full((1, 1), 1e200)
    result = train(LINE, X, X, optimizer=GradientDescent(0.1), epochs=20, validation=(far, far), patience=5)
    assert result.stop is Stop.EARLY
    assert result.epochs == 5
    assert (result.best_epoch, listed(result.parameters)) == (0, listed(mlpxp.initialize(LINE, seed=0, dtype="float64")))


# ----------------------------------------------------------------------------------------------------------- stopping


def test_tolerance_is_convergence(backend, to_device):
    X = np.linspace(-1, 1, 8)[None]
    X, Y = to_device((X, 2.0 * X + 1.0))
    result = train(LINE, X, Y, optimizer=GradientDescent(0.5), epochs=10_000, tolerance=1e-6)
    assert result.stop is Stop.CONVERGED
    cost = result.history.cost
    assert result.epochs < 1000
    best = min(cost[:-10])
    assert all(best - each <= 1e-6 for each in cost[-10:])
    assert cost[-12] - cost[-11] > 0


def test_patience_decides_how_long_convergence_is_waited_for():
    X = np.linspace(-1, 1, 8)[None]
    short, long = (
        train(LINE, X, X, optimizer=GradientDescent(0.5), epochs=1000, tolerance=1e-6, patience=patience) for patience in (1, 50)
    )
    assert short.stop is long.stop is Stop.CONVERGED
    assert long.epochs >= short.epochs + 49


def test_patience_with_validation_restores_the_best_epoch(backend, to_device, to_host):
    recorder = Recorder(to_host)
    X, Y, held_out = to_device((*data(), data(1)))
    result = train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=500, validation=held_out, patience=6, callbacks=[recorder])
    costs = [event.validation_cost for event in recorder.events]
    assert result.stop is Stop.EARLY
    assert result.best_epoch == 1 + int(np.argmin(costs))
    assert result.epochs == result.best_epoch + 6
    assert listed(to_host(result.parameters)) == listed(recorder.parameters[result.best_epoch - 1])
    assert listed(to_host(result.last_parameters)) == listed(recorder.parameters[-1])
    assert listed(to_host(result.parameters)) != listed(to_host(result.last_parameters))
    assert tuple(costs) == result.history.validation_cost


def test_validation_without_patience_only_watches():
    X, Y = data()
    held_out = data(1)
    watched = train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=60, validation=held_out)
    assert watched.best_epoch < 60
    assert listed(watched.parameters) == listed(train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=60).parameters)


@pytest.mark.parametrize("weighted", [False, True])
def test_validation_is_an_evaluation_after_each_epoch_without_the_penalty(backend, to_device, to_host, weighted):
    recorder = Recorder(to_host)
    X, Y, held_out = to_device((*data(), data(1)))
    held_out = (*held_out, to_device(np.linspace(0, 1, 10))) if weighted else held_out
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, validation=held_out, penalty=0.5, callbacks=[recorder])
    for i, parameters in enumerate(recorder.parameters):
        wanted = mlpxp.evaluate(NETWORK, to_device(parameters), *held_out)
        cost = wanted.cost if backend.name != "jax" else pytest.approx(wanted.cost, rel=1e-14)  # where one evaluation is padded, by zeros
        assert (result.history.validation_cost[i], result.history.validation_score[i]) == (cost, wanted.score)


def test_max_seconds(monkeypatch):
    """On a clock that stands still but for the second that the callback takes."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("mlpxp.training.loop.time", SimpleNamespace(perf_counter=lambda: clock.now))

    def tick(event):
        clock.now += 1.0

    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=100, max_seconds=2.5, callbacks=[tick])
    assert result.stop is Stop.TIME
    assert result.history.seconds == (0.0, 1.0, 2.0)
    more = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=1, max_seconds=2.5, start=result)
    assert more.stop is Stop.MAXIMUM
    assert more.history.seconds == (0.0, 1.0, 2.0, 2.0)


def test_time_may_be_up_before_the_first_epoch():
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, max_seconds=0, start=start())
    assert (result.stop, result.epochs) == (Stop.TIME, 0)
    assert listed(result.parameters) == listed(start())


def test_time_is_looked_at_between_the_folds_of_an_epoch(monkeypatch):
    clock = SimpleNamespace(now=0.0)

    def tick():
        clock.now += 1.0
        return clock.now

    monkeypatch.setattr("mlpxp.training.loop.time", SimpleNamespace(perf_counter=tick))
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 1)
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=3, batch_size=1, max_seconds=4.5, start=start())
    assert (result.stop, result.epochs) == (Stop.TIME, 0)
    assert listed(result.parameters) != listed(start())


def test_every_callback_hears_of_every_epoch_and_true_stops():
    first, second = Recorder(), Recorder()

    def stops_at_3(event):
        first(event)
        return event.number == 3

    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=10, callbacks=[stops_at_3, second])
    assert (result.stop, result.epochs) == (Stop.CALLBACK, 3)
    assert [event.number for event in first.events] == [event.number for event in second.events] == [1, 2, 3]
    assert listed(result.parameters) == listed(second.parameters[-1])


@pytest.mark.parametrize("answer", [None, False, 1, "yes", []])
def test_only_true_stops(answer):
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, callbacks=[lambda event: answer])
    assert result.epochs == 2


def test_a_callback_may_answer_with_a_librarys_own_true():
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(), epochs=9, callbacks=[lambda epoch: np.asarray([epoch.number]).max() == 3])
    assert (result.epochs, result.stop) == (3, Stop.CALLBACK)


def test_an_event_is_frozen_and_agrees_with_the_history():
    recorder = Recorder()
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(Cosine(0.1, 4)), epochs=3, validation=data(1), callbacks=[recorder])
    for i, event in enumerate(recorder.events):
        assert (event.number, event.last) == (i + 1, 3)
        for name in ("cost", "validation_cost", "validation_score", "seconds", "learning_rate"):
            value = getattr(event, name)
            assert value == getattr(result.history, name)[i]
            assert type(value) is float
        assert listed(event.parameters) == listed(recorder.parameters[i])
        for field in fields(event):
            with pytest.raises(FrozenInstanceError):
                setattr(event, field.name, None)


def test_without_validation_there_is_nothing_to_tell_of_it():
    recorder = Recorder()
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, callbacks=[recorder])
    assert (recorder.events[0].validation_cost, recorder.events[0].validation_score) == (None, None)
    assert (result.history.validation_cost, result.history.validation_score) == ((), ())


def test_the_result_is_frozen():
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=1)
    for value in (result, result.history):
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, None)
    assert pickle.loads(pickle.dumps(result)).history == result.history


# ------------------------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_in_a_callback_keeps_what_was_learnt(backend, to_device, to_host):
    recorder = Recorder(to_host)

    def interrupt(event):
        if event.number == 3:
            raise KeyboardInterrupt

    X, Y = to_device(data())
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=10, batch_size=4, callbacks=[recorder, interrupt])
    assert (result.stop, result.epochs) == (Stop.INTERRUPTED, 3)
    assert listed(to_host(result.parameters)) == listed(recorder.parameters[-1])
    more = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=7, batch_size=4, start=result)
    assert listed(to_host(more.parameters)) == listed(
        to_host(train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=10, batch_size=4).parameters)
    )


class Interrupted:
    """Gradient descent during whose n-th update Ctrl-C is pressed."""

    def __init__(self, update):
        self.left, self.inner = update, GradientDescent(0.1, momentum=0.9)
        self.learning_rate = self.inner.learning_rate

    def start(self, parameters):
        return self.inner.start(parameters)

    def update(self, parameters, gradients, state):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return self.inner.update(parameters, gradients, state)


@pytest.mark.parametrize("update", [1, 4])
def test_ctrl_c_inside_a_fold_keeps_what_was_learnt(backend, to_device, to_host, update):
    if backend.name == "jax":
        pytest.skip("a compiled fold calls no Python to interrupt")
    X, Y = data()
    result = train(NETWORK, *to_device((X, Y)), optimizer=Interrupted(update), epochs=10, start=to_device(start()))
    assert (result.stop, result.epochs) == (Stop.INTERRUPTED, update - 1)
    wanted = by_hand(start(), X, Y, GradientDescent(0.1, momentum=0.9), update - 1)
    assert_close(to_host(result.parameters), wanted[0])
    assert result.history.cost == pytest.approx(wanted[1], rel=1e-12)


def interrupted_run(monkeypatch, number):
    """Press Ctrl-C half-way through a step of the n-th run of a program; return the programs that there are."""
    programs, run = [], Program.run

    def press():
        raise KeyboardInterrupt

    def counted(self, *given):
        programs.append(self)
        if len(programs) == number:
            self._during[0].insert(len(self._during[0]) // 2, press)
        return run(self, *given)

    monkeypatch.setattr("mlpxp_backends.program.Program.run", counted)
    return programs


@pytest.mark.parametrize(("number", "epochs", "batches"), [(1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 3, 2)])
def test_ctrl_c_inside_a_recorded_fold_keeps_what_was_there_before_it(monkeypatch, number, epochs, batches):
    """Batches of 4, 4 and 2 are two folds an epoch: the first becomes a program in the second epoch, the last in the fourth."""
    programs = interrupted_run(monkeypatch, number)
    X, Y, begin, optimizer = *data(), start(), GradientDescent(0.1, momentum=0.9)
    before = listed((X, Y, begin))
    result = train(NETWORK, X, Y, optimizer=optimizer, epochs=10, batch_size=4, start=begin)
    assert len(programs) == number
    assert (result.stop, result.epochs) == (Stop.INTERRUPTED, epochs)
    parameters, costs, state = by_hand(begin, X, Y, optimizer, epochs, size=4)
    for rows in draws.batch_order(0, epochs + 1, 10)[: 4 * batches].reshape(batches, 4):
        gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows])[1]
        parameters, state = optimizer.update(parameters, gradients, state)
    assert_close(result.parameters, parameters)
    assert_close(result.optimizer_state.velocity, state.velocity)
    assert result.history.cost == pytest.approx(costs, rel=1e-12)
    assert listed((X, Y, begin)) == before
    returned = tree_leaves((result.parameters, result.last_parameters, result.optimizer_state))
    assert not any(np.may_share_memory(leaf, memory) for leaf in returned for memory in programs[-1]._all)


def test_ctrl_c_between_the_batches_of_an_epoch_keeps_the_batches_done(monkeypatch):
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 1)
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Interrupted(3), epochs=10, batch_size=4, start=start())
    assert (result.stop, result.epochs) == (Stop.INTERRUPTED, 0)
    parameters, optimizer = start(), GradientDescent(0.1, momentum=0.9)
    state = optimizer.start(parameters)
    for rows in draws.batch_order(0, 1, 10)[:8].reshape(2, 4):
        gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows])[1]
        parameters, state = optimizer.update(parameters, gradients, state)
    assert_close(result.parameters, parameters)


def test_ctrl_c_in_a_stack_is_told_to_the_members_that_were_running():
    def interrupt(event):
        if event.number == 20:
            raise KeyboardInterrupt

    stack = mlpxp.initialize(LINE, seed=[0, 1], dtype="float32")
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    result = train(LINE, X, X, optimizer=GradientDescent((0.1, 1e6)), epochs=100, start=stack, callbacks=[interrupt])
    assert result.stop == (Stop.INTERRUPTED, Stop.DIVERGED)


def test_a_run_that_diverges_keeps_the_best_epoch_where_it_keeps_one():
    line, X = mlpxp.Network((1, 1), output="identity"), np.linspace(0.0, 1.0, 8)[None]
    first = mlpxp.initialize(line, seed=0, dtype="float64")
    options = {"optimizer": mlpxp.GradientDescent(lambda epoch: 0.1 if epoch < 3 else 1e9), "epochs": 80, "start": first}
    best = mlpxp.train(line, X, 2.0 * X, **(options | {"epochs": 3}), validation=(X, 2.0 * X), patience=70)
    assert best.best_epoch == 3
    with pytest.raises(mlpxp.DivergenceError) as caught:
        mlpxp.train(line, X, 2.0 * X, **options, validation=(X, 2.0 * X), patience=70)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        np.testing.assert_array_equal(error.best[0].W, best.parameters[0].W)
        assert not np.array_equal(error.parameters[0].W, error.best[0].W)
    with pytest.raises(mlpxp.DivergenceError) as caught:
        mlpxp.train(line, X, 2.0 * X, **options)
    assert caught.value.best is None
