"""MLPRegressor: scikit-learn's, on any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from mlpxp.arrays.backend import plain
from mlpxp.arrays.placing import beside
from mlpxp.core.losses import Loss
from mlpxp.errors import DataError
from mlpxp.estimators._answers import averaged, numbers, spread
from mlpxp.estimators._inputs import to_host
from mlpxp.estimators._parameters import CONSTRAINTS
from mlpxp.estimators._shell import MultilayerPerceptron, is_stochastic
from mlpxp.estimators._validation import validation_of
from mlpxp.estimators.errors import translated
from mlpxp.estimators.their_privates import StrOptions

if TYPE_CHECKING:
    from mlpxp.estimators._inputs import Place

__all__ = ["MLPRegressor"]

_HEADS = {"squared_error": ("identity", "mse"), "poisson": ("exp", "poisson")}


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """A multi-layer perceptron regressor with scikit-learn's interface, on any array library.

    It minimises half the squared error (C1), or half the Poisson deviance, by backpropagation (B1 to B4). Put in the place of
    ``sklearn.neural_network.MLPRegressor`` it gives the same weights; all that scikit-learn doesn't have is off by default. With several
    outputs the loss is the sum over them, whose gradient it descends (scikit-learn reports the mean).

    Parameters
    ----------
    loss : {"squared_error", "poisson"} or Loss, default "squared_error"
        ``"poisson"`` has the output e^z and needs y ≥ 0. A loss of your own with its derivative is checked on the first batch.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; ``()`` is none.
    activation : str, Activation, or a sequence of them, default "relu"
        Of all hidden layers, or one each: a key of :data:`mlpxp.ACTIVATIONS`, scikit-learn's ``"logistic"`` for the sigmoid, or your own.
    solver : {"sgd", "adam", "adamw", "lbfgs"}, default "adam"
        Gradient descent with momentum, Adam, Adam with decoupled weight decay, or scipy's L-BFGS on all examples at once.
    alpha : float, default 0.0001
        The L2 penalty ½α Σ_l ‖W_l‖² on the sum of the losses: a batch's mean loss has α divided by what the batch weighs.
    batch_size : int or "auto", default "auto"
        Examples in an update; ``"auto"`` is min(200, m).
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, Schedule, or sequence of float, default "constant"
        η from epoch to epoch. ``"invscaling"`` (η_0/(t + 1)^power_t with the t examples seen) and ``"adaptive"`` (a fifth, each time
        that training would stop) are for sgd, as in scikit-learn. ``"cosine"`` falls along half a cosine over ``max_iter``. A sequence has
        one rate for each of the ``max_iter`` epochs.
    learning_rate_init : float, default 0.001
        η_0.
    power_t : float, default 0.5
        See ``learning_rate``.
    max_iter : int, default 200
        The most epochs, or iterations of L-BFGS.
    shuffle : bool, default True
        Whether the examples are visited in another order in each epoch.
    random_state : int, RandomState or None, default None
        Decides the initial weights, the validation split, the batches and the dropout; drawn in scikit-learn's order, so that an equal
        one gives scikit-learn's weights.
    tol : float, default 1e-4
        What counts as an improvement of the loss, or of the validation score.
    verbose : bool or int, default False
        Print the loss of each epoch.
    warm_start : bool, default False
        Whether ``fit`` begins with the weights that it ended with before. The optimizer begins anew, and the curves go on.
    momentum, nesterovs_momentum : float in [0, 1], default 0.9, and bool, default True
        Of sgd.
    early_stopping : bool, default False
        Set ``validation_fraction`` of the data aside (or take ``X_val`` and ``y_val``), stop when its score no longer improves, and keep
        the weights of the best epoch. With ``warm_start`` that is the best of all fits: if none beats the earlier ones, the last is kept,
        so that many short fits get on. Not for lbfgs.
    validation_fraction : float in [0, 1), default 0.1
        See ``early_stopping``.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        Of Adam.
    n_iter_no_change : int or inf, default 10
        Stop after more than this many epochs in a row without an improvement.
    max_fun : int, default 15000
        The most evaluations of L-BFGS.
    backend : str or Backend, default "auto"
        The array library to compute in; ``"auto"`` is that of X, NumPy for everything else.
    device : str, Device or the library's own device object, optional
        Where to compute, ``"cuda:0"``; where X is by default.
    dtype : {"float32", "float64"}, optional
        What to compute in; X's dtype by default, float64 where X is no float.
    output_activation : str or Activation, optional
        By default the identity, or the exponential function for ``"poisson"``.
    dropout : float or sequence of float, default 0
        The probability in [0, 1) with which a hidden unit is left out of an update; one for all hidden layers or one each.
    weight_decay : float, default 0.01
        λ of adamw: W ← W - ηλW before the update. Any other than the default or 0 is refused for another solver.
    clip_norm : float, optional
        A gradient longer than this, over all layers, is shortened to it.
    warm_up : float, default 0
        Epochs over which η rises from a hundredth of η_0.
    monitor : {"score", "loss"}, scorer's name or callable, default "score"
        What is watched on the validation data: R², the loss, or any scorer of scikit-learn's, ``scorer(estimator, X, y)`` with X an
        array, whose values are then the ``validation_scores_``; it is told the ``sample_weight`` of the validation data if it takes
        one. Any other than the default needs ``early_stopping`` or ``X_val``.
    restore_best : bool, optional
        Whether to end with the weights of the epoch that was best by what is watched, or without validation data by the training loss; by
        default with ``early_stopping``. ``partial_fit`` keeps its one epoch.
    callbacks : sequence of callable, default ()
        Each is called with an :class:`mlpxp.Epoch` after each epoch; ``True`` stops.
    progress : bool, default False
        Show a progress bar (it needs rich).
    max_seconds : float, optional
        Stop after this time.
    n_networks : int, default 1
        How many differently initialised networks to train at once, as one stack on the same batches, and to average.

    Attributes
    ----------
    coefs_, intercepts_ : list of array (n_in, n_out) and (n_out,)
        The weights and the biases, in the library and on the device of the X that was fitted; of an ensemble with a leading axis.
    loss_, best_loss_ : float
        The last and the lowest training loss; ``best_loss_`` is ``None`` with early stopping.
    loss_curve_ : list of float
        The mean loss of each epoch's batches, each as it was before its update, with the penalty, since the first ``fit`` or the last by
        L-BFGS, which has no epochs and no curves. Sample weights weigh the batches, too (scikit-learn counts their examples), and
        several outputs add up (scikit-learn shows their mean, and descends the sum).
    validation_loss_curve_, validation_scores_ : list of float, or None
        After each epoch, where there are validation data; NaN for earlier or later epochs without.
    best_validation_score_ : float or None
        The highest of them.
    stop_ : Stop, or tuple of Stop for an ensemble
        Why the last fit stopped.
    learning_rate_curve_ : list of float
        η of each epoch's first update. Not for L-BFGS.
    n_iter_, t_ : int
        Epochs of the last fit, and examples seen in all.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        Layers with the input, units of the last one, and its activation.
    n_features_in_, feature_names_in_ : int, and ndarray of str
        The features of X, with their names if it had any.
    estimators_ : list of MLPRegressor
        The members of an ensemble.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import MLPRegressor
    >>> X = np.linspace(-1.0, 1.0, 200)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=20, activation="tanh", solver="lbfgs", random_state=0).fit(X, np.sin(3.0 * X[:, 0]))
    >>> round(model.score(X, np.sin(3.0 * X[:, 0])), 2)
    1.0

    A pipeline prepares the validation data as it does X, if it is told to:

    >>> from sklearn import config_context
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> y = np.sin(3.0 * X[:, 0])
    >>> with config_context(enable_metadata_routing=True):
    ...     model = MLPRegressor(early_stopping=True, random_state=0).set_fit_request(X_val=True, y_val=True)
    ...     pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
    ...     pipeline = pipeline.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    >>> bool(np.isclose(pipeline.score(X[1::2], y[1::2]), model.best_validation_score_))
    True
    """

    _parameter_constraints = CONSTRAINTS | {
        "loss": [StrOptions(set(_HEADS)), Loss],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        backend: Any = "auto",
        device: Any = None,
        dtype: str | None = None,
        output_activation: Any = None,
        dropout: Any = 0.0,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        warm_up: float = 0,
        monitor: Any = "score",
        restore_best: bool | None = None,
        callbacks: Any = (),
        progress: bool = False,
        max_seconds: float | None = None,
        n_networks: int = 1,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.output_activation = output_activation
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.warm_up = warm_up
        self.monitor = monitor
        self.restore_best = restore_best
        self.callbacks = callbacks
        self.progress = progress
        self.max_seconds = max_seconds
        self.n_networks = n_networks

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        validation_data: Any = None,
    ) -> Self:
        """Learn from X and y.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame, or array of any library, shape (m, n_features)
        y : array-like, shape (m,) or (m, n_outputs)
            Numbers; from 0 up with ``loss="poisson"``.
        sample_weight : array-like, shape (m,), optional
            Not negative, and not all zero. In float32 what weighs less than 1e-38 of the heaviest weighs nothing.
        X_val, y_val, sample_weight_val : array-like, optional
            Looked at after every epoch: ``validation_loss_curve_`` and ``validation_scores_``. With ``early_stopping`` these are watched
            instead of a part of the training data. A ``Pipeline(..., transform_input=["X_val"])`` prepares X_val as it does X.
        validation_data : (X, y) or (X, y, sample_weight), optional
            The same as one value, which no pipeline prepares.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        DataError, DtypeError, InvalidParameterError, RangeError
            Data or parameters that can't be learnt from or with; all are ``ValueError`` or ``TypeError`` too.
        BackendError
            A library or a device that isn't here; also a ``ValueError``.
        DivergenceError
            The loss stopped being finite; also a ``ValueError``. The last finite weights are kept. After any other error the estimator is
            what it was before.

        Warns
        -----
        ValidationWarning
            After the first epoch the loss of the validation data is more than a hundred times that of the training data.
        """
        with beside(X):
            self._fit(X, y, sample_weight, validation_data=validation_of(validation_data, X_val, y_val, sample_weight_val))
        return self

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn one epoch more, from these data; the history goes on, and the optimizer's state unless the solver is another.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        DataError
            As :meth:`fit` does.
        """
        with beside(X):
            self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the prediction for each example, (m,) or (m, n_outputs).

        With ``return_std`` also the standard deviation over the members of an ensemble, in the same shape.
        """
        with beside(X):
            A = self._predicted(X, "predict")
            predicted = numbers(averaged(A), self.n_outputs_)
            return (predicted, numbers(spread(A), self.n_outputs_)) if return_std else predicted

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², the share of the variance that is explained."""
        with translated():
            return float(r2_score(to_host(y), to_host(self.predict(X)), sample_weight=to_host(sample_weight)))

    def _head(self, labels: Any) -> Any:
        return (self.loss.pairing or "identity", self.loss) if isinstance(self.loss, Loss) else _HEADS[self.loss]

    def _on_host(self, y: Any) -> Any:
        return to_host(plain("y", y))

    def _read_y(self, y: Any) -> Any:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        if y.dtype.kind in "mM":
            raise DataError(f"y must hold numbers, got {y.dtype}: take off a date, and divide what is left by a length of time")
        y = y.astype(np.float64) if y.dtype.kind != "f" else y
        if not np.isfinite(y).all():
            raise DataError("Input y contains NaN or infinity: what has no target can't be learnt from")
        if self.loss == "poisson" and (y < 0).any():
            raise DataError(f"loss='poisson' needs y >= 0, counts or amounts, got {y.min():g}")
        return y

    def _read_targets(self, y: Any, place: Place, *, classes: Any, incremental: bool) -> tuple[Any, None]:
        return self._read_later_targets(y), None

    def _read_later_targets(self, y: Any) -> Any:
        return y[:, None] if y.ndim == 1 else y
