"""What comes in at the estimators' door: host data through scikit-learn's own checks, arrays of other libraries as and where they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data

from mlpxp.arrays.backend import backend_of, get_backend, plain
from mlpxp.arrays.placing import Place
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import device_of, dtype_name, is_array, is_sparse, library_of, namespace
from mlpxp.errors import DataError
from mlpxp.estimators.errors import translated
from mlpxp.estimators.their_privates import check_sample_weight

__all__ = [
    "Place",
    "check_range",
    "check_same_place",
    "is_foreign",
    "is_mapped",
    "labels_at",
    "place_of",
    "read_examples",
    "read_features",
    "read_weights",
    "to_host",
]


def is_foreign(values: Any) -> bool:
    """Return whether these are arrays of another library than NumPy."""
    return not isinstance(values, np.ndarray) and is_array(values)


def to_host(values: Any) -> Any:
    """Bring an array of another library to NumPy, bfloat16, which NumPy hasn't, as float32; all else stays as it is."""
    if not is_foreign(values):
        return values
    if dtype_name(values) == "bfloat16":
        xp = namespace(values)
        values = xp.astype(values, xp.float32)
    return backend_of(values).to_numpy(values)


def is_mapped(array: Any) -> bool:
    """Return whether an ndarray looks at a file that is mapped into memory."""
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


_AT_ONCE = 4096  # rows that are predicted
_WIDE = {"float64", "float96", "float128"}  # the last two are NumPy's longdouble


def place_of(X: Any, dtype: str | None) -> Place:
    """Return the place of a checked X, sparse matrices' being the host; ``dtype`` is what was asked for."""
    library, device = (backend_of(X), device_of(X)) if is_foreign(X) else (get_backend("numpy"), None)
    return Place(library, device, dtype or ("float32" if dtype_name(X) == "float32" else "float64"))


