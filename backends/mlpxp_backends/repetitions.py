"""What a step computes twice, done once: softmax and its loss begin with the same maximum, exponentials and sum."""

from __future__ import annotations

from copy import copy
from typing import Any

from mlpxp.arrays.standard import tree_map
from mlpxp_backends.calls import Register, exact, filled
from mlpxp_backends.recording import Recording

__all__ = ["without_repetitions"]


def without_repetitions(recording: Recording) -> Recording:
    """Return a recording in which nothing is computed twice."""
    same: dict[Register, Register] = {}  # which holds the same
    known: dict[Any, Register] = {}
    calls = []

    def first(leaf: Any) -> Any:
        return same.get(leaf, leaf) if isinstance(leaf, Register) else leaf

    for one in recording.calls:
        call = one._replace(args=filled(one.args, first), kwargs=filled(one.kwargs, first))
        try:
            what = call.function, filled(call.args, exact), filled(call.kwargs, exact), recording.layouts[call.out]
            made = known.setdefault(what, call.out)
        except TypeError:  # a slice or a fixed array among the arguments
            made = call.out
        if made == call.out:
            calls.append(call)
        else:
            same[call.out] = made
    shorter = copy(recording)
    shorter.calls, shorter.result = calls, tree_map(first, recording.result)
    shorter.base = {view: first(whole) for view, whole in recording.base.items()}
    return shorter
