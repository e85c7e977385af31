"""How exact a gradient is: every naive method against the step it takes, and backpropagation, all against 50 digits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.bench.problems import Problem, classifier, make_problem
from mlpxp.core.functional import cost_and_gradients
from mlpxp.instruments.naive import default_step, naive_gradients
from mlpxp.report.results import Figure, Grid, Point, Section, Series

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.core.network import Parameters

__all__ = ["DIGITS", "exact_gradients", "run", "worst_error"]

DIGITS = 50
STEPPED = ("forward", "central", "complex")
CLAIM = (
    "A difference quotient is wrong twice: by what the step cuts off, and by what is lost where two nearly equal costs are subtracted. "
    "The one falls with the step and the other grows, which makes the V; its lowest point is far above rounding. A complex step "
    "subtracts nothing, dual numbers have no step, and backpropagation has neither."
)


def run(plan: Plan, tell: Tell) -> Section:
    """Measure the worst relative error of each way to differentiate against 50 digits.

    Returns
    -------
    Section
    """
    figures, rows = [], []
    for index, dtype in enumerate(("float64", "float32")):
        problem = make_problem(classifier((4, 6, 5, 3)), 8, dtype=dtype)
        tell(f"{dtype}: 50 digits", index / 2)
        exact = exact_gradients(problem)
        epsilon = float(np.finfo(dtype).eps)
        tell(f"{dtype}: steps", index / 2 + 0.1)
        figures.append(_against_the_step(problem, exact, dtype, epsilon, 12 if plan.quick else 40))
        arguments = problem.network, problem.parameters, problem.X, problem.Y
        found: dict[str, Parameters] = {"backpropagation": cost_and_gradients(*arguments)[1]}
        found |= {method: naive_gradients(*arguments, method=method) for method in ("dual", "complex", "central", "forward")}
        for name, gradients in found.items():
            step = default_step(name, epsilon) if name in STEPPED else None
            error = worst_error(gradients, exact)
            rows.append((dtype, name, step, error, error / epsilon))
    grid = Grid(
        "best",
        f"Worst relative error against {DIGITS} digits, with the default step",
        ("dtype", "method", "step", "error", "error / ε"),
        tuple(rows),
        keys=2,
    )
    return Section("accuracy", "How exact the gradients are", CLAIM, tuple(figures), (grid,))


def exact_gradients(problem: Problem) -> Parameters:
    """Return the gradients in arithmetic of 50 digits: the same code on arrays of mparray's."""
    with _digits() as mparray:
        tree = tree_map(lambda leaf: mparray.asarray(np.asarray(leaf, dtype="float64")), (problem.parameters, problem.X, problem.Y))
        return cost_and_gradients(problem.network, *tree)[1]


def worst_error(gradients: Parameters, exact: Parameters) -> float:
    """Return max |g - g*| / max |g*| over the entries of each array, the largest of all arrays; subtracted with 50 digits."""
    with _digits() as mparray:
        errors = []
        for got, wanted in zip(tree_leaves(gradients), tree_leaves(exact), strict=True):
            off = np.abs(np.asarray((mparray.asarray(np.asarray(got, dtype="float64")) - wanted)._data, dtype="float64"))
            errors.append(off.max() / np.abs(np.asarray(wanted._data, dtype="float64")).max())
    return float(max(errors))


@contextmanager
def _digits() -> Iterator[Any]:
    """Compute with 50 digits in the block."""
    import mparray
    from mpmath import mp

    before, mp.dps = mp.dps, DIGITS
    try:
        yield mparray
    finally:
        mp.dps = before


def _against_the_step(problem: Problem, exact: Parameters, dtype: str, epsilon: float, n: int) -> Figure:
    """The V: error against step."""
    arguments = problem.network, problem.parameters, problem.X, problem.Y
    steps = np.geomspace(epsilon, 0.1, n)
    series = []
    for method in STEPPED:
        points = []
        for step in map(float, steps):
            error = worst_error(naive_gradients(*arguments, method=method, step=step), exact)
            if error > 0.0 and np.isfinite(error):
                points.append(Point(step, error, "measured"))
        series.append(Series(f"{method} differences" if method != "complex" else "complex step", tuple(points)))
    level: dict[str, Parameters] = {
        "dual numbers": naive_gradients(*arguments, method="dual"),
        "backpropagation": cost_and_gradients(*arguments)[1],
    }
    for name, gradients in level.items():
        error = max(worst_error(gradients, exact), epsilon / 8)
        series.append(Series(name, tuple(Point(float(step), error, "measured") for step in (steps[0], steps[-1]))))
    return Figure(
        f"step-{dtype}",
        f"Worst relative error against the step, {dtype}",
        "step h",
        "worst relative error",
        tuple(series),
        "4-6-5-3, tanh and softmax. Backpropagation and dual numbers have no step: they are drawn as levels, no lower than ε/8.",
    )
