"""Checkpoints of a run: when they are written, what becomes of a full disk, and whose run they are."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.placing import Place
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.scalars import number_or_none
from mlpxp.arrays.standard import device_of, dtype_name
from mlpxp.core.transforms import ClipNorm
from mlpxp.errors import CheckpointWarning, DataError, FileFormatError, OutputError
from mlpxp.files.checkpoint_file import Kept, checkpoint_contents, checkpoint_in
from mlpxp.files.disk import check_writable, previous_of, remove_leftovers
from mlpxp.files.kinds import kind_of
from mlpxp.files.schema import opened, write_file
from mlpxp.training.precision import outside

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network
    from mlpxp.runs.snapshot import Snapshot
    from mlpxp.training.batches import Batches
    from mlpxp.training.options import Keeping, Plan

__all__ = ["SECONDS", "Checkpoints", "asked_of", "digest", "holds_run", "said"]

SECONDS = 60.0  # between two checkpoints, where nothing was asked for
_EXAMPLES = 64  # of which the values are looked at, at least


class Checkpoints:
    """Writes where a run stands into a file, now and then.

    Parameters
    ----------
    keeping : Keeping
        Where and when. The one before the last is beside it, see :func:`mlpxp.files.disk.previous_of`; a minute where nothing says when.
    kept : Kept
        Where the run begins.
    """

    def __init__(self, keeping: Keeping, kept: Kept) -> None:
        self.path, self.kept, self.every, self.resume = keeping.path, kept, keeping.every, keeping.resume
        self.seconds = SECONDS if keeping.every is None and keeping.every_seconds is None else keeping.every_seconds
        self._last = time.perf_counter()
        self._at: Any = None
        self._is_sound = True  # the file that is there; one that is not never takes the place of the one before

    def begin(self, library: Backend) -> Kept:
        """Go on from the file that is there, if that is what is wanted, or write the first checkpoint; return where the run stands.

        Raises
        ------
        OutputError
            The file can't be written, or it is there and ``resume`` is not wanted.
        DataError, FileFormatError
            The file is there and can't be read, nor can the one before.
        RangeError
            It is of another run.
        """
        check_writable(self.path)
        remove_leftovers(self.path)
        there = [one for one in (Path(self.path), previous_of(self.path)) if one.exists()]
        if not there:
            self._write(self.kept)
        elif not self.resume and not holds_run(there[0]):
            raise OutputError(f"{there[0]} is there already and holds no run that can be read: name another file for checkpoints")
        elif not self.resume:
            raise OutputError(f"{self.path} holds a run already: resume it, or remove it and {previous_of(self.path)} to begin anew")
        else:
            self.kept = self._read(library)
        self._at = _position(self.kept.snapshot)
        self._last = time.perf_counter()
        return self.kept

    def due(self, epoch: int | None = None) -> bool:
        """Return whether it is time, within an epoch or after epoch ``epoch``."""
        if epoch is not None and self.every is not None and (epoch - self.kept.snapshot.first) % self.every == 0:
            return True
        return self.seconds is not None and time.perf_counter() - self._last >= self.seconds

    def keep(self, snapshot: Snapshot) -> None:
        """Write a checkpoint, but where the file has it already; what goes wrong is a warning, and the next one is tried again."""
        if _position(snapshot) == self._at:
            return
        try:
            self._write(replace(self.kept, snapshot=snapshot))
            self._at = _position(snapshot)
        except (OutputError, MemoryError) as error:
            reason = (
                str(error) if isinstance(error, OutputError) else f"{self.path} can't be written: there is not enough memory for a copy"
            )
            epochs = len(snapshot.history.cost)
            message = f"no checkpoint after epoch {epochs}: {reason}; training goes on, and the next checkpoint is tried again"
            warnings.warn(message, CheckpointWarning, stacklevel=outside())
        self._last = time.perf_counter()

    def _write(self, kept: Kept) -> None:
        write_file(self.path, "checkpoint", checkpoint_contents(kept), keeps_previous=self._is_sound)
        self._is_sound = True

    def _read(self, library: Backend) -> Kept:
        place = Place(library, device_of(self.kept.snapshot.state[0][0].W))
        try:
            with opened(self.path) as reader:
                return checkpoint_in(reader, self.kept, place)
        except (DataError, FileFormatError) as error:
            previous = previous_of(self.path)
            if not previous.exists():
                raise
            with opened(previous) as reader:
                kept = checkpoint_in(reader, self.kept, place)
            self._is_sound = False
            message = f"{error}; going on from the checkpoint before, {previous}, of epoch {len(kept.snapshot.history.cost)}"
            warnings.warn(message, CheckpointWarning, stacklevel=outside())
            return kept


def holds_run(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a checkpoint: one that isn't is nobody's to remove."""
    try:
        return kind_of(path) == "checkpoint"
    except (DataError, FileFormatError):
        return False


def _position(snapshot: Snapshot) -> tuple[Any, ...]:
    return len(snapshot.history.cost), snapshot.part.batches, snapshot.stops


def asked_of(
    network: Network, library: Backend, plan: Plan, snapshot: Snapshot, batches: Batches, examples: tuple[Any, Any, Any], held_out: Any
) -> dict[str, Any]:
    """Return what a run was asked for, by name: one that was asked for anything else does not go on from its checkpoint."""
    X, Y, _ = examples
    rule: Any = plan.stopping
    return {
        "network": repr(network),
        "networks": snapshot.members,
        "optimizer": said(plan.optimizer),
        "dtype": dtype_name(Y),
        "X of shape": list(X.shape),
        "Y of shape": list(Y.shape),
        "batch_size": batches.size or batches.m,
        "seed": batches.seed,
        "earlier epochs": snapshot.first,
        "tolerance": rule.tolerance,
        "patience": rule.patience,
        "penalty": plan.penalty.strength,
        "penalty_on": plan.penalty.on,
        "dropout": list(plan.dropout),
        "clip_norm": next((one.limit for one in plan.transforms if isinstance(one, ClipNorm)), None),
        "order": "drawn from the seed" if batches.order is None else "given",
        "data": digest(library, examples),
        "validation data": None if held_out is None else digest(library, held_out),
    }


def said(value: Any) -> str:
    """Return what an optimizer was made with, in words that are the same in every process: of a function only its name.

    A number has the same words whatever library it is of.
    """
    if is_dataclass(value) and not isinstance(value, type):
        parts = ", ".join(f"{field.name}={said(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({parts})"
    plain = number_or_none(value)
    if plain is not None or value is None or isinstance(value, bool):
        return repr(value if plain is None else plain)
    if isinstance(value, str):
        return repr(str(value))
    as_list = getattr(value, "tolist", None)
    if as_list is not None:
        return said(as_list())
    if isinstance(value, tuple | list):
        return f"({', '.join(map(said, value))})"
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def digest(library: Backend, examples: Iterable[Any]) -> str:
    """Return a short text that tells data apart by the values of a few dozen examples, evenly spaced; ``None`` counts as nothing."""
    found = hashlib.sha256()
    X, Y, weights = examples
    step = max(1, int(Y.shape[-1]) // _EXAMPLES)
    if isinstance(X, Rows):
        found.update(X.take(slice(None, None, step)).astype(dtype_name(Y)).T.tobytes())
    else:
        found.update(library.to_numpy(X[..., ::step]).tobytes())
    for array in (Y, weights):
        if array is not None:
            found.update(library.to_numpy(array[..., ::step]).tobytes())
    return found.hexdigest()[:16]
