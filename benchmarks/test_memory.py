"""K3: backpropagation holds the activations and the errors of the batch; the time it takes to do so, and the bytes beside it."""

import pytest

from mlpxp.bench.memory import count_memory, formula
from mlpxp.bench.problems import classifier


@pytest.mark.parametrize("m", [100, 1000, 10000])
def test_bytes_held(benchmark, problem, m):
    network = classifier((64, 256, 256, 256, 10), "relu")
    made = problem(network, m)
    held = count_memory(made)
    parameters = 4 * network.n_parameters
    assert held <= formula(network, m) + 4 * m * max(network.sizes) * 2 + 2 * parameters
    benchmark.extra_info |= {"bytes_counted": held, "bytes_of_activations_and_errors": formula(network, m)}
    benchmark(made.gradient)
