"""Models in the formats of other libraries."""

from mlpxp.exchange.onnx import export_onnx

__all__ = ["export_onnx"]
