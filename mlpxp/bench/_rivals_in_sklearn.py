"""scikit-learn: ``MLPClassifier``, an epoch or a batch at a time by ``partial_fit``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from mlpxp.bench.tasks import EPSILON, Rival
from mlpxp.estimators.their_privates import forget_optimizer

if TYPE_CHECKING:
    from mlpxp.bench.tasks import Task

__all__ = ["rivals"]


def rivals(task: Task, put: Callable[..., Any], *, all_of_them: bool) -> list[Callable[[], Rival]]:
    """Return the one way there is; its data are NumPy's."""
    del put, all_of_them
    return [partial(_rival, task)]


def _rival(task: Task) -> Rival:
    """Updates on the batches as they come; its weights are set where it keeps them, after a first update that made them."""
    _, *hidden, n_classes = task.network.sizes
    solver: Any = task.optimizer
    size: Any = task.size  # its own default is a text
    model = MLPClassifier(
        hidden, activation=task.hidden, solver=solver, alpha=0.0, batch_size=size, learning_rate_init=task.rate,
        shuffle=False, momentum=0.0, nesterovs_momentum=False, epsilon=EPSILON, tol=0.0,
    )  # fmt: skip
    # two classes are one logistic unit there, and softmax only what it is told to be on one-hot targets
    targets = task.labels if n_classes > 2 else task.one_hot.astype(np.int64)
    X, y = task.X[: task.size], targets[: task.size]

    def step() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a batch has many classes for its size
            return float(model.partial_fit(X, y).loss_)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.partial_fit(X, y, classes=np.arange(n_classes))
    model.out_activation_ = "softmax"
    for layer, W, b in zip(task.start, model.coefs_, model.intercepts_, strict=True):
        W[...], b[...] = layer.W.T, layer.b[:, 0]
    forget_optimizer(model)  # which remembers that update

    def epoch(number: int) -> float:
        order = task.rows(number).ravel()
        return float(model.partial_fit(task.X[order], targets[order]).loss_)

    return Rival(
        "scikit-learn", step, epoch, lambda: list(chain(*((W.T, b) for W, b in zip(model.coefs_, model.intercepts_, strict=True))))
    )
