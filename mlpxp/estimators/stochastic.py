"""The solvers sgd, adam and adamw: options of the estimators as arguments of :func:`mlpxp.train`, and its result as fitted attributes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from mlpxp.arrays import namespace, tree_map
from mlpxp.backend import choose_backend
from mlpxp.errors import DataError, DivergenceError, RangeError
from mlpxp.estimators.errors import translated
from mlpxp.estimators.initial import shuffled
from mlpxp.estimators.inputs import is_mapped
from mlpxp.estimators.losses import check_custom_loss
from mlpxp.estimators.monitor import Monitor
from mlpxp.estimators.progress import bar
from mlpxp.history import History, TrainingResult
from mlpxp.network import stack
from mlpxp.optimizers import Adam, AdamW, Cosine, GradientDescent, WarmUp, rate_at
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
    if estimator.early_stopping and held_out is None:
        examples, held_out = _split(estimator, examples, random)
    X, targets, _, weights = examples
    m = X.shape[0]
    size = _batch_size(estimator.batch_size, m)
    library = choose_backend(estimator.backend, X)
    columns = _columns(X, place, library)
    rows = estimator._learnt(targets)
    Y, w = _targets(rows, place), None if weights is None else place.put(weights, dtype=place.dtype)
    check_custom_loss(network, estimator._parameters(), X, rows, size)
    validation = None if held_out is None else _validation(held_out, place)
    said: list[float] = []  # by a scorer of the user's
    read = _reader(estimator, held_out, said)
    monitor = _monitor(estimator, read if estimator.early_stopping else _training_loss, incremental=incremental)
    keeper = _keeper(estimator, monitor, read, incremental=incremental)
    callbacks: list[Callable[[Epoch], object]] = [monitor, *([] if keeper is monitor else [keeper]), *estimator.callbacks]
    if estimator.verbose:
        callbacks.insert(0, _say)
    optimizer = _optimizer(estimator, monitor, m, incremental=incremental)
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
        _note(estimator, monitor, error.history, held_out, said, m, diverged=True)
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
    _note(estimator, monitor, result.history, held_out, said, m)
    if estimator.verbose:
        print(f"Stopped after {estimator.n_iter_} epochs: {', '.join(dict.fromkeys(stops))}")
    _warn(estimator, stops, incremental=incremental)


def _split(estimator: Any, examples: tuple[Any, Any, Any, Any], random: np.random.RandomState) -> tuple[Any, Any]:
    """Set validation data aside as scikit-learn does, by the numbers of the rows; what is mapped into memory stays there."""
    X, targets, y, weights = examples
    binary = targets.dtype == bool and targets.shape[1] == 1
    with translated():
        inside, outside = train_test_split(
            np.arange(X.shape[0]), random_state=random, test_size=estimator.validation_fraction, stratify=targets if binary else None
        )
    if len(outside) < 2:
        raise DataError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")

    def part(rows: Any, *, stays: bool) -> tuple[Any, Any, Any, Any]:
        mine = _Mapped(X, rows) if stays else _take(X, rows)
        return mine, targets[rows], y[rows], None if weights is None else weights[rows]

    return part(inside, stays=is_mapped(X)), part(outside, stays=False)


class _Mapped:
    """Some rows of an array that is mapped into memory, with the shape of an array."""

    def __init__(self, X: Any, rows: Any) -> None:
        self.X, self.rows = X, rows
        self.shape = (len(rows), X.shape[1])
        self.dtype = X.dtype

    def __getitem__(self, rows: Any) -> Any:
        return self.X[self.rows[rows]]


def _take(X: Any, rows: Any) -> Any:
    if hasattr(X, "tocsr") or isinstance(X, np.ndarray):
        return X[rows]
    xp = namespace(X)
    return xp.take(X, xp.asarray(rows, device=X.device), axis=0)


def _columns(X: Any, place: Place, library: Any) -> Any:
    """Return X as train has it, one example a column; what isn't dense, or is mapped and has to be moved, is read a batch at a time."""
    if isinstance(X, _Mapped) or hasattr(X, "tocsr"):
        return Rows(X)
    moves = library.namespace is not place.library.namespace
    if isinstance(X, np.ndarray) and is_mapped(X) and (moves or X.dtype != place.dtype):
        return Rows(X)
    return (X if str(X.dtype).rpartition(".")[-1] == place.dtype else place.put(X, dtype=place.dtype)).mT


