"""Whatever comes to the core's doors: a right answer, by plain NumPy in more digits, or an MlpxpError."""

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from soak.cases import BROKEN, HUGE, LARGE, LAYOUTS, TAME, TINY, ZERO, cases, laid_out, values

from mlpxp import Adam, GradientDescent, Layer, MlpxpError, Network, cost, cost_and_gradients, forward, predict, train

LONG = np.longdouble
SIGMA = {  # σ and σ' in long double
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(LONG)),
    "softplus": (lambda z: np.logaddexp(z, 0), lambda z: 1 / (1 + np.exp(-z))),
    "silu": (lambda z: z / (1 + np.exp(-z)), lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2),
}
HEADS = [("identity", "mse"), ("sigmoid", "mse"), ("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"), ("tanh", "mse")]
SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=4)
SEEDS = st.integers(0, 2**32 - 1)


def network_of(sizes, hidden, head):
    output, loss = head
    if output == "softmax":
        sizes = [*sizes[:-1], sizes[-1] + 1]
    return Network(sizes, hidden=hidden, output=output, loss=loss)


def parameters_of(network, seed, dtype, layout, kind=TAME):
    return tuple(
        Layer(laid_out(values(shape, kind, [seed, i], dtype), layout), laid_out(values((shape[0], 1), kind, [seed, i, 1], dtype), layout))
        for i, shape in enumerate(network.shapes)
    )


def targets_of(network, m, seed, dtype):
    random = np.random.default_rng(seed)
    n = network.sizes[-1]
    if network.loss.name == "cross_entropy":
        return np.eye(n)[random.integers(0, n, m)].T.astype(dtype)
    return (random.random((n, m)) if network.loss.name == "binary_cross_entropy" else random.normal(size=(n, m))).astype(dtype)


def by_hand(network, parameters, X, Y, weights):
    """Cost and gradients of one example after the other, in long double."""
    total = LONG(0)
    sums = [(np.zeros(W.shape, LONG), np.zeros(b.shape, LONG)) for W, b in parameters]
    w = np.ones(X.shape[1], LONG) if weights is None else weights.astype(LONG)
    nearest = np.inf
    for i in range(X.shape[1]):
        A, trace = [X[:, i : i + 1].astype(LONG)], []
        for (W, b), activation in zip(parameters, network.activations, strict=True):
            Z = W.astype(LONG) @ A[-1] + b.astype(LONG)
            nearest = min(nearest, np.abs(Z).min()) if activation.name == "relu" else nearest
            trace.append(Z)
            A.append(np.exp(Z - Z.max()) / np.exp(Z - Z.max()).sum() if activation.name == "softmax" else SIGMA[activation.name][0](Z))
        y, a = Y[:, i : i + 1].astype(LONG), A[-1]
        if network.loss.name == "mse":
            loss, delta = ((a - y) ** 2).sum() / 2, (a - y) * SIGMA[network.output.name][1](trace[-1])
        elif network.loss.name == "cross_entropy":
            loss, delta = -(y * (trace[-1] - trace[-1].max() - np.log(np.exp(trace[-1] - trace[-1].max()).sum()))).sum(), a - y
        else:
            loss, delta = (np.logaddexp(0, trace[-1]) - y * trace[-1]).sum(), a - y
        total += w[i] * loss
        for k in reversed(range(len(parameters))):
            sums[k][0][...] += w[i] * delta @ A[k].T
            sums[k][1][...] += w[i] * delta
            if k:
                delta = parameters[k].W.astype(LONG).T @ delta * SIGMA[network.activations[k - 1].name][1](trace[k - 1])
    return total / w.sum(), [(W / w.sum(), b / w.sum()) for W, b in sums], nearest


def close(got, wanted, dtype, scale=None):
    largest = max(1e-30, float(np.abs(wanted).max()) if scale is None else scale)
    assert np.abs(np.asarray(got, LONG) - wanted).max() <= {"float32": 2e-5, "float64": 1e-13}[dtype] * 20 * largest, (got, wanted)


