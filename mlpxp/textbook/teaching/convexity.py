"""In which parameters a cost is convex, shown by its Hessian.

For one layer, Z = W X + b, write x̃ = (x, 1) and θ = (W, b), unit by unit. Then ∂²C/∂θ² = 1/m Σ_i K_i ⊗ x̃_i x̃_iᵀ, where K_i is the second
derivative of the loss of example i in its z. With a natural pairing K_i = ∂a/∂z:

=================================  ===========================================  =======================================
output and loss                    K                                            convex in (W, b) of one layer
=================================  ===========================================  =======================================
identity, mse (C1)                 I                                            yes: linear regression
sigmoid, binary cross-entropy (C2) a(1 - a)                                     yes: logistic regression
softmax, cross-entropy (C3)        diag(a) - a aᵀ                               yes: multinomial logistic regression
exp, poisson                       a                                            yes: Poisson regression
sigmoid, mse                       a(1 - a)[a(1 - a) + (a - y)(1 - 2a)]         no: below 0 for y = 0 where a > 2/3
=================================  ===========================================  =======================================

Where K = R Rᵀ the Hessian is F Fᵀ with the blocks R_i ⊗ x̃_i / √m side by side in F, and vᵀ(∂²C/∂θ²)v = ‖Fᵀv‖² ≥ 0 whatever v. It is the
pairing that counts, not the loss alone: the mean squared error is convex in a linear layer and not in a logistic one. With a hidden
layer none is: two of its units can be swapped without changing the function, and a convex cost is no higher between two minima.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.draws import check_seed
from mlpxp.arrays.scalars import POSITIVE, real_number, whole_number
from mlpxp.core.activations import exp, identity, sigmoid, softmax
from mlpxp.core.functional import forward
from mlpxp.core.losses import mse
from mlpxp.core.network import Layer, Network, Parameters
from mlpxp.errors import PairingError, RangeError
from mlpxp.textbook.teaching._ranges import matrix
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.segments import Segment, cost_along, host_parameters, swap_units

__all__ = ["Convexity", "hessian", "hessian_factor", "swapped_minima", "try_convexity"]

_CONVEX = (identity, sigmoid, softmax, exp)  # each with the loss that it is the natural pairing of
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Convexity:
    """What :func:`try_convexity` found.

    Attributes
    ----------
    network : Network
    smallest, largest : ndarray, shape (points,)
        The smallest and the largest eigenvalue of the Hessian at each point.
    segments : tuple of Segment
        Each from one of the points to another.
    counterexample : Segment or None
        Where the curvature is negative: the cost along the eigenvector of the lowest eigenvalue, above its chord.
    """

    network: Network
    smallest: NDArray[Any]
    largest: NDArray[Any]
    segments: tuple[Segment, ...]
    counterexample: Segment | None

    @property
    def convex(self) -> bool:
        """Whether nothing speaks against it, rounding aside."""
        return self.counterexample is None and all(segment.convex for segment in self.segments)


def hessian(network: Network, parameters: Parameters, X: Any, Y: Any) -> NDArray[Any]:
    """Return the second derivatives of the cost of one layer in closed form.

    Parameters
    ----------
    network : Network
        Without a hidden layer; a pairing of the table above.
    parameters : tuple of one Layer
    X : ndarray, shape (n_0, m)
    Y : ndarray, shape (n_1, m)

    Returns
    -------
    ndarray, shape (P, P)
        In the order of the units: the weights of the first, its bias, the weights of the second, ...; float64.

    Raises
    ------
    PairingError
        The network has hidden layers, or output and loss are none of those.
    ShapeError, DataError
        Arrays that don't fit the network.
    RangeError
        The outputs overflow (exp).
    """
    X, Y = matrix("X", X), matrix("Y", Y)
    A = _outputs(network, parameters, X, Y)
    n, m = A.shape
    if network.natural and network.output == softmax:
        K = (np.eye(n) - 1.0)[:, :, None] * (A[:, None] * A[None])
        K -= np.eye(n)[:, :, None] * K.sum(axis=1, keepdims=True)  # a_k(1 - a_k) = Σ_{j≠k} a_k a_j, which doesn't cancel where a_k is 1
    else:
        K = np.eye(n)[:, :, None] * _curvatures(network, A, Y)[:, None]
    X1 = np.vstack([X, np.ones((1, m))])
    with np.errstate(over="ignore"):
        H: NDArray[Any] = np.einsum("kli,pi,qi->kplq", K, X1, X1, optimize=True).reshape(n * len(X1), -1) / m
    _check_no_overflow(network, H)
    return H


def hessian_factor(network: Network, parameters: Parameters, X: Any, Y: Any) -> NDArray[Any]:
    """Return F with F Fᵀ = :func:`hessian`, which proves that it is positive semidefinite.

    Parameters
    ----------
    network : Network
        Without a hidden layer; output and loss are a natural pairing.
    parameters, X, Y
        As in :func:`hessian`.

    Returns
    -------
    ndarray, shape (P, n_1 m)

    Raises
    ------
    PairingError
        The network has hidden layers, or output and loss are no natural pairing.
    ShapeError, DataError
        Arrays that don't fit the network.
    """
    X, Y = matrix("X", X), matrix("Y", Y)
    if not network.natural:
        raise PairingError(f"only a natural pairing has a factor, got {network.output.name} with {network.loss.name}")
    A = _outputs(network, parameters, X, Y)
    n, m = A.shape
    if network.output == softmax:  # R = diag(√a) - a √aᵀ, since √aᵀ√a = 1
        R = np.eye(n)[:, :, None] * np.sqrt(A)[:, None] - A[:, None] * np.sqrt(A)[None]
    else:
        R = np.eye(n)[:, :, None] * np.sqrt(_curvatures(network, A, Y))[:, None]
    X1 = np.vstack([X, np.ones((1, m))])
    return np.einsum("kri,pi->kpri", R, X1).reshape(n * len(X1), n * m) / np.sqrt(m)  # type: ignore[no-any-return]


def try_convexity(
    network: Network, X: Any, Y: Any, *, points: int = 100, segments: int = 100, spread: float = 3.0, seed: int = 0
) -> Convexity:
    """Look for negative curvature at random parameters of one layer, and for costs above their chord between them.

    Parameters
    ----------
    network, X, Y
        As in :func:`hessian`.
    points, segments : int, default 100
        How many of each.
    spread : float, default 3
        The standard deviation of the weights and biases.
    seed : int, default 0

    Returns
    -------
    Convexity

    Raises
    ------
    PairingError
        The network has hidden layers, or a pairing that isn't in the table.
    RangeError, ShapeError, DataError
        A number out of its range, or arrays that don't fit the network.
    """
    X, Y = matrix("X", X), matrix("Y", Y)
    random = np.random.default_rng(check_seed(seed))
    n, n_in = network.shapes[0]
    spread = real_number("spread", spread, POSITIVE)
    thetas = spread * random.standard_normal((whole_number("points", points, least=2), n, n_in + 1))
    eigen = [np.linalg.eigh(hessian(network, _layer(theta), X, Y)) for theta in thetas]
    smallest, largest = (np.asarray([values[end] for values, _ in eigen]) for end in (0, -1))
    pairs = [random.choice(len(thetas), 2, replace=False) for _ in range(whole_number("segments", segments))]
    found = tuple(cost_along(network, _layer(thetas[a]), _layer(thetas[b]), X, Y) for a, b in pairs)
    return Convexity(network, smallest, largest, found, _counterexample(network, thetas, eigen, X, Y))


def swapped_minima() -> Segment:
    """Return the cost between two networks that are XOR, the second of which is the first with its hidden units swapped.

    The first is ŷ = relu(x_1 + x_2) - 2 relu(x_1 + x_2 - 1), 2-2-1 (Goodfellow, Bengio and Courville 2016, section 6.1). Both have the
    mean squared error 0, which none is below. Half-way lies ŷ = -relu(x_1 + x_2 - ½), whose two units are one and the same: its cost is
    27/32. For a network of your own it is ``cost_along(network, parameters, swap_units(parameters), X, Y)``.

    Returns
    -------
    Segment

    Examples
    --------
    >>> segment = swapped_minima()
    >>> [segment.cost[i].item() for i in (0, 50, 100)]
    [0.0, 0.84375, 0.0]
    """
    network = Network((2, 2, 1), hidden="relu", output="identity", loss="mse")
    hidden = Layer(W=np.ones((2, 2)), b=np.asarray([[0.0], [-1.0]]))
    minimum = (hidden, Layer(W=np.asarray([[1.0, -2.0]]), b=np.zeros((1, 1))))
    return cost_along(network, minimum, swap_units(minimum), *examples("xor"))


def _outputs(network: Network, parameters: Parameters, X: NDArray[Any], Y: NDArray[Any]) -> NDArray[Any]:
    if network.hidden:
        raise PairingError(f"the Hessian has a closed form for one layer, got the sizes {network.sizes}: with more see swapped_minima")
    if not ((network.natural and network.output in _CONVEX) or _is_logistic_with_mse(network)):
        known = ", ".join(activation.name for activation in _CONVEX)
        raise PairingError(
            f"the Hessian has a closed form here for {known} with their natural losses and for sigmoid with mse, "
            f"got {network.output.name} with {network.loss.name}"
        )
    with np.errstate(over="ignore"):
        A: NDArray[Any] = forward(network, host_parameters(network, parameters, X, Y), X)[-1].A
    _check_no_overflow(network, A)
    return A


def _check_no_overflow(network: Network, values: NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        raise RangeError(f"the Hessian must be finite, got an overflow of {network.output.name}: X or the parameters are too large")


def _is_logistic_with_mse(network: Network) -> bool:
    return network.output == sigmoid and network.loss == mse


def _curvatures(network: Network, A: NDArray[Any], Y: NDArray[Any]) -> NDArray[Any]:
    """∂²ℓ/∂z² of each output of each example, where an output depends on its own z alone."""
    slope: NDArray[Any] = network.output.derivative(None, A)
    return slope if network.natural else slope * (slope + (A - Y) * (1.0 - 2.0 * A))


def _layer(theta: NDArray[Any]) -> Parameters:
    """(W, b), unit by unit, as parameters."""
    return (Layer(W=theta[:, :-1], b=theta[:, -1:]),)


def _counterexample(network: Network, thetas: NDArray[Any], eigen: list[Any], X: NDArray[Any], Y: NDArray[Any]) -> Segment | None:
    """The segment through the point of the lowest curvature, along it, that rises highest above its chord."""
    lowest = min(range(len(eigen)), key=lambda index: float(eigen[index][0][0]))
    values, vectors = eigen[lowest]
    if values[0] >= -_ROUNDING * np.abs(values).max():
        return None
    center, direction = thetas[lowest], vectors[:, 0].reshape(thetas.shape[1:])
    tried = (cost_along(network, _layer(center - h * direction), _layer(center + h * direction), X, Y) for h in 0.5 ** np.arange(-3, 12))
    return max(tried, key=lambda segment: segment.excess)
