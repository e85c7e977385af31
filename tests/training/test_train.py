"""The training loop: what it computes, and how it goes on."""

import gc
import weakref

import numpy as np
import pytest
from training_runs import LINE, NETWORK, OPTIMIZERS, Recorder, assert_close, by_hand, data, listed, start

import mlpxp
from mlpxp import Adam, Cosine, GradientDescent, Layer, Network, Stop, WarmUp, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import library_of, tree_leaves, tree_map

# --------------------------------------------------------------------------------------------------- what it computes


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_full_batch_is_the_notes_loop(backend, to_device, to_host, optimizer):
    X, Y = data()
    result = train(NETWORK, *to_device((X, Y)), optimizer=optimizer, epochs=7, start=to_device(start()))
    parameters, costs, _ = by_hand(start(), X, Y, optimizer, 7)
    assert_close(to_host(result.parameters), parameters)
    assert result.history.cost == pytest.approx(costs, rel=1e-12)
    assert (result.stop, result.epochs, len(result.history.seconds)) == (Stop.MAXIMUM, 7, 7)


@pytest.mark.parametrize(("optimizer", "weighted"), [(OPTIMIZERS[0], False), *((optimizer, True) for optimizer in OPTIMIZERS)])
def test_batches_and_a_smaller_last_one(backend, to_device, to_host, optimizer, weighted):
    """10 examples in batches of 4: the last one has 2, and counts as what it is in the update and in the mean."""
    X, Y = data()
    weights = np.random.default_rng(3).uniform(0.1, 2.0, 10) if weighted else None
    result = train(
        NETWORK,
        *to_device((X, Y)),
        optimizer=optimizer,
        epochs=4,
        batch_size=4,
        seed=5,
        weights=to_device(weights),
        start=to_device(start()),
    )
    parameters, costs, _ = by_hand(start(), X, Y, optimizer, 4, size=4, seed=5, weights=weights)
    assert_close(to_host(result.parameters), parameters)
    assert result.history.cost == pytest.approx(costs, rel=1e-12)


@pytest.mark.parametrize("size", [10, 11, 1000])
def test_a_batch_of_all_examples_is_the_full_batch(size):
    X, Y = data()
    runs = [train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=each) for each in (None, size)]
    assert listed(runs[0].parameters) == listed(runs[1].parameters)


def test_the_folds_of_an_epoch_do_not_change_it(monkeypatch):
    X, Y = data()
    runs = []
    for longest in (1, 2, 100):
        monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples, longest=longest: longest)
        runs.append(train(NETWORK, X, Y, optimizer=Adam(Cosine(0.1, 3)), epochs=3, batch_size=2))
    assert listed(runs[0].parameters) == listed(runs[1].parameters) == listed(runs[2].parameters)
    assert runs[0].history.cost == pytest.approx(runs[2].history.cost, rel=1e-14)


def test_the_seed_decides_everything(backend, to_device, to_host):
    X, Y = to_device(data())
    first, again, other = (train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=4, seed=seed) for seed in (1, 1, 2))
    assert listed(to_host(first.parameters)) == listed(to_host(again.parameters))
    assert first.history.cost == again.history.cost
    assert first.history.cost != other.history.cost
    assert first.seed == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_a_start_it_begins_at_the_seeds_parameters_in_the_datas_dtype(backend, to_device, to_host, dtype):
    X, Y = data(dtype=dtype)
    result = train(NETWORK, *to_device((X, Y)), optimizer=GradientDescent(0.1), epochs=2, seed=3)
    wanted, _, _ = by_hand(start(3, dtype), X, Y, GradientDescent(0.1), 2)
    assert_close(to_host(result.parameters), wanted, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert {str(leaf.dtype) for leaf in tree_leaves(to_host((result.parameters, result.optimizer_state)))} == {dtype}


def test_a_schedule_is_followed_within_an_epoch():
    """Two updates an epoch: η is asked for at 0, 1/2, 1, 3/2 epochs."""
    asked = []

    def schedule(epoch):
        asked.append(epoch)
        return 0.125 + epoch

    X, Y = data(m=8)
    result = train(NETWORK, X, Y, optimizer=GradientDescent(schedule), epochs=2, batch_size=4, start=start())
    assert {0.0, 0.5, 1.0, 1.5} == set(asked)
    assert result.history.learning_rate == (0.125, 1.125)
    parameters = start()
    for update in range(4):
        rows = draws.batch_order(0, 1 + update // 2, 8).reshape(2, 4)[update % 2]
        gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows])[1]
        parameters = tree_map(lambda W, g, eta=0.125 + update / 2: W - eta * g, parameters, gradients)
    assert_close(result.parameters, parameters)


