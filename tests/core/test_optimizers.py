"""Each optimizer against its recursion written out for one number, and each schedule at its edges."""

import math

import numpy as np
import pytest

from mlpxp import Adam, AdamW, Constant, Cosine, GradientDescent, Layer, RangeError, StepDecay, WarmUp
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.core.optimizers import rate_at

GRADIENTS = [0.5, -1.25, 3.0, 0.0, -0.0625, 2.0]  # one an update


def one_layer(backend, W, b=0.25, dtype="float64"):
    return (Layer(backend.asarray([[W]], dtype=dtype), backend.asarray([[b]], dtype=dtype)),)


def run(backend, optimizer, dtype="float64", start=1.5):
    """W after each update, with ∂C/∂W as in GRADIENTS and ∂C/∂b twice that, and b after the last."""
    parameters = one_layer(backend, start, dtype=dtype)
    state = optimizer.start(parameters)
    path = []
    for g in GRADIENTS:
        parameters, state = optimizer.update(parameters, one_layer(backend, g, 2.0 * g, dtype), state)
        path.append(backend.to_numpy(parameters[0].W).item())
    assert {str(backend.to_numpy(leaf).dtype) for leaf in tree_leaves((parameters, state))} == {dtype}
    return path, backend.to_numpy(parameters[0].b).item()


def descent(eta, mu=0.0, nesterov=False, w=1.5, factor=1.0):
    velocity, path = 0.0, []
    for g in GRADIENTS:
        velocity = mu * velocity - eta * factor * g
        w += mu * velocity - eta * factor * g if nesterov else velocity
        path.append(w)
    return path


def adam(eta, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0, w=1.5, factor=1.0):
    m = v = 0.0
    path = []
    for t, each in enumerate(GRADIENTS, start=1):
        g = factor * each
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        w *= 1 - eta * decay
        w -= eta * math.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (math.sqrt(v) + epsilon)
        path.append(w)
    return path


@pytest.mark.parametrize(
    ("optimizer", "recursion", "options"),
    [
        (GradientDescent(0.1), descent, {}),
        (GradientDescent(0.1, momentum=0.9), descent, {"mu": 0.9}),
        (GradientDescent(0.1, momentum=0.9, nesterov=True), descent, {"mu": 0.9, "nesterov": True}),
        (Adam(0.1), adam, {}),
        (Adam(0.1, beta1=0.5, beta2=0.75, epsilon=0.5), adam, {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.5}),
        (Adam(0.1, beta1=0.0, beta2=0.9), adam, {"beta1": 0.0, "beta2": 0.9}),
        (Adam(0.1, beta2=0.0), adam, {"beta2": 0.0}),
    ],
)
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-13), ("float32", 3e-6)])
def test_recursion(backend, optimizer, recursion, options, dtype, rtol):
    path, b = run(backend, optimizer, dtype)
    assert path == pytest.approx(recursion(0.1, **options), rel=rtol, abs=rtol)
    assert b == pytest.approx(recursion(0.1, **options, w=0.25, factor=2.0)[-1], rel=rtol, abs=rtol)


@pytest.mark.parametrize("optimizer", [AdamW(0.1, weight_decay=0.5), Adam(0.1, weight_decay=0.5)])
def test_decoupled_decay_of_the_weights_and_not_of_the_biases(backend, optimizer):
    path, b = run(backend, optimizer)
    assert path == pytest.approx(adam(0.1, decay=0.5), rel=1e-13)
    assert b == pytest.approx(adam(0.1, w=0.25, factor=2.0)[-1], rel=1e-13)


def test_adamw_decays_by_default():
    assert AdamW().weight_decay == 0.01
    assert Adam().weight_decay == 0.0


def test_adams_epsilon_stands_beside_the_uncorrected_root(backend):
    """β1 = 1/2, β2 = 3/4, ε = 1, g = 2: m = 1, v = 1, η √(1/4) / (1/2) = η, and the step is η · 1/(1 + 1) = η/2.

    (In algorithm 1 of the paper ε stands beside √v̂ = 2, and the step would be η · 2/(2 + 1).)
    """
    optimizer = Adam(0.125, beta1=0.5, beta2=0.75, epsilon=1.0)
    parameters = one_layer(backend, 1.0)
    (layer,), _ = optimizer.update(parameters, one_layer(backend, 2.0), optimizer.start(parameters))
    assert backend.to_numpy(layer.W).item() == pytest.approx(1.0 - 0.0625, rel=1e-15)


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate(backend):
    """Whatever the gradient: that √(1-β2) is exact in float32 too, where 1 - 0.999 has lost four digits."""
    for g in (1e-3, 1.0, 1e3):
        optimizer = Adam(0.5, epsilon=1e-30)
        parameters = one_layer(backend, 0.0, dtype="float32")
        (layer,), _ = optimizer.update(parameters, one_layer(backend, g, dtype="float32"), optimizer.start(parameters))
        assert backend.to_numpy(layer.W).item() == pytest.approx(-0.5, rel=1e-6)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), GradientDescent(0.1, 0.9), GradientDescent(0.1, 0.9, True), AdamW(0.1)])
