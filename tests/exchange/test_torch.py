"""PyTorch's modules as models and the other way: predictions are equal, and memory is not shared."""

import functools
import importlib

import numpy as np
import pytest

from mlpxp import (
    ACTIVATIONS,
    Activation,
    Adam,
    BackendError,
    DtypeError,
    Network,
    PairingError,
    ShapeError,
    UnknownNameError,
    from_torch,
    initialize,
    predict,
    to_backend,
    to_torch,
    train,
)
from mlpxp.arrays.standard import tree_leaves
from mlpxp.files import Model

torch = pytest.importorskip("torch")
nn = torch.nn

X = 3.0 * np.random.default_rng(0).standard_normal((40, 4))  # rows
ATOL = {"float32": 1e-6, "float64": 1e-8}  # PyTorch's softplus is z itself above 20, off by 2e-9
MODULES = {
    "relu": nn.ReLU(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "softplus": nn.Softplus(),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(approximate="tanh"),
}


def answers(module, rows=X):
    with torch.no_grad():
        like = next(module.parameters())
        return module.eval()(torch.asarray(rows, dtype=like.dtype)).numpy()


def predicted(model, rows=X):
    return np.asarray(predict(model.network, to_backend(model.parameters, "numpy"), rows.T.astype(model.dtype))).T


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODULES)
def test_a_module_and_the_model_of_it_predict_the_same(name, dtype):
    module = nn.Sequential(nn.Linear(4, 6), MODULES[name], nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(dim=1))
    module = module.to(getattr(torch, dtype))
    model = from_torch(module)
    assert model.network == Network((4, 6, 5, 3), hidden=(name, "tanh"), output="softmax", loss="cross_entropy")
    assert model.dtype == dtype
    assert all(type(leaf) is torch.Tensor and not leaf.requires_grad for leaf in tree_leaves(model.parameters))
    np.testing.assert_allclose(predicted(model), answers(module), rtol=0, atol=ATOL[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "exp"])
def test_a_model_and_the_module_of_it_predict_the_same(backend, name, dtype):
    network = Network((4, 6, 3), hidden="tanh" if name == "softmax" else name, output=name)
    model = Model(network, initialize(network, seed=0, dtype=dtype, backend=backend))
    module = to_torch(model)
    assert type(module) is nn.Sequential
    assert {str(leaf.dtype) for leaf in module.parameters()} == {f"torch.{dtype}"}
    assert all(leaf.requires_grad for leaf in module.parameters())
    np.testing.assert_allclose(answers(module), predicted(model), rtol=0, atol=ATOL[dtype])
    again = from_torch(module)
    assert again.network.activations == network.activations
    assert all(
        np.array_equal(a, backend.to_numpy(b)) for a, b in zip(tree_leaves(again.parameters), tree_leaves(model.parameters), strict=True)
    )


def test_what_is_passed_over():
    """A Flatten at the start, Dropout and Identity, and a Sequential in another."""
    inner = nn.Sequential(nn.Identity(), nn.Linear(6, 5, bias=False), nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(0.3)))
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 6), nn.AlphaDropout(), inner, nn.Linear(5, 1)).eval()
    model = from_torch(module)
    assert model.network == Network((4, 6, 5, 1), hidden=("identity", "relu"), output="identity")
    np.testing.assert_allclose(predicted(model), answers(module), atol=1e-6)
    assert not model.parameters[1].b.any()
    np.testing.assert_allclose(answers(module, X.reshape(40, 2, 2)), answers(module), atol=1e-6)


def test_modules_that_come_more_than_once_count_each_time():
    act, linear = nn.Tanh(), nn.Linear(6, 6)
    module = nn.Sequential(nn.Linear(4, 6), act, linear, act, linear, nn.Sequential(act, nn.Linear(6, 2), act))
    model = from_torch(module)
    assert model.network == Network((4, 6, 6, 6, 2), hidden="tanh", output="tanh")
    np.testing.assert_allclose(predicted(model), answers(module), atol=1e-6)


def test_a_linear_layer_alone():
    module = nn.Linear(4, 2)
    np.testing.assert_allclose(predicted(from_torch(module)), answers(module), atol=1e-6)


