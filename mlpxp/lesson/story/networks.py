"""What a perceptron can't do, and what a hidden layer can."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpxp.bench.results import Grid
from mlpxp.lesson.story.blocks import Equation, Plot, Section, solved
from mlpxp.lesson.story.figures import plot_half_planes_of
from mlpxp.plotting import plot_architecture
from mlpxp.propagation import forward

__all__ = ["approximation", "one_perceptron", "two_units"]


def one_perceptron() -> Section:
    """P1, P2: one line, and what XOR asks of it."""
    X, Y = solved().examples.X, solved().examples.Y
    signs = np.where(Y[0] > 0.5, 1, -1)
    rows: list[tuple[int | str, ...]] = [(*map(int, x), int(y), _asked(x, y)) for x, y in zip(X.T, Y[0], strict=True)]
    total = (signs * np.vstack([X, np.ones_like(Y)])).sum(axis=1)  # small whole numbers: exact
    w1, w2, b = (int(number) for number in total)
    alone = solved(())
    return Section(
        "One perceptron and its limit",
        (
            """A perceptron weighs its inputs, adds a bias, and asks on which side of zero the sum is. In the plane that is one straight
            line.""",
            Equation("P1", "w·x + b > 0"),
            "Exclusive or is 1 where its two inputs differ. Each of its four examples asks something of w and b:",
            Grid("xor", "What XOR asks of a perceptron", ("x1", "x2", "y", "so that"), tuple(rows)),
            f"""Turn each so that it says “greater than 0”, and add all four, once each: on the left {w1} w1 + {w2} w2 + {b} b is left,
            which is 0 whatever w and b are, and it would have to be greater than 0. So no line separates XOR (P2). The weights 1, 1,
            1, 1 of that sum are a certificate: anyone can check it by adding. By Farkas' lemma every inseparable data set has one.""",
            f"""Training doesn't help. A network without a hidden layer, after {len(alone.costs)} epochs of gradient descent, has
            {alone.right} of 4 on the right side, at a cost of {alone.cost:.4f}; saying one half everywhere costs ln 2 =
            {np.log(2):.4f}.""",
            Plot(
                lambda: plot_half_planes_of(alone),
                "What one line has learnt: one half, all but everywhere. Blue circles are 0, orange squares 1.",
            ),
        ),
    )


def two_units() -> Section:
    """P3: two half-planes, and what the output makes of them."""
    lesson = solved()
    trace = forward(lesson.network, lesson.parameters, lesson.examples.X)
    rows = tuple(
        (*map(int, lesson.examples.X[:, i]), *trace[0].A[:, i].tolist(), float(trace[1].A[0, i]), int(lesson.examples.Y[0, i]))
        for i in range(4)
    )
    return Section(
        "Two hidden units draw two lines",
        (
            "A hidden layer lets several perceptrons look at the same point, and one more decide by what they say.",
            Equation("F1", "Z_l = W_l A_{l-1} + b_l"),
            Equation("F2", "A_l = σ_l(Z_l)"),
            "Examples are columns: A_0 = X is (n_0, m), W_l is (n_l, n_{l-1}), b_l is (n_l, 1), and Z_l and A_l are (n_l, m).",
            f"""With two hidden units the two half-planes leave a strip between them, and XOR is solved (P3): after {len(lesson.costs)}
            epochs {lesson.right} of 4 are right, at a cost of {lesson.cost:.4f}.""",
            Plot(lambda: plot_half_planes_of(lesson), "Dashed: where each hidden unit is 0. Solid: where the output is one half."),
            Plot(lambda: plot_architecture(lesson.network, parameters=lesson.parameters), "The same network, drawn with its weights."),
            "In the plane of the hidden units' values the four points can be separated by one line, and that is all the output unit needs:",
            Grid("hidden", "What the hidden units say", ("x1", "x2", "A1, unit 1", "A1, unit 2", "A2, the output", "y"), rows, keys=2),
        ),
    )


def approximation() -> Section:
    """U1: what a hidden layer can do."""
    return Section(
        "What a hidden layer can do, and what that is worth",
        (
            """One hidden layer of finitely many units, with an activation that is no polynomial, comes as close as one likes to any
            continuous function on a closed and bounded set (U1: Cybenko 1989; Hornik 1991; Leshno and others 1993).""",
            Equation("U1", "for every ε > 0 there are a width n and W_1, b_1, W_2 with max_x |f(x) - W_2 σ(W_1 x + b_1)| < ε"),
            """It says that such weights exist. It doesn't say how wide the layer has to be, nor that gradient descent finds them, nor
            how many examples that takes. With a polynomial of degree d for σ the network is a polynomial of degree d itself, however
            wide it is: that is why the activation must not be one.""",
            """With ReLU in one dimension the weights can be written down: k units make any broken line of k straight pieces, and drawn
            through the values of f at points h apart it is nowhere further from f than h²/8 · max|f''|. Four times as many units, a
            sixteenth of the error. In d dimensions a grid that fine has (1/h)^d points: that is where depth, and the structure of
            real data, have to help.""",
        ),
    )


def _asked(x: Any, y: float) -> str:
    terms = [f"w{place}" for place, value in enumerate(x, start=1) if value] + ["b"]
    return f"{' + '.join(terms)} {'>' if y > 0.5 else '<'} 0"
