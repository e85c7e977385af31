"""Dropout: while it is trained, a network leaves out hidden units at random (Srivastava et al. 2014), in its inverted form.

A unit's output is multiplied by 0 with probability p and by 1/(1-p) otherwise, so that its mean stays what it was and nothing
changes at prediction. Such a network is a :class:`Network` like any other, and forward and backward passes are those of any
network: only its hidden activations are others, σ times a mask, made anew for each step.

The standard has no random numbers, so that a mask is a function of keys that were drawn on the host
(:func:`mlpxp.arrays.draws.dropout_keys`): a hash of each unit and example, in 32-bit integers, which all libraries have and which wrap
around. The same keys give the same masks on every backend, bit for bit.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import Array, device_like, namespace
from mlpxp.core.activations import ACTIVATIONS, Activation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.network import Network

__all__ = ["dropout_masks", "with_dropout"]


def dropout_masks(keys: Array, network: Network, m: int, rates: Sequence[float], like: Array) -> tuple[Any, ...]:
    """Make the masks of a step, each entry 0 with probability p and 1/(1-p) otherwise.

    Parameters
    ----------
    keys : array, shape (L - 1, 2), int32
        Two for each hidden layer: of every other step others.
    network : Network
    m : int
        The number of examples.
    rates : sequence of float
        p of each hidden layer, as of :class:`mlpxp.training.step.TrainingStep`.
    like : array, shape (..., n_1, n_0)
        The first layer's weights: their dtype and device are the masks', and their leading axes a stack of networks.

    Returns
    -------
    tuple of array (..., n_l, m) or None
        One a hidden layer; ``None`` where p = 0. Each member of a stack has its own, and the first those of a single network.
    """
    return tuple(
        _mask(keys[number, ...], (*like.shape[:-2], n, m), rate, like) if rate else None
        for number, (n, rate) in enumerate(zip(network.sizes[1:-1], rates, strict=True))
    )


def with_dropout(network: Network, masks: Sequence[Any], rates: Sequence[float]) -> Network:
    """Return the network with the hidden activations σ(Z) ⊙ mask, for one step.

    Parameters
    ----------
    network : Network
    masks : sequence of array (..., n_l, m) or None
        As :func:`dropout_masks` makes them. ``None`` leaves a layer's activation as it is.
    rates : sequence of float
        p of each hidden layer.

    Returns
    -------
    Network
        It holds arrays and is no key: it must not outlive the step.
    """
    hidden = tuple(
        activation if mask is None else _masked(activation, mask, 1.0 - rate)
        for activation, mask, rate in zip(network.hidden, masks, rates, strict=True)
    )
    masked: Network = object.__new__(type(network))  # a copy, with what it has worked out: its checks would cost more than the rest
    vars(masked).update(vars(network), hidden=hidden, activations=(*hidden, network.output))
    return masked


def _masked(activation: Activation, mask: Array, kept: float) -> Activation:
    return Activation(
        activation.name,
        partial(_function, activation, mask),
        partial(_derivative, activation, mask, kept),
        needs_z=activation.needs_z,
        analytic=activation.analytic,
    )


def _function(activation: Activation, mask: Array, Z: Array) -> Any:
    return activation.function(Z) * mask


def _derivative(activation: Activation, mask: Array, kept: float, Z: Array | None, A: Array) -> Any:
    """σ'(Z) ⊙ mask. Where a unit was left out σ(Z) is lost and 0 stands in its place, and so σ' is whatever it is there."""
    slope = activation.derivative(Z, A * kept) * mask
    if ACTIVATIONS.get(activation.name) == activation:
        return slope
    return namespace(mask).where(mask > 0.0, slope, 0.0)  # a user's own may be infinite there: 0.5/A, say


# ---------------------------------------------------------------------------------------------------------- random numbers


def _mask(keys: Array, shape: tuple[int, ...], rate: float, like: Array) -> Any:
    """Hash each unit and each example with the first key, and each sum of two such hashes with the second, against a threshold."""
    xp = namespace(like)
    *units, m = shape
    coordinates = xp.arange(m + math.prod(units), dtype=xp.int32, **device_like(like))
    coordinates = _hashed(coordinates + keys[:1])
    rows = xp.reshape(coordinates[m:], (*units, 1)) + keys[1:]
    threshold = min(round(rate * 2**32) - 2**31, 2**31 - 1)
    mask = xp.astype(_hashed(rows + coordinates[:m]) >= threshold, like.dtype)
    mask *= 1.0 / (1.0 - rate)
    return mask


def _hashed(x: Any) -> Any:
    """Return a hash of int32 numbers, one to one: Wellons's finaliser lowbias32, which flips each bit with a probability of nearly ½.

    ``x`` is a fresh temporary, and what comes out may be in its place.
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32)):
        x = _xor_shifted(x, shift)
        x *= factor
    return _xor_shifted(x, 16)


def _xor_shifted(x: Any, shift: int) -> Any:
    high = x >> shift
    high &= 2 ** (32 - shift) - 1  # zeros come in from the left, whatever the sign
    x ^= high
    return x
