"""A recorded step as a list of calls whose arrays are all there already, so that running it allocates nothing.

Each call is NumPy's own function with the memory of its result bound to it. An array's memory is used again as soon as nothing reads
it any more, and an element-wise result takes the place of an operand that nothing reads again: so the next parameters are written
over the ones before. The calls are the step's own, in an order that changes nothing (:mod:`mlpxp_backends.stretches`): the numbers
are bit for bit those that the step gives.
"""

from __future__ import annotations

import math
import operator
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import tree_leaves
from mlpxp_backends.binding import bound
from mlpxp_backends.calls import TAKE, Fixed, Register, filled, registers_in
from mlpxp_backends.packing import packed
from mlpxp_backends.repetitions import without_repetitions
from mlpxp_backends.stretches import along, stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlpxp_backends.calls import Call, Layout
    from mlpxp_backends.recording import Recording

__all__ = ["Program"]

_ALIGNED = 64  # bytes: a cache line


class Program:
    """A recording, bound to memory.

    Parameters
    ----------
    recording : Recording
    data : sequence of arrays
        What every step may read.
    owns_data : bool
        Whether the data are copied in each time, or are these very arrays each time.
    memory : list of array
        What it may use; what it needs beyond that is added. Programs that never run at the same time share one.
    steps : int
        How many there are in a fold.
    """

    def __init__(self, recording: Recording, data: Sequence[Any], *, owns_data: bool, memory: list[Any], steps: int = 1) -> None:
        self._recording = recording = packed(without_repetitions(recording))
        self._stretch = stretch(recording, steps)
        self._last = _last_uses(recording)
        self._memory: dict[Register, Any] = {}  # by the register that owns it now
        self._all = memory
        self._free: dict[int, list[Any]] = defaultdict(list)
        for block in memory:
            self._free[block.nbytes].append(block)
        state, one, constant = recording.given
        self._arrays: dict[Register, Any] = {
            register: np.empty_like(array) if owns_data else array for register, array in zip(tree_leaves(constant), data, strict=True)
        }
        self._homes = {recording.whole(register) for register in tree_leaves(state)}
        for register in self._homes:
            self._put(register, recording.layouts[register])
        rows = _rows_alone(recording)
        self._stacks: dict[Register, Any] = {}  # arrays with the steps of a stretch as their leading axis
        for register in (*self._stretch.apart, *[call.out for call in self._stretch.after if call.how != "view"]):
            self._stacks[register] = self._stack(recording.layouts[register], np.dtype(np.intp) if register in rows else None)
        self._state, self._data = ([self._arrays[one] for one in tree_leaves(tree)] for tree in (state, constant))
        self._inputs = [self._stacks[one] for one in tree_leaves(one)]
        self._owns_data = owns_data
        for number, call in self._stretch.during:
            self._place(number, call)
        self._steps = list(self._with_those_that_are_shared())
        self._during, self._outs = zip(*[self._bound_step(k) for k in range(self._stretch.length)], strict=True)
        self._around: dict[int, tuple[list[Callable[[], Any]], list[Callable[[], Any]]]] = {}

    def reads(self, data: Sequence[Any]) -> bool:
        """Whether it can be run with these arrays as data."""
        return self._owns_data or all(map(operator.is_, self._data, data))

    def run(self, state: Sequence[Any], inputs: Sequence[Any], data: Sequence[Any]) -> tuple[list[Any], Any]:
        """Do the step for each of the inputs; return the arrays of the last state, and the outs."""
        for array, value in zip(self._state, state, strict=True):
            np.copyto(array, value)
        if self._owns_data:
            for array, value in zip(self._data, data, strict=True):
                np.copyto(array, value)
        n, length, out = inputs[0].shape[0], self._stretch.length, self._recording.result[1]
        outs = np.empty((n, *self._outs[0].shape), self._outs[0].dtype)
        for first in range(0, n, length):
            last = min(first + length, n)
            before, after = self._bound_around(last - first)
            for stack, values in zip(self._inputs, inputs, strict=True):
                stack[: last - first] = values[first:last]
            for call in before:
                call()
            for k, calls in enumerate(self._during[: last - first]):
                for call in calls:
                    call()
                if not after:
                    outs[first + k] = self._outs[k]
            for call in after:
                call()
            if after:
                outs[first:last] = self._stacks[out][: last - first]
        return [array.copy() for array in self._state], outs

    def _place(self, number: int, call: Call) -> None:
        """Give the result of a call its memory."""
        read = registers_in(call.args) | registers_in(call.kwargs)
        whole = self._recording.whole(call.out)
        if call.how == "view":
            if not any(one in self._stacks for one in map(self._recording.whole, read)):
                self._arrays[call.out] = call.function(*filled(call.args, self._array), **dict(filled(call.kwargs, self._array)))
        elif whole not in self._arrays and whole not in self._stacks:
            taken = self._taken(number, call, read) if whole == call.out else None
            self._put(whole, self._recording.layouts[whole], taken)
        for base in {self._recording.whole(one) for one in (*read, call.out)} - self._homes:
            if self._last[base] == number and base in self._memory:
                memory = self._memory.pop(base)
                self._free[memory.nbytes].append(memory)

    def _with_those_that_are_shared(self) -> Iterator[tuple[Call, Callable[[], Any] | None]]:
        """Yield the calls of a step, bound where their arrays are the same in each step; views of such arrays are there already."""
        own = set(self._stacks)
        for _, call in self._stretch.during:
            if not own.isdisjoint({call.out, *registers_in(call.args), *registers_in(call.kwargs)}):
                if call.how == "view":
                    own.add(call.out)
                yield call, None
            elif call.how != "view":
                yield call, _bound(call, self._array)

    def _bound_step(self, k: int) -> tuple[list[Callable[[], Any]], Any]:
        """Return the calls of step k of a stretch, and where its out is."""
        own = {register: stack[k, ...] for register, stack in self._stacks.items()}

        def array(leaf: Any) -> Any:
            return own[leaf] if isinstance(leaf, Register) and leaf in own else self._array(leaf)

        calls: list[Callable[[], Any]] = []
        for call, shared in self._steps:
            if shared is not None:
                calls.append(shared)
            elif call.how == "view":
                own[call.out] = call.function(*filled(call.args, array), **dict(filled(call.kwargs, array)))
            else:
                calls.append(_bound(call, array))
        new, out = self._recording.result
        made = array(out)
        if not self._stretch.after and any(np.may_share_memory(made, home) for home in self._state):  # before that is written over
            made = np.empty_like(made)
            calls.append(partial(np.copyto, made, array(out)))
        return [*calls, *_moves([(array(one), home) for one, home in zip(tree_leaves(new), self._state, strict=True)])], made

    def _bound_around(self, n: int) -> tuple[list[Callable[[], Any]], list[Callable[[], Any]]]:
        """Return the calls that are made once for n steps, before them and after them."""
        if n not in self._around:
            parts = {register: stack[:n] for register, stack in self._stacks.items()}
            before = [
                bound(c.function, (self._array(c.args[0]), parts[c.args[1]]), dict(c.kwargs), parts[c.out]) for c in self._stretch.before
            ]
            after = []
            for call in self._stretch.after:
                ndim = max(len(self._recording.layouts[one].shape) for one in registers_in(call.args))
                args = filled(call.args, lambda leaf: along(parts[leaf], ndim) if leaf in parts else self._array(leaf))  # noqa: B023 - used at once
                if call.how == "view":
                    parts[call.out] = call.function(*args)
                else:
                    after.append(bound(call.function, args, dict(call.kwargs), parts[call.out]))
            self._around[n] = before, after
        return self._around[n]

    def _stack(self, layout: Layout, dtype: Any) -> Any:
        """Make an array for each step of a stretch, one after the other."""
        n_bytes = layout.dtype.itemsize * layout.size
        if dtype is not None and dtype != layout.dtype:
            return np.zeros((self._stretch.length, *layout.shape), dtype)
        if not layout.is_compact:
            return np.zeros((self._stretch.length, *layout.shape), layout.dtype)
        memory = _aligned(self._stretch.length * n_bytes)
        memory[...] = 0
        return np.ndarray((self._stretch.length, *layout.shape), layout.dtype, memory, strides=(n_bytes, *layout.strides))

    def _taken(self, number: int, call: Call, read: set[Register]) -> Register | None:
        """Return the operand whose memory an element-wise result may take, the state's first."""
        if not isinstance(call.function, np.ufunc) or call.function.signature is not None:
            return None
        bases = [self._recording.whole(one) for one in read]
        for one in sorted(read, key=lambda one: one not in self._homes):
            dies = one in self._memory and self._last[one] == number and bases.count(one) == 1
            if dies and self._recording.layouts[one] == self._recording.layouts[call.out]:
                return one
        return None

    def _put(self, register: Register, layout: Layout, taken: Register | None = None) -> None:
        """Make an array of this layout in memory that is free, or an operand's, and its parts if it is a pack."""
        memory = self._spare(layout.dtype.itemsize * layout.size) if taken is None else self._memory.pop(taken)
        if taken in self._homes:
            self._homes.add(register)
        self._memory[register] = memory
        self._arrays[register] = whole = np.ndarray(layout.shape, layout.dtype, memory, strides=layout.strides)
        first = 0
        for member in self._recording.packs.get(register, ()):
            shape = self._recording.layouts[member].shape
            self._arrays[member] = whole[first : first + math.prod(shape)].reshape(shape)
            first += math.prod(shape)

    def _spare(self, size: int) -> Any:
        if not self._free[size]:
            self._all.append(_aligned(size))
            return self._all[-1]
        return self._free[size].pop()

    def _array(self, leaf: Any) -> Any:
        return self._arrays[leaf] if isinstance(leaf, Register) else leaf.value if isinstance(leaf, Fixed) else leaf


