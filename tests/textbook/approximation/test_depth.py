import numpy as np
import pytest

from mlpxp import Network, RangeError
from mlpxp.textbook.approximation import Fitting, deep_against_wide, sizes_within


@pytest.mark.parametrize(("depth", "sizes"), [(1, (1, 84, 1)), (2, (1, 14, 14, 1)), (3, (1, 10, 10, 10, 1))])
def test_the_sizes_are_the_widest_within_the_number_of_parameters(depth, sizes):
    """Of 253: 3w + 1, w² + 4w + 1, 2w² + 5w + 1."""
    assert sizes_within(253, depth) == sizes
    wider = (1, *(sizes[1] + 1,) * depth, 1)
    assert Network(sizes).n_parameters <= 253 < Network(wider).n_parameters


def test_depth_pays_for_a_composition_and_not_for_a_sine():
    study = deep_against_wide(("sin(6*sin(4*x))", "sine"), (1, 2), fitting=Fitting(seeds=3, epochs=700))
    assert study.rms_errors.shape == study.max_errors.shape == (2, 2, 3)
    (shallow, deep), (one, two) = np.median(study.rms_errors, axis=-1)
    assert deep < shallow / 2
    assert max(one, two) < 0.05
    assert [[stack.network.sizes for stack in each] for each in study.trained] == [[(1, 84, 1), (1, 14, 14, 1)]] * 2


def test_bad_input():
    with pytest.raises(RangeError, match="parameters must be at least 6 for 2 hidden layers, got 5"):
        sizes_within(5, 2)
    with pytest.raises(RangeError, match="targets must be at least one function"):
        deep_against_wide(())
    with pytest.raises(RangeError, match="depths must be whole numbers from 1"):
        deep_against_wide(depths=(0,))
    with pytest.raises(RangeError, match="parameters must be a whole number from 1"):
        deep_against_wide(parameters=2.5)
