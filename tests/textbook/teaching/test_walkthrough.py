"""The walkthrough's numbers are the heart's, and those worked by hand."""

from fractions import Fraction

import numpy as np
import pytest

import mlpxp
from mlpxp import GradientDescent, Layer, Loss, Network, RangeError, ShapeError, initialize
from mlpxp.arrays.standard import namespace
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.walkthrough import walk_through


def same(one, other):
    return tuple(one.shape) == tuple(other.shape) and bool(namespace(one).all(one == other))


def column(*values):
    return np.asarray(values, dtype="float64")[:, None]


def by_hand():
    """The 2-3-1 network of tests/core/test_propagation.py, y = 1 for x = (1, 2), with η = 1/2."""
    parameters = (
        Layer(np.asarray([[1.0, -1.0], [0.5, 0.5], [2.0, -0.5]]), column(0.0, -0.5, 1.0)),
        Layer(np.asarray([[3.0, 2.0, -1.0]]), column(0.0)),
    )
    return walk_through(Network((2, 3, 1), hidden="relu"), parameters, column(1.0, 2.0), column(1.0), learning_rate=0.5)


def test_every_number_of_one_example_by_hand():
    wanted = [  # the values are derived there, equation by equation
        ("F1", "Z_1 = W_1 A_0 + b_1", [[-1], [1], [2]]),
        ("F2", "A_1 = relu(Z_1)", [[0], [1], [2]]),
        ("F1", "Z_2 = W_2 A_1 + b_2", [[0]]),
        ("F2", "A_2 = sigmoid(Z_2)", [[0.5]]),
        ("C1", "C = 1/(2m) Σ_i ‖ŷ_i - y_i‖²", 0.125),
        ("B1", "delta_2 = (A_2 - Y) / m ⊙ sigmoid'(Z_2)", [[-0.125]]),
        ("B3", "∂C/∂W_2 = delta_2 A_1ᵀ", [[0, -0.125, -0.25]]),
        ("B4", "∂C/∂b_2 = Σ_i delta_2, over the examples", [[-0.125]]),
        ("B2", "delta_1 = (W_2ᵀ delta_2) ⊙ relu'(Z_1)", [[0], [-0.25], [0.125]]),
        ("B3", "∂C/∂W_1 = delta_1 A_0ᵀ", [[0, 0], [-0.25, -0.5], [0.125, 0.25]]),
        ("B4", "∂C/∂b_1 = Σ_i delta_1, over the examples", [[0], [-0.25], [0.125]]),
        ("G1", "W_1 ← W_1 - η ∂C/∂W_1", [[1, -1], [0.625, 0.75], [1.9375, -0.625]]),
        ("G1", "b_1 ← b_1 - η ∂C/∂b_1", [[0], [-0.375], [0.9375]]),
        ("G1", "W_2 ← W_2 - η ∂C/∂W_2", [[3, 2.0625, -0.875]]),
        ("G1", "b_2 ← b_2 - η ∂C/∂b_2", [[0.0625]]),
    ]
    steps = by_hand().steps
    assert [(step.tag, step.equation, step.values.tolist()) for step in steps] == wanted
    assert [step.shape for step in steps] == [np.shape(values) for *_, values in wanted]


PAIRINGS = [
    ("sigmoid", "sigmoid", "mse", "C1", "delta_3 = (A_3 - Y) / m ⊙ sigmoid'(Z_3)"),
    ("tanh", "sigmoid", "binary_cross_entropy", "C2", "delta_3 = (A_3 - Y) / m"),
    ("gelu", "softmax", "cross_entropy", "C3", "delta_3 = (A_3 - Y) / m"),
    ("relu", "softmax", "mse", "C1", "delta_3 = Jᵀ ∂C/∂A_3, J = ∂A_3/∂Z_3 of softmax"),
    ("tanh", "softplus", "poisson", "C", "delta_3 = ∂C/∂A_3 ⊙ softplus'(Z_3)"),
]


@pytest.mark.parametrize(("hidden", "output", "loss", "cost_tag", "output_error"), PAIRINGS)
def test_it_is_the_library_s_forward_cost_backward_and_update_to_the_bit(backend, hidden, output, loss, cost_tag, output_error):
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)
    parameters = initialize(network, seed=0, backend=backend)
    random = np.random.default_rng(0)
    X = backend.asarray(random.standard_normal((3, 5)), dtype="float32")
    Y = backend.asarray(np.eye(2)[:, random.integers(0, 2, 5)], dtype="float32")
    walk = walk_through(network, parameters, X, Y, learning_rate=0.25)
    trace = mlpxp.forward(network, parameters, X)
    gradients = mlpxp.backward(network, parameters, trace, Y)
    optimizer = GradientDescent(0.25)
    updated, _ = optimizer.update(parameters, gradients, optimizer.start(parameters))
    for l, (passed, layer, gradient, new) in enumerate(zip(trace, parameters, gradients, updated, strict=True), start=1):
        assert same(walk[f"Z{l}"].values, layer.W @ passed.A_in + layer.b)
        assert same(walk[f"A{l}"].values, passed.A)
        assert same(walk[f"delta{l}"].values @ passed.A_in.mT, walk[f"∂C/∂W{l}"].values)
        assert same(walk[f"∂C/∂W{l}"].values, gradient.W)
        assert same(walk[f"∂C/∂b{l}"].values, gradient.b)
        assert same(walk[f"W{l}"].values, new.W)
        assert same(walk[f"b{l}"].values, new.b)
    assert same(walk["C"].values, mlpxp.cost(network, trace, Y))
    assert (walk["C"].tag, walk["delta3"].equation) == (cost_tag, output_error)
    order = [step.tag for step in walk.steps]
    assert order == ["F1", "F2"] * 3 + [cost_tag, "B1", "B3", "B4"] + ["B2", "B3", "B4"] * 2 + ["G1"] * 6


