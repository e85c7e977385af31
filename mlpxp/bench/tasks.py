"""The same training for everybody: the data, the start, the order of the batches; and ``train``'s own loop, an epoch at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp import draws
from mlpxp.arrays import device_of, tree_leaves, tree_map
from mlpxp.batches import Batches
from mlpxp.bench.problems import classifier
from mlpxp.history import History
from mlpxp.loop import Loop
from mlpxp.network import Network, Parameters, initialize
from mlpxp.optimizers import GradientDescent
from mlpxp.standing import Standing
from mlpxp.step import Inputs
from mlpxp.stopping import Watch
from mlpxp.training import longest_fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.backend import Backend

__all__ = ["Task", "Training", "make_task", "operands"]


@dataclass(frozen=True)
class Task:
    """A training: softmax and cross-entropy, plain gradient descent, float32.

    Attributes
    ----------
    network : Network
    start : tuple of Layer
        NumPy's.
    X : ndarray (m, n_0)
        One example a row, as everybody but us has them.
    labels : ndarray (m,), int64
    size : int
        Examples in a batch; m is a multiple of it.
    hidden : str
        The activation of the hidden layers.
    rate : float
        η.
    """

    network: Network
    start: Parameters
    X: Any
    labels: Any
    size: int
    hidden: str = "relu"
    rate: float = 0.01

    @cached_property
    def one_hot(self) -> Any:
        """The targets (m, n_L)."""
        return np.asarray(self.labels[:, None] == np.arange(self.network.sizes[-1]), dtype=np.float32)

    def rows(self, number: int) -> Any:
        """The examples of each batch of epoch ``number``, (batches, size), int64: those that ``train`` draws with the seed 0."""
        return draws.batch_order(0, number, self.X.shape[0]).reshape(-1, self.size)


def make_task(sizes: Sequence[int], size: int, batches: int, hidden: str = "relu") -> Task:
    """Draw a task from one seed."""
    network = classifier(sizes, hidden)
    generator, m = np.random.default_rng(0), size * batches
    X = generator.standard_normal((m, sizes[0]), dtype=np.float32)
    return Task(network, initialize(network, seed=0), X, generator.integers(0, sizes[-1], m), size, hidden)


def operands(task: Task) -> list[tuple[Any, Any]]:
    """Return what a step multiplies (K2): W_l A_{l-1} on the way up, delta_l A_{l-1}ᵀ and W_lᵀ delta_l on the way down."""
    drawn = np.random.default_rng(0)
    A = [drawn.standard_normal((n, task.size), dtype=np.float32) for n in task.network.sizes]
    W = [layer.W for layer in task.start]
    up = list(zip(W, A[:-1], strict=True))
    weights = [(delta, A_in.T) for A_in, delta in pairwise(A)]
    errors = [(above.T, delta) for above, delta in zip(W[1:], A[2:], strict=True)]
    return [*up, *weights, *errors]


class Training:
    """What ``train`` does in an epoch, without what it does before the first one.

    Parameters
    ----------
    task : Task
    library : Backend
    device : str, optional
    """

    def __init__(self, task: Task, library: Backend, device: str | None = None) -> None:
        X, Y = (library.asarray(rows, device=device) for rows in (task.X, task.one_hot))
        parameters = tree_map(partial(library.asarray, device=device_of(X)), task.start)
        optimizer = GradientDescent(task.rate)
        self.library = library
        self._batch = X[: task.size, :], Y[: task.size, :]
        self._loop = Loop(
            task.network,
            library,
            optimizer,
            Standing.at_start((parameters, optimizer.start(parameters)), History(), Watch.over(1, None, None, ())),
            (X, Y, None),
            batches=Batches(m=len(task.X), size=task.size, seed=0, longest=longest_fold(task.network, task.size)),
        )
        self._rate = self._loop.feed.array([task.rate])

    def step(self) -> None:
        """Make one update on the first batch as it is, as a fold of one step, and wait for it."""
        loop = self._loop
        loop.state, costs = self.library.fold(loop.step, loop.state, Inputs(None, self._rate), *self._batch, None, None)
        self.library.to_numpy(costs)

    def epoch(self, number: int) -> float:
        """Train epoch ``number`` and return its cost: batches drawn and moved, updates, the cost read, note taken."""
        self._loop._updates(number, math.inf)
        self._loop._report(number, number, ())
        return self._loop.costs[0]

    def parameters(self) -> list[Any]:
        """W and b of each layer, on the host."""
        return [self.library.to_numpy(leaf) for leaf in tree_leaves(self._loop.state[0])]
