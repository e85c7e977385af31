"""How the gradient is computed, what it costs, and what it is for."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mlpxp.core.network import Network, initialize
from mlpxp.core.propagation import backward, forward
from mlpxp.plotting import plot_loss_curve
from mlpxp.report.results import Grid
from mlpxp.runs.history import History
from mlpxp.textbook.figures import plot_error_signals
from mlpxp.textbook.lesson._choices import Choices
from mlpxp.textbook.lesson._examples import built_in
from mlpxp.textbook.lesson._lesson import begin, operations
from mlpxp.textbook.lesson._numbers import numbers_of
from mlpxp.textbook.lesson.story._blocks import Equation, Plot, Section, solved
from mlpxp.textbook.lesson.story._figures import plot_operations
from mlpxp.textbook.teaching.error_signals import error_signals as norms_by_layer

__all__ = ["backpropagation", "cost_of_a_gradient", "error_signals", "learning"]


def backpropagation() -> Section:
    """B1 to B4, with the numbers of one pass."""
    lesson = begin(Choices(), built_in("xor"))
    column = slice(1, 2)
    steps = numbers_of(lesson.network, lesson.parameters, lesson.examples.X[:, column], lesson.examples.Y[:, column])
    rows = tuple(
        (_indexed(one.name), one.tag, one.equation.replace("delta", "δ"), _shape(one.values), _written(one.values)) for one in steps
    )
    return Section(
        "Backpropagation, number by number",
        (
            "Write δ_l for ∂C/∂Z_l. The chain rule, read from the last layer to the first, needs each layer's δ once:",
            Equation("B1", "δ_L = ∂C/∂A_L ⊙ σ'_L(Z_L)"),
            Equation("B2", "δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ σ'_l(Z_l)"),
            Equation("B3", "∂C/∂W_l = δ_l A_{l-1}ᵀ"),
            Equation("B4", "∂C/∂b_l = Σ δ_l, over the examples"),
            "⊙ multiplies element by element. The derivatives come from what the forward pass holds anyway:",
            Equation("A1", "σ(z) = 1/(1 + e^{-z}), σ' = σ (1 - σ)"),
            Equation("A2", "tanh' = 1 - tanh²"),
            Equation("A3", "ReLU(z) = max(0, z), ReLU' = 1 where z > 0, else 0"),
            "Here is one example of XOR, (0, 1) with y = 1, and a 2-2-1 network before its first step. Check a line by hand:",
            Grid("walk", "One forward and one backward pass", ("name", "tag", "equation", "shape", "value"), rows, keys=3),
        ),
    )


def error_signals() -> Section:
    """B2, ten times over."""
    depth = 10
    rows = []
    for name in ("sigmoid", "tanh", "relu"):
        network = Network((2, *(16,) * depth, 1), hidden=name, output="sigmoid", loss="binary_cross_entropy")
        parameters = initialize(network, seed=0, backend="numpy", dtype="float64")
        x, y = np.asarray([[0.5], [1.0]]), np.ones((1, 1))
        gradients = backward(network, parameters, forward(network, parameters, x), y)
        norms = [float(np.linalg.norm(layer.b)) for layer in gradients]  # of one example ∂C/∂b is δ (B4)
        rows.append((name, norms[-1], norms[depth // 2], norms[0], norms[0] / norms[-1]))
    return Section(
        "How an error fades on its way back",
        (
            """Each layer multiplies δ by σ' once more (B2). The sigmoid's derivative is nowhere above ¼, so that ten layers of them
            leave little for the first one to learn from; tanh and ReLU have derivatives of 1 where they work best, if the first
            weights are of the right size: variance 2/(n_in + n_out) for tanh (Glorot and Bengio 2010), 2/n_in for ReLU (He and
            others 2015).""",
            Grid(
                "fading",
                f"‖δ_l‖ in a network of {depth} hidden layers of 16 units, before training, for one example",
                ("activation", "last layer", f"layer {depth // 2 + 1}", "first layer", "first ÷ last"),
                tuple(rows),
            ),
            Plot(
                lambda: plot_error_signals(
                    [
                        norms_by_layer(name, scheme=scheme, depth=20, seeds=range(5))
                        for name in ("sigmoid", "tanh", "relu")
                        for scheme in ("glorot_uniform", "he_uniform")
                    ]
                ),
                "‖δ_l‖ through 20 layers, five networks each, and what the size of the first weights does to it.",
            ),
        ),
    )


def cost_of_a_gradient() -> Section:
    """K1: naive differentiation against backpropagation, counted."""
    m = 32
    rows = []
    for width in (2, 4, 8, 16):
        network = Network((2, width, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
        quick, naive = (operations(network, m, method) for method in ("backpropagation", "naive"))
        rows.append((f"2-{width}-1", network.n_parameters, quick, naive, naive / quick))
    return Section(
        "What a gradient costs",
        (
            """One could do without the chain rule: move each parameter a little, run the network again, and see how the cost changes.
            That is right, and simple, and takes two forward passes for each of the n parameters.""",
            Equation("K1", "naive differentiation: O(m·n²); backpropagation: O(m·n), for m examples and n parameters"),
            f"""(Where it is written O(mn²) against O(mn) “for m parameters and n neurons”, the letters don't fit what they name; with m
            examples and n parameters both statements are right.) Backpropagation computes what all the derivatives share once: one
            forward and one backward pass, however many parameters there are. The operations of one gradient of {m} examples, counted
            while they were done:""",
            Grid(
                "operations",
                "Operations of one gradient",
                ("network", "parameters n", "backpropagation", "naive", "naive ÷ backpropagation"),
                tuple(rows),
            ),
            Plot(
                lambda: plot_operations(rows),
                "Both axes are logarithmic: of a power of n the exponent is the slope, 1 for backpropagation and 2 for the naive way.",
            ),
        ),
    )


def learning() -> Section:
    """G1, G2: what the gradient is for."""
    lesson = solved()
    return Section(
        "Learning",
        (
            "The gradient says in which direction the cost grows fastest. Go the other way, a little, and again:",
            Equation("G1", "W_l ← W_l - η ∂C/∂W_l, b_l ← b_l - η ∂C/∂b_l"),
            Equation("G2", "forward, backward, update, until the cost no longer falls or there were enough epochs"),
            f"""The network of two hidden units above learnt XOR so, with η = 1: {lesson.right} of 4 after {len(lesson.costs)} epochs. Not
            every start gets there: where two units begin as one line they may stay one. Try other seeds in mlpxp lesson, where every
            step can be watched.""",
            Plot(lambda: plot_loss_curve(History(cost=lesson.costs)), "The cost of XOR by epoch."),
        ),
    )


def _indexed(name: str) -> str:
    """``delta2`` as ``δ_2``."""
    return re.sub(r"(\d+)$", r"_\1", name).replace("delta", "δ")


def _shape(values: Any) -> str:
    return " × ".join(map(str, np.shape(values))) or "number"


def _written(values: Any) -> str:
    return "; ".join(" ".join(f"{value:.4f}" for value in row) for row in np.atleast_2d(values)).replace("-", "\N{MINUS SIGN}")