def test_what_was_left_to_the_loss_is_said():
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    assert from_torch(module).network.output.name == "identity"
    model = from_torch(module, output="softmax")
    assert model.network.loss.name == "cross_entropy"
    wanted = torch.softmax(torch.asarray(answers(module)), dim=1).numpy()
    np.testing.assert_allclose(predicted(model), wanted, atol=1e-6)
    assert from_torch(module, output="sigmoid", loss="mse").network.loss.name == "mse"
    with pytest.raises(PairingError, match="use output='softmax', got 'identity'"):
        from_torch(module, loss="cross_entropy")
    with pytest.raises(UnknownNameError, match="this one ends with tanh: leave it out"):
        from_torch(nn.Sequential(*module, nn.Tanh()), output="softmax")


def test_memory_is_not_shared_in_either_direction():
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    model = from_torch(module)
    before = predicted(model)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    module(torch.asarray(X, dtype=torch.float32)).square().mean().backward()
    optimizer.step()
    assert np.array_equal(predicted(model), before)
    data = [torch.asarray(each, dtype=torch.float32) for each in (X.T, X.T[:1])]
    result = train(model.network, *data, optimizer=Adam(), epochs=1, start=model.parameters)
    assert np.array_equal(predicted(model), before)
    handed = to_torch(result)
    before = [leaf.clone() for leaf in tree_leaves(result.parameters)]
    with torch.no_grad():
        for leaf in handed.parameters():
            leaf.zero_()
    assert all(map(torch.equal, tree_leaves(result.parameters), before))


def test_making_a_module_draws_no_random_number():
    network = Network((4, 3, 1))
    torch.manual_seed(0)
    wanted = torch.rand(1)
    torch.manual_seed(0)
    to_torch(Model(network, initialize(network, seed=0)))
    assert torch.equal(torch.rand(1), wanted)


# -------------------------------------------------------------------------------------------------------- refusals


class Own(nn.Sequential):
    def forward(self, x):
        return x


def hooked():
    linear = nn.Linear(4, 1)
    linear.register_forward_hook(lambda *_: None)
    return nn.Sequential(linear)


def sequential(*modules):
    return lambda: nn.Sequential(nn.Linear(4, 3), *modules)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (sequential(nn.GELU()), UnknownNameError, "module '1', GELU, must have approximate='tanh', got 'none': .* has no erf"),
        (sequential(nn.LeakyReLU(0.2)), UnknownNameError, "must have negative_slope=0.01, got 0.2: ours leaks 0.01"),
        (sequential(nn.ELU(0.5)), UnknownNameError, "alpha=1.0, got 0.5"),
        (sequential(nn.Softplus(2.0)), UnknownNameError, "beta=1.0, got 2.0"),
        (sequential(nn.Softplus(1.0, 5.0)), UnknownNameError, "threshold"),
        (sequential(nn.Softmax(dim=0)), UnknownNameError, "dim=-1 or 1, got 0"),
        (sequential(nn.LogSoftmax(dim=1)), UnknownNameError, "no place for module '1', LogSoftmax"),
        (sequential(nn.BatchNorm1d(3)), UnknownNameError, "no place for module '1', BatchNorm1d"),
        (sequential(nn.Sequential(nn.ReLU(), nn.Hardtanh())), UnknownNameError, "no place for module '1.1', Hardtanh"),
        (sequential(nn.Flatten()), UnknownNameError, "Flatten only at the start"),
        (sequential(nn.ReLU(), nn.Tanh()), UnknownNameError, "module '2', Tanh, follows another activation, relu"),
        (sequential(nn.Softmax(dim=1), nn.Linear(3, 1)), PairingError, "softmax can only be the output"),
        (sequential(nn.Linear(2, 1)), ShapeError, "module '1' must read the 3 features that the Linear before it gives, got 2"),
        (sequential(nn.Linear(3, 1, dtype=torch.float64)), DtypeError, "W_2 must have the dtype of W_1"),
        (lambda: nn.Linear(4, 1).half(), DtypeError, r"float32 or float64, got torch.float16: convert it with module.float\(\)"),
        (lambda: nn.Linear(4, 1, device="meta"), BackendError, "device 'meta'"),
        (lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 1)), UnknownNameError, "comes before any Linear"),
        (nn.Sequential, UnknownNameError, "at least one Linear"),
        (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(4, 1)), UnknownNameError, "Flatten"),
        (lambda: Own(nn.Linear(4, 1)), UnknownNameError, "Own"),
        (hooked, UnknownNameError, "hooks of module '0', Linear, do .*: remove them first"),
        (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 1)), UnknownNameError, "ParametrizedLinear"),
        (lambda: nn.Linear, UnknownNameError, "wants an nn.Sequential, got type"),
        (lambda: 3, UnknownNameError, "wants an nn.Sequential, got int"),
    ],
)  # fmt: skip
def test_modules_that_have_no_place_here(make, error, says):
    with pytest.raises(error, match=says) as caught:
        from_torch(make())
    assert "\n" not in str(caught.value)


