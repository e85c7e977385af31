"""Kill training runs and saves at random moments, and look at what is left: ``python tests/soak/kill.py``.

Each child is forked when everything is imported, and killed by SIGKILL. The file must then load, and be the old or the new one; a killed
run must go on to the bits of a run that wasn't killed. Prints a row of a table for each sort, and leaves with 1 if anything was wrong.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from mlpxp import Adam, Model, Network, Rows, initialize, load, save, train
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.files.checkpoint_file import look_at_checkpoint

NETWORK = Network((8, 16, 3), hidden="tanh", output="softmax", loss="cross_entropy")
LARGE = Network((300, 300, 1))
EPOCHS, M = 3, 48


def trained(path=None):
    """A short run whose epochs are six folds, and which writes a checkpoint after each."""
    draw = np.random.default_rng(0)
    X, Y = draw.standard_normal((M, 8)), np.eye(3)[:, draw.integers(0, 3, M)]
    options = {} if path is None else {"checkpoint": path, "every_seconds": 0, "resume": True}
    result = train(NETWORK, Rows(X), Y, optimizer=Adam(0.05), epochs=EPOCHS, batch_size=8, dropout=0.2, **options)
    return [leaf.tobytes() for leaf in tree_leaves((result.parameters, result.optimizer_state))], result.history.cost


def killed(work, seconds):
    """Fork a child that does the work, and kill it after this time; return whether it was still at it."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def leftovers(folder):
    return len(list(folder.glob(".mlpxp-*.tmp")))


def kill_runs(folder, n, draw, end):
    """Kill up to n runs once each, and resume them; begin no more at the time ``end``."""
    whole, path, seen = trained(), folder / "run.ckpt", Counter()
    begun = time.perf_counter()
    trained(path)
    longest = time.perf_counter() - begun
    while seen["times"] < n and time.perf_counter() < end:
        for file in folder.iterdir():
            file.unlink()
        if not killed(lambda: trained(path), draw.uniform(0.0, longest)):
            continue  # it had ended
        seen["times"] += 1
        seen["in a write"] += leftovers(folder) > 0
        if path.exists():
            load(path)
            stands = look_at_checkpoint(path)
            seen["within an epoch" if stands.batches else "between epochs"] += 1
        else:
            seen["before the first checkpoint"] += 1
        seen["same bits"] += trained(path) == whole
        seen["clean folder"] += {file.name for file in folder.iterdir()} == {"run.ckpt", "run.ckpt.previous"}
    return seen, seen["same bits"] == seen["clean folder"] == seen["times"] > 0


def kill_saves(folder, n, draw, end):
    """Kill up to n savers once each; a saver writes two models by turns."""
    path, seen, parent = folder / "model.safetensors", Counter(), os.getpid()
    models = [Model(LARGE, tree_map(lambda leaf, value=value: leaf * 0 + value, initialize(LARGE, seed=0))) for value in (1.0, 2.0)]
    save(path, models[0])

    def work():
        while os.getppid() == parent:  # nobody would kill it any more
            for model in reversed(models):
                save(path, model)

    while seen["times"] < n and time.perf_counter() < end:
        seen["times"] += 1
        assert killed(work, draw.uniform(0.0, 0.05))
        seen["in a write"] += leftovers(folder) > 0
        found = {float(value) for leaf in tree_leaves(load(path).parameters) for value in np.unique(leaf)}
        seen["old or new"] += found in ({1.0}, {2.0})
        for file in folder.glob(".mlpxp-*.tmp"):
            file.unlink()
    return seen, seen["old or new"] == seen["times"] > 0


def main():
    """Do both, and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--saves", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=800.0, help="kill no more after so long; savers have a tenth of it")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    begun = time.perf_counter()
    warnings.simplefilter("error")
    draw, right = random.Random(asked.seed), True
    print("| killed | times | outcomes | seconds |\n|---|---|---|---|")
    kinds = (("training with checkpoints", asked.runs, kill_runs, 0.9), ("save", asked.saves, kill_saves, 1.0))
    for what, most, kill, share in kinds:
        with tempfile.TemporaryDirectory() as folder:
            first = time.perf_counter()
            seen, good = kill(Path(folder), most, draw, begun + share * asked.seconds)
            times = seen.pop("times", 0)
            told = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
            print(f"| {what}, killed | {times} | {told} | {time.perf_counter() - first:.0f} |", flush=True)
            right = right and good
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
