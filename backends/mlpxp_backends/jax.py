"""JAX: a fold is one compiled program."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as xp
import numpy as np
from jax.core import Tracer

from mlpxp.arrays.backend import check_programs, check_pure, dtype_of, on_host
from mlpxp.arrays.devices import Device, host, memory_watched, no_such_device
from mlpxp.errors import BackendError, DtypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["backend"]


@dataclass(frozen=True)
class JaxBackend:
    """JAX arrays; a fold is compiled once for each step function and each set of shapes.

    Parameters
    ----------
    programs : int, default 32
        How many compiled folds are kept, those used last: 16 networks with two batch sizes each. One of a small network takes about 4 MB
        and a second to compile; who trains more networks than that in turn, again and again, asks for more.
    """

    name: ClassVar[str] = "jax"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = jax.__version__
    runs: ClassVar[str] = "as one compiled program"
    programs: int = 32

    def __post_init__(self) -> None:
        check_programs(self.programs, "JAX")

    def devices(self) -> tuple[Device, ...]:
        return tuple(_described(device) for device in _devices().values())

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        is_bare = not hasattr(values, "dtype")  # numbers of Python's, for which float32 will do
        values = on_host(values, xp)
        if dtype is None and is_bare and values.dtype == np.float64 and not _has_float64():
            dtype = "float32"
        wanted = dtype_of(xp, dtype)
        if (wanted or values.dtype) == np.float64 and not _has_float64():
            raise DtypeError(
                "JAX has no float64 until it is asked for: use float32, or jax.config.update('jax_enable_x64', True) before the first "
                "array, or JAX_ENABLE_X64=1 in the environment"
            )
        known = _devices()  # or the reason why there are none
        if device is not None:
            device = self._device(device, known)
        with memory_watched(partial(_place, device), jax.errors.JaxRuntimeError):
            try:
                if isinstance(values, np.ndarray):  # copied, as JAX would look at this memory; by NumPy, which compiles nothing for it
                    with np.errstate(over="ignore", invalid="ignore"):
                        return jax.device_put(np.array(values, dtype=wanted, order="C"), device)
                return xp.asarray(values, dtype=wanted, device=device)
            except (TypeError, OverflowError) as error:  # text, dates, objects
                raise DtypeError(f"JAX can't make an array of these data: {' '.join(str(error).split())}") from error

    def _device(self, device: Any, known: dict[str, Any]) -> Any:
        if isinstance(device, str | Device):
            kind, _, number = str(device).partition(":")
            device = known.get(f"{kind}:{number or 0}", device)
        if device not in known.values() and not isinstance(device, jax.sharding.Sharding):
            raise no_such_device(self.name, device, self.devices())
        return device

    def to_numpy(self, array: Any) -> np.ndarray:
        with memory_watched(partial(_place, array), jax.errors.JaxRuntimeError):  # what was queued may only fail now
            return np.asarray(array)

    def synchronize(self) -> None:
        jax.block_until_ready(jax.live_arrays())

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        check_pure(step, "'jax'")
        moves = jax.transfer_guard_host_to_device("allow")  # the rows of the batches, which are drawn on the host
        with moves, memory_watched(partial(_place, jax.tree.leaves(state)[0]), jax.errors.JaxRuntimeError):
            state, outs = _programs(self.programs)(_fold, step, _kinds((state, inputs, data)))(state, inputs, data)
        return state, outs

    def columns(self, m: int, arrays: Sequence[Any], *what: Any) -> int:
        """Return with how many examples to compute what was asked for ``m`` of them in ``arrays``.

        A few numbers make do for all; one that comes again and again has a program of its own, and so has each where ``arrays`` are on a
        GPU or on several devices: to be padded they would have to come to the host.
        """
        recent = _recent(*what)
        recent.append(m)
        if recent.count(m) >= _AGAIN or not all(_is_on_host(array) for array in arrays if isinstance(array, jax.Array)):
            return m
        return next((width for width in _WIDTHS if width >= m), 2 ** (m - 1).bit_length())

    def by_columns(self, function: Callable[..., Any], parameters: Any, X: Any, *, axis: int = -1) -> Any:
        """Return ``function(parameters, X)``, compiled for few numbers of examples: for others X is padded, and the result cut.

        Parameters
        ----------
        function : callable
            Pure and hashable. An example's part of what it returns, a tree of arrays (..., m), comes from that example of X alone.
        parameters : tree of arrays
        X : array
            JAX's, or NumPy's: then so is the result.
        axis : int, default -1
            X's axis of the m examples.
        """
        m, leaves = X.shape[axis], jax.tree.leaves((parameters, X))
        if not m or any(isinstance(leaf, Tracer) for leaf in leaves):
            return function(parameters, X)
        are_shared = any(len(leaf.devices()) > 1 for leaf in leaves if isinstance(leaf, jax.Array))
        width = m if are_shared else self.columns(m, (X,), function, _kinds(parameters), X.ndim)
        padded = _padded(X, width, axis)
        result = _programs(self.programs)(_call, function, _kinds((parameters, padded)))(parameters, padded)
        if width == m and isinstance(X, jax.Array):
            return result
        cut = [leaf[..., :m] for leaf in jax.device_get(jax.tree.leaves(result))]  # by NumPy, as JAX would compile that for each m too
        if isinstance(X, jax.Array):
            cut = [jax.device_put(leaf, _place_of(X)) for leaf in cut]
        return jax.tree.unflatten(jax.tree.structure(result), cut)


@cache
def _devices() -> dict[str, Any]:
    """Return JAX's devices of all platforms by name, those that it prefers first: ``cuda:0``, ``cpu:0``."""
    try:
        first = jax.devices()
    except (RuntimeError, AssertionError) as error:  # it was told to use a platform that isn't there
        reason = " ".join(str(error).split()) or "JAX_PLATFORMS names a platform that isn't there"
        raise BackendError(f"backend 'jax' finds no device: {reason}") from error
    try:
        rest = [] if first[0].platform == "cpu" else jax.devices("cpu")
    except RuntimeError:  # it was told not to use the host
        rest = []
    return {f"{_kind(device)}:{device.id}": device for device in (*first, *rest)}


