"""A lesson: a network that learns, one step or one epoch after the other, and what each step cost. A frozen value."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mlpxp.arrays.standard import gather
from mlpxp.core.network import Network, Parameters, initialize
from mlpxp.core.propagation import backward, cost, forward, predict
from mlpxp.instruments.counting import count_operations
from mlpxp.instruments.naive import naive_gradients
from mlpxp.textbook.lesson._choices import KEPT, OPTIMIZERS, Choices, changed
from mlpxp.textbook.lesson._examples import Examples
from mlpxp.training.batches import Batches
from mlpxp.training.step import Inputs, TrainingStep

__all__ = ["LONGEST", "Lesson", "advance", "begin", "choose", "gradient", "operations", "step"]

LONGEST = 100_000  # epochs


@dataclass(frozen=True, eq=False)
class Lesson:
    """Where a lesson stands.

    Attributes
    ----------
    choices : Choices
    examples : Examples
    network : Network
    parameters : tuple of Layer
    optimizer_state : tree of arrays
    costs : tuple of float
        Of each whole epoch, as :attr:`mlpxp.History.cost` has it: the mean cost of its steps, each before its update.
    partial : tuple of (float, int)
        The cost and the size of each batch of the epoch that has begun.
    counted : int
        The operations of all gradients so far.
    trouble : str
        Why it can't go on; empty where it can.
    """

    choices: Choices
    examples: Examples
    network: Network
    parameters: Parameters
    optimizer_state: Any
    costs: tuple[float, ...] = ()
    partial: tuple[tuple[float, int], ...] = ()
    counted: int = 0
    trouble: str = ""

    @property
    def batch_size(self) -> int:
        """Of a whole batch."""
        return min(self.choices.batch_size or self.examples.m, self.examples.m)

    @property
    def steps(self) -> int:
        """How many an epoch has."""
        return -(-self.examples.m // self.batch_size)

    @property
    def right(self) -> int:
        """How many examples are on the right side of the boundary: a probability of exactly one half is on neither."""
        with np.errstate(all="ignore"):
            A = predict(self.network, self.parameters, self.examples.X)
        if len(A) == 1:
            return int(np.sum((A[0] > 0.5) == (self.examples.Y[0] > 0.5), where=A[0] != 0.5))
        return int(np.sum(A.argmax(axis=0) == self.examples.codes))

    @property
    def cost(self) -> float:
        """C of all examples, now."""
        with np.errstate(all="ignore"):
            return float(cost(self.network, forward(self.network, self.parameters, self.examples.X), self.examples.Y))


def begin(choices: Choices, examples: Examples) -> Lesson:
    """Return the lesson before its first step."""
    outputs = len(examples.Y)
    loss = choices.loss if choices.loss == "mse" else "binary_cross_entropy" if outputs == 1 else "cross_entropy"
    network = Network((2, *choices.widths, outputs), choices.activation, "sigmoid" if outputs == 1 else "softmax", loss)
    parameters = initialize(network, seed=choices.seed, backend="numpy", dtype="float64")
    return Lesson(choices, examples, network, parameters, OPTIMIZERS[choices.optimizer](1.0).start(parameters))


def choose(lesson: Lesson, changes: dict[str, Any], examples: Examples) -> Lesson:
    """Return a lesson with other choices. The learning rate and the method change on the way; all else begins anew.

    Raises
    ------
    RangeError, UnknownNameError
        Something can't be chosen.
    """
    choices = changed(lesson.choices, changes)
    if set(changes) <= KEPT:
        return replace(lesson, choices=choices, trouble="")
    return begin(choices, examples)


def step(lesson: Lesson) -> Lesson:
    """Return the lesson after one more update: the next batch, its gradient, G1 or Adam."""
    if lesson.trouble:
        return lesson
    choices, network = lesson.choices, lesson.network
    rows = _batches(lesson, len(lesson.costs) + 1)[len(lesson.partial)]
    with np.errstate(all="ignore"):  # what overflows is found right below, and named
        parameters, state, C = _updated(lesson, rows)
    size = lesson.examples.m if rows is None else len(rows)
    if not (math.isfinite(C) and all(np.isfinite(array).all() for layer in parameters for array in layer)):
        where = f"in epoch {len(lesson.costs) + 1:,} numbers stopped being finite"
        return replace(lesson, trouble=f"{where}: choose a smaller learning rate, and reset")
    lesson = replace(
        lesson,
        parameters=parameters,
        optimizer_state=state,
        partial=(*lesson.partial, (float(C), size)),
        counted=lesson.counted + operations(network, size, choices.method),
    )
    if len(lesson.partial) < lesson.steps:
        return lesson
    mean = sum(size * C for C, size in lesson.partial) / lesson.examples.m
    return replace(lesson, costs=(*lesson.costs, mean), partial=())


def _updated(lesson: Lesson, rows: Any) -> tuple[Parameters, Any, Any]:
    """Return the next parameters and optimizer state, and the cost before: by the library's own step, or one with a naive gradient."""
    network, parameters, state = lesson.network, lesson.parameters, lesson.optimizer_state
    optimizer, eta = OPTIMIZERS[lesson.choices.optimizer](1.0), np.asarray(lesson.choices.learning_rate)  # the 1 is not used
    examples = lesson.examples.X.T, lesson.examples.Y.T, None
    if lesson.choices.method == "backpropagation":
        (parameters, state), C = TrainingStep(network, optimizer)((parameters, state), Inputs(rows, eta), *examples, None)
        return parameters, state, C
    X, Y, _ = gather(rows, *examples)
    C = cost(network, forward(network, parameters, X), Y)
    return *optimizer.update(parameters, naive_gradients(network, parameters, X, Y), state._replace(learning_rate=eta)), C


def advance(lesson: Lesson, epochs: int = 1, seconds: float = math.inf) -> Lesson:
    """Return the lesson so many epochs further (the one that has begun is the first), or where it stands after this time."""
    goal, deadline = min(len(lesson.costs) + epochs, LONGEST), time.monotonic() + seconds
    while len(lesson.costs) < goal and not lesson.trouble:
        lesson = step(lesson)
        if time.monotonic() > deadline:
            break
    return lesson


def gradient(network: Network, parameters: Parameters, X: Any, Y: Any, method: str) -> Parameters:
    """∂C/∂W_l and ∂C/∂b_l, by one forward and one backward pass (B1 to B4), or by central differences, 2P forward passes."""
    if method == "naive":
        return naive_gradients(network, parameters, X, Y)
    return backward(network, parameters, forward(network, parameters, X), Y)


@lru_cache(maxsize=256)
def operations(network: Network, m: int, method: str) -> int:
    """The operations of one gradient of m examples, counted while it is computed. The shapes decide them, not the values."""
    parameters = initialize(network, seed=0, backend="numpy", dtype="float64")
    X, Y = np.zeros((network.sizes[0], m)), np.zeros((network.sizes[-1], m))
    return count_operations(gradient, network, parameters, X, Y, method).total


def _batches(lesson: Lesson, number: int) -> list[Any]:
    """The rows of each batch of an epoch, as :func:`mlpxp.train` would take them; ``None`` is all."""
    size = None if lesson.batch_size == lesson.examples.m else lesson.batch_size
    plan = Batches(lesson.examples.m, size, lesson.choices.seed, longest=lesson.examples.m)
    return [rows for fold in plan.epoch(number) for rows in ([None] if fold.rows is None else fold.rows)]