def test_what_is_passed_in_is_left_as_it_was(backend, optimizer):
    parameters, gradients = one_layer(backend, 1.5), one_layer(backend, 0.5)
    _, state = optimizer.update(parameters, gradients, optimizer.start(parameters))
    given = tree_leaves((parameters, gradients, state))
    before = [backend.to_numpy(leaf).tobytes() for leaf in given]
    optimizer.update(parameters, gradients, state)
    assert [backend.to_numpy(leaf).tobytes() for leaf in given] == before


def test_one_learning_rate_for_each_member_of_a_stack(backend):
    for optimizer, alone in ((GradientDescent((0.1, 0.2)), GradientDescent), (AdamW((0.1, 0.2)), AdamW)):
        single = one_layer(backend, 1.5), one_layer(backend, 0.5)
        stacked = [tree_map(lambda leaf: backend.namespace.stack([leaf, leaf]), tree) for tree in single]
        updated, state = optimizer.update(*stacked, optimizer.start(stacked[0]))
        assert tuple(state.learning_rate.shape) == (2, 1, 1)
        for i, rate in enumerate((0.1, 0.2)):
            each = alone(rate)
            (layer,), _ = each.update(*single, each.start(single[0]))
            assert backend.to_numpy(updated[0].W[i, ...]) == pytest.approx(backend.to_numpy(layer.W), rel=1e-15)


@pytest.mark.parametrize(("rates", "stacked"), [((0.1, 0.2), ()), ((0.1, 0.2), (3,)), ((0.1,), (2,))])
def test_as_many_learning_rates_as_members(rates, stacked):
    parameters = (Layer(np.ones((*stacked, 1, 1)), np.ones((*stacked, 1, 1))),)
    with pytest.raises(RangeError, match=rf"learning_rate must be one number, or a sequence for .*, got {len(rates)} numbers"):
        GradientDescent(rates).start(parameters)


def test_is_a_hashable_value():
    assert GradientDescent(1) == GradientDescent(1.0)
    assert hash(Adam([0.1, 0.2])) == hash(Adam((0.1, 0.2)))
    assert Adam(np.asarray([0.1, 0.2])) == Adam((0.1, 0.2))
    assert GradientDescent(Cosine(0.1, 10)) == GradientDescent(Cosine(0.1, 10))
    assert Adam(0.1) != AdamW(0.1)


# ----------------------------------------------------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (Constant(0.5), {0: 0.5, 0.5: 0.5, 1000: 0.5}),
        (StepDecay(1.0, every=10), {0: 1.0, 9.99: 1.0, 10: 0.1, 19.5: 0.1, 20: 0.01}),
        (StepDecay(1.0, every=2.5, factor=0.5), {2.4: 1.0, 2.5: 0.5, 5: 0.25, 7.4: 0.25}),
        (Cosine(1.0, 10), {0: 1.0, 2.5: 0.5 + math.sqrt(0.125), 5: 0.5, 10: 0.0, 11: 0.0, 1000: 0.0}),
        (Cosine(1.0, 10, final=0.2), {0: 1.0, 5: 0.6, 10: 0.2, 20: 0.2}),
        (WarmUp(4, 0.8), {0: 0.0, 1: 0.2, 2: 0.4, 3.5: 0.7, 4: 0.8, 100: 0.8}),
        (WarmUp(4, 0.8, start=0.4), {0: 0.4, 2: 0.6, 4: 0.8}),
        (WarmUp(2, Cosine(1.0, 10)), {0: 0.0, 1: 0.5, 2: 1.0, 7: 0.5, 12: 0.0}),
        (WarmUp(2, StepDecay(1.0, every=3, factor=0.5)), {1: 0.5, 4.9: 1.0, 5: 0.5}),
        (WarmUp(2, lambda epoch: 1.0 + epoch), {1: 0.5, 2: 1.0, 4: 3.0}),
    ],
)
def test_schedule(schedule, points):
    assert {epoch: schedule(epoch) for epoch in points} == pytest.approx(points, abs=1e-15)
    assert all(type(schedule(epoch)) is float for epoch in points)
    assert rate_at(schedule, 1.0) == schedule(1.0)


