"""Where hypothesis is not installed its tests are skipped one by one, and those beside them in the same files run."""

import importlib.util
import sys
from types import ModuleType

import pytest


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


def stand_in():
    """Put it in the place of hypothesis, if that is missing."""
    if "hypothesis" in sys.modules or importlib.util.find_spec("hypothesis") is not None:
        return
    for name in ("hypothesis", "hypothesis.strategies", "hypothesis.extra", "hypothesis.extra.numpy"):
        sys.modules[name] = _Anything(name)