def _kind(device: Any) -> str:
    """Return ``"cuda"`` or ``"rocm"`` for what JAX calls ``"gpu"``."""
    return next((kind for kind in ("cuda", "rocm") if kind in device.client.platform_version.lower()), device.platform)


def _described(device: Any) -> Device:
    if device.platform == "cpu":
        return replace(host(f"cpu:{device.id}"), float64=_has_float64())
    memory = device.memory_stats() or {}
    limit = memory.get("bytes_limit")  # what JAX has taken for itself: three quarters of a GPU unless it is told otherwise
    free = None if limit is None else limit - memory.get("bytes_in_use", 0)
    return Device(f"{_kind(device)}:{device.id}", device.device_kind, limit, free, _has_float64())


def _has_float64() -> bool:
    return bool(jax.config.read("jax_enable_x64"))


def _place(where: Any) -> Device:
    """Return what there is to say of a device, or of that of an array; of the default one if it is ``None``."""
    device = next(iter(where.devices())) if isinstance(where, jax.Array) else where
    return _described(device if hasattr(device, "device_kind") else jax.devices()[0])


def _kinds(tree: Any) -> Any:
    """Return what a program for such arrays is known by; JAX itself looks at the rest, such as where they are."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple([(leaf.shape, leaf.dtype) for leaf in leaves])


@cache
def _programs(at_most: int) -> Callable[..., Any]:
    """Return what compiles ``run(function, ...)`` for one kind of arrays; JAX lets go of what it compiled with the jitted function."""

    def program(run: Callable[..., Any], function: Callable[..., Any], _: Any) -> Callable[..., Any]:
        jitted: Callable[..., Any] = jax.jit(partial(run, function))  # no state is donated: the caller's stays, and XLA's copy is cheap
        return jitted

    return lru_cache(maxsize=at_most)(program)


def _fold(step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> tuple[Any, Any]:
    state, outs = jax.lax.scan(lambda state, one: step(state, one, *data), state, inputs)
    return state, outs


# ------------------------------------------------------------------------------------------------------- any number of examples
_WIDTHS = (8, 64, 512, 4096)  # beyond them powers of two
_AGAIN = 3  # times among the last calls that a number of examples comes to be compiled for itself


@lru_cache(maxsize=64)
def _recent(*_: Any) -> deque[int]:
    """Return the numbers of examples of the last calls of a function; the caller adds to them."""
    return deque(maxlen=12)


def _padded(X: Any, width: int, axis: int) -> Any:
    """Return X with its last example again and again behind it: an example, and so one that the function has a result for."""
    missing = width - X.shape[axis]
    if not missing:
        return X
    host = jax.device_get(X)
    last = np.take(host, [-1], axis=axis)
    whole = np.concatenate([host, np.repeat(last, missing, axis=axis)], axis=axis)
    return jax.device_put(whole, _place_of(X)) if isinstance(X, jax.Array) else whole


def _is_on_host(array: Any) -> bool:
    return len(array.devices()) == 1 and next(iter(array.devices())).platform == "cpu"


def _place_of(X: Any) -> Any:
    return X.sharding if X.committed else None


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


backend = JaxBackend()
