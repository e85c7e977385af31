"""Makes the golden files that the present mlpxp can write: ``python tests/files/golden/make.py FOLDER``.

Those that are committed stay as they are: they are what later versions have to read. A new version adds files under new names. Not made
here: ``before-kinds.safetensors``, which ``mlpxp train xor --hidden 2 --activation tanh --epochs 3`` wrote in November 2026, when a file
didn't say yet what it holds.
"""

import sys
from pathlib import Path

import numpy as np

from mlpxp import Adam, History, Layer, Model, Network, Rows, Stop, TrainingResult, save, train
from mlpxp.core.optimizers import AdamState, MomentumState
from mlpxp.training.checkpoints import Checkpoints

NETWORK = Network((2, 3, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])


def numbered(first, dtype="float32", stack=()):
    """Parameters that are halves of whole numbers, counted from ``first``."""
    layers = []
    for n, n_in in NETWORK.shapes:
        arrays = []
        for shape in ((*stack, n, n_in), (*stack, n, 1)):
            arrays.append((first + np.arange(np.prod(shape))).reshape(shape).astype(dtype) / 2)
            first += arrays[-1].size
        layers.append(Layer(*arrays))
    return tuple(layers)


def model():
    return Model(NETWORK, numbered(0), metadata={"note": "é ☃", "n": [1, None]}, arrays={"mean": np.asarray([0.5, -0.25])})


def result():
    return TrainingResult(
        network=NETWORK,
        parameters=numbered(0, "float64"),
        history=History((0.7, 0.6), (0.8, 0.9), (0.5, 0.75), (0.25, 0.5), (0.1, 0.05)),
        stop=Stop.EARLY,
        best_epoch=1,
        last_parameters=numbered(20, "float64"),
        optimizer_state=AdamState(np.asarray(0.05), np.asarray(2.0), numbered(40, "float64"), numbered(60, "float64")),
        seed=7,
        restored_best=True,
    )


def stack():
    return TrainingResult(
        network=NETWORK,
        parameters=numbered(0, stack=(2,)),
        history=History(cost=((0.7, 0.6), (0.5, float("nan"))), seconds=(0.25, 0.5), learning_rate=(0.1, 0.1)),
        stop=(Stop.MAXIMUM, Stop.DIVERGED),
        best_epoch=(2, 1),
        last_parameters=numbered(0, stack=(2,)),
        optimizer_state=MomentumState(np.asarray(0.1, dtype="float32"), None),
        seed=0,
    )


def run(epochs=5, **options):
    """A run that a checkpoint was cut out of, in its third epoch."""
    return train(NETWORK, Rows(X.T), Y, optimizer=Adam(0.1), epochs=epochs, batch_size=1, dropout=0.25, **options)


def checkpoint(path):
    """Cut the run off after eleven checkpoints, one a batch and one an epoch: two epochs of four batches, and two of the third."""
    write, left = Checkpoints._write, [11]

    def written(self, kept):
        write(self, kept)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    Checkpoints._write = written
    try:
        run(checkpoint=path, every_seconds=0)
    finally:
        Checkpoints._write = write


def main(folder):
    """Write them all."""
    save(folder / "model.safetensors", model())
    save(folder / "result.safetensors", result())
    save(folder / "stack.safetensors", stack())
    checkpoint(folder / "run.ckpt")
    (folder / "run.ckpt.previous").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
