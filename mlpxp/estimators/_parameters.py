"""The constructor's parameters: what each may be, and which of them can't go together."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.metrics import get_scorer

from mlpxp.core.activations import ACTIVATIONS, Activation
from mlpxp.errors import RangeError
from mlpxp.estimators._inputs import to_host
from mlpxp.estimators.errors import InvalidParameterError, translated
from mlpxp.estimators.their_privates import HasMethods, Interval, Options, StrOptions, constrained, validate_parameters
from mlpxp.training.options import check_dropout

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CONSTRAINTS", "SIGMOID", "check_parameters", "find_scorer"]

SIGMOID = {"logistic": "sigmoid"}  # scikit-learn's name for it, and ours

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({*ACTIVATIONS, *SIGMOID} - {"softmax"}), Activation, "array-like"],
    "solver": [StrOptions({"sgd", "adam", "adamw", "lbfgs"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "cosine"}), callable, "array-like"],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "backend": [str, HasMethods(["asarray", "fold"])],
    "device": "no_validation",
    "dtype": [StrOptions({"float32", "float64"}), None],
    "output_activation": [StrOptions({*ACTIVATIONS, *SIGMOID}), Activation, None],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "warm_up": [Interval(Real, 0, None, closed="left")],
    "monitor": [str, callable],
    "restore_best": ["boolean", None],
    "callbacks": ["array-like", tuple, list],
    "progress": ["boolean"],
    "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
    "n_networks": [Interval(Integral, 1, None, closed="left")],
}


_VALIDATED: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()  # the values of each estimator that were found good


def check_parameters(estimator: Any, validation_data: Any, *, incremental: bool) -> list[int]:
    """Refuse parameters that have a wrong value, or that could do nothing; return the sizes of the hidden layers.

    What scikit-learn ignores in silence is ignored here too; what only we have is refused where it can't apply.

    Raises
    ------
    InvalidParameterError, RangeError
    """
    values = constrained(estimator)
    if not _are_same(values, _VALIDATED.get(estimator, ())):
        with translated():
            validate_parameters(estimator)
        for name in ("activation", "learning_rate", "dropout", "callbacks"):
            value = getattr(estimator, name)
            if getattr(value, "shape", None) == () and not isinstance(value, np.generic):
                raise InvalidParameterError(f"{name} must be one value or a sequence of them, got an array without an axis: {value!r}")
        _VALIDATED[estimator] = values
    hidden = _hidden_sizes(estimator.hidden_layer_sizes)
    rates = check_dropout(estimator.dropout, len(hidden))
    if not all(map(callable, estimator.callbacks)):
        raise RangeError(f"callbacks must be callables, got {estimator.callbacks!r}")
    find_scorer(estimator.monitor)
    if incremental and estimator.early_stopping:
        raise RangeError("partial_fit does not support early_stopping=True")
    _check_solver(estimator, validation_data, rates)
    validates = validation_data is not None or estimator.early_stopping
    if estimator.monitor != "score" and not validates and not incremental:
        raise InvalidParameterError(
            f"monitor needs validation data to look at: set early_stopping=True or pass X_val and y_val to fit, got {estimator.monitor!r}"
        )
    if estimator.solver != "lbfgs" and estimator.early_stopping and validation_data is None and not estimator.validation_fraction:
        raise InvalidParameterError(
            "validation_fraction must be above 0 with early_stopping=True, got 0: there would be nothing to stop by; "
            "or pass X_val and y_val to fit"
        )
    return hidden


def _are_same(values: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(values) == len(others) and all(one is other for one, other in zip(values, others, strict=True))


def _check_solver(estimator: Any, validation_data: Any, dropout: tuple[float, ...]) -> None:
    """Refuse what the solver would pass over, as far as it is no parameter of scikit-learn's."""
    by_epochs = ("sgd", "adam", "adamw")
    policy = estimator.learning_rate
    given = {
        "dropout": (any(dropout), by_epochs),
        "clip_norm": (estimator.clip_norm is not None, by_epochs),
        "warm_up": (estimator.warm_up > 0, by_epochs),
        "learning_rate": (not isinstance(policy, str) or policy == "cosine", by_epochs),
        "monitor": (estimator.monitor != "score", by_epochs),
        "restore_best": (bool(estimator.restore_best), by_epochs),
        "X_val (or validation_data)": (validation_data is not None, by_epochs),
        "weight_decay": (estimator.weight_decay not in {0, 0.01}, ("adamw",)),
    }
    for name, (is_given, solvers) in given.items():
        if is_given and estimator.solver not in solvers:
            wanted = "the solver adamw (alpha is every solver's)" if len(solvers) == 1 else "one of the solvers sgd, adam and adamw"
            raise InvalidParameterError(f"{name} needs {wanted}, got {estimator.solver}")


def _hidden_sizes(asked: Any) -> list[int]:
    given = to_host(asked)
    given = given.tolist() if isinstance(given, np.ndarray) else given  # one size, if it has no axis
    sizes: list[Any] = list(given) if hasattr(given, "__iter__") and not isinstance(given, str) else [given]
    if not all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes):
        raise RangeError(f"hidden_layer_sizes must be whole numbers, one for each hidden layer, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise RangeError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return sizes


def find_scorer(monitor: Any) -> Any:
    """Return what scores an estimator, and ``None`` where an epoch has the number already.

    Raises
    ------
    DataError
        No scorer has that name.
    """
    if isinstance(monitor, str) and monitor in {"loss", "score"}:
        return None
    with translated():
        return get_scorer(monitor)
