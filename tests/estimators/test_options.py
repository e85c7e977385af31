"""What scikit-learn's MLP doesn't have: class weights, dropout, activations, losses and rates of one's own, clipping, smoothing."""

import math
from itertools import pairwise

import numpy as np
import pytest

from mlpxp import Activation, Cosine, Loss, MLPClassifier, MLPRegressor, MlpxpError, WarmUp
from mlpxp.core.losses import LOSSES

compute_class_weight = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((40, 3))
CLASSES = np.asarray([0, 0, 1, 0, 2] * 8)
TWO = (X[:, 0] > 0.0).astype(int)
NUMBERS = X @ np.asarray([1.0, -2.0, 0.5])
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "batch_size": 16}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options):
    return MLPClassifier(**SMALL | options)


def regressor(**options):
    return MLPRegressor(**SMALL | options)


def coefs(estimator):
    return [array.tolist() for array in (*estimator.coefs_, *estimator.intercepts_)]


def refused(estimator, *, match, y=CLASSES, **arguments):
    with pytest.raises((ValueError, TypeError), match=match) as caught:
        estimator.fit(X, y, **arguments)
    assert isinstance(caught.value, MlpxpError)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------ class weights


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weights_are_sample_weights(solver):
    by_class = {0: 0.5, 1: 2.0, 2: 3.0}
    weighted = classifier(solver=solver, class_weight=by_class).fit(X, CLASSES)
    assert coefs(weighted) == coefs(classifier(solver=solver).fit(X, CLASSES, sample_weight=[by_class[label] for label in CLASSES]))
    with_both = classifier(solver=solver, class_weight=by_class).fit(X, CLASSES, sample_weight=np.full(40, 0.5))
    assert coefs(with_both) == coefs(classifier(solver=solver).fit(X, CLASSES, sample_weight=[0.5 * by_class[label] for label in CLASSES]))


def test_balanced_class_weights():
    weights = compute_class_weight("balanced", classes=np.arange(3), y=CLASSES)
    balanced = classifier(class_weight="balanced").fit(X, CLASSES)
    assert coefs(balanced) == coefs(classifier().fit(X, CLASSES, sample_weight=weights[CLASSES]))


def test_a_class_without_a_weight_has_1_and_names_may_be_text():
    names = np.asarray(["no", "yes", "maybe"])[CLASSES]
    assert coefs(classifier(class_weight={"yes": 2.0}).fit(X, names)) == coefs(
        classifier().fit(X, names, sample_weight=np.where(names == "yes", 2.0, 1.0))
    )


def test_class_weights_of_parts():
    by_class = {0: 0.5, 1: 2.0}
    parts = classifier(class_weight=by_class).partial_fit(X, CLASSES, classes=[0, 1, 2])
    wanted = classifier().partial_fit(X, CLASSES, classes=[0, 1, 2], sample_weight=[by_class.get(label, 1.0) for label in CLASSES])
    assert coefs(parts) == coefs(wanted)
    with pytest.raises(ValueError, match="compute_class_weight") as caught:
        classifier(class_weight="balanced").partial_fit(X, CLASSES, classes=[0, 1, 2])
    assert isinstance(caught.value, MlpxpError)


def test_bad_class_weights():
    with pytest.warns(UserWarning, match=r"^class_weight has weights for \[7\], which are none of the classes \[0, 1, 2\]$"):
        classifier(class_weight={7: 1.0}).fit(X, CLASSES)
    for bad in (-1.0, math.nan, math.inf, None, "a"):
        refused(classifier(class_weight={0: bad}), match=rf"^class_weight must be a number from 0 for each class, got {bad!r} for 0$")
    refused(classifier(class_weight={0: 0.0, 1: 0.0, 2: 0.0}), match="(?i)zero")
    refused(classifier(class_weight="even"), match="'class_weight' parameter of MLPClassifier must be")
    refused(classifier(class_weight="balanced"), y=(X > 0.0).astype(int), match="use sample_weight")


# ------------------------------------------------------------------------------------------------------------ dropout


def test_dropout_is_decided_by_random_state():
    runs = [coefs(classifier(dropout=0.5, random_state=seed).fit(X, CLASSES)) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]
    assert runs[0] != coefs(classifier().fit(X, CLASSES))


