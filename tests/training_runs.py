"""Small runs that the tests of the training share: data, a network, a callback that listens, and the loop by hand."""

import numpy as np

import mlpxp
from mlpxp import Adam, AdamW, GradientDescent, Network
from mlpxp.arrays import draws
from mlpxp.arrays.standard import tree_leaves, tree_map

NETWORK = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
LINE = Network((1, 1), output="identity", loss="mse")


def data(seed=0, m=10, dtype="float64"):
    draw = np.random.default_rng(seed)
    return draw.standard_normal((3, m)).astype(dtype), np.eye(2, dtype=dtype)[:, draw.integers(0, 2, m)]


def start(seed=0, dtype="float64"):
    return mlpxp.initialize(NETWORK, seed=seed, dtype=dtype)


def listed(tree):
    return [leaf.tolist() for leaf in tree_leaves(tree)]


def assert_close(tree, wanted, rtol=1e-12):
    for got, reference in zip(tree_leaves(tree), tree_leaves(wanted), strict=True):
        assert got.shape == reference.shape
        assert np.abs(got - reference).max() <= rtol * np.abs(reference).max()


def is_finite(tree):
    return all(np.all(np.isfinite(leaf)) for leaf in tree_leaves(tree))


class Recorder:
    """A callback that keeps the parameters after each epoch, and all that it was told."""

    def __init__(self, to_host=lambda tree: tree):
        self.to_host, self.events, self.parameters = to_host, [], []

    def __call__(self, event):
        self.events.append(event)
        self.parameters.append(tree_map(np.copy, self.to_host(event.parameters)))


def by_hand(parameters, X, Y, optimizer, epochs, *, size=None, seed=0, weights=None):
    """G2 in a plain loop: the parameters after the last epoch, and each epoch's mean cost."""
    state, costs, m = optimizer.start(parameters), [], X.shape[1]
    for epoch in range(1, epochs + 1):
        order = np.arange(m) if size is None else draws.batch_order(seed, epoch, m)
        total = spent = 0.0
        for first in range(0, m, size or m):
            rows = order[first : first + (size or m)]
            w = None if weights is None else weights[rows]
            weight = len(rows) if w is None else w.sum()
            if weight == 0.0:
                continue
            cost, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X[:, rows], Y[:, rows], w)
            parameters, state = optimizer.update(parameters, gradients, state)
            total += weight * float(cost)
            spent += weight
        costs.append(total / spent)
    return parameters, costs, state


OPTIMIZERS = [
    GradientDescent(0.1),
    GradientDescent(0.1, momentum=0.9),
    GradientDescent(0.1, momentum=0.9, nesterov=True),
    Adam(0.05),
    AdamW(0.05),
]
