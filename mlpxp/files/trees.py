"""An optimizer's state and a history as tensors of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.placing import Place
from mlpxp.core.network import Network
from mlpxp.core.optimizers import AdamState, MomentumState
from mlpxp.files.networks import on_the_host, read_layers
from mlpxp.files.schema import Reader, put
from mlpxp.runs.history import History

if TYPE_CHECKING:
    from mlpxp.runs.history import PerMember

__all__ = ["STATES", "history_in", "history_tensors", "read_state", "read_tree", "state_tensors", "tree_tensors"]

STATES: dict[str, Any] = {state.__name__: state for state in (MomentumState, AdamState)}  # those that a file can name
HISTORY = "history."


def tree_tensors(tree: Any, prefix: str) -> dict[str, NDArray[Any]]:
    """A tree of arrays on the host, by name: a named tuple's fields by their names, a tuple's from 1; what is ``None`` is left out."""
    return {name: on_the_host(leaf) for name, leaf in _named(tree, prefix)}


def read_tree(reader: Reader, like: Any, place: Place, *, prefix: str) -> Any:
    """Read a tree of arrays with the shapes of another one, of the file's dtype.

    Raises
    ------
    FileFormatError
        The file's has other places or other shapes.
    """
    wanted = {name: tuple(leaf.shape) for name, leaf in _named(like, prefix)}
    found = {name for name in reader.names if name.startswith(f"{prefix}.")}
    if found != set(wanted):
        raise reader.refuse(f"its {prefix} must have the tensors {', '.join(sorted(wanted))}, got {', '.join(sorted(found)) or 'none'}")
    arrays = {name: put(place, reader.array(name, (reader.dtype,), shape, ndim=len(shape), finite=False)) for name, shape in wanted.items()}
    return _filled(like, prefix, arrays)


def state_tensors(state: Any, prefix: str = "optimizer") -> dict[str, NDArray[Any]]:
    """An optimizer's state, by name: ``optimizer.learning_rate``, ``optimizer.velocity.1.W``, ..."""
    return tree_tensors(state, prefix)


def read_state(reader: Reader, network: Network, place: Place, *, name: str, members: tuple[int, ...], prefix: str = "optimizer") -> Any:
    """Read the state of an optimizer of mlpxp's: each field is parameters, one array, or absent.

    Raises
    ------
    FileFormatError
        There is no such state, or it doesn't fit the network.
    """
    if name not in STATES:
        raise reader.refuse(f"its optimizer state must be one of {', '.join(STATES)}, got {name[:60]!r}")

    def read(field: str) -> Any:
        if f"{prefix}.{field}" in reader.names:
            array = reader.array(f"{prefix}.{field}", (reader.dtype,))
            if array.shape not in {(), (*members, 1, 1)}:
                raise reader.refuse(f"{prefix}.{field} must be one number, or one for each member of a stack, got shape {array.shape}")
            return put(place, array)
        if f"{prefix}.{field}.1.W" in reader.names:
            return read_layers(reader, network, place, prefix=f"{prefix}.{field}")
        return None

    return STATES[name](*map(read, STATES[name]._fields))


def history_tensors(history: History) -> dict[str, NDArray[Any]]:
    """A history as arrays of float64, (epochs,) or (epochs, k): ``history.cost``, ..."""
    return {HISTORY + name: _as_array(getattr(history, name)) for name in History.__dataclass_fields__}


def history_in(reader: Reader, members: tuple[int, ...]) -> History:
    """Read a history, of a stack of so many members; what a diverged member's costs were may be in it.

    Raises
    ------
    FileFormatError
    """
    columns: dict[str, tuple[PerMember, ...]] = {}
    for name in History.__dataclass_fields__:
        array = reader.array(HISTORY + name, ("float64",), finite=False)
        shapes = ((),) if name == "seconds" else ((), members) if name == "learning_rate" else (members,)
        if array.ndim == 0 or (array.shape[1:] not in shapes and len(array)):
            wanted = "one number an epoch, or one for each member of a stack"
            raise reader.refuse(f"{HISTORY}{name} must have {wanted}, got shape {array.shape}")
        values: list[Any] = array.tolist()
        columns[name] = tuple(values) if array.ndim == 1 else tuple(map(tuple, values))
    epochs, validated = len(columns["cost"]), len(columns["validation_cost"])
    lengths = {name: len(column) for name, column in columns.items()}
    if lengths != dict.fromkeys(("cost", "seconds", "learning_rate"), epochs) | dict.fromkeys(
        ("validation_cost", "validation_score"), validated
    ):
        raise reader.refuse(f"its history must have as many entries of each sort as epochs, got {lengths}")
    return History(**columns)  # type: ignore[arg-type]  # the seconds are numbers: one for all members


def _named(tree: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, tuple):
        fields = getattr(tree, "_fields", range(1, len(tree) + 1))
        for field, branch in zip(fields, tree, strict=True):
            yield from _named(branch, f"{prefix}.{field}")
    elif tree is not None:
        yield prefix, tree


def _filled(like: Any, prefix: str, arrays: dict[str, Any]) -> Any:
    if isinstance(like, tuple):
        fields = getattr(like, "_fields", range(1, len(like) + 1))
        branches = [_filled(branch, f"{prefix}.{field}", arrays) for field, branch in zip(fields, like, strict=True)]
        return tuple.__new__(type(like), branches)
    return None if like is None else arrays[prefix]


def _as_array(column: tuple[Any, ...]) -> NDArray[Any]:
    k = max((len(one) for one in column if isinstance(one, tuple)), default=0)
    if k:  # where a rate of one's own came later, the one before was every member's
        column = tuple(one if isinstance(one, tuple) else (one,) * k for one in column)
    return np.asarray(column, dtype=np.float64)
