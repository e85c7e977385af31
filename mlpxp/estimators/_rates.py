"""The optimizer that an estimator's parameters ask for, and how its learning rate goes from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlpxp.core.optimizers import Adam, AdamW, Cosine, GradientDescent, WarmUp, rate_at
from mlpxp.errors import RangeError

if TYPE_CHECKING:
    from mlpxp.estimators._monitor import Monitor

__all__ = ["make_optimizer"]


def make_optimizer(estimator: Any, monitor: Monitor, m: int, *, incremental: bool) -> Any:
    """Return the optimizer of one of the solvers by epochs."""
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
        schedule = policy if callable(policy) else _listed(policy, int(estimator.max_iter))
    elif policy == "cosine":
        schedule = Cosine(eta, max(int(estimator.max_iter) - float(estimator.warm_up), 1.0))
    elif policy == "constant" or estimator.solver != "sgd":  # as scikit-learn has it: the other policies are sgd's
        schedule = eta
    elif policy == "adaptive":
        schedule = monitor.schedule
    else:
        schedule = _inverse_scaling(eta, float(estimator.power_t), m, estimator.t_ if incremental else 0, before=estimator.t_)
    if estimator.warm_up:
        schedule = WarmUp(estimator.warm_up, schedule, start=eta / 100.0)
    if callable(schedule) and incremental and not (isinstance(policy, str) and policy in {"adaptive", "invscaling"}):
        done = len(getattr(estimator, "loss_curve_", ()))
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
