"""A fitted estimator in another array library."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from mlpxp.arrays import tree_map
from mlpxp.backend import get_backend
from mlpxp.estimators.errors import NotFittedError
from mlpxp.estimators.inputs import Place, labels_at, to_host

__all__ = ["to_backend"]

Estimator = TypeVar("Estimator")


def to_backend(estimator: Estimator, backend: Any, device: Any = None) -> Estimator:
    """Return a copy of a fitted estimator whose arrays are another library's, or live on another device.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    backend : str or Backend
        ``"numpy"``, ``"cupy"``, ``"torch"``, ``"jax"``, ...
    device : str, Device or the library's own device object, optional
        Where to; the library's default device if ``None``.

    Returns
    -------
    estimator
        It takes and returns arrays of that library, and computes there: its ``backend`` is ``"auto"`` and its ``device`` ``None``.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    BackendError, UnknownNameError
        There is no such library or device here.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import MLPRegressor, to_backend
    >>> X = np.linspace(0.0, 1.0, 20)[:, None]
    >>> fitted = MLPRegressor(8, solver="lbfgs", random_state=0).fit(X, X[:, 0])
    >>> moved = to_backend(fitted, "numpy")
    >>> bool((moved.predict(X) == fitted.predict(X)).all())
    True
    """
    if not hasattr(estimator, "coefs_"):
        raise NotFittedError(f"{type(estimator).__name__} has no fitted attributes to move: call fit(X, y) first")
    old: Any = estimator
    library = get_backend(backend)
    moved: Any = copy.copy(estimator)
    place = Place(library, device, old._place.dtype)
    first = place.put(to_host(old.coefs_[0]))
    place = Place(library, getattr(first, "device", device) if device is not None or library.name != "numpy" else None, old._place.dtype)
    moved.backend, moved.device, moved._place = "auto", None, place
    moved.coefs_ = [place.put(to_host(coefs)) for coefs in old.coefs_]
    moved.intercepts_ = [place.put(to_host(intercepts)) for intercepts in old.intercepts_]
    if hasattr(old, "_left"):
        moved._left = old._left._replace(state=tree_map(lambda leaf: place.put(to_host(leaf)), old._left.state))
    if hasattr(old, "classes_"):
        moved.classes_ = labels_at(place, old._binarizer.classes_)
    if hasattr(old, "estimators_"):
        moved.estimators_ = [to_backend(member, library, device) for member in old.estimators_]
    result: Estimator = moved
    return result
