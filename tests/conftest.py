"""What the tests share: the backends they run on, and arbitrary-precision numbers to measure against."""

import functools
import os

import mparray
import numpy as np
import pytest
from mpmath import mp

import mlpxp
from mlpxp.arrays import tree_map

BACKENDS = ("numpy", "strict", "jax", "torch")  # those that run on any machine
DIGITS = 50


def pytest_addoption(parser):
    parser.addoption(
        "--backend", action="append", metavar="NAME", help="run the tests of the core on this backend (repeatable; by default on all here)"
    )


@functools.cache
def _loads(name):
    try:
        mlpxp.get_backend(name)
    except mlpxp.BackendError:
        return False
    return True


def pytest_generate_tests(metafunc):
    if "backend" not in metafunc.fixturenames:
        return
    asked_for = metafunc.config.getoption("--backend") or os.environ.get("MLPXP_BACKEND", "").split()
    metafunc.parametrize("backend", asked_for or [name for name in BACKENDS if _loads(name)], indirect=True)


@pytest.fixture
def backend(request):
    """A backend, with float64 in reach: each test that asks for it runs once on every one."""
    library = mlpxp.get_backend(request.param)
    if request.param != "jax":
        yield library
        return
    request.getfixturevalue("x64")
    yield library


@pytest.fixture
def x64():
    """JAX with float64, for one test."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def to_host(backend):
    """A function that brings a tree of the backend's arrays to NumPy."""
    return lambda tree: tree_map(backend.to_numpy, tree)


@pytest.fixture
def to_device(backend):
    """A function that makes the backend's arrays of a tree of NumPy's, in their dtype or another."""
    return lambda tree, dtype=None: tree_map(lambda leaf: backend.asarray(leaf, dtype=dtype or str(leaf.dtype)), tree)


@pytest.fixture
def exactly():
    """A function that turns a tree of NumPy arrays into arrays of 50 digits, without rounding a value."""
    before, mp.dps = mp.dps, DIGITS
    yield lambda tree: tree_map(lambda leaf: mparray.asarray(np.asarray(leaf, dtype=np.float64)), tree)
    mp.dps = before


@pytest.fixture
def difference(exactly):
    """A function that returns the float64 array |got - wanted|, subtracted with 50 digits."""
    return lambda got, wanted: np.abs(np.asarray((exactly(got) - wanted)._data, dtype=np.float64))
