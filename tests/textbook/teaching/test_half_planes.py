"""The regions are checked by points: each lies in exactly one, on the sides that it says."""

import numpy as np
import pytest

from mlpxp import DataError, Layer, Network, RangeError, ShapeError, initialize, predict
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.half_planes import MOST_UNITS, half_planes

X, Y = examples("xor")
XOR = Network((2, 2, 1), hidden="sigmoid", output="sigmoid", loss="binary_cross_entropy")
OR_AND_NAND = (
    Layer(W=np.array([[20.0, 20.0], [-20.0, -20.0]]), b=np.array([[-10.0], [30.0]])),
    Layer(W=np.array([[20.0, 20.0]]), b=np.array([[-30.0]])),
)


def inside(corners, point):
    """Whether a point is strictly inside a convex polygon whose corners go counter-clockwise."""
    edges = np.roll(corners, -1, axis=0) - corners
    ways = point - corners
    return bool((edges[:, 0] * ways[:, 1] - edges[:, 1] * ways[:, 0] > 0).all())


def area(corners):
    x, y = corners.T
    return (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_or_and_nand_make_the_strip_of_xor():
    found = half_planes(XOR, OR_AND_NAND, X)
    assert {region.above: round(region.output) for region in found.regions} == {(False, True): 0, (True, True): 1, (True, False): 0}
    assert found.lines == ((20.0, 20.0, -10.0), (-20.0, -20.0, 30.0))
    assert found.box == ((-0.25, 1.25), (-0.25, 1.25))
    assert found.combination == "A2 = sigmoid(20 A1_1 + 20 A1_2 - 30)"
    assert np.allclose(found.hidden(), [[0, 1, 1, 1], [1, 1, 1, 0]], atol=1e-4)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("seed", range(3))
def test_the_regions_are_the_plane_cut_along_every_line(k, seed):
    random = np.random.default_rng(seed)
    network = Network((2, k, 1), hidden="relu", output="sigmoid", loss="binary_cross_entropy")
    first, second = initialize(network, seed=seed, backend="numpy", dtype="float64")
    parameters = (Layer(W=first.W, b=random.normal(size=(k, 1))), second)
    found = half_planes(network, parameters, random.normal(size=(2, 30)))
    (left, right), (low, high) = found.box
    assert 1 <= len(found.regions) <= 1 + k + k * (k - 1) // 2
    assert len({region.above for region in found.regions}) == len(found.regions)
    assert sum(area(region.corners) for region in found.regions) == pytest.approx((right - left) * (high - low), rel=1e-12)
    for point in random.uniform((left, low), (right, high), size=(200, 2)):
        sides = tuple((parameters[0].W @ point + parameters[0].b[:, 0] > 0).tolist())
        assert [region.above for region in found.regions if inside(region.corners, point)] == [sides]
    for region in found.regions:
        assert inside(region.corners, region.middle)
        assert region.output == predict(network, parameters, region.middle[:, None])[0, 0]


def test_the_middle_is_the_centre_of_gravity():
    flat = Layer(W=np.array([[1.0, 0.0]]), b=np.array([[-0.25]]))
    network = Network((2, 1, 1), hidden="tanh", output="identity", loss="mse")
    right, left = sorted(half_planes(network, (flat, Layer(np.eye(1), np.zeros((1, 1)))), X).regions, key=lambda one: -one.middle[0])
    assert np.allclose([left.middle, right.middle], [[0.0, 0.5], [0.75, 0.5]])


def test_a_unit_without_weights_has_no_line_and_one_that_only_touches_the_box_cuts_nothing():
    touching = np.array([[0.0, 0.0], [1.0, 1.0], [-1.0, -1.0]]), np.array([[3.0], [0.5], [-0.5]])  # through the lower left corner
    network = Network((2, 3, 1), hidden="tanh")
    (region,) = half_planes(network, (Layer(*touching), Layer(np.ones((1, 3)), np.zeros((1, 1)))), X).regions
    assert region.above == (True, True, False)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 2, 1), (2, 2, 2), (2, 2, 2, 1)])
def test_other_networks_have_no_half_planes_to_be_drawn(sizes):
    network = Network(sizes)
    with pytest.raises(ShapeError, match=f"2 inputs, one hidden layer and 1 output, got {'-'.join(map(str, sizes))}"):
        half_planes(network, initialize(network, seed=0, backend="numpy", dtype="float64"), X)


def test_what_doesn_t_fit():
    wide = Network((2, MOST_UNITS + 1, 1))
    with pytest.raises(RangeError, match="at most 64 units"):
        half_planes(wide, initialize(wide, seed=0, backend="numpy", dtype="float64"), X)
    with pytest.raises(ShapeError, match="X must have shape"):
        half_planes(XOR, OR_AND_NAND, X[:1])
    with pytest.raises(DataError, match="X must be finite"):
        half_planes(XOR, OR_AND_NAND, X * np.nan)
    broken = (OR_AND_NAND[0], Layer(W=np.array([[np.inf, 1.0]]), b=np.zeros((1, 1))))
    with pytest.raises(DataError, match="the parameters must be finite"):
        half_planes(XOR, broken, X)
