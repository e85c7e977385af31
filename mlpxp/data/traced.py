"""The preparation as operations of the array API: for arrays of any library, also for such as hold no numbers yet."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.standard import namespace
from mlpxp.data._columns import NULL_MARKERS
from mlpxp.data._features import Block, Text
from mlpxp.data.targets import Classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpxp.data._features import Number
    from mlpxp.data._preparation import Preparation

__all__ = ["answered", "prepared", "raw_columns"]


def raw_columns(preparation: Preparation) -> dict[str, tuple[str, int]]:
    """What is read: each column's dtype, ``float64`` or ``str``, and width 1; or one block ``X`` of numbers and its width."""
    if isinstance(preparation.features, Block):
        return {"X": ("float64", preparation.features.width)}
    return {one.name: ("str" if isinstance(one, Text) else "float64", 1) for one in preparation.features}


def prepared(preparation: Preparation, raw: Mapping[str, Any], dtype: str) -> tuple[Any, Any]:
    """The network's inputs, as :meth:`Preparation.inputs` makes them.

    Parameters
    ----------
    preparation : Preparation
    raw : mapping of str to array
        As ``raw_columns`` says, each (m, width). A missing number is NaN, a missing text one of what a CSV file has for it: empty, NA, ...
    dtype : {"float32", "float64"}
        Of the result; computed in float64.

    Returns
    -------
    X : array, shape (m, n_inputs)
    valid : array of bool, shape (m,)
        Which rows :meth:`Preparation.inputs` would take: those without infinity, and without a missing value that is not to be filled.
    """
    features, fills = preparation.features, preparation.missing == "mean"
    if isinstance(features, Block):
        parts = [_numbers(raw["X"], features.mean, features.scale, fills=fills)]
    else:
        parts = []
        for is_text, run in groupby(features, lambda one: isinstance(one, Text)):
            group: list[Any] = list(run)
            parts += [_one_hot(one, raw[one.name], fills=fills) for one in group] if is_text else [_standardised(group, raw, fills=fills)]
    xp = namespace(parts[0])
    floating = getattr(xp, dtype)
    X = xp.concat([xp.astype(part, floating) for part in parts], axis=-1)
    return X, xp.all(xp.isfinite(X), axis=-1)


def answered(preparation: Preparation, A: Any, valid: Any) -> dict[str, Any]:
    """What the outputs mean, as :meth:`Preparation.decode` and :meth:`Preparation.probabilities` have it, from A (m, n_outputs).

    Returns
    -------
    dict of str to array
        ``label`` (m,) and ``probabilities`` (m, n_classes), or ``prediction`` (m,) in float64; numbers are NaN where a row is not valid.
    """
    xp, output = namespace(A), preparation.output
    if not isinstance(output, Classes):
        predicted = xp.astype(A[:, 0], xp.float64) * output.scale + output.mean
        return {"prediction": xp.where(valid, predicted, np.nan)}
    two = output.n_outputs == 1
    index = xp.astype(A[:, 0] > 0.5, xp.int64) if two else xp.argmax(A, axis=-1)
    shares = xp.stack([1.0 - A[:, 0], A[:, 0]], axis=-1) if two else A
    labels = xp.take(xp.asarray(np.array(output.labels)), index, axis=0)
    return {"label": labels, "probabilities": xp.where(valid[:, None], shares, np.nan)}


def _standardised(run: Sequence[Number], raw: Mapping[str, Any], *, fills: bool) -> Any:
    columns = [raw[one.name] for one in run]
    x = namespace(columns[0]).concat(columns, axis=-1)
    return _numbers(x, [one.mean for one in run], [one.scale for one in run], fills=fills)


def _numbers(x: Any, mean: Sequence[float], scale: Sequence[float], *, fills: bool) -> Any:
    xp = namespace(x)
    z = (x - xp.asarray(np.array(mean))) / xp.asarray(np.array(scale))
    return xp.where(xp.isnan(x), 0.0, z) if fills else z


def _one_hot(feature: Text, x: Any, *, fills: bool) -> Any:
    """1 where it is this category; where a text is missing the most frequent one's, or NaN."""
    xp = namespace(x)
    known = xp.astype(x == xp.asarray(np.array([feature.categories])), xp.float64)
    missing = xp.any(x == xp.asarray(np.array([NULL_MARKERS])), axis=-1, keepdims=True)
    instead = np.array([[float(one == feature.fill) if fills else np.nan for one in feature.categories]])
    return xp.where(missing, xp.asarray(instead), known)
