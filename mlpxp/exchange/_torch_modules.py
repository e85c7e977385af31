"""PyTorch: an ``nn.Sequential`` of linear layers and activations, taken apart and put together."""

from __future__ import annotations

from inspect import getsourcefile
from typing import TYPE_CHECKING, Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn.modules import module as _modules  # pyright: ignore[reportMissingImports]

from mlpxp.arrays.backend import plain
from mlpxp.core.network import Layer
from mlpxp.errors import BackendError, DtypeError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MODULES", "put_together", "taken_apart"]

MODULES: dict[str, Callable[[], Any]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
    "gelu": lambda: nn.GELU(approximate="tanh"),
    "softmax": lambda: nn.Softmax(dim=-1),
}
_PLAIN = {nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.ReLU: "relu", nn.SiLU: "silu"}
_OPTIONS: dict[type, tuple[str, dict[str, tuple[Any, ...]], str]] = {  # what an option may be for the activation to be ours
    nn.LeakyReLU: ("leaky_relu", {"negative_slope": (0.01,)}, "ours leaks 0.01"),
    nn.ELU: ("elu", {"alpha": (1.0,)}, "ours has an α of 1"),
    nn.Softplus: ("softplus", {"beta": (1.0,), "threshold": (20.0,)}, "ours is ln(1 + e^z) wherever that is not z"),
    nn.GELU: ("gelu", {"approximate": ("tanh",)}, "the array API standard has no erf, and ours is the tanh form"),
    nn.Softmax: ("softmax", {"dim": (-1, 1)}, "ours is over the units of a layer"),
}
_DROPOUTS = (nn.Dropout, nn.AlphaDropout)
_PASSED_OVER = (nn.Identity, *_DROPOUTS)


def taken_apart(module: Any) -> list[tuple[Layer, str | None]]:
    """Return each linear layer, copied, with the name of the activation that follows it, ``None`` where none does.

    Raises
    ------
    UnknownNameError, ShapeError, DtypeError, BackendError
        Something that makes no multi-layer perceptron of ours.
    """
    found: list[tuple[Layer, str | None]] = []
    for name, part in _parts(module, ""):
        if type(part) is nn.Linear:
            found.append((_layer(part, name), None))
            _check_fits(found, name)
        elif type(part) is nn.Flatten and not found and (part.start_dim, part.end_dim) == (1, -1):
            continue  # rows come flat
        elif type(part) not in _PASSED_OVER:
            activation = _activation(part, name)
            if not found or found[-1][1] is not None:
                before = "comes before any Linear" if not found else f"follows another activation, {found[-1][1]}"
                raise UnknownNameError(f"from_torch wants one activation after a Linear: module {name!r}, {_kind(part)}, {before}")
            found[-1] = found[-1][0], activation
    if not found:
        raise UnknownNameError("from_torch wants at least one Linear in the module, got none")
    return found


def put_together(layers: Sequence[Layer], activations: Sequence[str]) -> Any:
    """Return a ``Sequential`` of layers, copied, and activations by name; the identity is left out."""
    modules: list[Any] = []
    for layer, name in zip(layers, activations, strict=True):
        n, n_in = layer.W.shape
        linear: Any = nn.utils.skip_init(nn.Linear, n_in, n, dtype=layer.W.dtype, device=layer.W.device)  # no random number is drawn
        with torch.no_grad():
            linear.weight.copy_(layer.W)
            linear.bias.copy_(layer.b[:, 0])
        modules += [linear, *([] if name == "identity" else [MODULES[name]()])]
    return nn.Sequential(*modules)


def _parts(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the modules of a ``Sequential`` with their names, those of one within it in their place."""
    if not isinstance(module, nn.Module):
        raise UnknownNameError(f"from_torch wants an nn.Sequential, got {type(module).__name__}")
    _check_is_itself(module, f"module {name!r}, {_kind(module)}," if name else f"the {_kind(module)}")
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        for child, part in module._modules.items():  # named_children() leaves out a module that came before, such as one ReLU for all
            yield from _parts(part, f"{name}.{child}".lstrip("."))
    else:
        yield name, module


def _check_is_itself(module: Any, what: str) -> None:
    """Refuse a module that computes something else than its class says: it would be taken for what it isn't."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, _modules._global_forward_hooks, _modules._global_forward_pre_hooks)
    if any(hooks):
        whose = f"of {what}" if any(hooks[:2]) else "of all modules"
        raise UnknownNameError(
            f"from_torch can't tell what the forward hooks {whose} do (weight_norm, pruning and accelerate have such): remove them first"
        )
    if "forward" in vars(module) or not _is_torchs(type(module)):
        raise UnknownNameError(f"from_torch can't tell what {what} computes: its forward was replaced; put the class's own back first")
    if type(module) in _DROPOUTS and module.training and module.p > 0.0:
        raise UnknownNameError(f"from_torch takes a module that predicts, and {what} draws at random while training: call eval() first")


def _is_torchs(kind: type) -> bool:
    """Whether the ``forward`` of a class of PyTorch's is still PyTorch's; what other classes do is not asked here."""
    owner = next(base for base in kind.__mro__ if "forward" in vars(base))
    code = getattr(vars(owner)["forward"], "__code__", None)
    return owner.__module__.partition(".")[0] != "torch" or (code is not None and code.co_filename == getsourcefile(owner))


def _layer(linear: Any, name: str) -> Layer:
    weight, bias = plain(f"the weight of module {name!r}", linear.weight.detach()), linear.bias
    if weight.device.type == "meta":
        raise BackendError(f"module {name!r} is on device 'meta': it has a shape and no values")
    if weight.dtype not in {torch.float32, torch.float64}:
        raise DtypeError(f"module {name!r} must be float32 or float64, got {weight.dtype}: convert it with module.float()")
    b = weight.new_zeros(weight.shape[0]) if bias is None else plain(f"the bias of module {name!r}", bias.detach()).clone()
    return Layer(W=weight.clone(memory_format=torch.contiguous_format), b=b[:, None])


def _check_fits(found: list[tuple[Layer, str | None]], name: str) -> None:
    if len(found) < 2:
        return
    (before, _), (layer, _) = found[-2:]
    if layer.W.shape[1] != before.W.shape[0]:
        raise ShapeError(
            f"module {name!r} must read the {before.W.shape[0]} features that the Linear before it gives, got {layer.W.shape[1]}"
        )


def _activation(part: Any, name: str) -> str:
    kind = type(part)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind not in _OPTIONS:
        known = ", ".join(one.__name__ for one in (nn.Linear, *_PLAIN, *_OPTIONS))
        raise UnknownNameError(f"from_torch has no place for module {name!r}, {_kind(part)}: wanted {known}, and Flatten only at the start")
    activation, options, why = _OPTIONS[kind]
    for option, allowed in options.items():
        if getattr(part, option) not in allowed:
            wanted = " or ".join(repr(value) for value in allowed)
            raise UnknownNameError(f"module {name!r}, {_kind(part)}, must have {option}={wanted}, got {getattr(part, option)!r}: {why}")
    return activation


def _kind(part: Any) -> str:
    return type(part).__name__
