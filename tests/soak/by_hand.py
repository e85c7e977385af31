"""Training in plain NumPy and float64, written for itself: forward, backward, update and random numbers, nothing of the library's.

One network after the other, by the equations; stacks, folds and backends have no place here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Asked", "trained"]


def _sigmoid(z):
    return np.where(z > 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def _gelu(z):
    return z * _sigmoid(2 * _GELU * (z + 0.044715 * z**3))


def _gelu_slope(z):
    s = _sigmoid(2 * _GELU * (z + 0.044715 * z**3))
    return s + z * s * (1 - s) * 2 * _GELU * (1 + 3 * 0.044715 * z**2)


_GELU = np.sqrt(2 / np.pi)
SIGMA = {  # σ and σ'
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * _sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))),
    "softplus": (lambda z: np.logaddexp(z, 0), _sigmoid),
    "silu": (lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) + z * _sigmoid(z) * _sigmoid(-z)),
    "gelu": (_gelu, _gelu_slope),
    "exp": (np.exp, np.exp),
}


def _head(output, loss, z, y):
    """Return the loss of each example, and ∂loss/∂z."""
    if output == "softmax":
        p = np.exp(z - z.max(axis=0)) / np.exp(z - z.max(axis=0)).sum(axis=0)
        return -(y * np.log(p)).sum(axis=0), p - y
    sigma, slope = SIGMA[output]
    a = sigma(z)
    if loss == "mse":
        return 0.5 * ((a - y) ** 2).sum(axis=0), (a - y) * slope(z)
    if loss == "binary_cross_entropy":
        return (y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)).sum(axis=0), a - y
    logs = np.log(np.where(y > 0, y, 1.0)) - np.log(a)
    return (np.where(y > 0, y * logs, 0.0) - y + a).sum(axis=0), (1 - y / a) * slope(z)  # the Poisson deviance


@dataclass(frozen=True)
class Asked:
    """What a run is asked for, as plain values; k networks are trained one by one.

    ``rate(epoch)`` returns one η a network; ``order(number)`` the examples of an epoch, or ``None``: drawn from the seed.
    """

    hidden: tuple[str, ...]
    output: str
    loss: str
    start: Any  # (W, b) of each layer, of each network
    epochs: int
    size: int | None
    seed: int
    rate: Callable[[float], tuple[float, ...]]
    order: Callable[[int], Any] | None
    rule: dict[str, Any]
    weights: Any = None
    dropout: tuple[float, ...] = ()
    clip: float | None = None
    penalty: float = 0.0
    on_sum: bool = False


def trained(asked, X, Y):
    """Return the parameters of each network, and the cost of each epoch, one number a network."""
    found = [_trained_alone(asked, X, Y, member) for member in range(len(asked.start))]
    return [parameters for parameters, _ in found], list(zip(*[costs for _, costs in found], strict=True))


def _trained_alone(asked, X, Y, member):
    parameters = [[W.copy(), b.copy()] for W, b in asked.start[member]]
    m, memory, costs = X.shape[1], {"t": 0}, []
    size = asked.size or m
    for number in range(1, asked.epochs + 1):
        order = _drawn_order(asked.seed, number, m) if asked.order is None else np.asarray(asked.order(number))
        if size >= m and len(set(order)) == m:
            order = np.arange(m)  # one batch of all is taken as it is
        n_batches, total, spent = -(-m // size), 0.0, 0.0
        for place in range(n_batches):
            rows = order[place * size : (place + 1) * size]
            w = np.ones(len(rows)) if asked.weights is None else asked.weights[rows]
            if w.sum() == 0.0:
                continue
            masks = _masks(asked, number, place, n_batches, len(rows), member)
            strength = asked.penalty / w.sum() if asked.on_sum else asked.penalty
            cost, gradients = _gradients(asked, parameters, X[:, rows], Y[:, rows], w / w.sum(), masks)
            cost += strength / 2 * sum((W**2).sum() for W, _ in parameters)
            gradients = [[gW + strength * W, gb] for (gW, gb), (W, _) in zip(gradients, parameters, strict=True)]
            if asked.clip is not None:
                length = np.sqrt(sum((g**2).sum() for layer in gradients for g in layer))
                gradients = [[g * min(1.0, asked.clip / length) if length else g for g in layer] for layer in gradients]
            rates = asked.rate(number - 1 + place / n_batches)
            _update(asked.rule, parameters, gradients, memory, rates[member])
            total, spent = total + w.sum() * cost, spent + w.sum()
        costs.append(total / spent)
    return parameters, costs


def _gradients(asked, parameters, X, Y, shares, masks):
    A, seen = X, []
    for (W, b), name, mask in zip(parameters[:-1], asked.hidden, masks, strict=True):
        Z = W @ A + b
        seen.append((A, Z))
        A = SIGMA[name][0](Z) * mask
    W, b = parameters[-1]
    losses, delta = _head(asked.output, asked.loss, W @ A + b, Y)
    delta = delta * shares
    gradients = [[delta @ A.T, delta.sum(axis=1, keepdims=True)]]
    for (A, Z), (above, _), name, mask in zip(
        reversed(seen), reversed(parameters[1:]), reversed(asked.hidden), reversed(masks), strict=True
    ):
        delta = (above.T @ delta) * mask * SIGMA[name][1](Z)
        gradients.insert(0, [delta @ A.T, delta.sum(axis=1, keepdims=True)])
    return float((losses * shares).sum()), gradients


def _update(rule, parameters, gradients, memory, eta):
    memory["t"] += 1
    for l, (layer, both) in enumerate(zip(parameters, gradients, strict=True)):
        for i, g in enumerate(both):
            if rule["kind"] == "descent":
                v = rule["momentum"] * memory.get((l, i), 0.0) - eta * g
                memory[l, i] = v
                layer[i] = layer[i] + (rule["momentum"] * v - eta * g if rule["nesterov"] else v)
                continue
            beta1, beta2, t = rule["beta1"], rule["beta2"], memory["t"]
            first, second = memory.get((l, i), (0.0, 0.0))
            first, second = beta1 * first + (1 - beta1) * g, beta2 * second + (1 - beta2) * g**2
            memory[l, i] = first, second
            if i == 0:
                layer[i] = layer[i] * (1 - eta * rule["decay"])
            layer[i] = layer[i] - eta * np.sqrt(1 - beta2**t) / (1 - beta1**t) * first / (np.sqrt(second) + rule["epsilon"])


# ------------------------------------------------------------------------------------------------------------- random numbers


def _drawn_order(seed, number, m):
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, number))).permutation(m)


def _masks(asked, number, place, n_batches, m, member):
    """Return what each hidden layer's outputs are multiplied by: a hash of unit and example, by two keys a layer, against a threshold."""
    n_hidden, n_networks = len(asked.hidden), len(asked.start)
    if not any(asked.dropout):
        return [1.0] * n_hidden
    drawn = np.random.PCG64(np.random.SeedSequence(asked.seed, spawn_key=(2, number))).random_raw(n_batches * n_hidden)
    masks = []
    for l, rate in enumerate(asked.dropout):
        key = int(drawn[place * n_hidden + l])
        units = len(asked.start[0][l][0])
        hashed = _hashed((np.arange(m + n_networks * units) + key % 2**32).astype(np.uint32))
        of_units = hashed[m + member * units : m + (member + 1) * units] + np.uint32(key >> 32)
        left = _hashed(of_units[:, None] + hashed[:m]).view(np.int32) >= rate * 2**32 - 2**31
        masks.append(left / (1 - rate) if rate else 1.0)
    return masks


def _hashed(x):
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))