def test_the_rates_of_an_optimizer():
    assert rate_at(GradientDescent(0.5).learning_rate, 7.0) == 0.5
    assert rate_at(GradientDescent([0.5, 1]).learning_rate, 7.0) == (0.5, 1.0)


def test_a_schedules_first_rate_is_in_the_first_state():
    parameters = (Layer(np.ones((1, 1)), np.ones((1, 1))),)
    assert GradientDescent(WarmUp(4, 0.8, start=0.4)).start(parameters).learning_rate == 0.4


# --------------------------------------------------------------------------------------------------------- bad numbers


NOT_POSITIVE = [0, 0.0, -0.1, math.nan, math.inf, -math.inf, "0.1", None, True, 1j]


@pytest.mark.parametrize("value", [*NOT_POSITIVE, [0.1, -0.1], [0.1, "a"], [[0.1]]])
@pytest.mark.parametrize("optimizer", [GradientDescent, Adam, AdamW])
def test_bad_learning_rates(optimizer, value):
    with pytest.raises(RangeError, match=r"^learning_rate must be a positive number, got") as caught:
        optimizer(value)
    assert isinstance(caught.value, ValueError)


def test_no_learning_rates():
    with pytest.raises(
        RangeError, match=r"^learning_rate must be a positive number, or one for each member of a stack, got an empty sequence$"
    ):
        Adam([])


@pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, math.nan, math.inf, "0.9", None, True])
@pytest.mark.parametrize(("make", "name"), [(Adam, "beta1"), (Adam, "beta2"), (AdamW, "beta1")])
def test_bad_fractions(make, name, value):
    with pytest.raises(RangeError, match=rf"^{name} must be in \[0, 1\), got "):
        make(0.1, **{name: value})


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan, math.inf, "0.9", None, True])
def test_bad_momenta(value):
    with pytest.raises(RangeError, match=r"^momentum must be in \[0, 1\], got "):
        GradientDescent(0.1, momentum=value)
    assert GradientDescent(0.1, momentum=1.0).momentum == 1.0  # a velocity that never fades


@pytest.mark.parametrize("value", NOT_POSITIVE)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: Adam(epsilon=value), "epsilon"),
        (Constant, "rate"),
        (lambda value: StepDecay(value, 1), "rate"),
        (lambda value: StepDecay(1, value), "every"),
        (lambda value: StepDecay(1, 1, value), "factor"),
        (lambda value: Cosine(value, 1), "rate"),
        (lambda value: Cosine(1, value), "epochs"),
        (lambda value: WarmUp(value, 1), "epochs"),
        (lambda value: WarmUp(1, value), "rate"),
    ],
)
def test_numbers_that_have_to_be_positive(make, name, value):
    with pytest.raises(RangeError, match=f"^{name} must be a positive number, got "):
        make(value)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "0", None, True])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: AdamW(weight_decay=value), "weight_decay"),
        (lambda value: Cosine(1, 1, value), "final"),
        (lambda value: WarmUp(1, 1, value), "start"),
    ],
)
def test_numbers_from_zero(make, name, value):
    with pytest.raises(RangeError, match=f"^{name} must be a number from 0, got "):
        make(value)


def test_a_warm_up_to_a_schedule_with_one_rate_for_each_member():
    schedule = WarmUp(2, lambda epoch: [0.1 + epoch, 0.2], start=0.02)
    assert [rate_at(schedule, epoch) for epoch in (0.0, 1.0, 2.0, 3.0)] == [
        (0.02, 0.02),
        pytest.approx((0.06, 0.11)),
        (0.1, 0.2),
        (1.1, 0.2),
    ]


def test_nesterov_needs_momentum():
    with pytest.raises(RangeError, match=r"^nesterov needs momentum in \(0, 1\), got 0"):
        GradientDescent(0.1, nesterov=True)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_a_schedule_that_returns_no_rate_is_refused(rate):
    with pytest.raises(RangeError, match=r"^the rate of a schedule must be a number from 0, got "):
        rate_at(lambda epoch: rate, 1.0)
