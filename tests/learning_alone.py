"""A training run that is the same wherever it is done; imports little, so that a process soon has it."""

import numpy as np

from mlpxp import Adam, Network, get_backend, train
from mlpxp.arrays.standard import tree_leaves, tree_map

NETWORK = Network((4, 6, 3), hidden="tanh", output="softmax", loss="cross_entropy")


def examples(seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(4, 90)), np.eye(3)[random.integers(0, 3, 90)].T


def learn(library, seed, dtype="float64"):
    """Train, and return the parameters as bytes."""
    X, Y = (library.asarray(array, dtype=dtype) for array in examples(seed))
    result = train(NETWORK, X, Y, optimizer=Adam(0.01), epochs=20, batch_size=16, seed=seed, dropout=0.1)
    return b"".join(np.ascontiguousarray(leaf).tobytes() for leaf in tree_leaves(tree_map(library.to_numpy, result.parameters)))


def on_numpy(seed):
    """The same, on NumPy."""
    return learn(get_backend("numpy"), seed)
