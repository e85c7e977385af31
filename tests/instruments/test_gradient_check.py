"""The check finds what is wrong, says where, and doesn't cry wolf at a kink."""

import dataclasses
import math

import numpy as np
import pytest

import mlpxp
from mlpxp import ACTIVATIONS, LOSSES, Activation, GradientCheck, Layer, Loss, Network, check_gradients, naive_gradients
from mlpxp.arrays.standard import namespace

HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
OUTPUTS = [
    *((output, "mse") for output in ACTIVATIONS),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("exp", "poisson"),
]


def example(network, *, m=5, seed=0, dtype="float64"):
    X = np.random.default_rng(seed).standard_normal((network.sizes[0], m)).astype(dtype)
    Y = np.zeros((network.sizes[-1], m), dtype=dtype)
    Y[0] = 1.0
    return mlpxp.initialize(network, seed=seed, dtype=dtype), X, Y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_library_is_right(hidden, output, loss, dtype):
    network = Network((3, 4, 2), hidden=hidden, output=output, loss=loss)
    check = check_gradients(network, *example(network, dtype=dtype), np.arange(1, 6).astype(dtype))
    analytic = ACTIVATIONS[hidden].analytic and ACTIVATIONS[output].analytic
    assert check.passed
    assert check
    assert [comparison.method for comparison in check.comparisons] == (["central", "complex", "dual"] if analytic else ["central", "dual"])
    assert [method for method, _ in check.skipped] == ([] if analytic else ["complex"])
    for comparison in check.comparisons:
        assert comparison.relative_error <= comparison.allowed
        if comparison.method != "central":
            assert comparison.relative_error <= 16 * np.finfo(dtype).eps


@pytest.mark.parametrize("batched", [False, True])
def test_on_every_backend(backend, to_device, batched):
    network = Network((2, 2, 2), hidden="relu", output="sigmoid", loss="binary_cross_entropy")  # few shapes: JAX compiles for each
    parameters, X, Y = example(network, m=2)
    X[:, 0] = 0.0  # with biases of zero each unit is at its kink
    check = check_gradients(network, *to_device((parameters, X, Y)), batched=batched)
    assert check.passed
    assert {(kink.layer, kink.kind) for kink in check.kinks} == {(1, "b")}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
def test_no_false_alarm_whatever_the_scale(output, loss, scale, dtype):
    """Inputs that nobody scaled: units saturate, and differences step over several kinks at once."""
    for seed, hidden in enumerate(HIDDEN):
        network = Network((3, 4, 2), hidden=hidden, output=output, loss=loss)
        parameters, X, Y = example(network, seed=seed, dtype=dtype)
        factor = min(scale, 1.0) if "exp" in (hidden, output) else scale  # it doesn't saturate, and e^100 is no float32
        check = check_gradients(network, parameters, np.asarray(factor, dtype=dtype) * X, Y)
        assert check.passed, check


# -------------------------------------------------------------------------------------------------------- wrong derivatives


def wrong(name, factor):
    right = ACTIVATIONS[name]
    return dataclasses.replace(right, name=f"wrong {name}", derivative=lambda Z, A, *error: factor * right.derivative(Z, A, *error))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HIDDEN)
def test_a_wrong_derivative_of_an_activation(name, dtype):
    network = Network((3, 4, 2), hidden=wrong(name, 1.05))
    check = check_gradients(network, *example(network, dtype=dtype))
    assert not check.passed
    assert not check
    assert check.worst.layer == 1
    for comparison in check.comparisons:
        assert not comparison.agrees
        if comparison.method != "central" or dtype == "float64":  # float32's differences are beside what they can tell from zero
            assert 0.04 < comparison.relative_error < 0.06


@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_a_wrong_derivative_of_the_output(name):
    network = Network((3, 4, 2), output=wrong(name, 1.001))
    check = check_gradients(network, *example(network))
    assert [comparison.agrees for comparison in check.comparisons] == [False] * 3


def test_a_wrong_derivative_of_a_loss():
    def value(A, Y):
        E = A - Y
        return namespace(E).sum(E * E * E * E, axis=-2)

    for factor, right in ((4.0, True), (3.0, False)):
        loss = Loss("fourth power", value, lambda A, Y, factor=factor: factor * (A - Y) ** 3)
        network = Network((3, 4, 2), hidden="tanh", loss=loss)
        assert check_gradients(network, *example(network)).passed is right


