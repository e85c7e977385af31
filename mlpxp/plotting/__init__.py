"""Pictures of a run, of an estimator, and of what the textbook argues.

Every function returns a matplotlib ``Figure``: its own, or that of the axes it was given. No pyplot, no window, no global state.
"""

from mlpxp.plotting.approximation import plot_approximation, plot_interpolant
from mlpxp.plotting.architecture import plot_architecture
from mlpxp.plotting.boundary import plot_decision_boundary
from mlpxp.plotting.confusion import plot_confusion_matrix
from mlpxp.plotting.convexity import plot_convexity, plot_swap
from mlpxp.plotting.curves import plot_loss_curve
from mlpxp.plotting.error_signals import plot_error_signals
from mlpxp.plotting.files import PICTURES, check_picture, save_figure
from mlpxp.plotting.half_planes import plot_half_planes
from mlpxp.plotting.saturation import plot_saturation
from mlpxp.plotting.scaling import plot_depth_against_width, plot_dimension, plot_error_against_width, plot_polynomial_failure
from mlpxp.plotting.separation import plot_perceptron, plot_separation

__all__ = [
    "PICTURES",
    "check_picture",
    "plot_approximation",
    "plot_architecture",
    "plot_confusion_matrix",
    "plot_convexity",
    "plot_decision_boundary",
    "plot_depth_against_width",
    "plot_dimension",
    "plot_error_against_width",
    "plot_error_signals",
    "plot_half_planes",
    "plot_interpolant",
    "plot_loss_curve",
    "plot_perceptron",
    "plot_polynomial_failure",
    "plot_saturation",
    "plot_separation",
    "plot_swap",
    "save_figure",
]
