"""MLPRegressor: scikit-learn's, on any backend."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from mlpxp.errors import DataError
from mlpxp.estimators.classifier import _is_stochastic
from mlpxp.estimators.errors import translated
from mlpxp.estimators.inputs import to_host
from mlpxp.estimators.shell import MultilayerPerceptron
from mlpxp.losses import Loss

__all__ = ["MLPRegressor"]

_HEADS = {"squared_error": ("identity", "mse"), "poisson": ("exp", "poisson")}


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """DOCSTRING"""

    _parameter_constraints = MultilayerPerceptron._parameter_constraints | {
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Self:
        """Learn from X and y.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame, or array of any library, shape (m, n_features)
        y : array-like, shape (m,) or (m, n_outputs)
            Numbers; from 0 up with ``loss="poisson"``.
        sample_weight : array-like, shape (m,), optional
            Not negative, and not all zero.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Looked at after every epoch: ``validation_loss_curve_`` and ``validation_scores_``. With ``early_stopping`` these are watched
            instead of a part of the training data.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        DataError, DtypeError, InvalidParameterError, RangeError
            Data or parameters that can't be learnt from or with; all are ``ValueError`` or ``TypeError`` too.
        DivergenceError
            The loss stopped being finite; also a ``ValueError``. The last finite weights are kept.
        """
        self._fit(X, y, sample_weight, validation_data=validation_data)
        return self

    @available_if(lambda self: _is_stochastic(self))
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn one epoch more, from these data; the optimizer's state and the history go on.

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
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the prediction for each example, (m,) or (m, n_outputs).

        With ``return_std`` also the standard deviation over the members of an ensemble, in the same shape.
        """
        _, A = self._passed(X, "predict")
        predicted = self._shaped(self._averaged(A))
        return (predicted, self._shaped(self._spread(A))) if return_std else predicted

    def _shaped(self, A: Any) -> Any:
        return A[0, ...] if self.n_outputs_ == 1 else A.mT

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², the share of the variance that is explained."""
        with translated():
            return float(r2_score(to_host(y), to_host(self.predict(X)), sample_weight=to_host(sample_weight)))

    def _head(self) -> Any:
        return (self.loss.pairing or "identity", self.loss) if isinstance(self.loss, Loss) else _HEADS[self.loss]

    def _read_targets(self, y: Any, *, incremental: bool) -> Any:
        return self._read_later_targets(y)

    def _read_later_targets(self, y: Any) -> Any:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        if self.loss == "poisson" and (y < 0).any():
            raise DataError(f"loss='poisson' needs y >= 0, counts or amounts, got {y.min():g}")
        y = y.astype(np.float64) if y.dtype.kind != "f" else y
        return y[:, None] if y.ndim == 1 else y
