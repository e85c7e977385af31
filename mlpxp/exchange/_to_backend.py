"""Models, results and estimators in another array library, or on another device."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.move import mover
from mlpxp.arrays.standard import is_array, tree_leaves, tree_map
from mlpxp.exchange._trained import is_estimator, is_pair, one_value
from mlpxp.runs.history import TrainingResult

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["to_backend"]

Value = TypeVar("Value")


def to_backend(value: Value, backend: str | Backend, device: Any = None) -> Value:
    """Return what is given with arrays of another library, or on another device; what is given stays as it is.

    Parameters
    ----------
    value : Model, TrainingResult, MLPClassifier, MLPRegressor, (Network, parameters), array, or tree of arrays
        A tree is a tuple or a named tuple, however deep: parameters, gradients, an optimizer's state.
    backend : str or Backend
        ``"numpy"``, ``"cupy"``, ``"torch"``, ``"jax"``, ...
    device : str, Device or the library's own device object, optional
        Where to; the library's default device if ``None``.

    Returns
    -------
    the same type
        A fitted estimator takes and returns arrays of that library, and computes there: its ``backend`` is ``"auto"`` and its ``device``
        ``None``. A training that goes on from a result goes on there.

    Raises
    ------
    NotFittedError
        An estimator is not fitted.
    DtypeError
        It is none of these, or its dtype is one that the library or the device lacks, such as float64 in JAX until it is asked for.
    BackendError, UnknownNameError
        There is no such library or device here.

    Notes
    -----
    An array whose memory both libraries can use is not copied (DLPack). On the host that is all of NumPy, PyTorch and JAX, and on a GPU
    PyTorch, JAX and CuPy, for arrays whose rows lie one after the other. Copied are arrays in another order, in memory that is read-only
    where the other library knows no such thing, at an address that the other library can't use (JAX wants a multiple of 64), those that
    autograd follows, unless they go to NumPy, and all that change devices; the last go through the host.

    mlpxp writes into no array that it was given, so that shared memory does no harm as long as nobody else does: copy what you go on
    writing into, and what the other library goes on updating in place, as ``torch.optim`` does.

    Examples
    --------
    >>> from mlpxp import Network, initialize, to_backend
    >>> parameters = initialize(Network((2, 3, 1)), seed=0)
    >>> [type(layer.W).__name__ for layer in to_backend(parameters, "numpy")]
    ['ndarray', 'ndarray']
    """
    library = get_backend(backend)
    move = partial(tree_map, mover(library, device))
    result: Any = value
    if all(map(is_array, tree_leaves(value))):
        return cast("Value", move(value))
    held: Any = one_value(value, "to_backend", also="arrays, tuples of them such as parameters, ")
    if is_estimator(held):
        from mlpxp.estimators.fitted import moved as moved_estimator

        result = moved_estimator(held, library, device)
    elif isinstance(held, TrainingResult):
        moved = move((held.parameters, held.last_parameters, held.optimizer_state))
        result = replace(held, parameters=moved[0], last_parameters=moved[1], optimizer_state=moved[2])
    else:
        parameters = move(held.parameters)
        result = (held.network, parameters) if is_pair(value) else replace(held, parameters=parameters)
    return cast("Value", result)