def _targets(targets: Any, place: Place) -> Any:
    return place.put(targets.astype(place.dtype), dtype=place.dtype).mT


def _validation(held_out: tuple[Any, Any, Any, Any], place: Place) -> tuple[Any, ...]:
    X, targets, _, weights = held_out
    X = X.toarray() if hasattr(X, "toarray") else X
    Y = _targets(targets, place)
    return place.put(X, dtype=place.dtype).mT, Y, None if weights is None else place.put(weights, dtype=place.dtype)


def _batch_size(asked: Any, m: int) -> int:
    if asked == "auto":
        return min(200, m)
    if asked > m:
        warnings.warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5)
    return min(int(asked), m)


def _optimizer(estimator: Any, monitor: Monitor, m: int, *, incremental: bool) -> Any:
    rate = _rate(estimator, monitor, m, incremental=incremental)
    if estimator.solver == "sgd":
        return GradientDescent(rate, momentum=estimator.momentum, nesterov=bool(estimator.nesterovs_momentum and estimator.momentum))
    options = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
    if estimator.solver == "adamw":
        return AdamW(rate, weight_decay=estimator.weight_decay, **options)
    return Adam(rate, **options)


def _rate(estimator: Any, monitor: Monitor, m: int, *, incremental: bool) -> Any:
    """η as train takes it: a number, or a schedule of the epochs done."""
    policy, eta = estimator.learning_rate, float(estimator.learning_rate_init)
    schedule: Any
    if not isinstance(policy, str):
        schedule = policy if callable(policy) else _listed(policy, estimator.max_iter)
    elif policy == "cosine":
        schedule = Cosine(eta, max(estimator.max_iter - estimator.warm_up, 1))
    elif policy == "constant" or estimator.solver != "sgd":  # as scikit-learn has it: the other policies are sgd's
        schedule = eta
    elif policy == "adaptive":
        schedule = monitor.schedule
    else:
        schedule = _inverse_scaling(eta, estimator.power_t, m, estimator.t_ if incremental else 0, before=estimator.t_)
    if estimator.warm_up:
        schedule = WarmUp(estimator.warm_up, schedule, start=eta / 100.0)
    if callable(schedule) and incremental and not (isinstance(policy, str) and policy in {"adaptive", "invscaling"}):
        done = len(estimator.loss_curve_)
        return lambda epoch: schedule(epoch + done)
    return schedule


def _listed(rates: Sequence[float], epochs: int) -> Callable[[float], float]:
    """A schedule of one rate an epoch."""
    if len(rates) != epochs:
        raise RangeError(f"learning_rate must be one rate for each of the max_iter={epochs} epochs, got {len(rates)} rates")

    def schedule(epoch: float) -> float:
        return rates[min(int(epoch), epochs - 1)]

    for epoch in range(epochs):
        rate_at(schedule, epoch)  # all of them, before the first is used
    return schedule


def _inverse_scaling(eta: float, power: float, m: int, done: int, *, before: int) -> Callable[[float], float]:
    """η / (t + 1)^power with t the examples seen before the epoch; η itself in the first epoch of an optimizer."""

    def rate(epoch: float) -> float:
        t = (done if epoch < 1 else before) + math.floor(epoch) * m
        return eta / (t + 1.0) ** power if t else eta

    return rate


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
    return [-cost for cost in _each(epoch.cost)]


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
        return lambda epoch: [-cost for cost in _each(epoch.validation_cost)]
    if monitor == "score":
        flat = _is_flat(held_out[1])
        return lambda epoch: _scores(epoch.validation_score, epoch.validation_cost, flat=flat)
    X, _, y, _ = held_out

    def read(epoch: Epoch) -> list[float]:
        estimator._hold(epoch.parameters)
        with translated() if isinstance(monitor, str) else nullcontext():
            score = float(scorer(estimator, X, y))
        said.append(score)
        return [score] * max(estimator.n_networks, 1)

    return read


