"""Multi-layer perceptrons whose mathematics is written once and runs on every array library.

Inside, the notation of the textbook: examples are columns, X is (n_0, m), W_l is (n_l, n_{l-1}), b_l is (n_l, 1), and Z_l and A_l
are (n_l, m). The cost and its gradients are means over the examples. Axes before the last two are stacks of networks. What comes
out has the library, the device and the dtype of what went in; nothing is moved or converted that the caller did not ask for.

Importing this costs nothing: each name is imported from its module, by the table in ``__init__.pyi``, when it is first asked for.
"""

import lazy_loader

__version__ = "0.1.0"

_find, _, _names = lazy_loader.attach_stub(__name__, __file__)

_RETURNED = {
    "BackendStatus",
    "Epoch",
    "Evaluation",
    "GradientCheck",
    "History",
    "Operations",
    "Passed",
    "PerceptronRun",
    "Separation",
    "Stop",
}
"""Types that functions return and nobody makes: they can be imported from here too, but are not what a reader has to know."""

_ROOMS = {"data", "errors", "exchange", "plotting", "textbook"}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - checkers read __init__.pyi
    name for name in (*_names, "__version__") if name not in _RETURNED | _ROOMS and not name.endswith(("Error", "Warning"))
]


def __getattr__(name: str) -> object:
    if name not in _names:
        raise AttributeError(f"module 'mlpxp' has no attribute {name!r}")
    try:
        return _find(name)
    except ImportError as error:
        if not name.startswith("MLP"):
            raise
        from mlpxp.errors import MissingLibraryError

        raise MissingLibraryError(f"mlpxp.{name} needs {error.name}, which can't be imported: pip install 'mlpxp[sklearn]'") from error


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
