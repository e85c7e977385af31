"""How many passes the work that waits is done in: what is needed twice is computed once, and what grows is cut."""

import gc
import weakref

import numpy as np
import pytest
from backend_folds import Looks

from mlpxp import Adam, GradientDescent

OPTIMIZER = Adam(0.01)


@pytest.mark.parametrize("optimizer", ["descent", "momentum", "nesterov", "adam", "adamw"])
@pytest.mark.parametrize(
    ("head", "forward_and_back"),
    [
        # A_1, A_2, three deltas, then what the cost and its derivative need
        (("tanh", "mse"), 5 + 3),  # the squares with A_3 beside them, the losses' factor ½ with their sum, the mean
        (("sigmoid", "binary_cross_entropy"), 5 + 2),  # from the logits: the losses, the mean
        (("softmax", "cross_entropy"), 5 + 6),  # Z_3 and e^Z for A_3, Z_3 again and e^Z for the cost, the losses, the mean
    ],
)
def test_a_step_of_three_layers_takes_so_many_evaluations(core, recorder, optimizer, head, forward_and_back):
    head = next(one for one in core.HEADS if (one[0].name, one[1].name) == head)
    recorder.fold(core.case("tanh", head, core.OPTIMIZERS[optimizer]))
    # one for each W and each b with its moments, and for Adam one for t and the corrected η
    assert recorder.evaluations == forward_and_back + 6 + optimizer.startswith("adam")


def test_a_mask_over_the_members_costs_no_evaluation(core, recorder):
    """W, its moments and t are chosen in the kernel that makes them; the state's η is what it was."""
    plain, frozen = ({"stack": True}, {"stack": True, "frozen": True})
    counts = []
    for way in (plain, frozen):
        before = recorder.evaluations
        recorder.fold(core.case("tanh", core.HEADS[-2], OPTIMIZER, **way))
        counts.append(recorder.evaluations - before)
    assert counts[1] == counts[0]


def operations(expressions, name):
    return sum(step[0] == name for expression in expressions for step in expression.steps)


def test_what_is_dear_is_computed_once(core, recorder):
    """A sigmoid output under MSE is needed by the cost and by the error, and Adam's corrected η by every parameter."""
    head = next(one for one in core.HEADS if (one[0].name, one[1].name) == ("sigmoid", "mse"))
    recorder.fold(core.case("tanh", head, OPTIMIZER))
    assert operations(recorder.seen, "exp") == 1
    assert operations(recorder.seen, "expm1") == 2  # 1 - β₁ᵗ and 1 - β₂ᵗ


def test_a_derivative_reads_what_the_forward_pass_made(fusion):
    Z = fusion.lazy(np.linspace(-1.0, 1.0, 5))
    A = fusion.tanh(Z)
    fusion.sum(A * A)
    assert A.node.value is not None
    np.testing.assert_array_equal((1.0 - A * A).value, 1.0 - np.tanh(Z.value) ** 2)


def test_the_number_of_steps_changes_no_expression(core):
    recorders = []
    for steps in (1, 2, 30):
        recorder = core.Recorder()
        each = core.case("gelu", core.HEADS[-2], Adam(0.01), steps=steps)
        recorder.fold(each._replace(step=Looks(each.step)))  # looks at a number, so that no step comes from a tape
        recorders.append(recorder)
    first, second, last = recorders
    assert set(first.seen) == set(second.seen) == set(last.seen)
    assert last.evaluations == 30 * first.evaluations


def test_another_batch_size_or_number_needs_no_other_kernel(core, recorder):
    kernels = set()
    for m in (10, 7):
        each = core.case("tanh", core.HEADS[-2], GradientDescent(0.1, momentum=0.5 + 0.01 * m))
        recorder.fold(each._replace(inputs=each.inputs._replace(rows=each.inputs.rows[:, :m])))
        kernels.add(frozenset(recorder.seen))
    assert len(kernels) == 1


def test_long_expressions_are_cut(recorder):
    fusion = recorder.fusion
    x = z = fusion.lazy(np.linspace(-0.5, 0.5, 3))
    for _ in range(2000):
        z = 0.5 * z + x
    np.testing.assert_allclose(z.value, 2.0 * x.value, rtol=1e-15)
    assert max(len(expression.steps) for expression in recorder.seen) <= 128
    assert max(len(expression.arguments) for expression in recorder.seen) <= 257


class Host(np.ndarray):
    """An array that can be watched."""


def test_what_was_computed_lets_go_of_what_it_was_made_of(fusion):
    big = np.ones(4).view(Host)
    gone = weakref.ref(big)
    kept = [fusion.tanh(fusion.lazy(big) + 1.0)]
    del big
    assert gone() is not None
    fusion.computed(tuple(kept))
    gc.collect()
    assert gone() is None
