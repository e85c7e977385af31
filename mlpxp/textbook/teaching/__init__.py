"""What the textbook argues, computed: where an error signal dies, what is convex, and every number of one pass.

::

    walkthrough.py     every number of one pass, equation by equation
    examples.py        examples small enough for that
    saturation.py      a wrong, saturated output under two losses
    _likelihood.py     a cost as a negative log-likelihood
    convexity.py       in which parameters a cost is convex
    segments.py        the cost along lines and over planes
    half_planes.py     what each hidden unit says of the plane (P3)
    error_signals.py   how delta grows or fades from layer to layer
    operations.py      what a gradient costs, counted
    _deltas.py, _ranges.py
                       the error signals, kept; values that come in
"""
