"""Is a gradient right? Backpropagation against three ways to differentiate that know nothing of it (:mod:`mlpxp.instruments.naive`).

Central differences ask nothing of an activation but its values. The complex step and dual numbers are exact to rounding, but
need an activation that is analytic, or written with functions that have a rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.placing import beside_its_arrays
from mlpxp.arrays.scalars import POSITIVE, real_number
from mlpxp.arrays.standard import Array, device_of, namespace
from mlpxp.core.functional import cost, cost_and_gradients, forward
from mlpxp.core.network import Layer
from mlpxp.errors import BackendError, RangeError
from mlpxp.instruments.naive import cost_with, default_step, naive_gradients, one_network

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["Comparison", "GradientCheck", "check_gradients"]

_METHODS = ("central", "complex", "dual")
_ROUNDINGS = 16  # how many ε's of the numbers it is made of a cost or a gradient is taken to be off by


@dataclass(frozen=True)
class Comparison:
    """One partial derivative, by backpropagation and by another method.

    Attributes
    ----------
    method : {"central", "complex", "dual"}
    layer : int
        From 1.
    kind : {"W", "b"}
    index : (int, int)
        Row and column.
    backprop, reference : float
        ∂C/∂w by backpropagation and by the method.
    relative_error : float
        Their difference beside the largest entry of that W or b, or beside the smallest number that the method can tell from zero.
    allowed : float
        The largest relative error that passes.
    """

    method: str
    layer: int
    kind: str
    index: tuple[int, int]
    backprop: float
    reference: float
    relative_error: float
    allowed: float

    @property
    def place(self) -> tuple[int, str, tuple[int, int]]:
        return self.layer, self.kind, self.index

    @property
    def agrees(self) -> bool:
        return self.relative_error <= self.allowed

    def __str__(self) -> str:
        place = f"{self.kind}_{self.layer}[{self.index[0]}, {self.index[1]}]"
        return (
            f"{self.method:8}{self.relative_error:.1e} (allowed {self.allowed:.1e}), "
            f"at {place}: backprop {self.backprop:.9g}, {self.method} {self.reference:.9g}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """What :func:`check_gradients` found. It is true if the gradients are right; ``print`` shows the whole.

    Attributes
    ----------
    comparisons : tuple of Comparison
        The worst entry by each method that could be used.
    kinks : tuple of Comparison
        Entries that disagree because the cost has a kink within the step, as relu has at 0, or a bend as sharp: its slopes to the left and
        to the right differ, and backpropagation returned what dual numbers or the complex step confirm, or one of the slopes, or
        something between them. They are no errors.
    skipped : tuple of (str, str)
        The methods that could not be used, and why.
    """

    comparisons: tuple[Comparison, ...]
    kinks: tuple[Comparison, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether at least one method was used, and all that were agree with backpropagation."""
        return bool(self.comparisons) and all(comparison.agrees for comparison in self.comparisons)

    @property
    def worst(self) -> Comparison | None:
        """The comparison that is farthest beyond what is allowed, or closest to it; ``None`` where every entry is at a kink."""
        return max(self.comparisons, key=lambda comparison: comparison.relative_error / comparison.allowed, default=None)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "gradients agree" if self.passed else "gradients differ" if self.comparisons else "gradients could not be compared"
        lines = [verdict, *map(str, self.comparisons)]
        lines += [f"{method:8}not used: {why}" for method, why in self.skipped]
        if self.kinks:
            lines.append(f"at a kink, where slopes differ to the left and to the right ({len(self.kinks)}):")
            lines += [f"  {kink}" for kink in self.kinks[:3]]
            lines += ["  ..."] * (len(self.kinks) > 3)
        return "\n".join(lines)


@beside_its_arrays
def check_gradients(
    network: Network,
    parameters: Parameters,
    X: Array,
    Y: Array,
    weights: Array | None = None,
    *,
    tolerance: float | None = None,
    batched: bool = False,
) -> GradientCheck:
    """Compare backpropagation with central differences, the complex step and dual numbers, entry by entry.

    Parameters
    ----------
    network, parameters, X, Y, weights
        As in :func:`mlpxp.cost_and_gradients`, of one network. Float64 shows more than float32.
    tolerance : float, optional
        The largest relative error that passes. By default 2ε^⅓ for central differences and ε^½ for the two others, where ε is the
        spacing of the dtype: 1.2e-5 and 1.5e-8 in float64, 1e-2 and 3.5e-4 in float32.
    batched : bool, default False
        Differentiate with stacks of networks. It is faster, and needs activations that count axes from the end.

    Returns
    -------
    GradientCheck

    Raises
    ------
    RangeError
        A tolerance that is not positive, or that the best differences in this dtype can't reach.
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other, or a stack.

    Notes
    -----
    An error is measured beside the largest entry of its W or b: an entry that nearly cancels has fewer digits by nature. Differences up to
    16ε (over h, where costs are subtracted) of the largest numbers that the cost and the gradients are made of are rounding, and pass.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Activation, Network, check_gradients, initialize
    >>> X, Y = np.asarray([[0.5, -0.2], [0.1, 0.8]]), np.asarray([[1.0, 0.0]])
    >>> wrong = Activation("wrong", lambda Z: Z * Z, lambda Z, A: 3.0 * Z, needs_z=True)  # (z²)' is 2z
    >>> network = Network((2, 3, 1), hidden=wrong)
    >>> check_gradients(network, initialize(network, seed=0, dtype="float64"), X, Y).passed
    False
    """
    parameters, X, Y, weights = one_network(network, parameters, X, Y, weights)
    library, epsilon = backend_of(X), float(namespace(X).finfo(X.dtype).eps)
    tolerance = _checked_tolerance(tolerance, epsilon, X.dtype)
    ours = [_on_host(library, layer) for layer in cost_and_gradients(network, parameters, X, Y, weights)[1]]
    rounding = _ROUNDINGS * epsilon * _size(library, network, (parameters, X, Y, weights), ours)
    entries, skipped = {}, []
    for method in _METHODS:
        try:
            found = naive_gradients(network, parameters, X, Y, weights, method=method, batched=batched)
        except (RangeError, BackendError, TypeError, AttributeError) as error:  # not analytic, no complex numbers, no rule for a function
            if method == "central":
                raise
            skipped.append((method, str(error)))
            continue
        h = default_step("central", epsilon) if method == "central" else 1.0
        allowed = tolerance or (2.0 * h if method == "central" else math.sqrt(epsilon))
        entries[method] = _compare(method, ours, [_on_host(library, layer) for layer in found], allowed, rounding / h)
    confirmed = {entry.place for method in entries if method != "central" for entry in entries[method] if entry.agrees}
    kinks: list[Comparison] = []
    comparisons: list[Comparison] = []
    for method, all_of_them in entries.items():
        rest: list[Comparison] = []
        for entry in all_of_them:
            at_kink = not entry.agrees and _is_at_kink(
                entry, network, parameters, (X, Y, weights), rounding, method == "central" and entry.place in confirmed
            )
            (kinks if at_kink else rest).append(entry)
        comparisons += [max(rest, key=lambda entry: entry.relative_error)] if rest else []
    return GradientCheck(tuple(comparisons), tuple(kinks), tuple(skipped))


