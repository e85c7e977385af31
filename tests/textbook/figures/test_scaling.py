import dataclasses

import numpy as np
import pytest

from mlpxp import RangeError
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_depth_against_width, plot_dimension, plot_error_against_width, plot_polynomial_failure
from mlpxp.textbook.approximation import Fitting, deep_against_wide, error_against_width, polynomial_failure, width_against_dimension

Figure = pytest.importorskip("matplotlib.figure").Figure
QUICK = Fitting(seeds=3, epochs=5)


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_error_against_width(tmp_path):
    study = error_against_width("sine", (2, 4, 8, 16), fitting=QUICK)
    figure = plot_error_against_width(study)
    (axes,) = figure.axes
    members, median, staircase, bound = axes.lines
    assert sorted(members.get_ydata()) == sorted(study.max_errors.ravel())
    np.testing.assert_array_equal(median.get_ydata(), np.median(study.max_errors, axis=-1))
    np.testing.assert_array_equal(staircase.get_ydata(), study.constructed_errors)
    np.testing.assert_array_equal(bound.get_ydata(), study.bounds)
    slope = np.log(study.bounds[3] / study.bounds[2]) / np.log(2)
    assert labels(axes)[2] == f"its proved bound, slope {slope:.2f}"
    assert labels(axes)[0].startswith("trained, tanh: median of 3, slope ")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "4", "8", "16"]
    save_figure(figure, tmp_path / "a.png")


def test_error_against_one_width_in_two_variables():
    (axes,) = plot_error_against_width(error_against_width("saddle", (3,), fitting=QUICK)).axes
    assert labels(axes) == ["trained, tanh: median of 3"]


def test_depth_against_width():
    study = deep_against_wide(("sine", "kink"), (1, 2), parameters=40, fitting=QUICK)
    left, right = plot_depth_against_width(study, deepest=4).axes
    assert [list(line.get_ydata()) for line in left.lines] == [[7, 13, 25, 49], [7, 13, 19, 25]]
    np.testing.assert_array_equal(right.lines[1].get_ydata(), np.median(study.rms_errors[0], axis=-1))
    assert labels(right) == ["sin(3*x): median of 3", "abs(x): median of 3"]
    assert len(plot_depth_against_width().axes) == 1
    figure = Figure()
    assert plot_depth_against_width(study, ax=figure.subplots()) is figure
    assert len(figure.axes) == 1


def test_dimension():
    study = width_against_dimension("product", (1, 2), widths=(2, 4), fitting=QUICK)
    study = dataclasses.replace(study, measured=(4, None))
    (axes,) = plot_dimension(study).axes
    measured, missed, cells = axes.lines
    assert (list(measured.get_xdata()), list(measured.get_ydata())) == ([1], [4])
    assert (list(missed.get_xdata()), list(missed.get_ydata())) == ([2], [4])
    assert missed.get_markerfacecolor() == "white"
    assert list(cells.get_ydata()) == list(study.cells)
    assert labels(axes) == ["product: trained", "product: cells of a grid, kⁿ"]
    with pytest.raises(RangeError, match=r"all with one tolerance, got \[0.1, 0.2\]"):
        plot_dimension(study, dataclasses.replace(study, tolerance=0.2))
    with pytest.raises(RangeError, match="at least one"):
        plot_dimension()


def test_polynomial_failure():
    study = polynomial_failure("runge", 2, (1, 4), fitting=QUICK)
    (axes,) = plot_polynomial_failure(study).axes
    assert labels(axes) == [
        "z^2: median of 3",
        "tanh: median of 3",
        f"best polynomial of degree 2: {study.floor:.3g}",
        "it, as a network of 3 units",
    ]
    assert axes.lines[4].get_ydata()[0] == study.floor


@pytest.mark.parametrize("deepest", [0, 1, 51])
def test_bad_depths(deepest):
    with pytest.raises(RangeError, match="must be"):
        plot_depth_against_width(deepest=deepest)


@pytest.mark.parametrize("draw", [plot_error_against_width, plot_polynomial_failure, plot_dimension, plot_depth_against_width])
def test_what_is_no_study(draw):
    with pytest.raises(RangeError, match=r"study must be a \w+Study, got int"):
        draw(3)
