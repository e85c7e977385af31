"""The checkpoint: a run of training as it stood between two updates, with what it needs to go on bit for bit.

``layers`` are what the run would have returned there: the best epoch's parameters where they are kept, the last ones elsewhere. Beside what
every file has (:mod:`mlpxp.files.schema`) there are the tensors

``now.1.W``, ..., ``started.1.W``, ..., ``before.1.W``, ..., ``safe.1.W``, ...
    Parameters, as in :class:`mlpxp.runs.snapshot.Snapshot`; those that equal others are left out, ``same_as`` names the others.
``optimizer.<place>``
    The optimizer's state, a tree of arrays: ``optimizer.t``, ``optimizer.squares.1.W``, ...
``history.<field>``
    As in a result's file.
``watch.best``
    float64, (members,): the lowest watched costs.
``rate``
    η of the last update, where there was one.
``part.cost``
    float64, () or (k,): the sum of the costs of the epoch that has begun.

and the metadata

``run``
    JSON: what the run was asked for, by name; a run with anything else does not go on from here.
``standing``
    JSON: ``{"epochs": 12, "first": 0, "seconds": 3.5, "batches": 2, "weight": 64.0, "longest": 2000, "best_epoch": [11], "stale": [1],
    "stops": [null], "is_stack": false, "restored_best": true, "seed": 0, "optimizer_state": "AdamState", "same_as": {"now": "layers"}}``.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.placing import Place
from mlpxp.core.network import Network, Parameters
from mlpxp.errors import RangeError
from mlpxp.files.networks import described, network_in, on_the_host, read_layers, tensors_of
from mlpxp.files.schema import Contents, Reader, opened, put, to_json
from mlpxp.files.trees import STATES, history_in, history_tensors, read_state, read_tree, state_tensors
from mlpxp.runs.history import History, TrainingResult
from mlpxp.runs.snapshot import Part, Snapshot
from mlpxp.runs.stopping import FOR_NOW, Stop, Watched

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Checkpoint", "Kept", "checkpoint_contents", "checkpoint_in", "look_at_checkpoint", "read_snapshot", "result_in"]

DIGESTS = ("data", "validation data")  # in the metadata of the run: texts that tell a reader nothing
ROLES = ("layers", "now", "started", "before", "safe")


@dataclass(frozen=True, eq=False)
class Kept:
    """What a checkpoint holds: where a run stands, and what doesn't change in the course of it.

    Attributes
    ----------
    snapshot : Snapshot
    network : Network
    run : dict of str to what JSON can hold
        What it was asked for.
    longest : int
        How many batches a fold may have.
    keeps_best : bool
        Whether the best epoch's parameters are kept.
    seed : int
    """

    snapshot: Snapshot
    network: Network
    run: Mapping[str, Any]
    longest: int
    keeps_best: bool
    seed: int


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint as somebody reads it who doesn't go on from it.

    Attributes
    ----------
    run : dict
        What the run was asked for.
    network : dict
        As JSON has it: its activations may be the caller's own.
    epochs, batches : int
        Whole epochs done, and batches of the one that has begun.
    seconds : float
    best_epoch : list of int
    stops : list of (str or None)
        Why a member has stopped for good.
    history : History
    dtype, created : str
    versions : dict of str to str
    """

    run: dict[str, Any]
    network: dict[str, Any]
    epochs: int
    batches: int
    seconds: float
    best_epoch: list[int]
    stops: list[str | None]
    history: History
    dtype: str
    created: str
    versions: dict[str, str]


def checkpoint_contents(kept: Kept) -> Contents:
    """What a checkpoint holds, as tensors and texts; numbers that are not finite too."""
    snapshot, network, watched, part = kept.snapshot, kept.network, kept.snapshot.watched, kept.snapshot.part
    now, state = snapshot.state
    trees = (snapshot.best if kept.keeps_best else now, now, snapshot.started, snapshot.before, snapshot.safe)
    tensors: dict[str, Any] = {}
    same_as: dict[str, str] = {}
    for role, tree in zip(ROLES, trees, strict=True):
        others = [other for other, one in zip(ROLES, trees, strict=True) if one is tree and other not in same_as]
        if others[0] != role:
            same_as[role] = others[0]
        else:
            tensors |= tensors_of(network, tree, prefix=role, finite=False)
    tensors |= state_tensors(state) | history_tensors(snapshot.history)
    tensors |= {"watch.best": np.asarray(watched.best, dtype=np.float64), "part.cost": np.asarray(part.cost, dtype=np.float64)}
    if snapshot.rate is not None:
        tensors["rate"] = on_the_host(snapshot.rate)
    facts = {
        "epochs": len(snapshot.history.cost),
        "first": snapshot.first,
        "seconds": snapshot.seconds,
        "batches": part.batches,
        "weight": part.weight,
        "longest": kept.longest,
        "best_epoch": watched.best_epoch,
        "stale": watched.stale,
        "stops": list(snapshot.stops),
        "is_stack": now[0].W.ndim > 2,
        "restored_best": kept.keeps_best,
        "seed": kept.seed,
        "optimizer_state": type(state).__name__,
        "same_as": same_as,
    }
    texts = {
        "network": to_json(described(network), "network"),
        "dtype": tensors["layers.1.W"].dtype.name,
        "run": to_json(kept.run, "run"),
        "standing": to_json(facts, "standing"),
    }
    return Contents(tensors, texts)


