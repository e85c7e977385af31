"""PyTorch: on the CPU, CUDA and whatever else it runs on, without its autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, ClassVar

import array_api_compat.torch as xp
import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from mlpxp.arrays.backend import check_programs, check_pure, dtype_of, fold_in_python, on_host
from mlpxp.arrays.devices import Device, host, memory_watched, no_such_device
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.errors import BackendError, DtypeError, RangeError
from mlpxp_backends.memory import keep_freed_memory

__all__ = ["backend"]


@dataclass(frozen=True)
class TorchBackend:
    """PyTorch tensors; gradients are ours, so nothing is recorded for autograd.

    Tensors stay where they are, and host data go to the CPU unless a device is named: what ``torch.set_default_device`` says is for
    tensors that a user's own code makes. ``torch.autocast`` is followed, by what is compiled too.

    Parameters
    ----------
    compile : bool, default False
        Compile a step with ``torch.compile``, once for each step function and each set of shapes. On the CPU it needs a C++ compiler.
        Like JAX it refuses a step with a function of the user's that is not declared ``pure=True``.
    programs : int, default 32
        How many compiled steps are kept, those used last: 16 networks with two batch sizes each.
    """

    name: ClassVar[str] = "torch"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = torch.__version__
    compile: bool = False
    programs: int = 32

    def __post_init__(self) -> None:
        if not isinstance(self.compile, bool):
            raise RangeError(f"compile must be True or False for PyTorch, got {self.compile!r}")
        check_programs(self.programs, "PyTorch")

    @property
    def runs(self) -> str:
        return "step by step, compiled" if self.compile else "step by step, without autograd"

    def devices(self) -> tuple[Device, ...]:
        return (host(), *_cuda(), *_mps())

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        wanted = dtype_of(xp, dtype)
        if device is not None:
            device = self._device(device)
        values = on_host(values, xp)
        if isinstance(values, torch.Tensor):
            values = self.plain(values)
            if values.is_meta and device is not None and device.type != "meta":
                raise _no_values()
        else:
            values = np.require(values, requirements=["C", "W"])  # a tensor has no negative strides and no read-only memory
        if device is None:
            device = values.device if isinstance(values, torch.Tensor) else torch.device("cpu")
        with memory_watched(partial(_place, device), RuntimeError):
            try:
                return torch.as_tensor(values, dtype=wanted, device=device).contiguous()
            except TypeError as error:  # text; float64 on an Apple GPU
                raise DtypeError(f"PyTorch can't make a tensor of these data: {error}") from error

    def _device(self, device: Any) -> torch.device:
        """Return PyTorch's device, if a tensor can be made there."""
        try:
            return torch.empty(0, device=str(device) if isinstance(device, Device) else device).device
        except (RuntimeError, AssertionError, TypeError) as error:
            raise no_such_device(self.name, device, self.devices()) from error

    def to_numpy(self, array: Any) -> np.ndarray:
        if array.is_meta:
            raise _no_values()
        try:
            return np.asarray(self.plain(array).detach().cpu().resolve_conj())
        except TypeError as error:  # bfloat16
            raise DtypeError(f"NumPy has no {array.dtype}: convert it with .float() first") from error

    def plain(self, array: torch.Tensor, name: str = "data") -> torch.Tensor:
        """Return a dense tensor; one that PyTorch only marks as negated is made so."""
        for kind, is_it, remedy in (
            ("masked", isinstance(array, torch.masked.MaskedTensor), "fill it with to_tensor(0.0)"),
            ("nested", array.is_nested, "fill it with to_padded_tensor(0.0)"),
            (array.layout, array.layout is not torch.strided, "make it so with to_dense()"),
        ):
            if is_it:
                raise BackendError(f"{name} must be a dense tensor, got one that is {kind}: {remedy}")
        return array.resolve_neg() if array.is_neg() else array

    def synchronize(self) -> None:
        for number in range(_gpus()):
            if _in_use(number):
                torch.cuda.synchronize(number)
        if torch.backends.mps.is_available():
            torch.mps.synchronize()

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        keep_freed_memory()
        unrecorded = torch.no_grad()  # not inference_mode: its tensors can't be handed back to a user's autograd
        with unrecorded, memory_watched(partial(_place, tree_leaves(state)[0].device), RuntimeError):
            if self.compile:
                check_pure(step, "'torch' with compile=True")
                state, data = tree_map(torch.Tensor.detach, (state, data))  # tensors that record would need a graph of their own
                step = _compiled(self.programs, step, state, inputs, data)
            return fold_in_python(xp, step, state, inputs, *data)


