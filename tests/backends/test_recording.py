"""A user's step that NumPy runs is what a recording of it does, or there is none: no step computes something else unseen."""

import copy

import numpy as np
import pytest
from backend_folds import Counts

from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp_backends.replaying import fold

W = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
INPUTS = np.linspace(0.1, 1.0, 7)


def bits(tree):
    return [(leaf.shape, leaf.dtype, leaf.tobytes()) for leaf in tree_leaves(tree_map(np.asarray, tree))]


def calls(step, other, state=W, inputs=INPUTS):
    """Fold twice from the same state, and return how often the step was called; ``other`` is the same step, never recorded."""
    counted = Counts(step)
    before = bits((state, inputs))
    for _ in range(2):
        assert bits(fold(counted, state, inputs)) == bits(fold_in_python(np, other, state, inputs))
    assert bits((state, inputs)) == before
    return counted.calls


# ------------------------------------------------------------------------------------------- what NumPy's users write
def writes_by_out(state, one):
    Z = state * one
    namespace(Z).tanh(Z, out=Z)
    return Z, one


def writes_by_place(state, one):
    Z = state * one
    namespace(Z).tanh(Z, Z)
    return Z, one


def writes_by_another_function(state, one):
    Z = state * one
    namespace(Z).cumsum(Z, 0, None, Z)
    return Z, one


def changes_an_alias(state, one):
    Z = other = state * one
    other **= 2
    return Z + 1.0, one


def changes_a_copy(state, one):
    Z = state * one
    other = copy.copy(Z)
    other *= 2.0
    return Z + other, one


def changes_a_deep_copy(state, one):
    Z = state * one
    other = copy.deepcopy(Z)
    other *= 2.0
    return Z + other, one


def changes_what_has_a_view_by_name(state, one):
    Z = state * one
    view = namespace(Z).expand_dims(a=Z, axis=0)
    view += 1.0
    return Z * 1.0, one


@pytest.mark.parametrize(
    "step",
    [
        writes_by_out,
        writes_by_place,
        writes_by_another_function,
        changes_an_alias,
        changes_a_copy,
        changes_a_deep_copy,
        changes_what_has_a_view_by_name,
    ],
)
def test_what_only_numpys_arrays_do_is_not_recorded(step):
    assert calls(step, step) > 7


def keeps_numbers_apart(state, one):
    """0.0 and -0.0 are equal, and so are 2 and 2.0."""
    xp = namespace(state)
    sign = xp.copysign(xp.ones_like(state), state * 0.0) + 3.0 * xp.copysign(xp.ones_like(state), state * -0.0)
    return sign + state**2 - state**2.0, one


def has_a_number_under_two_names(state, one):
    """A sum is one of NumPy's scalars, which ``+=`` doesn't change."""
    total = namespace(state).sum(state)
    total += one
    other = total
    other *= 2.0
    return state + total, other


def changes_booleans_and_whole_numbers(state, one):
    xp = namespace(state)
    B = other = state > 0.0
    other &= state < 0.5
    h = number = xp.astype(100.0 * state, xp.int32)
    number ^= h >> 3
    number >>= 1
    return 0.5 * state + 0.1 * xp.astype(B, state.dtype) + 0.01 * xp.astype(h, state.dtype), one


def takes_by_name(state, one):
    xp = namespace(state)
    return xp.take(state, indices=xp.asarray(ORDER), axis=1) * one, one


def has_whole_numbers_beside_floats(state, one):
    return namespace(state).ldexp(state * one, 2), one


def looks_through_an_array_from_elsewhere(state, one):
    return state * namespace(state).asarray(SCALES) + one, one


ORDER, SCALES = np.asarray([2, 0, 1]), np.asarray([[0.5], [0.25]])


@pytest.mark.parametrize(
    "step",
    [
        keeps_numbers_apart,
        has_a_number_under_two_names,
        changes_booleans_and_whole_numbers,
        takes_by_name,
        has_whole_numbers_beside_floats,
        looks_through_an_array_from_elsewhere,
    ],
)
def test_what_is_recorded_gives_the_same_bits(step):
    assert calls(step, step) == 3


def test_packs_keep_the_sign_of_zero():
    def step(state, one):
        a, b = state
        return (a * 0.0 + 0.0 * one, b * -0.0), one

    def halves(state, one):
        a, b = state
        return (a * 0.0, b * -0.0), one

    for each in (step, halves):
        assert calls(each, each, (W, W + 2.0)) == 3


class Keeps:
    """A step with a table of its own, filled at its first call: the array is NumPy's, and the same one from then on."""

    def __init__(self):
        self.table = {}

    def __call__(self, state, one):
        Z = namespace(state).exp(-state * state * one)
        if Z.shape not in self.table:
            self.table[Z.shape] = 0.5 * namespace(Z).ones_like(Z)
        return Z * self.table[Z.shape], one


def test_an_array_that_a_step_keeps_for_later_is_numpys_own():
    step = Keeps()
    assert calls(step, Keeps()) == 3
    assert type(step.table[2, 3]) is np.ndarray


def test_an_array_of_a_recording_that_is_over_is_refused():
    kept = []

    def step(state, one):
        Z = state * one
        if type(Z) is not np.ndarray and not kept:
            kept.append(Z)
        return Z + kept[0] if kept else Z, one

    with pytest.raises(TypeError, match="an array of an earlier step is not recorded"):
        fold(step, W, INPUTS)


def test_a_constant_is_not_changed_under_another_name():
    constant = np.ones((2, 3))

    def step(state, one):
        other = namespace(state).asarray(constant)
        if type(state) is not np.ndarray:
            other += 1.0
        return state * 0.5, one

    fold(step, W, INPUTS)
    np.testing.assert_array_equal(constant, np.ones((2, 3)))


def test_a_state_that_becomes_another_kind_is_not_taken_for_what_it_becomes():
    def widens(state, one):
        return state * state + one, one * 2.0

    inputs = np.linspace(0.0, 0.1, 42).reshape(7, 2, 3) + 1e-9
    calls(widens, widens, W.astype("float32"), inputs)
    calls(lambda state, one: (state + one, one), lambda state, one: (state + one, one), np.ones((1, 3)), inputs)
