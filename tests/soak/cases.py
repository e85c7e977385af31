"""What the property-based suites share: how many cases, and arrays of every layout and odd values."""

import functools
from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

__all__ = ["COUNTED", "MANY", "cases", "laid_out", "mostly", "values"]

COUNTED = Counter()  # cases that ran, by the name of the property
MANY = "soak"  # the profile under which there are many times as many: pytest --hypothesis-profile=soak
settings.register_profile(MANY, max_examples=100 * 12)
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


def cases(n, /, **strategies):
    """Make a property of a test: n cases of what the strategies draw, always the same ones; under the profile ``soak`` 12 times as many."""

    def decorate(test):
        @functools.wraps(test)
        def counted(*args, **kwargs):
            COUNTED[test.__name__] += 1
            return test(*args, **kwargs)

        often = n * settings.default.max_examples // 100
        how = settings(max_examples=often, derandomize=True, deadline=None, database=None, suppress_health_check=SUPPRESSED)
        return how(given(**strategies)(counted))

    return decorate


def mostly(good, *odd):
    """One of the good values, and now and then an odd one, so that not every case has one and is refused."""
    return st.sampled_from([*good * (1 + 9 * len(odd) // len(good)), *odd])


TAME, TINY, ZERO, LARGE, HUGE, BROKEN = "tame", "tiny", "zero", "large", "huge", "broken"


def values(shape, kind, seed, dtype="float64"):
    """Numbers of a kind: of order 1, denormal, mostly zero, 1e6, ±1e30, or with NaN and infinity among them."""
    random = np.random.default_rng(seed)
    tame = random.normal(size=shape)
    if kind == TINY:
        tame = tame * float(np.finfo(dtype).tiny) / 7.0
    elif kind == ZERO:
        tame = np.where(random.random(shape) < 0.8, 0.0 * tame, tame)
    elif kind == LARGE:
        tame = tame * 1e6
    elif kind == HUGE:
        tame = np.where(tame > 0.0, 1e30, -1e30)
    elif kind == BROKEN:
        tame = np.where(random.random(shape) < 0.3, random.choice([np.nan, np.inf, -np.inf], shape), tame)
    return np.asarray(tame, dtype)


LAYOUTS = st.sampled_from(["C", "Fortran", "backwards", "every other", "read-only", "broadcast", "unaligned"])


def laid_out(array, layout):
    """The same numbers, otherwise in memory."""
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "backwards":
        return array[tuple(slice(None, None, -1) for _ in array.shape)].copy()[tuple(slice(None, None, -1) for _ in array.shape)]
    if layout == "every other" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "unaligned":
        raw = np.zeros(array.nbytes + 1, np.uint8)
        moved = raw[1:].view(array.dtype).reshape(array.shape)
        moved[...] = array
        return moved
    if layout in ("read-only", "broadcast"):
        kept = array.copy()
        kept.setflags(write=False)
        return kept
    return array
