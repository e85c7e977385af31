"""What a step's next state does not wait for: done for many steps at once, before them or after them.

Which examples a batch has is known beforehand, and a cost is only read afterwards. On a small network, where a step is the calls' own
time, that is a third of it. So steps are run in stretches: the batches of all of them are gathered by one call, then each step does
what the next one needs, and the costs of all are computed by the calls of one. Element by element, and sum by sum, nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpxp.arrays.standard import tree_leaves
from mlpxp_backends.calls import TAKE, Register, registers_in

if TYPE_CHECKING:
    from mlpxp_backends.calls import Call
    from mlpxp_backends.recording import Recording

__all__ = ["Stretch", "along", "stretch"]

_LONGEST = 16  # steps, as each is bound to arrays of its own
_TOGETHER = 2**18  # bytes that the steps of a stretch keep apart: they stay near the processor
_SMALL = 2**13  # bytes of an array beyond which a call's own time is not worth it
_ELEMENTWISE = (  # which give the same bits whatever arrays of floats they are called with; power, for one, does not
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.absolute, np.square, np.sqrt,
    np.exp, np.log, np.expm1, np.log1p, np.maximum, np.minimum,
)  # fmt: skip


class Stretch(NamedTuple):
    """How a recording's calls are made for some steps in a row.

    Attributes
    ----------
    length : int
        Steps.
    before, after : list of Call
        Made once for all steps.
    during : list of (int, Call)
        Made in each step, with their numbers in the recording.
    apart : tuple of Register
        The arrays that each step has its own of.
    """

    length: int
    before: list[Call]
    during: list[tuple[int, Call]]
    after: list[Call]
    apart: tuple[Register, ...]


def stretch(recording: Recording, steps: int) -> Stretch:
    """Return how to run a recording ``steps`` times, step by step where nothing is gained."""
    calls = list(enumerate(recording.calls))
    one_by_one = Stretch(1, [], calls, [], tuple(tree_leaves(recording.given[1])))
    if steps < 4:
        return one_by_one
    before = [call for call in recording.calls if _reads_rows(recording, call)]
    needed = _needed(recording, before)
    after = [call for _, call in calls if call.out not in needed]
    after = _with_views(recording, after) if recording.result[1] in {call.out for call in after} else []  # not what nobody asks for
    inputs = tree_leaves(recording.given[1])
    read = {one for call in after for one in registers_in((call.args, call.kwargs))} | {call.out for call in before}
    made = {call.out for call in after}
    apart = dict.fromkeys([*inputs, *sorted(read - made - set(tree_leaves(recording.given[2])), key=lambda one: one.number)])
    n_bytes = sum(recording.layouts[one].size * recording.layouts[one].dtype.itemsize for one in (*apart, *made))
    length = min(_LONGEST, steps, _TOGETHER // max(n_bytes, 1))
    if length < 4 or not (before or after):
        return one_by_one
    gathered = {call.out for call in before}
    during = [(number, call) for number, call in calls if call.out in needed and call.out not in gathered]
    return Stretch(length, before, during, after, tuple(apart))


def _with_views(recording: Recording, after: list[Call]) -> list[Call]:
    """Return the calls with those that make the views they read, of arrays with the steps as a leading axis: each step has its own too."""
    read = {one for call in after for one in registers_in((call.args, call.kwargs))} - {call.out for call in after}
    views = [call for call in recording.calls if call.how == "view" and call.out in read]
    return [*_with_views(recording, views), *after] if views else after


def _reads_rows(recording: Recording, call: Call) -> bool:
    """Whether it gathers rows, which an input names, from the data."""
    _, inputs, data = map(tree_leaves, recording.given)
    if call.function is not TAKE or len(call.args) != 2 or call.args[1] not in inputs or call.args[0] not in data:
        return False
    layout = recording.layouts[call.out]
    first = dict(call.kwargs).get("axis") == -len(recording.layouts[call.args[0]].shape)
    alone = recording.whole(call.out) == call.out and call.out not in _final(recording)
    return first and alone and layout.size * layout.dtype.itemsize <= _SMALL


def _needed(recording: Recording, before: list[Call]) -> set[Register]:
    """Return what has to be made in each step: for the next state, or because it can't be made for many steps at once."""
    makers = {call.out: call for call in recording.calls}
    for whole, members in recording.packs.items():
        makers |= {one: makers[whole] for one in members if one not in makers and whole in makers}
    fixed = set(tree_leaves(recording.given[0])) | _final(recording)
    needed: set[Register] = set()

    def can_be_apart(register: Register) -> bool:
        """Whether each step can have its own, and all of them be read as one array."""
        whole = recording.whole(register)
        if whole in fixed or register in fixed or whole in recording.packs:
            return False
        if register == whole:
            return register not in recording.base  # a view of an array from elsewhere
        maker = makers[register]
        return _for_many(recording, maker) and all(map(can_be_apart, registers_in(maker.args)))

    def need(*registers: Register) -> None:
        waiting = list(registers)
        while waiting:
            register = waiting.pop()
            if register in needed:
                continue
            needed.add(register)
            whole = recording.whole(register)
            waiting += [whole, *recording.packs.get(whole, ())]
            if register in makers:
                waiting += [makers[register].out, *registers_in((makers[register].args, makers[register].kwargs))]

    need(*tree_leaves(recording.result[0]))
    if recording.result[1] in recording.base:  # a view has no memory to be found in afterwards
        need(recording.result[1])
    needed.update(call.out for call in before)
    for call in reversed(recording.calls):
        if call.out in needed or (_for_many(recording, call) and all(map(can_be_apart, registers_in((call.args, call.kwargs))))):
            continue
        need(call.out)
    return needed


def _final(recording: Recording) -> set[Register]:
    """Return the arrays whose memory is the next state's."""
    leaves = tree_leaves(recording.result[0])
    return {*leaves, *map(recording.whole, leaves)}


def _for_many(recording: Recording, call: Call) -> bool:
    """Whether it can be made for many steps at once, with the steps as a leading axis."""
    kwargs, registers = dict(call.kwargs), registers_in(call.args)
    layouts = [recording.layouts[one] for one in registers]
    if not all(layout.dtype.kind == "f" and layout.size * layout.dtype.itemsize <= 4 * _SMALL for layout in layouts):
        return False
    if registers <= set(tree_leaves(recording.given[2])) or not all(isinstance(one, Register | int | float) for one in call.args):
        return False  # the same in each step, or with an array from elsewhere
    if call.how == "view":
        return call.function is np.matrix_transpose
    if call.how != "into":
        return False
    if call.function == np.add.reduce:
        return type(kwargs.get("axis")) is int and kwargs["axis"] < 0
    return call.function in _ELEMENTWISE and not kwargs


def along(part: Any, ndim: int) -> Any:
    """Return an array with the steps as its leading axis, with ``ndim`` axes behind that one."""
    missing = ndim + 1 - part.ndim
    return part.reshape(part.shape[0], *(1,) * missing, *part.shape[1:]) if missing > 0 else part
