"""Where a package is not installed the tests that need it are skipped one by one, and those beside them in the same files run."""

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest


class _Needed:
    """What stands for a part of a package: it has parts of its own, and skips the test that calls it or counts with it."""

    def __init__(self, package):
        self._package = package

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Needed(self._package)

    def __call__(self, *_, **__):
        pytest.skip(f"it needs {self._package}, which is not installed")

    __truediv__ = __rtruediv__ = __mul__ = __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __call__


def optional(package):
    """Return a package, or what stands for it where it is not installed."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError:
        return _Needed(package)


class _Anything(ModuleType):
    """A module in which whatever is asked for is anything, and ``given`` marks a test as skipped."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **_):
        is_test = len(args) == 1 and getattr(args[0], "__name__", "").startswith("test_")
        return pytest.mark.skip(reason="it needs hypothesis, which is not installed")(args[0]) if is_test else self


def hypothesis_stand_in():
    """Put something in the place of hypothesis, whose decorators run when a file is read, if it is missing."""
    if "hypothesis" in sys.modules or importlib.util.find_spec("hypothesis") is not None:
        return
    for name in ("hypothesis", "hypothesis.strategies", "hypothesis.extra", "hypothesis.extra.numpy"):
        sys.modules[name] = _Anything(name)
