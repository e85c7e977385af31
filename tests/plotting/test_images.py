"""The main figures look as they did: each is drawn anew and compared with its picture in ``images/``.

The pictures are made by ``PYTHONPATH=. python tests/plotting/test_images.py``, with the matplotlib that is pinned; look at them before they
are committed.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from mlpxp import History, Layer, Network, perceptron
from mlpxp.plotting import plot_architecture, plot_loss_curve
from mlpxp.textbook import (
    plot_convexity,
    plot_error_signals,
    plot_half_planes,
    plot_interpolant,
    plot_perceptron,
    plot_saturation,
    plot_separation,
    plot_swap,
)
from mlpxp.textbook.approximation import make_target
from mlpxp.textbook.teaching.convexity import swapped_minima, try_convexity
from mlpxp.textbook.teaching.error_signals import error_signals
from mlpxp.textbook.teaching.half_planes import half_planes
from mlpxp.textbook.teaching.saturation import saturated_neuron

pytest.importorskip("matplotlib")

IMAGES = Path(__file__).parent / "images"
TOLERANCE = 6.0  # root mean square of 256 grey levels: letters of another FreeType, not a line elsewhere
SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR, AND = np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1])
SOLVED = Network((2, 2, 1), hidden="sigmoid", output="sigmoid", loss="binary_cross_entropy")
OR_AND_NAND = (
    Layer(W=np.array([[8.0, 8.0], [-8.0, -8.0]]), b=np.array([[-4.0], [12.0]])),
    Layer(W=np.array([[8.0, 8.0]]), b=np.array([[-12.0]])),
)


def logistic():
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(2, 20)), (random.uniform(size=(1, 20)) > 0.5).astype(float)
    return try_convexity(Network((2, 1), output="sigmoid", loss="binary_cross_entropy"), X, Y, points=5, segments=20, seed=0)


FIGURES = {
    "separation": lambda: plot_separation(SQUARE, AND),
    "certificate": lambda: plot_separation(SQUARE, XOR),
    "perceptron": lambda: plot_perceptron(SQUARE, AND, perceptron(SQUARE, AND)),
    "half-planes": lambda: plot_half_planes(half_planes(SOLVED, OR_AND_NAND, SQUARE.T), XOR),
    "interpolant": lambda: plot_interpolant(make_target("sin(3*x)")),
    "saturation": lambda: plot_saturation(saturated_neuron(5.0, epochs=100)),
    "convexity": lambda: plot_convexity(logistic()),
    "swap": lambda: plot_swap(swapped_minima()),
    "error-signals": lambda: plot_error_signals([error_signals(name, depth=10, seeds=range(3)) for name in ("sigmoid", "relu")]),
    "architecture": lambda: plot_architecture(SOLVED, parameters=OR_AND_NAND),
    "loss-curve": lambda: plot_loss_curve(History(cost=(1.0, 0.5, 0.25), validation_cost=(1.1, 0.7, 0.6))),
}


def draw(name, folder):
    path = Path(folder) / f"{name}.png"
    FIGURES[name]().savefig(path, dpi=50, metadata={"Software": None})
    return path


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name, tmp_path):
    from matplotlib.testing.compare import compare_images

    difference = compare_images(str(IMAGES / f"{name}.png"), str(draw(name, tmp_path)), tol=TOLERANCE)
    assert difference is None, difference


def test_a_difference_would_be_seen(tmp_path):
    from matplotlib.testing.compare import compare_images

    assert compare_images(str(IMAGES / "certificate.png"), str(draw("separation", tmp_path)), tol=TOLERANCE) is not None


def test_every_picture_is_compared():
    assert {path.stem for path in IMAGES.glob("*.png")} == set(FIGURES)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for one in sys.argv[1:] or FIGURES:
        print(draw(one, IMAGES))
