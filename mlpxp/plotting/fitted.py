"""What a fitted estimator says of itself, read as scikit-learn's attributes, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import is_array
from mlpxp.errors import MlpxpError, RangeError, ShapeError

__all__ = ["attribute", "check_single", "fitted", "host", "texts"]


def host(values: Any) -> NDArray[Any]:
    """Bring the values of an array of any library, of a data frame or of a list to the host."""
    if is_array(values):
        return np.asarray(backend_of(values).to_numpy(values))
    return np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)


def texts(values: Any) -> list[str] | None:
    """Return values as text, ``None`` where there are none."""
    return None if values is None else [str(value) for value in host(values).tolist()]


def attribute(estimator: Any, name: str, what: str) -> Any:
    """Return what fitting left in an attribute, for the picture ``what``.

    Raises
    ------
    RangeError
        The attribute isn't there.
    """
    value = getattr(estimator, name, None)
    if value is None:
        known = getattr(estimator, "n_iter_", None) is not None
        remedy = "its solver keeps none" if known else "is it fitted? call fit(X, y) first"
        raise RangeError(f"{what} needs the {name} of a fitted estimator, got {type(estimator).__name__} without: {remedy}")
    return value


def check_single(estimator: Any, what: str) -> None:
    """Refuse an estimator that holds a stack of networks.

    Raises
    ------
    ShapeError
    """
    coefs = getattr(estimator, "coefs_", None)
    if coefs and len(coefs[0].shape) > 2:
        raise ShapeError(f"{what} shows one network, got a stack of {coefs[0].shape[0]}: draw one of its estimators_")


@contextmanager
def fitted(estimator: Any, what: str) -> Iterator[None]:
    """Turn another library's word for an estimator that is not fitted into ours.

    Raises
    ------
    RangeError
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, MlpxpError) or all(kind.__name__ != "NotFittedError" for kind in type(error).__mro__):
            raise
        raise RangeError(f"{what} needs a fitted estimator, got {type(estimator).__name__}: call fit(X, y) first") from error
