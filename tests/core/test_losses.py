"""Each loss and its derivative against 50 digits, and the forms on logits where the naive ones overflow."""

import missing
import numpy as np
import pytest

from mlpxp import ACTIVATIONS, LOSSES, Loss, RangeError, UnknownNameError
from mlpxp.core.losses import find_loss

mpmath = missing.optional("mpmath")
mp, mpf = mpmath.mp, mpmath.mpf

EXACT = {  # name -> (one output's part of the loss, its derivative)
    "mse": (lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y),  # C1
    "binary_cross_entropy": (lambda a, y: -(y * mp.log(a) + (1 - y) * mp.log(1 - a)), lambda a, y: (a - y) / (a * (1 - a))),  # C2
    "cross_entropy": (lambda a, y: -y * mp.log(a), lambda a, y: -y / a),  # C3
    "poisson": (lambda a, y: y * mp.log(y / a) - y + a, lambda a, y: 1 - y / a),
}


@pytest.fixture(autouse=True)
def fifty_digits():
    before, mp.dps = mp.dps, 50
    yield
    mp.dps = before


def predictions_and_targets(dtype):
    draw = np.random.default_rng(1)
    return draw.uniform(0.01, 0.99, (3, 7)).astype(dtype), draw.uniform(0.0, 1.0, (3, 7)).astype(dtype)


def elementwise(function, A, Y):
    return np.asarray([[function(mpf(float(a)), mpf(float(y))) for a, y in zip(*rows, strict=True)] for rows in zip(A, Y, strict=True)])


def largest_relative_error(got, wanted):
    return max(float(abs((mpf(float(g)) - w) / w)) for g, w in zip(got.ravel(), wanted.ravel(), strict=True))


