"""The solvers sgd, adam and adamw: options of the estimators as arguments of :func:`mlpxp.train`, and its result as fitted attributes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from mlpxp.arrays.backend import choose_backend
from mlpxp.arrays.standard import tree_map
from mlpxp.core.network import stack, unstack
from mlpxp.errors import DivergenceError
from mlpxp.estimators._curves import note
from mlpxp.estimators._examples import for_training, penalty_of, set_aside
from mlpxp.estimators._initial import shuffled
from mlpxp.estimators._learning import Monitor, make_optimizer
from mlpxp.estimators._losses import check_custom_loss
from mlpxp.estimators._scoring import scored
from mlpxp.estimators._state import Left, optimizer_of, watched_by
from mlpxp.estimators._validation import warns_if_far_off
from mlpxp.runs.history import History, TrainingResult
from mlpxp.runs.stopping import Stop, each
from mlpxp.training.options import plan_for
from mlpxp.training.precision import outside
from mlpxp.training.prepare import prepare

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place
    from mlpxp.core.network import Network, Parameters
    from mlpxp.runs.history import Epoch

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
    given = held_out is not None
    if estimator.early_stopping and not given:
        examples, held_out = set_aside(estimator, examples, random)
    X, targets, _, weights = examples
    m = len(targets)
    size = _batch_size(estimator.batch_size, m)
    learnt = estimator._learnt(targets)
    columns, Y, w = for_training(X, learnt, weights, place, moves=moves)
    parameters, left = estimator._parameters(), estimator._fitted.left or Left()
    check_custom_loss(network, parameters, columns, learnt, size)
    validation = None if held_out is None else for_training(held_out[0], held_out[1], held_out[3], place, moves=moves)
    scores: list[list[float]] = []  # of each epoch, on the validation data
    look = None if held_out is None else scored(estimator, held_out, scores)
    monitor = _monitor(estimator, _reader(estimator.monitor, held_out, scores), look, left, incremental=incremental)
    callbacks: list[Callable[[Epoch], object]] = [warns_if_far_off(network, learnt)] if given else []
    if estimator.verbose:
        callbacks.append(_said(estimator.monitor, scores))
    optimizer = make_optimizer(estimator, monitor, m, incremental=incremental)
    seed = int(random.randint(2**31 - 1)) + estimator.t_ if np.any(estimator.dropout) else 0
    plan = plan_for(
        len(network.hidden),
        optimizer=optimizer,
        epochs=1 if incremental else int(estimator.max_iter),
        batch_size=size,
        seed=seed,
        penalty=penalty_of(estimator, weights, m, place),
        penalty_on="sum",
        dropout=estimator.dropout,
        clip_norm=estimator.clip_norm,
        order=shuffled(random, m, shuffle=estimator.shuffle),
        max_seconds=estimator.max_seconds,
        callbacks=[*callbacks, *estimator.callbacks],
        progress=bool(estimator.progress),
    )
    run = prepare(
        network,
        columns,
        Y,
        replace(plan, stopping=monitor, keeps_best=_keeps_best(estimator, incremental=incremental)),
        weights=w,
        validation=validation,
        start=_continued(estimator, network, parameters, library, left) if incremental else parameters,
        backend=estimator.backend,
        device=estimator.device,
    )
    diverged: DivergenceError | None = None
    try:
        result = run()
        history, stop, last, state = result.history, result.stop, result.last_parameters, result.optimizer_state
        best = _best_of(result) if result.restored_best else None
    except DivergenceError as error:
        diverged, history, last, state, best = error, error.history, error.parameters, None, error.best
        stop = (Stop.DIVERGED,) * monitor.members or Stop.DIVERGED
    del run, parameters
    stops = stop if isinstance(stop, tuple) else (stop,)
    estimator._hold(last if best is None else best)
    estimator.stop_ = stop
    rates = () if monitor.rate is None else monitor.rates
    reached = [-cost for cost in monitor.watched.best]
    left = Left(optimizer_of(estimator), state, watched_by(estimator), reached, list(monitor.watched.stale), rates)
    estimator._fitted = replace(estimator._fitted, left=left)
    if diverged is None or best is not None:
        _warn(estimator, stops, diverged, incremental=incremental)  # as an error, if the user will have it so, and then nothing is noted
    note(estimator, monitor, history, None if held_out is None else scores, m, diverged=diverged is not None)
    if estimator.verbose:
        print(f"Stopped after {estimator.n_iter_} epochs: {', '.join(dict.fromkeys(stops))}")
    if diverged is not None and best is None:
        raise DivergenceError(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed. "
            f"The estimator keeps its last finite weights ({diverged})",
            parameters=diverged.parameters,
            history=diverged.history,
        ) from diverged


def _best_of(result: TrainingResult) -> Parameters | None:
    """Return the best epochs' parameters, of a member that had none the last ones; ``None`` if nobody had one."""
    epochs = each(result.best_epoch)
    if all(epochs) or not any(epochs):
        return result.parameters if any(epochs) else None
    members = zip(unstack(result.parameters), unstack(result.last_parameters), epochs, strict=True)
    return stack([best if epoch else last for best, last, epoch in members])


