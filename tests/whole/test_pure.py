"""What nobody declared a function of its arguments alone is called in each step: a number of its own may change when it likes."""

import contextlib
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import assert_close

import mlpxp
from mlpxp import Activation, Adam, BackendError, GradientDescent, Loss, MLPRegressor, MlpxpError, Network, train
from mlpxp.arrays import draws
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.textbook.approximation._polynomial import power
from mlpxp.training.step import TrainingStep
from mlpxp_backends.numpy import NumpyBackend

EPOCHS, M, BATCH = 6, 30, 3  # ten steps a fold
DRAW = np.random.default_rng(0)
X, Y = DRAW.standard_normal((3, M)), DRAW.standard_normal((2, M))
SIZES = (3, 5, 2)


class Changing:
    """A number that is another one at each call from some call on, or only where a callback changes it."""

    def __init__(self, by=1.0, since=5):
        self.number, self.by, self.since, self.calls = 1.0, by, since, 0

    def __call__(self):
        self.calls += 1
        if self.calls >= self.since:
            self.number *= self.by
        return self.number

    def anneal(self):
        self.number *= 0.7


def scaled(number, **declared):
    """The activation tanh(z) times a number."""
    return Activation(
        "scaled",
        lambda Z: number() * namespace(Z).tanh(Z),
        lambda Z, A: number.number * (1.0 - (A / number.number) ** 2),
        **declared,
    )


def weighted(number, **declared):
    """Half the squared error, times a number."""
    return Loss(
        "weighted",
        lambda A, Y: number() * namespace(A).sum(0.5 * (A - Y) ** 2, axis=-2),
        lambda A, Y: number.number * (A - Y),
        **declared,
    )


class Counting:
    """Gradient descent with a factor."""

    learning_rate = 0.1

    def __init__(self, number):
        self.number = number

    def start(self, parameters):
        return GradientDescent(0.1).start(parameters)

    def update(self, parameters, gradients, state):
        factor = self.number()
        return tree_map(lambda W, g: W - factor * state.learning_rate * g, parameters, gradients), state


@dataclass
class Fields:
    """The same, its factor a field: a copy of it wouldn't hear of a change."""

    learning_rate: float = 0.1
    factor: float = 1.0

    start = Counting.start
    calls = None

    def anneal(self):
        self.factor *= 0.7

    def update(self, parameters, gradients, state):
        return tree_map(lambda W, g: W - self.factor * state.learning_rate * g, parameters, gradients), state


class Slowing(Adam):
    """The built-in one, whose class is declared, with an update that is not."""

    def update(self, parameters, gradients, state):
        rate = state.learning_rate
        parameters, state = super().update(parameters, gradients, state._replace(learning_rate=NUMBERS[0]() * rate))
        return parameters, state._replace(learning_rate=rate)


NUMBERS = [Changing()]  # of the subclass, which is a frozen value


def subclass(number):
    NUMBERS[0] = number
    return Slowing(0.05)


def fields(number):
    optimizer = Fields()
    number.anneal = optimizer.anneal
    return optimizer


def case(what, number):
    """A network and an optimizer of which one part changes."""
    hidden, loss, optimizer = "tanh", "mse", Adam(0.05)
    if what == "activation":
        hidden = scaled(number)
    if what == "output":
        return Network(SIZES, "tanh", scaled(number), "mse"), optimizer
    if what == "loss":
        loss = weighted(number)
    if what == "optimizer":
        optimizer = Counting(number)
    if what == "fields":
        optimizer = fields(number)
    if what == "subclass":
        optimizer = subclass(number)
    return Network(SIZES, hidden, "identity", loss), optimizer


def start(network):
    return mlpxp.initialize(network, seed=3, dtype="float64")


def by_hand(network, optimizer, number):
    """G2 step by step, by the functions that nothing records; after each epoch the number is annealed."""
    parameters, costs = start(network), []
    state = optimizer.start(parameters)
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for rows in draws.batch_order(0, epoch, M).reshape(-1, BATCH):
            cost, gradients = mlpxp.cost_and_gradients(network, parameters, X[:, rows], Y[:, rows])
            parameters, state = optimizer.update(parameters, gradients, state)
            total += float(cost) * BATCH
        costs.append(total / M)
        number.anneal()
    return parameters, costs