def test_one_rate_of_dropout_for_all_layers_or_one_each():
    def fitted(dropout):
        return coefs(classifier(hidden_layer_sizes=(6, 5), dropout=dropout).fit(X, CLASSES))

    assert fitted(0.25) == fitted((0.25, 0.25)) == fitted(np.asarray([0.25, 0.25]))
    assert fitted((0.25, 0.0)) != fitted((0.0, 0.25))


def test_masks_are_others_in_each_call_of_partial_fit():
    """From the same weights, as far as the masks are concerned: a step of zero length shows what each epoch's loss was."""
    estimator = regressor(dropout=0.5, solver="sgd", learning_rate_init=1e-12, batch_size=40, shuffle=False)
    for _ in range(3):
        estimator.partial_fit(X, NUMBERS)
    assert len({round(loss, 6) for loss in estimator.loss_curve_}) == 3


def test_nothing_is_left_out_in_prediction():
    fitted = regressor(dropout=0.9).fit(X, NUMBERS)
    assert fitted.predict(X).tolist() == fitted.predict(X).tolist()
    plain = regressor().fit(X, NUMBERS)
    plain.coefs_, plain.intercepts_ = fitted.coefs_, fitted.intercepts_
    assert plain.predict(X).tolist() == fitted.predict(X).tolist()


@pytest.mark.parametrize("dropout", [1.0, -0.1, math.nan, (0.1, 0.2), (1.0,), (), "a", [None], [[0.1]]])
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_bad_dropout(dropout, solver):
    refused(regressor(dropout=dropout, solver=solver), y=NUMBERS, match="dropout")


def test_dropout_needs_a_hidden_layer_and_a_solver_with_steps():
    refused(regressor(dropout=0.5, hidden_layer_sizes=()), y=NUMBERS, match="there is no unit to leave out")
    refused(regressor(dropout=0.5, solver="lbfgs"), y=NUMBERS, match="dropout needs one of the solvers sgd, adam and adamw")


# -------------------------------------------------------------------------------------------------------- activations


def _cube(Z):
    return Z * Z * Z


def _cube_derivative(Z, A):
    return 3.0 * Z * Z


CUBE = Activation("cube", _cube, _cube_derivative, needs_z=True)


def test_one_activation_for_all_hidden_layers_or_one_each():
    def fitted(activation):
        return coefs(classifier(hidden_layer_sizes=(6, 5), activation=activation).fit(X, CLASSES))

    assert fitted("tanh") == fitted(["tanh", "tanh"])
    assert fitted(("relu", "tanh")) != fitted(("tanh", "relu"))
    assert fitted(["logistic", "gelu"]) == fitted(["sigmoid", "gelu"])


def test_an_activation_of_ones_own():
    fitted = regressor(activation=CUBE).fit(X, NUMBERS)
    hidden = _cube(X @ fitted.coefs_[0] + fitted.intercepts_[0])
    assert fitted.predict(X) == pytest.approx((hidden @ fitted.coefs_[1] + fitted.intercepts_[1])[:, 0], rel=1e-12)
    assert regressor(hidden_layer_sizes=(3, 3), activation=[CUBE, "relu"]).fit(X, NUMBERS).n_layers_ == 4


def test_the_output_may_have_another_activation():
    fitted = regressor(output_activation="softplus").fit(X, NUMBERS)
    assert fitted.out_activation_ == "softplus"
    assert (fitted.predict(X) > 0.0).all()
    assert (np.abs(regressor(output_activation="tanh").fit(X, NUMBERS).predict(X)) < 1.0).all()
    assert regressor(output_activation="logistic").fit(X, NUMBERS).out_activation_ == "logistic"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "cubic"}, "'activation' parameter of MLPClassifier must be"),
        ({"activation": "softmax"}, "'activation' parameter"),
        ({"activation": ["relu", "tanh"]}, "one for each of the 1 hidden layers, got 2"),
        ({"activation": ["cubic"]}, "activation must be one of"),
        ({"activation": ["softmax"]}, "softmax can only be the output"),
        ({"output_activation": "relu"}, "cross_entropy needs the outputs to be one distribution"),
        ({"output_activation": "cubic"}, "'output_activation' parameter"),
    ],
)
def test_bad_activations(options, words):
    refused(classifier(**options), match=words)


