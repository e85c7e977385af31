"""O(mP) against O(mP²): backpropagation and naive differentiation, counted and timed, as the network and the data grow (K1, K2)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpxp.bench._slopes import fit_slope, with_slope
from mlpxp.bench._timing import time_in_turn
from mlpxp.bench.problems import FAMILIES, Problem, classifier, formula_of_gradient, make_problem, naive_passes
from mlpxp.core.functional import cost_and_gradients, forward
from mlpxp.instruments.counting import count_operations
from mlpxp.instruments.naive import naive_gradients
from mlpxp.report.results import Figure, Grid, Origin, Point, Section, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.core.network import Network

__all__ = ["count_family", "run"]

METHODS = ("forward", "central", "complex", "dual")
COUNTED, COUNTED_QUICK = 5_000, 400  # up to so many parameters naive ways are counted pass by pass; above, one pass is multiplied
DOMINATES = 4.0  # times what the smallest network takes, which is all overhead: from there on a run is arithmetic
LONGEST_WARM_UP = 2.0  # seconds
CLAIM = (
    "With m examples and P parameters one forward pass costs O(mP) operations. Naive differentiation moves each parameter by itself and "
    "runs a forward pass for each, O(mP²); backpropagation shares the factors that all derivatives have in common and costs O(mP), "
    "however many parameters there are."
)
LETTERS = (
    "On the letters: the claim is often written O(mn²) against O(mn) for 'm parameters and n neurons', and 'linear in the parameters'. "
    "Those letters do not fit what they name. With m examples and n parameters both are right; here the parameters are called P."
)
OVERHEAD = (
    "What is compared: on JAX and CuPy a gradient in training is a compiled or fused program, and naive differentiation calls the library "
    "step by step, so that part of its time is overhead of calls; the table has backpropagation called that way too. A naive pass also "
    "makes the moved array, which takes about a third of a forward pass at 784-100-10 on NumPy. The counts have none of this."
)
NOT_FASTER = (
    "Where backpropagation does not win: with a handful of parameters a run is overhead of Python and the array library, not arithmetic. "
    "The curves are flat there, and for P below about 3 the naive ways do no more passes than backpropagation."
)


@dataclass(frozen=True)
class _Sizes:
    m: int
    widths: tuple[int, ...]  # of 32-n-32
    examples: tuple[int, ...]
    depths: tuple[int, ...]


FULL = _Sizes(
    m=1000,
    widths=(1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384),
    examples=(10, 30, 100, 300, 1000, 3000, 10000, 30000),
    depths=(1, 2, 4, 8, 16),
)
QUICK = _Sizes(m=200, widths=(1, 16, 256, 1024, 2048, 4096), examples=(10, 100, 1000, 3000, 10000), depths=(1, 4, 16))


def run(plan: Plan, tell: Tell) -> Section:
    """Count and time backpropagation and naive differentiation.

    Returns
    -------
    Section
    """
    sizes = QUICK if plan.quick else FULL
    figures: list[Figure] = []
    slopes: list[tuple[str | float | int | None, ...]] = []
    for index, name in enumerate(FAMILIES):
        tell(f"counting, {name}", 0.2 * index / len(FAMILIES))
        figure, row = _counted(name, m=100, quick=plan.quick)
        figures.append(figure)
        slopes.append(row)
    figures += [_counted_examples(sizes), _counted_shapes(sizes)]
    grids = [
        Grid(
            "counted-slopes",
            "Slopes against P of what was counted, and of K2's formula on the same networks (naive: those counted whole)",
            ("family", "backpropagation", "K2, backpropagation", "central differences", "K2, central differences"),
            tuple(slopes),
        )
    ]
    for index, backend in enumerate(plan.backends):
        share = 0.2 + 0.8 * index / len(plan.backends)
        part = 0.8 / len(plan.backends)
        figures.append(_timed(plan, backend, sizes, tell, share, part))
        tell(f"{backend}: more examples", share + 0.8 * part)
        figures.append(_timed_examples(plan, backend, sizes))
        figures.append(_timed_shapes(plan, backend, sizes))
    tell("784-100-10", 0.98)
    grids.append(_at_mnist(plan, tell))
    return Section(
        "complexity", "O(mP) against O(mP²)", CLAIM, tuple(figures), tuple(grids), (*_of_naive(grids[-1]), OVERHEAD, LETTERS, NOT_FASTER)
    )


def count_family(networks: Sequence[Network], m: int) -> list[tuple[int, int]]:
    """Return what counting arrays see in the matrix products of a gradient, and of one forward pass, for each network."""
    found = []
    for network in networks:
        problem = make_problem(network, m)
        gradient = count_operations(cost_and_gradients, network, problem.parameters, problem.X, problem.Y).matmul
        found.append((gradient, count_operations(forward, network, problem.parameters, problem.X).matmul))
    return found


def _counted(name: str, m: int, *, quick: bool) -> tuple[Figure, tuple[str | float, ...]]:
    """The figure of one family, and the row of its slopes."""
    family = FAMILIES[name]
    networks = [classifier(family.sizes(n)) for n in (family.counted_quick if quick else family.counted)]
    counts = count_family(networks, m)
    P = [network.n_parameters for network in networks]
    backpropagation = [Point(p, gradient, "counted") for p, (gradient, _) in zip(P, counts, strict=True)]
    naive: list[Point] = []
    for network, (_, one_pass) in zip(networks, counts, strict=True):
        if network.n_parameters <= (COUNTED_QUICK if quick else COUNTED):
            problem = make_problem(network, m)
            total = count_operations(naive_gradients, network, problem.parameters, problem.X, problem.Y, method="central").matmul
            naive.append(Point(network.n_parameters, total, "counted"))
        else:
            naive.append(Point(network.n_parameters, naive_passes(network, "central") * one_pass, "extrapolated"))
    series = with_slope("backpropagation", backpropagation), with_slope("central differences", naive)
    figure = Figure(
        f"counted-{name.replace(' ', '-')}",
        f"Counted: operations in matrix products, growing {family.grows}",
        "parameters P",
        f"floating-point operations (m = {m})",
        series,
        "Exact integers, seen by counting arrays. Hollow points are one counted pass times 2P.",
    )
    formula = [formula_of_gradient(network, m) for network in networks]
    n_counted = sum(point.origin == "counted" for point in naive)
    of_naive = [naive_passes(network, "central") * one for network, (_, one) in zip(networks, counts, strict=True)][:n_counted]
    row = name, series[0].slope, fit_slope(P, formula).value, series[1].slope, _slope(P[:n_counted], of_naive)
    return figure, row  # type: ignore[return-value]  # a slope may be None where there are too few points


def _slope(x: Sequence[float], y: Sequence[float]) -> float | None:
    return fit_slope(x, y).value if len(x) >= 3 else None


def _timed(plan: Plan, backend: str, sizes: _Sizes, tell: Tell, share: float, part: float) -> Figure:
    """Times against P, one width growing."""
    patience = plan.seconds / (2 * len(plan.backends) * len(sizes.widths) * (len(METHODS) + 1))
    until = time.perf_counter() + plan.seconds / len(plan.backends)
    points: dict[str, list[Point]] = {"backpropagation": []}
    for index, n in enumerate(sizes.widths):
        network = classifier((32, n, 32))
        tell(f"{backend}: {network.n_parameters:,} parameters", share + 0.8 * part * index / len(sizes.widths))
        problem = make_problem(network, sizes.m, backend=backend, device=plan.device)
        points["backpropagation"].append(_time_gradient(problem, network.n_parameters, patience))
        for name, method, batched in (*((method, method, False) for method in METHODS), ("central, in stacks", "central", True)):
            if time.perf_counter() > until:  # what compiles for each size takes its time beside what is timed
                break
            seconds, origin = _time_naive(problem, method, batched=batched, seconds=patience)
            points.setdefault(name, []).append(Point(network.n_parameters, seconds, origin))
    return Figure(
        f"timed-{backend}",
        f"Measured on {backend}: time against the number of parameters",
        "parameters P",
        f"seconds (32-n-32, m = {sizes.m:,}, float32)",
        tuple(_dominated(name, found) for name, found in points.items()),
        f"Slopes are fitted where a run takes more than {DOMINATES:g} times as long as overhead alone. Hollow points were timed on as many "
        "parameters as there was time for, and multiplied: each takes the same.",
    )


def _time_gradient(problem: Problem, x: int, seconds: float) -> Point:
    timing = time_in_turn({"gradient": problem.gradient}, seconds=seconds, least=3, most=200)["gradient"]
    return Point(x, timing.median, "measured", *timing.quartiles)


def _dominated(name: str, points: Sequence[Point]) -> Series:
    """The series with its slope where the matrix products dominate: a naive run's overhead grows with its number of passes."""
    passes = [1.0 if name == "backpropagation" else point.x for point in points]
    overhead = points[0].y / passes[0]
    dominated = [point.x for point, n in zip(points, passes, strict=True) if point.y > DOMINATES * overhead * n]
    return with_slope(name, points, first=min(dominated)) if dominated else Series(name, tuple(points))


