"""The estimators against scikit-learn's: the time of an epoch of ``fit``, of a ``partial_fit``, of one prediction, and the memory."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.bench._peak import peak
from mlpxp.bench._timing import AGAIN, repeated, time_in_turn
from mlpxp.bench.tasks import make_task, operands
from mlpxp.errors import MlpxpError
from mlpxp.report.results import Grid, Section

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell

__all__ = ["CASES", "LEARNT", "Case", "objection", "per_epoch", "quietly", "run"]

CLAIM = (
    "The estimators have scikit-learn's interface and give its weights; here is what that costs. Equal hyperparameters (Adam, ReLU, "
    "softmax, alpha = 1e-4), data, dtype, initial weights and batches; that both end with the same weights is checked first."
)
HOW = (
    "An epoch is the difference of two fits of different length, divided by the epochs that they differ by; the medians of rounds in which "
    "everybody fits in turn. The floor is the time of an epoch's matrix products alone, on NumPy."
)
AGREED = {"float64": 1e-8, "float32": 1e-4}  # root mean squares: where a gradient is rounding alone, Adam makes a step of it
LEARNT = 2  # epochs


@dataclass(frozen=True)
class Case:
    """Data to fit, and how.

    Attributes
    ----------
    name : str
    m, n_features, n_classes : int
    hidden : tuple of int
    batch : int
    epochs : int
        By how many the longer fit is longer.
    """

    name: str
    m: int
    n_features: int
    n_classes: int
    hidden: tuple[int, ...]
    batch: int
    epochs: int

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Draw X (m, n_features) and the labels: classes around centres of their own."""
        draw = np.random.default_rng(0)
        labels = draw.integers(0, self.n_classes, self.m)
        centres = draw.standard_normal((self.n_classes, self.n_features))
        return (centres[labels] + draw.standard_normal((self.m, self.n_features))).astype(dtype), labels

    def options(self, epochs: int) -> dict[str, Any]:
        """Return what both estimators are told: to train this many epochs."""
        return {
            "hidden_layer_sizes": self.hidden,
            "batch_size": self.batch,
            "max_iter": epochs,
            "random_state": 0,
            "tol": 0.0,
            "n_iter_no_change": np.inf,
        }


CASES = (
    Case("small table", 150, 4, 3, (100,), 150, 300),
    Case("digits-shaped", 1797, 64, 10, (100,), 200, 20),
    Case("MNIST-shaped", 60_000, 784, 10, (256, 128), 256, 1),
)
QUICK = (Case("small table", 150, 4, 3, (100,), 150, 100), Case("digits-shaped", 1797, 64, 10, (100,), 200, 10))
PART = Case("a part", 20, 4, 3, (100,), 20, 1)
MEMBERS = 16  # of an ensemble


def run(plan: Plan, tell: Tell) -> Section:
    """Check that the weights agree, then time and weigh.

    Returns
    -------
    Section
    """
    from sklearn.neural_network import MLPClassifier as Theirs

    cases = QUICK if plan.quick else CASES
    rows, memory, notes = [], [], []
    for number, case in enumerate(cases):
        for dtype in ("float64", "float32"):
            tell(f"{case.name}, {dtype}", (number + (dtype == "float32") / 2) / len(cases))
            X, y = case.data(dtype)
            entrants: dict[str, Callable[..., Any]] = {"scikit-learn": Theirs}
            wanted = quietly(Theirs(**case.options(LEARNT)), X, y)
            for name, make in _ours(plan):
                try:
                    why_not = objection(quietly(make(**case.options(LEARNT)), X, y), wanted, dtype)
                except MlpxpError as error:
                    notes.append(f"{name}, {dtype}: not timed: {error}.")
                    continue
                if why_not is None:
                    entrants[name] = make
                else:
                    notes.append(f"{name} was not timed with {case.name}, {dtype}: {why_not}.")
            times = per_epoch(entrants, case, X, y, rounds=3 if plan.quick else 5)
            theirs, floor = times["scikit-learn"], _products(case, dtype)
            rows += [(case.name, dtype, name, 1e3 * seconds, theirs / seconds, seconds / floor) for name, seconds in times.items()]
            memory.append(
                (case.name, dtype, *(peak(partial(quietly, make(**case.options(1)), X, y)) / 2**20 for make in (Theirs, _ours(plan)[0][1])))
            )
    tell("one row", 0.95)
    grids = (
        Grid(
            "epochs",
            "An epoch of fit",
            ("data", "dtype", "who", "ms an epoch", "times as fast as scikit-learn", "in matrix products"),
            tuple(rows),
            keys=3,
        ),
        Grid(
            "partial_fit",
            f"One partial_fit, of {PART.m} rows",
            ("who", "microseconds", "in scikit-learn's"),
            tuple(_one_part(Theirs)),
            keys=1,
        ),
        Grid("predict", "One row through predict", ("who", "microseconds"), tuple(_one_row(Theirs)), keys=1),
        Grid(
            "memory",
            "The most memory beyond X and y while fitting",
            ("data", "dtype", "scikit-learn, MiB", "mlpxp, MiB"),
            tuple(memory),
            keys=2,
        ),
    )
    return Section("estimators", "Estimators against scikit-learn's", CLAIM, (), grids, (HOW, *dict.fromkeys(notes)))


