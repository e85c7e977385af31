"""PyTorch: on the CPU, CUDA and whatever else it runs on, without its autograd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import array_api_compat.torch as xp
import numpy as np
import torch

from mlpxp.backend import dtype_of, fold_in_python

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class TorchBackend:
    """PyTorch tensors; gradients are ours, so nothing is recorded for autograd."""

    name: str = "torch"
    namespace: Any = xp

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
            return fold_in_python(xp, step, state, inputs, *data)


backend = TorchBackend()
