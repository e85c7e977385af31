"""What a gradient costs, by backpropagation and the naive way, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpxp.core.functional import cost, cost_and_gradients, forward
from mlpxp.instruments.counting import count_operations
from mlpxp.instruments.naive import naive_gradients

if TYPE_CHECKING:
    from typing import Any

    from mlpxp.arrays.standard import Array
    from mlpxp.core.network import Network, Parameters

__all__ = ["OperationCounts", "operation_counts"]


@dataclass(frozen=True)
class OperationCounts:
    """Operations on floating-point numbers, by what they are spent on.

    Attributes
    ----------
    forward : int
        One forward pass and its cost.
    backpropagation : int
        The cost and its gradients by a forward and a backward pass: O(mP) (K1).
    naive : int
        The gradients by moving each parameter by itself: O(mP²).
    method : str
        How each was moved; see :func:`mlpxp.naive_gradients`.
    n_parameters, n_examples : int
        P and m.
    """

    forward: int
    backpropagation: int
    naive: int
    method: str
    n_parameters: int
    n_examples: int


def operation_counts(network: Network, parameters: Parameters, X: Array, Y: Array, *, method: str = "central") -> OperationCounts:
    """Compute a gradient both ways on counting arrays, and return what each took.

    Parameters
    ----------
    network, parameters, X, Y
        As in :func:`mlpxp.backward`, of one network. The naive way really is run: it takes 2P forward passes.
    method : {"central", "forward", "complex", "dual"}
        As in :func:`mlpxp.naive_gradients`.

    Returns
    -------
    OperationCounts
        What an operation is, :mod:`mlpxp.instruments.counting` says.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other, or a stack.
    UnknownNameError, RangeError
        Another method, or one that the network's functions have no rule for.

    Examples
    --------
    >>> from mlpxp import Network, initialize
    >>> from mlpxp.textbook.teaching.examples import examples
    >>> network = Network((2, 2, 1))
    >>> counts = operation_counts(network, initialize(network, seed=0, dtype="float64"), *examples("xor"))
    >>> counts.backpropagation < 3 * counts.forward, counts.naive > 2 * counts.n_parameters * counts.forward
    (True, True)
    """
    naive = count_operations(naive_gradients, network, parameters, X, Y, method=method)  # first: it refuses what can't be done
    return OperationCounts(
        forward=count_operations(_forward_and_cost, network, parameters, X, Y).total,
        backpropagation=count_operations(cost_and_gradients, network, parameters, X, Y).total,
        naive=naive.total,
        method=method,
        n_parameters=network.n_parameters,
        n_examples=int(X.shape[-1]),
    )


def _forward_and_cost(network: Network, parameters: Parameters, X: Array, Y: Array) -> Any:
    return cost(network, forward(network, parameters, X), Y)
