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
from mlpxp.estimators._documentation import documented
from mlpxp.estimators._inputs import to_host
from mlpxp.estimators._parameters import CONSTRAINTS
from mlpxp.estimators._shell import MultilayerPerceptron, is_stochastic
from mlpxp.estimators.errors import translated
from mlpxp.estimators.their_privates import StrOptions

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place

__all__ = ["MLPRegressor"]

_HEADS = {"squared_error": ("identity", "mse"), "poisson": ("exp", "poisson")}


@documented  # with the parameters and the attributes that both have
class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """A multi-layer perceptron regressor with scikit-learn's interface, on any array library.

    It minimises half the squared error (C1), or half the Poisson deviance, by backpropagation (B1 to B4). Put in the place of
    ``sklearn.neural_network.MLPRegressor`` it gives the same weights; all that scikit-learn doesn't have is off by default. With several
    outputs the loss is the sum over them, whose gradient it descends (scikit-learn reports the mean).

    Parameters
    ----------
    loss : {"squared_error", "poisson"} or Loss, default "squared_error"
        ``"poisson"`` has the output e^z and needs y ≥ 0. A loss of your own with its derivative is checked on the first batch.
    output_activation : str or Activation, optional
        By default the identity, or the exponential function for ``"poisson"``.
    monitor : {"score", "loss"}, scorer's name or callable, default "score"
        What is watched on the validation data: R², the loss, or any scorer of scikit-learn's, ``scorer(estimator, X, y)`` with X an
        array, whose values are then the ``validation_scores_``; it is told the ``sample_weight`` of the validation data if it takes
        one. Any other than the default needs ``early_stopping`` or ``X_val``.

    Attributes
    ----------
    loss_curve_ : list of float
        The mean loss of each epoch's batches, each as it was before its update, with the penalty, since the first ``fit`` or the last by
        L-BFGS, which has no epochs and no curves. Sample weights weigh the batches, too (scikit-learn counts their examples), and
        several outputs add up (scikit-learn shows their mean, and descends the sum).

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
