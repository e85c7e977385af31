"""What the tests of the fused backends share: everything that the core asks of them in a step."""

import math
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import numpy as xp
import pytest

from mlpxp import ACTIVATIONS, LOSSES, Activation, Adam, AdamW, GradientDescent, Network, initialize
from mlpxp.arrays import draws
from mlpxp.arrays.standard import namespace
from mlpxp.training.step import Inputs, TrainingStep
from mlpxp_backends.expressions import step_by_step
from mlpxp_backends.fusion import Fusion


def _bump(Z):
    """A bell, written with functions that no built-in activation uses, and with one (sign) that doesn't wait."""
    xp = namespace(Z)
    return xp.cos(Z) * xp.exp(-xp.square(Z)) + 0.1 * xp.sin(Z) ** 2 + 0.01 * xp.sign(Z)


def _bump_derivative(Z, A):
    xp = namespace(Z)
    return xp.exp(-xp.square(Z)) * (-xp.sin(Z) - 2.0 * Z * xp.cos(Z)) + 0.2 * xp.sin(Z) * xp.cos(Z)


def _half(Z):
    return 0.5 + 0.4 * namespace(Z).tanh(Z)


def _half_derivative(Z, A):
    return 0.4 - (A - 0.5) * (A - 0.5) / 0.4


def _shares(Z):
    """A distribution over the units that is not softmax, so that cross-entropy takes it as it is."""
    P = Z * Z + 1.0
    return P / namespace(Z).sum(P, axis=-2, keepdims=True)


def _shares_pull_back(Z, A, error):
    xp = namespace(Z)
    P = Z * Z + 1.0
    return 2.0 * Z / xp.sum(P, axis=-2, keepdims=True) * (error - xp.sum(A * error, axis=-2, keepdims=True))


BUMP = Activation("bump", _bump, _bump_derivative, needs_z=True)
HALF = Activation("half", _half, _half_derivative, values="probability")
SHARES = Activation("shares", _shares, _shares_pull_back, needs_z=True, values="distribution", couples_units=True)

HIDDEN = [*[activation for name, activation in ACTIVATIONS.items() if name != "softmax"], BUMP]
HEADS = [
    *[(activation, LOSSES["mse"]) for activation in (*ACTIVATIONS.values(), BUMP)],
    *[(ACTIVATIONS["exp"], LOSSES["poisson"]), (ACTIVATIONS["softplus"], LOSSES["poisson"])],
    *[(ACTIVATIONS["sigmoid"], LOSSES["binary_cross_entropy"]), (HALF, LOSSES["binary_cross_entropy"])],
    *[(ACTIVATIONS["softmax"], LOSSES["cross_entropy"]), (SHARES, LOSSES["cross_entropy"])],
]
OPTIMIZERS = {
    "descent": GradientDescent(0.1),
    "momentum": GradientDescent(0.1, momentum=0.9),
    "nesterov": GradientDescent(0.1, momentum=0.9, nesterov=True),
    "adam": Adam(0.01),
    "adam without memory": Adam(0.01, beta1=0.0),
    "adamw": AdamW(0.01),
}


class Case(NamedTuple):
    """A step and what it is given: ``step(state, inputs, *data)``."""

    step: object
    state: tuple
    inputs: tuple
    data: tuple


def case(hidden, head, optimizer, *, dtype="float64", steps=1, stack=False, weighted=False, penalized=False, frozen=False):
    """Return arrays for a fold of a 5-7-6-3 network: batches of 10 out of 20 examples."""
    rng = np.random.default_rng(7)
    network = Network((5, 7, 6, 3), hidden, *head)
    parameters = initialize(network, seed=(3, 4) if stack else 3, dtype=dtype)
    small = 0.01 if "exp" in {activation.name for activation in network.activations} else 1.0  # e^{e^z} soon is no number
    X = (small * rng.standard_normal((20, 5))).astype(dtype)
    Y = np.eye(3, dtype=dtype)[rng.integers(0, 3, 20)]
    rows = np.stack([rng.permutation(20)[:10] for _ in range(steps)])
    rates = small * rng.uniform(0.01, 0.2, (steps, 2, 1, 1) if stack else (steps,))
    weights = rng.uniform(0.5, 1.5, 20).astype(dtype) if weighted else None
    penalties = np.full(steps, 0.01, dtype=dtype) if penalized else None
    running = np.asarray([True, False])[:, None, None] if frozen else None
    return Case(
        TrainingStep(network, optimizer),
        (parameters, optimizer.start(parameters)),
        Inputs(rows, rates.astype(dtype), penalties),
        (X, Y, weights, running),
    )


def dropout_case(network, *, rates=(0.2, 0.5), dtype="float64", stack=False, steps=6):
    """Return arrays for a fold of a network with two classes: batches of 8 out of 30 examples."""
    draw = np.random.default_rng(1)
    optimizer = GradientDescent(0.5)
    parameters = initialize(network, seed=(3, 4, 5) if stack else 3, dtype=dtype)
    X = draw.standard_normal((30, network.sizes[0])).astype(dtype)
    Y = np.eye(2, dtype=dtype)[draw.integers(0, 2, 30)]
    rows, keys = draw.integers(0, 30, (steps, 8)).astype("int32"), draws.dropout_keys(5, 1, 0, steps, len(rates))
    inputs = Inputs(rows, np.full(steps, 0.5, dtype=dtype), None, keys)
    return Case(TrainingStep(network, optimizer, rates), (parameters, optimizer.start(parameters)), inputs, (X, Y, None, None))


