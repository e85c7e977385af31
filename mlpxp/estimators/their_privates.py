"""What we reach for in scikit-learn that is private to it: all of it is here, with what it is for, as its next version may change it."""

from __future__ import annotations

from copy import copy
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval, InvalidParameterError, Options, StrOptions
from sklearn.utils.optimize import _check_optimize_result as check_optimize_result
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "HasMethods",  # these four say what a constructor's parameter may be, in the table _parameter_constraints that its tools read
    "Interval",
    "InvalidParameterError",  # what is raised of a value that is none of these
    "Options",
    "StrOptions",
    "check_optimize_result",  # the number of iterations that its L-BFGS would count, and its warning, where they are not enough
    "check_sample_weight",  # what its estimators make of weights
    "constrained",
    "forget_optimizer",
    "inside",
    "metric_of",
    "optimizers",
    "put_inside",
    "responses_of",
    "validate_parameters",
    "with_options",
]

_INSIDE = {  # by our names, what their fitted multi-layer perceptron keeps to itself and goes on from
    "binarizer": "_label_binarizer",  # its predict asks it for the labels
    "optimizer": "_optimizer",  # one of those in optimizers()
    "stale": "_no_improvement_count",  # epochs without an improvement
    "best_coefs": "_best_coefs",  # what early stopping ends with, if no later epoch is better
    "best_intercepts": "_best_intercepts",
}


def validate_parameters(estimator: Any) -> None:
    """Hold the constructor's parameters of an estimator, ours or theirs, to what they may be.

    Raises
    ------
    InvalidParameterError
        Theirs.
    """
    estimator._validate_params()


def constrained(estimator: Any) -> list[Any]:
    """Return the values of the parameters that are held to something, which are all."""
    return [getattr(estimator, name) for name in estimator._parameter_constraints]


def metric_of(scorer: Any) -> Any:
    """Return the function that a scorer wraps, which says what else it takes; of what wraps nothing itself."""
    return getattr(scorer, "_score_func", scorer)


def responses_of(scorer: Any) -> Any:
    """Return the name of the method that a scorer calls, or the names; none of what is no scorer of theirs."""
    asked = getattr(scorer, "_response_method", ())
    return (asked,) if isinstance(asked, str) else asked


def with_options(scorer: Any, options: dict[str, Any]) -> Any:
    """Return a scorer of theirs that also hands these to its metric, unless it was made with others."""
    other = copy(scorer)
    other._kwargs = options | scorer._kwargs
    return other


def inside(estimator: Any, name: str, default: Any = None) -> Any:
    """Return what their fitted estimator keeps to itself: its ``binarizer``, ``optimizer`` or ``stale``."""
    return getattr(estimator, _INSIDE[name], default)


def put_inside(estimator: Any, **values: Any) -> None:
    """Make it what their estimator goes on from: its ``binarizer``, ``optimizer``, ``stale``, ``best_coefs`` and ``best_intercepts``."""
    for name, value in values.items():
        setattr(estimator, _INSIDE[name], value)


def forget_optimizer(estimator: Any) -> None:
    """Let their estimator begin its optimizer anew."""
    delattr(estimator, _INSIDE["optimizer"])


def optimizers() -> Any:
    """Return the module of their ``AdamOptimizer`` and ``SGDOptimizer``, whose state ``partial_fit`` goes on from."""
    from sklearn.neural_network import _stochastic_optimizers

    return _stochastic_optimizers
