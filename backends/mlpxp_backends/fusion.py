"""Arrays that wait: element-wise work is put off until its result is needed, and then done in one pass.

A :class:`Lazy` array is an array of the standard. Its element-wise functions and operators only take note of what is to be
done; whatever needs the numbers themselves (a matrix product, a sum, an index) asks for the value, and then all that was
put off behind it is done at once, as one :class:`Expression`. So the mathematics stays as it is written, and a library in
which every operation is a pass over memory of its own makes one of bias and activation, of error and derivative, of an
optimizer's whole update.

Taking note costs about as much as a kernel's launch. So a fold puts what a step did on a tape, and where a second step did
exactly the same, the tape takes its place: as with a compiler, a step has to be a function of its arrays. One that looks at
a number (``float``, ``bool``, a method of the library's own) is run as it is, each time.

Nothing here names an array library: a :class:`Fusion` is told which one by its namespace, and how to compile an expression.
"""

from __future__ import annotations

import operator
import threading
import weakref
from functools import lru_cache, partial, reduce
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mlpxp.arrays import device_of, tree_leaves, tree_map
from mlpxp.backend import fold_in_python
from mlpxp_backends.replay import Register, Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["ELEMENTWISE", "Expression", "Fusion", "Lazy", "step_by_step"]

_LOGIC = frozenset({"logical_and", "logical_or", "logical_xor", "logical_not"})  # of booleans
_EQUALITY = frozenset({"equal", "not_equal"})  # of booleans or of numbers
_COMPARISONS = _EQUALITY | {"less", "less_equal", "greater", "greater_equal"}
_BITS = frozenset({"bitwise_and", "bitwise_xor", "bitwise_right_shift"})  # of integers
_ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "negative", "maximum", "minimum", "abs", "square"})
_FUNCTIONS = frozenset({"cos", "exp", "expm1", "log", "log1p", "pow", "sin", "sqrt", "tanh"})  # dear: not to be computed twice
ELEMENTWISE = (
    _LOGIC | _COMPARISONS | _BITS | _ARITHMETIC | _FUNCTIONS | {"where", "astype", "full"}
)  # what is put off, in the standard's names

_FLOATS = ("float32", "float64")
_INTEGER = "int32"  # the one that masks are hashed in; others are the library's affair
_ABOUT_TYPES = frozenset({"broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type"})  # they read no number
_TRIES = 4  # tapes that differ before a step is taken for one without a tape
_LONGEST = 128  # operations put off at most: this bounds a kernel's length and its arguments

Compile: TypeAlias = "Callable[[Expression], Callable[..., Sequence[Any]]]"


class Expression(NamedTuple):
    """Element-wise functions of several arrays, as a value that can be a key.

    Numbers are arguments like arrays: a batch of another size, or a rate that changes, makes no other expression.

    Attributes
    ----------
    arguments : tuple of str
        The dtypes of what goes in: ``"float32"``, ``"float64"``, ``"int32"`` or ``"bool"``.
    steps : tuple of (str, tuple of int, str)
        Done one after the other: an operation, its operands and the dtype of what it gives. An operand i >= 0 is what step i gave,
        i < 0 is argument ~i.
    results : tuple of int
        The steps that give what comes out.
    """

    arguments: tuple[str, ...]
    steps: tuple[tuple[str, tuple[int, ...], str], ...]
    results: tuple[int, ...]


class _Node:
    """An array that is there (``value``), or an operation that waits and what it is applied to.

    It is what lazy arrays and other nodes share. Where somebody still holds the lazy array itself, ``holder`` finds it: such a node
    will be asked for again, and any other is only on the way to something else.
    """

    __slots__ = ("dear", "dtype", "holder", "length", "operands", "operation", "reads", "register", "shape", "value")

    def __init__(
        self,
        value: Any,
        shape: tuple[int, ...],
        dtype: str | None,  # None is one that nothing is put off for
        operation: str = "",
        operands: tuple[Any, ...] = (),  # nodes and numbers
        reads: str | None = None,  # the operands' dtype
        length: int = 0,
        dear: bool = False,
    ) -> None:
        self.value, self.shape, self.dtype = value, shape, dtype
        self.operation, self.operands, self.reads, self.length, self.dear = operation, operands, reads, length, dear
        self.holder: Callable[[], Any] = _nobody
        self.register: Register | None = None  # on the tape that is being made


def _nobody() -> None:
    return None