WAYS = [
    {},
    {"weighted": True, "penalized": True},
    {"stack": True},
    {"stack": True, "weighted": True, "penalized": True, "frozen": True},
]


def cases(dtype):
    """Each activation, loss and optimizer, alone and in a stack, with and without what can be added."""
    for number, hidden in enumerate(HIDDEN):
        for head in HEADS:
            yield case(hidden, head, list(OPTIMIZERS.values())[number % len(OPTIMIZERS)], dtype=dtype, **WAYS[number % len(WAYS)])
    for optimizer in OPTIMIZERS.values():
        for way in WAYS:
            yield case(HIDDEN[1], HEADS[0], optimizer, dtype=dtype, **way)
            yield case(HIDDEN[2], HEADS[-2], optimizer, dtype=dtype, **way)


class Recorder:
    """A fusion over NumPy that does the steps one by one and keeps every expression with its last arguments."""

    def __init__(self):
        self.seen, self.evaluations = {}, 0
        self.fusion = Fusion(xp, self.compile)

    def compile(self, expression):
        plain = step_by_step(xp)(expression)

        def run(shape, *arguments):
            self.evaluations += 1
            self.seen[expression] = shape, arguments
            results = plain(shape, *arguments)
            assert [(result.shape, str(result.dtype)) for result in results] == [
                (shape, expression.steps[i][2]) for i in expression.results
            ]
            return results

        return run

    def fold(self, case):
        return self.fusion.fold(case.step, case.state, case.inputs, *case.data)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def fusion():
    return Fusion(xp, step_by_step(xp))


@pytest.fixture(scope="session")
def everything():
    """Every expression that the core makes in training and evaluation, and some that it does not, with arguments for each."""
    recorder = Recorder()
    for dtype in ("float32", "float64"):
        for each in cases(dtype):
            with np.errstate(all="ignore"):
                recorder.fold(each)
        for head in HEADS:
            for weighted in (False, True):
                evaluate(recorder.fusion, head, dtype, weighted=weighted)
        for hidden in HIDDEN:
            for stack in (False, True):
                network = Network((3, 6, 5, 2), hidden, "softmax", "cross_entropy")
                with np.errstate(all="ignore"):
                    recorder.fold(dropout_case(network, dtype=dtype, stack=stack))
        every_operation(recorder.fusion, dtype)
    return recorder.seen


def evaluate(fusion, head, dtype, *, weighted):
    """Run the evaluation's step, as ``train(validation=...)`` does, and return the sums it makes."""
    from mlpxp.core.evaluation import Evaluator
    from mlpxp_backends.numpy import NumpyBackend

    class Fused(NumpyBackend):
        def fold(self, step, state, inputs, *data):
            return fusion.fold(step, state, inputs, *data)

    each = case("tanh", head, OPTIMIZERS["descent"], dtype=dtype)
    X, Y = (array.T for array in each.data[:2])
    weights = np.linspace(0.0, 2.0, 20).astype(dtype) if weighted else None
    return Evaluator.of(each.step.network, Fused(), X, Y, weights)(each.state[0])


def every_operation(fusion, dtype):
    """Evaluate every operation that waits by itself."""
    x, y = (fusion.lazy(np.asarray(values, dtype=dtype)) for values in ([0.5, 2.0, -0.0], [1.5, -2.0, 3.0]))
    yes, no = x < y, x == y
    for name in ("add", "subtract", "multiply", "divide", "pow", "maximum", "minimum", "less", "less_equal", "greater", "greater_equal"):
        fusion.computed((getattr(fusion, name)(x, y), getattr(fusion, name)(x, 0.75)))
    for name in ("equal", "not_equal"):
        fusion.computed((getattr(fusion, name)(x, y), getattr(fusion, name)(yes, no)))
    for name in ("negative", "abs", "square", "cos", "exp", "expm1", "log", "log1p", "sin", "sqrt", "tanh"):
        with np.errstate(all="ignore"):
            fusion.computed((getattr(fusion, name)(x),))
    for name in ("logical_and", "logical_or", "logical_xor"):
        fusion.computed((getattr(fusion, name)(yes, no),))
    i, j = (fusion.lazy(np.asarray(values, dtype="int32")) for values in ([7, -(2**31), -5], [2**31 - 1, 2**31 - 1, 3]))
    for name in ("bitwise_and", "bitwise_xor", "add", "subtract", "multiply", "less", "greater_equal", "equal"):
        fusion.computed((getattr(fusion, name)(i, j), getattr(fusion, name)(i, -3)))
    fusion.computed((fusion.bitwise_right_shift(i, 3), fusion.where(yes, i, j), fusion.where(yes, i, 5)))
    other = fusion.float64 if dtype == "float32" else fusion.float32
    fusion.computed((fusion.logical_not(yes), fusion.where(yes, x, y), fusion.where(yes, x, math.inf), fusion.where(no, yes, no)))
    fusion.computed((fusion.astype(yes, x.dtype), fusion.astype(x, other), fusion.astype(x, fusion.bool), fusion.ones_like(x)))


@pytest.fixture(scope="session")
def core():
    """The functions and the tables above."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if name.isupper() or callable(value)})
