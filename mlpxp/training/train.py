"""Training's door: what is asked for becomes a plan, a run is prepared by it, and the run is run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mlpxp.training.options import check_start, check_validation, plan_for
from mlpxp.training.prepare import prepare

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.arrays.rows import Rows
    from mlpxp.arrays.standard import Array
    from mlpxp.core.network import Network, Parameters
    from mlpxp.core.optimizers import Optimizer
    from mlpxp.runs.history import TrainingResult
    from mlpxp.training.loop import Callback

__all__ = ["train"]


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
        The cost stopped being finite. The error holds the last finite parameters, the history, and the best epoch's parameters if
        they are kept. A member of a stack that
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
    plan = plan_for(
        len(network.hidden),
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        validates=validation is not None,
        tolerance=tolerance,
        patience=patience,
        penalty=penalty,
        penalty_on=penalty_on,
        dropout=dropout,
        clip_norm=clip_norm,
        order=order,
        max_seconds=max_seconds,
        callbacks=callbacks,
        progress=progress,
        checkpoint=checkpoint,
        every=every,
        every_seconds=every_seconds,
        resume=resume,
    )
    check_validation(validation)
    check_start(start)
    run = prepare(network, X, Y, plan, weights=weights, validation=validation, start=start, backend=backend, device=device)
    return run()