def test_a_pairing_that_is_none():
    """With the pairing the error is taken to be A - Y; of this loss it isn't."""
    doubled = dataclasses.replace(
        LOSSES["mse"],
        name="doubled",
        value=lambda A, Y: 2.0 * LOSSES["mse"].value(A, Y),
        value_from_logits=lambda Z, Y: 2.0 * LOSSES["mse"].value(Z, Y),
    )
    network = Network((3, 4, 2), output="identity", loss=doubled)
    check = check_gradients(network, *example(network))
    assert [comparison.relative_error for comparison in check.comparisons] == pytest.approx([0.5] * 3)


def test_one_wrong_entry_is_named(monkeypatch):
    network = Network((3, 4, 2), hidden="tanh")
    arrays = example(network)
    C, gradients = mlpxp.cost_and_gradients(network, *arrays)
    gradients[1].W[1, 2] += 1e-4
    monkeypatch.setattr("mlpxp.instruments.gradient_check.cost_and_gradients", lambda *_: (C, gradients))
    check = check_gradients(network, *arrays)
    assert not check.passed
    for comparison in check.comparisons:
        assert (comparison.layer, comparison.kind, comparison.index) == (2, "W", (1, 2))
        assert comparison.backprop - comparison.reference == pytest.approx(1e-4, rel=1e-5)
        assert comparison.backprop == gradients[1].W[1, 2]


@pytest.mark.parametrize("entry", [math.nan, math.inf])
def test_a_gradient_that_is_no_number(monkeypatch, entry):
    network = Network((3, 4, 2), hidden="tanh")
    arrays = example(network)
    C, gradients = mlpxp.cost_and_gradients(network, *arrays)
    gradients[0].b[3, 0] = entry
    monkeypatch.setattr("mlpxp.instruments.gradient_check.cost_and_gradients", lambda *_: (C, gradients))
    assert not check_gradients(network, *arrays).passed


def test_a_vanishing_gradient_is_checked_as_far_as_it_can_be():
    """Layer 1's gradients are ten million times smaller than the cost: differences can't tell, dual numbers can."""
    for hidden, agreeing in (("tanh", ["central", "complex", "dual"]), (wrong("tanh", 1.00005), ["central"])):
        network = Network((3, 4, 2), hidden=hidden)
        parameters, X, Y = example(network)
        parameters = (parameters[0], Layer(1e-7 * parameters[1].W, parameters[1].b))
        check = check_gradients(network, parameters, X, Y)
        assert [comparison.method for comparison in check.comparisons if comparison.agrees] == agreeing
        assert check.worst.layer == 1 or check.passed


def test_an_error_that_only_exact_methods_see():
    network = Network((3, 4, 2), hidden=wrong("tanh", 1.000001))
    check = check_gradients(network, *example(network))
    assert [comparison.agrees for comparison in check.comparisons] == [True, False, False]
    assert check.kinks == ()


# --------------------------------------------------------------------------------------------------------------------- kinks


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_kink_is_told_apart_from_an_error(name):
    network = Network((3, 4, 2), hidden=name)
    parameters, X, Y = example(network)
    X[:, 0] = 0.0  # z = 0 exactly for this example: its derivative there is a choice
    check = check_gradients(network, parameters, X, Y)
    assert check.passed
    assert {(kink.method, kink.layer, kink.kind) for kink in check.kinks} == {("central", 1, "b")}
    for kink in check.kinks:
        assert not kink.agrees
        assert naive_gradients(network, parameters, X, Y)[0].b[kink.index] == kink.reference


def test_a_kink_within_the_step():
    network = Network((1, 1), output="relu")
    x, y = np.asarray([[1.0]]), np.asarray([[2.0]])
    for b, at_kink in ((1e-6, True), (-1e-6, True), (1e-3, False)):
        parameters = (Layer(np.asarray([[0.0]]), np.asarray([[b]])),)
        check = check_gradients(network, parameters, x, y)
        assert check.passed
        assert len(check.kinks) == 2 * at_kink


def test_the_other_slope_at_a_kink_is_no_error_but_another_one_is():
    """ReLU'(0) = 1 is as good as 0, and ½ between them; 2 is wrong."""
    X, Y = np.zeros((1, 1)), np.asarray([[2.0]])
    parameters = (Layer(np.ones((1, 1)), np.zeros((1, 1))),)
    relu = ACTIVATIONS["relu"]
    for slope, right in ((1.0, True), (0.5, True), (2.0, False), (-1.0, False)):
        at_zero = dataclasses.replace(relu, name="at zero", derivative=lambda Z, A, slope=slope: namespace(A).full_like(A, slope))
        check = check_gradients(Network((1, 1), output=at_zero), parameters, X, Y)
        assert check.passed is right
        assert bool(check.kinks) is right


