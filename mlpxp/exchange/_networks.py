"""A network for layers that come from elsewhere, where nothing says what they were trained for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import check_floating, check_together, dtype_name
from mlpxp.core.losses import LOSSES
from mlpxp.core.model import Model
from mlpxp.core.network import Layer, Network
from mlpxp.errors import DtypeError
from mlpxp.exchange._trained import is_estimator, one_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.activations import Activation
    from mlpxp.core.losses import Loss
    from mlpxp.core.network import Parameters

__all__ = ["model_of", "parts_of"]


def parts_of(value: Any, by: str) -> tuple[Network, Parameters]:
    """Return the network and the parameters of a Model, a TrainingResult, a pair of them or a fitted estimator.

    Raises
    ------
    DtypeError
        It is none of these.
    NotFittedError
        An estimator is not fitted.
    """
    value = one_value(value, by)
    if not is_estimator(value):
        return value.network, value.parameters
    from mlpxp.estimators.fitted import state_of

    network, layers = state_of(value, by).network, zip(value.coefs_, value.intercepts_, strict=True)
    return network, tuple(Layer(W=W.mT, b=b[..., None]) for W, b in layers)


def model_of(parameters: Parameters, activations: Sequence[str | Activation], loss: str | Loss | None) -> Model:
    """Return a model of layers that fit together; without a ``loss`` it has the natural one of the output, MSE where there is none.

    Raises
    ------
    DtypeError, BackendError
        The layers differ in dtype, library or device, or are neither float32 nor float64.
    UnknownNameError, PairingError
        As :class:`mlpxp.Network` does.
    """
    arrays = {
        f"{name}_{number}": array for number, layer in enumerate(parameters, start=1) for name, array in zip("Wb", layer, strict=True)
    }
    check_floating(**arrays)
    if (dtype := dtype_name(parameters[0].W)) not in {"float32", "float64"}:
        raise DtypeError(f"the layers of a model must be float32 or float64, got {dtype}: convert the weights first")
    check_together(**arrays)
    *hidden, output = activations
    sizes = [parameters[0].W.shape[-1], *(layer.W.shape[-2] for layer in parameters)]
    natural = {known.pairing: name for name, known in LOSSES.items()}
    chosen = natural.get(output if isinstance(output, str) else output.name, "mse") if loss is None else loss
    return Model(Network(sizes, hidden=hidden, output=output, loss=chosen), parameters)
