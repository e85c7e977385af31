"""K1: backpropagation costs O(mP), naive differentiation O(mP²)."""

import numpy as np
import pytest

from mlpxp import cost_and_gradients, count_operations, naive_gradients
from mlpxp.arrays.standard import tree_leaves
from mlpxp.bench.problems import classifier, formula_of_gradient

WIDTHS = (16, 64, 256, 1024, 4096)


@pytest.mark.parametrize("width", WIDTHS)
def test_backpropagation(benchmark, problem, width):
    network = classifier((32, width, 32))
    made = problem(network, 1000)
    operations = count_operations(cost_and_gradients, network, made.parameters, made.X, made.Y)
    assert operations.matmul == formula_of_gradient(network, 1000)
    benchmark.group = f"m = 1000, P = {network.n_parameters}"
    benchmark.extra_info |= {"P": network.n_parameters, "m": 1000, "matmul": operations.matmul, "operations": operations.total}
    benchmark(made.gradient)


@pytest.mark.parametrize("method", ["forward", "central", "complex", "dual"])
@pytest.mark.parametrize("width", WIDTHS[:1])
def test_naive_differentiation(benchmark, problem, width, method):
    network = classifier((32, width, 32))
    made = problem(network, 1000)
    arguments = network, made.parameters, made.X, made.Y
    ours, theirs = cost_and_gradients(*arguments)[1], naive_gradients(*arguments, method=method)
    for wanted, got in zip(*([made.library.to_numpy(leaf) for leaf in tree_leaves(tree)] for tree in (ours, theirs)), strict=True):
        assert np.linalg.norm(got - wanted) < 0.3 * np.linalg.norm(wanted)  # forward differences in float32 are 14 % off
    benchmark.group = f"m = 1000, P = {network.n_parameters}"
    benchmark.extra_info |= {"P": network.n_parameters, "m": 1000}
    benchmark.pedantic(lambda: (naive_gradients(*arguments, method=method, batched=True), made.library.synchronize()), rounds=3)
