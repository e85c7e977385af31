"""The figures that only the textbook's arguments draw; :mod:`mlpxp.textbook` has them by name."""
