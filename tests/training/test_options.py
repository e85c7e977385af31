"""What the estimators ask of train: an order of the rows, a penalty on the sum, clipping, schedules and callbacks of a stack."""

import numpy as np
import pytest
from training_runs import LINE, NETWORK, assert_close, by_hand, data, listed, start

import mlpxp
from mlpxp import Adam, DivergenceError, GradientDescent, Layer, RangeError, Stop, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import tree_leaves, tree_map


def pair():
    return mlpxp.stack([start(0), start(1)])


def member(tree, i):
    return tree_map(lambda leaf: leaf[i, ...], tree)


# -------------------------------------------------------------------------------------------------------------- order


def test_the_order_is_asked_for_once_an_epoch_and_followed(backend, to_device, to_host):
    X, Y = data()
    asked = []

    def order(epoch):
        asked.append(epoch)
        return draws.batch_order(7, epoch, 10)

    options = {"optimizer": Adam(0.1), "epochs": 3, "batch_size": 4, "start": to_device(start())}
    ours = train(NETWORK, *to_device((X, Y)), order=order, **options)
    seeds = train(NETWORK, *to_device((X, Y)), seed=7, **options)
    assert asked == [1, 2, 3]
    assert listed(to_host(ours.parameters)) == listed(to_host(seeds.parameters))


@pytest.mark.parametrize("size", [None, 4])
def test_the_order_is_asked_for_also_where_it_makes_no_difference(size):
    """It may draw anew each time."""
    X, Y = data(m=8)
    asked = []
    train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, batch_size=size, order=lambda epoch: asked.append(epoch) or np.arange(8))
    assert asked == [1, 2]


def test_an_order_goes_on_where_a_run_goes_on():
    X, Y = data()
    asked = []

    def order(epoch):
        asked.append(epoch)
        return np.arange(10)

    first = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, batch_size=4, order=order)
    train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=1, batch_size=4, order=order, start=first)
    assert asked == [1, 2, 3]


# ------------------------------------------------------------------------------------------------------------ penalty


@pytest.mark.parametrize("weighted", [False, True])
def test_a_penalty_on_the_sum_of_the_losses(backend, to_device, to_host, weighted):
    """λ of a batch's mean is λ divided by what the batch weighs, its last and smaller one too."""
    X, Y = data()
    weights = np.random.default_rng(3).uniform(0.1, 2.0, 10) if weighted else None
    parameters, costs = start(), []
    for epoch in (1, 2):
        order, total, spent = draws.batch_order(5, epoch, 10), 0.0, 0.0
        for rows in (order[:4], order[4:8], order[8:]):
            w = None if weights is None else weights[rows]
            weight = float(len(rows) if w is None else w.sum())
            share = 0.75 / weight
            cost, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows], w)
            cost = cost + 0.5 * share * sum((layer.W**2).sum() for layer in parameters)
            parameters = tuple(
                Layer(layer.W - 0.1 * (g.W + share * layer.W), layer.b - 0.1 * g.b) for layer, g in zip(parameters, gradients, strict=True)
            )
            total, spent = total + weight * float(cost), spent + weight
        costs.append(total / spent)
    result = train(
        NETWORK,
        *to_device((X, Y)),
        optimizer=GradientDescent(0.1),
        epochs=2,
        batch_size=4,
        seed=5,
        weights=to_device(weights),
        start=to_device(start()),
        penalty=0.75,
        penalty_on="sum",
    )
    assert_close(to_host(result.parameters), parameters)
    assert result.history.cost == pytest.approx(costs, rel=1e-12)


def test_on_one_example_the_sum_is_the_mean():
    X, Y = data(m=1)
    runs = [train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, penalty=0.5, penalty_on=on) for on in ("mean", "sum")]
    assert listed(runs[0].parameters) == listed(runs[1].parameters)


# ----------------------------------------------------------------------------------------------------------- clipping


