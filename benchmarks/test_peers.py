"""An epoch of ours and of scikit-learn, PyTorch and JAX: the same start, the same batches, and the same result, which is checked first."""

import pytest

from mlpxp import get_backend
from mlpxp.bench.peers import FULL, RIVALS, objection, reach
from mlpxp.bench.rivals import ours, rivals
from mlpxp.bench.tasks import make_task


@pytest.mark.parametrize("who", ["mlpxp", "by hand"])
@pytest.mark.parametrize("shape", FULL[:3], ids=["-".join(map(str, shape[0])) for shape in FULL[:3]])
def test_an_epoch(benchmark, backend, shape, who):
    if backend not in RIVALS:
        pytest.skip(f"nobody here computes with {backend}")
    pytest.importorskip(RIVALS[backend])
    task, library = make_task(*shape), get_backend(backend)

    def make():
        return ours(task, library) if who == "mlpxp" else rivals(RIVALS[backend], task, library, all_of_them=False)[0]()

    wanted = reach(ours(task, get_backend("numpy")), task)
    assert objection(reach(make(), task), wanted, task) is None
    rival = make()
    benchmark.group = f"{backend}: {'-'.join(map(str, shape[0]))}, batch {shape[1]}"
    benchmark(rival.epoch, 1)
