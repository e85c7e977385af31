"""Training's door: what may come in, where it goes, and what comes out. The loop itself is in :mod:`mlpxp.training.loop`."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from mlpxp.arrays.backend import Backend, choose_backend, plain
from mlpxp.arrays.draws import check_seed
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import Array, device_of, dtype_name, is_array, namespace, tree_map
from mlpxp.core.dropout import check_dropout
from mlpxp.core.evaluation import Evaluator
from mlpxp.core.network import Network, Parameters, initialize
from mlpxp.core.shapes import plain_layers
from mlpxp.errors import OutOfMemoryError, RangeError, ShapeError
from mlpxp.files.checkpoint_file import Kept
from mlpxp.runs.history import History, TrainingResult
from mlpxp.runs.snapshot import Standing
from mlpxp.runs.stopping import Watch
from mlpxp.training._inputs import Penalty
from mlpxp.training._judging import asks_for_finer_costs, finest
from mlpxp.training.batches import Batches
from mlpxp.training.checkpoints import Checkpoints, asked_of
from mlpxp.training.checks import check_examples, check_keeping, check_kinds, check_options, warn_of_scale
from mlpxp.training.loop import Callback, Loop
from mlpxp.training.progress import bar

if TYPE_CHECKING:
    from mlpxp.core.optimizers import Optimizer

__all__ = ["longest_fold", "train"]

_PATIENCE = 10  # epochs without an improvement that count as convergence, where only a tolerance is given


def train(
    network: Network,
    X: Array | Rows,
    Y: Array,
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    seed: int | None = None,
    validation: tuple[Array, Array] | tuple[Array, Array, Array] | None = None,
    tolerance: float | None = None,
    patience: int | None = None,
    weights: Array | None = None,
    backend: str | Backend = "auto",
    device: Any = None,
    start: Parameters | TrainingResult | None = None,
    penalty: float = 0.0,
    penalty_on: Literal["mean", "sum"] = "mean",
    dropout: float | Sequence[float] = 0.0,
    clip_norm: float | None = None,
    order: Callable[[int], Any] | None = None,
    max_seconds: float | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int | None = None,
    every_seconds: float | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Minimise the cost by an optimizer (G1, G2), on the library and the device that X lives on.

    Parameters
    ----------
    network : Network
    X : array, shape (n_0, m), or Rows
        One example a column, float32 or float64. For a stack of k also (k, n_0, m). :class:`mlpxp.Rows` are read a batch at a time.
    Y : array, shape (n_L, m)
        Targets of the same dtype; for a stack also (k, n_L, m).
    optimizer : Optimizer
        ``GradientDescent(0.1)``, ``Adam()``, ``AdamW()``.
    epochs : int
        How many passes over the data there may be, from 1.
    batch_size : int, optional
        Examples in a batch; by default all of them, and an epoch is one update as in the textbook.
    seed : int, optional
        Decides the initial parameters (unless ``start`` is given) and the batches; by default 0, or that of the earlier result.
    validation : (X, Y) or (X, Y, weights), optional
        Evaluated after each epoch.
    tolerance : float, optional
        Stop as converged (with validation data: stop early) when no epoch has lowered the best cost by more than this for
        ``patience`` epochs. 0 if only ``patience`` is given. Where float32 wouldn't show such a difference, the losses are float64.
    patience : int, optional
        See ``tolerance``; 10 if only that is given. With validation data the watched cost is the validation cost, and the
        parameters of the best epoch are returned.
    weights : array, shape (m,), optional
        Non-negative weights of the examples. A batch whose weights add up to zero is skipped; a schedule and dropout count it.
    backend : str or Backend, default "auto"
        The array library to train in: X, Y, weights and validation data are made its arrays. ``"auto"`` uses arrays as and where they
        are, whatever library they come from, and NumPy for lists and other host data.
    device : str, Device or the library's own device object, optional
        Where to train: ``"cuda:1"``, ``"cpu"``. The data are moved there; by default they stay where they are.
    start : tuple of Layer or TrainingResult, optional
        Parameters to begin from (a stack trains as one), or an earlier result to go on from: its optimizer state, history
        and count of epochs go on too, so that 5 epochs and 5 more are 10.
    penalty : float, default 0
        λ of the L2 penalty ½λ Σ_l ‖W_l‖² that is added to the cost. Biases are free.
    penalty_on : {"mean", "sum"}, default "mean"
        What the penalty is added to: the mean of the losses, or their sum, so that a batch's mean has λ divided by what the batch
        weighs (scikit-learn's ``alpha``).
    dropout : float or sequence of float, default 0
        The probability in [0, 1) with which a hidden unit is left out of an update, one for all hidden layers or one each; what stays is
        multiplied by 1/(1 - p) (Srivastava et al. 2014). The same seed leaves out the same units on every backend.
    clip_norm : float, optional
        A gradient longer than this, over all layers, is shortened to it.
    order : callable, optional
        ``order(epoch)`` returns the examples that epoch ``epoch`` (from 1) visits, in their order: m whole numbers from 0 and below m, as
        a sequence or an array. They may be repeated, as in sampling with replacement, but are never more or fewer than m, so that all
        epochs have the same batches. By default drawn from ``seed``. It is called once an epoch, in turn.
    max_seconds : float, optional
        Stop after this time.
    callbacks : sequence of callable
        Each is called with an :class:`Epoch` after each epoch; one that returns ``True`` stops the run, and for a stack a list of bool
        stops the members where it is true. One that judges costs may say by which differences, in an attribute ``tolerance``.
    progress : bool, default False
        Show a bar of the epochs on stderr, with the cost and the validation cost, of a stack their means (it needs rich).
    checkpoint : str or path, optional
        A file for where the run stands: everything that going on bit for bit needs. It is written before the first update (so that a
        place that can't be written is an error then), now and then, and at the end; the one before is kept beside it,
        ``<name>.previous``. A write that fails in the course of the run is a :class:`CheckpointWarning`: training goes on, and the next
        one is tried again.
    every : int, optional
        After how many epochs a checkpoint is written.
    every_seconds : float, optional
        After which time, between two batches of a long epoch too. By default, and if there is no ``every``, a minute.
    resume : bool, default False
        Go on from the checkpoint, with the arguments of the run that wrote it; without one, begin: so the same call can be made until it
        ends. What only says how long and where it runs may differ: ``epochs``, ``max_seconds``, ``callbacks``, ``progress``, ``every``,
        ``every_seconds``, ``backend``, ``device``, and whether X is an array or :class:`mlpxp.Rows`; ``start`` is not looked at again.
        Other data are told by a few dozen examples.
        ``order`` is asked for the orders of the epochs done once more, in turn. Without ``resume`` a checkpoint that is there is not
        overwritten but an error.

    Returns
    -------
    TrainingResult
        Also after Ctrl-C, with what was learnt.

    Raises
    ------
    DivergenceError
        The cost stopped being finite. The error holds the last finite parameters and the history. A member of a stack that
        diverges is frozen at its last finite parameters while the others go on; only if all do is this raised.
    ShapeError, DtypeError, BackendError, DataError, RangeError
        Arrays that don't fit the network or each other, values that can't be learnt from, or options out of range; or the checkpoint is
        of another run.
    OutputError, FileFormatError, MissingLibraryError
        The checkpoint can't be written, or is there already; it is damaged, and so is the one before; safetensors is not installed, or
        for ``progress`` rich.
    OutOfMemoryError
        The device has too little memory for a step; the message suggests a batch size.

    Warns
    -----
    ScaleWarning
        In float32 a feature reaches 2¹⁹, or 2¹⁹ of its standard deviations: standardise it, or train in float64. Or improvements of
        ``tolerance`` don't show in float32, and the device has no float64.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Adam, Network, train
    >>> X = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
    >>> Y = np.asarray([[0.0, 1.0, 1.0, 0.0]])
    >>> network = Network((2, 8, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    >>> result = train(network, X, Y, optimizer=Adam(0.1), epochs=200)
    >>> result.epochs, str(result.stop)
    (200, 'maximum of epochs reached')
    """
    epochs, batch_size, tolerance, patience, penalty, clip_norm, max_seconds = check_options(
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        validation=validation,
        tolerance=tolerance,
        patience=patience,
        start=start,
        penalty=penalty,
        penalty_on=penalty_on,
        clip_norm=clip_norm,
        order=order,
        max_seconds=max_seconds,
        callbacks=callbacks,
    )
    every, every_seconds, resume = check_keeping(checkpoint=checkpoint, every=every, every_seconds=every_seconds, resume=resume)
    watched = bar(shown=progress)
    rates = check_dropout(dropout, len(network.hidden))
    earlier = start if isinstance(start, TrainingResult) else None
    seed = check_seed(seed) if seed is not None else 0 if earlier is None else earlier.seed
    library = choose_backend(backend, *(Y if isinstance(X, Rows) else X, Y))
    examples = _on(library, backend, device, (X, Y, weights))
    held_out = None if validation is None else _on(library, backend, device, (*validation, None)[:3], of="validation ")
    X, Y, weights = examples
    check_kinds(network, X, Y)
    if start is None:
        start = _initial(network, library, Y if isinstance(X, Rows) else X, seed)
    parameters = start.last_parameters if isinstance(start, TrainingResult) else plain_layers(start)
    check_examples(network, library, parameters, examples, names=("X", "Y", "weights"))
    if held_out is not None:
        check_examples(network, library, parameters, held_out, names=("validation X", "validation Y", "validation weights"))
    parameters = tree_map(library.asarray, parameters)  # rows contiguous
    if earlier is None:
        warn_of_scale(library, X, dtype_name(Y))
    members = _members(parameters)
    restores_best = held_out is not None and patience is not None
    m = int(X.shape[-1])
    streamed = isinstance(X, Rows)
    size = None if batch_size is None or batch_size >= m else batch_size
    batches = Batches(
        m=m,
        size=size,
        seed=seed,
        longest=longest_fold(network, examples=members * (size or m)),
        order=order,
        weights=None if weights is None else library.to_numpy(weights).astype("float64"),
    )
    history = History() if earlier is None else earlier.history
    past = history.cost if validation is None else history.validation_cost
    if restores_best and earlier is not None and not earlier.restored_best:
        past = past[-1:]  # of the epochs before, only the last one's parameters are still there
    watch = Watch.over(
        members, tolerance, patience or (None if tolerance is None else _PATIENCE), past, before=len(history.cost) - len(past)
    )
    moments = optimizer.start(parameters) if earlier is None else tree_map(library.asarray, _state_of(earlier, network, optimizer))
    standing = Standing.at_start((parameters, moments), history, watch, best=None if earlier is None else earlier.parameters)
    keeper = None
    if checkpoint is not None:
        asked = asked_of(
            network,
            library,
            optimizer,
            standing,
            batches,
            examples,
            held_out,
            tolerance=tolerance,
            penalty=penalty,
            penalty_on=penalty_on,
            dropout=rates,
            clip_norm=clip_norm,
        )
        kept = Kept(standing, network, asked, batches.longest, restores_best, seed)
        keeper = Checkpoints(checkpoint, kept, every=every, every_seconds=every_seconds)
        kept = keeper.begin(library, resume=resume)
        standing, batches = kept.standing, replace(batches, longest=kept.longest)
        batches.pass_over(standing.first + 1, len(standing.history.cost))
    loop = Loop(
        network,
        library,
        optimizer,
        standing,
        (*_rows(library, X, Y, gathered=size is not None), weights),
        batches=replace(batches, longest=1) if streamed else batches,  # rows are read a batch at a time
        penalty=Penalty(penalty, penalty_on),
        dropout=rates if any(rates) else (),
        clip_norm=clip_norm,
        finer=asks_for_finer_costs(
            network,
            library,
            parameters,
            (X, Y),
            tolerance=finest(watch.tolerance if watch.patience is not None and held_out is None else None, *callbacks),
            penalty=penalty / (m if penalty_on == "sum" else 1),
        ),
        evaluator=None if held_out is None else Evaluator.of(network, library, *held_out),
        restores_best=restores_best,
        keeper=keeper,
    )
    del standing, moments  # Adam's are twice the parameters: only checkpoints hold those of the start while it runs
    try:
        with watched as shown:
            return loop.run(epochs, max_seconds=max_seconds, callbacks=[*callbacks, *shown])
    except OutOfMemoryError as error:
        raise OutOfMemoryError(f"{error}; {_smaller(network, members, size or m, Y, error.free)}", error.asked, error.free) from error


