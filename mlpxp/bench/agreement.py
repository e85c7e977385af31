"""Whether those who are timed have computed the same: where training has brought them, and how far apart that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.bench.tasks import Rival, Task

__all__ = ["Reached", "flat", "objection", "reach"]

# how far parameters may be from ours: of their norm, and of the norm of what training has changed
APART = {"float32": 1e-4, "float64": 1e-10}
ASTRAY = {"float32": 1e-2, "float64": 1e-7}
# in an epoch of Adam rounding grows: it makes as long a step along a gradient that is next to nothing as along any other.
# So it is after the one step, which is held to the bounds above, that another rule shows
GROWS = 100.0, 10.0


@dataclass(frozen=True)
class Reached:
    """Where somebody is after one step and one epoch.

    Attributes
    ----------
    step : ndarray or None
        All parameters; ``None`` where no step was made before the epoch.
    epoch : ndarray
    cost : float
        The epoch's.
    """

    step: Any
    epoch: Any
    cost: float


def reach(rival: Rival, task: Task) -> Reached:
    """Make a step and train an epoch."""
    rival.step()
    after = flat(rival.parameters())
    cost = rival.epoch(1)
    return Reached(after, flat(rival.parameters()), cost)


def objection(got: Reached, wanted: Reached, task: Task) -> str | None:
    """Say why one who has reached this is not doing the task; ``None`` where there is nothing to say."""
    start = flat(tree_leaves(task.start))
    for when, ours_, theirs in (("a step", wanted.step, got.step), ("an epoch", wanted.epoch, got.epoch)):
        if ours_ is None:
            continue
        if theirs.shape != ours_.shape:
            return f"it has {theirs.size:,} parameters, not {ours_.size:,}"
        off = float(np.linalg.norm(theirs - ours_))
        apart, astray = off / float(np.linalg.norm(ours_)), off / float(np.linalg.norm(ours_ - start))
        grown = GROWS if task.optimizer == "adam" and when == "an epoch" else (1.0, 1.0)
        if not (apart <= grown[0] * APART[task.dtype] and astray <= grown[1] * ASTRAY[task.dtype]):
            return f"its parameters differ after {when}, by {apart:.1e} of their norm and by {astray:.1e} of what training changed"
    if not abs(got.cost - wanted.cost) <= APART[task.dtype] * abs(wanted.cost):
        return f"its cost of an epoch is {got.cost:.6g}, not {wanted.cost:.6g}"
    return None


def flat(arrays: Sequence[Any]) -> Any:
    """All parameters in one, layer by layer, in float64."""
    return np.concatenate([np.asarray(array, dtype=np.float64).ravel() for array in arrays])
