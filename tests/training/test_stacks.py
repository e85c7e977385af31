"""Stacks of networks: each member trains as it would alone."""

import math

import numpy as np
import pytest
from training_runs import LINE, NETWORK, Recorder, assert_close, data, is_finite, listed, start

import mlpxp
from mlpxp import (
    Adam,
    AdamW,
    DivergenceError,
    GradientDescent,
    Stop,
    train,
)
from mlpxp.arrays.standard import tree_leaves, tree_map


@pytest.mark.parametrize("size", [None, 5])  # a smaller last batch is the next test's
@pytest.mark.parametrize("optimizer", [GradientDescent, Adam, AdamW, lambda rate: GradientDescent(rate, momentum=0.9)])
def test_a_stack_trains_to_its_members(backend, to_device, to_host, optimizer, size):
    rates = (0.05, 0.1, 0.2)
    members = [start(seed) for seed in range(3)]
    X, Y, held_out = to_device((*data(), data(1)))
    options = {"epochs": 6, "batch_size": size, "validation": held_out, "penalty": 0.01}
    together = train(NETWORK, X, Y, optimizer=optimizer(rates), start=to_device(mlpxp.stack(members)), **options)
    assert together.stop == (Stop.MAXIMUM,) * 3
    assert together.history.learning_rate == (rates,) * 6
    for i, member in enumerate(members):
        alone = train(NETWORK, X, Y, optimizer=optimizer(rates[i]), start=to_device(member), **options)
        assert_close(tree_map(lambda leaf, i=i: leaf[i, ...], to_host(together.parameters)), to_host(alone.parameters))
        for name in ("cost", "validation_cost", "validation_score"):
            assert [epoch[i] for epoch in getattr(together.history, name)] == pytest.approx(getattr(alone.history, name), rel=1e-12)
        assert together.best_epoch[i] == alone.best_epoch


def test_a_stack_with_one_learning_rate_for_all_and_data_for_each(backend, to_device, to_host):
    members, each = [start(seed) for seed in range(2)], [data(seed) for seed in range(2)]
    X, Y = (np.stack(arrays) for arrays in zip(*each, strict=True))
    together = train(NETWORK, *to_device((X, Y)), optimizer=Adam(0.1), epochs=4, batch_size=4, start=to_device(mlpxp.stack(members)))
    for i, member in enumerate(members):
        alone = train(NETWORK, *each[i], optimizer=Adam(0.1), epochs=4, batch_size=4, start=member)
        assert_close(tree_map(lambda leaf, i=i: leaf[i, ...], to_host(together.parameters)), alone.parameters)


def test_members_of_a_stack_stop_each_for_itself(backend, to_device, to_host):
    """Early stopping: each member ends as it does alone, with the parameters of its own best epoch."""
    members = [start(seed) for seed in range(4)]
    X, Y, held_out = to_device((*data(), data(1)))
    options = {"epochs": 60, "validation": held_out, "patience": 4}
    rates = (0.3, 0.2, 0.1, 0.001)
    together = train(NETWORK, X, Y, optimizer=Adam(rates), start=to_device(mlpxp.stack(members)), **options)
    assert set(together.stop) == {Stop.EARLY, Stop.MAXIMUM}
    for i, member in enumerate(members):
        alone = train(NETWORK, X, Y, optimizer=Adam(rates[i]), start=to_device(member), **options)
        assert (together.stop[i], together.best_epoch[i]) == (alone.stop, alone.best_epoch)
        for field in ("parameters", "last_parameters"):
            got = tree_map(lambda leaf, i=i: leaf[i, ...], to_host(getattr(together, field)))
            assert_close(got, to_host(getattr(alone, field)), rtol=1e-10)


def test_a_diverged_member_freezes_and_the_others_go_on(backend, to_device, to_host):
    members = [mlpxp.initialize(LINE, seed=seed, dtype="float32") for seed in range(3)]
    X = np.linspace(0, 1, 8, dtype="float32")[None]
    X, Y = to_device((X, 2.0 * X))
    rates = (0.1, 1e6, 0.2)
    recorder = Recorder(to_host)
    result = train(LINE, X, Y, optimizer=GradientDescent(rates), epochs=30, start=to_device(mlpxp.stack(members)), callbacks=[recorder])
    assert result.stop == (Stop.MAXIMUM, Stop.DIVERGED, Stop.MAXIMUM)
    parameters = to_host(result.parameters)
    assert is_finite(parameters)
    for i in (0, 2):
        alone = train(LINE, X, Y, optimizer=GradientDescent(rates[i]), epochs=30, start=to_device(members[i]))
        assert_close(tree_map(lambda leaf, i=i: leaf[i, ...], parameters), to_host(alone.parameters), rtol=1e-5)
    with pytest.raises(DivergenceError) as caught:
        train(LINE, X, Y, optimizer=GradientDescent(rates[1]), epochs=30, start=to_device(members[1]))
    assert_close(tree_map(lambda leaf: leaf[1, ...], parameters), to_host(caught.value.parameters), rtol=1e-5)
    reported = len(caught.value.history.cost)
    assert all(math.isfinite(epoch[1]) for epoch in result.history.cost[:reported])
    assert listed(tree_map(lambda leaf: leaf[1, ...], recorder.parameters[-1])) == listed(tree_map(lambda leaf: leaf[1, ...], parameters))


def test_a_stack_diverges_when_all_its_members_do():
    stack = mlpxp.initialize(LINE, seed=[0, 1], dtype="float32")
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    with pytest.raises(DivergenceError, match=r"learning rate \(1000000.0, 100000.0\)") as caught:
        train(LINE, X, X, optimizer=GradientDescent((1e6, 1e5)), epochs=100, start=stack)
    assert is_finite(caught.value.parameters)
    assert caught.value.parameters[0].W.shape == (2, 1, 1)


def test_each_member_of_a_stack_counts_its_own_updates():
    X, Y = data()
    start = mlpxp.initialize(NETWORK, seed=range(2), dtype="float64")
    result = train(NETWORK, X, Y, optimizer=Adam((1e-9, 0.01)), epochs=40, tolerance=1e-4, patience=5, start=start)
    assert result.stop[0] is Stop.CONVERGED
    assert float(result.optimizer_state.t[0, 0, 0]) == 6.0
    assert float(result.optimizer_state.t[1, 0, 0]) > 6.0


def test_what_the_optimizer_remembers_of_a_member_that_diverged_is_forgotten():
    """So that a run may go on from the result: what it remembered is not finite, and would be for ever."""
    X = np.linspace(0, 1, 8)[None]
    first = mlpxp.initialize(LINE, seed=0, dtype="float64")
    together = train(LINE, X, 2.0 * X, optimizer=GradientDescent([0.01, 1e9], momentum=0.9), epochs=60, start=mlpxp.stack([first] * 2))
    assert together.stop == (Stop.MAXIMUM, Stop.DIVERGED)
    assert is_finite(together.last_parameters)
    alone = train(LINE, X, 2.0 * X, optimizer=GradientDescent(0.01, momentum=0.9), epochs=60, start=first)
    both, one = (tree_leaves(result.optimizer_state.velocity) for result in (together, alone))
    for of_both, of_one in zip(both, one, strict=True):
        np.testing.assert_allclose(of_both[0], of_one, rtol=1e-9, atol=1e-12)
        assert not of_both[1].any()
