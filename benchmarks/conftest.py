"""The benchmarks under pytest-benchmark, one file a claim: ``pytest benchmarks --backend numpy --benchmark-json=here.json``.

They time what ``mlpxp bench`` times, for those who want pytest-benchmark's statistics, its storage and its comparisons. Each file
checks first that what it times is right.
"""

import pytest

from mlpxp.bench.plan import make_plan
from mlpxp.bench.problems import make_problem
from mlpxp.errors import MlpxpError


def pytest_generate_tests(metafunc):
    if "backend" in metafunc.fixturenames:
        config = metafunc.config
        try:
            plan = make_plan(config.getoption("--backend") or (), device=config.getoption("--device"))
        except MlpxpError as error:
            raise pytest.UsageError(str(error)) from None
        metafunc.parametrize("backend", plan.backends)


@pytest.fixture
def device(request):
    """Where to put what is made, as it was asked for."""
    return request.config.getoption("--device")


@pytest.fixture
def problem(backend, device):
    """A function that makes a problem of a network and m on the backend."""
    return lambda network, m: make_problem(network, m, backend=backend, device=device)