def _on(library: Backend, backend: str | Backend, device: Any, examples: tuple[Any, ...], of: str = "") -> tuple[Any, Any, Any]:
    """Make host data arrays, and move what was asked to be moved: to a library that was named, to a device of their own library's."""

    def placed(name: str, values: Any) -> Any:
        if isinstance(values, Rows):
            return values
        if not is_array(values):
            return library.asarray(values, device=device)
        values = plain(of + name, values)
        is_here = namespace(values) is library.namespace
        if (device is None and is_here) or (backend == "auto" and not is_here):  # another library's arrays are refused further down
            return values
        if values.ndim < 2:
            return library.asarray(values, device=device)
        return library.asarray(values.mT, device=device).mT  # rows are contiguous, as batches are gathered: no second copy for that

    X, Y, weights = examples
    return placed("X", X), placed("Y", Y), None if weights is None else placed("weights", weights)


def _rows(library: Backend, X: Array | Rows, Y: Array, *, gathered: bool) -> tuple[Any, Any]:
    """Return X and Y one example a row, in one layout whatever theirs was, as rounding depends on it: by example where gathered."""

    def row(array: Any) -> Any:
        return library.asarray(array.mT) if gathered else library.asarray(array).mT

    return X if isinstance(X, Rows) else row(X), row(Y)