def read_features(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return X as a finite matrix of floats (m, n_features), dense or CSR, and note or check the number and the names of its features."""
    X = _at_door(_readable("X", X))
    with translated():
        if is_foreign(X):
            validate_data(estimator, X, reset=reset, skip_check_array=True)
            return _foreign_matrix(X)
        X = validate_data(estimator, X, accept_sparse=["csr", "csc"], dtype=_dtypes(X), reset=reset)
        return X.tocsr() if hasattr(X, "tocsr") else X


def read_examples(estimator: Any, X: Any, y: Any, *, reset: bool, numeric: bool) -> tuple[Any, Any]:
    """Return X as :func:`read_features` does, and y, which is on the host, one target a row."""
    X = _at_door(_readable("X", X))
    with translated():
        if is_foreign(X):
            validate_data(estimator, X, y, reset=reset, skip_check_array=True)
            X = _foreign_matrix(X)
            asked: Any = {"accept_sparse": "csr", "ensure_2d": False, "dtype": "numeric" if numeric else None}
            y = check_array(y, input_name="y", **asked)
            check_consistent_length(np.empty((X.shape[0], 0)), y)
        else:
            X, y = validate_data(
                estimator,
                X,
                y,
                accept_sparse=["csr", "csc"],
                multi_output=True,
                y_numeric=numeric,
                dtype=_dtypes(X),
                reset=reset,
            )
            X = X.tocsr() if hasattr(X, "tocsr") else X
        return X, y


def _readable(name: str, X: Any) -> Any:
    """Return X as its library computes with it; sparse arrays of another library than SciPy as SciPy's, where they know how."""
    X = plain(name, X)
    if issparse(X) or not is_sparse(X):
        return X
    if not hasattr(X, "tocsr"):
        raise DataError(f"{name} must be dense or a sparse array of SciPy's, got {type(X).__name__}: make it dense with todense()")
    return X.tocsr()


def _dtypes(X: Any) -> Any:
    """Return what X may be without being converted: floats, and whole numbers in a mapped file, which are converted as they are read."""
    return None if isinstance(X, np.ndarray) and is_mapped(X) and X.dtype.kind in "iub" else (np.float64, np.float32)


def _at_door(X: Any) -> Any:
    """Return X to be checked: another library's where it is, unless it has another shape than examples have, which scikit-learn refuses."""
    return to_host(X) if is_foreign(X) and (X.ndim != 2 or 0 in X.shape) else X


def _foreign_matrix(X: Any) -> Any:
    """Check a matrix of another library as scikit-learn checks NumPy's, in its words, without moving it."""
    xp = namespace(X)
    if xp.isdtype(X.dtype, "complex floating"):
        raise DataError("Complex data not supported")
    if X.dtype not in (xp.float32, xp.float64):
        widest = xp.__array_namespace_info__().dtypes(device=device_of(X), kind="real floating")
        X = xp.astype(X, widest.get("float64", xp.float32))
    backend_of(X).to_numpy(X[..., :0])  # which refuses what has no values
    if not xp.all(xp.isfinite(X)):
        raise DataError("Input X contains NaN or infinity: the multi-layer perceptron has no place for missing values")
    return X


def check_range(values: Any, dtype: str, name: str) -> None:
    """Refuse finite numbers, dense, sparse or in a mapped file, that are infinite in the dtype in which they are computed with.

    Raises
    ------
    DataError
    """
    if dtype_name(values) not in _WIDE - {dtype}:
        return
    stored = values.data if hasattr(values, "tocsr") else values
    for part in dense_parts(stored) if stored.ndim == 2 else [stored]:
        xp = namespace(part)
        extremes = [float(extreme(part)) for extreme in (xp.min, xp.max)] if math.prod(part.shape) else []
        with np.errstate(over="ignore"):
            beyond = [extreme for extreme in extremes if not np.isfinite(np.asarray(extreme).astype(dtype))]
        if beyond:
            raise DataError(
                f"{name} must be within ±{np.finfo(dtype).max:.4g}, got {beyond[0]:g}, which is too large for {dtype}: "
                "put it on another scale, or fit in float64"
            )


def labels_at(place: Place, labels: Any) -> Any:
    """Return labels of NumPy in a place; text, and numbers that it can't hold, stay where they are."""
    if place.device is None or labels.dtype.kind not in "iufb":
        return labels
    moved = place.put(labels.astype(place.dtype) if labels.dtype.kind == "f" else labels)
    return moved if np.array_equal(to_host(moved), labels) else labels  # JAX cuts integers to 32 bits


def read_weights(sample_weight: Any, m: int) -> Any:
    """Return the weights of m examples on the host, float64 (m,), not negative and not all zero; ``None`` stays."""
    if sample_weight is None:
        return None
    with translated():
        sample_weight = to_host(plain("sample_weight", sample_weight))
        weights = check_sample_weight(sample_weight, np.empty((m, 1)), dtype=np.float64, ensure_non_negative=True)
        if not weights.any():
            raise DataError("sample_weight must not all be zero: there would be nothing to learn from")
        return weights


def check_same_place(estimator: Any, X: Any, method: str) -> None:
    """Refuse X from another library or device than the X that was fitted, in scikit-learn's words.

    Raises
    ------
    DataError
    """
    fitted = estimator.coefs_[0]
    if not is_foreign(X) and not is_foreign(fitted):
        return
    if is_array(X) and namespace(X) is namespace(fitted) and device_of(X) == device_of(fitted):
        return
    was, now = library_of(fitted), library_of(X)
    differ = (
        f"Array namespaces used during fit ({was}) and {method} ({now}) differ."
        if was != now
        else f"Devices used during fit ({device_of(fitted)}) and {method} ({device_of(X)}) differ."
    )
    name = type(estimator).__name__
    raise DataError(
        f"Inputs passed to {name}.{method}() must use the same namespace and the same device as those passed to fit(). {differ} "
        "Move the estimator with mlpxp.to_backend(estimator, ...), or the data."
    )


def dense_parts(X: Any) -> Any:
    """Yield X as dense arrays of rows: a part at a time where it is in the host's memory, sparse or mapped; another library's whole.

    What the layers make of a part is small enough to stay near the processor, and is all that is held of them.
    """
    if not hasattr(X, "tocsr") and not (isinstance(X, np.ndarray) and is_mapped(X)):
        if not isinstance(X, np.ndarray) or len(X) <= _AT_ONCE:
            yield X
        else:
            yield from (X[first : first + _AT_ONCE] for first in range(0, len(X), _AT_ONCE))
        return
    rows = Rows(X)
    for part in rows.chunks():
        yield rows.take(part)
