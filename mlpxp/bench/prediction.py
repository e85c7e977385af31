"""Prediction: one row through the core and the estimators, and a million rows, with the memory that they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.devices import host
from mlpxp.arrays.standard import tree_map
from mlpxp.bench._peak import peak
from mlpxp.bench._timing import AGAIN, repeated, time_in_turn
from mlpxp.bench.agreement import APART
from mlpxp.bench.estimators import LEARNT, Case, objection, quietly
from mlpxp.bench.problems import classifier
from mlpxp.core.functional import predict
from mlpxp.core.network import initialize
from mlpxp.report.results import Figure, Grid, Point, Section, Series

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.core.network import Network, Parameters

__all__ = ["CHUNKS", "FULL", "MANY", "ONE", "QUICK", "in_chunks", "rows_that_fit", "run"]

ONE = Case("digits-shaped", 400, 64, 10, (100,), 200, 1)  # fitted on these
MANY = Case("MNIST-shaped", 512, 784, 10, (256,), 256, 1)
FULL, QUICK = 1_000_000, 20_000
ROWS = 4096  # at a time
CHUNKS, CHUNKS_QUICK = (64, 256, 1024, 4096, 16384, 65536), (256, 4096)
MICRO, MIB = 1e6, 2**20
Function: TypeAlias = Callable[[], Any]
Cell: TypeAlias = str | float | int | None
CLAIM = (
    "One row is overhead of calls and checks. Many rows are matrix products, if what is computed on the way stays small: a few thousand "
    "rows at a time need the memory of a few thousand rows, and all at once that of all. float32."
)
HOW = (
    "How it was measured: everything in turn, medians. The products alone are those of the layers, on NumPy, a part of the rows at a time. "
    "Peaks are what tracemalloc sees beyond the rows themselves, outputs included: NumPy's memory, and not that of other libraries. A part "
    "of the rows is moved to a library's device when its turn comes. That all predict the same is checked first."
)
NO_ESTIMATORS = "sklearn is not installed: neither the estimators nor scikit-learn's were measured."


def run(plan: Plan, tell: Tell) -> Section:
    """Check that everybody predicts the same, then time and weigh.

    Returns
    -------
    Section
    """
    notes: list[str] = []
    tell("one row", 0.0)
    one = Grid("one-row", f"One row through {_name(ONE)}", ("who", "microseconds"), tuple(_one_row(plan, notes)))
    m = rows_that_fit(QUICK if plan.quick else FULL, host().free)
    if m < (QUICK if plan.quick else FULL):
        notes.append(f"There is memory for {m:,} rows only.")
    X = _many_rows(m)
    tell(f"{m:,} rows", 0.2)
    title = f"{m:,} rows through {_name(MANY)}"
    columns = "who", "rows at a time", "s", "times the products alone", "peak, MiB"
    many = Grid("many-rows", title, columns, tuple(_many(plan, X, notes)), keys=2)
    tell("rows at a time", 0.8)
    chunks, figure = _chunks(plan, X[: (CHUNKS_QUICK if plan.quick else CHUNKS)[-1]])
    return Section("prediction", "One row, and a million", CLAIM, (figure,), (one, many, chunks), (HOW, *dict.fromkeys(notes)))


def rows_that_fit(wanted: int, free: int | None) -> int:
    """Return how many rows there is memory for: of X, and of what the hidden layer takes when all are predicted at once."""
    a_row = 4 * (MANY.n_features + 4 * MANY.hidden[0])
    return wanted if free is None else max(1, min(wanted, free // a_row))


def in_chunks(network: Network, parameters: Parameters, X: Any, library: Backend, rows: int, device: str | None = None) -> Any:
    """Predict rows X (m, n_0) of the host with a library, ``rows`` of them at a time; return outputs (m, n_L) on the host."""
    parts = []
    for first in range(0, len(X), rows):
        part = library.asarray(X[first : first + rows], device=device).mT
        parts.append(library.to_numpy(predict(network, parameters, part)).T)
    return np.concatenate(parts)


def _network(case: Case) -> Network:
    return classifier((case.n_features, *case.hidden, case.n_classes), "relu")


def _name(case: Case) -> str:
    return "-".join(map(str, _network(case).sizes))


def _many_rows(m: int) -> Any:
    """Draw a few rows and repeat them: how they are spread changes no time."""
    few, _ = Case("", min(m, 10_000), MANY.n_features, MANY.n_classes, MANY.hidden, 1, 1).data("float32")
    return np.resize(few, (m, MANY.n_features))


def _placed(plan: Plan, backend: str, network: Network) -> tuple[Backend, Parameters]:
    """The parameters that everybody but the estimators has, on a backend."""
    library = get_backend(backend)
    return library, tree_map(partial(library.asarray, device=plan.device), initialize(network, seed=0))


def _products(parameters: Parameters, X: Any, rows: int) -> Function:
    """Return a function that computes the products of a prediction and nothing else, a part of the rows at a time."""
    first_layer, *above = parameters
    A = [np.ones((layer.W.shape[1], rows), dtype=np.float32) for layer in above]

    def multiply() -> None:
        for first in range(0, len(X), rows):
            part = X[first : first + rows].T
            _ = first_layer.W @ part
            for layer, one in zip(above, A, strict=True):
                _ = layer.W @ one[:, : part.shape[1]]

    return multiply


def _estimators(case: Case, notes: list[str]) -> Iterator[tuple[str, Any]]:
    """Ours on NumPy and scikit-learn's, fitted to the same weights."""
    try:
        from sklearn.neural_network import MLPClassifier as Theirs

        from mlpxp.estimators import MLPClassifier
    except ModuleNotFoundError:
        notes.append(NO_ESTIMATORS)
        return
    X, y = case.data("float32")
    ours, theirs = (quietly(make(**case.options(LEARNT)), X, y) for make in (MLPClassifier, Theirs))
    why_not = objection(ours, theirs, "float32") or _astray(ours.predict_proba(X), theirs.predict_proba(X))
    if why_not is None:
        yield "mlpxp, MLPClassifier.predict", ours
        yield "scikit-learn, MLPClassifier.predict", theirs
    else:
        notes.append(f"The estimators were not timed with {case.name} data: {why_not}.")