def _is_flat(targets: Any) -> bool:
    """Whether real targets never vary, so that R² has no meaning; scikit-learn's is 1 for perfect predictions then, and 0 otherwise."""
    return targets.dtype != bool and bool((targets == targets[:1]).all())


def _scores(scores: Any, costs: Any, *, flat: bool) -> list[float]:
    return [float(cost == 0.0) for cost in _each(costs)] if flat else _each(scores)


def _each(value: Any) -> list[float]:
    return list(value) if isinstance(value, tuple) else [value]


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


def _note(estimator: Any, monitor: Monitor, history: History, held_out: Any, said: list[float], m: int, *, diverged: bool = False) -> None:
    """Write the curves; those of an ensemble are means, and each member's are kept for it."""
    lost = [(math.nan,) * max(monitor.members, 1)] if diverged else []
    losses = [*map(tuple, map(_each, history.cost)), *lost]
    validation = scores = None
    if held_out is not None:
        flat = _is_flat(held_out[1])
        validation = [*map(tuple, map(_each, history.validation_cost)), *lost]
        pairs = zip(history.validation_score, history.validation_cost, strict=True)
        scores = [(score,) * max(monitor.members, 1) for score in said] or [tuple(_scores(*pair, flat=flat)) for pair in pairs]
        scores += lost
    rates = [rate if isinstance(rate, tuple) else (rate,) * max(monitor.members, 1) for rate in history.learning_rate] + lost
    new = {"loss_curve_": losses, "learning_rate_curve_": rates, "validation_loss_curve_": validation, "validation_scores_": scores}
    past = getattr(estimator, "_curves", {}) if estimator.loss_curve_ else {}
    estimator._curves = {name: None if curve is None else (past.get(name) or []) + curve for name, curve in new.items()}
    means = {name: None if curve is None else [sum(values) / len(values) for values in curve] for name, curve in estimator._curves.items()}
    before, early = estimator.t_, estimator.early_stopping
    vars(estimator).update(_summary(means, len(losses), before, m, early=early))
    estimator._watched = monitor.best, monitor.stale, monitor.rates
    estimator._of_members = []
    for i in range(monitor.members):
        idle = len(history.cost) - monitor.seen[i]  # the epochs after it had stopped
        curves = {
            name: None if curve is None else [values[i] for values in curve[: len(curve) - idle]]
            for name, curve in estimator._curves.items()
        }
        estimator._of_members.append(_summary(curves, len(losses) - idle, before, m, early=early))


def _summary(curves: dict[str, Any], epochs: int, before: int, m: int, *, early: bool) -> dict[str, Any]:
    """Return the fitted attributes that follow from the curves."""
    losses, scores = curves["loss_curve_"], curves["validation_scores_"]
    scored = None if scores is None else [score for score in scores if not math.isnan(score)]
    return curves | {
        "n_iter_": epochs,
        "t_": before + epochs * m,
        "loss_": losses[-1] if losses else math.nan,
        "best_loss_": None if early else min(losses, default=math.inf),
        "best_validation_score_": None if scored is None else max(scored, default=-math.inf),
    }


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
    print(f"Iteration {epoch.number}, loss = {sum(_each(epoch.cost)) / len(_each(epoch.cost)):.8f}")
    if epoch.validation_score is not None:
        scores = _each(epoch.validation_score)
        print(f"Validation score: {sum(scores) / len(scores):f}")