def test_a_long_gradient_is_shortened_to_the_limit_and_keeps_its_direction(backend, to_device, to_host):
    X, Y = data()
    _, gradients = mlpxp.cost_and_gradients(NETWORK, start(), X, Y)
    gradients = tuple(Layer(g.W + 0.5 * layer.W, g.b) for g, layer in zip(gradients, start(), strict=True))  # with the penalty's
    norm = float(np.sqrt(sum((g**2).sum() for g in tree_leaves(gradients))))
    for limit in (0.5 * norm, 2.0 * norm):
        result = train(
            NETWORK,
            *to_device((X, Y)),
            optimizer=GradientDescent(1.0),
            epochs=1,
            start=to_device(start()),
            penalty=0.5,
            clip_norm=limit,
        )
        wanted = tree_map(lambda W, g, limit=limit: W - min(1.0, limit / norm) * g, start(), gradients)
        assert_close(to_host(result.parameters), wanted)


def test_each_member_of_a_stack_is_clipped_by_its_own_norm(backend, to_device, to_host):
    X, Y = to_device(data())
    options = {"optimizer": GradientDescent(0.5), "epochs": 3, "batch_size": 4, "clip_norm": 0.1}
    scaled = [start(0), tree_map(lambda leaf: 3.0 * leaf, start(1))]
    together = train(NETWORK, X, Y, start=to_device(mlpxp.stack(scaled)), **options)
    for i, each in enumerate(scaled):
        alone = train(NETWORK, X, Y, start=to_device(each), **options)
        assert_close(to_host(member(together.parameters, i)), to_host(alone.parameters))


def test_a_gradient_of_zero_stays_zero():
    X = np.ones((1, 2))
    result = train(LINE, X, X, optimizer=GradientDescent(1.0), epochs=2, clip_norm=1.0, start=(Layer(np.ones((1, 1)), np.zeros((1, 1))),))
    assert listed(result.parameters) == [[[1.0]], [[0.0]]]


# ----------------------------------------------------------------------------------------------------------- momentum


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_momentum_of_1_never_fades(backend, to_device, to_host, nesterov):
    X, Y = data()
    optimizer = GradientDescent(0.01, momentum=1.0, nesterov=nesterov)
    result = train(NETWORK, *to_device((X, Y)), optimizer=optimizer, epochs=5, start=to_device(start()))
    parameters, velocity = start(), tree_map(np.zeros_like, start())
    for _ in range(5):
        _, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X, Y)
        velocity = tree_map(lambda v, g: v - 0.01 * g, velocity, gradients)
        step = tree_map(lambda v, g: v - 0.01 * g, velocity, gradients) if nesterov else velocity
        parameters = tree_map(lambda W, v: W + v, parameters, step)
    assert_close(to_host(result.parameters), parameters)


@pytest.mark.parametrize("value", [-0.1, 1.0 + 1e-9, 2, float("nan"), "0.9", None, True])
def test_a_momentum_outside_its_range(value):
    with pytest.raises(RangeError, match=r"^momentum must be in \[0, 1"):
        GradientDescent(0.1, momentum=value)


# ------------------------------------------------------------------------------------------- schedules and callbacks of a stack


@pytest.mark.parametrize("optimizer", [Adam, lambda rate: GradientDescent(rate, momentum=0.9)])
def test_a_schedule_may_return_one_rate_for_each_member(backend, to_device, to_host, optimizer):
    X, Y = to_device(data())
    schedules = [lambda epoch: 0.1 / (1.0 + epoch), lambda epoch: 0.01 * (1.0 + epoch)]
    options = {"epochs": 3, "batch_size": 4}
    both = train(NETWORK, X, Y, optimizer=optimizer(lambda epoch: [one(epoch) for one in schedules]), start=to_device(pair()), **options)
    assert both.history.learning_rate == tuple(tuple(one(epoch) for one in schedules) for epoch in (0, 1, 2))
    for i, schedule in enumerate(schedules):
        alone = train(NETWORK, X, Y, optimizer=optimizer(schedule), start=to_device(start(i)), **options)
        assert_close(to_host(member(both.parameters, i)), to_host(alone.parameters))


