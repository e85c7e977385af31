"""What is minimised: the losses, and the shape of the cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpxp.bench.results import Grid
from mlpxp.lesson.story.blocks import Equation, Section, solved
from mlpxp.network import Layer, Network
from mlpxp.propagation import backward, cost, forward

__all__ = ["convexity", "losses"]


def losses() -> Section:
    """C1 to C3, and saturation."""
    rows = []
    for z in (0.0, 2.5, 5.0, 10.0):
        one = np.ones((1, 1))
        wrong = [
            float(backward(network, (Layer(one, z - one),), forward(network, (Layer(one, z - one),), one), 0.0 * one)[0].b[0, 0])
            for network in (Network((1, 1), output="sigmoid", loss=loss) for loss in ("mse", "binary_cross_entropy"))
        ]
        rows.append((z, float(1.0 / (1.0 + np.exp(-z))), *wrong))
    return Section(
        "Two losses, and why one of them stalls",
        (
            "The cost C is the mean of a loss over the examples.",
            Equation("C1", "½ ‖ŷ - y‖², with derivative ŷ - y"),
            Equation("C2", "-[y ln ŷ + (1 - y) ln(1 - ŷ)], with derivative (ŷ - y) / (ŷ (1 - ŷ))"),
            Equation("C3", "-Σ_k y_k ln ŷ_k"),
            """Let a sigmoid output be wrong: y = 0, but z is large. With the squared error the error signal is multiplied by σ'(z),
            which is all but 0 where the unit is saturated: the more wrong, the less it learns. Cross-entropy divides by that same
            factor, and ŷ - y is left.""",
            Grid("saturation", "The error signal ∂C/∂z of a wrong output", ("z", "ŷ", "squared error", "cross-entropy"), tuple(rows)),
            """Cross-entropy is no arbitrary choice: it is the negative logarithm of the likelihood that the network gives to the
            classes that were seen.""",
        ),
    )


def convexity() -> Section:
    """Two minima, and what is higher between them."""
    lesson = solved()
    (W, b), (V, c) = lesson.parameters
    swapped = (Layer(W[::-1], b[::-1]), Layer(V[:, ::-1], c))
    middle = tuple(Layer((one.W + two.W) / 2, (one.b + two.b) / 2) for one, two in zip(lesson.parameters, swapped, strict=True))

    def worth(parameters: Any) -> float:
        return float(cost(lesson.network, forward(lesson.network, parameters, lesson.examples.X), lesson.examples.Y))

    rows = (("as trained", worth(lesson.parameters)), ("hidden units swapped", worth(swapped)), ("half-way between the two", worth(middle)))
    return Section(
        "Convex for one layer, not for two",
        (
            """For one linear layer the squared error, and for one logistic layer cross-entropy, is a convex function of the parameters:
            every minimum is a global one. With a hidden layer that is over, and no calculation is needed to see it. Number the
            hidden units the other way round: the network computes the same, so that its cost is the same. Were the cost convex, it
            could not be higher half-way between the two.""",
            Grid("swap", "The cost of XOR's network", ("parameters", "cost"), rows),
            "Half-way the two units are alike, which makes them one; and one line doesn't separate XOR.",
        ),
    )
