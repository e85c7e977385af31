"""Whole epochs of ``train`` against the same training written by hand: JAX with ``jax.grad``, PyTorch with ``torch.nn``.

All start from the same weights and see the same batches. That they reach the same parameters is checked first; then they
take turns, a few epochs each, and medians are reported. What is timed is what a user waits for: the batches drawn on the
host, their rows moved, the steps, the cost read. Each rival is written in several ways, and the fastest counts.
``python benchmarks/epochs.py [jax] [torch]``
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from mlpxp import Epoch, GradientDescent, Network, Parameters, draws, get_backend, initialize, train

SHAPES = (  # sizes, batch, batches an epoch, hidden, epochs a turn, turns
    ((2, 3, 2), 4, 1000, "tanh", 1, 30),
    ((64, 100, 10), 200, 100, "relu", 2, 40),
    ((784, 256, 128, 10), 256, 50, "relu", 1, 25),
    ((1024, 2048, 2048, 1000), 1024, 3, "relu", 1, 9),
)
RATE = 0.01


class Rival(NamedTuple):
    name: str
    epoch: Callable[[int], float]  # trains epoch ``number`` and returns its mean cost
    parameters: Callable[[], list[np.ndarray]]  # as ours, W and b of each layer


def jax_rivals(parameters: Parameters, X: np.ndarray, Y: np.ndarray, size: int, hidden: str) -> Iterator[Rival]:
    """``jit`` of a ``scan`` over ``value_and_grad`` steps, the parameters donated."""
    for layout in ("rows", "columns"):
        for targets in ("labels", "one-hot"):
            yield _jax_rival(parameters, X, Y, size, hidden, layout, targets)


def _jax_rival(parameters: Parameters, X: np.ndarray, Y: np.ndarray, size: int, hidden: str, layout: str, targets: str) -> Rival:
    import jax
    import jax.numpy as jnp

    in_rows, as_labels = layout == "rows", targets == "labels"
    axis, activation = 1 if in_rows else 0, getattr(jax.nn, hidden)
    x_all = jnp.asarray(np.ascontiguousarray(X.T))
    y_all = jnp.asarray(Y.argmax(axis=0) if as_labels else np.ascontiguousarray(Y.T))
    state = [(jnp.array(layer.W), jnp.array(layer.b[:, 0] if in_rows else layer.b)) for layer in parameters]

    def loss(state: Any, x: Any, y: Any) -> Any:
        x = x if in_rows else x.T
        for number, (W, b) in enumerate(state, start=1):
            z = (x @ W.T if in_rows else W @ x) + b
            x = activation(z) if number < len(state) else z
        if as_labels:
            picked = jnp.take_along_axis(x, jnp.expand_dims(y, axis), axis=axis).reshape(-1)
            return jnp.mean(jax.nn.logsumexp(x, axis=axis) - picked)
        return -jnp.mean(jnp.sum((y if in_rows else y.T) * jax.nn.log_softmax(x, axis=axis), axis=axis))

    @partial(jax.jit, donate_argnums=0)
    def steps(state: Any, batches: Any, x_all: Any, y_all: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(state, x_all[rows], y_all[rows])
            return jax.tree.map(lambda p, g: p - RATE * g, state, gradients), value

        return jax.lax.scan(step, state, batches)

    def epoch(number: int) -> float:
        nonlocal state
        batches = jnp.asarray(draws.batch_order(0, number, X.shape[1]).reshape(-1, size))
        state, costs = steps(state, batches, x_all, y_all)
        return float(np.asarray(costs).mean())

    return Rival(f"{layout}, {targets}", epoch, lambda: [np.asarray(leaf) for leaf in chain(*state)])


def torch_rivals(parameters: Parameters, X: np.ndarray, Y: np.ndarray, size: int, hidden: str) -> Iterator[Rival]:
    """``torch.nn.Sequential``, ``CrossEntropyLoss`` on labels, ``torch.optim.SGD`` and autograd."""
    for fused in (None, True):
        yield _torch_rival(parameters, X, Y, size, hidden, fused=fused)


def _torch_rival(parameters: Parameters, X: np.ndarray, Y: np.ndarray, size: int, hidden: str, *, fused: bool | None) -> Rival:
    import torch

    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[hidden]
    modules: list[Any] = []
    for layer in parameters:
        linear = torch.nn.Linear(layer.W.shape[1], layer.W.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.W))
            linear.bias.copy_(torch.tensor(layer.b[:, 0]))
        modules += [linear, activation()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=RATE, fused=fused), torch.nn.CrossEntropyLoss()
    x_all, y_all = torch.tensor(np.ascontiguousarray(X.T)), torch.tensor(Y.argmax(axis=0))

    def epoch(number: int) -> float:
        costs = []
        for rows in torch.from_numpy(draws.batch_order(0, number, X.shape[1]).reshape(-1, size)):
            optimizer.zero_grad(set_to_none=True)
            value = loss(model(x_all[rows]), y_all[rows])
            value.backward()
            optimizer.step()
            costs.append(value.detach())
        return float(torch.stack(costs).mean())

    return Rival("fused" if fused else "foreach", epoch, lambda: [leaf.detach().numpy() for leaf in model.parameters()])


RIVALS = {"jax": jax_rivals, "torch": torch_rivals}


def compare(library: str, sizes: tuple[int, ...], size: int, batches: int, hidden: str, turn: int, turns: int) -> dict[str, float]:
    """Return the medians of the seconds of an epoch: ``"ours"`` and each rival's."""
    network = Network(sizes, hidden=hidden, output="softmax", loss="cross_entropy")
    generator, m = np.random.default_rng(0), size * batches
    X = generator.standard_normal((sizes[0], m), dtype="float32")
    Y = np.asarray(generator.integers(0, sizes[-1], m) == np.arange(sizes[-1])[:, None], dtype="float32")
    start = initialize(network, seed=0)
    rivals = list(RIVALS[library](start, X, Y, size, hidden))
    backend = get_backend(library)
    learn = partial(
        train, network, backend.asarray(X), backend.asarray(Y), optimizer=GradientDescent(RATE), batch_size=size,
        start=initialize(network, seed=0, backend=backend),
    )  # fmt: skip
    reached = learn(epochs=2)
    ours = np.concatenate([backend.to_numpy(leaf).ravel() for leaf in chain(*reached.parameters)])
    for rival in rivals:
        np.testing.assert_allclose([rival.epoch(number) for number in (1, 2)], reached.history.cost, rtol=1e-5)
        theirs = np.concatenate([leaf.ravel() for leaf in rival.parameters()])
        assert np.linalg.norm(theirs - ours) < 1e-4 * np.linalg.norm(ours), rival.name

    times: dict[str, list[float]] = {"ours": [], **{rival.name: [] for rival in rivals}}
    began = 0.0

    def take_turns(epoch: Epoch) -> None:
        nonlocal began
        if epoch.number % turn:
            return
        times["ours"].append((time.perf_counter() - began) / turn)
        for rival in rivals:
            began = time.perf_counter()
            for number in range(epoch.number - turn + 1, epoch.number + 1):
                rival.epoch(number)
            times[rival.name].append((time.perf_counter() - began) / turn)
        began = time.perf_counter()

    learn(epochs=turn * (2 + turns), callbacks=[take_turns])
    return {name: statistics.median(seconds[2:]) for name, seconds in times.items()}


if __name__ == "__main__":
    print("library  network                  batch        ours    by hand   ratio")
    for library in sys.argv[1:] or RIVALS:
        for sizes, size, *rest in SHAPES:
            seconds = compare(library, sizes, size, *rest)
            ours = seconds.pop("ours") * 1e3
            name, best = min(((name, one * 1e3) for name, one in seconds.items()), key=lambda pair: pair[1])
            print(f"{library:8} {'-'.join(map(str, sizes)):24} {size:5} {ours:8.3f} ms {best:8.3f} ms  {ours / best:6.2f}  ({name})")
