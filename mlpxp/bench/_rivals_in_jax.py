"""JAX: ``jit`` of ``value_and_grad``, an epoch as one ``scan``, the parameters donated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from mlpxp.bench.tasks import EPSILON, Rival

if TYPE_CHECKING:
    from mlpxp.bench.tasks import Task

__all__ = ["products", "rivals"]


def rivals(task: Task, put: Callable[..., Any], *, all_of_them: bool) -> list[Callable[[], Rival]]:
    """Examples as rows or as columns, the loss of labels or of one-hot targets: which is the fastest depends on the sizes."""
    ways = [(layout, targets) for layout in ("rows", "columns") for targets in ("labels", "one-hot")]
    return [partial(_rival, task, put, *way) for way in (ways if all_of_them else ways[:1])]


def products(pairs: Sequence[tuple[Any, Any]]) -> Callable[[], object]:
    """Return the products of pairs as one compiled program."""
    multiply = jax.jit(lambda pairs: [A @ B for A, B in pairs])
    return lambda: jax.block_until_ready(multiply(pairs))


def _rival(task: Task, put: Callable[..., Any], layout: str, targets: str) -> Rival:
    x_all = put(task.X)
    y_all = put(task.labels.astype(np.int32) if targets == "labels" else task.one_hot)
    loss = partial(_loss, getattr(jax.nn, task.hidden), in_rows=layout == "rows", as_labels=targets == "labels")
    start: Any = [(jnp.array(put(W)), jnp.array(put(b[:, 0] if layout == "rows" else b))) for W, b in task.start]

    state: Any = (start, None)
    if task.optimizer == "adam":
        state = (start, (*(jax.tree.map(jnp.zeros_like, start) for _ in range(2)), jnp.zeros(())))

    def update(state: Any, x: Any, y: Any) -> Any:
        parameters, moments = state
        value, gradients = jax.value_and_grad(loss)(parameters, x, y)
        if moments is None:
            return (jax.tree.map(lambda p, g: p - task.rate * g, parameters, gradients), None), value
        return _adam(task.rate, parameters, gradients, *moments), value

    @partial(jax.jit, donate_argnums=0)
    def updates(state: Any, batches: Any, x_all: Any, y_all: Any) -> Any:
        return jax.lax.scan(lambda state, rows: update(state, x_all[rows], y_all[rows]), state, batches)

    once = jax.jit(update, donate_argnums=0)
    x, y = x_all[: task.size], y_all[: task.size]

    def step() -> float:
        nonlocal state
        state, value = once(state, x, y)
        return float(value)

    def epoch(number: int) -> float:
        nonlocal state
        state, costs = updates(state, jnp.asarray(task.rows(number).astype(np.int32)), x_all, y_all)
        return float(np.asarray(costs).mean())

    return Rival(f"JAX, {layout}, {targets}", step, epoch, lambda: [np.asarray(leaf) for leaf in chain(*state[0])])


def _adam(rate: float, parameters: Any, gradients: Any, means: Any, squares: Any, t: Any) -> Any:
    """Kingma and Ba (2015), as at the end of their section 2, with their β."""
    t = t + 1.0
    means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
    squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
    rate = rate * jnp.sqrt(1.0 - 0.999**t) / (1.0 - 0.9**t)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), parameters, means, squares), (means, squares, t)


def _loss(activation: Callable[..., Any], state: Any, x: Any, y: Any, *, in_rows: bool, as_labels: bool) -> Any:
    """The mean cross-entropy of a batch that is stored in rows."""
    axis = 1 if in_rows else 0
    x = x if in_rows else x.T
    for number, (W, b) in enumerate(state, start=1):
        z = (x @ W.T if in_rows else W @ x) + b
        x = activation(z) if number < len(state) else z
    if as_labels:
        picked = jnp.take_along_axis(x, jnp.expand_dims(y, axis), axis=axis).reshape(-1)
        return jnp.mean(jax.nn.logsumexp(x, axis=axis) - picked)
    return -jnp.mean(jnp.sum((y if in_rows else y.T) * jax.nn.log_softmax(x, axis=axis), axis=axis))
