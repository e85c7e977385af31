"""A step and an epoch of ours and of scikit-learn, PyTorch and JAX; that they compute the same is checked first."""

import pytest

from mlpxp import get_backend
from mlpxp.bench.agreement import objection, reach
from mlpxp.bench.peers import FULL, RIVALS
from mlpxp.bench.rivals import ours, rivals
from mlpxp.bench.tasks import make_task


@pytest.mark.parametrize("what", ["step", "epoch"])
@pytest.mark.parametrize("who", ["mlpxp", "by hand"])
@pytest.mark.parametrize("shape", FULL[:3], ids=["-".join(map(str, shape[0])) for shape in FULL[:3]])
def test_training(benchmark, backend, device, shape, who, what):
    if backend not in RIVALS:
        pytest.skip(f"nobody here computes with {backend}")
    pytest.importorskip(RIVALS[backend])
    task, library = make_task(*shape), get_backend(backend)

    def make():
        return ours(task, library, device) if who == "mlpxp" else rivals(RIVALS[backend], task, library, device, all_of_them=False)[0]()

    wanted = reach(ours(task, get_backend("numpy")), task)
    assert objection(reach(make(), task), wanted, task) is None
    rival = make()
    benchmark.group = f"{what}, {backend}: {'-'.join(map(str, shape[0]))}, batch {shape[1]}"
    benchmark(*((rival.epoch, 1) if what == "epoch" else (rival.step,)))