def _wave(Z):
    return np.sin(Z)


def _wave_derivative(Z, A):
    return np.cos(Z)


def _half(Z):
    return np.full_like(Z, 0.5)


def _no_slope(Z, A):
    return np.zeros_like(A)


@pytest.mark.parametrize(
    ("output", "y", "wanted"),
    [
        ("tanh", TWO, "sigmoid"),
        ("tanh", CLASSES, "softmax"),
        ("sigmoid", CLASSES, "softmax"),
        (Activation("wave", _wave, _wave_derivative, needs_z=True), np.eye(3, dtype=int)[CLASSES], "sigmoid"),
    ],
)
@pytest.mark.parametrize("n_networks", [1, 2])
def test_outputs_that_are_no_probabilities_predict_but_have_none(output, y, wanted, n_networks):
    fitted = classifier(output_activation=output, loss=Loss("squares", _squares, _error), n_networks=n_networks).fit(X, y)
    assert fitted.predict(X).shape == y.shape
    for method in (fitted.predict_proba, fitted.predict_log_proba):
        with pytest.raises(ValueError, match=rf"^predict_proba needs outputs .* use output_activation='{wanted}', or predict") as caught:
            method(X)
        assert isinstance(caught.value, MlpxpError)


def test_outputs_of_ones_own_that_are_probabilities_are_taken():
    half = Activation("half", _half, _no_slope, values="probability")
    assert (classifier(output_activation=half).fit(X, TWO).predict_proba(X) == 0.5).all()


def test_outputs_of_ones_own_that_only_claim_to_be_probabilities():
    liar = Activation("liar", _wave, _wave_derivative, needs_z=True, values="probability")
    fitted = classifier(output_activation=liar, loss=Loss("squares", _squares, _error)).fit(X, TWO)
    with pytest.raises(ValueError, match="those of the output activation 'liar' are not"):
        fitted.predict_proba(100.0 * X)


# ------------------------------------------------------------------------------------------------------------- losses


def quantile(q):
    """The pinball loss, whose best constant is a quantile."""

    def value(A, Y):
        E = Y - A
        return (q * np.maximum(E, 0.0) + (1.0 - q) * np.maximum(-E, 0.0)).sum(axis=-2)

    def derivative(A, Y):
        return np.where(A < Y, -q, 1.0 - q)

    return Loss(f"quantile {q}", value, derivative, analytic=False)


def _absolute(A, Y):
    return np.abs(A - Y).sum(axis=-2)


def _absolute_derivative(A, Y):
    return np.sign(A - Y)


def _squares(A, Y):
    return 0.5 * ((A - Y) ** 2).sum(axis=-2)


def _error(A, Y):
    return A - Y


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_loss_of_ones_own_that_is_the_built_in_one(solver):
    ours = regressor(loss=Loss("squares", _squares, _error), solver=solver).fit(X, NUMBERS)
    wanted = regressor(solver=solver).fit(X, NUMBERS)
    assert ours.coefs_[0] == pytest.approx(wanted.coefs_[0], rel=1e-7, abs=1e-9)
    assert ours.loss_ == pytest.approx(wanted.loss_, rel=1e-9)


@pytest.mark.parametrize("q", [0.1, 0.9])
def test_quantiles(q):
    """Of the numbers 0 to 99, seen without anything to tell them by."""
    rows, numbers = np.zeros((100, 1)), np.arange(100) / 100.0
    options = {"hidden_layer_sizes": (), "solver": "sgd", "learning_rate": "cosine", "learning_rate_init": 0.1, "tol": 0.0}
    fitted = MLPRegressor(quantile(q), max_iter=300, n_iter_no_change=np.inf, random_state=0, **options)
    assert fitted.fit(rows, numbers).predict(rows[:1])[0] == pytest.approx(q, abs=0.03)


def test_a_kink_is_no_wrong_derivative():
    loss = Loss("absolute", _absolute, _absolute_derivative, analytic=False)
    fitted = regressor(loss=loss, max_iter=200, learning_rate_init=0.01).fit(X, NUMBERS)
    assert fitted.loss_curve_[-1] < 0.5 * fitted.loss_curve_[0]


