"""The story of the textbook as sections of text, equations, tables and figures. What is shown is computed when the page is made.

::

    _blocks.py      what a section is made of
    _networks.py    one perceptron, two hidden units, approximation
    _losses.py      the losses and saturation, convexity
    _gradients.py   backpropagation, error signals, the cost of a gradient, learning
    _figures.py     figures that no other part of the library draws
    page.py         all of it as one HTML file
"""

from mlpxp.textbook.lesson.story._blocks import Section
from mlpxp.textbook.lesson.story._gradients import backpropagation, cost_of_a_gradient, error_signals, learning
from mlpxp.textbook.lesson.story._losses import convexity, losses
from mlpxp.textbook.lesson.story._networks import approximation, one_perceptron, two_units

__all__ = ["SECTIONS", "story"]

SECTIONS = (
    one_perceptron,
    two_units,
    approximation,
    losses,
    convexity,
    backpropagation,
    error_signals,
    cost_of_a_gradient,
    learning,
)


def story() -> tuple[Section, ...]:
    """Return the sections, computed now; a figure is drawn when its function is called."""
    return tuple(make() for make in SECTIONS)
