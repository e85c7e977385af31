"""Naive differentiation: each parameter is moved by itself, and the network run again. The rival of backpropagation, and its oracle.

One forward pass costs O(mP) operations for m examples and P parameters, so that this costs O(mP²) where backpropagation costs
O(mP) (K1). It asks nothing of the network but its cost, and so it is right wherever the forward pass is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpxp.arrays.backend import dtype_of
from mlpxp.arrays.placing import beside_its_arrays
from mlpxp.arrays.scalars import POSITIVE, real_number
from mlpxp.arrays.standard import Array, device_of, namespace, tree_map
from mlpxp.core import propagation
from mlpxp.core.network import Layer
from mlpxp.core.shapes import fitting
from mlpxp.errors import RangeError, ShapeError, UnknownNameError
from mlpxp.instruments import complex_step
from mlpxp.instruments.dual import constant, dual, tangent

if TYPE_CHECKING:
    from mlpxp.core.activations import Activation
    from mlpxp.core.losses import Loss
    from mlpxp.core.network import Network, Parameters

__all__ = ["Progress", "cost_with", "default_step", "naive_gradients", "one_network"]

Progress: TypeAlias = Callable[[int, int], object]
_STACK_BYTES = 2**24  # of the arrays of a stack of moved networks


@beside_its_arrays
def naive_gradients(
    network: Network,
    parameters: Parameters,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    method: str = "central",
    step: float | None = None,
    batched: bool = False,
    progress: Progress | None = None,
) -> Parameters:
    """Differentiate the cost by one parameter after the other (K1).

    ========== ====================================== ================= ==================================
    method     ∂C/∂w                                  forward passes    error
    ========== ====================================== ================= ==================================
    forward    (C(w + h) - C(w)) / h                  P + 1             O(h) + O(ε/h), h = ε^½ by default
    central    (C(w + h) - C(w - h)) / 2h             2P                O(h²) + O(ε/h), h = ε^⅓
    complex    Im C(w + ih) / h                       P, complex        O(h²), h = ε: rounding alone
    dual       the ε part of C(w + ε)                 P, dual           rounding alone
    ========== ====================================== ================= ==================================

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
        Of one network, float32 or float64.
    X : array, shape (n_0, m)
    Y : array, shape (n_L, m)
    weights : array, shape (m,), optional
    method : {"central", "forward", "complex", "dual"}
    step : float, optional
        h for parameters up to 1 in size; forward and central take ``h·|w|`` for larger ones. ``None`` is the best one known, which
        depends on ε, the dtype's relative spacing. ``"dual"`` has none.
    batched : bool, default False
        Run many moved networks at once, as a stack, in chunks of bounded memory. It is the same work in fewer calls.
    progress : callable, optional
        Called with the numbers of parameters done and in all. Once it returns ``True`` no more are done: the gradients that
        are missing are NaN.

    Returns
    -------
    tuple of Layer
        ∂C/∂W_l and ∂C/∂b_l in the shapes, the dtype and the library of the parameters.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other, a stack, or a library without complex numbers for ``"complex"``.
    UnknownNameError
        Another method, or an activation or a loss that uses a function which ``"complex"`` and ``"dual"`` have no rule for.
    RangeError
        A step that is not positive and finite, or so small that nothing would move; ``"complex"`` for an activation or a loss that
        is not analytic (:class:`mlpxp.Activation`).

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Layer, Network, naive_gradients
    >>> network = Network((1, 1), output="identity")  # C = ½(wx + b - y)²
    >>> w, b, x, y = (np.full((1, 1), number) for number in (2.0, 1.0, 3.0, 5.0))
    >>> naive_gradients(network, (Layer(w, b),), x, y, method="complex")
    (Layer(W=array([[6.]]), b=array([[2.]])),)
    """
    parameters, X, Y, weights = one_network(network, parameters, X, Y, weights)
    if method not in _METHODS:
        raise UnknownNameError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    if method == "complex":
        _check_analytic(network)
    step = _checked_step(method, step, namespace(X).finfo(X.dtype))
    differentiate, lift, read = _METHODS[method]
    examples: tuple[Any, ...] = tree_map(lift, (X, Y, weights))
    costs = _Costs(network, tree_map(lift, parameters), examples, read, _stack_size(network, X) if batched else None, progress)
    return differentiate(costs, parameters, step)


def one_network(network: Network, parameters: Parameters, X: Array, Y: Array, weights: Array | None) -> tuple[Parameters, Any, Any, Any]:
    """Return the arrays as :func:`mlpxp.core.shapes.fitting` does; refuse other dtypes than float32 and float64, and stacks."""
    parameters, X, Y, weights = fitting(network, parameters, X, Y, weights)
    dtype_of(namespace(X), X.dtype)
    if parameters[0].W.ndim > 2:
        raise ShapeError(f"parameters must be one network's, got a stack, W_1 of shape {tuple(parameters[0].W.shape)}: see mlpxp.unstack")
    return parameters, X, Y, weights


def default_step(method: str, epsilon: float) -> float:
    """Return the h at which truncation and rounding are balanced, up to a factor that depends on the function.

    C(w + h) - C(w) rounds by ε and leaves out h²C''/2, the central difference h³C'''/3; the complex step rounds nothing away.
    """
    return float({"forward": epsilon ** (1 / 2), "central": epsilon ** (1 / 3), "complex": epsilon}[method])


def _checked_step(method: str, step: float | None, limits: Any) -> float:
    epsilon = float(limits.eps)
    if method == "dual":
        if step is not None:
            raise RangeError(f"step must be None for method 'dual', which has no step, got {step!r}")
        return epsilon
    if step is None:
        return default_step(method, epsilon)
    step = real_number("step", step, POSITIVE)
    low = float(limits.smallest_normal) if method == "complex" else epsilon  # with less, w + h would be w
    if not low <= step < float(limits.max):
        raise RangeError(f"step must be at least {low:.2g} for method {method!r} in this dtype, got {step!r}")
    return step


def _check_analytic(network: Network) -> None:
    functions: tuple[Activation | Loss, ...] = (*network.activations, network.loss)
    for function in functions:
        if not function.analytic:
            raise RangeError(f"method 'complex' needs functions that are analytic, and {function.name} is not: use 'central' or 'dual'")


def _stack_size(network: Network, X: Array) -> int:
    """Return how many networks, each with its parameters and with what a forward pass makes, fit in a stack's memory."""
    numbers = network.n_parameters + 3 * X.shape[-1] * sum(network.sizes[1:])
    return max(1, _STACK_BYTES // (16 * numbers))  # as much as a complex128 takes


def cost_with(
    network: Network, parameters: Parameters, place: tuple[int, str], leaf: Array, X: Array, Y: Array, weights: Array | None
) -> Any:
    """Return the cost of a network in which one array is another: ``place`` is its layer's index and "W" or "b".

    Where ``leaf`` is a stack, the others are each repeated to be one, so that all of the work is done k times.
    """
    number, kind = place
    k = tuple(leaf.shape[:-2])
    moved = [*parameters]
    moved[number] = moved[number]._replace(**{kind: leaf})
    if k:
        moved = [Layer(*(_repeated(array, k) for array in layer)) for layer in moved]
    return propagation.cost(network, propagation.forward(network, tuple(moved), X), Y, weights)


def _repeated(array: Array, k: tuple[int, ...]) -> Any:
    return array if array.ndim > 2 else namespace(array).broadcast_to(array, (*k, *array.shape))


@dataclass
class _Costs:
    """The costs of networks in each of which one entry of one array has been moved."""

    network: Network
    parameters: Parameters
    examples: tuple[Any, ...]
    read: Callable[[Any], Any]  # what is wanted of a cost
    stack_size: int | None
    progress: Progress | None
    done: int = field(default=0, init=False)
    stopped: bool = field(default=False, init=False)

    def here(self) -> Any:
        """Return the cost where nothing is moved."""
        return self.read(cost_with(self.network, self.parameters, (0, "W"), self.parameters[0].W, *self.examples))

    def there(self, place: tuple[int, str], leaf: Array, *moved: Any) -> list[Any]:
        """Return the costs with each entry of the array taken from ``moved``, in the array's shape; NaN from where it was stopped on."""
        xp, still = namespace(leaf), getattr(self.parameters[place[0]], place[1])
        n = math.prod(leaf.shape)
        entries = xp.reshape(xp.arange(n, device=device_of(leaf)), tuple(leaf.shape))
        found: list[list[Any]] = [[] for _ in moved]
        first = 0
        while first < n and not self.stopped:
            after = min(first + (self.stack_size or 1), n)
            chosen = entries == (first if self.stack_size is None else xp.arange(first, after, device=device_of(leaf))[:, None, None])
            for costs, array in zip(found, moved, strict=True):
                one_moved = namespace(array).where(chosen, array, still)
                C = self.read(cost_with(self.network, self.parameters, place, one_moved, *self.examples))
                costs.append(xp.reshape(C, (-1,)))
            self._report(after - first)
            first = after
        missing = xp.full_like(xp.reshape(leaf, (-1,))[first:], math.nan)
        return [xp.reshape(xp.concat([*costs, missing]), tuple(leaf.shape)) for costs in found]

    def _report(self, n: int) -> None:
        self.done += n
        answer = None if self.progress is None else self.progress(self.done, self.network.n_parameters)
        self.stopped = bool(answer) if hasattr(answer, "dtype") else answer is True


def _each(slope: Callable[[tuple[int, str], Any], Any], parameters: Parameters) -> Parameters:
    """Apply ``slope`` to the place and the array of each W and b."""
    return tuple(
        Layer(*(slope((number, kind), leaf) for kind, leaf in zip(Layer._fields, layer, strict=True)))
        for number, layer in enumerate(parameters)
    )


def _step_sizes(leaf: Array, step: float) -> Any:
    xp = namespace(leaf)
    return step * xp.maximum(xp.abs(leaf), 1.0)


def _forward(costs: _Costs, parameters: Parameters, step: float) -> Parameters:
    C_here = costs.here()

    def slope(place: tuple[int, str], leaf: Any) -> Any:
        up = leaf + _step_sizes(leaf, step)
        (C,) = costs.there(place, leaf, up)
        return (C - C_here) / (up - leaf)  # h as it was rounded

    return _each(slope, parameters)


def _central(costs: _Costs, parameters: Parameters, step: float) -> Parameters:
    def slope(place: tuple[int, str], leaf: Any) -> Any:
        h = _step_sizes(leaf, step)
        up, down = leaf + h, leaf - h
        C_up, C_down = costs.there(place, leaf, up, down)
        return (C_up - C_down) / (up - down)  # 2h as it was rounded

    return _each(slope, parameters)


def _complex_step(costs: _Costs, parameters: Parameters, step: float) -> Parameters:
    def slope(place: tuple[int, str], leaf: Any) -> Any:
        return costs.there(place, leaf, complex_step.lift(leaf, namespace(leaf).full_like(leaf, step)))[0] / step

    return _each(slope, parameters)


def _dual(costs: _Costs, parameters: Parameters, step: float) -> Parameters:
    def slope(place: tuple[int, str], leaf: Any) -> Any:
        # Dual numbers are linear in the tangent, so that any one will do; a small power of two stays clear of overflow, exactly.
        return costs.there(place, leaf, dual(leaf, namespace(leaf).full_like(leaf, step)))[0] / step

    return _each(slope, parameters)


_METHODS: dict[str, tuple[Callable[..., Parameters], Callable[[Any], Any], Callable[[Any], Any]]] = {
    # name: (how to differentiate, what to make of the arrays, what to read off a cost)
    "central": (_central, lambda array: array, lambda C: C),
    "forward": (_forward, lambda array: array, lambda C: C),
    "complex": (_complex_step, complex_step.lift, complex_step.imaginary),
    "dual": (_dual, constant, tangent),
}