def test_a_loss_for_a_classifier():
    """Focal loss with γ = 0 is cross-entropy; the output stays softmax, and sigmoid where there are two classes."""

    def value(A, Y):
        return -(Y * np.log(A)).sum(axis=-2)

    def derivative(A, Y):
        return -Y / A

    fitted = classifier(loss=Loss("plain", value, derivative, expects="distribution")).fit(X, CLASSES)
    wanted = classifier().fit(X, CLASSES)
    assert fitted.out_activation_ == "softmax"
    assert fitted.predict_proba(X) == pytest.approx(wanted.predict_proba(X), rel=1e-7)
    squares = classifier(loss=Loss("brier", _squares, _error)).fit(X, TWO)
    assert squares.out_activation_ == "logistic"
    assert squares.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(40), rel=1e-12)


def _twice(A, Y):
    return 2.0 * (A - Y)


def _mean(A, Y):
    return np.mean((A - Y) ** 2)


def _sums(A, Y):
    return (A - Y).sum(axis=-2)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("value", "derivative", "words"),
    [
        (_squares, _twice, "^the derivative of loss 'my own' must be that of its value, but .* difference quotient"),
        (_squares, lambda A, Y: Y - A, "^the derivative of loss 'my own' must be that of its value"),
        (_absolute, lambda A, Y: np.zeros_like(A), "^the derivative of loss 'my own' must be that of its value"),
        (_mean, _error, r"^loss 'my own' must return a value of shape \(m,\) = \(\d\d,\)"),
        (_squares, _sums, r"^loss 'my own' must return .* a derivative of shape \(1, \d\d\), got"),
    ],
)
def test_a_loss_that_cannot_be_right(solver, value, derivative, words):
    refused(regressor(loss=Loss("my own", value, derivative), solver=solver), y=NUMBERS, match=words)


def test_a_wrong_derivative_is_seen_wherever_the_outputs_are():
    """Of positive, probable and distributed outputs too."""
    for expects, make, y in (
        ("positive", regressor, np.abs(NUMBERS)),
        ("distribution", classifier, CLASSES),
        ("probability", classifier, TWO),
    ):
        options = {"output_activation": "exp"} if expects == "positive" else {}
        refused(make(loss=Loss("my own", _squares, _twice, expects=expects), **options), y=y, match="^the derivative of loss 'my own'")
        make(loss=Loss("my own", _squares, _error, expects=expects), **options).fit(X, y)


def test_a_loss_with_the_name_of_a_built_in_one_is_looked_at_too():
    refused(regressor(loss=Loss("mse", _squares, _twice)), y=NUMBERS, match="^the derivative of loss 'mse'")
    assert regressor(loss=LOSSES["mse"]).fit(X, NUMBERS).loss_ > 0.0


# --------------------------------------------------------------------------------------- decay, clipping, learning rates


