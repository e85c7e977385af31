"""What an estimator knows, beside its public attributes, once it is fitted: one value, which is replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.network import Network

__all__ = ["Fitted", "Labels", "LastCall", "Left", "forget", "optimizer_of", "watched_by"]


_OF_EPOCHS = ("loss_curve_", "learning_rate_curve_", "validation_loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_")


class Labels(NamedTuple):
    """What a classifier knows of its labels.

    Attributes
    ----------
    classes : ndarray
        Sorted; of several labels their numbers.
    kind : {"binary", "multiclass", "multilabel-indicator"}
        One output for two classes, one for each class, or one for each label.
    sparse : bool
        Whether several labels came as a sparse matrix, and are predicted as one.
    """

    classes: Any
    kind: str
    sparse: bool = False

    @property
    def several(self) -> bool:
        """Whether an example may have several labels, or none."""
        return self.kind == "multilabel-indicator"

    @property
    def sharing(self) -> int:
        """How many classes share the one output: two, or one alone; 0 where each has its own."""
        return len(self.classes) if self.kind == "binary" else 0


class Left(NamedTuple):
    """What a call of ``fit`` or ``partial_fit`` leaves for the next one to go on from.

    Attributes
    ----------
    optimizer : tuple
        What the optimizer's state depends on, see :func:`optimizer_of`; with another solver it begins anew.
    state : tree of arrays, or None
        The optimizer's state.
    watched : object
        What the monitor watched, see :func:`watched_by`; of another number it begins anew.
    best, stale : list
        How far the monitor got.
    rates : list of float
        The adaptive rates; empty with another schedule.
    """

    optimizer: tuple[Any, ...] = ()
    state: Any = None
    watched: Any = None
    best: Sequence[float] = ()
    stale: Sequence[int] = ()
    rates: Sequence[float] = ()


class LastCall(NamedTuple):
    """What the members' own attributes depend on, beside the curves.

    Attributes
    ----------
    epochs, m : int
        Of the last call, and the examples of each.
    before : int
        The examples seen before it.
    early : bool
        Whether it could stop early.
    idle : tuple of int
        The epochs at its end for which each member had stopped.
    """

    epochs: int
    before: int
    m: int
    early: bool
    idle: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What is known of a fit beside the public attributes, which hold the weights.

    Attributes
    ----------
    network : Network
    place : Place
        Where the weights are; ``None`` in a pickle and before :func:`mlpxp.estimators.fitted.adopt`, which find it from the weights.
    labels : Labels or None
        A classifier's.
    curves : dict of str to list of tuple
        ``loss_curve_`` and the other curves by name, with one number a member; ``None`` for one that there isn't. Empty without epochs.
        A call writes at their end.
    left : Left or None
        What the next call goes on from; ``None`` is from the weights alone.
    members : LastCall or sequence of dict
        What the members' own attributes follow from, or these attributes themselves.
    made : dict
        What was made of all this and the weights when it was first asked for, and is neither copied nor kept: ``parameters``, as the
        backend has them, with what they were made of, and the ``members`` as estimators.
    """

    network: Network
    place: Any = None
    labels: Labels | None = None
    curves: dict[str, Any] = field(default_factory=dict)
    left: Left | None = None
    members: LastCall | Sequence[dict[str, Any]] = ()
    made: dict[str, Any] = field(default_factory=dict)


def optimizer_of(estimator: Any) -> tuple[Any, ...]:
    """Return what an optimizer's state depends on."""
    return estimator.solver, estimator.solver == "sgd" and estimator.momentum > 0.0


def watched_by(estimator: Any) -> Any:
    """Return what a fit is stopped by."""
    return estimator.monitor if estimator.early_stopping else "training loss"


def forget(estimator: Any) -> None:
    """Forget all epochs; L-BFGS has none."""
    for name in _OF_EPOCHS:
        vars(estimator).pop(name, None)
    estimator._fitted = replace(estimator._fitted, curves={}, left=None, members=())
