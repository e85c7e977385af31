"""The solver L-BFGS: scipy's, on the cost and the gradients of all examples (B1 to B4)."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from mlpxp.arrays.backend import choose_backend
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import tree_map
from mlpxp.core.network import Layer, stack, unstack
from mlpxp.core.propagation import backward, cost, forward
from mlpxp.core.resolution import cost_in_float64, has_finer
from mlpxp.errors import DivergenceError
from mlpxp.estimators._examples import columns, penalty_of, unit_of
from mlpxp.estimators._losses import check_custom_loss
from mlpxp.estimators._state import forget
from mlpxp.estimators.their_privates import check_optimize_result
from mlpxp.runs.history import Epoch, History
from mlpxp.runs.stopping import Stop
from mlpxp.training.loop import says_stop
from mlpxp.training.precision import outside, warn_of_scale
from mlpxp.training.progress import bar

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place
    from mlpxp.core.network import Network, Parameters

__all__ = ["solve"]

_CALLBACK = 99  # scipy's status of a minimisation that a callback stopped
_STOPS = {0: Stop.CONVERGED, 1: Stop.MAXIMUM, 2: Stop.STUCK}  # by scipy's status


@dataclass(frozen=True)
class _CostAndGradients:
    """A step of a fold that turns parameters into their gradients; the cost is float64 where the device has it."""

    network: Network
    finer: bool
    pure = property(lambda self: not self.network.undeclared)
    undeclared = property(lambda self: self.network.undeclared)

    def __call__(self, parameters: Parameters, share: Any, X: Any, Y: Any, weights: Any) -> tuple[Parameters, Any]:
        trace = forward(self.network, parameters, X.mT)
        gradients = backward(self.network, parameters, trace, Y.mT, weights)
        C = (cost_in_float64 if self.finer else cost)(self.network, trace, Y.mT, weights)
        return tuple(Layer(W=g.W * share, b=g.b * share) for g in gradients), C * share


class _Objective:
    """The cost with the penalty ½α Σ‖W‖² / Σw and its gradient, of one vector: all weights (n_in, n_out), then all intercepts."""

    def __init__(self, estimator: Any, network: Network, place: Place, examples: tuple[Any, Any, Any, Any]) -> None:
        X, targets, _, weights = examples
        self.network, self.made_of = network, (estimator, network, place, examples)
        self.library = choose_backend(estimator.backend, X)
        self.device, self.dtype = estimator.device if estimator.device is not None else place.device, place.dtype
        if self.library.namespace is not place.library.namespace:
            self.device = estimator.device
        self.Y = estimator._learnt(targets).astype(place.dtype)
        alpha = penalty_of(estimator, weights, len(targets), place)
        self.weights = weights = None if weights is None else weights / unit_of(weights)
        self.total = float(len(targets) if weights is None else weights.sum())
        self.alpha = alpha / self.total
        self.X = columns(X, place, moves=self.library.namespace is not place.library.namespace)
        self.finer = has_finer(self._array([0.0]))
        self.is_coarse = self.dtype == "float32" and not self.finer
        self.step = _CostAndGradients(network, self.finer)
        self.whole = None if isinstance(self.X, Rows) else self._part(self.X.mT, 0)
        self.n_weights = sum(n * n_in for n, n_in in network.shapes)

    def in_float64(self) -> _Objective | None:
        """Return the same of float64 parameters, if these are float32 and the device has both; X is read a part at a time, not copied."""
        if not self.finer:
            return None
        estimator, network, place, (X, *others) = self.made_of
        X = Rows(X) if isinstance(X, np.ndarray) else X
        return _Objective(estimator, network, place._replace(dtype="float64"), (X, *others))

    def _part(self, X: Any, first: int) -> tuple[Any, ...]:
        """Return examples from ``first`` on as (share, X, Y, weights) on the device."""
        here = slice(first, first + X.shape[0])
        weights = None if self.weights is None else self.weights[here]
        share = (X.shape[0] if weights is None else weights.sum()) / self.total
        if weights is not None and not weights.any():
            weights = np.ones_like(weights)  # they have no mean, and no share either
        moved = [self._array(each) for each in ([share], X, self.Y[here])]
        return (*moved, None if weights is None else self._array(weights))

    def _array(self, values: Any) -> Any:
        return self.library.asarray(values, dtype=self.dtype, device=self.device)

    def parameters(self, vector: Any) -> Parameters:
        """Return a vector as parameters of the backend."""
        layers, first, bias = [], 0, self.n_weights
        for n, n_in in self.network.shapes:
            W = vector[first : first + n * n_in].reshape(n_in, n).T
            layers.append(Layer(W=self._array(W), b=self._array(vector[bias : bias + n, None])))
            first, bias = first + n * n_in, bias + n
        return tuple(layers)

    def vector(self, parameters: Parameters) -> Any:
        """Return parameters as a vector on the host, float64."""
        host = tree_map(self.library.to_numpy, parameters)
        return np.concatenate([layer.W.T.ravel() for layer in host] + [layer.b.ravel() for layer in host]).astype(np.float64)

    def __call__(self, vector: Any) -> tuple[float, Any]:
        parameters = self.parameters(vector)
        value, slope = 0.0, np.zeros_like(vector)
        for part in self._parts():
            gradients, C = self.library.fold(self.step, parameters, *part)
            value += float(self.library.to_numpy(C)[0])
            slope += self.vector(gradients)
        W = vector[: self.n_weights]
        slope[: self.n_weights] += self.alpha * W
        return value + 0.5 * self.alpha * float(W @ W), slope

    def _parts(self) -> Any:
        if self.whole is not None:
            yield self.whole
            return
        for rows in self.X.chunks():
            yield self._part(self.X.take(rows), int(rows[0]))


def solve(
    estimator: Any,
    network: Network,
    place: Place,
    examples: tuple[Any, Any, Any, Any],
    random: np.random.RandomState,
    held_out: Any,
    *,
    incremental: bool,
) -> None:
    """Minimise, member by member, and make what came of it the estimator's fitted attributes.

    Raises
    ------
    DivergenceError
        The cost is finite nowhere that it was looked for, of any member; else a member that diverges keeps its last finite parameters.
    """
    objective = _Objective(estimator, network, place, examples)
    start = estimator._parameters()
    check_custom_loss(network, start, objective.X, objective.Y, len(objective.Y))
    if objective.dtype == "float32":
        warn_of_scale(objective.library, objective.X)
    deadline = time.perf_counter() + (math.inf if estimator.max_seconds is None else float(estimator.max_seconds))
    members = unstack(start) if estimator.n_networks > 1 else [start]
    found: list[_Found] = []
    with bar(shown=bool(estimator.progress)) as shown:
        for member in members:
            if found and found[-1].stop is Stop.INTERRUPTED:
                found.append(_Found(member, 0, objective(objective.vector(member))[0], Stop.INTERRUPTED))
            else:
                found.append(_minimised(estimator, objective, member, [*estimator.callbacks, *shown], deadline))
    parameters, counts, losses, stops = zip(*found, strict=True)
    forget(estimator)
    estimator._hold(stack(parameters) if estimator.n_networks > 1 else parameters[0])
    estimator.n_iter_, estimator.loss_ = max(counts), sum(losses) / len(losses)
    estimator.stop_ = stops if estimator.n_networks > 1 else stops[0]
    own = [{"n_iter_": one.n_iter, "loss_": one.loss} for one in found]
    estimator._fitted = replace(estimator._fitted, members=own)
    if estimator.verbose:
        print(f"Stopped after {estimator.n_iter_} iterations: {', '.join(dict.fromkeys(stops))}")
    if all(stop is Stop.DIVERGED for stop in stops):
        raise DivergenceError(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed. "
            "The estimator keeps its last finite weights",
            parameters=estimator._parameters(),
            history=History(),
        )
    if Stop.DIVERGED in stops:
        warnings.warn("Some of the networks diverged: their last finite weights are kept.", ConvergenceWarning, stacklevel=outside())
    if Stop.INTERRUPTED in stops:
        warnings.warn("Training interrupted by user.", stacklevel=outside())


class _Found(NamedTuple):
    """What came of one network."""

    parameters: Parameters
    n_iter: int
    loss: float
    stop: Stop


def _minimised(estimator: Any, objective: _Objective, start: Parameters, callbacks: list[Any], deadline: float) -> _Found:
    begun, iteration = time.perf_counter(), 0
    latest = objective.vector(start)

    def watch(intermediate_result: Any) -> None:
        nonlocal iteration, latest
        iteration, latest = iteration + 1, intermediate_result.x.copy()
        if estimator.verbose:
            print(f"Iteration {iteration}, loss = {intermediate_result.fun:.8f}")
        now = time.perf_counter()
        answers = []
        if callbacks:
            cost, parameters = float(intermediate_result.fun), objective.parameters(latest)
            epoch = Epoch(iteration, int(estimator.max_iter), cost, None, None, now - begun, math.nan, parameters)
            answers = [callback(epoch) for callback in callbacks]  # each of them hears of it
        if any(map(says_stop, answers)) or now > deadline:
            raise StopIteration

    def minimum(of: _Objective, start: Any, evaluations: int) -> Any:
        left = {"maxfun": int(estimator.max_fun) - evaluations, "maxiter": int(estimator.max_iter) - iteration}
        options = left | {"gtol": float(estimator.tol)}
        return minimize(of, start, method="L-BFGS-B", jac=True, options=options, callback=watch)

    with np.errstate(over="ignore", invalid="ignore"):
        try:
            result = minimum(objective, latest, 0)
            if _STOPS.get(result.status) is Stop.STUCK and (finer := objective.in_float64()) is not None:
                result = minimum(finer, result.x, result.nfev)  # float32 has no digits left to find a step with
        except KeyboardInterrupt:
            return _Found(objective.parameters(latest), iteration, objective(latest)[0], Stop.INTERRUPTED)
        if not (np.isfinite(result.x).all() and math.isfinite(result.fun)):
            return _Found(objective.parameters(latest), iteration, objective(latest)[0], Stop.DIVERGED)
    if result.status == _CALLBACK:
        n, stop = iteration, Stop.TIME if time.perf_counter() > deadline else Stop.CALLBACK
    else:
        result.nit = iteration
        n, stop = check_optimize_result("lbfgs", result, estimator.max_iter), _STOPS[result.status]
    if stop is Stop.CONVERGED and objective.is_coarse and abs(result.jac).max() > estimator.tol:
        warnings.warn(
            f"lbfgs stopped where float32 shows no smaller loss, though its slope is {abs(result.jac).max():.3g}, and this device has no "
            "float64: standardise the features and the targets",
            ConvergenceWarning,
            stacklevel=outside(),
        )
    return _Found(objective.parameters(result.x), n, float(result.fun), stop)