def checkpoint_in(reader: Reader, kept: Kept, place: Place) -> Kept:
    """Read where a run stood from an opened checkpoint, if it was this run: ``kept`` says where it began.

    Raises
    ------
    FileFormatError
    RangeError
        It was another run; the message names the first difference.
    """
    facts, found = _facts(reader), reader.json("run")
    for name, wanted in kept.run.items():
        if found.get(name) != wanted:
            got = found.get(name)
            told = f"{name} {_told(got)}, and this one has {_told(wanted)}"
            if name in DIGESTS and got is not None and wanted is not None:
                told = f"other {name} of the same shape"
            remedy = "go on with the arguments of the run that wrote it, or begin anew with another file"
            raise RangeError(f"{reader.path} is of a run with {told}: {remedy}")
    if facts["first"] != kept.snapshot.first:
        raise reader.refuse(
            f"it says of itself that {facts['first']} epochs came before it, and of its run that it was {kept.snapshot.first}"
        )
    snapshot = read_snapshot(reader, kept.snapshot, facts, place, network=kept.network)
    return replace(kept, snapshot=snapshot, longest=facts["longest"])


def read_snapshot(reader: Reader, like: Snapshot, facts: dict[str, Any], place: Place, *, network: Network) -> Snapshot:
    """Read where a run stood; ``like`` says which shapes everything has."""
    trees = _parameters(reader, network, facts, place)
    members = like.members
    best = reader.array("watch.best", ("float64",), (members,), ndim=1, finite=False).tolist()
    watched = Watched(tuple(best), tuple(facts["best_epoch"]), tuple(facts["stale"]))
    stops = tuple(None if stop is None else Stop(stop) for stop in facts["stops"])
    if not len(watched.best_epoch) == len(watched.stale) == len(stops) == members:
        raise reader.refuse(f"its best_epoch, stale and stops must have one entry for each of {members} networks")
    stack = tuple(like.state[0][0].W.shape[:-2])
    if tuple(trees["now"][0].W.shape[:-2]) != stack:
        raise reader.refuse(f"its layers must be of {'one network' if not stack else f'a stack of {stack}'}")
    cost = reader.array("part.cost", ("float64",), finite=False)
    if cost.shape not in {(), stack}:
        raise reader.refuse(f"part.cost must have shape {stack}, got {cost.shape}")
    rate = put(place, reader.array("rate", (reader.dtype,))) if "rate" in reader.names else None
    if rate is not None and tuple(rate.shape) not in {(), (*stack, 1, 1)}:
        raise reader.refuse(f"rate must be one number, or one for each member of a stack, got shape {tuple(rate.shape)}")
    return Snapshot(
        state=(trees["now"], read_tree(reader, like.state[1], place, prefix="optimizer")),
        best=trees["layers"],
        started=trees["started"],
        before=trees["before"],
        safe=trees["safe"],
        history=_history(reader, facts, stack),
        watched=watched,
        stops=stops,
        first=facts["first"],
        seconds=float(facts["seconds"]),
        rates=None if rate is None else rate[None, ...],
        part=Part(facts["batches"], cost[()], float(facts["weight"])),
    )


def result_in(reader: Reader, place: Place) -> TrainingResult:
    """Read a checkpoint as the result of a run that was interrupted there.

    Raises
    ------
    FileFormatError
    """
    network, facts = network_in(reader), _facts(reader)
    trees, name = _parameters(reader, network, facts, place), facts["optimizer_state"]
    members = tuple(trees["now"][0].W.shape[:-2])
    stops = tuple(Stop.INTERRUPTED if stop is None else Stop(stop) for stop in facts["stops"])
    if not len(facts["best_epoch"]) == len(stops) == math.prod(members) or len(members) > 1:
        raise reader.refuse("its best_epoch and stops must have one entry for each network")
    return TrainingResult(
        network=network,
        parameters=trees["layers"],
        history=_history(reader, facts, members),
        stop=stops if members else stops[0],
        best_epoch=tuple(facts["best_epoch"]) if members else facts["best_epoch"][0],
        last_parameters=trees["now"],
        optimizer_state=read_state(reader, network, place, name=name, members=members) if name in STATES else None,
        seed=facts["seed"],
        restored_best=facts["restored_best"],
    )


