"""An example of 784-256-10 in training and in prediction, by backend, dtype and batch; that the same is computed is checked first."""

import pytest

from mlpxp import BackendError, DtypeError, get_backend
from mlpxp.bench.agreement import objection, reach
from mlpxp.bench.choice import FULL
from mlpxp.bench.rivals import ours
from mlpxp.bench.tasks import make_task


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", FULL)
def test_an_epoch(benchmark, backend, device, batch, dtype):
    task = make_task((784, 256, 10), batch, max(4, 1024 // batch), dtype=dtype)
    try:
        checked, timed = (ours(task, get_backend(backend), device) for _ in range(2))
    except (BackendError, DtypeError) as error:
        pytest.skip(str(error))
    assert objection(reach(checked, task), reach(ours(task, get_backend("numpy")), task), task) is None
    benchmark.group = f"{dtype}, batch {batch}"
    benchmark.extra_info |= {"examples": len(task.X)}
    benchmark(timed.epoch, 1)
