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

import threading
import weakref
from functools import lru_cache, partial, reduce
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import device_of, tree_leaves, tree_map
from mlpxp_backends.expressions import ELEMENTWISE, FLOATS, FUNCTIONS, INTEGER, OPERATORS, TO_BOOLEANS
from mlpxp_backends.lazy import Lazy
from mlpxp_backends.replay import Learnt, Tape
from mlpxp_backends.waiting import Node, broadcast, common_dtype, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlpxp_backends.expressions import Compile

__all__ = ["Fusion"]

_ABOUT_TYPES = frozenset({"broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type"})  # they read no number
_LONGEST = 128  # operations put off at most: this bounds a kernel's length and its arguments


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
        asked_for = {name: getattr(library, name) for name in (*FLOATS, INTEGER, "bool")}
        self.dtypes = {name: library.result_type(dtype) for name, dtype in asked_for.items()}  # NumPy's arrays have dtype(float32)
        self._names = {dtype: name for dtypes in (asked_for, self.dtypes) for name, dtype in dtypes.items()}
        self._array = type("Lazy", (Lazy,), {"__slots__": (), "__module__": __name__, "xp": self})
        self._compiled = lru_cache(maxsize=1024)(compile)
        self._reductions = [getattr(library, name) for name in ("max", "min", "sum")]
        self._learnt = lru_cache(maxsize=64)(lambda *_: Learnt())
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
            learnt = Learnt()

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
            array.node.put_on(tape)
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
        if isinstance(node, Node):
            if node.tape is not self.tape:
                self.give_up_the_tape()  # an array from elsewhere, or from an earlier step: it may be another one the next time
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

    def _leaf(self, array: Any) -> Node:
        return Node(array, tuple(array.shape), self._names.get(array.dtype))

    def value(self, node: Node) -> Any:
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
                    array.node.put_on(tape)
                out = tuple(array.node.register for array in arrays)
                tape.note(function, noted, named, out if many else out[0], again=function not in self._reductions or "out" in kwargs)
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
        reads = common_dtype(operation, noted)
        if reads is None:
            return self.call(OPERATORS.get(operation) or getattr(self.library, operation), *operands)
        if reads in FLOATS:
            noted = tuple([float(one) if type(one) is int else one for one in noted])
        nodes = [one for one in noted if type(one) is Node]
        waiting = [node for node in nodes if node.value is None]
        length = 1 + sum([node.length for node in waiting])
        if length > _LONGEST:
            for node in waiting:
                self.value(node)
            length, waiting = 1, []
        shape = reduce(broadcast, [node.shape for node in nodes])
        dear = operation in FUNCTIONS or any(node.dear for node in waiting)
        return self._waiting(Node(None, shape, "bool" if operation in TO_BOOLEANS else reads, operation, noted, reads, length, dear))

    def _noted(self, operand: Any) -> Node | float | int:
        if isinstance(operand, Lazy):
            return operand.node
        if type(operand) is float or type(operand) is int:
            return operand
        return self._leaf(operand) if hasattr(operand, "dtype") else Node(operand, (), None)

    def _waiting(self, node: Node) -> Lazy:
        array: Lazy = self._array(node)
        if node.dear:
            node.holder = weakref.ref(array)
        return array

    def astype(self, array: Any, dtype: Any, /, **options: Any) -> Any:
        name = self._names.get(dtype)
        if options or name in (None, INTEGER) or not isinstance(array, Lazy) or array.node.dtype in (None, INTEGER):
            return self.call(self.library.astype, array, dtype, **options)
        node = array.node
        if node.dtype == name:
            return self._array(node)
        return self._waiting(Node(None, node.shape, name, "astype", (node,), node.dtype, node.length + 1, node.dear))

    def full_like(self, array: Any, number: Any, /, **options: Any) -> Any:
        if options or type(number) is not float or not isinstance(array, Lazy) or array.node.dtype not in FLOATS:
            return self.call(self.library.full_like, array, number, **options)
        return self._waiting(Node(None, array.shape, array.node.dtype, "full", (number,), array.node.dtype, 1))

    def ones_like(self, array: Any, /, **options: Any) -> Any:
        return self.full_like(array, 1.0, **options)

    def zeros_like(self, array: Any, /, **options: Any) -> Any:
        return self.full_like(array, 0.0, **options)

    # ------------------------------------------------------------------------------------------------------ computing
    def compute(self, root: Node, wanted: Iterable[Node] = ()) -> None:
        """Compute what a node waits for, and on the same way those of ``wanted`` that need what is computed here."""
        expression, arguments, results = cut(root, wanted, partial(self.compute, wanted=wanted))
        function = self._compiled(expression)
        values = function(root.shape, *[one.value if isinstance(one, Node) else one for one in arguments])
        for node, value in zip(results, values, strict=True):
            node.value, node.operands = value, ()  # what it was made of is no longer needed
        if (tape := self.tape) is not None:
            noted = tuple([self._on_tape(one) for one in arguments])
            for node in results:
                node.put_on(tape)
            tape.note(function, (root.shape, *noted), {}, tuple([node.register for node in results]), again=False)


class _Part(ModuleType):
    """A part of the library's namespace: ``linalg``, ``fft``."""

    def __init__(self, xp: Fusion, part: Any) -> None:
        super().__init__(f"{part.__name__} (fused)")
        self._xp, self._part = xp, part

    def __getattr__(self, name: str) -> Any:
        return self._xp.of_values(getattr(self._part, name))


def _function(xp: Fusion, name: str) -> Callable[..., Any]:
    def waits(*operands: Any) -> Any:
        return xp.put_off(name, *operands)

    return waits
