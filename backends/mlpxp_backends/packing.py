"""What a step does alike to several arrays, done to one that holds them all.

An optimizer does the same to each layer's weights and biases, and on small networks most of a step's time is the calls for it. Where
the new state of several arrays comes of the same element-wise functions and the same numbers, the arrays are given one memory, one
after the other, and each function is called once. Element by element nothing changes, so the numbers are the same to the last bit.
"""

from __future__ import annotations

import heapq
from copy import copy
from typing import Any

import numpy as np

from mlpxp.arrays.standard import tree_leaves
from mlpxp_backends.calls import Call, Fixed, Layout, Register, exact, filled, registers_in
from mlpxp_backends.recording import Recording

__all__ = ["packed"]


def packed(recording: Recording) -> Recording:
    """Return a recording with packs; the same one where nothing is done alike, or not in an order that allows it."""
    packing = _Packing(recording)
    groups: dict[Any, list[Register]] = {}
    for new in dict.fromkeys(tree_leaves(recording.result[0])):
        kind = packing.kind(new)
        if kind in packing.computed:
            groups.setdefault(kind, []).append(new)
    for group in groups.values():
        packing.try_to_add(tuple(one for one in group if one not in packing.members))
    return packing.result() if packing.packs else recording


class _Packing:
    """The packs found so far.

    Attributes
    ----------
    computed : set of int
        The kinds that are computed element by element, from the same numbers by the same functions.
    packs : dict
        A register for the whole by its members.
    members : set of Register
        Of all packs.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.maker = {call.out: (number, call) for number, call in enumerate(recording.calls)}
        self.state = set(tree_leaves(recording.given[0]))
        self.packs: dict[tuple[Register, ...], Register] = {}
        self.computed: set[int] = set()
        self._kinds: dict[Register, int] = {}
        self._numbers: dict[Any, int] = {}
        self.members: set[Register] = set()
        self._calls: dict[Register, Call] = {}  # of a pack that is computed as one

    def kind(self, register: Register) -> int:
        """Return a number that arrays share which are computed alike."""
        if register not in self._kinds:
            self._kinds[register] = self._numbers.setdefault(self._description(register), len(self._numbers))
            if self._elementwise(register) is not None:
                self.computed.add(self._kinds[register])
        return self._kinds[register]

    def _description(self, register: Register) -> Any:
        call, layout = self._elementwise(register), self.recording.layouts[register]
        if call is not None:
            return call.function, layout.dtype, filled(call.kwargs, exact), tuple(self._operand(one) for one in call.args)
        if register not in self.recording.base and _is_dense(layout) and (register in self.state or register in self.maker):
            return "given" if register in self.state else "made", layout.dtype
        return register  # like no other

    def _operand(self, one: Any) -> Any:
        if not isinstance(one, Register):
            return exact(one)
        return one if self._is_number(one) else self.kind(one)

    def _is_number(self, one: Any) -> bool:
        return not isinstance(one, Register) or self.recording.layouts[one].shape == ()

    def _elementwise(self, register: Register) -> Call | None:
        """Return the call that makes an array of others of its shape, element by element, and of single numbers."""
        _, call = self.maker.get(register, (0, None))
        if call is None or call.how != "into" or not isinstance(call.function, np.ufunc) or call.function.signature is not None:
            return None
        layout = self.recording.layouts[register]
        operands = [self.recording.layouts[one] for one in call.args if isinstance(one, Register)]
        alike = layout in operands and all(one == layout or one.shape == () for one in operands)
        fixed = any(isinstance(one, Fixed) for one in call.args)
        return call if alike and not fixed and _is_dense(layout) else None

    def try_to_add(self, members: tuple[Register, ...]) -> None:
        """Make a pack of arrays of one kind, and of all that they are computed from, if it can be done."""
        packs, known, calls = self.packs.copy(), self.members.copy(), self._calls.copy()
        if len(members) < 2 or not self._add(members):
            self.packs, self.members, self._calls = packs, known, calls

    def _add(self, members: tuple[Register, ...]) -> bool:
        if members in self.packs:
            return True
        if not self.members.isdisjoint(members) or len(set(members)) < len(members):
            return False
        self.members.update(members)
        whole = Register(len(self.recording.layouts) + len(self.packs))
        self.packs[members] = whole
        calls = [self._elementwise(one) for one in members]
        if None in calls:
            return True  # each is there, or made by a call of its own
        args = []
        for operands in zip(*[call.args for call in calls if call is not None], strict=True):
            if self._is_number(operands[0]):  # and so are the others, or they were of another kind
                args.append(operands[0])
            elif self._add(operands):
                args.append(self.packs[operands])
            else:
                return False
        first: Any = calls[0]
        self._calls[whole] = first._replace(args=tuple(args), out=whole)
        return True

    def _layout(self, members: tuple[Register, ...]) -> Layout:
        layouts = [self.recording.layouts[one] for one in members]
        return Layout((sum(one.size for one in layouts),), layouts[0].dtype, (layouts[0].dtype.itemsize,))

    def result(self) -> Recording:
        """Return the recording with a pack's call where its last member's was, or as it was if the order forbids that."""
        recording = copy(self.recording)
        recording.layouts, recording.base = dict(recording.layouts), dict(recording.base)
        recording.packs = {whole: members for members, whole in self.packs.items()}
        gone: set[Register] = set()
        for members, whole in self.packs.items():
            recording.layouts[whole] = self._layout(members)
            recording.base |= dict.fromkeys(members, whole)
            if whole in self._calls:
                gone.update(members)
        recording.base = {view: recording.base.get(whole, whole) for view, whole in recording.base.items()}
        calls = [(number, call) for number, call in enumerate(recording.calls) if call.out not in gone]
        for whole, call in self._calls.items():
            calls.append((max(self.maker[one][0] for one in recording.packs[whole]), call))
        ordered = _in_order(calls, recording.packs)
        if ordered is None:
            return self.recording
        recording.calls = ordered
        return recording


def _in_order(calls: list[tuple[int, Call]], packs: dict[Register, tuple[Register, ...]]) -> list[Call] | None:
    """Return calls after those whose results they read, else by their numbers; ``None`` if there is no such order."""
    makes: dict[Register, list[int]] = {}
    for place, (_, call) in enumerate(calls):
        for one in (call.out, *packs.get(call.out, ())):
            makes.setdefault(one, []).append(place)
    for whole, members in packs.items():
        if whole not in makes:
            makes[whole] = [place for one in members for place in makes.get(one, ())]
    waits = [{place for one in registers_in(call.args) | registers_in(call.kwargs) for place in makes.get(one, ())} for _, call in calls]
    readers: dict[int, list[int]] = {}
    for place, others in enumerate(waits):
        for other in others:
            readers.setdefault(other, []).append(place)
    ready = [(calls[place][0], place) for place, others in enumerate(waits) if not others]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, place = heapq.heappop(ready)
        ordered.append(calls[place][1])
        for reader in readers.get(place, ()):
            waits[reader].discard(place)
            if not waits[reader]:
                heapq.heappush(ready, (calls[reader][0], reader))
    return ordered if len(ordered) == len(calls) else None


def _is_dense(layout: Layout) -> bool:
    """Whether it is more than one number, in rows that follow each other without gaps."""
    return layout.size > 1 and layout.strides == np.empty(layout.shape, layout.dtype).strides