def test_a_warm_up_from_zero_begins_with_a_step_of_zero():
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=GradientDescent(WarmUp(4, 0.5)), epochs=1, start=start())
    assert listed(result.parameters) == listed(start())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_the_step_is_along_the_gradient_of_the_cost_that_is_reported(backend, to_device, to_host, penalty, weighted):
    """One step with η = 1 against difference quotients of the first cost in the history: penalty and weights included."""
    X, Y = data()
    weights = to_device(np.random.default_rng(3).uniform(0.1, 2.0, 10)) if weighted else None
    X, Y = to_device((X, Y))

    def first(parameters):
        return train(NETWORK, X, Y, optimizer=GradientDescent(1.0), epochs=1, start=to_device(parameters), penalty=penalty, weights=weights)

    step = tree_map(lambda W, new: W - new, start(), to_host(first(start()).parameters))
    for i in range(4):
        place = tuple(np.random.default_rng(i).integers(0, tree_leaves(start())[i].shape))
        costs = []
        for h in (1e-5, -1e-5):
            moved = start()
            tree_leaves(moved)[i][place] += h
            costs.append(first(moved).history.cost[0])
        assert (costs[0] - costs[1]) / 2e-5 == pytest.approx(tree_leaves(step)[i][place], rel=1e-6)


def test_the_penalty_by_hand():
    """W = 2, b = 3, x = 1, y = 5: the error is 0, and what is left is ½λ W² = λ · 2 and λW = λ · 2; b is free."""
    parameters = (Layer(np.asarray([[2.0]]), np.asarray([[3.0]])),)
    result = train(LINE, np.ones((1, 1)), np.full((1, 1), 5.0), optimizer=GradientDescent(0.5), epochs=1, start=parameters, penalty=0.25)
    assert result.history.cost == (0.5,)
    assert listed(result.parameters) == [[[2.0 - 0.5 * 0.5]], [[3.0]]]


def test_a_weight_of_2_is_an_example_seen_twice():
    X, Y = data(m=3)
    weighted = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=5, weights=np.asarray([1.0, 2.0, 0.0]), start=start())
    repeated = train(NETWORK, X[:, [0, 1, 1]], Y[:, [0, 1, 1]], optimizer=Adam(0.1), epochs=5, start=start())
    assert_close(weighted.parameters, repeated.parameters)
    assert weighted.history.cost == pytest.approx(repeated.history.cost, rel=1e-12)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1, momentum=0.9), Adam(0.1)])
def test_a_batch_that_weighs_nothing_is_skipped_and_no_state_moves(backend, to_device, to_host, optimizer):
    """In epochs that put the two worthless examples into one batch there is one update, in the others there are two."""
    X, Y = data(m=4)
    weights = np.asarray([1.0, 0.0, 0.5, 0.0])
    together = [set(draws.batch_order(0, epoch, 4)[:2].tolist()) in ({1, 3}, {0, 2}) for epoch in range(1, 9)]
    assert 0 < sum(together) < 8
    result = train(
        NETWORK, *to_device((X, Y)), optimizer=optimizer, epochs=8, batch_size=2, weights=to_device(weights), start=to_device(start())
    )
    parameters, costs, state = by_hand(start(), X, Y, optimizer, 8, size=2, weights=weights)
    assert_close(to_host(result.parameters), parameters)
    assert_close(to_host(result.optimizer_state), state)
    assert result.history.cost == pytest.approx(costs, rel=1e-12)
    if isinstance(optimizer, Adam):
        assert to_host(result.optimizer_state).t == 16 - sum(together)


