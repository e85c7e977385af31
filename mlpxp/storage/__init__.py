"""Models as files: one safetensors file with everything that predicting needs, written whole or not at all."""

from mlpxp.storage.files import check_writable, write_atomically
from mlpxp.storage.model_file import FORMAT_VERSION, Model, load_model, save_model

__all__ = ["FORMAT_VERSION", "Model", "check_writable", "load_model", "save_model", "write_atomically"]
