"""The story of the textbook as sections of text, equations, tables and figures. What is shown is computed when the page is made.

::

    blocks.py     what a section is made of
    networks.py   one perceptron, two hidden units, approximation
    losses.py     the losses and saturation, convexity
    gradients.py  backpropagation, error signals, the cost of a gradient, learning
    figures.py    figures that no other part of the library draws
    page.py       all of it as one HTML file
"""

from mlpxp.lesson.story.blocks import Section
from mlpxp.lesson.story.gradients import backpropagation, cost_of_a_gradient, error_signals, learning
from mlpxp.lesson.story.losses import convexity, losses
from mlpxp.lesson.story.networks import approximation, one_perceptron, two_units

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
