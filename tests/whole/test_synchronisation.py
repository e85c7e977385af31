"""No step waits for the device: a whole epoch runs on arrays that can't be looked at from the host."""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import mlpxp
from mlpxp import ACTIVATIONS, Adam, AdamW, GradientDescent, Network, get_backend, train
from mlpxp.arrays.backend import fold_in_python

NUMPY = get_backend("numpy")
LOOKS = ("__float__", "__bool__", "__int__", "__index__", "__complex__", "__array__", "__len__", "__iter__", "__str__", "__repr__")
UNARY = ("__neg__", "__invert__", "__pos__", "__abs__")
BINARY = ("add", "sub", "mul", "truediv", "matmul", "pow", "and", "or", "lt", "le", "gt", "ge", "eq", "ne")


class LookedAtError(Exception):
    """Somebody has asked a sealed array for its values."""


class Sealed:
    """A NumPy array that has a shape, a dtype and a namespace, and tells nobody what it holds."""

    def __init__(self, values):
        self.values = values

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    dtype = property(lambda self: self.values.dtype)
    device = property(lambda self: "cpu")
    mT = property(lambda self: sealed(self.values.mT))
    T = property(lambda self: sealed(self.values.T))

    def __array_namespace__(self, api_version=None):
        return NAMESPACE

    def __getitem__(self, key):
        return sealed(self.values[opened(key)])

    __hash__ = None


def refuse(name):
    def look(self, *args, **kwargs):
        raise LookedAtError(name)

    return look


for name in LOOKS:
    setattr(Sealed, name, refuse(name))
for name in UNARY:
    setattr(Sealed, name, lambda self, name=name: sealed(getattr(operator, name)(self.values)))
for name in BINARY:
    function = getattr(operator, f"{name}_" if name in {"and", "or"} else name)
    setattr(Sealed, f"__{name}__", lambda self, other, function=function: sealed(function(self.values, opened(other))))
    setattr(Sealed, f"__r{name}__", lambda self, other, function=function: sealed(function(opened(other), self.values)))


class SealedNamespace:
    """NumPy's namespace for sealed arrays; what asks for values is not in it."""

    def __getattr__(self, name):
        found = getattr(NUMPY.namespace, name)
        if isinstance(found, type) or not callable(found):
            return found
        return lambda *args, **kwargs: sealed(found(*map(opened, args), **{key: opened(one) for key, one in kwargs.items()}))


NAMESPACE = SealedNamespace()


def sealed(tree):
    if isinstance(tree, list | tuple):
        branches = [sealed(one) for one in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return Sealed(np.asarray(tree)) if isinstance(tree, np.ndarray | np.generic) else tree


def opened(tree):
    if isinstance(tree, list | tuple):
        return type(tree)([opened(one) for one in tree])
    return tree.values if isinstance(tree, Sealed) else tree


@dataclass(frozen=True)
class SealedBackend:
    """NumPy whose arrays are sealed from the first fold on; they are opened where the loop brings one to the host, and nowhere else."""

    folds: list

    name, namespace, version, runs = "sealed", NUMPY.namespace, NUMPY.version, NUMPY.runs
    synchronize, devices = NUMPY.synchronize, NUMPY.devices

    def asarray(self, values, **options):
        array = NUMPY.asarray(opened(values), **options)
        return sealed(array) if self.folds else array  # training's door looks at the values, before the first fold

    def to_numpy(self, array):
        return np.asarray(opened(array))

    def fold(self, step, state, inputs, *data: Any):
        self.folds.append(step)
        return fold_in_python(NAMESPACE, step, sealed(state), sealed(inputs), *sealed(data))


@pytest.mark.parametrize("look", [float, bool, int, complex, operator.index, np.asarray, len, list, str, repr])
def test_a_sealed_array_can_not_be_looked_at(look):
    with pytest.raises(LookedAtError):
        look(Sealed(np.ones(())))


@pytest.mark.parametrize(
    ("output", "loss"), [("identity", "mse"), ("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"), ("softmax", "mse")]
)
@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), GradientDescent(0.1, 0.9, nesterov=True), Adam(0.1), AdamW(0.1)], ids=repr)
@pytest.mark.parametrize("members", [None, 3])
def test_epochs_run_without_a_look_at_a_value(members, optimizer, output, loss):
    """With everything that can be in a step: every activation, batches, weights, a penalty, validation, members that stop."""
    hidden = [name for name in ACTIVATIONS if name != "softmax"]
    network = Network((3, *[4] * len(hidden), 2), hidden, output, loss)
    draw = np.random.default_rng(0)
    X, Y = draw.standard_normal((3, 11)), np.eye(2)[:, draw.integers(0, 2, 11)]
    weights = draw.uniform(0.5, 1.0, 11)
    start = mlpxp.initialize(network, seed=0 if members is None else range(members), dtype="float64")
    options = {"batch_size": 4, "weights": weights, "penalty": 0.1, "start": start}
    options |= {"validation": (X, Y, weights), "tolerance": 1e-3, "patience": 2}
    backend = SealedBackend([])
    got = train(network, X, Y, optimizer=optimizer, epochs=6, backend=backend, **options)
    wanted = train(network, X, Y, optimizer=optimizer, epochs=6, **options)
    assert len(backend.folds) >= 2 * got.epochs
    np.testing.assert_allclose(got.history.cost, wanted.history.cost, rtol=1e-13)
    np.testing.assert_allclose(got.history.validation_score, wanted.history.validation_score, rtol=0, atol=1e-13)