def _astray(got: Any, wanted: Any) -> str | None:
    apart = float(np.abs(got - wanted).max())
    return None if apart <= APART["float32"] else f"its outputs differ by {apart:.1e}"


def _one_row(plan: Plan, notes: list[str]) -> list[tuple[Cell, ...]]:
    network = _network(ONE)
    X, _ = ONE.data("float32")
    wanted = predict(network, initialize(network, seed=0), X[:1].T)
    functions: dict[str, Function] = {}
    for backend in plan.backends:
        library, parameters = _placed(plan, backend, network)
        row = library.asarray(X[:1], device=plan.device).mT
        functions[f"mlpxp.predict, {backend}"] = partial(_on_host, library, network, parameters, row)
    for name, function in list(functions.items()):
        why_not = _astray(function(), wanted)
        if why_not is not None:
            del functions[name]
            notes.append(f"{name}: not timed with one row: {why_not}.")
    for name, model in _estimators(ONE, notes):
        functions[name] = partial(model.predict, X[:1])
    functions["the products alone, numpy"] = _products(initialize(network, seed=0), X[:1], 1)
    turns = {name: repeated(function, AGAIN) for name, function in functions.items()}
    times = time_in_turn(turns, seconds=plan.seconds / 10)
    return [(name, MICRO * timing.median / AGAIN) for name, timing in times.items()]


def _on_host(library: Backend, network: Network, parameters: Parameters, X: Any) -> Any:
    return library.to_numpy(predict(network, parameters, X))


def _many(plan: Plan, X: Any, notes: list[str]) -> list[tuple[Cell, ...]]:
    network = _network(MANY)
    host_parameters = initialize(network, seed=0)
    functions: dict[tuple[str, int | None], Function] = {}
    wanted = predict(network, host_parameters, X[:1000].T).T
    for backend in plan.backends:
        library, parameters = _placed(plan, backend, network)
        why_not = _astray(in_chunks(network, parameters, X[:1000], library, 300, plan.device), wanted)
        if why_not is None:
            functions[f"mlpxp.predict, {backend}", ROWS] = partial(in_chunks, network, parameters, X, library, ROWS, plan.device)
        else:
            notes.append(f"mlpxp.predict, {backend}: not timed with many rows: {why_not}.")
    functions["mlpxp.predict, numpy", None] = lambda: predict(network, host_parameters, X.T)
    for name, model in _estimators(MANY, notes):
        functions[name, None] = partial(model.predict, X)
    turns = {_label(*key): function for key, function in functions.items()}
    turns[""] = _products(host_parameters, X, ROWS)
    times = time_in_turn(turns, seconds=plan.seconds / 4, least=1 if plan.quick else 2, most=100)
    floor = times[""].median
    rows: list[tuple[Cell, ...]] = []
    for (who, at_a_time), function in functions.items():
        seconds = times[_label(who, at_a_time)].median
        seen = "numpy" in who or "MLPClassifier" in who
        rows.append((who, at_a_time or len(X), seconds, seconds / floor, peak(function) / MIB if seen else None))
    rows.append(("the products alone, numpy", ROWS, floor, 1.0, None))
    return rows


def _label(who: str, rows: int | None) -> str:
    return f"{who}, {rows}"


def _chunks(plan: Plan, X: Any) -> tuple[Grid, Figure]:
    """The time and the memory of NumPy against the rows at a time."""
    network, library = _network(MANY), get_backend("numpy")
    parameters = initialize(network, seed=0)
    sizes = [size for size in (CHUNKS_QUICK if plan.quick else CHUNKS) if size <= len(X)]
    functions = {str(size): partial(in_chunks, network, parameters, X, library, size) for size in sizes}
    turns: dict[str, Function] = {**functions, "": _products(parameters, X, ROWS)}
    times = time_in_turn(turns, seconds=plan.seconds / 5, least=3, most=100)
    floor = times[""].median
    rows: list[tuple[Cell, ...]] = []
    points = []
    for size in sizes:
        timing = times[str(size)]
        rows.append((size, timing.median, timing.median / floor, peak(functions[str(size)]) / MIB))
        points.append(Point(size, timing.median / floor, "measured", *(one / floor for one in timing.quartiles)))
    title = f"mlpxp.predict on NumPy, {len(X):,} rows through {_name(MANY)}"
    columns = "rows at a time", "s", "times the products alone", "peak, MiB"
    figure = Figure(
        "chunks",
        f"{title}, a part of them at a time",
        "rows at a time",
        "times the products alone",
        (Series("numpy", tuple(points)),),
        "Few rows at a time are overhead of calls; many don't fit into the processor's caches.",
    )
    return Grid("chunks", title, columns, tuple(rows)), figure
