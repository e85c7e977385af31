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
