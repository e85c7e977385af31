"""What is minimised: the losses, and the shape of the cost."""

from __future__ import annotations

import numpy as np

from mlpxp.core.network import Layer, Network
from mlpxp.core.propagation import backward, forward
from mlpxp.report.results import Grid
from mlpxp.textbook.figures import plot_convexity, plot_saturation, plot_swap
from mlpxp.textbook.lesson.story._blocks import Equation, Plot, Section
from mlpxp.textbook.teaching.convexity import swapped_minima, try_convexity
from mlpxp.textbook.teaching.saturation import saturated_neuron

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
            Plot(
                lambda: plot_saturation(saturated_neuron(z=5.0)),
                "One sigmoid unit that begins wrong, z = 5 and y = 0, and learns with the same η by either loss.",
            ),
            """Cross-entropy is no arbitrary choice: it is the negative logarithm of the likelihood that the network gives to the
            classes that were seen.""",
        ),
    )


def convexity() -> Section:
    """Two minima, and what is higher between them."""
    swap = swapped_minima()
    half = len(swap.cost) // 2
    rows = tuple(
        (name, float(swap.cost[i])) for name, i in (("the network", 0), ("hidden units swapped", -1), ("half-way between the two", half))
    )
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 20)), (rng.uniform(size=(1, 20)) > 0.5).astype("float64")
    wrong = try_convexity(Network((2, 1), output="sigmoid", loss="mse"), X, Y)
    return Section(
        "Convex for one layer, not for two",
        (
            """For one linear layer the squared error, and for one logistic layer cross-entropy, is a convex function of the parameters:
            every minimum is a global one. (A logistic layer with the squared error is not: the picture shows its cost above the chord of
            two points.) With a hidden layer that is over, and no calculation is needed to see it. Number the hidden units the other
            way round: the network computes the same, so that its cost is the same. Were the cost convex, it could not be higher
            half-way between the two.""",
            Plot(
                lambda: plot_convexity(wrong),
                "A logistic layer with the squared error, on segments between random parameters: above zero is not convex.",
            ),
            Grid("swap", "The cost of a network that is XOR, ŷ = relu(x1 + x2) - 2 relu(x1 + x2 - 1)", ("parameters", "cost"), rows),
            Plot(lambda: plot_swap(swap), "The cost on the straight line between the two: 0 at both ends, which none is below."),
            "Half-way the two units are alike, which makes them one; and one line doesn't separate XOR.",
        ),
    )
