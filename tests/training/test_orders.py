"""The order of the examples, and what is none; batches that weigh nothing, and how an epoch is cut."""

import numpy as np
import pytest
from training_runs import NETWORK, assert_close, by_hand, data, listed, start

import mlpxp
from mlpxp import Adam, DtypeError, GradientDescent, RangeError, Rows, ShapeError, stack, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import tree_map
from mlpxp.core.dropout import dropout_masks, with_dropout

M = 10
WRONG = {
    "counted from 1": (np.arange(1, M + 1), RangeError, r"from 0 to 9, got 10 in place 9"),
    "from the end": (np.arange(-M, 0), RangeError, r"from 0 to 9, got -10 in place 0"),
    "far away": ([0, 2**40, *range(2, M)], RangeError, r"from 0 to 9, got 1099511627776 in place 1"),
    "beyond 64 bits": ([0, 2**70, *range(2, M)], DtypeError, "got object"),
    "too short": (np.arange(M - 1), ShapeError, r"\(10,\), one for each example, got shape \(9,\)"),
    "too long": (np.arange(M + 1) % M, ShapeError, r"got shape \(11,\)"),
    "a matrix": (np.arange(M)[None], ShapeError, r"got shape \(1, 10\)"),
    "one number": (3, ShapeError, r"got shape \(\)"),
    "nothing": (None, ShapeError, r"got shape \(\)"),
    "ragged": ([[1, 2], [3]], ShapeError, r"got shape \(\)"),
    "no whole numbers": (np.arange(M) + 0.5, DtypeError, "whole numbers, the numbers of rows, got float64"),
    "whole ones, as floats": (np.arange(float(M)), DtypeError, "got float64"),
    "a mask": (np.ones(M, bool), DtypeError, "got bool"),
    "text": (list("0123456789"), DtypeError, "got <U1"),
}


@pytest.mark.parametrize("size", [None, 4, M])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_order_is_refused_before_it_is_used(backend, to_device, name, size):
    order, error, says = WRONG[name]
    X, Y = to_device(data())
    said = rf"^order\(2\) must hold .*{says}"
    options = {"optimizer": Adam(0.1), "epochs": 3, "batch_size": size, "start": to_device(start())}
    for given in (X, Rows(np.ascontiguousarray(backend.to_numpy(X).T))):
        with pytest.raises(error, match=said) as caught:
            train(NETWORK, given, Y, order=lambda epoch: order if epoch == 2 else np.arange(M), **options)
        assert "\n" not in str(caught.value)


KINDS = {
    "list": list, "range": lambda order: range(M), "int8": lambda order: order.astype("int8"),
    "uint64": lambda order: order.astype("uint64"), "big-endian": lambda order: order.astype(">i4"),
    "read-only": lambda order: np.broadcast_to(order, (1, M))[0],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_of_any_kind_are_an_order(kind):
    X, Y = data()
    order = np.arange(M) if kind == "range" else np.random.default_rng(1).integers(0, M, M)
    options = {"optimizer": Adam(0.1), "epochs": 2, "batch_size": 4, "start": start()}
    wanted = train(NETWORK, X, Y, order=lambda epoch: order, **options)
    assert listed(train(NETWORK, X, Y, order=lambda epoch: KINDS[kind](order), **options).parameters) == listed(wanted.parameters)


def test_an_order_may_be_an_array_of_the_library(backend, to_device, to_host):
    X, Y = to_device(data())
    keys = np.random.default_rng(1).random(M)
    theirs = backend.namespace.argsort(backend.asarray(keys))
    options = {"optimizer": Adam(0.1), "epochs": 2, "batch_size": 4, "start": to_device(start())}
    result = train(NETWORK, X, Y, order=lambda epoch: theirs, **options)
    wanted = train(NETWORK, X, Y, order=lambda epoch: np.argsort(keys), **options)
    assert listed(to_host(result.parameters)) == listed(to_host(wanted.parameters))


@pytest.mark.parametrize("size", [None, 4, M])
def test_sampling_with_replacement_is_training_on_what_was_drawn(backend, to_device, to_host, size):
    """Where all examples are one batch too, array or rows: a plain loop over the drawn examples says what is right."""
    X, Y = data()
    drawn = [np.random.default_rng(epoch).integers(0, M, M) for epoch in (1, 2, 3)]
    parameters, costs = start(), []
    for order in drawn:
        total = 0.0
        for first in range(0, M, size or M):
            rows = order[first : first + (size or M)]
            cost, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows])
            parameters = tree_map(lambda W, g: W - 0.5 * g, parameters, gradients)
            total += len(rows) * float(cost)
        costs.append(total / M)
    for given in (to_device(X), Rows(np.ascontiguousarray(X.T))):
        result = train(
            NETWORK, given, to_device(Y), optimizer=GradientDescent(0.5), epochs=3, batch_size=size, start=to_device(start()),
            order=lambda epoch: drawn[epoch - 1],
        )  # fmt: skip
        assert_close(to_host(result.parameters), parameters)
        assert result.history.cost == pytest.approx(costs, rel=1e-12)


