"""Random numbers, drawn on the host from one seed.

The array API standard has no random numbers, so they are drawn by ``numpy.random.Generator`` and then moved: the same seed
gives the same initial weights and the same batches on every backend. Each purpose has a stream of its own, and the
order of an epoch's batches is a function of the seed and the epoch alone, and so are the keys of its dropout masks: a resumed
run needs no saved state.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlpxp.arrays.scalars import whole_number
from mlpxp.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMES", "batch_order", "check_seed", "dropout_keys", "weights"]

_STREAMS = {"weights": 0, "batches": 1, "dropout": 2}

_VARIANCES: dict[str, Callable[[int, int], float]] = {  # of a weight, by the layer's fan-in and fan-out
    "glorot": lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2.0 / fan_in,
    "lecun": lambda fan_in, fan_out: 1.0 / fan_in,
    "zeros": lambda fan_in, fan_out: 0.0,
}

SCHEMES = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "zeros")


def check_seed(seed: object) -> int:
    """Return ``seed`` as an int; refuse anything but a whole number from 0.

    Raises
    ------
    RangeError
        ``seed`` is negative or no whole number.
    """
    return whole_number("seed", seed, least=0)


def weights(shapes: tuple[tuple[int, int], ...], schemes: tuple[str, ...], seed: int) -> list[np.ndarray]:
    """Draw one weight matrix (n_l, n_{l-1}) a layer, float64, each by its scheme.

    Uniform weights lie in (-√(3v), √(3v)), normal ones have the standard deviation √v, with the variance v of the scheme
    (Glorot and Bengio 2010: 2/(n_{l-1} + n_l); He et al. 2015: 2/n_{l-1}; LeCun et al. 1998: 1/n_{l-1}).

    Raises
    ------
    UnknownNameError
        A scheme stands in no table.
    """
    generator = _stream("weights", seed)
    drawn = []
    for (fan_out, fan_in), scheme in zip(shapes, schemes, strict=True):
        if scheme not in SCHEMES:
            raise UnknownNameError(f"scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
        family, _, distribution = scheme.partition("_")
        deviation = math.sqrt(_VARIANCES[family](fan_in, fan_out))
        if distribution == "uniform":
            drawn.append(generator.uniform(-1.0, 1.0, (fan_out, fan_in)) * (math.sqrt(3.0) * deviation))
        else:
            drawn.append(generator.standard_normal((fan_out, fan_in)) * deviation)
    return drawn


def batch_order(seed: int, epoch: int, m: int) -> np.ndarray:
    """Return the order in which epoch ``epoch`` (counted from 1) visits the m examples, int64."""
    return _stream("batches", seed, epoch).permutation(m)


def dropout_keys(seed: int, epoch: int, first: int, n: int, layers: int) -> np.ndarray:
    """Return the keys of the masks of n batches of epoch ``epoch`` (counted from 1), of which ``first`` come before them.

    Returns
    -------
    ndarray (n, layers, 2), int32
        Of a batch the same, however the epoch is cut into folds.
    """
    stream = np.random.PCG64(_sequence("dropout", seed, epoch))
    stream.advance(first * layers)
    drawn = stream.random_raw(n * layers)
    return drawn.astype("<u8").view("<i4").astype(np.int32, copy=False).reshape(n, layers, 2)


def _stream(purpose: str, seed: int, *position: int) -> np.random.Generator:
    return np.random.default_rng(_sequence(purpose, seed, *position))


def _sequence(purpose: str, seed: int, *position: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[purpose], *position))
