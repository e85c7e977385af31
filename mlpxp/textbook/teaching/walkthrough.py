"""One forward pass, one backward pass and one update, equation by equation, with the numbers that the library computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import Array
from mlpxp.core import propagation
from mlpxp.core.functional import backward, cost, forward
from mlpxp.core.losses import mse
from mlpxp.core.network import Network, Parameters
from mlpxp.core.optimizers import GradientDescent
from mlpxp.core.propagation import Passed
from mlpxp.core.shapes import check_shapes
from mlpxp.errors import RangeError, ShapeError
from mlpxp.textbook.teaching._deltas import error_signals_of

if TYPE_CHECKING:
    from mlpxp.core.activations import Activation
    from mlpxp.core.propagation import Trace

__all__ = ["Step", "Walkthrough", "walk_through"]

_COSTS = {  # of a loss: the tag, the cost, and what one example adds to m C
    "mse": ("C1", "C = 1/(2m) Σ_i ‖ŷ_i - y_i‖²", "ℓ = ½ ‖ŷ - y‖²"),
    "binary_cross_entropy": ("C2", "C = -1/m Σ_i [y_i ln ŷ_i + (1 - y_i) ln(1 - ŷ_i)]", "ℓ = -[y ln ŷ + (1 - y) ln(1 - ŷ)]"),
    "cross_entropy": ("C3", "C = -1/m Σ_i Σ_k y_ik ln ŷ_ik", "ℓ = -Σ_k y_k ln ŷ_k"),
}


@dataclass(frozen=True)
class Step:
    """One equation, and what it is worth.

    Attributes
    ----------
    name : str
        ``"Z1"``, ``"A1"``, ``"C"``, ``"delta1"``, ``"∂C/∂W1"``, ``"∂C/∂b1"``; ``"W1"`` and ``"b1"`` are those after the update.
    tag : str
        F1, F2, C1 to C3 (``"C"`` for any other loss), B1 to B4 or G1.
    equation : str
        Such as ``"Z_1 = W_1 A_0 + b_1"``.
    layer : int
        l, from 1.
    values : array
        In the parameters' library, dtype and device.
    by_example : bool
        Whether each column of the values is an example's.
    """

    name: str
    tag: str
    equation: str
    layer: int
    values: Any
    by_example: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.values.shape)


@dataclass(frozen=True)
class Walkthrough:
    """What :func:`walk_through` returns.

    Attributes
    ----------
    network : Network
    parameters : tuple of Layer
        Those that the pass begins with.
    X, Y : array, shapes (n_0, m) and (n_L, m)
        A_0, and the targets.
    learning_rate : float
        η.
    steps : tuple of Step
        As they are computed: forward from layer 1, the cost, backward from layer L, the update.
    """

    network: Network
    parameters: Parameters
    X: Any
    Y: Any
    learning_rate: float
    steps: tuple[Step, ...]

    def __getitem__(self, name: str) -> Step:
        return {step.name: step for step in self.steps}[name]

    def example(self, index: int) -> tuple[Step, ...]:
        """Return what one example has to do with it: its columns, its loss, and its term of each gradient.

        Parameters
        ----------
        index : int
            The example's column, from 0.

        Returns
        -------
        tuple of Step
            The same steps but for the update. Z_l, A_l and delta_l are the example's column, (n_l, 1): delta_l has the mean's 1/m in
            it. In the place of the cost C stands its loss ℓ, (), C being the mean of all ℓ; in the place of a gradient what this
            example adds to it, the gradient being the sum over the examples.

        Raises
        ------
        RangeError
            There is no such example.
        """
        m = self.X.shape[-1]
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < m:
            raise RangeError(f"example must be a whole number from 0 to {m - 1}, got {index!r}: the walkthrough has {m}")
        column = slice(index, index + 1)
        held = {"A0": self.X[:, column]} | {step.name: step.values[:, column] for step in self.steps if step.by_example}
        return tuple(self._term(step, held, self.Y[:, column]) for step in self.steps if step.tag != "G1")

    def _term(self, step: Step, held: dict[str, Any], y: Any) -> Step:
        l = step.layer
        if step.by_example:
            return replace(step, values=held[step.name])
        if step.tag == "B3":
            equation = f"delta_{l} A_{l - 1}ᵀ, its term of ∂C/∂W_{l}"
            return replace(step, equation=equation, values=held[f"delta{l}"] @ held[f"A{l - 1}"].mT)
        if step.tag == "B4":
            return replace(step, equation=f"delta_{l}, its term of ∂C/∂b_{l}", values=held[f"delta{l}"])
        last = Passed(A_in=None, Z=held[f"Z{l}"], A=held[f"A{l}"])
        return replace(step, name="ℓ", equation=_cost_of(self.network)[2], values=propagation.cost(self.network, (last,), y))


def walk_through(network: Network, parameters: Parameters, X: Array, Y: Array, *, learning_rate: float = 1.0) -> Walkthrough:
    """Propagate X forward, its error back, and update the parameters once, keeping every intermediate value.

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
        Of one network.
    X : array, shape (n_0, m)
    Y : array, shape (n_L, m)
    learning_rate : float, default 1
        η of the update (G1).

    Returns
    -------
    Walkthrough
        Its values are those of :func:`mlpxp.forward`, :func:`mlpxp.cost`, :func:`mlpxp.backward` and
        :class:`mlpxp.GradientDescent`, to the bit.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other, or a stack of networks.
    RangeError
        The learning rate is no positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Layer, Network
    >>> w, b, x, y = (np.full((1, 1), number) for number in (2.0, 1.0, 3.0, 5.0))
    >>> walk = walk_through(Network((1, 1), output="identity"), (Layer(w, b),), x, y)  # C = ½(wx + b - y)²
    >>> [f"{step.name} = {step.values.item():g}" for step in walk.steps]
    ['Z1 = 7', 'A1 = 7', 'C = 2', 'delta1 = 2', '∂C/∂W1 = 6', '∂C/∂b1 = 2', 'W1 = -4', 'b1 = -1']
    >>> walk["delta1"].tag, walk["delta1"].equation
    ('B1', 'delta_1 = (A_1 - Y) / m')
    """
    check_shapes(network, parameters, X, Y)
    if parameters[0].W.ndim > 2 or X.ndim > 2 or Y.ndim > 2:
        raise ShapeError("a walkthrough shows one network, got a stack: take one of unstack(parameters)")
    network = _keeping_every_z(network)
    trace = forward(network, parameters, X)
    steps = [*_forward_steps(network, trace), _cost_step(network, trace, Y)]
    gradients = backward(network, parameters, trace, Y)
    steps += _backward_steps(network, error_signals_of(network, parameters, trace, Y), gradients)
    optimizer = GradientDescent(learning_rate)
    updated, _ = optimizer.update(parameters, gradients, optimizer.start(parameters))
    return Walkthrough(network, parameters, X, Y, learning_rate, (*steps, *_update_steps(updated)))


def _keeping_every_z(network: Network) -> Network:
    """Return a network that is the same, but whose trace holds Z where its derivative is had from A alone, too (A4)."""

    def keeping(activation: Activation) -> Activation:
        return replace(activation, needs_z=True)

    output = network.output if network.natural else keeping(network.output)  # a natural pairing is known by its very output, and keeps Z
    return Network(network.sizes, hidden=[keeping(activation) for activation in network.hidden], output=output, loss=network.loss)


def _forward_steps(network: Network, trace: Trace) -> list[Step]:
    steps = []
    for l, (activation, passed) in enumerate(zip(network.activations, trace, strict=True), start=1):
        steps += [
            Step(f"Z{l}", "F1", f"Z_{l} = W_{l} A_{l - 1} + b_{l}", l, passed.Z, by_example=True),
            Step(f"A{l}", "F2", f"A_{l} = {activation.name}(Z_{l})", l, passed.A, by_example=True),
        ]
    return steps


def _cost_of(network: Network) -> tuple[str, str, str]:
    name = network.loss.name
    return _COSTS.get(name, ("C", f"C = 1/m Σ_i {name}(ŷ_i, y_i)", f"ℓ = {name}(ŷ, y)"))


def _cost_step(network: Network, trace: Trace, Y: Array) -> Step:
    tag, equation, _ = _cost_of(network)
    return Step("C", tag, equation, len(trace), cost(network, trace, Y))


def _backward_steps(network: Network, deltas: tuple[Any, ...], gradients: Parameters) -> list[Step]:
    steps = []
    last = len(deltas)
    for l in range(last, 0, -1):
        activation, gradient = network.activations[l - 1], gradients[l - 1]
        if l < last:
            tag, equation = "B2", f"delta_{l} = (W_{l + 1}ᵀ delta_{l + 1}) ⊙ {activation.name}'(Z_{l})"
        elif network.natural:
            tag, equation = "B1", f"delta_{l} = (A_{l} - Y) / m"
        elif activation.couples_units:
            tag, equation = "B1", f"delta_{l} = Jᵀ ∂C/∂A_{l}, J = ∂A_{l}/∂Z_{l} of {activation.name}"
        else:
            error = f"(A_{l} - Y) / m" if network.loss == mse else f"∂C/∂A_{l}"  # C1's derivative
            tag, equation = "B1", f"delta_{l} = {error} ⊙ {activation.name}'(Z_{l})"
        steps += [
            Step(f"delta{l}", tag, equation, l, deltas[l - 1], by_example=True),
            Step(f"∂C/∂W{l}", "B3", f"∂C/∂W_{l} = delta_{l} A_{l - 1}ᵀ", l, gradient.W),
            Step(f"∂C/∂b{l}", "B4", f"∂C/∂b_{l} = Σ_i delta_{l}, over the examples", l, gradient.b),
        ]
    return steps


def _update_steps(updated: Parameters) -> list[Step]:
    return [
        Step(f"{name}{l}", "G1", f"{name}_{l} ← {name}_{l} - η ∂C/∂{name}_{l}", l, values)
        for l, layer in enumerate(updated, start=1)
        for name, values in zip(layer._fields, layer, strict=True)
    ]
