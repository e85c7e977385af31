import numpy as np
import pytest

from mlpxp import DataError, Layer, Network, RangeError, ShapeError, cost, forward, initialize, predict
from mlpxp.arrays.standard import tree_map
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.segments import cost_along, cost_surface, swap_units

XOR = examples("xor")


def one_by_one(w, b):
    return (Layer(W=np.full((1, 1), w), b=np.full((1, 1), b)),)


def test_a_parabola_by_hand():
    """C = ½(w · 1 + 0 - 0)² from w = -1 to 3: ½(4t - 1)², and the chord ½ + 4t is above it."""
    line = cost_along(Network((1, 1), output="identity"), one_by_one(-1.0, 0.0), one_by_one(3.0, 0.0), [[1.0]], [[0.0]], points=5)
    assert line.t.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert line.cost.tolist() == [0.5, 0.0, 0.5, 2.0, 4.5]
    assert line.chord.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert line.excess == 0.0
    assert line.convex


def test_each_point_is_a_network_s_cost():
    network = Network((2, 3, 1), hidden="tanh")
    start, end = (initialize(network, seed=seed) for seed in (0, 1))  # float32 is taken as it is, and computed with in float64
    line = cost_along(network, start, end, *XOR, points=4)
    for t, got in zip(line.t, line.cost, strict=True):
        between = tree_map(lambda a, b, t=t: (1.0 - t) * a.astype("float64") + t * b.astype("float64"), start, end)
        assert got == pytest.approx(float(cost(network, forward(network, between, XOR[0]), XOR[1])), rel=1e-14)


def test_a_surface_by_hand():
    """C = ½(w x + b - y)² at x = 2, y = 1, around (1, 0)."""
    surface = cost_surface(Network((1, 1), output="identity"), one_by_one(1.0, 0.0), [[2.0]], [[1.0]], reach=2.0, resolution=3)
    assert surface.right.tolist() == surface.up.tolist() == [-2.0, 0.0, 2.0]
    wanted = [[0.5 * ((1 + r) * 2 + u - 1) ** 2 for r in surface.right] for u in surface.up]
    assert surface.cost.tolist() == wanted


def test_a_surface_in_directions_of_one_s_own():
    network = Network((2, 2, 1))
    center, first, second = (initialize(network, seed=seed, dtype="float64") for seed in range(3))
    surface = cost_surface(network, center, *XOR, directions=(first, second), reach=1.5, resolution=4)
    there = tree_map(lambda c, a, b: c + surface.right[3] * a + surface.up[1] * b, center, first, second)
    assert surface.cost[1, 3] == pytest.approx(float(cost(network, forward(network, there, XOR[0]), XOR[1])), rel=1e-14)


@pytest.mark.parametrize(("layer", "units"), [(1, (0, 2)), (2, (3, 1))])
def test_swapped_units_are_the_same_function_and_swapped_again_the_same_network(layer, units):
    network = Network((2, 3, 4, 1), hidden="tanh")
    parameters = initialize(network, seed=0, dtype="float64")
    swapped = swap_units(parameters, layer=layer, units=units)
    assert not np.array_equal(swapped[layer - 1].W, parameters[layer - 1].W)
    assert np.array_equal(swapped[layer - 1].W[units[0]], parameters[layer - 1].W[units[1]])
    np.testing.assert_allclose(predict(network, swapped, XOR[0]), predict(network, parameters, XOR[0]), rtol=1e-14)
    for one, other in zip(swap_units(swapped, layer=layer, units=units), parameters, strict=True):
        assert np.array_equal(one.W, other.W)
        assert np.array_equal(one.b, other.b)


def test_what_can_t_be_drawn_a_line_between():
    network = Network((2, 3, 1))
    here = initialize(network, seed=0)
    for start, X, points, error, says in (
        (initialize(Network((2, 4, 1)), seed=0), XOR[0], 5, ShapeError, "W_1 must have shape"),
        (initialize(network, seed=(0, 1)), XOR[0], 5, ShapeError, "got a stack"),
        (here, XOR[0].T, 5, ShapeError, "X must have shape"),
        (here, [["a"]], 5, DataError, "X must hold numbers"),
        (here, XOR[0], 2, RangeError, "points must be a whole number from 3"),
    ):
        with pytest.raises(error, match=says):
            cost_along(network, start, here, X, XOR[1], points=points)
    with pytest.raises(RangeError, match="reach must be a positive number"):
        cost_surface(network, here, *XOR, reach=0.0)
    with pytest.raises(RangeError, match="resolution must be a whole number from 2"):
        cost_surface(network, here, *XOR, resolution=1)
    for layer in (0, 2, 1.0):
        with pytest.raises(RangeError, match="layer must be a hidden layer, from 1 to 1"):
            swap_units(here, layer=layer)
    for units in ((0, 0), (0, 3), (-1, 0), (0,), (0.0, 1)):
        with pytest.raises(RangeError, match="units must be two different ones from 0 to 2"):
            swap_units(here, units=units)
