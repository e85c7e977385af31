"""What a single perceptron can tell apart (P1, P2): a separating hyperplane, or a proof that there is none.

::

    separation.py    separate, and its answer
    _explaining.py   the answer in words
    perceptron.py    Rosenblatt's rule, which finds a hyperplane or goes round in a circle
    _nearest.py      the method: the nearest points of the classes' hulls
    _proposing.py    its steps in floats
    _deciding.py     its steps in exact arithmetic
    _projection.py   which example reaches farthest: a float filter, exact numbers for what is left
    _hyperplane.py   the hyperplane between the nearest points, rounded if that may be
    _linear.py       linear systems of whole numbers
    _dyadic.py       floats as whole numbers times powers of two
    examples.py      what comes in
"""

from mlpxp.textbook.separability.perceptron import PerceptronRun, perceptron
from mlpxp.textbook.separability.separation import Constraint, Separation, separate

__all__ = ["Constraint", "PerceptronRun", "Separation", "perceptron", "separate"]
