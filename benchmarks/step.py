"""A training step on NumPy against the matrix products in it, side by side: what the library adds to BLAS.

The products alone are those of K2: forward Z_l = W_l A_{l-1}, backward delta_l A_{l-1}ᵀ and W_lᵀ delta_l. Both sides run in
turn on the same arrays; medians are reported. ``python benchmarks/step.py``
"""

import statistics
import time
from itertools import pairwise

import numpy as np

from mlpxp import GradientDescent, Network, forward, get_backend, initialize
from mlpxp.loop import TrainingStep

SHAPES = (  # sizes, batch, hidden, output, loss, repeats
    ((2, 3, 1), 4, "tanh", "sigmoid", "binary_cross_entropy", 4000),
    ((64, 100, 10), 200, "relu", "softmax", "cross_entropy", 1000),
    ((784, 256, 128, 10), 256, "relu", "softmax", "cross_entropy", 300),
    ((1024, 2048, 2048, 1000), 1024, "relu", "softmax", "cross_entropy", 15),
)


def measure(sizes: tuple[int, ...], m: int, hidden: str, output: str, loss: str, repeats: int) -> tuple[float, float]:
    """Return the medians of the seconds of the products alone and of a whole step."""
    network = Network(sizes, hidden=hidden, output=output, loss=loss)
    parameters = initialize(network, seed=0)
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((m, sizes[0]), dtype="float32")
    labels = generator.integers(0, max(sizes[-1], 2), m)
    targets = np.asarray(labels[:, None] == np.arange(sizes[-1]), dtype="float32")
    trace = forward(network, parameters, rows.T)
    deltas = [np.ones_like(passed.A) for passed in trace]
    layers = list(zip(parameters, trace, deltas, strict=True))

    def products() -> None:
        for layer, passed, _ in layers:
            layer.W @ passed.A_in
        for _, passed, delta in reversed(layers):
            delta @ passed.A_in.mT
        for (layer, _, delta), _ in pairwise(reversed(layers)):
            layer.W.mT @ delta

    optimizer = GradientDescent(0.01)
    step = TrainingStep(network, optimizer)
    state = (parameters, optimizer.start(parameters))
    inputs = (generator.permutation(m), np.asarray(0.01, dtype="float32"))

    def whole() -> None:
        step(state, inputs, rows, targets, None, None, None)

    fold_inputs = tuple(np.asarray(one)[None] for one in inputs)
    get_backend("numpy").fold(
        step, state, fold_inputs, rows, targets, None, None, None
    )  # as in training: freed memory is kept from here on
    times: dict[object, list[float]] = {products: [], whole: []}
    for function in (products, whole) * (2 + repeats):
        began = time.perf_counter()
        function()
        times[function].append(time.perf_counter() - began)
    return statistics.median(times[products][2:]), statistics.median(times[whole][2:])


if __name__ == "__main__":
    print("network                  batch   products        step   ratio")
    for sizes, m, *rest in SHAPES:
        alone, whole = measure(sizes, m, *rest)
        print(f"{'-'.join(map(str, sizes)):24} {m:5} {alone * 1e6:10,.0f} µs {whole * 1e6:8,.0f} µs  {whole / alone:5.2f}")
