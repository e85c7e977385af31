"""Training with dropout: the same on every backend, however a run is cut, and for each member of a stack."""

import numpy as np
import pytest
from training_runs import NETWORK, assert_close, data, listed, start

import mlpxp
from mlpxp import Adam, GradientDescent, Network, RangeError, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import tree_map
from mlpxp.core.dropout import dropout_masks, with_dropout

DEEP = Network((3, 8, 6, 2), hidden="relu", output="softmax", loss="cross_entropy")
RATES = (0.5, 0.25)


def deep(seed=0):
    return mlpxp.initialize(DEEP, seed=seed, dtype="float64")


def test_a_step_is_one_of_the_network_with_that_steps_masks(backend, to_device, to_host):
    X, Y = data()
    parameters = deep()
    for epoch in (1, 2):
        order, keys = draws.batch_order(3, epoch, 10), draws.dropout_keys(3, epoch, 0, 3, 2)
        for number, rows in enumerate((order[:4], order[4:8], order[8:])):
            masks = dropout_masks(keys[number], DEEP, len(rows), RATES, parameters[0].W)
            masked = with_dropout(DEEP, masks, RATES)
            _, gradients = mlpxp.cost_and_gradients(masked, parameters, X[:, rows], Y[:, rows])
            parameters = tree_map(lambda W, g: W - 0.1 * g, parameters, gradients)
    result = train(
        DEEP,
        *to_device((X, Y)),
        optimizer=GradientDescent(0.1),
        epochs=2,
        batch_size=4,
        seed=3,
        dropout=RATES,
        start=to_device(deep()),
    )
    assert_close(to_host(result.parameters), parameters)


def test_one_rate_is_that_of_each_hidden_layer():
    X, Y = data()
    runs = [train(DEEP, X, Y, optimizer=Adam(0.1), epochs=3, dropout=dropout) for dropout in (0.25, (0.25, 0.25), (0.25, 0.5), 0.0)]
    assert listed(runs[0].parameters) == listed(runs[1].parameters)
    assert listed(runs[0].parameters) != listed(runs[2].parameters)
    assert listed(runs[0].parameters) != listed(runs[3].parameters)


def test_the_seed_decides_which_units_are_left_out():
    X, Y = data()
    runs = [train(DEEP, X, Y, optimizer=Adam(0.1), epochs=3, dropout=0.5, start=deep(), seed=seed) for seed in (0, 0, 1)]
    assert listed(runs[0].parameters) == listed(runs[1].parameters)
    assert listed(runs[0].parameters) != listed(runs[2].parameters)


@pytest.mark.parametrize("size", [None, 4])
def test_5_epochs_and_5_more_are_10_bit_for_bit(backend, to_device, to_host, size):
    X, Y = to_device(data())
    options = {"optimizer": Adam(0.05), "batch_size": size, "seed": 3, "dropout": 0.25}
    once = train(NETWORK, X, Y, epochs=10, start=to_device(start()), **options)
    five = train(NETWORK, X, Y, epochs=5, start=to_device(start()), **options)
    twice = train(NETWORK, X, Y, epochs=5, start=five, **options)
    assert listed(to_host(twice.parameters)) == listed(to_host(once.parameters))
    assert twice.history.cost == once.history.cost


def test_the_folds_of_an_epoch_do_not_change_the_masks(monkeypatch):
    X, Y = data()
    runs = []
    for longest in (1, 2, 100):
        monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples, longest=longest: longest)
        runs.append(listed(train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=2, dropout=0.5).parameters))
    assert runs[0] == runs[1] == runs[2]


def test_members_of_a_stack_have_masks_of_their_own_and_the_first_those_of_one_network(backend, to_device, to_host):
    X, Y = to_device(data())
    options = {"optimizer": Adam(0.1), "epochs": 3, "batch_size": 4, "dropout": 0.5}
    twins = train(NETWORK, X, Y, start=to_device(mlpxp.stack([start(), start()])), **options)
    alone = train(NETWORK, X, Y, start=to_device(start()), **options)
    first, second = (tree_map(lambda leaf, i=i: leaf[i, ...], to_host(twins.parameters)) for i in (0, 1))
    assert_close(first, to_host(alone.parameters))
    assert listed(first) != listed(second)


def test_with_weights_that_skip_a_batch(backend, to_device, to_host):
    """The worthless examples are one batch of epoch 2, say: it is left out, and what is left is the same on every backend."""
    X, Y = data(m=4)
    weights = np.asarray([1.0, 0.0, 0.5, 0.0])
    options = {"optimizer": Adam(0.1), "epochs": 8, "batch_size": 2, "dropout": 0.5, "weights": weights}
    skipped = [set(draws.batch_order(0, epoch, 4)[:2].tolist()) in ({1, 3}, {0, 2}) for epoch in range(1, 9)]
    assert 0 < sum(skipped) < 8
    there = train(NETWORK, *to_device((X, Y)), start=to_device(start()), **options | {"weights": to_device(weights)})
    here = train(NETWORK, X, Y, start=start(), **options)
    assert_close(to_host(there.parameters), here.parameters)
    assert int(to_host(there.optimizer_state).t) == 16 - sum(skipped)


def test_prediction_and_validation_leave_nothing_out():
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, dropout=0.9, validation=(X, Y))
    assert result.history.validation_cost[-1] == pytest.approx(mlpxp.evaluate(NETWORK, result.parameters, X, Y).cost, rel=1e-12)


def test_a_run_on_jax_is_compiled_once_however_many_epochs(x64):
    jax = pytest.importorskip("jax")
    X, Y = map(jax.numpy.asarray, data(m=8))
    optimizer = Adam(0.1)
    options = {"optimizer": optimizer, "batch_size": 4, "dropout": 0.3}
    train(DEEP, X, Y, epochs=1, **options)
    compiled = []
    listener = compiled.append
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: "compile" in event and listener(event))
    try:
        train(DEEP, X, Y, epochs=5, seed=2, **options)
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in compiled if "backend_compile" in event]


@pytest.mark.parametrize("dropout", [1.0, -0.1, "a", (0.1, 0.2), None, float("nan"), True])
def test_rates_that_are_none(dropout):
    X, Y = data()
    with pytest.raises(RangeError, match=r"^dropout must be "):
        train(NETWORK, X, Y, optimizer=Adam(), epochs=1, dropout=dropout)
