"""What a perceptron can't do, and what a hidden layer can."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpxp.core.propagation import forward
from mlpxp.plotting import plot_architecture
from mlpxp.report.results import Grid
from mlpxp.textbook.approximation import Fitting, error_against_width, make_target, polynomial_failure
from mlpxp.textbook.figures import (
    plot_depth_against_width,
    plot_error_against_width,
    plot_half_planes,
    plot_interpolant,
    plot_perceptron,
    plot_polynomial_failure,
    plot_separation,
)
from mlpxp.textbook.lesson.story._blocks import Equation, Plot, Section, solved
from mlpxp.textbook.separability import perceptron, separate
from mlpxp.textbook.teaching.half_planes import half_planes

__all__ = ["approximation", "one_perceptron", "two_units"]


def one_perceptron() -> Section:
    """P1, P2: one line, and what XOR asks of it."""
    X, Y = solved().examples.X, solved().examples.Y
    y = Y[0].astype(int)
    found, run = separate(X.T, y), perceptron(X.T, y)
    assert found.certificate is not None
    y_and = X.prod(axis=0).astype(int)
    run_and = perceptron(X.T, y_and)
    signs = np.array(found.certificate) * np.where(y > 0, 1, -1)
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
            which is 0 whatever w and b are, and it would have to be greater than 0. So no line separates XOR (P2). The weights
            {", ".join(map(str, found.certificate))} of that sum are a certificate: anyone can check it by adding. By Farkas' lemma every
            inseparable data set has one.""",
            Plot(
                lambda: plot_separation(X.T, y, found),
                """The same as a picture: what either class spans has a point in common, and no line has one of them on the one side and
                the other on the other. Blue circles are 0, orange squares 1; × says how often an example is counted.""",
            ),
            f"""Training doesn't help. A network without a hidden layer, after {len(alone.costs)} epochs of gradient descent, says one half
            of every example, but for rounding: that costs ln 2 = {np.log(2):.4f}, and its cost is {alone.cost:.4f}. Rosenblatt's rule,
            which moves the line at every mistake, goes round in a circle: it made {sum(run.mistakes)} mistakes, and stood where it had
            started. Where there is a line, as for AND, it finds one:""",
            Plot(
                lambda: plot_perceptron(X.T, y_and, run_and),
                f"AND: the line after each mistake, the later the darker, and the mistakes of each epoch. {str(run_and).capitalize()}.",
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
            Plot(
                lambda: plot_half_planes(half_planes(lesson.network, lesson.parameters, lesson.examples.X), lesson.examples.codes),
                """Above: the lines of the two hidden units, each with an arrow to its positive side, the sides of each region, and in black
                where the output is one half. Below: the same four points as the output unit sees them, and its one line.""",
            ),
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
            sixteenth of the error.""",
            Plot(
                lambda: plot_interpolant(make_target("sin(3*x)")),
                "Six units draw sin 3x: the knots, the pieces, and the error below its proved bound.",
            ),
            """Trained networks have no such bound: wider ones come closer until the training is at its end. As many steep sigmoids, put up
            as a staircase and not trained at all, have a proved one.""",
            Plot(
                lambda: plot_error_against_width(
                    error_against_width(make_target("sin(3*x)"), (1, 2, 4, 8, 16, 32), fitting=Fitting(seeds=3, epochs=600))
                ),
                "The largest error against the width, both axes logarithmic: each trained network, their median, the staircase, its bound.",
            ),
            "With a polynomial for σ no width helps:",
            Plot(
                lambda: plot_polynomial_failure(polynomial_failure(widths=(1, 2, 4, 8, 16), fitting=Fitting(seeds=3, epochs=400))),
                """z³ ends at the best polynomial of degree 3, however wide; tanh doesn't. Each network is a point, the lines go through the
                medians.""",
            ),
            """Depth can be cheaper than width. A sawtooth folds the line once in each layer, so that k layers of two units make
            2ᵏ⁻¹ teeth; one layer needs a unit for each bend:""",
            Plot(plot_depth_against_width, "The parameters of the ReLU network that is the sawtooth, counted: deep and shallow."),
            """In d dimensions a grid that fine has (1/h)^d points: that is where depth, and the structure of
            real data, have to help.""",
        ),
    )


def _asked(x: Any, y: float) -> str:
    terms = [f"w{place}" for place, value in enumerate(x, start=1) if value] + ["b"]
    return f"{' + '.join(terms)} {'>' if y > 0.5 else '<'} 0"