def test_a_wrong_derivative_hides_behind_no_kink():
    network = Network((3, 4, 2), hidden=wrong("relu", 1.05))
    parameters, X, Y = example(network)
    X[:, 0] = 0.0
    check = check_gradients(network, parameters, X, Y)
    assert not check.passed
    assert [comparison.agrees for comparison in check.comparisons] == [False, False]


def test_a_kink_of_your_own_that_was_not_announced():
    """An activation counts as analytic unless it says otherwise; branches on the real part give the right slope on either side."""
    mine = Activation(
        "mine", lambda Z: namespace(Z).maximum(Z, 0.25 * Z), lambda Z, A: namespace(A).where(A > 0.0, namespace(A).ones_like(A), 0.25)
    )
    network = Network((3, 4, 2), hidden=mine)
    assert check_gradients(network, *example(network)).passed


# ------------------------------------------------------------------------------------------------------------- tolerances


def test_a_tolerance_that_float32_can_not_reach():
    network = Network((3, 4, 2))
    with pytest.raises(mlpxp.RangeError, match=r"^tolerance must be at least 2.4e-05 in float32, got 1e-08: .*; use float64$"):
        check_gradients(network, *example(network, dtype="float32"), tolerance=1e-8)
    assert check_gradients(network, *example(network), tolerance=1e-8).passed
    with pytest.raises(mlpxp.RangeError, match=r"^tolerance must be at least 3.7e-11 in float64, got 1e-12: [^;]*$"):
        check_gradients(network, *example(network), tolerance=1e-12)


@pytest.mark.parametrize("tolerance", [0, -1e-6, math.nan, math.inf, "1e-6", True])
def test_tolerances_that_are_none(tolerance):
    network = Network((3, 4, 2))
    with pytest.raises(mlpxp.RangeError, match=r"^tolerance must be a positive number"):
        check_gradients(network, *example(network), tolerance=tolerance)


def test_a_tolerance_counts_for_every_method():
    network = Network((3, 4, 2), hidden=wrong("tanh", 1.01))
    for tolerance, right in ((0.02, True), (0.005, False)):
        check = check_gradients(network, *example(network), tolerance=tolerance)
        assert check.passed is right
        assert {comparison.allowed for comparison in check.comparisons} == {tolerance}


# -------------------------------------------------------------------------------------------------- what it says and refuses


def test_what_can_not_be_followed_is_skipped_and_said():
    by_hand = Activation("by hand", np.tanh, lambda Z, A: 1.0 - A * A)  # NumPy's own, which follows nothing else
    network = Network((3, 4, 2), hidden=by_hand)
    check = check_gradients(network, *example(network))
    assert check.passed
    assert [comparison.method for comparison in check.comparisons] == ["central"]
    assert [method for method, _ in check.skipped] == ["complex", "dual"]
    assert "dual    not used: " in str(check)


def test_what_it_prints():
    network = Network((3, 4, 2), hidden="relu")
    parameters, X, Y = example(network)
    X[:, 0] = 0.0
    lines = str(check_gradients(network, parameters, X, Y)).splitlines()
    assert lines[0] == "gradients agree"
    assert lines[1].startswith("central ")
    assert "allowed 1.2e-05" in lines[1]
    assert "backprop" in lines[1]
    assert lines[2].startswith("dual ")
    assert lines[3] == "complex not used: method 'complex' needs functions that are analytic, and relu is not: use 'central' or 'dual'"
    assert lines[4] == "at a kink, where slopes differ to the left and to the right (4):"
    assert "b_1[0, 0]" in lines[5]
    network = Network((3, 4, 2), hidden=wrong("tanh", 1.05))
    assert str(check_gradients(network, *example(network))).startswith("gradients differ\n")


def test_nothing_to_compare_is_no_pass():
    check = GradientCheck((), (), (("central", "because"),))
    assert not check.passed
    assert check.worst is None
    assert str(check) == "gradients could not be compared\ncentral not used: because"


def test_everything_zero():
    """At a minimum with a cost of 0 every gradient is 0 by every method."""
    network = Network((2, 1), output="identity")
    parameters = mlpxp.initialize(network, seed=0, dtype="float64", scheme="zeros")
    check = check_gradients(network, parameters, np.ones((2, 3)), np.zeros((1, 3)))
    assert check.passed


def test_what_the_library_refuses_elsewhere():
    network = Network((3, 4, 2))
    parameters, X, Y = example(network)
    with pytest.raises(mlpxp.ShapeError):
        check_gradients(network, parameters, X.T, Y)
    with pytest.raises(mlpxp.ShapeError, match="got a stack"):
        check_gradients(network, mlpxp.stack([parameters, parameters]), X, Y)
    with pytest.raises(mlpxp.DtypeError):
        check_gradients(network, parameters, X.astype("int64"), Y)
