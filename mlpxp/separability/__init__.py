"""What a single perceptron can tell apart (P1, P2): a separating hyperplane, or a proof that there is none.

::

    separation.py   separate, and its answer
    explaining.py   the answer in words
    perceptron.py   Rosenblatt's rule, which finds a hyperplane or goes round in a circle
    nearest.py      the method: the nearest points of the classes' hulls
    proposing.py    its steps in floats
    deciding.py     its steps in exact arithmetic
    projection.py   which example reaches farthest: a float filter, exact numbers for what is left
    hyperplane.py   the hyperplane between the nearest points, rounded if that may be
    linear.py       linear systems of whole numbers
    dyadic.py       floats as whole numbers times powers of two
    examples.py     what comes in
"""

from mlpxp.separability.perceptron import PerceptronRun, perceptron
from mlpxp.separability.separation import Constraint, Separation, separate

__all__ = ["Constraint", "PerceptronRun", "Separation", "perceptron", "separate"]