def _batch_size(asked: Any, m: int) -> int:
    if asked == "auto":
        return min(200, m)
    if asked > m:
        warnings.warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=outside())
    return min(int(asked), m)


def _monitor(
    estimator: Any, read: Callable[[Epoch], list[float]], look: Callable[[Epoch], object] | None, left: Left, *, incremental: bool
) -> Monitor:
    """Return what judges the fit; where the call before watched the same, it goes on."""
    k, goes_on, early = int(estimator.n_networks), left.watched == watched_by(estimator), estimator.early_stopping
    adaptive = estimator.solver == "sgd" and isinstance(estimator.learning_rate, str) and estimator.learning_rate == "adaptive"
    return Monitor(
        read if early else _training_loss,
        0 if k == 1 else k,
        tol=float(estimator.tol),
        patience=float(estimator.n_iter_no_change),
        reason=Stop.EARLY if early else Stop.CONVERGED,
        rate=float(estimator.learning_rate_init) if adaptive else None,
        stops=not incremental,
        best_by=None if early else read,
        look=look,
        best=[-value for value in left.best] if goes_on else (),
        stale=left.stale if goes_on else (),
        rates=list(left.rates) if incremental and adaptive else [],
    )


def _keeps_best(estimator: Any, *, incremental: bool) -> bool:
    """Whether the best epoch's parameters are kept: with early stopping unless that is not wanted, elsewhere if it is."""
    if estimator.early_stopping:
        return estimator.restore_best is not False
    return bool(estimator.restore_best) and not incremental


def _training_loss(epoch: Epoch) -> list[float]:
    return each(epoch.cost)


def _reader(monitor: Any, held_out: Any, scores: list[list[float]]) -> Callable[[Epoch], list[float]]:
    """Return what reads the number to be lowered from an epoch: of the validation data, if there are any."""
    if held_out is None:
        return _training_loss
    if isinstance(monitor, str) and monitor == "loss":
        return lambda epoch: each(epoch.validation_cost)
    return lambda epoch: [-score for score in scores[-1]]


def _continued(estimator: Any, network: Network, parameters: Parameters, library: Any, left: Left) -> Any:
    """Return what partial_fit goes on from: the parameters, with the optimizer's state of the call before if it was the same optimizer."""
    if left.state is None or left.optimizer != optimizer_of(estimator):
        return parameters
    like = parameters[0].W
    state = tree_map(lambda leaf: library.asarray(leaf, device=getattr(like, "device", None)), left.state)
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


def _warn(estimator: Any, stop: tuple[Stop, ...], diverged: DivergenceError | None, *, incremental: bool) -> None:
    if diverged is not None:
        warnings.warn(f"Training diverged, the best epoch's weights are kept: {diverged}", ConvergenceWarning, stacklevel=outside())
        return
    if Stop.INTERRUPTED in stop:
        warnings.warn("Training interrupted by user.", stacklevel=outside())
    elif Stop.MAXIMUM in stop and not incremental:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=outside(),
        )
    if Stop.DIVERGED in stop:
        warnings.warn("Some of the networks diverged: their last finite weights are kept.", ConvergenceWarning, stacklevel=outside())


def _said(monitor: Any, scores: list[list[float]]) -> Callable[[Epoch], None]:
    """Return a callback that prints what scikit-learn prints, and the name of what is monitored."""
    name = monitor if isinstance(monitor, str) else getattr(monitor, "__name__", str(monitor))

    def say(epoch: Epoch) -> None:
        print(f"Iteration {epoch.number}, loss = {_mean(each(epoch.cost)):.8f}")
        if scores:
            print(f"Validation {name}: {_mean(each(epoch.validation_cost) if name == 'loss' else scores[-1]):f}")

    return say


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
