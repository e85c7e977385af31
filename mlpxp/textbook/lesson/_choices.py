"""What can be chosen on the page, and within which bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mlpxp.core.optimizers import Adam, GradientDescent
from mlpxp.errors import RangeError, UnknownNameError

__all__ = [
    "ACTIVATIONS",
    "BATCHES",
    "DATA",
    "KEPT",
    "LOSSES",
    "METHODS",
    "MOST_LAYERS",
    "OPTIMIZERS",
    "OWN",
    "WIDEST",
    "Choices",
    "changed",
]

OWN = "yours"
DATA = ("xor", "moons", "circles", "spirals", OWN)
ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "identity")
LOSSES = ("cross_entropy", "mse")
OPTIMIZERS = {"gradient_descent": GradientDescent, "adam": Adam}
METHODS = ("backpropagation", "naive")
BATCHES = (0, 1, 4, 16, 64)  # 0 is all examples
WIDEST, MOST_LAYERS = 16, 4  # so that every unit can be drawn, and naive differentiation doesn't keep a class waiting
KEPT = frozenset({"learning_rate", "method"})  # what can change while a network learns; anything else begins a new one


@dataclass(frozen=True)
class Choices:
    """What was chosen.

    Attributes
    ----------
    data : {"xor", "moons", "circles", "spirals", "yours"}
    widths : tuple of int
        n_1, ..., n_{L-1}: up to four hidden layers of 1 to 16 units; none is a perceptron.
    activation : str
        Of the hidden layers.
    loss : {"cross_entropy", "mse"}
        C2 for two classes or C3 for more; or C1.
    optimizer : {"gradient_descent", "adam"}
        G1, or Adam.
    learning_rate : float
        η, above 0 and up to 1000.
    batch_size : int
        Examples in a step; 0 is all of them.
    seed : int
        Of the first weights and of the batches.
    method : {"backpropagation", "naive"}
        How a gradient is computed.

    Raises
    ------
    RangeError, UnknownNameError
        Something can't be chosen.
    """

    data: str = "xor"
    widths: tuple[int, ...] = (2,)
    activation: str = "tanh"
    loss: str = "cross_entropy"
    optimizer: str = "gradient_descent"
    learning_rate: float = 1.0
    batch_size: int = 0
    seed: int = 0
    method: str = "backpropagation"

    def __post_init__(self) -> None:
        _one_of("data", self.data, DATA)
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("optimizer", self.optimizer, tuple(OPTIMIZERS))
        _one_of("method", self.method, METHODS)
        _one_of("batch_size", self.batch_size, BATCHES)
        if not isinstance(self.widths, tuple) or len(self.widths) > MOST_LAYERS:
            raise RangeError(f"widths must be up to {MOST_LAYERS} whole numbers, one a hidden layer, got {_shown(self.widths)}")
        for width in self.widths:
            _whole("a hidden layer's width", width, 1, WIDEST)
        _whole("seed", self.seed, 0, 2**32 - 1)
        rate = self.learning_rate
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0.0 < rate <= 1000.0:
            raise RangeError(f"learning_rate must be a number above 0 and up to 1000, got {_shown(rate)}")


def changed(choices: Choices, changes: dict[str, Any]) -> Choices:
    """Return the choices with some of them changed.

    Raises
    ------
    RangeError, UnknownNameError
        There is no such choice, or it can't be chosen.
    """
    known = Choices.__dataclass_fields__
    for name in changes:
        if name not in known:
            raise UnknownNameError(f"a choice must be one of {', '.join(known)}, got {_shown(name)}")
    return replace(choices, **changes)


def _one_of(name: str, value: Any, known: tuple[Any, ...]) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value not in known:
        raise UnknownNameError(f"{name} must be one of {', '.join(map(str, known))}, got {_shown(value)}")


def _whole(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RangeError(f"{name} must be a whole number from {low} to {high}, got {_shown(value)}")


def _shown(value: Any) -> str:
    """What was got, in a few letters: a page may send anything."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
