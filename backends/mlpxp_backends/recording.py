"""A step on NumPy's arrays, written down: what it calls, on which arrays, and where the results' memory is.

A :class:`Recorded` array is an array of the standard that holds NumPy's own and takes note of what is done with it. A step is a
pure function of its arrays, so the notes are all that is needed to do it again (:mod:`mlpxp_backends.program`). One that looks at
a number, or leaves the standard, can't be recorded; the attempt then ends in an exception of some kind.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp_backends.calls import TAKE, Call, Fixed, Layout, Register, filled, flat

__all__ = ["Recorded", "Recording", "record"]


_NEVER = ("nonzero", "unique", "repeat", "from_dlpack")  # shapes that depend on numbers, and arrays from elsewhere
_ABOUT_TYPES = ("broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type")  # they read no number
_REDUCTIONS = {"sum": np.add.reduce, "prod": np.multiply.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}


def _astype(x: Any, dtype: Any, /, *, copy: bool = True, out: Any = None) -> Any:
    if out is None:
        return x.astype(dtype, copy=copy)
    return np.copyto(out, x, casting="unsafe")


_FUNCTIONS: dict[str, Callable[..., Any]] = {"take": TAKE, "astype": _astype}
_CONVERSIONS = (np.asarray, _astype)  # they return their argument where there is nothing to do
_TAKE_OUT = (*_FUNCTIONS.values(), *_REDUCTIONS.values())  # beside the ufuncs


class Recording:
    """The notes of one run of a step, and the namespace of the arrays in it.

    Attributes
    ----------
    calls : list of Call
    base : dict
        The register whose memory a view is, by the view's.
    layouts : dict
        Of each register.
    packs : dict
        The registers whose memories make up another's, one after the other (:mod:`mlpxp_backends.packing`).
    refusals : list of str
        Why it can't be done again by these notes alone.
    given, result : trees of Register
        What went in and what came out.
    over : bool
        Whether the step has been run.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.layouts: dict[Register, Layout] = {}
        self.packs: dict[Register, tuple[Register, ...]] = {}
        self.base: dict[Register, Register] = {}
        self.refusals: list[str] = []
        self.given: Any = None
        self.result: Any = None
        self.over = False

    def says_the_same(self, other: Recording) -> bool:
        """Whether another run made the same calls, with the same numbers, of the same functions, to the same kinds of result."""
        return (self.given, self.result, self.calls, self._made) == (other.given, other.result, other.calls, other._made)

    @property
    def _made(self) -> list[Layout]:
        return [self.layouts[call.out] for call in self.calls]

    def refused(self, why: str) -> TypeError:
        """Return the error to raise; a step that swallows it is refused all the same."""
        self.refusals.append(why)
        return TypeError(why)

    def whole(self, register: Register) -> Register:
        """Return the register whose memory an array is."""
        return self.base.get(register, register)

    def new(self, value: Any) -> Recorded:
        """Return an array in a register of its own."""
        register = Register(len(self.layouts))
        self.layouts[register] = Layout(value.shape, value.dtype, value.strides)
        return Recorded(self, register, value)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of NumPy's arrays with recorded ones, and take note of it."""
        given = [*flat(args), *flat(tuple(kwargs.values()))]
        self._check_here(given)
        if kwargs.get("out") is not None or (isinstance(function, np.ufunc) and len(args) > function.nin):
            raise self.refused("a function that writes to its argument is not recorded")
        values = filled(args, _value)
        result = function(*values, **dict(filled(tuple(kwargs.items()), _value)))
        if not isinstance(result, np.ndarray | np.generic):
            raise self.refused("what returns a number, or several arrays, is not recorded")
        for array in [one for one in given if isinstance(one, Recorded)]:
            if result is array.value:
                if function not in _CONVERSIONS:
                    raise self.refused("a function that returns its argument may have written to it, and is not recorded")
                return array
            if isinstance(array.value, np.ndarray) and np.may_share_memory(result, array.value):
                view = self.new(result)
                self.base[view.register] = self.whole(array.register)
                self._note("view", function, args, kwargs, view)
                return view
        made = self.new(result)
        if any(isinstance(one, np.ndarray) and np.may_share_memory(result, one) for one in given):
            self.base[made.register] = made.register  # an array from elsewhere, which is nobody's to change
            self._note("view", function, args, kwargs, made)
            return made
        into = isinstance(function, np.ufunc) or function in _TAKE_OUT
        like = np.empty_like(result)  # its memory has no gaps
        self.layouts[made.register] = Layout(like.shape, like.dtype, like.strides)
        self._note("into" if into else "elsewhere", function, args, kwargs, made)
        return made

    def change(self, function: np.ufunc, array: Recorded, other: Any) -> Any:
        """Do ``array += other``, or what else the function says: noted as a new array in the place of the old one."""
        if not isinstance(array.value, np.ndarray):
            return self.call(function, array, other)  # NumPy's scalars don't change: other names keep the old one
        whole = self.whole(array.register)
        if whole in tree_leaves(self.given) or whole in self.base.values():
            raise self.refused("a step that changes what it was given, or what has a view, is not recorded")
        self._check_here([array, other])
        changed = self.new(function(array.value, _value(other), out=array.value))
        self._note("into", function, (array, other), {}, changed)
        array.register, array.value = changed.register, changed.value
        return array

    def _check_here(self, given: list[Any]) -> None:
        if self.over or any(isinstance(one, Recorded) and one.recording is not self for one in given):
            raise self.refused("an array of an earlier step is not recorded: one that is kept for later has to be made outside of the step")

    def _note(self, how: str, function: Any, args: Any, kwargs: dict[str, Any], out: Recorded) -> None:
        places = filled(args, _place), filled(tuple(kwargs.items()), _place)
        self.calls.append(Call(how, function, *places, out.register))

    def __getattr__(self, name: str) -> Any:
        """Return the namespace's constants and dtypes as they are, and its functions as functions of recorded arrays."""
        found: Any = getattr(np, name)
        if name.startswith(_NEVER) or isinstance(found, ModuleType):
            raise self.refused(f"{name} is not recorded")
        if not callable(found) or isinstance(found, type):
            return found
        if name in _ABOUT_TYPES:
            return lambda *args: found(*filled(args, _value))
        if name in _REDUCTIONS:
            return partial(self._reduce, _REDUCTIONS[name])
        return partial(self.call, _FUNCTIONS.get(name, found))

    def _reduce(self, reduce: Callable[..., Any], x: Recorded, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if x.value.dtype.kind != "f":
            raise self.refused("sums of whole numbers have another dtype and are not recorded")
        return self.call(reduce, x, axis=axis, keepdims=keepdims)


def _operator(function: Callable[..., Any]) -> Any:
    return lambda self, other: self.recording.call(function, self, other)


def _reflected(function: Callable[..., Any]) -> Any:
    return lambda self, other: self.recording.call(function, other, self)


def _augmented(function: np.ufunc) -> Any:
    return lambda self, other: self.recording.change(function, self, other)


class Recorded:
    """An array of NumPy's that a recording takes note of."""

    __slots__ = ("recording", "register", "value")
    __array_ufunc__ = None  # NumPy's arrays leave operators to this class
    __hash__ = None  # type: ignore[assignment]
    device = "cpu"

    def __init__(self, recording: Recording, register: Register, value: Any) -> None:
        self.recording, self.register, self.value = recording, register, value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return self.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self.value.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def T(self) -> Any:
        return self.recording.call(np.transpose, self)

    @property
    def mT(self) -> Any:
        return self.recording.call(np.matrix_transpose, self)

    def __array_namespace__(self, *, api_version: str | None = None) -> Recording:
        return self.recording

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.recording.refused("NumPy's own functions are not recorded, those of the array's namespace are")

    def __bool__(self) -> bool:
        raise self.recording.refused("a step that looks at a number is not recorded")

    __float__ = __int__ = __index__ = __complex__ = __iter__ = __bool__

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self.recording.refused("a copy by other means than the standard's is not recorded")

    def __ipow__(self, other: Any) -> None:  # type: ignore[misc]  # Python would take the operators that make new arrays
        raise self.recording.refused("of the operators in place **= and @= are not recorded")

    __imatmul__ = __ipow__

    def __getitem__(self, key: Any) -> Any:
        if any(isinstance(one, Recorded | np.ndarray) for one in flat(key)):
            raise self.recording.refused("an array as an index is not recorded, xp.take is")
        return self.recording.call(operator.getitem, self, key)

    __add__, __radd__, __iadd__ = _operator(np.add), _reflected(np.add), _augmented(np.add)
    __sub__, __rsub__, __isub__ = _operator(np.subtract), _reflected(np.subtract), _augmented(np.subtract)
    __mul__, __rmul__, __imul__ = _operator(np.multiply), _reflected(np.multiply), _augmented(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _operator(np.divide), _reflected(np.divide), _augmented(np.divide)
    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)
    __pow__ = _operator(operator.pow)  # which NumPy computes otherwise than np.power
    __and__, __iand__ = _operator(np.bitwise_and), _augmented(np.bitwise_and)
    __xor__, __ixor__ = _operator(np.bitwise_xor), _augmented(np.bitwise_xor)
    __rshift__, __irshift__ = _operator(np.right_shift), _augmented(np.right_shift)
    __lt__, __le__, __gt__, __ge__ = _operator(np.less), _operator(np.less_equal), _operator(np.greater), _operator(np.greater_equal)
    __eq__, __ne__ = _operator(np.equal), _operator(np.not_equal)

    def __neg__(self) -> Any:
        return self.recording.call(np.negative, self)

    def __abs__(self) -> Any:
        return self.recording.call(np.abs, self)


def record(step: Callable[..., Any], state: Any, one: Any, data: tuple[Any, ...]) -> tuple[Recording, Any]:
    """Run a step and return the notes, and what it returned.

    Raises
    ------
    Exception
        The step can't be recorded, or failed.
    """
    recording = Recording()
    state, one, data = tree_map(recording.new, (state, one, data))
    recording.given = tree_map(_place, (state, one, data))
    try:
        result = step(state, one, *data)
    finally:
        recording.over = True
    recording.result = tree_map(_place, result)
    if recording.refusals or not all(isinstance(leaf, Register) for leaf in tree_leaves(recording.result)):
        raise recording.refused("a step that returns an array from elsewhere is not recorded")
    return recording, tree_map(_value, result)


def _value(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, Recorded) else leaf


def _place(leaf: Any) -> Any:
    if isinstance(leaf, Recorded):
        return leaf.register
    return Fixed(leaf) if isinstance(leaf, np.ndarray) else leaf