def test_decoupled_decay():
    """With features of zero W has no gradient, and shrinks by 1 - ηλ a step."""
    rows = np.zeros((16, 3))
    options = {"hidden_layer_sizes": (), "solver": "adamw", "weight_decay": 0.5, "learning_rate_init": 0.1, "alpha": 0.0, "max_iter": 3}
    fitted = regressor(**options).fit(rows, np.arange(16.0))
    start = regressor(**options | {"weight_decay": 0.0}).fit(rows, np.arange(16.0))
    assert fitted.coefs_[0] == pytest.approx(start.coefs_[0] * 0.95**3, rel=1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_decay_is_only_adamws(solver):
    refused(regressor(solver=solver, weight_decay=0.5), y=NUMBERS, match=f"^weight_decay needs the solver adamw .*, got {solver}$")
    assert coefs(regressor(solver=solver, weight_decay=0.0).fit(X, NUMBERS)) == coefs(regressor(solver=solver).fit(X, NUMBERS))


def test_no_update_is_longer_than_the_clipped_gradient():
    options = {"solver": "sgd", "momentum": 0.0, "batch_size": 40, "learning_rate_init": 1.0}
    seen = []

    def remember(epoch):
        seen.append(np.concatenate([leaf.ravel() for layer in epoch.parameters for leaf in layer]))

    regressor(clip_norm=0.01, callbacks=[remember], **options).fit(X, NUMBERS)
    assert [np.linalg.norm(after - before) for before, after in pairwise(seen)] == pytest.approx([0.01] * 3, rel=1e-9)


@pytest.mark.parametrize("clip_norm", [0.0, -1.0, "a", math.nan, math.inf])
def test_bad_limits(clip_norm):
    refused(regressor(clip_norm=clip_norm), y=NUMBERS, match="clip_norm")
    refused(regressor(clip_norm=1.0, solver="lbfgs"), y=NUMBERS, match="clip_norm needs one of the solvers")


def rates(**options):
    """η of each epoch's first update."""
    seen = []
    regressor(callbacks=[lambda epoch: seen.append(epoch.learning_rate)], learning_rate_init=0.1, **options).fit(X, NUMBERS)
    return seen


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
def test_schedules(solver):
    cosine = [Cosine(0.1, 4)(epoch) for epoch in range(4)]
    assert rates(learning_rate="cosine", solver=solver) == pytest.approx(cosine)
    assert rates(learning_rate=Cosine(0.1, 4), solver=solver) == pytest.approx(cosine)
    assert rates(learning_rate=[0.1, 0.2, 0.0, 0.3], solver=solver) == [0.1, 0.2, 0.0, 0.3]
    assert rates(learning_rate=np.asarray([0.1, 0.2, 0.1, 0.3]), solver=solver) == [0.1, 0.2, 0.1, 0.3]
    assert rates(learning_rate=lambda epoch: 0.5 / (1.0 + epoch), solver=solver) == [0.5, 0.25, 0.5 / 3, 0.125]
    assert rates(warm_up=2, solver=solver) == pytest.approx([0.001, 0.0505, 0.1, 0.1])
    warm = WarmUp(2, Cosine(0.1, 2), start=0.001)
    assert rates(warm_up=2, learning_rate="cosine", solver=solver) == pytest.approx([warm(epoch) for epoch in range(4)])


@pytest.mark.parametrize(
    ("learning_rate", "words"),
    [
        ([0.1], "^learning_rate must be one rate for each of the max_iter=4 epochs, got 1 rates$"),
        ([0.1] * 5, "got 5 rates"),
        ([], "got 0 rates"),
        (["a"] * 4, "^the rate of a schedule must be a number from 0, got 'a'$"),
        ([0.1, 0.1, 0.1, -0.1], "got -0.1"),
        (lambda epoch: None, "^the rate of a schedule must be a number from 0, got None$"),
        (lambda epoch: [0.1, 0.2], "got 2 numbers"),
        ("linear", "'learning_rate' parameter of MLPRegressor must be"),
    ],
)
def test_bad_rates(learning_rate, words):
    refused(regressor(learning_rate=learning_rate), y=NUMBERS, match=words)


def test_warm_up_needs_a_solver_with_steps():
    refused(regressor(warm_up=1, solver="lbfgs"), y=NUMBERS, match="warm_up needs one of the solvers")
    refused(regressor(warm_up=-1), y=NUMBERS, match="'warm_up' parameter")


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": (0.0, 0.1)},
        {"clip_norm": 1.0},
        {"warm_up": 1},
        {"learning_rate": "cosine"},
        {"learning_rate": [0.1] * 4},
        {"learning_rate": Cosine(0.1, 4)},
        {"monitor": "loss", "early_stopping": True},
        {"restore_best": True},
    ],
)
def test_what_is_only_ours_is_never_passed_over_by_lbfgs(options):
    name = next(iter(options))
    words = f"^{name} needs one of the solvers sgd, adam and adamw, got lbfgs$"
    refused(regressor(solver="lbfgs", hidden_layer_sizes=(5, 5), **options), y=NUMBERS, match=words)


def test_what_lbfgs_passes_over_with_scikit_learn_it_passes_over_here():
    options = {"learning_rate": "adaptive", "early_stopping": True, "validation_fraction": 0.0, "momentum": 0.5, "restore_best": False}
    assert coefs(regressor(solver="lbfgs", **options).fit(X, NUMBERS)) == coefs(regressor(solver="lbfgs").fit(X, NUMBERS))