def _time_naive(problem: Problem, method: str, *, batched: bool, seconds: float) -> tuple[float, Origin]:
    """Time a naive run after a warm-up that is like it. What takes longer than ``seconds`` is stopped there, and multiplied."""
    _run_naive(problem, method, batched=batched, seconds=min(seconds, LONGEST_WARM_UP))
    took, done = _run_naive(problem, method, batched=batched, seconds=seconds)
    share = done / problem.network.n_parameters
    return (took, "measured") if done == problem.network.n_parameters else (took / share, "sampled")  # each parameter takes the same


def _run_naive(problem: Problem, method: str, *, batched: bool, seconds: float) -> tuple[float, int]:
    """Return how long a naive run took, and for how many parameters, at least one."""
    took, done = 0.0, 0
    began = time.perf_counter()

    def progress(n: int, of_all: int) -> bool:
        nonlocal took, done
        done = n
        if n == of_all or time.perf_counter() < began + seconds:
            return False
        problem.library.synchronize()
        took = time.perf_counter() - began
        return True

    naive_gradients(problem.network, problem.parameters, problem.X, problem.Y, method=method, batched=batched, progress=progress)
    problem.library.synchronize()
    return (took or time.perf_counter() - began), done


def _timed_examples(plan: Plan, backend: str, sizes: _Sizes) -> Figure:
    """Time against m."""
    network = classifier((32, 256, 32))
    times = []
    for m in sizes.examples:
        problem = make_problem(network, m, backend=backend, device=plan.device)
        times.append(_time_gradient(problem, m, plan.seconds / 240))
    return Figure(
        f"examples-{backend}",
        f"Measured on {backend}: a gradient's time against the number of examples",
        "examples m",
        "seconds (32-256-32, float32)",
        (_dominated("backpropagation", times),),
        "The counts are exactly linear in m; the time is where it is more than overhead.",
    )


