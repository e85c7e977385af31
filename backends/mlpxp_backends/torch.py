"""PyTorch: on the CPU, CUDA and whatever else it runs on, without its autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from mlpxp.arrays import tree_leaves, tree_map
from mlpxp.backend import dtype_of, fold_in_python
from mlpxp.errors import BackendError

__all__ = ["backend"]


@dataclass(frozen=True)
class TorchBackend:
    """PyTorch tensors; gradients are ours, so nothing is recorded for autograd.

    Parameters
    ----------
    compile : bool, default False
        Compile a step with ``torch.compile``, once for each step function and each set of shapes. On the CPU it needs a C++ compiler.
    """

    name: str = "torch"
    namespace: Any = xp
    compile: bool = False

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        if not isinstance(values, torch.Tensor):
            values = np.require(values, requirements=["C", "W"])  # a tensor can't have negative strides, nor look at read-only memory
        return torch.as_tensor(values, dtype=dtype_of(xp, dtype), device=device).contiguous()

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array.detach().cpu())

    def synchronize(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with torch.no_grad():  # not inference_mode: its tensors can't be handed back to a user's autograd
            if self.compile:
                state, data = tree_map(torch.Tensor.detach, (state, data))  # tensors that record would need a graph of their own
                step = _compiled(step, state, inputs, data)
            return fold_in_python(xp, step, state, inputs, *data)


_COMPILED: dict[Any, Callable[..., Any]] = {}


def _compiled(step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the step as one compiled graph for arrays like these; made when it is first asked for, as JAX's ``jit`` does.

    The arrays are followed through the step as they are in JAX: ``torch.compile`` alone reads the source and stops at array_api_compat.
    """
    device = tree_leaves(state)[0].device
    one = tree_map(lambda leaf: xp.asarray(leaf[0], device=device), inputs)
    key = step, tree_map(lambda leaf: (leaf.shape, leaf.dtype, leaf.device), (state, one, data))
    if key not in _COMPILED:
        graph = make_fx(step, tracing_mode="fake")(state, one, *data)
        on_gpu = device.type == "cuda"
        compiled = torch.compile(graph, dynamic=False, mode="reduce-overhead" if on_gpu else None)
        try:
            compiled(state, one, *data)  # this is when it compiles
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise BackendError(
                f"backend 'torch' with compile=True could not compile the step for {device}, PyTorch answers: {reason}"
            ) from error
        _COMPILED[key] = _kept(compiled) if on_gpu else compiled
    return _COMPILED[key]


def _kept(graph: Callable[..., Any]) -> Callable[..., Any]:
    """Copy what a CUDA graph returns: its next run writes over it."""

    def run(*arguments: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()
        return tree_map(torch.clone, graph(*arguments))

    return run


backend = TorchBackend()
