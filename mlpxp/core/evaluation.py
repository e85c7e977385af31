"""How good a network is on given examples: its cost and its score, in batches, so that memory stays bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpxp.arrays.backend import Backend, backend_of
from mlpxp.arrays.placing import beside_its_arrays
from mlpxp.arrays.rows import Rows, in_order
from mlpxp.arrays.standard import Array, device_of, dtype_name, gather, namespace, tree_map
from mlpxp.core.prediction import padded
from mlpxp.core.propagation import cost, forward
from mlpxp.core.resolution import has_finer, in_float64
from mlpxp.core.shapes import check_weights, fitting

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["Evaluation", "Evaluator", "evaluate", "read_rows"]

_BATCH = 4096


class Evaluation(NamedTuple):
    """What :func:`evaluate` returns; a list of floats each for a stack.

    Attributes
    ----------
    cost : float
        The (weighted) mean of the loss.
    score : float
        With a cross-entropy loss the accuracy: the (weighted) fraction of examples whose most probable class, or whose every output
        rounded to 0 or 1, is the target's. With any other loss R², 1 - Σ(y-ŷ)²/Σ(y-ȳ)², averaged over the outputs that vary
        (NaN where none does).
    """

    cost: float | list[float]
    score: float | list[float]


@beside_its_arrays
def evaluate(network: Network, parameters: Parameters, X: Array, Y: Array, weights: Array | None = None) -> Evaluation:
    """Return the cost and the score of a network, or of each member of a stack.

    Parameters
    ----------
    network, parameters, X, Y, weights
        As in :func:`mlpxp.backward`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    DataError
        Weights that are negative, not finite or all zero, or that have no sum in their dtype; or some numbers are masked.
    """
    parameters, X, Y, weights = fitting(network, parameters, X, Y, weights)
    library = backend_of(X)
    if weights is not None:
        check_weights(library.to_numpy(weights).astype("float64"), "weights", weights)
    return Evaluator.of(network, library, *padded(library, network, X, Y, weights))(parameters)


@dataclass(frozen=True)
class Evaluator:
    """Examples that are evaluated again and again; what depends on them alone is computed once."""

    step: _EvaluationStep
    library: Backend
    data: tuple[Any, ...]
    folds: tuple[Any, ...]
    total: Any

    @classmethod
    @beside_its_arrays
    def of(cls, network: Network, library: Backend, X: Array | Rows, Y: Array, weights: Array | None) -> Evaluator:
        xp = namespace(Y)
        m, finer = int(Y.shape[-1]), has_finer(Y)
        wide_Y, wide = (in_float64(Y), in_float64(weights)) if finer else (Y, weights)
        total = m if wide is None else library.to_numpy(xp.sum(wide, axis=-1)).astype("float64")
        unit = xp.ones_like(wide_Y[..., :1, 0]) if _counts_hits(network) else _shares_of_variance(wide_Y, wide)
        if isinstance(X, Rows):
            return cls(_EvaluationStep(network, finer), library, (X, library.asarray(Y.mT), weights, unit), tuple(X.chunks()), total)
        folds = tuple(library.asarray(rows, device=device_of(Y)) for rows in in_order(m, min(m, _BATCH)))
        return cls(_EvaluationStep(network, finer), library, (library.asarray(X.mT), library.asarray(Y.mT), weights, unit), folds, total)

    @beside_its_arrays
    def __call__(self, parameters: Parameters) -> Evaluation:
        sums: Any = 0.0
        *examples, unit = self.data
        for rows in self.folds:
            if isinstance(examples[0], Rows):
                part = *read_rows(self.library, rows, *examples), unit
                fold = in_order(len(rows), len(rows))[0]  # all of what was read
            else:
                part, fold = self.data, rows
            _, outs = self.library.fold(self.step, parameters, fold, *part)
            sums = sums + self.library.to_numpy(outs).astype("float64").sum(axis=0)
        score = sums[1] / self.total if _counts_hits(self.step.network) else 1.0 - sums[1]
        return Evaluation((sums[0] / self.total).tolist(), score.tolist())


@dataclass(frozen=True)
class _EvaluationStep:
    network: Network
    finer: bool
    pure = property(lambda self: not self.network.undeclared)
    undeclared = property(lambda self: self.network.undeclared)

    def __call__(self, parameters: Parameters, rows: Any, X: Any, Y: Any, weights: Any, unit: Any) -> tuple[Parameters, Any]:
        X, Y, weights = gather(rows, X, Y, weights)
        trace = forward(self.network, parameters, X)
        if self.finer:
            trace = (tree_map(in_float64, trace[-1]._replace(A_in=None)),)
            Y, weights = in_float64(Y), in_float64(weights)
        xp = namespace(Y)
        weight = float(Y.shape[-1]) if weights is None else xp.sum(weights, axis=-1)
        points = _points(self.network, xp, trace[-1].A, Y) * unit[..., :, None]
        points = xp.sum(points, axis=-2)
        loss = cost(self.network, trace, Y, weights) * weight
        if weights is not None:
            points = points * weights
            loss = xp.where(weight > 0.0, loss, xp.zeros_like(loss))  # a batch that weighs nothing has no mean
        return parameters, xp.stack(xp.broadcast_arrays(loss, xp.sum(points, axis=-1)))


def _counts_hits(network: Network) -> bool:
    return network.loss.expects in ("probability", "distribution")


def _points(network: Network, xp: Any, A: Any, Y: Any) -> Any:
    """Return (..., 1, m) hits where the loss is a cross-entropy, (..., n_L, m) squared errors elsewhere."""
    if network.loss.expects == "distribution":
        return xp.astype(xp.argmax(A, axis=-2, keepdims=True) == xp.argmax(Y, axis=-2, keepdims=True), A.dtype)
    if network.loss.expects == "probability":
        return xp.astype(xp.all((A > 0.5) == (Y > 0.5), axis=-2, keepdims=True), A.dtype)
    return (A - Y) * (A - Y)


def _shares_of_variance(Y: Any, weights: Any) -> Any:
    """Return (..., n_L): 1/(n Σ_i w_i (y_i - ȳ)²) for the n outputs that vary and 0 for the others; NaN where none does."""
    xp = namespace(Y)
    w = xp.ones_like(Y[..., :1, :]) if weights is None else weights[..., None, :]
    mean = xp.sum(Y * w, axis=-1, keepdims=True) / xp.sum(w, axis=-1, keepdims=True)
    spread = xp.sum(w * (Y - mean) * (Y - mean), axis=-1)
    varies = xp.max(xp.where(w > 0.0, Y, -math.inf), axis=-1) > xp.min(xp.where(w > 0.0, Y, math.inf), axis=-1)  # ȳ is rounded
    n = xp.sum(xp.astype(varies, Y.dtype), axis=-1, keepdims=True)
    safe = xp.where(varies, spread, xp.ones_like(spread)) * xp.where(n > 0.0, n, xp.ones_like(n))
    shares = xp.where(varies, 1.0 / safe, xp.zeros_like(spread))
    return xp.where(n > 0.0, shares, xp.full_like(shares, float("nan")))


def read_rows(library: Backend, rows: Any, X: Rows, Y: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Return the examples in ``rows`` as rows of the library, X read where it is kept: for a gather with no rows, or all of them.

    ``None`` is all examples; their columns are contiguous then, as those of an array are.
    """
    xp, place = namespace(Y), device_of(Y)
    read = library.asarray(X.take(slice(None) if rows is None else rows), dtype=dtype_name(Y), device=place)
    if rows is None:
        return library.asarray(read.mT).mT, Y, weights
    here = library.asarray(rows, device=place)
    return read, xp.take(Y, here, axis=-2), None if weights is None else xp.take(weights, here, axis=-1)
