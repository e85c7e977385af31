"""A table of Keras' weights as a model. Keras is not here: its dense layer is written out."""

import itertools

import numpy as np
import pytest

from mlpxp import (
    ACTIVATIONS,
    BackendError,
    DtypeError,
    Network,
    PairingError,
    RangeError,
    ShapeError,
    UnknownNameError,
    from_keras_weights,
    predict,
)

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((20, 4))


def weights(*sizes, dtype="float32", bias=True):
    drawn = []
    for n_in, n in itertools.pairwise(sizes):
        drawn += [DRAW.standard_normal((n_in, n)).astype(dtype), *([DRAW.standard_normal(n).astype(dtype)] if bias else [])]
    return drawn


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_those_of_dense_layers(dtype):
    table = weights(4, 6, 5, 3, dtype=dtype)
    model = from_keras_weights(table, activations=["relu", "swish", "softmax"])
    assert model.network == Network((4, 6, 5, 3), hidden=("relu", "silu"), output="softmax", loss="cross_entropy")
    assert model.dtype == dtype
    W1, b1, W2, b2, W3, b3 = table
    rows = X.astype(dtype)
    H = np.maximum(rows @ W1 + b1, 0.0) @ W2 + b2
    wanted = softmax((H / (1.0 + np.exp(-H))) @ W3 + b3)
    got = predict(model.network, model.parameters, rows.T).T
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)


def test_layers_without_biases_and_one_without_activation():
    table = [*weights(4, 4, bias=False), *weights(4, 1)]
    model = from_keras_weights(table, activations=[None, "linear"], loss="mse")
    assert not model.parameters[0].b.any()
    np.testing.assert_allclose(
        predict(model.network, model.parameters, X.T.astype("float32")).T, X @ table[0] @ table[1] + table[2], atol=1e-5
    )


def test_the_library_is_that_of_the_weights(backend):
    table = [backend.asarray(each) for each in weights(4, 3, 1)]
    model = from_keras_weights(table, activations=["tanh", "sigmoid"])
    assert all(type(array) is type(table[0]) for layer in model.parameters for array in layer)
    assert np.array_equal(backend.to_numpy(model.parameters[0].W), backend.to_numpy(table[0]).T)


def test_the_weights_are_copied():
    table = weights(4, 1, 1)
    model = from_keras_weights(table, activations=["tanh", "sigmoid"])
    assert not any(np.shares_memory(array, each) for layer in model.parameters for array in layer for each in table)
    assert all(array.flags.c_contiguous for layer in model.parameters for array in layer)


def test_activations_that_are_ours():
    model = from_keras_weights(weights(4, 3, 1), activations=[ACTIVATIONS["gelu"], "exponential"])
    assert (model.network.hidden[0].name, model.network.output.name, model.network.loss.name) == ("gelu", "exp", "poisson")


TABLE = weights(4, 3, 1)


@pytest.mark.parametrize(
    ("table", "options", "error", "says"),
    [
        ([], {}, ShapeError, "at least one Dense layer"),
        ([TABLE[1]], {}, ShapeError, r"weights\[0\] must be the kernel \(n_in, n\) of a Dense layer, .* got shape \(3,\)"),
        ([*TABLE[:2], TABLE[1]], {}, ShapeError, r"weights\[2\]"),
        ([TABLE[0], np.zeros(4, dtype="float32")], {}, ShapeError, r"weights\[1\]"),
        ([TABLE[0], TABLE[0]], {}, ShapeError, r"weights\[1\] must be a kernel of shape \(3, \.\.\.\), .* got \(4, 3\)"),
        ([np.zeros((3, 3, 1, 8), dtype="float32")], {}, ShapeError, "layers of other kinds have no place here"),
        ([[[1.0]]], {}, BackendError, r"weights\[0\] must be an array, got list"),
        ([TABLE[0].astype("int64")], {"activations": ["relu"]}, DtypeError, "W_1 must have a real floating dtype"),
        ([each.astype("float16") for each in TABLE], {}, DtypeError, "must be float32 or float64, got float16"),
        ([each.astype("longdouble") for each in TABLE], {}, DtypeError, f"must be float32 or float64, got {np.dtype('longdouble')}"),
        ([TABLE[0], TABLE[1].astype("float64")], {"activations": ["relu"]}, DtypeError, "b_1 must have the dtype of W_1"),
        (TABLE, {"activations": ["relu"]}, RangeError, "one for each of the 2 layers, the last one's too, got 1"),
        (TABLE, {"activations": "relu"}, RangeError, "got 'relu'"),
        (TABLE, {"activations": ["gelu", "linear"]}, UnknownNameError, "error function"),
        (TABLE, {"activations": ["leaky_relu", "linear"]}, UnknownNameError, "leaks 0.2"),
        (TABLE, {"activations": ["relu", "hard_sigmoid"]}, UnknownNameError, "'hard_sigmoid' of layer 2 can't be taken from Keras: wanted"),
        (TABLE, {"activations": ["relu", 3]}, UnknownNameError, "wanted a name"),
        (TABLE, {"activations": ["relu", "softmax"]}, PairingError, "at least two outputs"),
        (TABLE, {"loss": "cross_entropy"}, PairingError, "use output='softmax'"),
    ],
)  # fmt: skip
def test_tables_that_are_no_network(table, options, error, says):
    with pytest.raises(error, match=says) as caught:
        from_keras_weights(table, **{"activations": ["relu", "linear"]} | options)
    assert "\n" not in str(caught.value)
