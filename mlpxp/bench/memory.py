"""K3: backpropagation holds the activations and the errors of the batch, mΣ n_l values each, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mlpxp.bench._peak import peak
from mlpxp.bench._slopes import with_slope
from mlpxp.bench.problems import Problem, classifier, make_problem
from mlpxp.bench.tasks import OPTIMIZERS, make_task
from mlpxp.core.functional import cost_and_gradients, predict
from mlpxp.instruments.counting import count_operations
from mlpxp.report.results import Figure, Grid, Point, Section
from mlpxp.training.step import Inputs, TrainingStep

if TYPE_CHECKING:
    from mlpxp.arrays.standard import Array
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.core.network import Network, Parameters

__all__ = ["count_memory", "formula", "held_by_step", "measure_memory", "run"]

ON_GPU = "On a GPU the same arrays are held; what a library's memory pool takes beside them is not measured here."
ITEM = 4  # bytes of a float32
STEPS = ((784, 256, 128, 10), 256), ((1024, 2048, 2048, 1000), 1024)  # sizes, batch
CLAIM = (
    "Backpropagation pays for its speed in memory: it holds what the forward pass computed until the backward pass has used it. Those are "
    "the activations of the batch, mΣ n_l values, and the errors on their way down, as many at most (K3)."
)


def run(plan: Plan, tell: Tell) -> Section:
    """Count and measure the bytes that a gradient holds beyond what it was given.

    Returns
    -------
    Section
    """
    network = classifier((64, 256, 256, 256, 10), "relu")
    examples = (100, 300, 1000, 3000) if plan.quick else (100, 300, 1000, 3000, 10000, 30000)
    counted, measured, held = [], [], []
    for index, m in enumerate(examples):
        tell(f"{m:,} examples", index / len(examples))
        problem = make_problem(network, m)
        counted.append(Point(m, count_memory(problem), "counted"))
        measured.append(Point(m, measure_memory(problem), "measured"))
        held.append(Point(m, formula(network, m), "counted"))
    tell("depth", 0.9)
    rows = []
    for depth in (1, 2, 4, 8, 16):
        deep = classifier((256,) * (depth + 1), "relu")
        problem = make_problem(deep, 1000)
        rows.append((depth, count_memory(problem), count_memory(problem, _prediction), formula(deep, 1000)))
    tell("a training step", 0.95)
    steps = [
        ("-".join(map(str, sizes)), m, optimizer, *held_by_step(classifier(sizes, "relu"), m, optimizer))
        for sizes, m in (STEPS[:1] if plan.quick else STEPS)
        for optimizer in OPTIMIZERS
    ]
    return Section(
        "memory",
        "What backpropagation remembers",
        CLAIM,
        (
            Figure(
                "examples",
                "Bytes that a gradient holds beyond its arguments, 64-256-256-256-10, float32",
                "examples m",
                "bytes",
                (with_slope("counted", counted), with_slope("tracemalloc", measured), with_slope("K3, activations and errors", held)),
                "Counted by arrays that know when they are freed; measured by Python's tracemalloc, which sees NumPy's memory.",
            ),
        ),
        (
            Grid(
                "depth",
                "Counted: bytes held with 256 units in every layer and 1,000 examples",
                ("layers", "gradient", "prediction alone", "K3, activations and errors"),
                tuple(rows),
            ),
            Grid(
                "step",
                "A training step on NumPy, called once: bytes held beyond its arguments, float32",
                ("network", "batch", "optimizer", "tracemalloc", "new parameters, gradients, new state, batch, activations", "times"),
                tuple((*row, row[-2] / row[-1]) for row in steps),
                keys=3,
            ),
        ),
        (ON_GPU,),
    )


def formula(network: Network, m: int) -> int:
    """Return the bytes of the activations and the errors of all layers in float32, K3's mΣ n_l values each."""
    return 2 * ITEM * m * sum(network.sizes[1:])


def held_by_step(network: Network, m: int, optimizer: str) -> tuple[int, int]:
    """Return the most bytes that an update held beyond its arguments, as tracemalloc sees it, and those that it can't do without.

    Those are the new parameters, the gradients, what the optimizer remembers, the batch that was gathered and K3's activations.
    """
    task = make_task(network.sizes, m, 2, "relu", optimizer=optimizer)
    rule, rate = OPTIMIZERS[optimizer]
    step, state = TrainingStep(network, rule(rate)), (task.start, rule(rate).start(task.start))
    batch = Inputs(np.arange(m), np.asarray(rate, dtype=np.float32))
    measured = peak(lambda: step(state, batch, task.X, task.one_hot, None, None))
    numbers = network.n_parameters * (4 if optimizer == "adam" else 2) + m * (sum(network.sizes) + network.sizes[-1])
    return measured, ITEM * numbers


def count_memory(problem: Problem, function: Callable[..., object] = cost_and_gradients) -> int:
    """Return the most bytes that were alive at once while a gradient, or another function of its arguments, ran, less those of these."""
    arguments = problem.network, problem.parameters, problem.X, problem.Y
    given = count_operations(lambda *_: None, *arguments).peak_bytes
    return count_operations(function, *arguments).peak_bytes - given


def measure_memory(problem: Problem) -> int:
    """Return the same of a gradient, as tracemalloc sees it."""
    arguments = problem.network, problem.parameters, problem.X, problem.Y
    cost_and_gradients(*arguments)
    return peak(lambda: cost_and_gradients(*arguments))


def _prediction(network: Network, parameters: Parameters, X: Array, _: Array) -> object:
    return predict(network, parameters, X)
