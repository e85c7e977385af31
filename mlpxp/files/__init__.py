"""The library's own files: each is safetensors with everything that going on needs, written whole or not at all."""

from mlpxp.files._model_file import Model, load_model, save_model
from mlpxp.files._table import KINDS
from mlpxp.files.disk import check_writable, write_atomically
from mlpxp.files.kinds import Kind, kind_of, load_as, save_as
from mlpxp.files.schema import FORMAT_VERSION

__all__ = [
    "FORMAT_VERSION",
    "KINDS",
    "Kind",
    "Model",
    "check_writable",
    "kind_of",
    "load_as",
    "load_model",
    "save_as",
    "save_model",
    "write_atomically",
]
