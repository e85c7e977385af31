"""Forward pass, gradient, step and epoch over widths and batches, on each backend: the same on a CPU and on a GPU (``--device cuda``)."""

import numpy as np
import pytest

from mlpxp import get_backend
from mlpxp.bench.problems import classifier, make_problem
from mlpxp.bench.rivals import ours
from mlpxp.bench.tasks import make_task


@pytest.mark.parametrize("what", ["cost", "gradient"])
@pytest.mark.parametrize("width", [16, 64, 256, 1024])
def test_forward_pass_and_gradient(benchmark, problem, width, what):
    network = classifier((width, width, width, 10), "relu")
    made = problem(network, 256)
    np.testing.assert_allclose(made.cost(), make_problem(network, 256).cost(), rtol=1e-3)
    benchmark.group = f"{what}, width {width}"
    benchmark(getattr(made, what))


@pytest.mark.parametrize("what", ["step", "epoch"])
@pytest.mark.parametrize("batch", [32, 256, 2048])
def test_training(benchmark, backend, device, batch, what):
    training = ours(make_task((256, 256, 256, 10), batch, 8), get_backend(backend), device)
    benchmark.group = f"{what}, batch {batch}"
    benchmark(*((training.epoch, 1) if what == "epoch" else (training.step,)))
