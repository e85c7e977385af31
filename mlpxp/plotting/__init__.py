"""Pictures of a run and of an estimator.

Every function returns a matplotlib ``Figure``: its own, or that of the axes it was given. No pyplot, no window, no global state.
"""

from mlpxp.plotting.architecture import plot_architecture
from mlpxp.plotting.boundary import plot_decision_boundary
from mlpxp.plotting.confusion import plot_confusion_matrix
from mlpxp.plotting.curves import plot_loss_curve
from mlpxp.plotting.files import PICTURES, check_picture, save_figure

__all__ = [
    "PICTURES",
    "check_picture",
    "plot_architecture",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "plot_loss_curve",
    "save_figure",
]
