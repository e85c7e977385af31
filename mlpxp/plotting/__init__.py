"""Pictures of a run, of a model and of data. What the textbook argues is drawn by :mod:`mlpxp.textbook`.

Every function returns a matplotlib ``Figure``: its own, or that of the axes it was given. No pyplot, no window, no global state.

::

    _curves.py         the cost by epoch
    boundary.py        what an estimator says of each point of a plane
    plane.py           that plane
    fitted.py          what an estimator says of itself, whoever made it
    _architecture.py   a network as layers of units
    _confusion.py      which class was taken for which
    style.py           colours, figures, labels
    _files.py          pictures as files
"""

from mlpxp.plotting._architecture import plot_architecture
from mlpxp.plotting._confusion import plot_confusion_matrix
from mlpxp.plotting._curves import plot_loss_curve
from mlpxp.plotting._files import PICTURES, check_picture, save_figure
from mlpxp.plotting.boundary import plot_decision_boundary

__all__ = [
    "PICTURES",
    "check_picture",
    "plot_architecture",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "plot_loss_curve",
    "save_figure",
]