def _ours(plan: Plan) -> list[tuple[str, Callable[..., Any]]]:
    """Return ours by name: NumPy's first, then the other backends', PyTorch's compiled too."""
    from mlpxp.estimators import MLPClassifier

    names = ["numpy", *(name for name in plan.backends if name != "numpy")]
    ours: list[tuple[str, Callable[..., Any]]] = [
        (f"mlpxp, {name}", partial(MLPClassifier, backend=name, device=plan.device if name != "numpy" else None)) for name in names
    ]
    if "torch" in names:
        ours.append(("mlpxp, torch compiled", partial(MLPClassifier, backend=get_backend("torch", compile=True), device=plan.device)))
    return ours


def objection(got: Any, wanted: Any, dtype: str) -> str | None:
    """Say why two fitted estimators don't have the same weights, or return ``None``."""
    for ours, theirs in zip((*got.coefs_, *got.intercepts_), (*wanted.coefs_, *wanted.intercepts_), strict=True):
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            return f"it has weights {ours.shape} of {ours.dtype}, not {theirs.shape} of {theirs.dtype}"
        apart = float(np.sqrt(np.mean((ours - theirs) ** 2)))
        if not apart <= AGREED[dtype]:
            return f"its weights differ by {apart:.1e} after {LEARNT} epochs"
    return None


def per_epoch(entrants: dict[str, Callable[..., Any]], case: Case, X: Any, y: Any, *, rounds: int) -> dict[str, float]:
    """Return the median seconds of an epoch of each."""
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    for _ in range(rounds):
        for name, make in entrants.items():
            short, long = (_seconds(make(**case.options(epochs)), X, y) for epochs in (1, 1 + case.epochs))
            seconds[name].append((long - short) / case.epochs)
    return {name: max(statistics.median(times), 1e-9) for name, times in seconds.items()}


def _seconds(estimator: Any, X: Any, y: Any) -> float:
    began = time.perf_counter()
    quietly(estimator, X, y)
    return time.perf_counter() - began


def quietly(estimator: Any, X: Any, y: Any) -> Any:
    """Fit without a word about convergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a few epochs don't converge
        return estimator.fit(X, y)


def _products(case: Case, dtype: str) -> float:
    """Seconds of the matrix products of an epoch on NumPy (K2)."""
    sizes = (case.n_features, *case.hidden, case.n_classes)
    pairs = [(a.astype(dtype), b.astype(dtype)) for a, b in operands(make_task(sizes, case.batch, 1))]
    batches = case.m / case.batch
    return batches * time_in_turn({"": lambda: [a @ b for a, b in pairs]}, seconds=0.5)[""].median


def _one_row(theirs: Callable[..., Any]) -> list[tuple[str, float]]:
    """Time ``predict`` of one row."""
    from mlpxp.estimators import MLPClassifier

    case = QUICK[1]
    X, y = case.data("float64")
    fitted = {"scikit-learn": quietly(theirs(**case.options(1)), X, y), "mlpxp, numpy": quietly(MLPClassifier(**case.options(1)), X, y)}
    turns = {name: repeated(partial(model.predict, X[:1]), AGAIN) for name, model in fitted.items()}
    times = time_in_turn(turns, seconds=1.0)
    return [(name, 1e6 * timing.median / AGAIN) for name, timing in times.items()]


def _one_part(theirs: Callable[..., Any]) -> list[tuple[str, float, float]]:
    """Time ``partial_fit`` of a few rows, by estimators that have seen some: scikit-learn's, ours, and an ensemble's."""
    from mlpxp.estimators import MLPClassifier

    X, y = PART.data("float64")
    ours = {"mlpxp, numpy": 1, f"mlpxp, numpy, {MEMBERS} networks": MEMBERS}
    models = {"scikit-learn": theirs(**PART.options(1))}
    models |= {name: MLPClassifier(**PART.options(1), n_networks=n_networks) for name, n_networks in ours.items()}
    for model in models.values():
        model.partial_fit(X, y, classes=range(PART.n_classes)).partial_fit(X, y)
    times = time_in_turn({name: partial(model.partial_fit, X, y) for name, model in models.items()}, seconds=3.0)
    return [(name, 1e6 * timing.median, timing.median / times["scikit-learn"].median) for name, timing in times.items()]