def halved(module):
    """The module, which now answers with half of what its class does."""
    theirs = module.forward
    module.forward = lambda x: 0.5 * theirs(x)
    return module


def pruned(linear):
    importlib.import_module("torch.nn.utils.prune").l1_unstructured(linear, "weight", amount=2)
    return linear


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: halved(nn.Linear(4, 1)), "what the Linear computes: its forward was replaced"),
        (lambda: halved(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))), "what the Sequential computes: its forward was replaced"),
        (sequential(halved(nn.ReLU())), "what module '1', ReLU, computes: its forward was replaced"),
        (sequential(nn.Sequential(nn.ReLU(), halved(nn.Identity()))), "what module '1.1', Identity, computes: its forward was replaced"),
        (lambda: nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 1))), "hooks of module '0', Linear, do .*weight_norm"),
        (lambda: nn.Sequential(pruned(nn.Linear(4, 1))), "hooks of module '0', Linear, do .*pruning"),
        (lambda: nn.utils.spectral_norm(nn.Linear(4, 1)), "hooks of the Linear do"),
        (lambda: nn.utils.parametrizations.orthogonal(nn.Linear(4, 1)), "no place for .*ParametrizedLinear"),
        (sequential(nn.Dropout(0.1)), r"module '1', Dropout, draws at random while training: call eval\(\) first"),
    ],
)
def test_modules_that_are_not_what_their_class_says(make, says):
    with pytest.raises(UnknownNameError, match=says) as caught:
        from_torch(make())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("register", [nn.modules.module.register_module_forward_hook, nn.modules.module.register_module_forward_pre_hook])
def test_hooks_of_all_modules(register):
    handle = register(lambda *_: None)
    try:
        with pytest.raises(UnknownNameError, match="forward hooks of all modules do"):
            from_torch(nn.Linear(4, 1))
    finally:
        handle.remove()
    assert from_torch(nn.Linear(4, 1)).network.sizes == (4, 1)


def test_a_forward_that_was_replaced_in_the_class(monkeypatch):
    theirs = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", functools.wraps(theirs)(lambda self, x: 0.5 * theirs(self, x)))
    with pytest.raises(UnknownNameError, match="its forward was replaced"):
        from_torch(nn.Sequential(nn.Linear(4, 1)))


def test_dropout_that_drops_nothing_and_hooks_of_the_way_back_change_no_answer():
    module = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.0), nn.ReLU(), nn.Linear(6, 1))
    module[0].register_full_backward_hook(lambda *_: None)
    np.testing.assert_allclose(predicted(from_torch(module)), answers(module), atol=1e-6)


@pytest.mark.parametrize(
    ("network", "error", "says"),
    [
        (Network((4, 3, 1), hidden="exp"), UnknownNameError, "no module for the activation 'exp' of layer 1"),
        (Network((4, 3, 1), hidden=Activation("relu", lambda Z: Z, lambda Z, A: A)), UnknownNameError, "'relu' of layer 1"),
    ],
)  # fmt: skip
def test_models_that_pytorch_has_no_modules_for(network, error, says):
    with pytest.raises(error, match=says):
        to_torch(Model(network, initialize(network, seed=0)))


def test_a_stack_is_several_networks():
    network = Network((4, 3, 1))
    with pytest.raises(ShapeError, match=r"got a stack of 2: take one of mlpxp\.unstack"):
        to_torch(Model(network, initialize(network, seed=[0, 1])))
