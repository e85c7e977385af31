"""The file of a training result: everything that a later run needs to go on from it.

``layers`` are the result's parameters. Beside what every file has (:mod:`mlpxp.files.schema`) there are the tensors

``last.1.W``, ...
    The parameters after the last update.
``optimizer.<field>``, ``optimizer.<field>.1.W``, ...
    The optimizer's state: ``learning_rate`` and ``velocity``, or ``learning_rate``, ``t``, ``gradients`` and ``squares``.
``history.<field>``
    float64, (epochs,), or (epochs, k) for a stack.

and the metadata

``result``
    JSON: ``{"stop": "converged", "best_epoch": 12, "seed": 0, "restored_best": true, "optimizer_state": "AdamState"}``; for a stack
    ``stop`` and ``best_epoch`` are lists.
"""

from __future__ import annotations

from typing import Any

from mlpxp.arrays.placing import Place
from mlpxp.errors import UnknownNameError
from mlpxp.files.networks import check_names, described, network_in, read_layers, tensors_of
from mlpxp.files.schema import Contents, Reader, to_json
from mlpxp.files.trees import STATES, history_in, history_tensors, read_state, state_tensors
from mlpxp.runs.history import TrainingResult
from mlpxp.runs.stopping import Stop

__all__ = ["read_result", "result_contents"]


def result_contents(result: TrainingResult) -> Contents:
    """What a file of this result holds.

    Raises
    ------
    UnknownNameError
        An activation, the loss or the optimizer's state is not one of mlpxp's own.
    ShapeError, DtypeError, RangeError
        Parameters that don't fit the network, or are not finite.
    """
    network, state = result.network, type(result.optimizer_state)
    check_names(network)
    if STATES.get(state.__name__) is not state:
        raise UnknownNameError(
            f"the optimizer's state {state.__name__} can't be saved: a file holds one of {', '.join(STATES)}; "
            "save the parameters, as a Model"
        )
    tensors = tensors_of(network, result.parameters)
    first = tensors["layers.1.W"]
    tensors |= tensors_of(network, result.last_parameters, prefix="last", like=first)
    tensors |= state_tensors(result.optimizer_state) | history_tensors(result.history)
    facts = {
        "stop": result.stop if isinstance(result.stop, Stop) else list(result.stop),
        "best_epoch": result.best_epoch if isinstance(result.best_epoch, int) else list(result.best_epoch),
        "seed": result.seed,
        "restored_best": result.restored_best,
        "optimizer_state": state.__name__,
    }
    texts = {"network": to_json(described(network), "network"), "dtype": first.dtype.name, "result": to_json(facts, "result")}
    return Contents(tensors, texts)


def read_result(reader: Reader, place: Place) -> TrainingResult:
    """Read a training result from an opened file.

    Raises
    ------
    FileFormatError
    """
    network, facts = network_in(reader), reader.json("result")
    parameters = read_layers(reader, network, place)
    members = tuple(parameters[0].W.shape[:-2])
    if len(members) > 1:
        raise reader.refuse(f"its stack must have one leading axis, got {members}")

    def one_each(name: str, what: str, good: Any) -> Any:
        value = reader.field(facts, name, what, lambda value: _is_one_each(value, members, good))
        return tuple(value) if members else value

    stop = one_each("stop", "a reason to stop, or a list with one for each member", lambda value: value in list(Stop))
    return TrainingResult(
        network=network,
        parameters=parameters,
        history=history_in(reader, members),
        stop=tuple(map(Stop, stop)) if members else Stop(stop),
        best_epoch=one_each("best_epoch", "a whole number, or a list with one for each member", _is_whole),
        last_parameters=read_layers(reader, network, place, prefix="last"),
        optimizer_state=read_state(
            reader, network, place, name=reader.field(facts, "optimizer_state", "a name", _is_text), members=members
        ),
        seed=reader.field(facts, "seed", "a whole number from 0", _is_whole),
        restored_best=reader.field(facts, "restored_best", "true or false", lambda value: isinstance(value, bool)),
    )


def _is_one_each(value: object, members: tuple[int, ...], good: Any) -> bool:
    if not members:
        return bool(good(value))
    return isinstance(value, list) and len(value) == members[0] and all(map(good, value))


def _is_whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)
