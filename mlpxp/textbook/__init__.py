"""The textbook's arguments, computed: what one perceptron can tell apart, what a hidden layer can approximate, why the losses pair.

::

    separability/    a separating hyperplane, or a proof that there is none (P1, P2)
    approximation/   universal approximation, measured (U1)
    teaching/        error signals, convexity, saturation, half-planes, every number of one pass
    figures/         what these draw
    lesson/          the page in the browser
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
