"""P2: a hyperplane, or a proof that there is none, for 100,000 examples of 50 features."""

import numpy as np
import pytest

from mlpxp import separate

M, N = 100_000, 50


@pytest.mark.parametrize("kind", ["separable", "one flipped", "random"])
def test_separate(benchmark, kind):
    draw = np.random.default_rng(0)
    X = draw.standard_normal((M, N))
    z = X @ draw.standard_normal(N)
    y = draw.integers(0, 2, M) if kind == "random" else (z > 0).astype(int)
    if kind == "one flipped":
        y[np.abs(z).argmax()] ^= 1
    found = separate(X, y)
    assert found.separable is (kind == "separable")
    assert found.verify(X, y)
    benchmark.pedantic(separate, (X, y), rounds=3)
