"""What holds of every activation for whatever numbers come in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpxp import ACTIVATIONS


@given(
    Z=arrays("float64", (3, 4), elements=st.floats(-1e6, 1e6)),
    name=st.sampled_from(sorted(ACTIVATIONS.keys() - {"exp"})),  # e^1000 is no number
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_finite_stays_finite_and_no_input_is_touched(Z, name, dtype):
    activation = ACTIVATIONS[name]
    Z = Z.astype(dtype)
    before = Z.tobytes()
    A = activation.function(Z)
    kept = A.tobytes()
    pulled = activation.pull_back(np.ones_like(A), Z if activation.needs_z else None, A)
    assert np.all(np.isfinite(A))
    assert np.all(np.isfinite(pulled))
    assert A.dtype == pulled.dtype == Z.dtype
    assert A.shape == pulled.shape == Z.shape
    assert (Z.tobytes(), A.tobytes()) == (before, kept)