class Lazy:
    """An array that may not have been computed yet; what its shape and dtype will be is known.

    The arrays of each :class:`Fusion` are a subclass of their own, which knows it as ``xp``.
    """

    __slots__ = ("__weakref__", "node")
    __array_ufunc__ = None  # NumPy and CuPy leave operators with one of their own arrays to this class
    xp: Fusion

    def __init__(self, node: _Node) -> None:
        self.node = node

    @property
    def value(self) -> Any:
        """The library's array, computed now if it was not yet; what is done with it outside is on no tape."""
        self.xp.give_up_the_tape()
        return self.xp.value(self.node)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def dtype(self) -> Any:
        name = self.node.dtype
        return self.node.value.dtype if name is None else self.xp.dtypes[name]

    @property
    def device(self) -> Any:
        return self.xp.value(self.node).device

    @property
    def mT(self) -> Any:
        return self.xp.call(getattr, self, "mT")

    def __array_namespace__(self, *, api_version: str | None = None) -> Fusion:
        return self.xp

    def __getattr__(self, name: str) -> Any:
        if name == "node":  # not yet there in a copy that is being made
            raise AttributeError(name)
        return getattr(self.value, name)

    def __getitem__(self, key: Any) -> Any:
        return self.xp.call(operator.getitem, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.node = self.xp.call(self.xp.written, self, key, value).node

    def __hash__(self) -> int:  # == makes an array
        return id(self)

    def __repr__(self) -> str:
        return repr(self.value)


class Fusion(ModuleType):
    """A library's namespace with lazy arrays in the place of its own.

    A module, in the standard's way: the same for all of its arrays, which are found to be its own by their type.

    Parameters
    ----------
    library : module
        The library's array API namespace.
    compile : callable
        ``compile(expression)`` returns a function of ``(shape, *arguments)``, which returns the expression's results, a sequence of the
        library's arrays of that shape. It is asked once for each expression.
    """

    def __init__(self, library: Any, compile: Compile) -> None:  # noqa: A002
        super().__init__(f"{library.__name__} (fused)")
        self.library = library
        asked_for = {name: getattr(library, name) for name in (*_FLOATS, _INTEGER, "bool")}
        self.dtypes = {name: library.result_type(dtype) for name, dtype in asked_for.items()}  # NumPy's arrays have dtype(float32)
        self._names = {dtype: name for dtypes in (asked_for, self.dtypes) for name, dtype in dtypes.items()}
        self._array = type("Lazy", (Lazy,), {"__slots__": (), "__module__": __name__, "xp": self})
        self._compiled = lru_cache(maxsize=1024)(compile)
        self._learnt = lru_cache(maxsize=64)(lambda *_: _Learnt())
        self._here = threading.local()
        for name in ELEMENTWISE - {"astype", "full"}:
            setattr(self, name, _function(self, name))

    def __getattr__(self, name: str) -> Any:
        """Return what does not wait: dtypes and constants as they are, functions as functions of values."""
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, self.of_values(getattr(self.library, name)))
        return self.__dict__[name]

    def of_values(self, found: Any) -> Any:
        """Return a function of values as one of lazy arrays, a part of the library as one of such functions, and anything else as it is."""
        if isinstance(found, ModuleType):
            return _Part(self, found)
        return partial(self.call, found) if callable(found) and not isinstance(found, type) else found

    # -------------------------------------------------------------------------------------------------------- folding
    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        """Run the steps of a fold on lazy arrays, or from the tape; after each step its state is there, so that nothing waits for long."""
        kinds = tree_map(lambda a: (a.shape, a.dtype, str(device_of(a))), (state, data)), tree_map(lambda a: (a.shape[1:], a.dtype), inputs)
        try:
            learnt = self._learnt(step, kinds)
        except TypeError:  # a step that can't be a key is learnt anew in each fold
            learnt = _Learnt()

        def one_step(state: Any, one: Any, *data: Any) -> Any:
            if learnt.tape is not None:
                return learnt.tape(tree_leaves((state, one, data)))
            if learnt.is_hopeless:
                return self.computed(step(*self.lazy((state, one, *data))))
            tape = self._here.tape = Tape()
            try:
                result = self._recorded(tape, step, state, one, data)
            finally:
                self._here.tape = None
            learnt.see(tape)
            return result

        return fold_in_python(self.library, one_step, state, inputs, *data)

    def _recorded(self, tape: Tape, step: Callable[..., Any], state: Any, one: Any, data: Any) -> Any:
        given = self.lazy((state, one, data))
        for array in tree_leaves(given):
            array.node.register = tape.new()
        state, one, data = given
        result = step(state, one, *data)
        values = self.computed(result)
        tape.result = self._on_tape(result)
        return values

    @property
    def tape(self) -> Tape | None:
        """What is being recorded in this thread."""
        return getattr(self._here, "tape", None)

    def give_up_the_tape(self) -> None:
        """Note that something is done which a tape can't repeat."""
        if (tape := self.tape) is not None:
            tape.whole = False

    def _on_tape(self, tree: Any) -> Any:
        """Return a tree with registers in the place of arrays."""
        if isinstance(tree, tuple):
            return tree_map(self._on_tape, tree)
        if isinstance(tree, list):
            return [self._on_tape(one) for one in tree]
        node = tree.node if isinstance(tree, Lazy) else tree
        if isinstance(node, _Node):
            if node.register is None:
                self.give_up_the_tape()  # an array from elsewhere, which may be another one the next time
            return node.register
        if hasattr(tree, "dtype") and hasattr(tree, "shape") and not isinstance(tree, type):  # NumPy's int32 is a type that has both
            self.give_up_the_tape()
        return tree

    # --------------------------------------------------------------------------------------------------------- values
    def lazy(self, tree: Any) -> Any:
        """Make the library's arrays in tuples, named tuples and lists lazy; anything else stays what it is."""
        if isinstance(tree, tuple):
            return tree_map(self.lazy, tree)
        if isinstance(tree, list):
            return [self.lazy(one) for one in tree]
        if isinstance(tree, Lazy) or not hasattr(tree, "dtype") or not hasattr(tree, "shape"):
            return tree
        return self._array(self._leaf(tree))

    def _leaf(self, array: Any) -> _Node:
        return _Node(array, tuple(array.shape), self._names.get(array.dtype))

    def value(self, node: _Node) -> Any:
        """Return the library's array of a node."""
        if node.value is None:
            self.compute(node)
        return node.value

    def values(self, tree: Any) -> Any:
        """Return the library's arrays in the place of lazy ones."""
        if isinstance(tree, Lazy):
            return self.value(tree.node)
        if isinstance(tree, tuple):
            return tree_map(self.values, tree)
        if isinstance(tree, list):
            return [self.values(one) for one in tree]
        return tree

    def computed(self, tree: Any) -> Any:
        """Return the library's arrays of a tree of lazy ones: what they have in common is computed together."""
        nodes = [leaf.node for leaf in tree_leaves(tree) if isinstance(leaf, Lazy)]
        wanted = [node for node in nodes if node.value is None]
        for node in wanted:
            if node.value is None:
                self.compute(node, wanted)
        return self.values(tree)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the library's with values, and make what it returns lazy."""
        result = self.lazy(function(*self.values(args), **{key: self.values(one) for key, one in kwargs.items()}))
        if (tape := self.tape) is not None:
            many = isinstance(result, tuple | list)
            arrays = list(result) if many else [result]
            if all(isinstance(array, Lazy) for array in arrays):
                noted, named = self._on_tape(args), {key: self._on_tape(one) for key, one in kwargs.items()}
                for array in arrays:
                    array.node.register = tape.new()
                out = tuple(array.node.register for array in arrays)
                tape.note(function, noted, named, out if many else out[0])
            elif getattr(function, "__name__", "") not in _ABOUT_TYPES:
                tape.whole = False
        return result

    def written(self, array: Any, key: Any, value: Any) -> Any:
        """Return a copy of the library's array with ``value`` at ``key``: what waits was promised the array as it is."""
        copy = self.library.asarray(array, copy=True)
        copy[key] = value
        return copy

    # ---------------------------------------------------------------------------------------------------- taking note
    def put_off(self, operation: str, *operands: Any) -> Any:
        """Take note of an element-wise operation on arrays and numbers; do it now where it is none that can wait."""
        noted = tuple([self._noted(one) for one in operands])
        reads = _common_dtype(operation, noted)
        if reads is None:
            return self.call(_OPERATORS.get(operation) or getattr(self.library, operation), *operands)
        if reads in _FLOATS:
            noted = tuple([float(one) if type(one) is int else one for one in noted])
        nodes = [one for one in noted if type(one) is _Node]
        waiting = [node for node in nodes if node.value is None]
        length = 1 + sum([node.length for node in waiting])
        if length > _LONGEST:
            for node in waiting:
                self.value(node)
            length, waiting = 1, []
        shape = reduce(_broadcast, [node.shape for node in nodes])
        dear = operation in _FUNCTIONS or any(node.dear for node in waiting)
        return self._waiting(_Node(None, shape, "bool" if operation in _TO_BOOLEANS else reads, operation, noted, reads, length, dear))

    def _noted(self, operand: Any) -> _Node | float | int:
        if isinstance(operand, Lazy):
            return operand.node
        if type(operand) is float or type(operand) is int:
            return operand
        return self._leaf(operand) if hasattr(operand, "dtype") else _Node(operand, (), None)

    def _waiting(self, node: _Node) -> Lazy:
        array: Lazy = self._array(node)
        if node.dear:
            node.holder = weakref.ref(array)
        return array

    def astype(self, array: Any, dtype: Any, /, **options: Any) -> Any:
        name = self._names.get(dtype)
        if options or name in (None, _INTEGER) or not isinstance(array, Lazy) or array.node.dtype in (None, _INTEGER):
            return self.call(self.library.astype, array, dtype, **options)
        node = array.node
        if node.dtype == name:
            return self._array(node)
        return self._waiting(_Node(None, node.shape, name, "astype", (node,), node.dtype, node.length + 1, node.dear))

    def full_like(self, array: Any, number: Any, /, **options: Any) -> Any:
        if options or type(number) is not float or not isinstance(array, Lazy) or array.node.dtype not in _FLOATS:
            return self.call(self.library.full_like, array, number, **options)
        return self._waiting(_Node(None, array.shape, array.node.dtype, "full", (number,), array.node.dtype, 1))

    def ones_like(self, array: Any, /, **options: Any) -> Any:
        return self.full_like(array, 1.0, **options)

    def zeros_like(self, array: Any, /, **options: Any) -> Any:
        return self.full_like(array, 0.0, **options)

    # ------------------------------------------------------------------------------------------------------ computing
    def compute(self, root: _Node, wanted: Iterable[_Node] = ()) -> None:
        """Compute what a node waits for, and on the same way those of ``wanted`` that need what is computed here."""
        shape = root.shape
        places: dict[Any, int] = {}
        arguments: list[Any] = []
        dtypes: list[Any] = []
        steps: list[tuple[str, tuple[int, ...], Any]] = []
        dear: list[bool] = []
        results: dict[_Node, int] = {}

        def argument(one: Any, dtype: str | None) -> int:
            arguments.append(one)
            dtypes.append(dtype)
            return -len(arguments)

        def place(node: _Node) -> int:
            if (at := places.get(node)) is not None:
                return at
            if node.value is None and node.shape != shape and (node.dear or node.operation == "full"):
                self.compute(node, wanted)  # few numbers, once, and not again for each of the many
            if node.value is not None:
                places[node] = at = argument(node, node.dtype)
                return at
            operands = tuple([place(one) if type(one) is _Node else argument(one, node.reads) for one in node.operands])
            places[node] = at = len(steps)
            steps.append((node.operation, operands, node.dtype))
            dear.append(node.operation in _FUNCTIONS or any(i >= 0 and dear[i] for i in operands))
            if dear[at] and node.shape == shape and node.holder() is not None:
                results[node] = at  # somebody will ask for it again
                dear[at] = False
            return at

        results[root] = place(root)
        for node in wanted:
            if node.value is None and node.shape == shape and node not in results:
                if node in places:
                    results[node] = places[node]
                elif any(places.get(one, -1) >= 0 for one in node.operands):
                    results[node] = place(node)
        function = self._compiled(Expression(tuple(dtypes), tuple(steps), tuple(results.values())))
        values = function(shape, *[one.value if isinstance(one, _Node) else one for one in arguments])
        for node, value in zip(results, values, strict=True):
            node.value, node.operands = value, ()  # what it was made of is no longer needed
        if (tape := self.tape) is not None:
            noted = tuple([self._on_tape(one) for one in arguments])
            for node in results:
                node.register = tape.new()
            tape.note(function, (shape, *noted), {}, tuple([node.register for node in results]))