@cases(
    60,
    sizes=SIZES,
    hidden=st.sampled_from(sorted(SIGMA)),
    head=st.sampled_from(HEADS),
    m=st.integers(1, 5),
    dtype=st.sampled_from(["float32", "float64"]),
    kind=st.sampled_from([TAME, TINY, ZERO]),
    layouts=st.tuples(LAYOUTS, LAYOUTS, LAYOUTS),
    weighted=st.sampled_from([None, "some", "zeros"]),
    seed=SEEDS,
)
def test_cost_and_gradients_are_those_of_one_example_after_the_other(sizes, hidden, head, m, dtype, kind, layouts, weighted, seed):
    network = network_of(sizes, hidden, head)
    parameters = parameters_of(network, seed, dtype, layouts[0])
    X, Y = values((network.sizes[0], m), kind, [seed, 7], dtype), targets_of(network, m, seed, dtype)
    weights = None if weighted is None else np.random.default_rng(seed).random(m).astype(dtype)
    if weighted == "zeros":
        weights[: m // 2] = 0.0
    wanted, gradients, nearest = by_hand(network, parameters, X, Y, weights)
    assume(nearest > 1e-4)  # so near its kink, a rounded ReLU may be on the other side
    X, Y = laid_out(X, layouts[1]), laid_out(Y, layouts[2])
    before = X.tobytes(), Y.tobytes(), tuple(layer.W.tobytes() for layer in parameters)
    C, got = cost_and_gradients(network, parameters, X, Y, weights)
    assert (X.tobytes(), Y.tobytes(), tuple(layer.W.tobytes() for layer in parameters)) == before
    assert str(C.dtype) == dtype
    close(C, wanted, dtype, scale=float(max(1.0, wanted)))
    scale = max(1.0, *(float(np.abs(W).max()) for W, _ in gradients), float(np.abs(gradients[-1][1]).max()))
    for layer, (W, b) in zip(got, gradients, strict=True):
        assert layer.W.shape == W.shape
        close(layer.W, W, dtype, scale)
        close(layer.b, b, dtype, scale)


@cases(
    60,
    sizes=SIZES,
    hidden=st.sampled_from(sorted(SIGMA)),
    kinds=st.tuples(*[st.sampled_from([TAME, TINY, ZERO, LARGE, HUGE, BROKEN])] * 2),
    m=st.integers(0, 4),
    dtype=st.sampled_from(["float32", "float64"]),
    layout=LAYOUTS,
    seed=SEEDS,
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_every_layer_of_any_numbers_is_its_equation(sizes, hidden, kinds, m, dtype, layout, seed):
    network = Network(sizes, hidden=hidden, output="identity")
    parameters = parameters_of(network, seed, dtype, layout, kinds[0])
    X = laid_out(values((sizes[0], m), kinds[1], [seed, 7], dtype), layout)
    trace = forward(network, parameters, X)
    assert np.array_equal(predict(network, parameters, X), trace[-1].A, equal_nan=True)
    info, A_in = np.finfo(dtype), X
    with np.errstate(all="ignore"):
        for (W, b), (_, Z, A), activation in zip(parameters, trace, network.activations, strict=True):
            exact = W.astype(LONG) @ A_in.astype(LONG) + b.astype(LONG)
            bound = np.abs(W).astype(LONG) @ np.abs(A_in).astype(LONG) + np.abs(b).astype(LONG)
            got = exact.astype(dtype) if Z is None else Z
            if Z is not None:
                fits = bound < 0.5 * LONG(info.max)
                near = np.abs(Z.astype(LONG) - exact) <= 8 * info.eps * bound + 8 * LONG(info.smallest_subnormal)
                assert near[fits].all()
                assert np.isnan(Z[np.isnan(exact)]).all()
                assert not np.isfinite(Z[~np.isfinite(exact)]).any()
            if Z is not None or activation.name == "identity":
                sigma = SIGMA[activation.name][0](got.astype(LONG))
                sensible = np.isfinite(sigma) & np.isfinite(A)
                tolerance = np.maximum(16 * info.eps * np.abs(sigma), 64 * LONG(info.tiny) * np.maximum(1, np.abs(got)))
                if activation.name != "identity":
                    assert (np.abs(A.astype(LONG) - sigma) <= tolerance)[sensible].all()
                    assert np.isfinite(A[np.isfinite(sigma) & np.isfinite(got) & (np.abs(sigma) < info.max)]).all()
            A_in = A


ODD = st.sampled_from([(), (0,), (3,), (3, 0), (0, 4), (3, 4), (4, 3), (1, 3, 4), (2, 3, 4), (3, 4, 1), (2, 4), (1, 4)])


@cases(
    100,
    shapes=st.tuples(ODD, ODD, st.sampled_from([None, (), (4,), (0,), (3,), (1, 4), (4, 1)])),
    dtypes=st.tuples(
        *[st.sampled_from(["float32", "float64", "float16", "int64", "bool", "complex64", "float64", "float64", "O", "U3"])] * 3
    ),
    all_one=st.booleans(),
)
def test_arrays_that_do_not_fit_are_refused_and_no_others(shapes, dtypes, all_one):
    network = Network((3, 2, 1), output="identity")
    dtypes = ("float64",) * 3 if all_one else dtypes
    parameters = parameters_of(network, 0, "float64", "C")
    X, Y, weights = (None if shape is None else np.ones(shape).astype(dtype) for shape, dtype in zip(shapes, dtypes, strict=True))
    fits = X.ndim == 2 and X.shape[0] == 3 and X.shape[1] > 0 and Y.shape == (1, X.shape[1])
    fits = fits and X.dtype == Y.dtype == np.float64
    fits = fits and (weights is None or (weights.shape == (X.shape[1],) and weights.dtype == np.float64))
    if fits:
        C, _ = cost_and_gradients(network, parameters, X, Y, weights)
        wanted, _, _ = by_hand(network, parameters, X, Y, weights)
        close(C, wanted, "float64", 1.0)
    else:
        with pytest.raises(MlpxpError):
            cost_and_gradients(network, parameters, X, Y, weights)
        with pytest.raises(MlpxpError):
            train(network, X, Y, optimizer=GradientDescent(0.1), epochs=1, weights=weights, start=parameters)


NUMBERS = st.one_of(
    st.sampled_from([0.0, 1e-3, 0.1, 1.0, 1e30, float("nan"), float("inf"), -0.5]), st.sampled_from([None, "1", True, [], 3])
)


@cases(
    100,
    rate=NUMBERS,
    momentum=st.sampled_from([0.0, 0.5, 0.9, 1.0, 2.0, -1.0, float("nan"), "x", None]),
    epochs=st.sampled_from([1, 2, 3, 0, -1, 2.0, None, True, "3"]),
    batch=st.sampled_from([None, 1, 2, 3, 5, 10**9, 0, -2, 2.5, "2"]),
    penalty=NUMBERS,
    weights=st.sampled_from([None, [1, 0, 2, 0, 1], [0] * 5, [1, -1, 1, 1, 1], [np.nan] * 5, [1.0] * 4, [1e30] * 5, [5e-324] * 5]),
    clip=NUMBERS,
    kind=st.sampled_from([TAME, TAME, ZERO, TINY, LARGE, HUGE, BROKEN]),
    layout=LAYOUTS,
    seed=SEEDS,
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_training_is_gradient_descent_by_hand_or_an_error(rate, momentum, epochs, batch, penalty, weights, clip, kind, layout, seed):
    network = Network((3, 2, 1), hidden="tanh", output="identity")
    X, Y = laid_out(values((3, 5), kind, seed), layout), values((1, 5), TAME, [seed, 1])
    start = parameters_of(network, seed, "float64", "C")
    w = None if weights is None else np.array(weights, float)
    order = np.random.default_rng(seed).permutation(5)
    try:
        result = train(
            network,
            X,
            Y,
            optimizer=GradientDescent(rate, momentum=momentum),
            epochs=epochs,
            batch_size=batch,
            penalty=penalty,
            weights=w,
            clip_norm=clip,
            order=lambda _: order,
            start=start,
        )
    except MlpxpError:
        return
    assert np.isfinite(result.history.cost).all()
    assert isinstance(epochs, int)
    if isinstance(rate, bool) or not (rate <= 1.0 and kind in (TAME, ZERO, TINY) and penalty <= 1.0):
        return  # nothing is said of how far rounding goes
    plain = [(W.astype(LONG), b.astype(LONG)) for W, b in start]
    speed = [(0 * W, 0 * b) for W, b in plain]
    for _ in range(epochs):
        for first in range(0, 5, batch or 5):
            rows = order[first : first + (batch or 5)]
            if w is not None and not w[rows].any():
                continue
            share = None if w is None else w[rows] / w[rows].max()
            _, gradients, _ = by_hand(network, [Layer(*one) for one in plain], X[:, rows], Y[:, rows], share)
            gradients = [(gW + LONG(penalty) * W, gb) for (gW, gb), (W, _) in zip(gradients, plain, strict=True)]
            if clip is not None:
                length = np.sqrt(sum((g**2).sum() for layer in gradients for g in layer))
                gradients = [tuple(g * min(LONG(1), LONG(clip) / max(length, LONG(1e-300))) for g in layer) for layer in gradients]
            speed = [tuple(momentum * v - rate * g for v, g in zip(vs, gs, strict=True)) for vs, gs in zip(speed, gradients, strict=True)]
            plain = [tuple(p + v for p, v in zip(ps, vs, strict=True)) for ps, vs in zip(plain, speed, strict=True)]
    for layer, (W, b) in zip(result.parameters, plain, strict=True):
        assert np.allclose(layer.W, W.astype(float), rtol=1e-9, atol=1e-9)
        assert np.allclose(layer.b, b.astype(float), rtol=1e-9, atol=1e-9)


@cases(
    5, n=st.sampled_from([2, 1000, 50_000, 300_000]), scale=st.sampled_from([1.0, 1e3, 1e30]), dtype=st.sampled_from(["float32", "float64"])
)
def test_very_many_classes_cost_what_the_logits_say(n, scale, dtype):
    network = Network((1, n), output="softmax", loss="cross_entropy")
    z = np.linspace(-scale, scale, n).astype(dtype)
    parameters = (Layer(z[:, None], np.zeros((n, 1), dtype)),)
    Y = np.zeros((n, 1), dtype)
    Y[n // 3] = 1.0
    X = np.ones((1, 1), dtype)
    C, gradients = cost_and_gradients(network, parameters, X, Y)
    exact = z.astype(LONG)
    wanted = exact.max() + np.log(np.exp(exact - exact.max()).sum()) - exact[n // 3]
    close(C, wanted, dtype, float(wanted))
    close(gradients[0].b[:, 0], np.exp(exact - exact.max()) / np.exp(exact - exact.max()).sum() - Y[:, 0].astype(LONG), dtype, 1.0)
    assert np.array_equal(cost(network, forward(network, parameters, X), Y), C)


@cases(20, optimizer=st.sampled_from([Adam(0.01), GradientDescent(0.1)]), m=st.sampled_from([1, 2]), n=st.sampled_from([1, 2]), seed=SEEDS)
def test_one_example_of_one_feature_is_learnt(optimizer, m, n, seed):
    network = Network((n, 1), output="identity")
    X, Y = values((n, m), TAME, seed), np.ones((1, m))
    result = train(network, X, Y, optimizer=optimizer, epochs=50)
    E = predict(network, result.parameters, X) - Y
    assert float((E * E).mean() / 2) <= result.history.cost[0] + 1e-12
