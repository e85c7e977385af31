"""A library's namespace with lazy arrays: the core's steps give the same numbers as without them, and any user's step does too."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy as xp
import pytest
from backend_folds import close, plain

from mlpxp import ACTIVATIONS, Activation, Adam, GradientDescent, Network, get_backend, initialize, train
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace
from mlpxp_backends.expressions import step_by_step
from mlpxp_backends.fusion import Fusion
from mlpxp_backends.numpy import NumpyBackend

HIDDEN = [*[name for name in ACTIVATIONS if name != "softmax"], "bump"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", range(len(HIDDEN)), ids=HIDDEN)
def test_a_fold_is_what_it_is_without_fusion(core, recorder, number, dtype):
    """Each hidden activation with all outputs and losses; four steps, so that half of them come from the tape."""
    for turn, head in enumerate(core.HEADS, start=number):
        optimizer = list(core.OPTIMIZERS.values())[turn % len(core.OPTIMIZERS)]
        each = core.case(core.HIDDEN[number], head, optimizer, dtype=dtype, steps=4, **core.WAYS[turn % len(core.WAYS)])
        close(recorder.fold(each), plain(each), dtype)


@pytest.mark.parametrize("optimizer", ["descent", "momentum", "nesterov", "adam", "adam without memory", "adamw"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_optimizer_is_what_it_is_without_fusion(core, recorder, optimizer, dtype):
    for way in core.WAYS:
        each = core.case("sigmoid", core.HEADS[-2], core.OPTIMIZERS[optimizer], dtype=dtype, steps=4, **way)
        close(recorder.fold(each), plain(each), dtype)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_evaluation_is_what_it_is_without_fusion(core, fusion, weighted):
    as_it_is = type("AsItIs", (), {"fold": staticmethod(lambda step, *args: fold_in_python(xp, step, *args))})
    for head in core.HEADS:
        got, wanted = (core.evaluate(each, head, "float64", weighted=weighted) for each in (fusion, as_it_is))
        np.testing.assert_allclose(got, wanted, rtol=1e-13)


def test_full_batches_too(core, recorder):
    each = core.case("gelu", core.HEADS[-2], Adam(0.01), steps=4)
    each = each._replace(inputs=each.inputs._replace(rows=None))
    close(recorder.fold(each), plain(each))


def test_the_standard_alone_is_enough(core):
    """On array-api-strict, where a function that it lacks or an operand that it forbids would fail."""
    library = get_backend("strict")
    strict = pytest.importorskip("array_api_strict")
    fusion = Fusion(strict, step_by_step(strict))
    for number, each in enumerate(core.cases("float64")):
        if number % 7:
            continue
        state, inputs, data = fusion_tree(library.asarray, (each.state, each.inputs, each.data))
        close(fusion_tree(library.to_numpy, fusion.fold(each.step, state, inputs, *data)), plain(each))


def fusion_tree(function, tree):
    if isinstance(tree, tuple):
        branches = [fusion_tree(function, one) for one in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return None if tree is None else function(tree)


@dataclass(frozen=True)
class FusedNumpy(NumpyBackend):
    """NumPy with the fold of a library that fuses."""

    fusion: Fusion

    def fold(self, step, state, inputs, *data):
        with np.errstate(all="ignore"):
            return self.fusion.fold(step, state, inputs, *data)


@pytest.mark.parametrize("stack", [False, True])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_whole_run_has_the_same_history(fusion, stack, batch_size):
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((4, 30)), np.eye(3)[rng.integers(0, 3, 30)].T
    network = Network((4, 6, 5, 3), hidden="silu", output="softmax", loss="cross_entropy")
    # members of a stack that converge are frozen, so that the last epochs run with a mask
    rates = (0.01, 1e-9) if stack else 0.01
    start = initialize(network, seed=(1, 2) if stack else 1, dtype="float64")
    results = [
        train(
            network, X, Y, optimizer=Adam(rates), epochs=12, batch_size=batch_size, seed=3, start=start, penalty=0.01,
            weights=np.linspace(0.5, 1.5, 30), validation=(X[:, :20], Y[:, :20]), tolerance=1e-6, patience=3, backend=library,
        )
        for library in (FusedNumpy(fusion), "numpy")
    ]  # fmt: skip
    fused, wanted = results
    assert fused.stop == wanted.stop
    np.testing.assert_allclose(fused.history.cost, wanted.history.cost, rtol=1e-12)
    np.testing.assert_allclose(fused.history.validation_cost, wanted.history.validation_cost, rtol=1e-12)
    assert fused.history.validation_score == wanted.history.validation_score
    close(fused.last_parameters, wanted.last_parameters, "float32" if stack else "float64")


def test_an_activation_that_loops_on_a_number_trains(fusion):
    """Steps of a tape would freeze the number of rounds; a step that looks at numbers has none."""

    def rounds(Z):
        for _ in range(1 + int(namespace(Z).sum(Z) > 0.0)):
            Z = namespace(Z).tanh(Z)
        return Z

    odd = Activation("odd", rounds, lambda Z, A: 1.0 - A * A)
    network = Network((2, 3, 1), hidden=odd, output="sigmoid", loss="binary_cross_entropy")
    X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])
    fused, wanted = (
        train(network, X, Y, optimizer=GradientDescent(0.5), epochs=20, batch_size=2, seed=2, backend=library)
        for library in (FusedNumpy(fusion), "numpy")
    )
    close(fused.parameters, wanted.parameters)


class Pair(NamedTuple):
    first: object
    second: object


def test_trees_keep_their_types(fusion):
    tree = Pair(np.ones(2), (None, Pair(np.zeros(2), 3)))
    assert isinstance(fusion.lazy(tree).second[1], Pair)
    got = fusion.computed(fusion.lazy(tree))
    assert isinstance(got, Pair)
    assert got.second[0] is None
    assert got.second[1].first is tree.second[1].first
