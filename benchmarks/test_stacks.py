"""An epoch of k networks 2-16-2 as one stack; that its members learn what they learn alone is checked first."""

import pytest

from mlpxp import get_backend, initialize
from mlpxp.bench.problems import classifier
from mlpxp.bench.stacks import BATCHES, FULL, SIZES, objection_to_stack, task_of
from mlpxp.bench.tasks import Training


@pytest.mark.parametrize("k", [None, *FULL[:-1]], ids=["alone", *map(str, FULL[:-1])])
def test_an_epoch(benchmark, backend, device, k):
    members = initialize(classifier(SIZES, "tanh"), seed=range(k or 1))
    training = Training(task_of(members, k), get_backend(backend), device)
    if k is not None:
        assert objection_to_stack(training, members, k) is None
    benchmark.group = f"stacks of 2-16-2, {backend}"
    benchmark.extra_info |= {"networks": k or 1, "steps": BATCHES}
    benchmark(training.epoch, 2)
