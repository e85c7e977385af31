"""One example's numbers are those of the library, and its equations hold between them."""

import numpy as np
import pytest

import mlpxp
from mlpxp.textbook.lesson._choices import Choices
from mlpxp.textbook.lesson._examples import built_in, from_csv
from mlpxp.textbook.lesson._lesson import advance, begin
from mlpxp.textbook.lesson._numbers import numbers_of

THREE = "a,b,c\n0,0,x\n1,0,y\n0,1,z\n1,1,x\n2,1,y\n1,2,z\n"


@pytest.mark.parametrize("method", ["backpropagation", "naive"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("data", ["xor", "three"])
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_they_are_the_librarys(data, loss, activation, method):
    examples = built_in("xor") if data == "xor" else from_csv(THREE)
    lesson = advance(begin(Choices(widths=(3, 2), loss=loss, activation=activation, learning_rate=0.1), examples), 5)
    x, y = examples.X[:, 2:3], examples.Y[:, 2:3]
    found = {one.name: one for one in numbers_of(lesson.network, lesson.parameters, x, y, method=method)}
    trace = mlpxp.forward(lesson.network, lesson.parameters, x)
    gradients = mlpxp.backward(lesson.network, lesson.parameters, trace, y)
    naive = mlpxp.naive_gradients(lesson.network, lesson.parameters, x, y)
    for l, (layer, passed, gradient, moved) in enumerate(zip(lesson.parameters, trace, gradients, naive, strict=True), start=1):
        np.testing.assert_array_equal(found[f"A{l}"].values, passed.A)
        np.testing.assert_array_equal(found[f"Z{l}"].values, layer.W @ found[f"A{l - 1}"].values + layer.b)  # F1
        np.testing.assert_array_equal(found[f"∂C/∂W{l}"].values, (moved if method == "naive" else gradient).W)
        np.testing.assert_array_equal(found[f"∂C/∂b{l}"].values, (moved if method == "naive" else gradient).b)
        assert (f"delta{l}" in found) == (method == "backpropagation")
        if method == "backpropagation":
            np.testing.assert_allclose(gradient.W, found[f"delta{l}"].values @ found[f"A{l - 1}"].values.T, rtol=1e-14)  # B3
    assert found["C"].values == mlpxp.cost(lesson.network, trace, y)
    tags = [one.tag for one in found.values() if one.tag]
    assert tags[:6] == ["F1", "F2"] * 3
    assert tags[6] == {"mse": "C1", "cross_entropy": "C2" if data == "xor" else "C3"}[loss]
    assert tags[7:] == (["K1"] * 6 if method == "naive" else ["B1", "B3", "B4", "B2", "B3", "B4", "B2", "B3", "B4"])
    assert all(f"_{one.name[-1]}" in one.equation for one in found.values() if one.name[-1].isdigit())


def test_the_output_error_by_hand():
    examples = built_in("xor")
    for loss in ("cross_entropy", "mse"):
        lesson = begin(Choices(widths=(), loss=loss), examples)
        found = {one.name: one for one in numbers_of(lesson.network, lesson.parameters, examples.X[:, 1:2], examples.Y[:, 1:2])}
        a = float(found["A1"].values[0, 0])
        wanted = (a - 1.0) * (1.0 if loss == "cross_entropy" else a * (1.0 - a))  # B1
        assert found["delta1"].values[0, 0] == pytest.approx(wanted, rel=1e-14)
        assert found["delta1"].equation == "delta_1 = (A_1 - Y) / m" + ("" if loss == "cross_entropy" else " ⊙ sigmoid'(Z_1)")
