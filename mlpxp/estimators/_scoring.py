"""The validation scores of each epoch: the accuracy or R² that an epoch has already, or what a scorer of the user's says."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager, nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.rows import Rows
from mlpxp.arrays.scalars import number_or_none
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators._curves import is_flat, scores_of
from mlpxp.estimators._parameters import find_scorer
from mlpxp.estimators.errors import translated
from mlpxp.estimators.their_privates import metric_of, responses_of, with_options
from mlpxp.training.precision import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpxp.runs.history import Epoch

__all__ = ["scored"]


def scored(estimator: Any, held_out: tuple[Any, Any, Any, Any], scores: list[list[float]]) -> Callable[[Epoch], None]:
    """Return a callback that writes an epoch's scores on the validation data (X, targets, y, weights), weighted by their weights.

    Warns
    -----
    UserWarning
        The scorer takes no weights, and there are some.
    """
    scorer, (X, targets, y, weights) = find_scorer(estimator.monitor), held_out
    if scorer is None:
        flat = is_flat(targets if weights is None else targets[weights > 0.0])
        return lambda epoch: scores.append(scores_of(epoch.validation_score, epoch.validation_cost, flat=flat))
    X = X.take(slice(None)) if isinstance(X, Rows) else X
    named = isinstance(estimator.monitor, str)
    scorer, options = _with_labels(estimator, scorer), _weighted(estimator.monitor, scorer, weights)

    def score(epoch: Epoch) -> None:
        estimator._hold(epoch.parameters)
        with translated() if named else nullcontext(), _without_names(estimator):
            value = scorer(estimator, X, y, **options)
        if (number := number_or_none(value)) is None:
            raise RangeError(f"monitor must return a number, got {value!r}")
        value = float(number)
        if named and math.isnan(value):
            raise DataError(f"monitor {estimator.monitor!r} is not defined on these validation data: they lack a class, or vary too little")
        scores.append([value] * int(estimator.n_networks))

    return score


def _weighted(monitor: Any, scorer: Any, weights: Any) -> dict[str, Any]:
    """Return what a scorer is told of the weights."""
    if weights is None:
        return {}
    if "sample_weight" in _parameters(scorer):
        return {"sample_weight": weights}
    warnings.warn(
        f"monitor {monitor!r} takes no sample_weight: the validation data are scored as if all weighed the same", stacklevel=outside()
    )
    return {}


def _with_labels(estimator: Any, scorer: Any) -> Any:
    """Return a scorer of probabilities that knows all classes: the validation data may lack one, which has its column all the same."""
    labels, of_probabilities = estimator._fitted.labels, "predict_proba" in responses_of(scorer)
    if labels is None or labels.several or not of_probabilities or "labels" not in _parameters(scorer):
        return scorer
    return with_options(scorer, {"labels": labels.classes})


def _parameters(scorer: Any) -> Any:
    """Return the parameters of a function, or of the metric that a scorer of scikit-learn's wraps."""
    return signature(metric_of(scorer)).parameters


@contextmanager
def _without_names(estimator: Any) -> Iterator[None]:
    """Let an estimator predict on data whose names were read off before, without scikit-learn's warning that they have none."""
    names = vars(estimator).pop("feature_names_in_", None)
    try:
        yield
    finally:
        if names is not None:
            estimator.feature_names_in_ = names
