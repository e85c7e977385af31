"""Optimizers and learning-rate schedules: state in, state out.

An optimizer is a frozen value. Its state is a tree of arrays beside the parameters, and the learning rate is one of them:
changing it recompiles nothing.

>>> from mlpxp import GradientDescent, Network, initialize
>>> parameters = initialize(Network((2, 3, 1)), seed=0)
>>> optimizer = GradientDescent(0.5)
>>> state = optimizer.start(parameters)
>>> parameters, state = optimizer.update(parameters, parameters, state)  # a "gradient" to step along
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

from mlpxp.arrays.placing import on_device_of
from mlpxp.arrays.scalars import BELOW_1, FROM_0, POSITIVE, UP_TO_1, Range, flag, real_number
from mlpxp.arrays.standard import array_like, namespace, tree_map
from mlpxp.core.network import Layer, Parameters
from mlpxp.errors import RangeError

__all__ = [
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "GradientDescent",
    "Optimizer",
    "Schedule",
    "StepDecay",
    "WarmUp",
    "is_pure",
    "rate_at",
]


@runtime_checkable
class Schedule(Protocol):
    """A learning rate that changes: called with the epochs done so far (a fraction within an epoch), it returns η.

    For a stack it may also return a sequence or an array with one for each member.
    """

    def __call__(self, epoch: float) -> float | Sequence[float]: ...


LearningRate: TypeAlias = "float | Sequence[float] | Schedule"


class MomentumState(NamedTuple):
    """The state of gradient descent: η, and the velocity (``None`` without momentum)."""

    learning_rate: Any
    velocity: Any


class AdamState(NamedTuple):
    """The state of Adam: η, the number of updates t, and the sums Σ_i β1^{t-i} g_i and Σ_i β2^{t-i} g_i²."""

    learning_rate: Any
    t: Any
    gradients: Any
    squares: Any


class Optimizer(Protocol):
    """What the training loop asks of an optimizer.

    One whose class says ``pure = True`` declares that ``update`` is a function of its arguments and of numbers that never change: a
    backend may then record or compile a step, and call ``update`` no more. Without it ``update`` is called in each step, and JAX, which
    can only compile a step, refuses it. A subclass says it again, for what it adds.
    """

    @property
    def learning_rate(self) -> Any: ...

    def start(self, parameters: Parameters) -> Any:
        """Return the state before the first update."""
        ...

    def update(self, parameters: Parameters, gradients: Parameters, state: Any) -> tuple[Parameters, Any]:
        """Return the next parameters and state; what was passed in is left as it was."""
        ...


@dataclass(frozen=True)
class GradientDescent:
    """Gradient descent: W ← W - η ∂C/∂W (G1), with momentum v ← μv - η ∂C/∂W, W ← W + v.

    Parameters
    ----------
    learning_rate : float, sequence of float, or Schedule
        η > 0; a sequence has one for each member of a stack.
    momentum : float, default 0
        μ in [0, 1]; with 1 the velocity never fades.
    nesterov : bool, default False
        Step along μv - η ∂C/∂W with the new v instead (Nesterov 1983, in the form of Sutskever et al. 2013).

    Raises
    ------
    RangeError
        A number outside its range.
    """

    pure: ClassVar[bool] = True
    learning_rate: LearningRate
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _set_rate(self)
        _set(self, momentum=UP_TO_1)
        object.__setattr__(self, "nesterov", flag("nesterov", self.nesterov))
        if self.nesterov and not self.momentum:
            raise RangeError("nesterov needs momentum in (0, 1), got 0: without a velocity there is nothing to look ahead along")

    def start(self, parameters: Parameters) -> MomentumState:
        with on_device_of(parameters[0].W):
            return MomentumState(_first_rate(self.learning_rate, parameters), _zeros(parameters) if self.momentum else None)

    def update(self, parameters: Parameters, gradients: Parameters, state: MomentumState) -> tuple[Parameters, MomentumState]:
        eta, mu = state.learning_rate, self.momentum

        def moved(W: Any, g: Any, v: Any) -> tuple[Any, Any]:
            step = eta * g
            v = mu * v - step
            return W + (mu * v - step if self.nesterov else v), v

        with on_device_of(parameters[0].W):
            if not mu:
                return tree_map(lambda W, g: W - eta * g, parameters, gradients), state  # G1
            parameters, velocity = _moved_each(moved, parameters, gradients, state.velocity)
            return parameters, MomentumState(eta, velocity)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015), in the form of the end of its section 2.

    m ← β1 m + (1-β1) g, v ← β2 v + (1-β2) g², W ← W - η √(1-β2ᵗ)/(1-β1ᵗ) · m / (√v + ε), with g = ∂C/∂W.

    Parameters
    ----------
    learning_rate : float, sequence of float, or Schedule, default 0.001
        η > 0; a sequence has one for each member of a stack.
    beta1, beta2 : float, default 0.9 and 0.999
        In [0, 1).
    epsilon : float, default 1e-8
        ε > 0, beside √v (not beside the corrected √v̂: that is the one difference from the paper's algorithm 1).
    weight_decay : float, default 0
        λ ≥ 0: decoupled decay W ← W - ηλW of the weights, not of the biases (Loshchilov and Hutter 2019); see :class:`AdamW`.

    Raises
    ------
    RangeError
        A number outside its range.
    """

    pure: ClassVar[bool] = True
    learning_rate: LearningRate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _set_rate(self)
        _set(self, beta1=BELOW_1, beta2=BELOW_1, epsilon=POSITIVE, weight_decay=FROM_0)

    def start(self, parameters: Parameters) -> AdamState:
        with on_device_of(parameters[0].W):
            eta = _first_rate(self.learning_rate, parameters)
            return AdamState(eta, _no_updates(parameters), _zeros(parameters), _zeros(parameters))

    def update(self, parameters: Parameters, gradients: Parameters, state: AdamState) -> tuple[Parameters, AdamState]:
        """Update with the sums m/(1-β1) and v/(1-β2) in the place of m and v: their factors go into η and ε, two passes less."""
        with on_device_of(state.t):
            return self._updated(parameters, gradients, state)

    def _updated(self, parameters: Parameters, gradients: Parameters, state: AdamState) -> tuple[Parameters, AdamState]:
        t = state.t + 1.0
        xp, root = namespace(t), math.sqrt(1.0 - self.beta2)
        corrected = xp.sqrt(_one_minus_power(self.beta2, t)) / _one_minus_power(self.beta1, t) * ((1.0 - self.beta1) / root)
        eta, epsilon = state.learning_rate * corrected, self.epsilon / root
        if self.weight_decay:
            kept = 1.0 - state.learning_rate * self.weight_decay
            parameters = tuple(layer._replace(W=kept * layer.W) for layer in parameters)

        def moved(W: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
            m = self.beta1 * m
            m += g
            v = self.beta2 * v
            v += g * g
            step = xp.sqrt(v)
            step += epsilon
            step = m / step
            step *= eta
            return W - step, m, v

        parameters, sums, squares = _moved_each(moved, parameters, gradients, state.gradients, state.squares)
        return parameters, AdamState(state.learning_rate, t, sums, squares)


@dataclass(frozen=True)
class AdamW(Adam):
    """:class:`Adam` whose weights decay by default: λ = 0.01 (Loshchilov and Hutter 2019)."""

    pure: ClassVar[bool] = True
    weight_decay: float = 0.01


def _moved_each(moved: Any, *trees: Parameters) -> Any:
    """Apply a function of one array of each tree, which returns several, and return as many trees."""
    return zip(*[map(Layer._make, zip(*map(moved, *layers), strict=True)) for layers in zip(*trees, strict=True)], strict=True)


def _one_minus_power(beta: float, t: Any) -> Any:
    """1 - βᵗ without the cancellation that 1 - 0.999 suffers in float32."""
    xp = namespace(t)
    return -xp.expm1(t * math.log(beta)) if beta else xp.ones_like(t)


@dataclass(frozen=True)
class Constant:
    """η, always."""

    rate: float

    def __post_init__(self) -> None:
        _set(self, rate=POSITIVE)

    def __call__(self, epoch: float) -> float:
        return self.rate


@dataclass(frozen=True)
class StepDecay:
    """η times ``factor`` after every ``every`` epochs: rate · factor^⌊epoch/every⌋."""

    rate: float
    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        _set(self, rate=POSITIVE, every=POSITIVE, factor=POSITIVE)

    def __call__(self, epoch: float) -> float:
        return float(self.rate * self.factor ** math.floor(epoch / self.every))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from η down to ``final`` over ``epochs`` epochs, and ``final`` after that (Loshchilov and Hutter 2017)."""

    rate: float
    epochs: float
    final: float = 0.0

    def __post_init__(self) -> None:
        _set(self, rate=POSITIVE, epochs=POSITIVE, final=FROM_0)

    def __call__(self, epoch: float) -> float:
        done = min(epoch / self.epochs, 1.0)
        return self.final + 0.5 * (self.rate - self.final) * (1.0 + math.cos(math.pi * done))


@dataclass(frozen=True)
class WarmUp:
    """A straight rise over the first ``epochs`` epochs to where ``then`` begins; ``then`` counts from there.

    ``then`` is a schedule or a rate. The very first update has the rate 0 unless ``start`` is given.
    """

    epochs: float
    then: float | Schedule
    start: float = 0.0

    def __post_init__(self) -> None:
        _set(self, epochs=POSITIVE, start=FROM_0)
        if not callable(self.then):
            object.__setattr__(self, "then", Constant(self.then))

    def __call__(self, epoch: float) -> float | tuple[float, ...]:
        aim = rate_at(self.then, max(epoch - self.epochs, 0.0))
        if epoch >= self.epochs:
            return aim
        if isinstance(aim, tuple):  # one each for a stack
            return tuple(self.start + (one - self.start) * epoch / self.epochs for one in aim)
        return self.start + (aim - self.start) * epoch / self.epochs


def is_pure(optimizer: Any) -> bool:
    """Return whether an optimizer, or its very class, says ``pure = True``: what a subclass overrides was declared by nobody."""
    says_so = "pure" in vars(type(optimizer)) or "pure" in getattr(optimizer, "__dict__", {})
    return says_so and optimizer.pure is True


def rate_at(learning_rate: LearningRate, epoch: float) -> float | tuple[float, ...]:
    """Return η after ``epoch`` epochs: the schedule's value, or the constant (one each for a stack)."""
    if callable(learning_rate):
        return _rates("the rate of a schedule", learning_rate(epoch), FROM_0)
    return tuple(learning_rate) if isinstance(learning_rate, Sequence) else learning_rate


def _first_rate(learning_rate: LearningRate, parameters: Parameters) -> Any:
    """Return the first η as an array: () for all, (k, 1, 1) for one each of a stack."""
    W, rate = parameters[0].W, rate_at(learning_rate, 0.0)
    array = array_like(rate, W)
    if not isinstance(rate, tuple):
        return array
    stacked = tuple(W.shape[:-2])
    if stacked != (len(rate),):
        members = f"each of the stack's {stacked[0]} members" if stacked else "one network"
        raise RangeError(f"learning_rate must be one number, or a sequence for {members}, got {len(rate)} numbers")
    return array[:, None, None]


def _no_updates(parameters: Parameters) -> Any:
    """Return t = 0: () for one network, (k, 1, 1) for a stack, whose members can stop at different times."""
    W = parameters[0].W
    return namespace(W).zeros_like(W[..., :1, :1]) if W.ndim > 2 else array_like(0.0, W)


def _zeros(parameters: Parameters) -> Parameters:
    zeros: Parameters = tree_map(lambda leaf: namespace(leaf).zeros_like(leaf), parameters)
    return zeros


def _set(value: Any, **wanted: Range) -> None:
    """Check the numbers of a frozen value by name, and make them plain."""
    for name, one in wanted.items():
        object.__setattr__(value, name, real_number(name, getattr(value, name), one))


def _set_rate(optimizer: Any) -> None:
    """Check η and make it hashable: a float, a tuple of floats, or a schedule."""
    rate = optimizer.learning_rate
    if callable(rate):
        return
    rates = _rates("learning_rate", rate, POSITIVE)
    if rates == ():
        raise RangeError("learning_rate must be a positive number, or one for each member of a stack, got an empty sequence")
    object.__setattr__(optimizer, "learning_rate", rates)


def _rates(name: str, rate: Any, wanted: Range) -> float | tuple[float, ...]:
    """Return one rate as a float, and several, in a sequence or an array, as a tuple of floats."""
    if type(rate) is float or isinstance(rate, str) or not hasattr(rate, "__len__") or getattr(rate, "shape", None) == ():
        return real_number(name, rate, wanted)
    return tuple(real_number(name, one, wanted) for one in rate)