@pytest.fixture(params=["numpy", "strict", "torch", "cupy"])
def library(request, monkeypatch):
    """The backends that can call a step; CuPy's fold is run over NumPy's arrays."""
    if request.param != "cupy":
        pytest.importorskip({"strict": "array_api_strict"}.get(request.param, request.param))
        return mlpxp.get_backend(request.param)
    return cupy_over_numpy(monkeypatch)


def cupy_over_numpy(monkeypatch):
    pytest.importorskip("cupy")
    from mlpxp_backends import cupy as module
    from mlpxp_backends.expressions import step_by_step
    from mlpxp_backends.fusion import Fusion

    monkeypatch.setattr(module, "xp", np)
    monkeypatch.setattr(module, "_fusion", Fusion(np, step_by_step(np)))
    monkeypatch.setattr(module, "_use", lambda device: device)
    monkeypatch.setattr(module, "tree_leaves", lambda tree: [SimpleNamespace(device=contextlib.nullcontext())])

    class OverNumpy(NumpyBackend):
        def fold(self, step, state, inputs, *data):
            return module.CupyBackend().fold(step, state, inputs, *data)

    return OverNumpy()


@pytest.mark.parametrize("by", [1.0, 0.995], ids=["between folds", "within a fold"])
@pytest.mark.parametrize("what", ["activation", "output", "loss", "optimizer", "fields", "subclass"])
def test_training_is_what_the_loop_by_hand_gives(library, what, by):
    number = Changing(by)
    network, optimizer = case(what, number)
    wanted, costs = by_hand(network, optimizer, number)
    calls, number = number.calls, Changing(by)
    network, optimizer = case(what, number)
    run = {"epochs": EPOCHS, "batch_size": BATCH, "callbacks": [lambda epoch: number.anneal()]}
    initial = tree_map(library.asarray, start(network))
    result = train(network, X, Y, optimizer=optimizer, start=initial, backend=library, **run)
    assert_close(tree_map(library.to_numpy, result.parameters), wanted, rtol=1e-11)
    assert result.history.cost == pytest.approx(costs, rel=1e-11)
    assert number.calls == calls


@pytest.mark.parametrize("by", [1.0, 0.9])
def test_evaluation_and_prediction_ask_the_activation_each_time(library, monkeypatch, by):
    """Ten batches of one fold: each by the number that there is by then."""
    monkeypatch.setattr("mlpxp.core.evaluation._BATCH", BATCH)
    number = Changing(by, since=1)
    network = Network(SIZES, scaled(number), "identity", "mse")
    parameters = tree_map(library.asarray, start(network))
    (W, b), (V, c) = start(network)
    for _ in range(3):
        factors = np.repeat(number.number * by ** np.arange(1, M // BATCH + 1), BATCH)
        A = V @ (factors * np.tanh(W @ X + b)) + c
        got = mlpxp.evaluate(network, parameters, library.asarray(X), library.asarray(Y))
        assert got.cost == pytest.approx(0.5 * np.mean(np.sum((A - Y) ** 2, axis=0)), rel=1e-12)
        predicted = library.to_numpy(mlpxp.predict(network, parameters, library.asarray(X)))
        np.testing.assert_allclose(predicted, V @ (number.number * np.tanh(W @ X + b)) + c, rtol=1e-12)
        number.anneal()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_estimators_follow(solver):
    """NumPy's fit is PyTorch's, which calls each step anyway."""
    pytest.importorskip("torch")
    fitted = []
    for backend in ("numpy", "torch"):
        slope, weight = Changing(0.999), Changing()
        model = MLPRegressor(
            weighted(weight), (5,), scaled(slope), solver=solver, backend=backend, random_state=0, max_iter=8, tol=0.0, batch_size=BATCH,
            callbacks=[lambda epoch, weight=weight: weight.anneal()], dtype="float64",
        )  # fmt: skip
        with pytest.warns(UserWarning, match="(?i)reached"):
            fitted.append(model.fit(X.T, Y.T))
        fitted[-1].slope = slope
    assert fitted[0].slope.calls == fitted[1].slope.calls
    for one, other in zip(fitted[0].coefs_, fitted[1].coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7)


# ----------------------------------------------------------------------------------------------------------- declarations


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("activation", r"Activation\('scaled', \.\.\., pure=True\)"),
        ("loss", r"Loss\('weighted', \.\.\., pure=True\)"),
        ("optimizer", r"pure = True in the class Counting"),
        ("subclass", r"pure = True in the class Slowing"),
    ],
)
@pytest.mark.parametrize("compiler", ["jax", "torch"])
def test_a_backend_that_can_only_compile_names_what_is_not_declared(compiler, what, names):
    pytest.importorskip(compiler)
    number = Changing()
    network, optimizer = case(what, number)
    library = mlpxp.get_backend("torch", compile=True) if compiler == "torch" else mlpxp.get_backend("jax")
    with pytest.raises(BackendError, match=rf"^backend '{compiler}'.* compiles a step once .*: {names}; [^\n]+$") as caught:
        train(network, X.astype("f4"), Y.astype("f4"), optimizer=optimizer, epochs=1, backend=library)
    assert isinstance(caught.value, MlpxpError)
    assert number.calls == 0


