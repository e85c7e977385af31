"""What is measured: families of networks in which one thing grows, data for them, and a pass over them as a backend runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.standard import device_like
from mlpxp.core.functional import cost_and_gradients
from mlpxp.core.network import Network, Parameters, initialize
from mlpxp.core.propagation import backward, cost, forward

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["FAMILIES", "Family", "Problem", "classifier", "formula_of_gradient", "make_problem", "naive_passes"]


@dataclass(frozen=True)
class Problem:
    """A network, and what it is run on.

    Attributes
    ----------
    library : Backend
    network : Network
    parameters : tuple of Layer
    X, Y : array (n_0, m), (n_L, m)
    """

    library: Backend
    network: Network
    parameters: Parameters
    X: Any
    Y: Any

    @property
    def m(self) -> int:
        return int(self.X.shape[-1])

    def cost(self) -> Any:
        """Run one forward pass, as the backend runs a fold of one step, and wait for the cost."""
        return self._fold(_Cost(self.network))

    def gradient(self) -> Any:
        """Run one forward and one backward pass, as the backend runs a fold of one step, and wait for them."""
        return self._fold(_Gradient(self.network))

    @cached_property
    def _once(self) -> Any:
        """The input of a fold of one step. Made once: JAX takes longer to move it than to run a small network."""
        return self.library.asarray(np.zeros(1), dtype="float32", **device_like(self.X))

    def gradient_called(self) -> None:
        """Run the same by calling it, operation by operation where the library computes at once, and wait for it."""
        cost_and_gradients(self.network, self.parameters, self.X, self.Y)
        self.library.synchronize()

    def _fold(self, step: Callable[..., Any]) -> Any:
        _, costs = self.library.fold(step, self.parameters, self._once, self.parameters, self.X, self.Y)
        return self.library.to_numpy(costs)


@dataclass(frozen=True)
class _Cost:
    network: Network
    pure = property(lambda self: not self.network.undeclared)

    def __call__(self, state: Any, _: Any, parameters: Parameters, X: Any, Y: Any) -> tuple[Any, Any]:
        return state, cost(self.network, forward(self.network, parameters, X), Y)


@dataclass(frozen=True)
class _Gradient:
    network: Network
    pure = property(lambda self: not self.network.undeclared)

    def __call__(self, _state: Any, _: Any, parameters: Parameters, X: Any, Y: Any) -> tuple[Any, Any]:
        trace = forward(self.network, parameters, X)
        return backward(self.network, parameters, trace, Y), cost(self.network, trace, Y)


def classifier(sizes: Sequence[int], hidden: str = "tanh") -> Network:
    """Return a network with a softmax output and cross-entropy; with one output, a sigmoid and binary cross-entropy."""
    pair = ("sigmoid", "binary_cross_entropy") if tuple(sizes)[-1:] == (1,) else ("softmax", "cross_entropy")
    return Network(sizes, hidden, *pair)


def make_problem(network: Network, m: int, *, backend: str = "numpy", device: str | None = None, dtype: str = "float32") -> Problem:
    """Draw parameters, inputs and classes from one seed and put them on a backend."""
    library = get_backend(backend)
    draw = np.random.default_rng(0)
    X = draw.standard_normal((network.sizes[0], m))
    Y = np.eye(network.sizes[-1])[:, draw.integers(0, network.sizes[-1], m)]
    put = [library.asarray(array, dtype=dtype, device=device) for array in (X, Y)]
    return Problem(library, network, initialize(network, seed=0, backend=library, dtype=dtype, device=device), *put)


@dataclass(frozen=True)
class Family:
    """Networks that grow.

    Attributes
    ----------
    grows : str
        What n is.
    sizes : callable
        The sizes at n.
    counted, counted_quick : tuple of int
        The n at which operations are counted.
    """

    grows: str
    sizes: Callable[[int], tuple[int, ...]]
    counted: tuple[int, ...]
    counted_quick: tuple[int, ...]


FAMILIES = {
    "one width": Family(
        "the hidden layer of 32-n-32", lambda n: (32, n, 32), (1, 2, 4, 8, 16, 64, 256, 1024, 4096, 16384), (1, 2, 4, 8, 32, 128, 512)
    ),
    "all widths": Family("every layer of n-n-n", lambda n: (n, n, n), (2, 4, 8, 16, 32, 64, 128, 256, 512), (2, 4, 8, 16, 32, 64, 128)),
    "depth": Family("the depth of 8-8-...-8", lambda n: (8,) * (n + 2), (1, 2, 4, 8, 16, 32, 64), (1, 2, 4, 8, 16, 32)),
}


def formula_of_gradient(network: Network, m: int) -> int:
    """Return the operations in the matrix products of a gradient by K2's formula; it is what the counts are held against."""
    forward_pass = 2 * m * sum(n * n_in for n, n_in in network.shapes)
    n, n_in = network.shapes[0]
    return 3 * forward_pass - 2 * m * n * n_in  # the errors below layer 1 are not needed


def naive_passes(network: Network, method: str) -> int:
    """Return how many forward passes a naive method makes by K2."""
    return {"forward": network.n_parameters + 1, "central": 2 * network.n_parameters}.get(method, network.n_parameters)