def _moves(moves: list[tuple[Any, Any]]) -> list[Callable[[], Any]]:
    """Return the calls that copy results to where they belong, but what is there already."""
    moves = [(made, home) for made, home in moves if not _same_memory(made, home)]
    calls: list[Callable[[], Any]] = []
    if any(np.may_share_memory(made, home) for made, _ in moves for _, home in moves):  # one is where another belongs
        waiting = [made.copy() for made, _ in moves]
        calls += [partial(np.copyto, other, made) for other, (made, _) in zip(waiting, moves, strict=True)]
        moves = [(other, home) for other, (_, home) in zip(waiting, moves, strict=True)]
    return calls + [partial(np.copyto, home, made) for made, home in moves]


def _bound(call: Call, array: Callable[[Any], Any]) -> Callable[[], Any]:
    args, kwargs, out = filled(call.args, array), dict(filled(call.kwargs, array)), array(call.out)
    return bound(call.function, args, kwargs, out) if call.how == "into" else partial(_copy, partial(call.function, *args, **kwargs), out)


def _copy(function: Callable[[], Any], out: Any) -> None:
    np.copyto(out, function())


def _aligned(size: int) -> Any:
    memory = np.empty(size + _ALIGNED, np.uint8)
    start = -memory.ctypes.data % _ALIGNED
    return memory[start : start + size]


def _same_memory(one: Any, other: Any) -> bool:
    return bool(one.ctypes.data == other.ctypes.data and one.shape == other.shape and one.strides == other.strides)


def _last_uses(recording: Recording) -> defaultdict[Register, float]:
    """Return the number of the last call that reads or changes the memory of a register; what comes out is read after all."""
    last: defaultdict[Register, float] = defaultdict(lambda: -1.0)
    for number, call in enumerate(recording.calls):
        for one in registers_in(call.args) | registers_in(call.kwargs) | {call.out}:
            last[recording.whole(one)] = number
    for one in tree_leaves(recording.result):
        last[recording.whole(one)] = math.inf
    return last


def _rows_alone(recording: Recording) -> set[Register]:
    """Return the registers that are row numbers and nothing else."""
    rows, others = set(), set()
    for call in recording.calls:
        if call.function is TAKE and len(call.args) > 1:
            rows |= registers_in(call.args[1:2])
            others |= registers_in(call.args[:1]) | registers_in(call.args[2:]) | registers_in(call.kwargs)
        else:
            others |= registers_in(call.args) | registers_in(call.kwargs)
    return {one for one in rows - others - set(tree_leaves(recording.result)) if recording.layouts[one].dtype.kind == "i"}
