"""NumPy's fold: a step is called until it is known what it does, and from then on its recording is run."""

from __future__ import annotations

import itertools
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp_backends.program import Program
from mlpxp_backends.recording import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp_backends.recording import Recording

__all__ = ["fold"]

_LARGE = 2**22  # bytes of a state that a program would copy in and out for a single step: as much time as it saves, and twice the memory


def fold(step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
    """Do what :func:`mlpxp.arrays.backend.fold_in_python` does, by a program once two runs of the step did the same."""
    leaves = _Leaves(tree_leaves(state), tree_leaves(inputs), tree_leaves(data))
    learnt = _learnt(step, leaves, [one is None for one in (*inputs, *data)] if isinstance(inputs, tuple) else [])
    if (
        learnt is None
        or learnt.settled == "as it is"
        or (len(leaves.inputs[0]) == 1 and sum(leaf.nbytes for leaf in leaves.state) >= _LARGE)
    ):
        return fold_in_python(np, step, state, inputs, *data)
    learnt.steps = max(learnt.steps, len(leaves.inputs[0]))
    if learnt.settled:
        return _as_tree(state, *learnt.run(leaves))
    inputs = tree_map(np.asarray, inputs)
    n = tree_leaves(inputs)[0].shape[0]
    outs: list[Any] = []
    while len(outs) < n and not learnt.settled:
        state, out = learnt.see(step, state, tree_map(lambda leaf: leaf[len(outs), ...], inputs), data)
        outs.append(out)
    if len(outs) < n:
        state, more = fold(step, state, tree_map(lambda leaf: leaf[len(outs) :], inputs), *data)
        outs.extend(more)
    return state, np.stack(outs)


class _Leaves(NamedTuple):
    """The arrays that a fold is given."""

    state: list[Any]
    inputs: list[Any]
    data: list[Any]


class _Learnt:
    """What is known of a step on arrays of certain shapes: nothing yet, that it can't be recorded, or how it was recorded."""

    def __init__(self, memory: list[Any]) -> None:
        self._memory = memory
        self.settled: Literal["", "as it is", "recorded"] = ""
        self._recording: Recording | None = None
        self._program: Program | None = None
        self._tries = 3
        self._is_new = True
        self.steps = 1  # of the longest fold

    def see(self, step: Callable[..., Any], state: Any, one: Any, data: Any) -> Any:
        """Run a step, and record it; what was recorded twice alike is settled.

        The first time it is run as it is: arrays that it keeps from then on, such as a table by shape, are NumPy's own.
        """
        if self._is_new:
            self._is_new = False
            result = step(state, one, *data)
        else:
            state = tree_map(partial(np.asarray, order="C"), state)  # as a program holds it
            try:
                recording, result = record(step, state, one, data)
            except Exception:  # it can't be recorded, or fails in earnest, and then does so again
                self.settled = "as it is"
                return step(state, one, *data)
            self._tries -= 1
            if self._recording is not None and self._recording.says_the_same(recording):
                self.settled = "recorded"
            elif not self._tries:
                self.settled = "as it is"
            self._recording = recording
        if not _is_like(result[0], state):  # from then on it is known by the kind that its state has become
            self.settled = "as it is"
        return result

    def run(self, given: _Leaves) -> tuple[list[Any], Any]:
        """Do all of a fold that was recorded, and return the last state's arrays and the outs."""
        assert self._recording is not None
        if self._program is None or not self._program.reads(given.data):  # other data each time: a file's, read batch by batch
            self._program = Program(self._recording, given.data, owns_data=self._program is not None, memory=self._memory, steps=self.steps)
        return self._program.run(*given)


_here = threading.local()  # .steps: what is known of a step, by its identity, for as long as it lives


def _learnt(step: Callable[..., Any], given: _Leaves, absent: list[bool]) -> _Learnt | None:
    """Return what this thread knows of a step on such arrays; ``None`` where it can't be recorded."""
    for leaf in itertools.chain(*given):
        if type(leaf) is not np.ndarray and not isinstance(leaf, np.generic):
            return None
    if not given.inputs:
        return None
    known: dict[int, tuple[Any, dict[Any, _Learnt], list[Any]]] = _here.__dict__.setdefault("steps", {})
    number = id(step)
    if number not in known:
        try:
            known[number] = weakref.ref(step, lambda _: known.pop(number, None)), {}, []
        except TypeError:  # a step that can't be watched
            return None
    kinds = (
        *absent,
        *[(a.shape, a.dtype) for a in given.state],
        *[(a.shape[1:], a.dtype) for a in given.inputs],
        *[(a.shape, a.dtype, a.strides) for a in given.data],
    )
    _, learnt, memory = known[number]
    return learnt.get(kinds) or learnt.setdefault(kinds, _Learnt(memory))


def _is_like(one: Any, other: Any) -> bool:
    """Whether two trees have leaves of the same shapes and dtypes."""
    kinds = [[(leaf.shape, leaf.dtype) for leaf in tree_leaves(tree)] for tree in (one, other)]
    return kinds[0] == kinds[1]


def _as_tree(like: Any, leaves: list[Any], outs: Any) -> tuple[Any, Any]:
    arrays = iter(leaves)
    return tree_map(lambda _: next(arrays), like), outs
