"""A cost as the negative log-likelihood of the targets: what the losses assume of them.

=============================  =========================================  =======================================
loss                           the targets are drawn from                 the cost is the mean of -ln p(y | ŷ), less
=============================  =========================================  =======================================
mse (C1)                       normal distributions around ŷ, variance 1  ½ ln 2π for each output
binary cross-entropy (C2)      Bernoulli's, with the probability ŷ        nothing
cross-entropy (C3)             one category, with the probabilities ŷ     nothing
poisson                        Poisson's, with the mean ŷ                 ln y! + y - y ln y, the mean of them
=============================  =========================================  =======================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.core.losses import find_loss
from mlpxp.errors import DataError, MissingLibraryError, ShapeError, UnknownNameError
from mlpxp.textbook.teaching._ranges import matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpxp.core.losses import Loss

__all__ = ["negative_log_likelihood"]


def negative_log_likelihood(loss: str | Loss, A: Any, Y: Any) -> float:
    """Return the mean over the examples of -ln p(y | ŷ), from SciPy's distributions and not from the loss.

    Parameters
    ----------
    loss : str or Loss
        mse, binary_cross_entropy, cross_entropy or poisson: which distribution it is.
    A : ndarray, shape (n_L, m)
        The predictions ŷ.
    Y : ndarray, shape (n_L, m)
        The targets; 0 and 1 for the two cross-entropies, whole numbers for poisson.

    Returns
    -------
    float

    Raises
    ------
    UnknownNameError
        Another loss.
    ShapeError, DataError
        A and Y don't fit each other, A are no probabilities or means, or the targets can't have been drawn.
    MissingLibraryError
        SciPy is not installed.

    Examples
    --------
    >>> negative_log_likelihood("binary_cross_entropy", [[0.5, 0.25]], [[1.0, 0.0]])  # -½ ln(½ · ¾)
    0.490414626...
    """
    name = find_loss(loss).name
    A, Y = matrix("A", A), matrix("Y", Y)
    if A.shape != Y.shape:
        raise ShapeError(f"Y must have the shape of A, {A.shape}, got {Y.shape}")
    _check_drawn(name, Y)
    _check_predicted(name, A)
    try:
        import scipy.stats as their_stats
    except ImportError as error:
        raise MissingLibraryError(f"a likelihood needs SciPy, which can't be imported ({error}): pip install 'mlpxp[sklearn]'") from error
    stats: Any = their_stats  # it has no type hints, and what is guessed of it is wrong
    if name == "mse":
        each = stats.norm(A, 1.0).logpdf(Y)
    elif name == "binary_cross_entropy":
        each = stats.bernoulli(A).logpmf(Y)
    elif name == "poisson":
        each = stats.poisson(A).logpmf(Y)
    elif name == "cross_entropy":
        each = stats.multinomial(1, (A / A.sum(axis=0)).T).logpmf(Y.T)  # SciPy is strict with a float32's rounding
    else:
        raise UnknownNameError(f"loss must be mse, binary_cross_entropy, cross_entropy or poisson, got {name!r}")
    return float(-np.sum(each) / A.shape[1])


def _check_drawn(name: str, Y: NDArray[Any]) -> None:
    if name in ("binary_cross_entropy", "cross_entropy") and not np.all((Y == 0.0) | (Y == 1.0)):
        raise DataError(f"Y must hold zeros and ones, as one draws them: {name}")
    if name == "cross_entropy" and not np.all(Y.sum(axis=0) == 1.0):
        raise DataError("Y must have a single 1 for each example: it is of one class")
    if name == "poisson" and not np.all((Y >= 0.0) & (Y % 1.0 == 0.0)):
        raise DataError("Y must hold counts, from 0")


def _check_predicted(name: str, A: NDArray[Any]) -> None:
    if name in ("binary_cross_entropy", "cross_entropy") and not np.all((A >= 0.0) & (A <= 1.0)):
        raise DataError(f"A must hold probabilities, from 0 to 1: {name}")
    if name == "cross_entropy" and not np.allclose(A.sum(axis=0), 1.0, rtol=0.0, atol=1e-6):
        raise DataError("A must sum to 1 for each example: the probabilities of its classes")
    if name == "poisson" and not np.all(A >= 0.0):
        raise DataError("A must hold means of counts, from 0")
