"""Random numbers are functions of the seed, and their streams are independent of each other."""

import numpy as np
import pytest

from mlpxp import RangeError, UnknownNameError
from mlpxp.arrays import draws


def test_batch_order_is_a_function_of_seed_and_epoch():
    assert np.array_equal(draws.batch_order(3, 7, 100), draws.batch_order(3, 7, 100))
    orders = {draws.batch_order(seed, epoch, 100).tobytes() for seed in range(5) for epoch in range(1, 6)}
    assert len(orders) == 25


def test_batch_order_visits_each_example_once():
    order = draws.batch_order(0, 1, 57)
    assert order.dtype == "int64"
    assert sorted(order.tolist()) == list(range(57))


def test_every_example_is_as_likely_to_come_first():
    """10,000 permutations of 5: each count is binomial around 2,000 with a standard deviation of 40."""
    first = np.bincount([draws.batch_order(seed, 1, 5)[0] for seed in range(10_000)], minlength=5)
    assert np.all(np.abs(first - 2000) < 5 * 40)


def test_weights_do_not_depend_on_what_is_drawn_for_batches():
    before = draws.weights(((2, 3),), ("he_normal",), 4)[0].tobytes()
    draws.batch_order(4, 1, 10)
    assert draws.weights(((2, 3),), ("he_normal",), 4)[0].tobytes() == before


def test_the_streams_differ():
    """The first numbers of each purpose's generator, for one seed."""
    firsts = {draws._stream(purpose, 0, *position).integers(2**63) for purpose in draws._STREAMS for position in ((), (0,), (1,), (2,))}
    assert len(firsts) == 4 * len(draws._STREAMS)


def test_layers_do_not_share_their_draws():
    first, second = draws.weights(((3, 3), (3, 3)), ("he_normal", "he_normal"), 0)
    assert not np.intersect1d(first, second).size
    assert first.dtype == "float64"


def test_large_seeds_are_seeds():
    assert draws.check_seed(2**70) == 2**70
    assert draws.batch_order(2**70, 1, 50).tobytes() != draws.batch_order(0, 1, 50).tobytes()


@pytest.mark.parametrize("seed", [0, np.int32(5), np.uint64(9)])
def test_good_seeds(seed):
    assert draws.check_seed(seed) == int(seed)
    assert type(draws.check_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None, True, False, (1,)])
def test_bad_seeds(seed):
    with pytest.raises(RangeError, match="seed must be a whole number from 0, got") as caught:
        draws.check_seed(seed)
    assert repr(seed) in str(caught.value)


def test_unknown_scheme():
    with pytest.raises(UnknownNameError, match=r"scheme must be one of glorot_uniform.*got 'xavier'"):
        draws.weights(((2, 3),), ("xavier",), 0)


# ------------------------------------------------------------------------------------------------------- keys of dropout


def test_keys_are_the_same_however_an_epoch_is_cut():
    whole = draws.dropout_keys(3, 7, 0, 20, 2)
    assert whole.shape == (20, 2, 2)
    assert whole.dtype == "int32"
    for first, n in ((0, 1), (0, 7), (7, 12), (19, 1)):
        assert np.array_equal(draws.dropout_keys(3, 7, first, n, 2), whole[first : first + n])


def test_keys_are_a_function_of_seed_epoch_batch_and_layer():
    keys = [draws.dropout_keys(seed, epoch, 0, 50, 3) for seed in range(4) for epoch in range(1, 5)]
    pairs = np.concatenate(keys).reshape(-1, 2)
    assert len({pair.tobytes() for pair in pairs}) == 4 * 4 * 50 * 3
    assert np.array_equal(draws.dropout_keys(2, 3, 0, 50, 3), draws.dropout_keys(2, 3, 0, 50, 3))


def test_keys_are_spread_over_all_32_bit_integers():
    """Each bit of 20,000 keys is set in half of them, with a standard deviation of 71."""
    bits = np.unpackbits(draws.dropout_keys(0, 1, 0, 5000, 2).view("uint8").reshape(-1, 4), axis=1)
    assert bits.shape == (20_000, 32)
    assert np.all(np.abs(bits.sum(axis=0) - 10_000.0) < 5 * 71)