def test_the_oracle_knows_every_loss():
    assert set(EXACT) == set(LOSSES)
    assert {loss.name for loss in LOSSES.values()} == set(LOSSES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_value_is_one_number_an_example(backend, name, dtype):
    A, Y = predictions_and_targets(dtype)
    got = backend.to_numpy(LOSSES[name].value(backend.asarray(A, dtype=dtype), backend.asarray(Y, dtype=dtype)))
    wanted = elementwise(EXACT[name][0], A, Y).sum(axis=0)
    assert got.shape == (7,)
    assert got.dtype == dtype
    assert largest_relative_error(got, wanted) <= 32 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_derivative(backend, name, dtype):
    A, Y = predictions_and_targets(dtype)
    got = backend.to_numpy(LOSSES[name].derivative(backend.asarray(A, dtype=dtype), backend.asarray(Y, dtype=dtype)))
    assert got.dtype == dtype
    assert largest_relative_error(got, elementwise(EXACT[name][1], A, Y)) <= 8 * np.finfo(dtype).eps


@pytest.mark.parametrize("scale", [1, 3, 30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binary_cross_entropy_from_logits(backend, dtype, scale):
    draw = np.random.default_rng(2)
    Z = (scale * draw.standard_normal((1, 50))).astype(dtype)
    Y = draw.integers(0, 2, (1, 50)).astype(dtype)
    got = backend.to_numpy(
        LOSSES["binary_cross_entropy"].value_from_logits(backend.asarray(Z, dtype=dtype), backend.asarray(Y, dtype=dtype))
    )
    wanted = elementwise(lambda z, y: mp.log1p(mp.exp(-z)) if y else mp.log1p(mp.exp(z)), Z, Y)
    assert largest_relative_error(got, wanted) <= 16 * np.finfo(dtype).eps  # also where it is as small as 1e-26


@pytest.mark.parametrize("scale", [1, 3, 30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_from_logits(backend, dtype, scale):
    draw = np.random.default_rng(3)
    Z = (scale * draw.standard_normal((4, 50))).astype(dtype)
    Y = np.eye(4, dtype=dtype)[:, draw.integers(0, 4, 50)]
    got = backend.to_numpy(LOSSES["cross_entropy"].value_from_logits(backend.asarray(Z, dtype=dtype), backend.asarray(Y, dtype=dtype)))
    for loss, z, y in zip(got, Z.T, Y.T, strict=True):
        wanted = mp.log(sum(mp.exp(mpf(float(each)) - mpf(float(z[y == 1][0]))) for each in z))
        assert abs(mpf(float(loss)) - wanted) <= 16 * np.finfo(dtype).eps * max(1.0, float(wanted))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("z", "y", "loss"),
    [(1000.0, 0.0, 1000.0), (1000.0, 1.0, 0.0), (-1000.0, 1.0, 1000.0), (-1000.0, 0.0, 0.0), (1000.0, 0.25, 750.0), (-1000.0, 0.25, 250.0)],
)
def test_binary_cross_entropy_is_exact_where_the_probability_is_0_or_1(backend, dtype, z, y, loss):
    Z, Y = (backend.asarray(np.full((1, 1), value), dtype=dtype) for value in (z, y))
    assert backend.to_numpy(LOSSES["binary_cross_entropy"].value_from_logits(Z, Y)).tolist() == [loss]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("logits", "target", "loss"),
    [
        ([1000.0, -1000.0, 0.0], [1.0, 0.0, 0.0], 0.0),
        ([1000.0, -1000.0, 0.0], [0.0, 1.0, 0.0], 2000.0),
        ([1000.0, -1000.0, 0.0], [0.0, 0.0, 1.0], 1000.0),
        ([1000.0, -1000.0, 0.0], [0.5, 0.25, 0.25], 750.0),
    ],
)
def test_cross_entropy_is_exact_where_a_probability_is_0(backend, dtype, logits, target, loss):
    Z, Y = (backend.asarray(np.asarray(column)[:, None], dtype=dtype) for column in (logits, target))
    assert backend.to_numpy(LOSSES["cross_entropy"].value_from_logits(Z, Y)).tolist() == [loss]


# ------------------------------------------------------------------------------------------------------------- poisson


@pytest.mark.parametrize("scale", [1, 3, 20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_poisson_from_logits(backend, dtype, scale):
    draw = np.random.default_rng(5)
    Z = (scale * draw.standard_normal((1, 50))).astype(dtype)
    Y = draw.poisson(2.0, (1, 50)).astype(dtype)
    got = backend.to_numpy(LOSSES["poisson"].value_from_logits(backend.asarray(Z, dtype=dtype), backend.asarray(Y, dtype=dtype)))
    wanted = elementwise(lambda z, y: (y * (mp.log(y) - z) if y else 0) - y + mp.exp(z), Z, Y).sum(axis=0)
    summands = np.exp(Z) + Y * (2.0 + np.abs(Z))  # the loss is 0 where ŷ = y, and their rounding errors stay
    errors = np.asarray([float(abs(mpf(float(g)) - w)) for g, w in zip(got, wanted, strict=True)])
    assert np.all(errors <= 8 * np.finfo(dtype).eps * summands[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_count_of_0_costs_what_was_predicted(backend, dtype):
    """Ln 0 is never taken, and where e^z has underflown 0/0 isn't either: both would warn, and make a NaN."""
    A = np.asarray([[0.0, 1e-30, 0.25, 3.0]], dtype=dtype)
    Y = backend.asarray(np.zeros_like(A), dtype=dtype)
    poisson = LOSSES["poisson"]
    assert backend.to_numpy(poisson.value(backend.asarray(A, dtype=dtype), Y)).tolist() == A[0].tolist()
    assert backend.to_numpy(poisson.derivative(backend.asarray(A, dtype=dtype), Y)).tolist() == [[1.0] * 4]
    Z = backend.asarray(np.asarray([[-1000.0, -80.0, 0.0]]), dtype=dtype)
    from_logits = backend.to_numpy(poisson.value_from_logits(Z, Y[:, :3])).tolist()
    assert from_logits == pytest.approx([0.0, np.exp(-80.0), 1.0], rel=float(16 * np.finfo(dtype).eps), abs=0)


def test_poisson_is_exact_where_the_prediction_underflows(backend):
    """Ŷ = e^{-1000} is 0 in any dtype, and the loss y ln y - yz - y all the same what it is."""
    Z, Y = backend.asarray(np.full((1, 1), -1000.0), dtype="float64"), backend.asarray(np.ones((1, 1)), dtype="float64")
    assert backend.to_numpy(LOSSES["poisson"].value_from_logits(Z, Y)).tolist() == [999.0]


def test_poisson_is_half_of_scikit_learns_deviance():
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(6)
    A, Y = draw.uniform(0.1, 5.0, (1, 40)), draw.poisson(1.0, (1, 40)).astype("float64")
    assert 0.0 in Y
    assert LOSSES["poisson"].value(A, Y).mean() == pytest.approx(metrics.mean_poisson_deviance(Y[0], A[0]) / 2, rel=1e-14)


@pytest.mark.parametrize(("loss", "output"), [(loss.name, loss.pairing) for loss in LOSSES.values()])
def test_with_its_natural_output_the_derivative_in_z_is_a_minus_y(backend, loss, output):
    loss, activation = LOSSES[loss], ACTIVATIONS[output]
    Z = np.random.default_rng(4).standard_normal((3, 6))
    Y = np.eye(3)[:, [0, 1, 2, 2, 1, 0]]
    Z, Y = backend.asarray(Z, dtype="float64"), backend.asarray(Y, dtype="float64")
    A = activation.function(Z)
    by_the_chain_rule = backend.to_numpy(activation.pull_back(loss.derivative(A, Y), Z, A))  # B1
    assert np.allclose(by_the_chain_rule, backend.to_numpy(A - Y), rtol=0, atol=1e-15)
    assert np.allclose(backend.to_numpy(loss.value(A, Y)), backend.to_numpy(loss.value_from_logits(Z, Y)), rtol=1e-14, atol=0)


@pytest.mark.parametrize("loss", LOSSES.values())
def test_no_input_is_touched(loss):
    A, Y = predictions_and_targets("float64")
    before = A.tobytes(), Y.tobytes()
    for function in (loss.value, loss.derivative, loss.value_from_logits):
        function(A, Y)
    assert (A.tobytes(), Y.tobytes()) == before


def test_names_are_found_and_values_are_returned():
    assert find_loss("mse") is LOSSES["mse"]
    own = Loss("own", LOSSES["mse"].value, LOSSES["mse"].derivative)
    assert find_loss(own) is own
    assert repr(own) == "<loss own>"


@pytest.mark.parametrize("name", ["hinge", "", "MSE", None, ["mse"]])
def test_unknown_name(name):
    with pytest.raises(
        UnknownNameError, match="loss must be one of mse, binary_cross_entropy, cross_entropy, poisson or a Loss, got"
    ) as caught:
        find_loss(name)
    assert isinstance(caught.value, ValueError)


def test_a_pairing_needs_the_loss_on_logits():
    with pytest.raises(RangeError, match="'own' has the pairing 'sigmoid' and so needs value_from_logits, got None"):
        Loss("own", LOSSES["mse"].value, LOSSES["mse"].derivative, pairing="sigmoid")
