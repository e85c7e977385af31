"""A lesson as what a page draws: numbers and texts that JSON can hold, no markup."""

from __future__ import annotations

import base64
import math
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from mlpxp.core.propagation import predict
from mlpxp.plotting.plane import Plane, through
from mlpxp.plotting.style import HUES
from mlpxp.textbook.lesson._examples import Examples
from mlpxp.textbook.lesson._lesson import Lesson, operations
from mlpxp.textbook.lesson._numbers import numbers_of

__all__ = ["GRID", "examples_view", "lesson_view", "plane_of"]

GRID = 72  # points along each axis
FINEST = 65535  # a probability is sent as a whole number up to this
LONGEST_CURVE = 300  # points


@lru_cache(maxsize=8)
def plane_of(examples: Examples) -> Plane:
    """The part of the plane that is drawn: as wide as the examples and a margin more."""
    return through(examples.X.T, (0, 1), GRID)


def examples_view(examples: Examples) -> dict[str, Any]:
    """What stays as long as the examples do."""
    plane = plane_of(examples)
    return {
        "x": [round(value, 6) for value in examples.X[0].tolist()],
        "y": [round(value, 6) for value in examples.X[1].tolist()],
        "codes": examples.codes.tolist(),
        "classes": list(examples.classes),
        "features": list(examples.features),
        "target": examples.target,
        "colours": list(HUES[: len(examples.classes)]),
        "right": [float(plane.right[0]), float(plane.right[-1])],
        "up": [float(plane.up[0]), float(plane.up[-1])],
        "grid": GRID,
    }


def lesson_view(lesson: Lesson, example: int) -> dict[str, Any]:
    """What changes with each step: the boundary, the half-planes, the weights, the curve, the counter, and one example's numbers."""
    choices, network = lesson.choices, lesson.network
    size = lesson.batch_size
    return {
        "choices": {**asdict(choices), "widths": list(choices.widths)},
        "epoch": len(lesson.costs),
        "step": len(lesson.partial),
        "steps": lesson.steps,
        "cost": _finite(lesson.cost),
        "right": lesson.right,
        "m": lesson.examples.m,
        "trouble": lesson.trouble,
        "shares": _shares(lesson),
        "layers": [{"W": _rounded(layer.W), "b": _rounded(layer.b[:, 0])} for layer in lesson.parameters],
        "activations": [activation.name for activation in network.activations],
        "curve": _curve(lesson.costs),
        "counter": {
            "parameters": network.n_parameters,
            "batch": size,
            "backpropagation": operations(network, size, "backpropagation"),
            "naive": operations(network, size, "naive") if choices.method == "naive" else None,
            "passes": 2 * network.n_parameters,
            "total": lesson.counted,
        },
        "example": example,
        "numbers": _numbers(lesson, example),
    }


def _shares(lesson: Lesson) -> list[str]:
    """The outputs over the plane from the lowest line up, each as base64 of little-endian uint16."""
    rows = plane_of(lesson.examples).rows()
    with np.errstate(all="ignore"):
        A = np.nan_to_num(predict(lesson.network, lesson.parameters, rows.T), nan=0.5)
    whole = np.rint(np.clip(A, 0.0, 1.0) * FINEST).astype("<u2")
    return [base64.b64encode(one.tobytes()).decode() for one in whole]


def _curve(costs: tuple[float, ...]) -> dict[str, Any]:
    """The cost by epoch, thinned where there are many; the last epoch is always there."""
    stride = max(1, -(-len(costs) // LONGEST_CURVE))
    epochs = list(range(len(costs), 0, -stride))[::-1]
    return {"epochs": epochs, "costs": [costs[epoch - 1] for epoch in epochs]}


def _numbers(lesson: Lesson, example: int) -> list[dict[str, Any]]:
    column = slice(example, example + 1)
    X, Y = lesson.examples.X[:, column], lesson.examples.Y[:, column]
    with np.errstate(all="ignore"):
        found = numbers_of(lesson.network, lesson.parameters, X, Y, method=lesson.choices.method)
    return [
        {
            "name": one.name,
            "tag": one.tag,
            "equation": one.equation,
            "shape": list(np.shape(one.values)),
            "values": [[_finite(value) for value in row] for row in np.atleast_2d(one.values).tolist()],
        }
        for one in found
    ]


def _rounded(array: Any) -> Any:
    """Six digits: enough for a picture, however small or large the numbers are."""
    return np.reshape([float(f"{value:.6g}") for value in array.ravel().tolist()], array.shape).tolist()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
