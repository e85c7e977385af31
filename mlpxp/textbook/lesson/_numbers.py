"""One example's numbers: what goes in, every step of its walkthrough, and in the naive way the gradients without an error signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlpxp.core.network import Network, Parameters
from mlpxp.instruments.naive import naive_gradients
from mlpxp.textbook.teaching.walkthrough import walk_through

__all__ = ["Quantity", "numbers_of"]

_NAIVE = "∂C/∂{w} ≈ (C({w} + h) - C({w} - h)) / 2h, one {w} after the other"


@dataclass(frozen=True)
class Quantity:
    """One equation, and what it is worth for one example.

    Attributes
    ----------
    name : str
        ``"Z1"``, ``"A1"``, ``"C"``, ``"delta1"``, ``"∂C/∂W1"``, ``"∂C/∂b1"``; ``"A0"`` is the input and ``"Y"`` the target.
    tag : str
        F1, F2, C1 to C3, B1 to B4, or K1; empty for what is given.
    equation : str
    values : array, shape (n_l, 1) or (n_l, n_{l-1}); () for C
    """

    name: str
    tag: str
    equation: str
    values: Any


def numbers_of(network: Network, parameters: Parameters, X: Any, Y: Any, *, method: str = "backpropagation") -> tuple[Quantity, ...]:
    """Return every number of one forward and one backward pass of one example, in the order in which they are computed.

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
    X, Y : array, shapes (n_0, 1) and (n_L, 1)
    method : {"backpropagation", "naive"}
        Naive differentiation has no delta: its gradients come from forward passes alone.
    """
    found = [Quantity("A0", "", "A_0 = X, the example", X)]
    for step in walk_through(network, parameters, X, Y).steps:
        if step.tag.startswith("C"):
            found.append(Quantity("Y", "", "Y, the target", Y))
        if step.tag != "G1" and (method != "naive" or not step.tag.startswith("B")):
            found.append(Quantity(step.name, step.tag, step.equation, step.values))
    if method == "naive":
        for l, gradient in reversed(list(enumerate(naive_gradients(network, parameters, X, Y), start=1))):
            found += [Quantity(f"∂C/∂W{l}", "K1", _NAIVE.format(w=f"w_{l}"), gradient.W)]
            found += [Quantity(f"∂C/∂b{l}", "K1", _NAIVE.format(w=f"b_{l}"), gradient.b)]
    return tuple(found)
