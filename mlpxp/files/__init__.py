"""The library's own files: each is safetensors with everything that going on needs, written whole or not at all.

::

    schema.py            what all files have in common
    kinds.py, _table.py  what a file may hold, and how it is written and read
    networks.py          a network and its parameters
    trees.py             an optimizer's state and a history
    _model_file.py, _result_file.py, checkpoint_file.py
                         the three kinds
    disk.py              written whole, in places that were tried before
"""

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
