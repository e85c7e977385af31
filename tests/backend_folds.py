"""Steps that are watched, and what it is for two folds to be equal. For several files in backends/."""

import math

import numpy as np
import numpy as xp

from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import tree_leaves, tree_map


def close(got, wanted, dtype="float64"):
    """Equal but for the rounding of a few operations, in dtype and shape too."""
    tolerance = 1e-13 if dtype == "float64" else 8 * 2.0**-23
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def plain(case):
    """The fold of a case in Python, as NumPy's arrays."""
    with np.errstate(all="ignore"):
        return tree_map(np.asarray, fold_in_python(xp, case.step, case.state, case.inputs, *case.data))


class Counts:
    """A step that counts how often it is called."""

    def __init__(self, step):
        self.step, self.calls = step, 0

    def __call__(self, *args):
        self.calls += 1
        return self.step(*args)


class Looks:
    """A step that asks for a number, each time."""

    def __init__(self, step):
        self.step, self.calls = step, 0

    def __call__(self, state, inputs, *data):
        self.calls += 1
        assert math.isfinite(float(inputs[1]))
        return self.step(state, inputs, *data)
