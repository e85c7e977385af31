"""How cost grows: networks of as many parameters at every depth, and who is the fastest from where on."""

import pytest

from mlpxp.bench._growth import PARAMETERS, fastest, growth, sizes_at_depth
from mlpxp.bench._timing import Timing
from mlpxp.bench.devices import FULL, QUICK
from mlpxp.bench.problems import classifier


@pytest.mark.parametrize("depth", FULL.depths)
def test_every_depth_has_about_as_many_parameters(depth):
    sizes = sizes_at_depth(depth)
    assert len(sizes) == depth + 2
    assert len(set(sizes[:-1])) == 1
    P = classifier(sizes).n_parameters
    assert abs(P - PARAMETERS) <= 0.03 * PARAMETERS
    for other in (sizes[0] - 1, sizes[0] + 1):  # no other width is nearer
        assert abs(P - PARAMETERS) <= abs(classifier((other,) * (depth + 1) + (10,)).n_parameters - PARAMETERS)


def test_the_widths_cover_five_decades_of_parameters():
    P = [classifier(FULL.at("width", width)[0]).n_parameters for width in FULL.widths]
    assert P[0] == 42
    assert P[-1] == 33_603_594
    assert FULL.at("batch", 4) == ((256, 256, 256, 10), 4)
    assert FULL.at("depth", 64)[1] == FULL.batch
    assert set(QUICK.depths) <= set(FULL.depths)


def test_who_is_the_fastest_from_where_on():
    seconds = {
        "numpy": {1: 1.0, 2: 1.5, 4: 4.0, 8: 8.0},
        "jax": {1: 3.0, 2: 3.0, 4: 2.0, 8: 9.0, 16: 10.0},
        "torch": {1: 2.0, 2: 2.0, 4: 3.0, 8: 10.0},
    }
    assert fastest(seconds) == [
        (1, 2, "numpy", 1.0, 2.0),
        (4, 4, "jax", 2.0, 1.5),
        (8, 8, "numpy", 8.0, 1.125),
        (16, 16, "jax", 10.0, None),
    ]
    assert fastest({"numpy": {}}) == []


def test_the_times_are_of_an_example():
    steps = {"width": {"numpy": {2: Timing((0.256,), 0.0)}}, "batch": {"numpy": {4: Timing((0.4,), 0.0)}}}
    (width, batch), (ranked,) = growth(steps, FULL)
    (one,), (other,) = width.series[0].points, batch.series[0].points
    assert (one.x, one.y, one.low, one.high) == (42, 0.001, 0.001, 0.001)
    assert (other.x, other.y) == (4, 0.1)
    assert [row[:5] for row in ranked.rows] == [("parameters P", 42, 42, "numpy", 0.001), ("examples in a batch", 4, 4, "numpy", 0.1)]
