"""The solvers sgd, adam and adamw: options of the estimators as arguments of :func:`mlpxp.train`, and its result as fitted attributes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer

from mlpxp.arrays import tree_map
from mlpxp.backend import choose_backend
from mlpxp.errors import DivergenceError
from mlpxp.estimators.curves import each, is_flat, note, scores_of
from mlpxp.estimators.errors import translated
from mlpxp.estimators.examples import for_training, set_aside
from mlpxp.estimators.initial import shuffled
from mlpxp.estimators.losses import check_custom_loss
from mlpxp.estimators.monitor import Monitor
from mlpxp.estimators.progress import bar
from mlpxp.estimators.rates import make_optimizer
from mlpxp.history import History, TrainingResult
from mlpxp.network import stack
from mlpxp.stopping import Stop
from mlpxp.streaming import Rows
from mlpxp.training import train

if TYPE_CHECKING:
    from mlpxp.estimators.inputs import Place
    from mlpxp.history import Epoch
    from mlpxp.network import Network, Parameters

__all__ = ["solve"]


def solve(
    estimator: Any,
    network: Network,
    place: Place,
    examples: tuple[Any, Any, Any, Any],
    random: np.random.RandomState,
    held_out: tuple[Any, Any, Any, Any] | None,
    *,
    incremental: bool,
) -> None:
    """Train, and make what came of it the estimator's fitted attributes.

    Parameters
    ----------
    examples, held_out : (X, targets, y, weights)
        The targets and weights on the host.
    """
    library = choose_backend(estimator.backend, examples[0])
    moves = library.namespace is not place.library.namespace
    if estimator.early_stopping and held_out is None:
        examples, held_out = set_aside(estimator, examples, random)
    X, targets, _, weights = examples
    m = len(targets)
    size = _batch_size(estimator.batch_size, m)
    learnt = estimator._learnt(targets)
    columns, Y, w = for_training(X, learnt, weights, place, moves=moves)
    check_custom_loss(network, estimator._parameters(), columns, learnt, size)
    validation = None if held_out is None else for_training(held_out[0], held_out[1], held_out[3], place, moves=moves)
    said: list[float] = []  # by a scorer of the user's
    read = _reader(estimator, held_out, said)
    monitor = _monitor(estimator, read if estimator.early_stopping else _training_loss, incremental=incremental)
    keeper = _keeper(estimator, monitor, read, incremental=incremental)
    callbacks: list[Callable[[Epoch], object]] = [monitor, *([] if keeper is monitor else [keeper]), *estimator.callbacks]
    if estimator.verbose:
        callbacks.insert(0, _say)
    optimizer = make_optimizer(estimator, monitor, m, incremental=incremental)
    parameters = estimator._parameters()
    seed = int(random.randint(2**31 - 1)) + estimator.t_ if np.any(estimator.dropout) else 0
    epochs = 1 if incremental else estimator.max_iter
    try:
        with bar(epochs, shown=estimator.progress) as shown:
            result = train(
                network,
                columns,
                Y,
                optimizer=optimizer,
                epochs=epochs,
                batch_size=size,
                seed=seed,
                validation=validation,
                weights=w,
                backend=estimator.backend,
                device=estimator.device,
                start=_continued(estimator, network, parameters, library) if incremental else parameters,
                penalty=float(estimator.alpha),
                penalty_on="sum",
                dropout=estimator.dropout,
                clip_norm=estimator.clip_norm,
                order=shuffled(random, m, shuffle=estimator.shuffle),
                max_seconds=estimator.max_seconds,
                callbacks=[*callbacks, *shown],
            )
    except DivergenceError as error:
        estimator.stop_ = (Stop.DIVERGED,) * monitor.members or Stop.DIVERGED
        note(estimator, monitor, error.history, held_out, said, m, diverged=True)
        best = _best(keeper)
        estimator._hold(error.parameters if best is None else best)
        if best is None:
            raise DivergenceError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed. "
                f"The estimator keeps its last finite weights ({error})",
                parameters=error.parameters,
                history=error.history,
            ) from error
        warnings.warn(f"Training diverged, the best epoch's weights are kept: {error}", ConvergenceWarning, stacklevel=4)
        return
    estimator._state = result.optimizer_state
    stops = _stops(result.stop, monitor)
    estimator.stop_ = stops if monitor.members else stops[0]
    best = _best(keeper)
    estimator._hold(result.last_parameters if best is None else best)
    note(estimator, monitor, result.history, held_out, said, m)
    if estimator.verbose:
        print(f"Stopped after {estimator.n_iter_} epochs: {', '.join(dict.fromkeys(stops))}")
    _warn(estimator, stops, incremental=incremental)


def _batch_size(asked: Any, m: int) -> int:
    if asked == "auto":
        return min(200, m)
    if asked > m:
        warnings.warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5)
    return min(int(asked), m)


def _monitor(estimator: Any, read: Callable[[Epoch], list[float]], *, incremental: bool) -> Monitor:
    """Return what stops the fit."""
    k = estimator.n_networks
    adaptive = estimator.solver == "sgd" and isinstance(estimator.learning_rate, str) and estimator.learning_rate == "adaptive"
    best, stale, rates = getattr(estimator, "_watched", ([], [], []))
    return Monitor(
        read,
        0 if k == 1 else k,
        tol=estimator.tol,
        patience=estimator.n_iter_no_change,
        reason=Stop.EARLY if estimator.early_stopping else Stop.CONVERGED,
        keeps_best=estimator.early_stopping and estimator.restore_best is not False,
        rate=float(estimator.learning_rate_init) if adaptive else None,
        stops=not incremental,
        best=list(best),
        stale=list(stale),
        rates=list(rates) if incremental and adaptive else [],
    )


def _keeper(estimator: Any, monitor: Monitor, read: Callable[[Epoch], list[float]], *, incremental: bool) -> Monitor:
    """Return what keeps the best epoch's parameters: the monitor, or without early stopping one beside it that stops nothing."""
    if estimator.early_stopping or not estimator.restore_best or incremental:
        return monitor
    return Monitor(read, monitor.members, tol=0.0, patience=math.inf, reason=Stop.EARLY, keeps_best=True, stops=False)