def test_inputs_are_left_alone_even_read_only_ones(backend, to_device, to_host):
    given = (*data(), np.ones(10), start())
    for leaf in tree_leaves(given):
        leaf.flags.writeable = False
    X, Y, weights, parameters = moved = to_device(given)
    before = listed(given)
    for size in (None, 4):
        train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, batch_size=size, weights=weights, start=parameters, validation=(X, Y))
    assert listed(given) == before
    assert listed(to_host(moved)) == before


def test_a_backend_moves_the_data_there(backend, to_host):
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=4, backend=backend, validation=(X, Y), weights=np.ones(10))
    there = {library_of(leaf) for leaf in tree_leaves((result.parameters, result.optimizer_state))}
    assert there == {library_of(backend.asarray(X, dtype="float64"))}
    here = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=4, validation=(X, Y), weights=np.ones(10))
    assert_close(to_host(result.parameters), here.parameters)
    assert result.history.validation_score == pytest.approx(here.history.validation_score)


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("name", ["device1", "no_float64"])
def test_a_stack_trains_on_its_device_and_in_float32(name, validated):
    strict = pytest.importorskip("array_api_strict")
    device = strict.Device(name)
    X, Y = (strict.asarray(array, device=device) for array in data(dtype="float32"))
    weights = strict.ones(10, dtype=strict.float32, device=device)
    stack = mlpxp.initialize(NETWORK, seed=[0, 1], backend="strict", device=name)
    options = {"weights": weights, "penalty": 0.1, "tolerance": 10.0, "patience": 2, "validation": (X, Y, weights) if validated else None}
    result = train(NETWORK, X, Y, optimizer=Adam((0.1, 0.2)), epochs=4, batch_size=4, start=stack, **options)
    assert result.epochs == 3
    assert {leaf.device for leaf in tree_leaves((result.parameters, result.last_parameters, result.optimizer_state))} == {device}


# ----------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("size", [None, 4])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, Adam(Cosine(0.1, 10))])
def test_5_epochs_and_5_more_are_10_bit_for_bit(backend, to_device, to_host, optimizer, size):
    X, Y = to_device(data())
    options = {"optimizer": optimizer, "batch_size": size, "seed": 3, "validation": (X, Y), "penalty": 0.01}
    once = train(NETWORK, X, Y, epochs=10, **options)
    five = train(NETWORK, X, Y, epochs=5, **options)
    before = listed(to_host(five.parameters))
    twice = train(NETWORK, X, Y, epochs=5, start=five, **options)
    for field in ("parameters", "last_parameters", "optimizer_state"):
        assert listed(to_host(getattr(twice, field))) == listed(to_host(getattr(once, field)))
    for name in ("cost", "validation_cost", "validation_score", "learning_rate"):
        assert getattr(twice.history, name) == getattr(once.history, name)
    assert twice.epochs == 10
    assert twice.best_epoch == once.best_epoch
    assert list(twice.history.seconds) == sorted(twice.history.seconds)
    assert listed(to_host(five.parameters)) == before


def test_going_on_counts_on():
    X, Y = data()
    recorder = Recorder()
    five = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=5)
    train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, start=five, callbacks=[recorder])
    assert [(event.number, event.last) for event in recorder.events] == [(6, 7), (7, 7)]
    assert recorder.events[0].seconds >= five.history.seconds[-1]


def test_going_on_keeps_the_seed():
    X, Y = data()
    whole = train(NETWORK, X, Y, optimizer=Adam(), epochs=4, batch_size=2, seed=7)
    half = train(NETWORK, X, Y, optimizer=Adam(), epochs=2, batch_size=2, seed=7)
    again = train(NETWORK, X, Y, optimizer=Adam(), epochs=2, batch_size=2, start=half)
    assert again.seed == 7
    assert listed(again.parameters) == listed(whole.parameters)


def test_another_learning_rate_may_go_on_from_a_result():
    X, Y = data()
    five = train(NETWORK, X, Y, optimizer=GradientDescent(0.1), epochs=5)
    more = train(NETWORK, X, Y, optimizer=GradientDescent(0.5), epochs=1, start=five)
    wanted, _, _ = by_hand(five.parameters, X, Y, GradientDescent(0.5), 1)
    assert_close(more.parameters, wanted)
    assert more.history.learning_rate == (0.1,) * 5 + (0.5,)


