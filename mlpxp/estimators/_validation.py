"""Validation data as ``fit`` is given them, and whether they are of the same make as what is learnt."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import device_of
from mlpxp.errors import RangeError, ValidationWarning
from mlpxp.estimators._curves import each
from mlpxp.estimators._losses import on_host
from mlpxp.training.checks import outside

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp.core.network import Network
    from mlpxp.runs.history import Epoch

__all__ = ["validation_of", "warns_if_far_off"]

_FAR = 100.0  # times the training loss


def validation_of(validation_data: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> tuple[Any, Any, Any] | None:
    """Return (X, y, weights or ``None``) of the one form or the other; ``None`` where there are no validation data.

    Raises
    ------
    RangeError
        Both forms are there, or a part of one.
    """
    parts = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    given = [name for name, part in parts.items() if part is not None]
    if validation_data is None:
        if given and (X_val is None or y_val is None):
            raise RangeError(f"X_val and y_val must be given together, got {' and '.join(given)} alone")
        return (X_val, y_val, sample_weight_val) if given else None
    if given:
        raise RangeError(f"validation data must be given once, got validation_data and {', '.join(given)}: leave out one of the two")
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in {2, 3}:
        raise RangeError(f"validation_data must be (X, y) or (X, y, sample_weight), got {type(validation_data).__name__}")
    X, y, *weights = validation_data
    return X, y, weights[0] if weights else None


def warns_if_far_off(network: Network, learnt: Any) -> Callable[[Epoch], None]:
    """Return a callback that warns after the first epoch if the validation loss is far above the training loss.

    A training loss near 0 says nothing: it counts at least what the targets (m, n_L) cost where each prediction is the same, their mean, or
    of classes the uniform distribution.

    Warns
    -----
    ValidationWarning
    """

    def look(epoch: Epoch) -> None:
        trained, validated = (sum(costs) / len(costs) for costs in (each(epoch.cost), each(epoch.validation_cost)))
        if epoch.number > 1 or validated <= _FAR * trained or validated <= _FAR * _constant_cost(network, learnt, epoch):
            return
        warnings.warn(
            f"the first validation loss, {validated:.3g}, is more than {_FAR:g} times the training loss, {trained:.3g}: prepare X_val and "
            "y_val as X and y are (a Pipeline with transform_input=['X_val'] does it to X_val), or try a smaller learning_rate_init",
            ValidationWarning,
            stacklevel=outside(),
        )

    return look


def _constant_cost(network: Network, learnt: Any, epoch: Epoch) -> float:
    """Return the mean loss of the targets if each prediction is the same; 0 where the loss has no value there."""
    Y, like = np.asarray(learnt.T, dtype=np.float64), epoch.parameters[0].W
    same = {"distribution": 1.0 / len(Y), "probability": 0.5}.get(network.loss.expects, Y.mean(axis=-1, keepdims=True))
    with np.errstate(all="ignore"):
        cost = float(on_host(network.loss.value, backend_of(like), device_of(like))(np.full_like(Y, same), Y).mean())
    return 0.0 if math.isnan(cost) else cost
