"""Figures of the story that no other part of the library draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.lesson.lesson import Lesson
from mlpxp.plotting.boundary import plot_decision_boundary
from mlpxp.plotting.style import FIRST, INK, SECOND, canvas
from mlpxp.propagation import predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_half_planes_of", "plot_operations"]


@dataclass(frozen=True)
class _Fitted:
    """A lesson's network of two classes as a fitted classifier."""

    lesson: Lesson
    n_features_in_ = 2

    @property
    def classes_(self) -> Any:
        return np.asarray(self.lesson.examples.classes)

    def predict_proba(self, X: Any) -> Any:
        (A,) = predict(self.lesson.network, self.lesson.parameters, X.T)
        return np.stack([1.0 - A, A], axis=1)

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def plot_half_planes_of(lesson: Lesson) -> Figure:
    """Draw what a lesson's network of two classes says of the plane, and the line w·x + b = 0 of each first hidden unit."""
    classes = np.asarray(lesson.examples.classes)
    figure = plot_decision_boundary(_Fitted(lesson), lesson.examples.X.T, classes[lesson.examples.codes])
    axes = figure.axes[0]
    axes.set_xlabel(lesson.examples.features[0])
    axes.set_ylabel(lesson.examples.features[1])
    if len(lesson.parameters) > 1:
        for (w1, w2), (b,) in zip(*lesson.parameters[0], strict=True):
            nearest = -b * np.asarray([w1, w2]) / (w1 * w1 + w2 * w2)  # the point of the line that is nearest to 0
            axes.axline(tuple(nearest), tuple(nearest + np.asarray([-w2, w1])), color=INK, linewidth=1.0, linestyle="--")
    return figure


def plot_operations(rows: list[Any]) -> Figure:
    """Draw the operations of a gradient by both methods against the number of parameters."""
    figure, axes = canvas(None, figsize=(6.4, 4.0))
    _, n, quick, naive, _ = zip(*rows, strict=True)
    for values, name, colour, marker in ((naive, "naive", SECOND, "s"), (quick, "backpropagation", FIRST, "o")):
        axes.loglog(n, values, color=colour, marker=marker, label=name)
    axes.set_xticks(n, labels=map(str, n))
    axes.set_xticks([], minor=True)
    axes.set_xlabel("parameters n")
    axes.set_ylabel("operations")
    axes.grid(visible=True, color="#d9d9d9", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
