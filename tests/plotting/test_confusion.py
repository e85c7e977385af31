import sys
import warnings

import numpy as np
import pytest

from mlpxp import OutputError, ShapeError
from mlpxp.plotting import plot_confusion_matrix, save_figure

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("n", [2, 10, 30, 31, 200])
def test_a_confusion_matrix_of_any_size(tmp_path, n):
    matrix = np.diag(np.arange(n))
    figure = plot_confusion_matrix(matrix, [f"class {index}" for index in range(n)], title="t")
    assert len(figure.axes[0].texts) == (n * n if n <= 30 else 0)
    save_figure(figure, tmp_path / "m.png")


def test_a_confusion_matrix_of_another_shape():
    with pytest.raises(ShapeError, match=r"must have shape \(2, 2\), got \(3, 3\)"):
        plot_confusion_matrix(np.zeros((3, 3)), ["a", "b"])


def test_labels_are_drawn_letter_by_letter(tmp_path):
    labels = ["$x^2$", "$", r"\frac{", "a\nb\x1b", "漢字", "x" * 500, 3, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(plot_confusion_matrix(np.eye(8), labels, title="100 $ for 漢字 $"), tmp_path / "m.svg")


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_confusion_matrix(np.eye(2), "ab")