def test_all_that_is_not_declared_is_named_once():
    number = Changing()
    network = Network((3, 4, 4, 2), [scaled(number), scaled(number)], "identity", weighted(number))
    step = TrainingStep(network, Counting(number))
    named = "Activation('scaled', ..., pure=True)", "Loss('weighted', ..., pure=True)", "pure = True in the class Counting"
    assert (step.undeclared, step.pure) == (named, False)


def test_a_step_of_nobody_we_know_is_refused_too():
    pytest.importorskip("jax")
    with pytest.raises(BackendError, match=r"pure = True of <function"):
        mlpxp.get_backend("jax").fold(lambda state, one: (state, one), np.ones(2), np.ones((3, 2)))


@pytest.mark.parametrize("name", ["numpy", "jax", "cupy"])
def test_what_is_declared_is_recorded_or_compiled(name, monkeypatch):
    if name == "jax":
        pytest.importorskip("jax")
    library = cupy_over_numpy(monkeypatch) if name == "cupy" else mlpxp.get_backend(name)
    number = Changing()

    class Declared(Counting):
        pure = True

    network = Network(SIZES, scaled(number, pure=True), "identity", weighted(number, pure=True))
    assert TrainingStep(network, Declared(number)).pure
    single = X.astype("f4"), Y.astype("f4")
    result = train(network, *single, optimizer=Declared(number), epochs=EPOCHS, batch_size=BATCH, backend=library)
    assert number.calls <= 3 * 4  # a fold is ten steps, and there are six
    again = train(network, *single, optimizer=Declared(number), epochs=EPOCHS, batch_size=BATCH, backend="strict")
    assert result.history.cost == pytest.approx(again.history.cost, rel=1e-4)


def test_what_is_built_in_is_declared():
    for name, activation in mlpxp.ACTIVATIONS.items():
        assert activation.pure, name
    assert all(loss.pure for loss in mlpxp.LOSSES.values())
    assert power(3).pure
    for optimizer in (GradientDescent(0.1), Adam(), mlpxp.AdamW()):
        assert TrainingStep(Network((2, 1)), optimizer).pure


def test_to_declare_it_makes_no_other_activation_or_loss():
    """So that a network of an older file or pickle is the same network."""
    for built_in in (*mlpxp.ACTIVATIONS.values(), *mlpxp.LOSSES.values()):
        other = replace(built_in, pure=False)
        assert (other, hash(other)) == (built_in, hash(built_in))
        assert not other.pure


@pytest.mark.parametrize("said", [False, 1, "yes"])
def test_only_true_declares_an_optimizer(said):
    optimizer = Counting(Changing())
    optimizer.pure = said
    assert not TrainingStep(Network((2, 1)), optimizer).pure
    optimizer.pure = True
    assert TrainingStep(Network((2, 1)), optimizer).pure


def test_a_declared_activation_of_ones_own_trains_on_jax():
    jax = pytest.importorskip("jax")
    number = Changing()
    network = Network(SIZES, scaled(number, pure=True), "identity", weighted(number, pure=True))
    single = X.astype("f4"), Y.astype("f4")
    results = [train(network, *single, optimizer=Adam(0.05), epochs=3, batch_size=BATCH, backend=name) for name in ("jax", "strict")]
    assert all(isinstance(leaf, jax.Array) for leaf in tree_leaves(results[0].parameters))
    assert results[0].history.cost == pytest.approx(results[1].history.cost, rel=1e-5)