class _Part(ModuleType):
    """A part of the library's namespace: ``linalg``, ``fft``."""

    def __init__(self, xp: Fusion, part: Any) -> None:
        super().__init__(f"{part.__name__} (fused)")
        self._xp, self._part = xp, part

    def __getattr__(self, name: str) -> Any:
        return self._xp.of_values(getattr(self._part, name))


class _Learnt:
    """What is known about a step: nothing, its tape, or that it has none."""

    def __init__(self) -> None:
        self.tape: Tape | None = None
        self.is_hopeless = False
        self._seen: list[Tape] = []

    def see(self, tape: Tape) -> None:
        """Take the tape for the step if the step before said the same; after a few that differ there is no hope."""
        if tape.whole and self._seen and tape.says_the_same(self._seen[-1]):
            tape.prepare()
            self.tape, self._seen = tape, []
            return
        self._seen.append(tape)
        self.is_hopeless = not tape.whole or len(self._seen) > _TRIES


def step_by_step(library: Any) -> Compile:
    """Return a compiler that fuses nothing and does the steps one after the other: what every other has to agree with."""

    def compiled(expression: Expression) -> Callable[..., list[Any]]:
        def run(shape: tuple[int, ...], *arguments: Any) -> list[Any]:
            done: list[Any] = []
            for operation, operands, dtype in expression.steps:
                values = [done[i] if i >= 0 else arguments[~i] for i in operands]
                if operation == "astype":
                    result = library.astype(*values, getattr(library, dtype))
                elif operation == "full":
                    result = library.full(shape, *values, dtype=getattr(library, dtype))
                else:
                    result = (_OPERATORS.get(operation) or getattr(library, operation))(*values)
                done.append(result)
            return [done[i] for i in expression.results]

        return run

    return compiled


