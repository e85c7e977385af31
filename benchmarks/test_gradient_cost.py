"""K2: a gradient costs fewer than 3 forward passes in matrix products."""

import pytest

from mlpxp.bench.cost import SHAPES, count_ratio
from mlpxp.bench.problems import classifier


@pytest.mark.parametrize("what", ["cost", "gradient"])
@pytest.mark.parametrize(("sizes", "m"), SHAPES, ids=["-".join(map(str, sizes)) for sizes, _ in SHAPES])
def test_forward_pass_and_gradient(benchmark, problem, sizes, m, what):
    made = problem(classifier(sizes, "relu"), m)
    forward_pass, gradient = count_ratio(made)
    assert gradient.matmul < 3 * forward_pass.matmul
    assert gradient.total <= 5 * forward_pass.total
    benchmark.group = f"{'-'.join(map(str, sizes))}, m = {m}"
    benchmark.extra_info |= {"matmul": (gradient if what == "gradient" else forward_pass).matmul}
    benchmark(getattr(made, what))