def _smaller(network: Network, members: int, batch: int, Y: Array, free: int | None) -> str:
    """Say which batch would fit: K3, the activations and the errors of the batch, and as much again for what is on its way."""
    an_example = 4 * sum(network.sizes) * members * (8 if dtype_name(Y) == "float64" else 4)
    fits = max(1, min(batch // 2, batch if free is None else free // an_example))
    if batch == 1:
        return "the batch is one example already: try a smaller network"
    return f"try batch_size={2 ** (fits.bit_length() - 1)}"


def _initial(network: Network, library: Backend, like: Array, seed: int) -> Parameters:
    return initialize(network, seed=seed, backend=library, dtype=dtype_name(like), device=device_of(like))


def _members(parameters: Parameters) -> int:
    stacked = tuple(parameters[0].W.shape[:-2])
    if len(stacked) > 1:
        raise ShapeError(f"a stack to train must have one leading axis, got {stacked}")
    return math.prod(stacked)


def longest_fold(network: Network, examples: int) -> int:
    """Return how many batches make about half a second of work on one core, so that a stop request is soon heard."""
    seconds_a_batch = 5e-5 + 6 * network.n_parameters * examples / 2e10  # K2: 6 operations a parameter and example
    return max(1, int(0.5 / seconds_a_batch))


def _state_of(earlier: TrainingResult, network: Network, optimizer: Optimizer) -> Any:
    """Return the optimizer's state that an earlier result ended with, if this run can go on from it."""
    if earlier.network != network:
        raise RangeError(
            f"start must be a result of the same network, {network}, got one of {earlier.network}: pass its parameters instead"
        )
    wanted, got = optimizer.start(earlier.last_parameters), earlier.optimizer_state
    if type(wanted) is not type(got) or [leaf is None for leaf in wanted] != [leaf is None for leaf in got]:
        raise RangeError(
            f"start was trained by another optimizer than {type(optimizer).__name__} with these options, and its state does not fit: "
            "pass its parameters to begin anew from them"
        )
    return got