def test_shapes_of_the_notes_3_2_1():
    """F3, and what the equations make of it for two examples."""
    network = Network((3, 2, 1))
    walk = walk_through(network, initialize(network, seed=0, dtype="float64"), *examples("textbook"))
    shapes = {step.name: step.shape for step in walk.steps}
    assert shapes == {
        "Z1": (2, 2),
        "A1": (2, 2),
        "Z2": (1, 2),
        "A2": (1, 2),
        "C": (),
        "delta2": (1, 2),
        "∂C/∂W2": (1, 2),
        "∂C/∂b2": (1, 1),
        "delta1": (2, 2),
        "∂C/∂W1": (2, 3),
        "∂C/∂b1": (2, 1),
        "W1": (2, 3),
        "b1": (2, 1),
        "W2": (1, 2),
        "b2": (1, 1),
    }


@pytest.mark.parametrize(("hidden", "output", "loss", "cost_tag", "output_error"), PAIRINGS)
def test_an_example_s_columns_and_terms_add_up_to_the_whole(hidden, output, loss, cost_tag, output_error):
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)
    random = np.random.default_rng(1)
    X, Y = random.standard_normal((3, 5)), np.eye(2)[:, random.integers(0, 2, 5)]
    walk = walk_through(network, initialize(network, seed=0, dtype="float64"), X, Y)
    examples_of = [{step.tag + str(step.layer): step for step in walk.example(index)} for index in range(5)]
    for step in walk.steps:
        if step.tag == "G1":
            continue
        parts = [one[step.tag + str(step.layer)].values for one in examples_of]
        if step.by_example:
            assert all(same(part, step.values[:, [index]]) for index, part in enumerate(parts))
        elif step.tag == cost_tag:
            assert np.mean(parts) == pytest.approx(float(step.values), rel=1e-14)
        else:
            assert parts[0].shape == step.shape
            np.testing.assert_allclose(sum(parts), step.values, rtol=1e-12, atol=1e-16)
    assert [step.name for step in walk.example(0)] == [{"C": "ℓ"}.get(step.name, step.name) for step in walk.steps if step.tag != "G1"]


def test_an_example_by_hand():
    """The one example of one is the whole of it."""
    walk = by_hand()
    steps = {step.name: step for step in walk.example(0)}
    assert Fraction(float(steps["ℓ"].values)) == Fraction(1, 8)
    assert steps["ℓ"].equation == "ℓ = ½ ‖ŷ - y‖²"
    assert steps["∂C/∂W1"].values.tolist() == [[0, 0], [-0.25, -0.5], [0.125, 0.25]]
    assert steps["∂C/∂W1"].equation == "delta_1 A_0ᵀ, its term of ∂C/∂W_1"
    for wrong in (-1, 1, 0.0, True, None):
        with pytest.raises(RangeError, match="example must be a whole number from 0 to 0"):
            walk.example(wrong)


def test_a_loss_of_one_s_own_and_no_hidden_layer():
    quartic = Loss("quartic", lambda A, Y: ((A - Y) ** 4).sum(axis=-2), lambda A, Y: 4.0 * (A - Y) ** 3)
    network = Network((1, 1), output="identity", loss=quartic)
    walk = walk_through(network, (Layer(column(2.0), column(0.0)),), column(1.0), column(1.0))
    assert (walk["C"].tag, walk["C"].equation, float(walk["C"].values)) == ("C", "C = 1/m Σ_i quartic(ŷ_i, y_i)", 1.0)
    assert walk["delta1"].values.tolist() == [[4.0]]


def test_nothing_that_came_in_is_changed():
    network = Network((2, 2, 1))
    parameters = initialize(network, seed=0, dtype="float64")
    before = [array.copy() for layer in parameters for array in layer]
    X, Y = examples("xor")
    walk_through(network, parameters, X, Y)
    assert all(same(old, new) for old, new in zip(before, (a for layer in parameters for a in layer), strict=True))
    assert same(X, examples("xor")[0])


def test_what_can_t_be_walked_through():
    network = Network((2, 2, 1))
    X, Y = examples("xor")
    with pytest.raises(ShapeError, match="a walkthrough shows one network, got a stack"):
        walk_through(network, initialize(network, seed=(0, 1), dtype="float64"), X, Y)
    with pytest.raises(ShapeError, match="X must have shape"):
        walk_through(network, initialize(network, seed=0, dtype="float64"), X.T, Y)
    with pytest.raises(RangeError, match="learning_rate"):
        walk_through(network, initialize(network, seed=0, dtype="float64"), X, Y, learning_rate=-1.0)
    with pytest.raises(KeyError, match="Z9"):
        by_hand()["Z9"]
