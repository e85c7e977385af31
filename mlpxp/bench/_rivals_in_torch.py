"""PyTorch: ``torch.nn``, autograd and ``torch.optim``, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch  # pyright: ignore[reportMissingImports]

from mlpxp.bench.tasks import EPSILON, Rival

if TYPE_CHECKING:
    from mlpxp.bench.tasks import Task

__all__ = ["rivals"]


def rivals(task: Task, put: Callable[..., Any], *, all_of_them: bool) -> list[Callable[[], Rival]]:
    """``nn.Sequential``, ``CrossEntropyLoss`` on labels and ``SGD`` or ``Adam``, whose update is made in two ways; and compiled.

    On a GPU what is compiled is run as CUDA graphs.
    """
    ways = {"PyTorch, foreach": (False, False), "PyTorch, fused": (True, False), "PyTorch, compiled": (True, True)}
    chosen = ways if all_of_them else ["PyTorch, foreach"]
    return [partial(_rival, task, put, name, fused=ways[name][0], compiled=ways[name][1]) for name in chosen]


def _rival(task: Task, put: Callable[..., Any], name: str, *, fused: bool, compiled: bool) -> Rival:
    x_all, y_all = put(task.X), put(task.labels)
    model = _model(task).to(x_all.device)
    rule: Any = {"sgd": torch.optim.SGD, "adam": partial(torch.optim.Adam, eps=EPSILON)}[task.optimizer]
    optimizer = rule(model.parameters(), lr=task.rate, fused=fused, foreach=not fused)
    criterion = torch.nn.CrossEntropyLoss()

    def loss(x: Any, y: Any) -> Any:
        return criterion(model(x), y)

    as_graph = compiled and x_all.device.type == "cuda"
    if compiled:
        loss = torch.compile(loss, dynamic=False, mode="reduce-overhead" if as_graph else None)

    def update(x: Any, y: Any) -> Any:
        optimizer.zero_grad(set_to_none=True)
        if as_graph:
            torch.compiler.cudagraph_mark_step_begin()
        value = loss(x, y)
        value.backward()
        optimizer.step()
        return value.detach().clone() if as_graph else value.detach()  # the next run of a CUDA graph writes over it

    def epoch(number: int) -> float:
        batches = torch.from_numpy(task.rows(number)).to(x_all.device)
        return float(torch.stack([update(x_all[rows], y_all[rows]) for rows in batches]).mean())

    x, y = x_all[: task.size], y_all[: task.size]
    return Rival(name, lambda: float(update(x, y)), epoch, lambda: [leaf.detach().cpu().numpy() for leaf in model.parameters()])


def _model(task: Task) -> Any:
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[task.hidden]
    modules: list[Any] = []
    for layer in task.start:
        linear = torch.nn.Linear(layer.W.shape[1], layer.W.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.W))
            linear.bias.copy_(torch.tensor(layer.b[:, 0]))
        modules += [linear, activation()]
    return torch.nn.Sequential(*modules[:-1])
