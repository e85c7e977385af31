"""Forward pass and gradient over widths, for each backend: the same problem on a CPU and on a GPU (``--device cuda``)."""

import numpy as np
import pytest

from mlpxp.bench.problems import classifier, make_problem


@pytest.mark.parametrize("what", ["cost", "gradient"])
@pytest.mark.parametrize("width", [16, 64, 256, 1024])
def test_forward_pass_and_gradient(benchmark, problem, width, what):
    network = classifier((width, width, width, 10), "relu")
    made = problem(network, 256)
    np.testing.assert_allclose(made.cost(), make_problem(network, 256).cost(), rtol=1e-3)
    benchmark.group = f"{what}, width {width}"
    benchmark(getattr(made, what))