def look_at_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint without its parameters.

    Raises
    ------
    DataError, FileFormatError
    """
    with opened(path) as reader:
        facts = _facts(reader)
        return Checkpoint(
            run=reader.json("run"),
            network=reader.json("network"),
            epochs=facts["epochs"],
            batches=facts["batches"],
            seconds=float(facts["seconds"]),
            best_epoch=facts["best_epoch"],
            stops=facts["stops"],
            history=_history(reader, facts, (len(facts["stops"]),) if facts["is_stack"] else ()),
            dtype=reader.dtype,
            created=reader.created,
            versions=reader.versions,
        )


def _facts(reader: Reader) -> dict[str, Any]:
    """The JSON of where the run stood, each entry of its kind."""
    if reader.kind != "checkpoint":
        raise reader.refuse(f"wanted a checkpoint, got a {reader.kind[:60]}")
    facts = reader.json("standing")
    if "batches" not in facts:
        facts["batches"] = _batches_in(facts, reader.json("run"))
    for name in ("epochs", "first", "batches"):
        reader.field(facts, name, "a whole number from 0", lambda value: type(value) is int and 0 <= value < 2**63)
    reader.field(facts, "seed", "a whole number from 0", lambda value: type(value) is int and value >= 0)
    reader.field(facts, "is_stack", "true or false", lambda value: isinstance(value, bool))
    reader.field(facts, "longest", "a whole number from 1", lambda value: type(value) is int and value >= 1)
    for name in ("seconds", "weight"):
        reader.field(facts, name, "a number from 0", lambda value: type(value) in {int, float} and 0.0 <= value < math.inf)
    for name in ("best_epoch", "stale"):
        reader.field(
            facts, name, f"a list of whole numbers up to the {facts['epochs']} epochs", lambda value: _are_up_to(value, facts["epochs"])
        )
    reader.field(facts, "stops", "a list of reasons to stop, null for none", _are_stops)
    reader.field(facts, "restored_best", "true or false", lambda value: isinstance(value, bool))
    reader.field(facts, "optimizer_state", "a name", lambda value: isinstance(value, str))
    reader.field(facts, "same_as", f"names of {', '.join(ROLES)}", _are_roles)
    if (facts["batches"] > 0) != (facts["weight"] > 0.0):
        raise reader.refuse(f"{facts['batches']} batches of an epoch can't weigh {facts['weight']} together")
    return facts


def _batches_in(facts: dict[str, Any], run: dict[str, Any]) -> Any:
    """Earlier files count folds, of up to ``longest`` batches, and a smaller last batch is one by itself; ``None`` if it can't be told."""
    try:
        folds, longest, m, size = found = facts["folds"], facts["longest"], run["Y of shape"][-1], run["batch_size"]
    except (LookupError, TypeError):
        return None
    if not all(type(one) is int and one >= (number > 0) for number, one in enumerate(found)):
        return None
    whole = m // size
    return min(folds * longest, whole) + (1 if folds > -(-whole // longest) else 0)


def _history(reader: Reader, facts: dict[str, Any], members: tuple[int, ...]) -> History:
    history = history_in(reader, members)
    if not facts["first"] <= facts["epochs"] == len(history.cost):
        raise reader.refuse(f"its history must have the {facts['epochs']} epochs that are done, got {len(history.cost)}")
    return history


def _parameters(reader: Reader, network: Network, facts: dict[str, Any], place: Place) -> dict[str, Parameters]:
    """Read the parameters in each of their roles; those that were the same are the same again."""
    trees: dict[str, Parameters] = {}
    for role in ROLES:
        other = facts["same_as"].get(role)
        trees[role] = trees[other] if other in trees else read_layers(reader, network, place, prefix=role, finite=False)
    if len({tuple(tree[0].W.shape) for tree in trees.values()}) > 1:
        raise reader.refuse("its layers must all be of one network or of one stack")
    return trees


def _are_up_to(value: object, most: int) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one <= most for one in value)


def _are_stops(value: object) -> bool:
    for_good = set(Stop).difference(FOR_NOW)
    return isinstance(value, list) and all(one is None or (isinstance(one, str) and one in for_good) for one in value)


def _are_roles(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) and one in ROLES for one in (*value, *value.values()))


def _told(value: object) -> str:
    text = "none" if value is None else value if isinstance(value, str) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
