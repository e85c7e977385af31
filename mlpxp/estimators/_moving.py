"""A fitted estimator in another array library."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.move import mover
from mlpxp.arrays.standard import device_of, tree_map
from mlpxp.estimators._inputs import Place, labels_at
from mlpxp.estimators.errors import NotFittedError

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["moved"]


def moved(estimator: Any, library: Backend, device: Any) -> Any:
    """Return a copy of a fitted estimator whose arrays are another library's, which computes where they are; see :func:`mlpxp.to_backend`.

    Raises
    ------
    NotFittedError
    """
    if not hasattr(estimator, "coefs_"):
        raise NotFittedError(f"{type(estimator).__name__} has no fitted attributes to move: call fit(X, y) first")
    move = mover(library, device)
    new: Any = object.__new__(type(estimator))
    vars(new).update(vars(estimator))  # not copy.copy, which asks for the backend: it may be another machine's
    new.coefs_ = [move(coefs.mT).mT for coefs in estimator.coefs_]  # W as training leaves it, rows contiguous
    new.intercepts_ = [move(intercepts) for intercepts in estimator.intercepts_]
    first, stays = new.coefs_[0], device is None and library.name == "numpy"
    new.backend, new.device = "auto", None
    new._place = Place(library, None if stays else device_of(first), estimator._place.dtype)
    if hasattr(estimator, "_left"):
        new._left = estimator._left._replace(state=tree_map(move, estimator._left.state))
    if hasattr(estimator, "classes_"):
        new.classes_ = labels_at(new._place, estimator._binarizer.classes_)
    for name in (name for name, value in vars(estimator).items() if name.endswith("curve_") or name == "validation_scores_"):
        vars(new)[name] = copy(vars(estimator)[name])  # a later call writes at their end
    if hasattr(estimator, "_curves"):
        new._curves = {name: copy(curve) for name, curve in estimator._curves.items()}
    vars(new).pop("_members", None)
    return new