def test_going_on_after_early_stopping_starts_from_the_last_parameters_and_may_return_the_earlier_best():
    X, Y = data()
    held_out = data(1)
    options = {"optimizer": Adam(0.2), "validation": held_out, "patience": 3}
    first = train(NETWORK, X, Y, epochs=500, **options)
    assert first.stop is Stop.EARLY
    more = train(NETWORK, X, Y, epochs=1, start=first, **options)
    assert more.best_epoch == first.best_epoch
    assert listed(more.parameters) == listed(first.parameters)
    wanted = train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=first.epochs + 1)
    assert listed(more.last_parameters) == listed(wanted.parameters)


def test_the_parameters_are_those_of_the_best_epoch_also_when_patience_comes_late():
    X, Y = data()
    held_out = data(1)
    first = train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=60, validation=held_out)
    assert first.best_epoch < 60
    more = train(NETWORK, X, Y, optimizer=Adam(0.2), epochs=2, validation=held_out, patience=1, start=first)
    best = more.history.validation_cost[more.best_epoch - 1]
    assert mlpxp.evaluate(NETWORK, more.parameters, *held_out).cost == pytest.approx(best, rel=1e-12)


def test_the_best_epoch_is_numbered_right_when_validation_comes_late():
    """Epochs 1 to 3 without validation, 4 and 5 with, and a last one that spoils it all: the best is 5."""
    X = np.linspace(-1, 1, 8)[None]
    result = train(LINE, X, X, optimizer=GradientDescent(0.1), epochs=3)
    result = train(LINE, X, X, optimizer=GradientDescent(0.1), epochs=2, validation=(X, X), start=result)
    assert result.best_epoch == 5
    result = train(LINE, X, X, optimizer=GradientDescent(1000.0), epochs=1, validation=(X, X), start=result)
    assert result.best_epoch == 5


# ---------------------------------------------------------------------------------------------------------------- XOR


XOR = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]], dtype="float32"), np.asarray([[0.0, 1.0, 1.0, 0.0]], dtype="float32")


def xor_scores(*hidden):
    """The accuracy of 1,000 networks, trained as one stack."""
    network = Network((2, *hidden, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    stack = mlpxp.initialize(network, seed=range(1000))
    result = train(network, *XOR, optimizer=Adam(0.1), epochs=500, start=stack)
    return np.asarray(mlpxp.evaluate(network, result.parameters, *XOR).score)


@pytest.mark.parametrize(("width", "low", "high"), [(2, 0.35, 0.65), (3, 0.7, 0.95), (4, 0.95, 1.0), (8, 0.99, 1.0)])
def test_xor_is_solved_by_a_hidden_layer_and_sooner_by_a_wider_one(width, low, high):
    """P3; what is not solved has run into a local minimum."""
    assert low <= (xor_scores(width) == 1.0).mean() <= high


def test_xor_is_never_solved_without_a_hidden_layer():
    """P2: at most 3 of the 4 examples lie on their side of a line."""
    assert xor_scores().max() <= 0.75


def test_parameters_of_two_epochs_ago_are_free_while_an_epoch_runs():
    """But for the first ones, to which a run may have to go back; the optimizer is called in each step, as nobody declared it pure."""
    seen, alive = [], []

    class Looking:
        learning_rate = 0.1
        rule = GradientDescent(0.1)

        def start(self, parameters):
            return self.rule.start(parameters)

        def update(self, parameters, gradients, state):
            gc.collect()
            alive.append([number for number, one in enumerate(seen) if one() is not None])
            seen.append(weakref.ref(parameters[0].W))
            return self.rule.update(parameters, gradients, state)

    X = np.linspace(-1.0, 1.0, 8)[None]
    train(Network((1, 1)), X, 2.0 * X, optimizer=Looking(), epochs=6, backend="numpy")  # one update an epoch
    assert len(alive) == 6
    assert alive[5] == [0, 4], "the first ones, and those of the epoch before"
