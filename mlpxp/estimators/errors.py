"""scikit-learn's errors, as its users know them, that are mlpxp's too."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import NotFittedError as TheirNotFittedError

from mlpxp.errors import DataError, DivergenceError, DtypeError, MlpxpError, RangeError
from mlpxp.estimators.their_privates import InvalidParameterError as TheirInvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["InvalidParameterError", "NotFittedError", "check_fitted", "translated", "unchanged_on_error"]


class NotFittedError(MlpxpError, TheirNotFittedError):
    """An estimator is asked for something before ``fit``."""


class InvalidParameterError(RangeError, TheirInvalidParameterError):
    """A constructor parameter has a value that it can't have."""


def check_fitted(estimator: Any, what: str) -> None:
    """Refuse an estimator, ours or scikit-learn's, that has no weights for the function or method of this name.

    Raises
    ------
    NotFittedError
    """
    if not hasattr(estimator, "coefs_"):
        name = type(estimator).__name__
        raise NotFittedError(f"This {name} instance is not fitted yet, and has no weights for {what}: call fit(X, y) first")


@contextmanager
def translated() -> Iterator[None]:
    """Raise what scikit-learn says of bad input as an :class:`MlpxpError` with the same words, and of the same builtin type."""
    try:
        with np.printoptions(threshold=20):  # scikit-learn's words hold whole arrays
            yield
    except MlpxpError:
        raise
    except TheirInvalidParameterError as error:
        raise InvalidParameterError(str(error)) from error
    except (ValueError, OverflowError) as error:
        raise DataError(str(error)) from error
    except TypeError as error:
        raise DtypeError(str(error)) from error


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave an estimator as it was if the block fails, unless the fit diverged: its last finite weights are kept."""
    before = dict(vars(estimator))
    try:
        yield
    except DivergenceError:
        raise
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
