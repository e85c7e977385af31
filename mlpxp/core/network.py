"""What a network is: sizes, activations and a loss (static), and its parameters (arrays)."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mlpxp.arrays import draws
from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.placing import on_device_of
from mlpxp.arrays.standard import Array, check_floating, check_together, namespace
from mlpxp.core.activations import ACTIVATIONS, Activation, find_activation
from mlpxp.core.losses import Loss, find_loss
from mlpxp.errors import PairingError, RangeError, ShapeError

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["Layer", "Network", "Parameters", "initialize", "stack", "unstack"]


class Layer(NamedTuple):
    """The parameters of one layer, or their gradients.

    Attributes
    ----------
    W : array, shape (..., n_l, n_{l-1})
        The weights. Leading axes are a stack of networks.
    b : array, shape (..., n_l, 1)
        The biases.
    """

    W: Any
    b: Any


Parameters: TypeAlias = tuple[Layer, ...]


@dataclass(frozen=True)
class Network:
    """The specification of a multi-layer perceptron: everything about it that is not an array.

    Parameters
    ----------
    sizes : sequence of int
        n_0, ..., n_L: the width of the input, of each hidden layer and of the output.
    hidden : str, Activation, or a sequence of them, default "sigmoid"
        The activation of the hidden layers: one for all, or one each.
    output : str or Activation, default "sigmoid"
        The activation of the output layer.
    loss : str or Loss, default "mse"
        The loss whose mean over the examples is the cost.

    Attributes
    ----------
    activations : tuple of Activation
        σ_1, ..., σ_L.
    shapes : tuple of (int, int)
        The shape (n_l, n_{l-1}) of each layer's weights (F3).
    n_parameters : int
        P = Σ_l n_l n_{l-1} + n_l.
    natural : bool
        Whether output and loss are a natural pairing, so that delta_L = A_L - Y (B1).
    undeclared : tuple of str
        How to declare the activations and the loss that are neither built in nor declared ``pure``.

    Raises
    ------
    RangeError
        A size is no positive whole number, or there are fewer than two; as many hidden activations as layers are missing.
    UnknownNameError
        An activation or a loss that stands in no table.
    PairingError
        Output and loss make no sense together, or softmax was asked for in a hidden layer.

    Examples
    --------
    >>> from mlpxp import Network
    >>> network = Network((3, 2, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    >>> network.shapes, network.n_parameters
    (((2, 3), (1, 2)), 11)
    """

    sizes: tuple[int, ...]
    hidden: tuple[Activation, ...]
    output: Activation
    loss: Loss

    def __init__(
        self,
        sizes: Sequence[int],
        hidden: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Activation = "sigmoid",
        loss: str | Loss = "mse",
    ) -> None:
        set_field = object.__setattr__  # the dataclass is frozen, and this is where it is made
        set_field(self, "sizes", _check_sizes(sizes))
        set_field(self, "hidden", _one_each(hidden, len(self.sizes) - 2))
        set_field(self, "output", find_activation(output))
        set_field(self, "loss", find_loss(loss))
        _check_pairing(self.output, self.loss, self.sizes[-1])
        if self.loss.pairing is not None:
            find_activation(self.loss.pairing)

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        return (*self.hidden, self.output)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        return tuple(zip(self.sizes[1:], self.sizes[:-1], strict=True))

    @cached_property
    def n_parameters(self) -> int:
        return sum(n * n_in + n for n, n_in in self.shapes)

    @cached_property
    def natural(self) -> bool:
        return self.loss.pairing is not None and ACTIVATIONS[self.loss.pairing] == self.output

    @cached_property
    def keeps_z(self) -> tuple[bool, ...]:
        """Whether the trace holds a layer's Z: where σ' needs it (A4), and where the cost is taken from the logits."""
        return (*(activation.needs_z for activation in self.hidden), self.output.needs_z or self.natural)

    @cached_property
    def undeclared(self) -> tuple[str, ...]:
        """How to declare what is neither built in nor declared ``pure``: where there is any, a backend calls the network in each step."""
        parts: tuple[Activation | Loss, ...] = (*self.activations, self.loss)
        return tuple(dict.fromkeys(f"{type(part).__name__}({part.name!r}, ..., pure=True)" for part in parts if not part.pure))

    def __repr__(self) -> str:
        names = [activation.name for activation in self.hidden]
        hidden = names[0] if len(set(names)) == 1 else tuple(names)
        return f"Network({self.sizes}, hidden={hidden!r}, output={self.output.name!r}, loss={self.loss.name!r})"


def _check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    try:
        checked = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise RangeError(f"sizes must be whole numbers, one a layer, such as (2, 3, 1), got {_shortened(sizes)}") from None
    if len(checked) < 2 or min(checked) < 1:
        raise RangeError(f"sizes must be at least two positive numbers, the inputs and the outputs, got {_shortened(checked)}")
    return checked


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:96]}...{text[-1]}"


def _one_each(hidden: str | Activation | Sequence[str | Activation], n_hidden: int) -> tuple[Activation, ...]:
    if isinstance(hidden, str | Activation) or not isinstance(hidden, Iterable):
        activation = find_activation(hidden)
        activations = (activation,) * n_hidden
    else:
        activations = tuple(find_activation(activation) for activation in hidden)
    if len(activations) != n_hidden:
        raise RangeError(f"hidden must be one activation or one for each of the {n_hidden} hidden layers, got {len(activations)}")
    for activation in activations:
        if activation.couples_units:
            raise PairingError(f"{activation.name} can only be the output: it makes one distribution of all the units of a layer")
    return activations


def _check_pairing(output: Activation, loss: Loss, n_outputs: int) -> None:
    if output.values == "distribution" and n_outputs == 1:
        raise PairingError(f"{output.name} needs at least two outputs, got 1, which would always be 1: use sigmoid")
    if loss.expects in ("real", output.values):
        return
    wanted = {
        "positive": "each output to be positive and of any size",
        "probability": "each output to be a probability",
        "distribution": "the outputs to be one distribution",
    }[loss.expects]
    raise PairingError(f"{loss.name} needs {wanted}: use output={loss.pairing!r}, got {output.name!r}")


_HE = frozenset(ACTIVATIONS[name] for name in ("relu", "leaky_relu", "elu", "softplus", "silu", "gelu"))


def initialize(
    network: Network,
    *,
    seed: int | Sequence[int],
    backend: str | Backend = "auto",
    dtype: str = "float32",
    device: Any = None,
    scheme: str | None = None,
) -> Parameters:
    """Draw initial parameters: weights by a scheme, biases zero.

    Parameters
    ----------
    network : Network
    seed : int or sequence of int
        One seed, or k of them for a stack of k networks.
    backend : str or Backend, default "auto"
        The array library the parameters are made in; ``"auto"`` is NumPy.
    dtype : {"float32", "float64"}, default "float32"
    device : str, Device or the library's own device object, optional
        Where they are put: ``"cuda:1"``, ``"cpu"``; the library's default device if ``None``.
    scheme : str, optional
        ``glorot_uniform``, ``glorot_normal``, ``he_uniform``, ``he_normal``, ``lecun_normal`` or ``zeros``. By default He's
        uniform scheme for a layer whose activation is flat on one side and straight on the other (relu, leaky_relu, elu,
        softplus, silu, gelu) and Glorot's uniform scheme otherwise.

    Returns
    -------
    tuple of Layer
        W (n_l, n_{l-1}) and b (n_l, 1) of each layer; with k seeds W (k, n_l, n_{l-1}) and b (k, n_l, 1). The same seed gives
        the same weights on every backend: they are drawn in float64 on the host and then rounded and moved.

    Raises
    ------
    RangeError, UnknownNameError, BackendError, DtypeError
        A seed, a scheme, a backend or a dtype that does not exist.

    Examples
    --------
    >>> from mlpxp import Network, initialize
    >>> [tuple(layer.W.shape) for layer in initialize(Network((3, 2, 1)), seed=0)]
    [(2, 3), (1, 2)]
    """
    library = get_backend(backend)
    if scheme is None:
        schemes = tuple("he_uniform" if activation in _HE else "glorot_uniform" for activation in network.activations)
    else:
        schemes = (scheme,) * len(network.shapes)
    several = isinstance(seed, Iterable) and not isinstance(seed, str) and getattr(seed, "shape", None) != ()
    given: Iterable[Any] = seed if several else (seed,)  # type: ignore[assignment]  # it is iterable then
    seeds = [draws.check_seed(one) for one in given]
    if not seeds:
        raise RangeError("seed must be a whole number or a sequence of at least one, got an empty one")
    members = []
    for one in seeds:
        weights = draws.weights(network.shapes, schemes, one)
        members.append(
            tuple(
                Layer(W=library.asarray(W, dtype=dtype, device=device), b=library.asarray([[0.0]] * W.shape[0], dtype=dtype, device=device))
                for W in weights
            )
        )
    return stack(members) if isinstance(seed, Iterable) else members[0]


def stack(members: Sequence[Parameters]) -> Parameters:
    """Make one stack of k networks' parameters: W (k, n_l, n_{l-1}), b (k, n_l, 1).

    Raises
    ------
    ShapeError
        There is no member, or members differ in shape.
    DtypeError, BackendError
        Members differ in dtype or in library.
    """
    if not members:
        raise ShapeError("a stack needs at least one member, got none")
    shapes = [[layer.W.shape for layer in member] for member in members]
    if any(shape != shapes[0] for shape in shapes):
        raise ShapeError("the members of a stack must have the same shapes, got different ones")
    check_floating(
        **{f"W_{number} of member {i}": layer.W for i, member in enumerate(members) for number, layer in enumerate(member, start=1)}
    )
    check_floating(
        **{f"b_{number} of member {i}": layer.b for i, member in enumerate(members) for number, layer in enumerate(member, start=1)}
    )
    check_together(**{f"W_1 of member {i}": member[0].W for i, member in enumerate(members)})
    xp = namespace(members[0][0].W)
    with on_device_of(members[0][0].W):
        return tuple(
            Layer(W=xp.stack([layer.W for layer in layers]), b=xp.stack([layer.b for layer in layers]))
            for layers in zip(*members, strict=True)
        )


def unstack(parameters: Parameters) -> list[Parameters]:
    """Return the members of a stack as a list, each with one leading axis less.

    Raises
    ------
    ShapeError
        The parameters have no leading axis.
    """
    first: Array = parameters[0].W
    if first.ndim < 3:
        raise ShapeError(f"parameters must be a stack, W of shape (k, n_1, n_0), got {tuple(first.shape)}: one network has no members")
    return [tuple(Layer(W=layer.W[i, ...], b=layer.b[i, ...]) for layer in parameters) for i in range(first.shape[0])]