def _training_loss(epoch: Epoch) -> list[float]:
    return [-cost for cost in each(epoch.cost)]


def _scorer(monitor: Any) -> Any:
    """Return what scores an estimator, and ``None`` where an epoch has the number already."""
    if monitor in {"loss", "score"}:
        return None
    with translated():
        return get_scorer(monitor)


def _reader(estimator: Any, held_out: tuple[Any, Any, Any, Any] | None, said: list[float]) -> Callable[[Epoch], list[float]]:
    """Return what reads the number to be raised from an epoch: the validation score or minus the loss, or what a scorer says."""
    scorer = _scorer(estimator.monitor)
    if held_out is None:
        return _training_loss
    monitor = estimator.monitor
    if monitor == "loss":
        return lambda epoch: [-cost for cost in each(epoch.validation_cost)]
    if monitor == "score":
        flat = is_flat(held_out[1])
        return lambda epoch: scores_of(epoch.validation_score, epoch.validation_cost, flat=flat)
    X, _, y, _ = held_out
    X = X.take(slice(None)) if isinstance(X, Rows) else X

    def read(epoch: Epoch) -> list[float]:
        estimator._hold(epoch.parameters)
        with translated() if isinstance(monitor, str) else nullcontext():
            score = float(scorer(estimator, X, y))
        said.append(score)
        return [score] * max(estimator.n_networks, 1)

    return read


def _stops(stop: Stop | tuple[Stop, ...], monitor: Monitor) -> tuple[Stop, ...]:
    """Return why each member stopped; to train the monitor is one callback among others."""
    stops = stop if isinstance(stop, tuple) else (stop,)
    return tuple(monitor.reason if done and one is Stop.CALLBACK else one for one, done in zip(stops, monitor.done, strict=True))


def _best(monitor: Monitor) -> Parameters | None:
    """Return the best epochs' parameters, if they were kept and there was any."""
    if any(parameters is None for parameters in monitor.best_parameters):
        return None
    return stack(monitor.best_parameters) if monitor.members else monitor.best_parameters[0]


def _continued(estimator: Any, network: Network, parameters: Parameters, library: Any) -> Any:
    """Return what partial_fit goes on from: the parameters, with the optimizer's state of the call before."""
    state = getattr(estimator, "_state", None)
    if state is None:
        return parameters
    like = parameters[0].W
    state = tree_map(lambda leaf: library.asarray(leaf, device=getattr(like, "device", None)), state)
    return TrainingResult(
        network=network,
        parameters=parameters,
        history=History(),
        stop=Stop.MAXIMUM,
        best_epoch=0,
        last_parameters=parameters,
        optimizer_state=state,
        seed=0,
    )


def _warn(estimator: Any, stop: tuple[Stop, ...], *, incremental: bool) -> None:
    if Stop.INTERRUPTED in stop:
        warnings.warn("Training interrupted by user.", stacklevel=5)
    elif Stop.MAXIMUM in stop and not incremental:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=5,
        )
    if Stop.DIVERGED in stop:
        warnings.warn("Some of the networks diverged: their last finite weights are kept.", ConvergenceWarning, stacklevel=5)


def _say(epoch: Epoch) -> None:
    """Print what scikit-learn prints."""
    print(f"Iteration {epoch.number}, loss = {sum(each(epoch.cost)) / len(each(epoch.cost)):.8f}")
    if epoch.validation_score is not None:
        scores = each(epoch.validation_score)
        print(f"Validation score: {sum(scores) / len(scores):f}")
