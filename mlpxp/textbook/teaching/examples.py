"""Examples small enough to be followed by hand, one a column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import UnknownNameError

__all__ = ["EXAMPLES", "examples"]

_PAIRS = ((0.0, 0.0, 1.0, 1.0), (0.0, 1.0, 0.0, 1.0))

EXAMPLES: dict[str, tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]] = {
    "textbook": (((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)), (1.0, 0.0)),
    "and": (_PAIRS, (0.0, 0.0, 0.0, 1.0)),
    "or": (_PAIRS, (0.0, 1.0, 1.0, 1.0)),
    "xor": (_PAIRS, (0.0, 1.0, 1.0, 0.0)),
}
"""By name, the rows of X and the row of Y: two examples for the 3-2-1 network of F3, and the truth tables of two inputs."""


def examples(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return X (n_0, m) and Y (1, m) of that name, float64.

    Raises
    ------
    UnknownNameError
        No examples have that name.

    Examples
    --------
    >>> X, Y = examples("xor")
    >>> X.shape, Y.tolist()
    ((2, 4), [[0.0, 1.0, 1.0, 0.0]])
    """
    if name not in EXAMPLES:
        raise UnknownNameError(f"the examples must be one of {', '.join(EXAMPLES)}, got {name!r}")
    X, y = EXAMPLES[name]
    return np.asarray(X), np.asarray([y])
