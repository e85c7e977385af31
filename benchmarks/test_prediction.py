"""``predict`` of one row, and of many a part at a time; that the parts are the whole is checked first."""

import numpy as np
import pytest

from mlpxp import get_backend, initialize, predict
from mlpxp.arrays.standard import tree_map
from mlpxp.bench.prediction import CHUNKS, in_chunks
from mlpxp.bench.problems import classifier


@pytest.fixture
def placed(backend, device):
    library = get_backend(backend)
    return library, lambda parameters: tree_map(lambda leaf: library.asarray(leaf, device=device), parameters)


def test_one_row(benchmark, backend, device, placed):
    network, (library, put) = classifier((64, 100, 10), "relu"), placed
    X = np.random.default_rng(0).standard_normal((64, 1)).astype("float32")
    parameters, row = put(initialize(network, seed=0)), library.asarray(X, device=device)
    np.testing.assert_allclose(
        library.to_numpy(predict(network, parameters, row)), predict(network, initialize(network, seed=0), X), atol=1e-5
    )
    benchmark.group = f"one row, {backend}"
    benchmark(lambda: library.to_numpy(predict(network, parameters, row)))


@pytest.mark.parametrize("rows", CHUNKS)
def test_many_rows(benchmark, backend, device, placed, rows):
    network, (library, put) = classifier((784, 256, 10), "relu"), placed
    X = np.random.default_rng(0).standard_normal((CHUNKS[-1], 784), dtype="float32")
    parameters = put(initialize(network, seed=0))
    wanted = predict(network, initialize(network, seed=0), X[:100].T).T
    np.testing.assert_allclose(in_chunks(network, parameters, X[:100], library, 30, device), wanted, atol=1e-5)
    benchmark.group = f"{len(X):,} rows, {backend}"
    benchmark.pedantic(in_chunks, (network, parameters, X, library, rows, device), rounds=3, warmup_rounds=1)
