"""Approximants that are trained: as many networks as there are seeds, as one stack."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import Backend, get_backend
from mlpxp.arrays.scalars import whole_number
from mlpxp.core.network import Layer, Network, Parameters, initialize, stack
from mlpxp.core.optimizers import Adam, Cosine
from mlpxp.errors import RangeError, UnknownNameError
from mlpxp.runs.stopping import Stop
from mlpxp.textbook.approximation._approximants import Approximant, judged, layers
from mlpxp.training.train import train

if TYPE_CHECKING:
    from mlpxp.runs.history import Epoch
    from mlpxp.textbook.approximation._targets import Target

__all__ = ["Fitting", "Tell", "fit_all", "whole_numbers"]

Tell: TypeAlias = Callable[[str, float], None]  # what is being done, and which share of everything is done
_SLOPE = 3.0  # of a hidden unit's z along its direction, in half sides of the box
_MOST_EXAMPLES = 2048


@dataclass(frozen=True)
class Fitting:
    """How approximants are trained. Full batches, mean squared error, Adam with β2 = 0.99, whose rate falls to 0 along half a cosine.

    Parameters
    ----------
    seeds : int, default 5
        How many networks of each kind, with the seeds 0, 1, ...; they are trained together, as one stack.
    epochs : int, default 1500
    learning_rate : float, default 0.03
    examples : int, optional
        m, the number of points that are learnt; by default 128, 512 and 2,048 of a function of one, two and more variables. Of one, they
        are spread evenly; of more, they are random, the same for every seed.
    spacing : {"chebyshev", "uniform"}, default "chebyshev"
        How they are spread: as Chebyshev's points, denser at the ends, or uniformly.
    backend : str or Backend, default "auto"
        The array library to train in; ``"auto"`` is NumPy.
    device : str, Device or the library's own device object, optional
    dtype : {"float32", "float64"}, default "float64"

    Raises
    ------
    RangeError, UnknownNameError
        A number that is out of range, a spacing that does not exist.
    """

    seeds: int = 5
    epochs: int = 1500
    learning_rate: float = 0.03
    examples: int | None = None
    spacing: Literal["chebyshev", "uniform"] = "chebyshev"
    backend: str | Backend = "auto"
    device: Any = None
    dtype: str = "float64"

    def __post_init__(self) -> None:
        for name in ("seeds", "epochs", *(() if self.examples is None else ("examples",))):
            object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        if self.spacing not in ("chebyshev", "uniform"):
            raise UnknownNameError(f"spacing must be chebyshev or uniform, got {self.spacing!r}")
        self.optimizer  # noqa: B018 - checks the learning rate

    @property
    def optimizer(self) -> Adam:
        """Adam, and its schedule."""
        Adam(self.learning_rate)
        return Adam(Cosine(self.learning_rate, self.epochs), beta2=0.99)

    def points(self, dimension: int) -> NDArray[np.float64]:
        """The points that are learnt, in units of half a side from the middle of the box: shape (n, m)."""
        m = self.examples or min(128 * 4 ** (dimension - 1), _MOST_EXAMPLES)
        shares = (np.arange(m)[None] + 0.5) / m if dimension == 1 else np.random.default_rng(0).uniform(size=(dimension, m))
        return 1.0 - 2.0 * shares if self.spacing == "uniform" else np.cos(np.pi * shares)


def fit_all(
    target: Target, networks: Sequence[Network], fitting: Fitting, *, tell: Tell | None = None, share: tuple[float, float] = (0.0, 1.0)
) -> Iterator[Approximant]:
    """Train a stack of each network, and yield each when it is done; ``share`` is which part of everything this is.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C: what was being trained is no result.
    """
    work = [float(network.n_parameters) for network in networks]
    first, last = share
    for index, network in enumerate(networks):
        begins, ends = (first + (last - first) * sum(work[:done]) / sum(work) for done in (index, index + 1))
        yield _fit(target, network, fitting, _told(tell, f"training {'-'.join(map(str, network.sizes))}", begins, ends))


def whole_numbers(name: str, values: Any) -> tuple[int, ...]:
    """Return a sequence of whole numbers from 1, in order, each once.

    Raises
    ------
    RangeError
        It is something else, or empty.
    """
    try:
        numbers = sorted({operator.index(value) for value in values})
    except TypeError:
        numbers = []
    if not numbers or numbers[0] < 1:
        raise RangeError(f"{name} must be whole numbers from 1, such as (1, 2, 4), got {values!r}")
    return tuple(numbers)


def _fit(target: Target, network: Network, fitting: Fitting, callbacks: Sequence[Callable[[Epoch], object]]) -> Approximant:
    """Train in units of the box and of the values' deviation; what comes out reads x and says f."""
    library = get_backend(fitting.backend)
    points = fitting.points(target.dimension)
    values = target(*(target.centre + target.reach * points))
    shift, scale = float(values.mean()), float(values.std()) or 1.0
    X, Y = (library.asarray(one, dtype=fitting.dtype, device=fitting.device) for one in (points, (values[None] - shift) / scale))
    members = [_start(network, seed, fitting) for seed in range(fitting.seeds)]
    result = train(network, X, Y, optimizer=fitting.optimizer, epochs=fitting.epochs, start=stack(members), callbacks=callbacks)
    if Stop.INTERRUPTED in result.stop:
        raise KeyboardInterrupt
    host = [[np.asarray(library.to_numpy(array), dtype="float64") for array in layer] for layer in result.parameters]
    _rescale(host, target, shift, scale)
    parameters = tuple(Layer(*(library.asarray(array, dtype=fitting.dtype, device=fitting.device) for array in layer)) for layer in host)
    return judged(f"trained, {network.hidden[0].name}", target, network, parameters)


def _start(network: Network, seed: int, fitting: Fitting) -> Parameters:
    """The library's own first parameters, but for the first layer (in the spirit of Nguyen and Widrow 1990).

    Each of its units has z = 0 at a point of the box, and z changes by 3 over half a side along its direction. The points are random and
    spread over the box, one in each of n slices of every variable (a Latin hypercube). With the usual biases of 0 all units would bend in
    the middle.
    """
    drawn = initialize(network, seed=seed, dtype="float64")
    (n, n_in), W = network.shapes[0], drawn[0].W
    W = _SLOPE * W / np.linalg.norm(W, axis=1, keepdims=True)
    random = np.random.default_rng((seed, n, n_in))
    slices = random.permuted(np.tile(np.arange(n)[:, None], n_in), axis=0)
    at = 2.0 * (slices + random.uniform(size=(n, n_in))) / n - 1.0
    first = (W, -(W * at).sum(axis=1))
    rest = [(layer.W, layer.b[:, 0]) for layer in drawn[1:]]
    return layers(first, *rest, backend=fitting.backend, device=fitting.device, dtype=fitting.dtype)


def _rescale(host: list[list[NDArray[np.float64]]], target: Target, shift: float, scale: float) -> None:
    """Put u = (x - centre)/reach into the first layer and f = shift + scale y into the last."""
    W, b = host[0]
    W = W / target.reach.T
    host[0] = [W, b - W @ target.centre]
    W, b = host[-1]
    host[-1] = [scale * W, scale * b + shift]


def _told(tell: Tell | None, text: str, begins: float, ends: float) -> tuple[Callable[[Epoch], object], ...]:
    if tell is None:
        return ()
    return (lambda epoch: tell(text, begins + (ends - begins) * epoch.number / epoch.last),)