def test_as_many_rates_of_a_schedule_as_members():
    X, Y = data()
    with pytest.raises(RangeError, match="got 3 numbers"):
        train(NETWORK, X, Y, optimizer=GradientDescent(lambda epoch: [0.1] * 3), epochs=1, start=pair())


@pytest.mark.parametrize("rate", ["a", None, [0.1, "a"], [0.1, -1.0], [[0.1], [0.1]]])
def test_what_is_no_rate_of_a_schedule(rate):
    X, Y = data()
    with pytest.raises(RangeError, match=r"^the rate of a schedule must be a number from 0, got "):
        train(NETWORK, X, Y, optimizer=GradientDescent(lambda epoch: rate), epochs=1, start=pair())


def test_a_callback_stops_the_members_it_names(backend, to_device, to_host):
    X, Y = to_device(data())
    options = {"optimizer": Adam(0.1), "batch_size": 4}
    both = train(NETWORK, X, Y, epochs=6, start=to_device(pair()), callbacks=[lambda epoch: [epoch.number == 2, False]], **options)
    assert both.stop == (Stop.CALLBACK, Stop.MAXIMUM)
    for i, epochs in enumerate((2, 6)):
        alone = train(NETWORK, X, Y, epochs=epochs, start=to_device(start(i)), **options)
        assert_close(to_host(member(both.parameters, i)), to_host(alone.parameters))


def test_members_may_be_stopped_one_after_the_other_and_all_at_once():
    X, Y = data()
    options = {"optimizer": Adam(0.1), "epochs": 9, "start": pair()}
    in_turn = train(NETWORK, X, Y, callbacks=[lambda epoch: (epoch.number >= 2, epoch.number >= 4)], **options)
    assert (in_turn.stop, in_turn.epochs) == ((Stop.CALLBACK,) * 2, 4)
    at_once = train(NETWORK, X, Y, callbacks=[lambda epoch: [False, False], lambda epoch: epoch.number == 3], **options)
    assert (at_once.stop, at_once.epochs) == ((Stop.CALLBACK,) * 2, 3)


def test_a_list_says_nothing_to_one_network():
    X, Y = data()
    assert train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, callbacks=[lambda epoch: [True]]).stop is Stop.MAXIMUM


# ------------------------------------------------------------------------------------------------------------- errors


def test_a_divergence_is_a_value_error_too():
    X = np.linspace(-1, 1, 8, dtype="float32")[None]
    with pytest.raises(ValueError, match="the cost stopped being finite") as caught:
        train(LINE, X, X, optimizer=GradientDescent(1e6), epochs=100)
    assert isinstance(caught.value, DivergenceError | ArithmeticError)


@pytest.mark.parametrize("value", [0, 0.0, -1.0, float("nan"), float("inf"), "1", True])
def test_a_limit_that_is_none(value):
    X, Y = data()
    with pytest.raises(RangeError, match=r"^clip_norm must be a positive number, got "):
        train(NETWORK, X, Y, optimizer=Adam(), epochs=1, clip_norm=value)


def test_other_options_out_of_range():
    X, Y = data()
    with pytest.raises(RangeError, match=r"^penalty_on must be 'mean' or 'sum', got 'all'$"):
        train(NETWORK, X, Y, optimizer=Adam(), epochs=1, penalty_on="all")
    with pytest.raises(RangeError, match=r"^order must be a callable, order\(epoch\), got list$"):
        train(NETWORK, X, Y, optimizer=Adam(), epochs=1, order=[1, 2])


def test_a_full_batch_by_hand_is_what_it_was():
    """None of the options, given at its default, changes a run."""
    X, Y = data()
    result = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, start=start(), penalty_on="sum", dropout=0.0, clip_norm=None, order=None)
    assert_close(result.parameters, by_hand(start(), X, Y, Adam(0.1), 3)[0])
