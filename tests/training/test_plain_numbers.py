"""Hyperparameters of NumPy's, or of any library: the run with plain ones, to the bit and in its dtype."""

from dataclasses import dataclass

import numpy as np
import pytest
from training_runs import NETWORK, data, listed, start

import mlpxp
from mlpxp import (
    Activation,
    Adam,
    AdamW,
    Constant,
    Cosine,
    DtypeError,
    GradientDescent,
    Network,
    RangeError,
    StepDecay,
    WarmUp,
    initialize,
    load,
    predict,
    stack,
    train,
)
from mlpxp.arrays.standard import dtype_name, tree_leaves

SCALARS = {"float64": np.float64, "0-d": np.asarray, "longdouble": np.longdouble}
OPTIMIZERS = {
    "rate": lambda of: GradientDescent(of(0.25)),
    "momentum": lambda of: GradientDescent(of(0.25), momentum=of(0.9)),
    "nesterov": lambda of: GradientDescent(0.25, momentum=of(0.9), nesterov=np.True_ if of is not float else True),
    "adam": lambda of: Adam(of(0.25), beta1=of(0.8), beta2=of(0.9), epsilon=of(1e-3)),
    "decay": lambda of: AdamW(0.25, weight_decay=of(0.125)),
    "constant": lambda of: Adam(Constant(of(0.25))),
    "steps": lambda of: Adam(StepDecay(of(0.25), of(2.0), of(0.5))),
    "cosine": lambda of: GradientDescent(Cosine(of(0.25), of(3.0), of(0.1)), momentum=0.5),
    "warm-up": lambda of: Adam(WarmUp(of(2.0), of(0.25), of(0.1))),
    "a user's own": lambda of: Adam(lambda epoch: of(0.25) / of(1.0 + epoch)),
}
OPTIONS = {
    "penalty": lambda of: {"penalty": of(0.125)},
    "penalty on the sum": lambda of: {"penalty": of(0.125), "penalty_on": "sum"},
    "clip_norm": lambda of: {"clip_norm": of(0.01)},
    "dropout": lambda of: {"dropout": of(0.25)},
    "dropout, one each": lambda of: {"dropout": [of(0.25)]},
    "tolerance": lambda of: {"tolerance": of(0.0)},
    "seconds": lambda of: {"max_seconds": of(1e6)},
}
WHOLE = {"batch_size": 4, "epochs": 3, "seed": 2, "patience": 2}


@pytest.fixture
def trained(to_device, to_host):
    """A function that trains in float32 and brings the parameters and the optimizer's state home."""
    X, Y = data(dtype="float32")

    def run(optimizer, **options):
        given = {"epochs": 3, "batch_size": 4, **options}
        result = train(NETWORK, *to_device((X, Y)), optimizer=optimizer, start=to_device(start(dtype="float32")), **given)
        leaves = tree_leaves((result.parameters, result.optimizer_state))
        assert {dtype_name(leaf) for leaf in leaves} == {"float32"}
        predict(NETWORK, result.parameters, to_device(X))
        return listed(to_host((result.parameters, result.optimizer_state))), result.history.cost, result.history.learning_rate

    return run


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("scalar", SCALARS)
def test_of_an_optimizer(trained, name, scalar):
    assert trained(OPTIMIZERS[name](SCALARS[scalar])) == trained(OPTIMIZERS[name](float))


@pytest.mark.parametrize("name", OPTIONS)
def test_of_train(trained, name):
    for scalar in SCALARS.values():
        assert trained(Adam(0.25), **OPTIONS[name](scalar)) == trained(Adam(0.25), **OPTIONS[name](float))


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.asarray])
def test_whole_numbers_of_train(trained, kind):
    assert trained(Adam(0.25), **{name: kind(value) for name, value in WHOLE.items()}) == trained(Adam(0.25), **WHOLE)


def test_epochs_of_a_short_kind_are_counted_on():
    """100 and 100 more are 200, which int8 has not."""
    X, Y = data()
    first = train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=np.int8(100))
    assert train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=np.int8(100), start=first).epochs == 200


def test_scalars_of_the_arrays_own_library(trained, backend):
    def of(value):
        return backend.asarray([value], dtype="float32")[0]

    assert trained(GradientDescent(of(0.25), momentum=of(0.5)), clip_norm=of(0.125), penalty=of(0.125), dropout=of(0.5)) == trained(
        GradientDescent(0.25, momentum=0.5), clip_norm=0.125, penalty=0.125, dropout=0.5
    )


def test_rates_of_a_stack_may_be_an_array():
    X, Y = data()
    pair, options = stack([start(0), start(1)]), {"epochs": 2, "batch_size": 4}
    plain = train(NETWORK, X, Y, optimizer=Adam(lambda epoch: [0.1, 0.2]), start=pair, **options)
    array = train(NETWORK, X, Y, optimizer=Adam(lambda epoch: np.asarray([0.1, 0.2])), start=pair, **options)
    assert listed(array.parameters) == listed(plain.parameters)
    assert array.history.learning_rate == plain.history.learning_rate == ((0.1, 0.2), (0.1, 0.2))


@dataclass(frozen=True)
class Own:
    """A user's schedule, whose field the library doesn't make plain."""

    rate: object
    table: object = (0.5, 1.0)

    def __call__(self, epoch):
        return self.rate