def _checked_tolerance(tolerance: float | None, epsilon: float, dtype: Any) -> float | None:
    if tolerance is None:
        return None
    tolerance = real_number("tolerance", tolerance, POSITIVE)
    best = epsilon ** (2 / 3)
    if tolerance < best:
        remedy = "; use float64" if epsilon > 1e-10 else ""
        raise RangeError(f"tolerance must be at least {best:.1e} in {dtype}, got {tolerance!r}: central differences come no closer{remedy}")
    return tolerance


def _on_host(library: Any, layer: Layer) -> Layer:
    """Return a layer's arrays as lists of rows."""
    return Layer(*(library.to_numpy(array).tolist() for array in layer))


def _size(library: Any, network: Network, arrays: Any, gradients: list[Layer]) -> float:
    """Return how large the numbers are that the cost and its gradients are added up from: a wide bound."""
    parameters, X, Y, weights = arrays
    trace = forward(network, parameters, X)
    C = abs(float(library.to_numpy(cost(network, trace, Y, weights))))
    error = max(C, *(_largest(library.to_numpy(array).tolist()) for array in (trace[-1].A, Y)))  # A - Y can be 0 where A is rounded to Y
    activation = max(_largest(library.to_numpy(passed.A_in).tolist()) for passed in trace)
    return max(error, *(_largest(rows) for layer in gradients for rows in layer)) * max(1.0, activation)


def _largest(rows: list[list[float]]) -> float:
    return max((abs(entry) for row in rows for entry in row if math.isfinite(entry)), default=0.0)


def _compare(method: str, ours: list[Layer], theirs: list[Layer], allowed: float, noise: float) -> list[Comparison]:
    """Compare entry by entry; differences up to ``noise`` pass, whatever they are beside."""
    entries = []
    for number, layers in enumerate(zip(ours, theirs, strict=True), start=1):
        for kind, rows, other_rows in zip(Layer._fields, *layers, strict=True):
            beside = max(_largest(rows), _largest(other_rows), noise / allowed) or 1.0
            for i, pair in enumerate(zip(rows, other_rows, strict=True)):
                for j, (got, wanted) in enumerate(zip(*pair, strict=True)):
                    error = abs(got - wanted) / beside
                    error = math.inf if math.isnan(error) else error
                    entries.append(Comparison(method, number, kind, (i, j), got, wanted, error, allowed))
    return entries


def _is_at_kink(entry: Comparison, network: Network, parameters: Parameters, examples: Any, rounding: float, confirmed: bool) -> bool:
    """Whether the slopes to the left, to the right and across differ, and backpropagation's is confirmed, or lies among them.

    All three quotients are of second order, the one-sided ones (-3C(w) + 4C(w ± h) - C(w ± 2h)) / ±2h: of a smooth cost they agree.
    """
    place = (entry.layer - 1, entry.kind)
    leaf = getattr(parameters[place[0]], entry.kind)
    xp, library = namespace(leaf), backend_of(leaf)
    n_rows, n_columns = leaf.shape
    places = xp.reshape(xp.arange(n_rows * n_columns, device=device_of(leaf)), (n_rows, n_columns))
    here = places == entry.index[0] * n_columns + entry.index[1]
    step = default_step("central", float(xp.finfo(leaf.dtype).eps))
    h = step * max(1.0, abs(float(library.to_numpy(leaf)[entry.index])))

    def C(steps: int) -> float:
        moved = xp.where(here, leaf + steps * h, leaf)
        return float(library.to_numpy(cost_with(network, parameters, place, moved, *examples)))

    before, middle, after = C(-1), C(0), C(1)
    left = (3.0 * middle - 4.0 * before + C(-2)) / (2.0 * h)
    right = (4.0 * after - 3.0 * middle - C(2)) / (2.0 * h)
    slopes = (left, (after - before) / (2.0 * h), right)
    slack = max(2.0 * step * max(map(abs, slopes)), rounding / h)
    among = min(slopes) - slack <= entry.backprop <= max(slopes) + slack
    return max(slopes) - min(slopes) > slack and (confirmed or among)
