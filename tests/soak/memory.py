"""What JAX's compiled programs keep of memory, in a fresh process: networks trained in turn, and predictions of many row counts."""

import sys
import time
from pathlib import Path

import numpy as np

import mlpxp

NETWORKS, ROWS = 25, 40
ALL, MORE = 700.0, 100.0  # MB: of the process after the networks, and what the row counts may add


def resident():
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


def trained(X, Y):
    for width in range(8, 8 + NETWORKS):
        network = mlpxp.Network((20, width, 3), "tanh", "softmax", "cross_entropy")
        result = mlpxp.train(network, X[:, :200], Y[:, :200], optimizer=mlpxp.Adam(0.01), epochs=2, batch_size=32, backend="jax")
    return network, result.parameters


def main():
    draw = np.random.default_rng(0)
    X, Y = draw.standard_normal((20, 4000)).astype("float32"), np.eye(3, dtype="float32")[:, draw.integers(0, 3, 4000)]
    started = time.monotonic()
    network, parameters = trained(X, Y)
    after = resident()
    library, few = mlpxp.get_backend("jax"), draw.permutation(np.linspace(1, 4000, ROWS).astype(int))
    for m in few:
        library.to_numpy(mlpxp.predict(network, parameters, library.asarray(X[:, :m])))
    more = resident() - after
    seconds = time.monotonic() - started
    print("| what | times | outcomes | seconds |", "|---|---|---|---|", sep="\n")
    print(f"| JAX's programs: networks, then row counts | {NETWORKS}, {ROWS} | {after:.0f} MB, {more:.0f} MB more | {seconds:.0f} |")
    if after > ALL or more > MORE:
        sys.exit(f"at most {ALL:.0f} MB and {MORE:.0f} MB more were wanted, got {after:.0f} and {more:.0f}")


if __name__ == "__main__":
    main()
