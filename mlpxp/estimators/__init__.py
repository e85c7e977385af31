"""Estimators with scikit-learn's contract, a thin shell over :func:`mlpxp.train`: on any backend, and with what its users asked for."""

from mlpxp.estimators._classifier import MLPClassifier
from mlpxp.estimators._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