@pytest.mark.parametrize("size", [None, 2, 3])
def test_an_order_of_examples_that_weigh_nothing_is_refused(size):
    X, Y = data()
    weights = np.ones(M)
    weights[[2, 5]] = 0.0
    with pytest.raises(RangeError, match=r"^order\(1\) must visit an example that weighs something"):
        train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=2, batch_size=size, weights=weights, order=lambda epoch: [2, 5] * 5)


# ------------------------------------------------------------------------------------------------- batches that weigh nothing


class Asked:
    """A schedule that remembers which epochs it was asked for."""

    def __init__(self):
        self.epochs = []

    def __call__(self, epoch):
        self.epochs.append(epoch)
        return 0.1


@pytest.mark.parametrize(
    ("nothing", "wanted"),
    [((0, 1, 2), (0.25, 0.5, 0.75)), ((3, 4, 5), (0.0, 0.5, 0.75)), ((9, 10), (0.0, 0.25, 0.5)), ((0, 1, 2, 6, 7, 8), (0.25, 0.75))],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_schedule_is_asked_for_a_batch_by_its_place(nothing, wanted, streamed):
    """Eleven examples in batches of three are four: at 0, 1/4, 1/2, 3/4 of the epoch."""
    X, Y = data(m=11)
    weights = np.ones(11)
    weights[list(nothing)] = 0.0
    schedule = Asked()
    given = Rows(X.T.copy()) if streamed else X
    train(NETWORK, given, Y, optimizer=Adam(schedule), epochs=1, batch_size=3, weights=weights, order=lambda epoch: np.arange(11))
    assert tuple(schedule.epochs[1:-1]) == wanted  # the first is for the state, and the last for the history


@pytest.mark.parametrize("longest", [1, 2, 3, 100])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_learnt_does_not_depend_on_how_an_epoch_is_cut(monkeypatch, longest, streamed):
    """A plain loop over the batches that weigh something, each with the rate and the masks of its place."""
    X, Y = data(m=23)
    weights = np.random.default_rng(0).integers(0, 2, 23).astype(float)
    weights[draws.batch_order(4, 1, 23)[:6]] = 0.0
    parameters, skipped = start(), 0
    for epoch in (1, 2):
        order = draws.batch_order(4, epoch, 23)
        for place in range(8):
            rows, eta = order[3 * place : 3 * place + 3], 0.5 / (epoch + place / 8)
            if not weights[rows].any():
                skipped += 1
                continue
            keys = draws.dropout_keys(4, epoch, place, 1, 1)[0]
            masked = with_dropout(NETWORK, dropout_masks(keys, NETWORK, len(rows), (0.25,), parameters[0].W), (0.25,))
            _, gradients = mlpxp.cost_and_gradients(masked, parameters, X[:, rows], Y[:, rows], weights[rows])
            parameters = tree_map(lambda W, g, eta=eta: W - eta * g, parameters, gradients)
    assert skipped >= 3
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: longest)
    given, optimizer = Rows(X.T.copy()) if streamed else X, GradientDescent(lambda epoch: 0.5 / (1.0 + epoch))
    options = {"epochs": 2, "batch_size": 3, "seed": 4, "weights": weights, "dropout": 0.25, "start": start()}
    assert_close(train(NETWORK, given, Y, optimizer=optimizer, **options).parameters, parameters)


def test_a_member_of_a_stack_is_the_same_network_alone(backend, to_device, to_host, monkeypatch):
    """Whose folds are cut otherwise, as its batches are less work."""
    X, Y = data(m=23)
    weights = np.random.default_rng(0).integers(0, 2, 23).astype(float)
    weights[draws.batch_order(4, 1, 23)[:6]] = 0.0
    monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples: 12 // examples)
    options = {"optimizer": Adam(lambda epoch: 0.1 / (1.0 + epoch)), "epochs": 3, "batch_size": 3, "seed": 4, "dropout": 0.25}
    X, Y, w = to_device((X, Y, weights))
    alone = train(NETWORK, X, Y, weights=w, start=to_device(start(0)), **options)
    pair = train(NETWORK, X, Y, weights=w, start=to_device(stack([start(0), start(1)])), **options)
    assert_close(to_host(tree_map(lambda leaf: leaf[0, ...], pair.parameters)), to_host(alone.parameters))
    assert [cost[0] for cost in pair.history.cost] == pytest.approx(alone.history.cost, rel=1e-12)


def test_the_cost_of_an_epoch_is_the_same_to_the_bit_however_it_is_cut(monkeypatch):
    X, Y = data(m=50)
    weights = np.random.default_rng(0).uniform(0.1, 2.0, 50)
    found = []
    for longest in (1, 2, 5, 100):
        monkeypatch.setattr("mlpxp.training.prepare.longest_fold", lambda network, examples, longest=longest: longest)
        found.append(train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=3, batch_size=3, weights=weights, start=start()).history.cost)
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0] == pytest.approx(by_hand(start(), X, Y, Adam(0.1), 3, size=3, weights=weights)[1], rel=1e-12)