@pytest.mark.parametrize("of", [np.float64, np.asarray])
def test_a_checkpoint_of_one_kind_is_gone_on_with_in_the_other(tmp_path, of):
    X, Y = data(dtype="float32")

    def run(number, **options):
        optimizer = GradientDescent(Own(number(0.1)), momentum=number(0.9), nesterov=number is float or np.True_)
        whole = {"batch_size": 4, "patience": 9} if number is float else {"batch_size": np.int64(4), "patience": np.int64(9)}
        return train(
            NETWORK, X, Y, optimizer=optimizer, penalty=number(0.1), clip_norm=number(0.5), dropout=number(0.25), **whole, **options
        )

    wanted = run(float, epochs=4)
    for first, then in ((float, of), (of, float)):
        path = tmp_path / f"{first.__name__}.ckpt"
        run(first, epochs=2, checkpoint=path, every=1)
        load(path)
        resumed = run(then, epochs=4, checkpoint=path, resume=True)
        assert listed(resumed.parameters) == listed(wanted.parameters)
        assert resumed.history.cost == wanted.history.cost


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Own(np.float32(0.1)), Own(np.float32(0.2))),
        (Own(np.asarray(0.1)), Own(np.asarray(0.2))),
        (Own(0.1, np.ones(2)), Own(0.1, np.zeros(2))),
    ],
)
def test_a_checkpoint_of_another_number_is_refused(tmp_path, one, other):
    X, Y = data()
    train(NETWORK, X, Y, optimizer=Adam(one), epochs=1, checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(RangeError, match="is of a run with optimizer Adam"):
        train(NETWORK, X, Y, optimizer=Adam(other), epochs=2, checkpoint=tmp_path / "run.ckpt", resume=True)


@pytest.mark.parametrize(
    "make",
    [lambda: GradientDescent(np.True_), lambda: GradientDescent(0.1, momentum=np.True_), lambda: Adam(0.1, epsilon=np.asarray([1.0]))],
)
def test_what_is_no_number_is_refused(make):
    with pytest.raises(RangeError, match=r"^\w+ must be "):
        make()


@pytest.mark.parametrize("nesterov", [1, "no", None])
def test_nesterov_is_true_or_false(nesterov):
    with pytest.raises(RangeError, match=r"^nesterov must be True or False, got "):
        GradientDescent(0.1, momentum=0.9, nesterov=nesterov)


def test_an_activation_that_computes_in_another_dtype_is_named():
    """NumPy would go on in float64, and only the next prediction would fail."""
    scale = np.float64(0.5)
    half = Activation("half", lambda Z: scale * Z, lambda Z, A: scale * np.ones_like(A))
    network = Network((3, 4, 2), hidden=half, output="softmax", loss="cross_entropy")
    X, Y = data(dtype="float32")
    with pytest.raises(DtypeError, match=r"^a step must keep the dtype of the parameters, float32, got float64: an activation"):
        train(network, X, Y, optimizer=GradientDescent(0.1), epochs=2, start=initialize(network, seed=0, dtype="float32"))


NUMBERS = {
    "learning_rate_init": 0.01, "alpha": 0.25, "momentum": 0.8, "power_t": 0.25, "tol": 1e-3, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-6,
    "max_seconds": 1e6, "label_smoothing": 0.1,
}  # fmt: skip
BY_EPOCHS = {"dropout": 0.25, "clip_norm": 0.5, "warm_up": 1.5}
COUNTS = {"max_iter": 6, "n_networks": 2, "batch_size": 16, "max_fun": 100, "n_iter_no_change": 3}
SOLVERS = {
    "adam": {}, "invscaling": {"solver": "sgd", "learning_rate": "invscaling"}, "adaptive": {"solver": "sgd", "learning_rate": "adaptive"},
    "cosine": {"solver": "adamw", "learning_rate": "cosine", "weight_decay": 0.1}, "lbfgs": {"solver": "lbfgs"},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOLVERS)
def test_of_an_estimator(dtype, name):
    """float32's own 0.1 is another number than 0.1: what it is compared with is that number as a plain one."""
    pytest.importorskip("sklearn")
    draw = np.random.default_rng(0)
    X, y = draw.standard_normal((40, 3)).astype(dtype), draw.integers(0, 3, 40)
    numbers = NUMBERS if name == "lbfgs" else NUMBERS | BY_EPOCHS
    runs = []
    for real, count in ((np.float32, np.int8), (lambda value: float(np.float32(value)), int)):
        options = {key: real(value) for key, value in numbers.items()} | {key: count(value) for key, value in COUNTS.items()}
        estimator = mlpxp.MLPClassifier(hidden_layer_sizes=(4,), random_state=0, **SOLVERS[name], **options).fit(X, y)
        assert estimator.coefs_[0].dtype == dtype
        curves = [getattr(estimator, curve, None) for curve in ("loss_curve_", "learning_rate_curve_")]
        runs.append([[each.tolist() for each in (*estimator.coefs_, *estimator.intercepts_)], curves, estimator.loss_])
    assert runs[0] == runs[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_ensemble_of_numpy_s_own_number_of_networks_with_a_scorer():
    pytest.importorskip("sklearn")
    X = np.random.default_rng(0).standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(int)
    options = {"hidden_layer_sizes": (3,), "early_stopping": True, "monitor": "accuracy", "max_iter": 4, "random_state": 0}
    plain, of_numpy = (mlpxp.MLPClassifier(n_networks=n, **options).fit(X, y) for n in (3, np.int64(3)))
    assert of_numpy.validation_scores_ == plain.validation_scores_
    assert all(0.0 <= score <= 1.0 for score in of_numpy.validation_scores_)
