"""PyTorch's ``nn.Sequential`` as a model of ours, and the other way. PyTorch itself is named in :mod:`mlpxp.exchange._torch_modules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.move import mover
from mlpxp.arrays.standard import library_of, tree_map
from mlpxp.core.activations import ACTIVATIONS
from mlpxp.core.network import Layer
from mlpxp.errors import MissingLibraryError, ShapeError, UnknownNameError
from mlpxp.exchange._networks import model_of, parts_of

if TYPE_CHECKING:
    from mlpxp.core.activations import Activation
    from mlpxp.core.losses import Loss
    from mlpxp.core.model import Model

__all__ = ["from_torch", "to_torch"]


def from_torch(module: Any, *, output: str | Activation | None = None, loss: str | Loss | None = None) -> Model:
    """Return the network and the parameters of an ``nn.Sequential``.

    Parameters
    ----------
    module : torch.nn.Sequential or torch.nn.Linear
        Of ``Linear`` and the activations that there are here: ``ReLU``, ``Tanh``, ``Sigmoid``, ``LeakyReLU(0.01)``, ``ELU``, ``SiLU``,
        ``Softplus``, ``GELU(approximate="tanh")``, and ``Softmax`` at the end. ``Flatten`` at the start, ``Dropout`` in ``eval()`` mode and
        ``Identity`` are passed over; a ``Sequential`` in it is gone through. Each computes what its class does: forward hooks,
        parametrizations and a ``forward`` of its own are refused by name.
    output : str or Activation, optional
        What follows a last ``Linear``, where it was left to the loss: ``"softmax"`` after ``CrossEntropyLoss``, ``"sigmoid"`` after
        ``BCEWithLogitsLoss``. By default nothing does, and predictions are the module's own.
    loss : str or Loss, optional
        What to train with from here on; by default the natural one of the output, MSE where there is none.

    Returns
    -------
    Model
        Its parameters are tensors of the module's dtype, on its device, in memory of their own: what goes on with the module changes
        nothing here. Where a ``Linear`` has no bias it is zero.

    Raises
    ------
    MissingLibraryError
        PyTorch is not installed.
    UnknownNameError
        The module has a part that there is not here, or one that computes something else than its class: a ``GELU()`` with the error
        function, which the array API standard lacks; hooks; a dropout that is training.
    ShapeError, DtypeError, BackendError
        Layers that don't fit together, or are not all float32 or all float64 on one device with values.
    PairingError
        ``output`` and ``loss`` make no sense together.
    """
    layers = _modules().taken_apart(module)
    activations = [ACTIVATIONS["identity"] if name is None else name for _, name in layers]
    if output is not None:
        if layers[-1][1] is not None:
            raise UnknownNameError(f"output is for a module that ends with Linear, and this one ends with {layers[-1][1]}: leave it out")
        activations[-1] = output
    return model_of(tuple(layer for layer, _ in layers), activations, loss)


def to_torch(model: Any) -> Any:
    """Return an ``nn.Sequential`` that predicts what a model does, of rows.

    Parameters
    ----------
    model : Model, TrainingResult, MLPClassifier, MLPRegressor, or (Network, parameters)
        Of one network with activations that PyTorch has modules for: all of mlpxp's own but ``exp``. What a classifier's module answers
        with are its outputs (n, n_outputs), one for two classes.

    Returns
    -------
    torch.nn.Sequential
        ``Linear`` and activations with the model's dtype, on its device if the parameters are tensors and on the CPU if not, in memory
        of its own: training it changes no model.

    Raises
    ------
    MissingLibraryError
        PyTorch is not installed.
    UnknownNameError
        PyTorch has no such activation.
    ShapeError
        The parameters are a stack.
    DtypeError, NotFittedError
        ``model`` is something else, or an estimator that is not fitted.
    """
    network, parameters = parts_of(model, "to_torch")
    theirs = _modules()
    for number, activation in enumerate(network.activations, start=1):
        if ACTIVATIONS.get(activation.name) != activation or activation.name not in theirs.MODULES:
            raise UnknownNameError(
                f"PyTorch has no module for the activation {activation.name!r} of layer {number}: wanted one of {', '.join(theirs.MODULES)}"
            )
    if parameters[0].W.ndim > 2:
        raise ShapeError(f"to_torch takes one network, got a stack of {parameters[0].W.shape[0]}: take one of mlpxp.unstack(parameters)")
    move = (lambda leaf: leaf) if library_of(parameters[0].W) == "torch" else mover(get_backend("torch"))
    layers: list[Layer] = [Layer(*tree_map(move, tuple(layer))) for layer in parameters]
    return theirs.put_together(layers, [activation.name for activation in network.activations])


def _modules() -> Any:
    try:
        from mlpxp.exchange import _torch_modules
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"PyTorch's modules need {error.name}, which is not installed: pip install 'mlpxp[torch]'") from error
    return _torch_modules
