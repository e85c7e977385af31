"""What a gradient costs beside the function itself: fewer than 3 forward passes in matrix products (K2), at most 5 in everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.bench._timing import time_in_turn
from mlpxp.bench.problems import Problem, classifier, make_problem
from mlpxp.core.activations import ACTIVATIONS
from mlpxp.core.functional import cost, cost_and_gradients, forward
from mlpxp.instruments.counting import Operations, count_operations
from mlpxp.report.results import Grid, Section

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.core.network import Network

__all__ = ["SHAPES", "count_ratio", "run"]

SHAPES = (((2, 3, 2), 4), ((64, 100, 10), 200), ((784, 100, 10), 100), ((784, 256, 128, 10), 256), ((1024, 2048, 2048, 1000), 1024))
QUICK = SHAPES[:4]
CLAIM = (
    "A gradient is one forward and one backward pass. In matrix products it costs less than 3 forward passes: the backward pass has one "
    "product for each weight gradient and one for each error, but none below layer 1 (K2). The bound for all operations of any function "
    "that is differentiated in reverse is 5 (Baur and Strassen 1983; Griewank and Walther 2008)."
)


def run(plan: Plan, tell: Tell) -> Section:
    """Count and time a forward pass with its cost, and a gradient.

    Returns
    -------
    Section
    """
    shapes = QUICK if plan.quick else SHAPES
    counted: list[tuple[str | float | int | None, ...]] = []
    timed: list[tuple[str | float | int | None, ...]] = []
    for index, (sizes, m) in enumerate(shapes):
        name = "-".join(map(str, sizes))
        tell(f"counting {name}", 0.3 * index / len(shapes))
        network = classifier(sizes, "relu")
        once, gradient = count_ratio(make_problem(network, m))
        counted.append((name, m, once.matmul, gradient.matmul, gradient.matmul / once.matmul, gradient.total / once.total))
    for number, backend in enumerate(plan.backends):
        for index, (sizes, m) in enumerate(shapes):
            name = "-".join(map(str, sizes))
            tell(f"{backend}: {name}", 0.3 + 0.7 * (number + index / len(shapes)) / len(plan.backends))
            problem = make_problem(classifier(sizes, "relu"), m, backend=backend, device=plan.device)
            seconds = plan.seconds / (2 * len(plan.backends) * len(shapes))
            times = time_in_turn({"cost": problem.cost, "gradient": problem.gradient}, seconds=seconds, most=500)
            once_takes, gradient_takes = times["cost"].median, times["gradient"].median
            timed.append((backend, name, m, once_takes, gradient_takes, gradient_takes / once_takes))
    tell("every activation", 0.98)
    columns = "network", "m", "forward, products", "gradient, products", "ratio of the products", "ratio of all operations"
    return Section(
        "cost",
        "What a gradient costs beside the function itself",
        CLAIM,
        grids=(
            Grid("counted", "Counted: operations of a forward pass with its cost, and of a gradient", columns, tuple(counted), keys=2),
            Grid(
                "activations",
                "Counted: the ratio of all operations by activation, 64-100-10, m = 200",
                ("hidden layer", "ratio of all operations", "without the matrix products"),
                tuple(_of_activation(name) for name, activation in ACTIVATIONS.items() if not activation.couples_units),
            ),
            Grid(
                "timed",
                "Measured: a forward pass with its cost, and a gradient, float32",
                ("backend", "network", "m", "forward, s", "gradient, s", "ratio of the times"),
                tuple(timed),
                keys=3,
            ),
        ),
    )


def count_ratio(problem: Problem) -> tuple[Operations, Operations]:
    """Return what counting arrays see of a forward pass with its cost, and of a gradient."""
    arguments = problem.network, problem.parameters, problem.X, problem.Y
    return count_operations(_forward_and_cost, *arguments), count_operations(cost_and_gradients, *arguments)


def _forward_and_cost(network: Network, parameters: Any, X: Any, Y: Any) -> Any:
    return cost(network, forward(network, parameters, X), Y)


def _of_activation(name: str) -> tuple[str, float, float]:
    once, gradient = count_ratio(make_problem(classifier((64, 100, 10), name), 200))
    return name, gradient.total / once.total, (gradient.total - gradient.matmul) / (once.total - once.matmul)
