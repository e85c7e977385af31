"""The weights of a Keras model of dense layers: a table of arrays, for which Keras isn't needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import is_array, library_of, namespace
from mlpxp.core.activations import ACTIVATIONS, Activation
from mlpxp.core.network import Layer
from mlpxp.errors import BackendError, RangeError, ShapeError, UnknownNameError
from mlpxp.exchange._networks import model_of

if TYPE_CHECKING:
    from mlpxp.core.losses import Loss
    from mlpxp.core.model import Model

__all__ = ["from_keras_weights"]

_NAMES = {"linear": "identity", "exponential": "exp", "swish": "silu"} | {
    name: name for name in ("relu", "tanh", "sigmoid", "softmax", "softplus", "elu", "silu")
}  # Keras' names for functions that are the same here
_OTHERS = {
    "gelu": "Keras' is the one with the error function, unless it was called with approximate=True: pass mlpxp.ACTIVATIONS['gelu'] then",
    "leaky_relu": "Keras' leaks 0.2, unless it was told otherwise: if it was 0.01 pass mlpxp.ACTIVATIONS['leaky_relu']",
}


def from_keras_weights(weights: Sequence[Any], *, activations: Sequence[str | Activation | None], loss: str | Loss | None = None) -> Model:
    """Return the network and the parameters of dense layers, from what Keras' ``model.get_weights()`` gives.

    Parameters
    ----------
    weights : sequence of array
        The kernel (n_in, n) of each ``Dense`` layer, followed by its bias (n,) if it has one; float32 or float64, of one library.
    activations : sequence of str, Activation or None
        Of each layer, the last one's too, by Keras' names: ``"relu"``, ``"linear"`` or ``None``, ``"swish"``, ...
    loss : str or Loss, optional
        What to train with from here on, by our name; by default the natural one of the output, MSE where there is none.

    Returns
    -------
    Model
        Its parameters are copies, in the library of the weights.

    Raises
    ------
    BackendError, DtypeError
        Weights that are no arrays of one library, or not all float32 or all float64.
    ShapeError
        They are not the kernels and biases of dense layers that fit together.
    RangeError
        There are not as many activations as layers.
    UnknownNameError, PairingError
        An activation that there is not here, or not with Keras' meaning; an output and a loss that make no sense together.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import from_keras_weights
    >>> weights = [np.ones((3, 2)), np.zeros(2), np.ones((2, 1)), np.zeros(1)]
    >>> from_keras_weights(weights, activations=["relu", "sigmoid"]).network
    Network((3, 2, 1), hidden='relu', output='sigmoid', loss='binary_cross_entropy')
    """
    layers = _layers(weights)
    if isinstance(activations, str | Activation) or not isinstance(activations, Sequence) or len(activations) != len(layers):
        got = f"{len(activations)}" if isinstance(activations, list | tuple) else repr(activations)
        raise RangeError(f"activations must be one for each of the {len(layers)} layers, the last one's too, got {got}")
    return model_of(tuple(layers), [_activation(one, number) for number, one in enumerate(activations, start=1)], loss)


def _layers(weights: Sequence[Any]) -> list[Layer]:
    layers: list[Layer] = []
    biased = False
    for index, array in enumerate(weights):
        if not is_array(array):
            raise BackendError(f"weights[{index}] must be an array, got {library_of(array)}")
        xp, shape = namespace(array), tuple(array.shape)
        if array.ndim == 2:
            if layers and shape[0] != layers[-1].W.shape[0]:
                n = layers[-1].W.shape[0]
                raise ShapeError(
                    f"weights[{index}] must be a kernel of shape ({n}, ...), since the layer before has {n} units, got {shape}"
                )
            W = backend_of(array).asarray(xp.asarray(array, copy=True).mT)  # rows contiguous
            layers.append(Layer(W=W, b=xp.zeros_like(W[:, :1])))
            biased = False
        elif array.ndim == 1 and layers and not biased and shape == layers[-1].b.shape[:1]:
            layers[-1] = layers[-1]._replace(b=xp.asarray(array, copy=True)[:, None])
            biased = True
        else:
            raise ShapeError(
                f"weights[{index}] must be the kernel (n_in, n) of a Dense layer, or the bias (n,) of the kernel before it, "
                f"got shape {shape}: layers of other kinds have no place here"
            )
    if not layers:
        raise ShapeError("weights must hold the kernel of at least one Dense layer, got none")
    return layers


def _activation(activation: str | Activation | None, number: int) -> str | Activation:
    if isinstance(activation, Activation):
        return activation
    name = "linear" if activation is None else activation
    if name in _NAMES:
        return ACTIVATIONS[_NAMES[name]]
    why = _OTHERS.get(name, f"wanted one of {', '.join(_NAMES)}, or an Activation") if isinstance(name, str) else "wanted a name"
    raise UnknownNameError(f"the activation {name!r} of layer {number} can't be taken from Keras: {why}")
