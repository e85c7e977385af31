"""Without the other library there is one sentence that says how to get it."""

import sys

import pytest

import mlpxp.exchange
from mlpxp import MissingLibraryError, Model, Network, from_sklearn, from_torch, initialize, to_sklearn, to_torch

NETWORK = Network((2, 1))
MODEL = Model(NETWORK, initialize(NETWORK, seed=0))


@pytest.mark.parametrize(
    ("library", "act"),
    [
        ("torch", lambda: from_torch(None)),
        ("torch", lambda: to_torch(MODEL)),
        ("sklearn.neural_network", lambda: from_sklearn(None)),
        ("sklearn.neural_network", lambda: to_sklearn(None)),
    ],
)
def test_a_library_that_is_not_installed(monkeypatch, library, act):
    monkeypatch.setitem(sys.modules, library, None)
    package, _, name = library.rpartition(".")
    if package in sys.modules:
        monkeypatch.delattr(sys.modules[package], name, raising=False)  # where another test has imported it
    monkeypatch.delitem(sys.modules, "mlpxp.exchange._torch_modules", raising=False)
    monkeypatch.delattr(mlpxp.exchange, "_torch_modules", raising=False)
    with pytest.raises(MissingLibraryError, match=rf"need {library}, which is not installed: pip install 'mlpxp\[{library[:5]}") as caught:
        act()
    assert "\n" not in str(caught.value)