# ---------------------------------------------------------------------------------------------------- label smoothing


def test_label_smoothing_by_hand():
    """Each target y becomes (1 - s) y + s/n: the loss of the first epoch, with steps of next to nothing, is that of these targets."""
    options = {"label_smoothing": 0.3, "solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 1, "alpha": 0.0}
    for y, n in ((CLASSES, 3), (TWO, 2)):
        fitted = classifier(**options).fit(X, y)
        targets = 0.7 * np.eye(n)[y] + 0.3 / n
        assert fitted.loss_ == pytest.approx(-(targets * fitted.predict_log_proba(X)).sum() / 40, rel=1e-8)


def test_smoothed_probabilities_stay_away_from_1():
    options = {"solver": "lbfgs", "max_iter": 500, "alpha": 0.0, "hidden_layer_sizes": (20,)}
    sure, smoothed = (classifier(label_smoothing=s, **options).fit(X, TWO).predict_proba(X).max() for s in (0.0, 0.2))
    assert sure > 0.999
    assert smoothed == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("value", [-0.1, 1.0, "a", None])
def test_bad_smoothing(value):
    refused(classifier(label_smoothing=value), match="'label_smoothing' parameter")


# ---------------------------------------------------------------------------------------------- what any constructor gets


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden_layer_sizes": (3, "a")}, "hidden_layer_sizes must be whole numbers"),
        ({"hidden_layer_sizes": [[3]]}, "hidden_layer_sizes must be whole numbers"),
        ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes must be whole numbers"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"weight_decay": -1.0, "solver": "adamw"}, "'weight_decay' parameter"),
        ({"n_networks": 0}, "'n_networks' parameter"),
        ({"max_seconds": 0}, "'max_seconds' parameter"),
        ({"dtype": "float16"}, "'dtype' parameter"),
        ({"backend": "abacus"}, "backend must be auto or one of"),
        ({"loss": "absolute"}, "'loss' parameter"),
        ({"callbacks": [3]}, r"^callbacks must be callables, got \[3\]$"),
        ({"callbacks": print}, "'callbacks' parameter"),
        ({"callbacks": [3], "solver": "lbfgs"}, r"^callbacks must be callables, got \[3\]$"),
    ],
)
def test_bad_parameters(options, words):
    refused(regressor(**options), y=NUMBERS, match=words)


@pytest.mark.parametrize("sizes", [5, np.int64(5), np.asarray(5), np.asarray([5]), [5], (np.int8(5),), range(5, 6)])
def test_one_hidden_layer_however_it_is_said(sizes):
    wanted = MLPClassifier((5,), max_iter=2, random_state=0).fit(X, CLASSES)
    got = MLPClassifier(sizes, max_iter=2, random_state=0).fit(X, CLASSES)
    assert got.get_params()["hidden_layer_sizes"] is sizes
    np.testing.assert_array_equal(got.coefs_[0], wanted.coefs_[0])


def test_hidden_layer_sizes_of_any_library(backend):
    for sizes in (np.asarray(5), np.asarray([5, 3])):
        there = backend.namespace.asarray(sizes)
        got = MLPClassifier(there, max_iter=2, random_state=0).fit(X, CLASSES)
        assert [coefs.shape[0] for coefs in got.coefs_] == [X.shape[1], *sizes.ravel()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", np.asarray(5.0)),
        ("hidden_layer_sizes", np.asarray("5")),
        ("hidden_layer_sizes", np.asarray(-5)),
        ("hidden_layer_sizes", np.asarray([[5]])),
        ("activation", np.asarray("relu")),
        ("learning_rate", np.asarray(0.1)),
        ("learning_rate", np.asarray("constant")),
        ("dropout", np.asarray(0.1)),
        ("callbacks", np.asarray(print)),
        ("batch_size", np.asarray(5)),
        ("alpha", np.asarray(0.1)),
    ],
)
def test_an_array_without_an_axis_is_no_option(name, value):
    """It says that it is array-like, and can't be gone through."""
    with pytest.raises(MlpxpError, match=name) as caught:
        MLPClassifier(max_iter=2).set_params(**{name: value}).fit(X, CLASSES)
    assert "\n" not in str(caught.value)
