"""Estimators with scikit-learn's contract, a thin shell over :func:`mlpxp.train`: on any backend, and with what its users asked for."""

from mlpxp.estimators.classifier import MLPClassifier
from mlpxp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