def _common_dtype(operation: str, operands: tuple[Any, ...]) -> str | None:
    """Return the one dtype of the operands, or ``None`` where this is no operation to put off: other dtypes, or more than one."""
    if operation == "where":
        if getattr(operands[0], "dtype", None) != "bool":
            return None
        operands = operands[1:]
    arrays = [one for one in operands if type(one) is _Node]
    if not arrays or any(one.dtype != arrays[0].dtype for one in arrays):
        return None
    dtype: str | None = arrays[0].dtype
    if dtype == "bool":
        return dtype if operation in _ON_BOOLEANS and len(arrays) == len(operands) else None
    if dtype == _INTEGER:
        return dtype if operation in _ON_INTEGERS and all(type(one) is _Node or _is_int32(one) for one in operands) else None
    return dtype if dtype in _FLOATS and operation in _ON_FLOATS else None


def _is_int32(number: Any) -> bool:
    return type(number) is int and -(2**31) <= number < 2**31


@lru_cache(maxsize=4096)
def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(one), len(other))
    pairs = list(zip((1,) * (n - len(one)) + one, (1,) * (n - len(other)) + other, strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(f"arrays of shapes {one} and {other} can't be broadcast together")
    return tuple([b if a == 1 else a for a, b in pairs])


_TO_BOOLEANS = _COMPARISONS | _LOGIC
_ON_BOOLEANS = _LOGIC | _EQUALITY | {"where"}
_ON_FLOATS = ELEMENTWISE - _LOGIC - _BITS
_ON_INTEGERS = _COMPARISONS | _BITS | {"add", "subtract", "multiply", "where"}

# The standard's functions that have an operator, by its method: operators take numbers in every library.
_SYMBOLS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "pow": "pow",
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne",
    "negative": "neg", "abs": "abs", "bitwise_and": "and", "bitwise_xor": "xor", "bitwise_right_shift": "rshift",
}  # fmt: skip
_OPERATORS: dict[str, Callable[..., Any]] = {name: getattr(operator, f"__{symbol}__") for name, symbol in _SYMBOLS.items()}
_SWAPPED = ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul", "and", "or", "xor", "lshift", "rshift")


def _function(xp: Fusion, name: str) -> Callable[..., Any]:
    def waits(*operands: Any) -> Any:
        return xp.put_off(name, *operands)

    return waits


def _operator(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator that waits, and the same with its operands swapped."""
    return lambda one, *other: one.xp.put_off(name, one, *other), lambda one, other: one.xp.put_off(name, other, one)


def _operator_now(symbol: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an operator on the values, and the same with its operands swapped."""
    method = getattr(operator, f"__{symbol}__")
    return lambda one, *other: one.xp.call(method, one, *other), lambda one, other: one.xp.call(method, other, one)


def _conversion(convert: Callable[[Any], Any]) -> Callable[[Lazy], Any]:
    return lambda one: convert(one.value)


for _name, _symbol in _SYMBOLS.items():
    _method, _swapped = _operator(_name)
    setattr(Lazy, f"__{_symbol}__", _method)
    if _symbol in _SWAPPED:
        setattr(Lazy, f"__r{_symbol}__", _swapped)
for _symbol in ("floordiv", "mod", "matmul", "or", "lshift", "pos", "invert"):
    _method, _swapped = _operator_now(_symbol)
    setattr(Lazy, f"__{_symbol}__", _method)
    if _symbol in _SWAPPED:
        setattr(Lazy, f"__r{_symbol}__", _swapped)
for _convert in (bool, float, int, complex, len, operator.index):
    setattr(Lazy, f"__{_convert.__name__}__", _conversion(_convert))
