"""The figures that only the textbook's arguments draw; :mod:`mlpxp.textbook` has them by name.

::

    _separation.py      one perceptron: its hyperplane, or why there is none
    _half_planes.py     the half-planes of the hidden units
    _approximation.py   a function, and the networks that stand for it
    _scaling.py         error and cost against width, depth and dimension
    _saturation.py      a wrong, saturated output under two losses
    _convexity.py       costs between points, and over a plane
    _error_signals.py   the error signals of the layers
"""

from mlpxp.textbook.figures._approximation import plot_approximation, plot_interpolant
from mlpxp.textbook.figures._convexity import plot_convexity, plot_swap
from mlpxp.textbook.figures._error_signals import plot_error_signals
from mlpxp.textbook.figures._half_planes import plot_half_planes
from mlpxp.textbook.figures._saturation import plot_saturation
from mlpxp.textbook.figures._scaling import plot_depth_against_width, plot_dimension, plot_error_against_width, plot_polynomial_failure
from mlpxp.textbook.figures._separation import plot_perceptron, plot_separation

__all__ = [
    "plot_approximation",
    "plot_convexity",
    "plot_depth_against_width",
    "plot_dimension",
    "plot_error_against_width",
    "plot_error_signals",
    "plot_half_planes",
    "plot_interpolant",
    "plot_perceptron",
    "plot_polynomial_failure",
    "plot_saturation",
    "plot_separation",
    "plot_swap",
]
