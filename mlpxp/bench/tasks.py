"""The same training for everybody: the data, the start, the order of the batches; and ``train``'s own loop, an epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays import draws
from mlpxp.arrays.standard import device_of, tree_leaves, tree_map
from mlpxp.bench.problems import classifier
from mlpxp.core.network import Network, Parameters, initialize
from mlpxp.core.optimizers import Adam, GradientDescent
from mlpxp.runs.history import History
from mlpxp.runs.snapshot import Snapshot
from mlpxp.runs.stopping import Watched
from mlpxp.training.batches import Batches
from mlpxp.training.loop import Loop
from mlpxp.training.prepare import longest_fold
from mlpxp.training.step import Inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.arrays.backend import Backend

__all__ = ["EPSILON", "OPTIMIZERS", "Rival", "Task", "Training", "make_task", "operands"]

EPSILON = 1e-14  # of Adam: so small that it does not matter whether it stands beside √v or beside the corrected √v̂, as PyTorch has it
OPTIMIZERS: dict[str, tuple[Callable[[float], Any], float]] = {
    "sgd": (GradientDescent, 0.01),
    "adam": (partial(Adam, epsilon=EPSILON), 0.001),
}


@dataclass(frozen=True)
class Task:
    """A training: softmax and cross-entropy (with one output sigmoid and binary cross-entropy), plain gradient descent or Adam.

    Attributes
    ----------
    network : Network
    start : tuple of Layer
        NumPy's; one network, or a stack of k.
    X : ndarray (m, n_0)
        One example a row, as everybody but us has them.
    labels : ndarray (m,), int64
    size : int
        Examples in a batch; m is a multiple of it.
    hidden : str
        The activation of the hidden layers.
    rate : float
        η.
    optimizer : {"sgd", "adam"}
        Adam with its usual β and an ε next to nothing.
    dtype : {"float32", "float64"}
        Of the parameters, of X and of the targets.
    """

    network: Network
    start: Parameters
    X: Any
    labels: Any
    size: int
    hidden: str = "relu"
    rate: float = 0.01
    optimizer: str = "sgd"
    dtype: str = "float32"

    @cached_property
    def one_hot(self) -> Any:
        """The targets (m, n_L); of one output the labels themselves, 0 and 1."""
        n = self.network.sizes[-1]
        return np.asarray(self.labels[:, None] == (np.arange(n) if n > 1 else 1), dtype=self.dtype)

    @property
    def members(self) -> int:
        """How many networks are trained at once."""
        return math.prod(self.start[0].W.shape[:-2])

    def rows(self, number: int) -> Any:
        """The examples of each batch of epoch ``number``, (batches, size), int64: those that ``train`` draws with the seed 0."""
        return draws.batch_order(0, number, self.X.shape[0]).reshape(-1, self.size)


def make_task(
    sizes: Sequence[int],
    size: int,
    batches: int,
    hidden: str = "relu",
    *,
    optimizer: str = "sgd",
    dtype: str = "float32",
    start: Parameters | None = None,
) -> Task:
    """Draw a task from one seed: the same numbers in both dtypes. ``start`` is where to begin instead, one network or a stack."""
    network = classifier(sizes, hidden)
    generator, m = np.random.default_rng(0), size * batches
    X = generator.standard_normal((m, sizes[0]), dtype=np.float32).astype(dtype, copy=False)
    labels = generator.integers(0, max(2, sizes[-1]), m)
    start = initialize(network, seed=0, dtype=dtype) if start is None else start
    _, rate = OPTIMIZERS[optimizer]
    return Task(network, start, X, labels, size, hidden, rate, optimizer, dtype)


def operands(task: Task) -> list[tuple[Any, Any]]:
    """Return what a step multiplies (K2): W_l A_{l-1} on the way up, delta_l A_{l-1}ᵀ and W_lᵀ delta_l on the way down.

    A stack's members share A_0.
    """
    drawn = np.random.default_rng(0)
    W = [layer.W for layer in task.start]
    stacked = W[0].shape[:-2]
    shapes = [((*stacked, n, task.size) if number else (n, task.size)) for number, n in enumerate(task.network.sizes)]
    A = [drawn.standard_normal(shape, dtype=np.float32).astype(task.dtype, copy=False) for shape in shapes]
    up = list(zip(W, A[:-1], strict=True))
    weights = [(delta, A_in.mT) for A_in, delta in pairwise(A)]
    errors = [(above.mT, delta) for above, delta in zip(W[1:], A[2:], strict=True)]
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
        rule, _ = OPTIMIZERS[task.optimizer]
        optimizer = rule(task.rate)
        self.library = library
        self._batch = X[: task.size, :], Y[: task.size, :]
        self._loop = Loop(
            task.network,
            library,
            optimizer,
            Snapshot.at_start((parameters, optimizer.start(parameters)), History(), Watched.nothing(task.members)),
            (X, Y, None),
            batches=Batches(m=len(task.X), size=task.size, seed=0, longest=longest_fold(task.network, task.members * task.size)),
        )
        self._rate = self._loop.feed.array([task.rate])

    def step(self) -> None:
        """Make one update on the first batch as it is, as a fold of one step, and wait for it."""
        loop = self._loop
        state, costs = self.library.fold(loop.step, loop.now.state, Inputs(None, self._rate), *self._batch, None, None)
        loop.now = loop.now._replace(state=state)
        self.library.to_numpy(costs)

    def epoch(self, number: int) -> float:
        """Train epoch ``number`` and return its cost, a stack's mean: batches drawn and moved, updates, the cost read, note taken."""
        self._loop._updates(number, math.inf)
        self._loop._report(number, number, ())
        return sum(self._loop.costs) / len(self._loop.costs)

    @property
    def costs(self) -> list[float]:
        """The last epoch's, one of each member."""
        return self._loop.costs

    def parameters(self) -> list[Any]:
        """W and b of each layer, on the host."""
        return [self.library.to_numpy(leaf) for leaf in tree_leaves(self._loop.now.state[0])]


@dataclass(frozen=True)
class Rival:
    """One who trains.

    Attributes
    ----------
    name : str
    step : callable
        Makes one update on the first batch, reads its cost, and returns when it has it.
    epoch : callable
        Trains epoch ``number`` and returns its mean cost.
    parameters : callable
        Returns W (n_l, n_{l-1}) and b of each layer, on the host.
    """

    name: str
    step: Callable[[], object]
    epoch: Callable[[int], float]
    parameters: Callable[[], Sequence[Any]]