def _counted_examples(sizes: _Sizes) -> Figure:
    """Operations against m."""
    network = classifier((32, 256, 32))
    points = [Point(m, count_family([network], m)[0][0], "counted") for m in sizes.examples]
    series = (with_slope("backpropagation", points),)
    return Figure("counted-examples", "Counted: a gradient's matrix products, 32-256-32", "examples m", "floating-point operations", series)


def _shape(depth: int) -> Network:
    """Return a network of that many layers of one width, with about 100,000 parameters."""
    return classifier((round((100_000 / depth) ** 0.5),) * (depth + 1))


def _counted_shapes(sizes: _Sizes) -> Figure:
    """Operations against depth at about the same number of parameters."""
    points = [Point(depth, count_family([_shape(depth)], 256)[0][0], "counted") for depth in sizes.depths]
    title = "Counted: a gradient's matrix products, deep or wide, about 100,000 parameters"
    labels = "layers, narrower as they are more", "floating-point operations (m = 256)"
    return Figure("counted-shape", title, *labels, (Series("backpropagation", tuple(points)),))


def _timed_shapes(plan: Plan, backend: str, sizes: _Sizes) -> Figure:
    """Time against depth at about the same number of parameters."""
    points = []
    for depth in sizes.depths:
        problem = make_problem(_shape(depth), 256, backend=backend, device=plan.device)
        points.append(_time_gradient(problem, depth, plan.seconds / 240))
    return Figure(
        f"shape-{backend}",
        f"Measured on {backend}: deep or wide, 100,000 parameters",
        "layers, narrower as they are more",
        "seconds (m = 256, float32)",
        (Series("backpropagation", tuple(points)),),
        "The same number of parameters; the operations differ (see the counted ones), since the first layer needs no error product.",
    )


def _at_mnist(plan: Plan, tell: Tell) -> Grid:
    """How long both ways take at 784-100-10 and 100 examples."""
    network = classifier((784, 100, 10))
    rows: list[tuple[str | float | int | None, ...]] = []
    for backend in plan.backends:
        problem = make_problem(network, 100, backend=backend, device=plan.device)
        functions = {"fold": problem.gradient, "called": problem.gradient_called}
        times = time_in_turn(functions, seconds=plan.seconds / 60, most=200)
        for method in ("forward", "central"):
            naive, origin = _time_naive(problem, method, batched=False, seconds=plan.seconds / 60)
            if plan.allow_long and origin == "sampled":
                tell(f"{backend}: 784-100-10 by {method} differences, about {naive:,.0f} s", 0.98)
                naive, origin = _time_naive(problem, method, batched=False, seconds=math.inf)
            rows.append((backend, method, times["fold"].median, times["called"].median, naive, origin, naive / times["called"].median))
    return Grid(
        "mnist",
        f"784-100-10, P = {network.n_parameters:,}, m = 100, float32: backpropagation in training and called, and naive ways",
        ("backend", "naive method", "in training, s", "called, s", "naive, s", "naive time is", "naive / called"),
        tuple(rows),
        keys=2,
    )


def _of_naive(mnist: Grid) -> list[str]:
    """Say what a naive run would take in full, where it was only sampled."""
    sampled = [row for row in mnist.rows if row[5] == "sampled"]
    return [
        f"A naive run at 784-100-10 would take about {row[4]:,.0f} s in full on {row[0]} ({row[1]} differences); --yes measures it whole."
        for row in sampled
    ]