def _no_values() -> BackendError:
    return BackendError("an array on device 'meta' has a shape and no values: it can't be brought to the host or to another device")


def _cuda() -> list[Device]:
    """List the GPUs; what is free is asked only of those in use, as asking opens a context of some hundred megabytes."""
    found = []
    for number in range(_gpus()):
        free = torch.cuda.mem_get_info(number)[0] if _in_use(number) else None
        memory = torch.cuda.get_device_properties(number).total_memory
        found.append(Device(f"cuda:{number}", torch.cuda.get_device_name(number), memory, free))
    return found


def _gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _in_use(number: int) -> bool:
    """Whether this process has memory on a GPU."""
    return bool(torch.cuda.memory_reserved(number))


def _mps() -> list[Device]:
    return [Device("mps", "Apple GPU", float64=False)] if torch.backends.mps.is_available() else []


def _place(device: torch.device | None) -> Device:
    """Return what there is to say of a device; PyTorch's default is the host."""
    return next((one for one in _cuda() if device is not None and one.name == str(device)), host())


class _Program:
    """A step as one compiled graph, once it was asked for."""

    run: Callable[..., Any] | None = None


@cache
def _programs(at_most: int) -> Callable[..., _Program]:
    """Return what finds the program of a step for one kind of arrays and one state of PyTorch's switches."""
    return lru_cache(maxsize=at_most)(lambda *_: _Program())


def _switches(device: torch.device) -> tuple[Any, ...]:
    """Return PyTorch's switches that change what a step computes, or how: a graph holds what they said when it was made."""
    kind = device.type
    return (
        torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None,
        torch.get_float32_matmul_precision(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_inference_mode_enabled(),
    )


def _compiled(at_most: int, step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the step as one compiled graph for arrays like these; made when it is first asked for, as JAX's ``jit`` does.

    The arrays are followed through the step as they are in JAX: ``torch.compile`` alone reads the source and stops at array_api_compat.
    """
    device = tree_leaves(state)[0].device
    one = tree_map(lambda leaf: xp.asarray(leaf[0], device=device), inputs)
    kinds = tree_map(lambda leaf: (leaf.shape, leaf.dtype, leaf.device), (state, one, data))
    program = _programs(at_most)(step, kinds, _switches(device))
    if program.run is None:
        graph = make_fx(step, tracing_mode="fake")(state, one, *data)
        on_gpu = _on_gpu(device)
        compiled = _as_traced(torch.compile(graph, dynamic=False, mode="reduce-overhead" if on_gpu else None), device.type)
        try:
            compiled(state, one, *data)  # this is when it compiles
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise BackendError(
                f"backend 'torch' with compile=True could not compile the step for {device}, PyTorch answers: {reason}"
            ) from error
        program.run = _kept(compiled) if on_gpu else compiled
    return program.run


def _as_traced(graph: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """Leave autocast out of a graph that was traced with it: its casts are a part of it."""
    if not torch.is_autocast_enabled(kind):
        return graph

    def run(*arguments: Any) -> Any:
        with torch.autocast(kind, enabled=False):
            return graph(*arguments)

    return run


def _on_gpu(device: torch.device) -> bool:
    """Whether a compiled step becomes a CUDA graph."""
    return bool(device.type == "cuda")


def _kept(graph: Callable[..., Any]) -> Callable[..., Any]:
    """Copy what a CUDA graph returns: its next run writes over it."""

    def run(*arguments: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()
        return tree_map(torch.clone, graph(*arguments))

    return run


backend = TorchBackend()
