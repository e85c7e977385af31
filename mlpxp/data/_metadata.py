"""A preparation as JSON and arrays, and back; what comes from a file is believed only after it was checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._features import Block, Features, Number, Text
from mlpxp.data.targets import Classes, Values
from mlpxp.data.wording import shortened
from mlpxp.errors import FileFormatError

__all__ = ["VERSION", "from_metadata", "to_metadata"]

VERSION = 1
Parts: TypeAlias = tuple[Features, Classes | Values, str, str | None]


def to_metadata(
    features: Features, output: Classes | Values, target_name: str, missing: str | None
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Names, categories and classes as JSON; the numeric columns' or the block's ``mean`` and ``scale`` as arrays."""
    if isinstance(features, Block):
        described: Any = {"width": features.width}
        mean, scale = features.mean, features.scale
    else:
        described = [_described(one) for one in features]
        numbers = [one for one in features if isinstance(one, Number)]
        mean, scale = tuple(one.mean for one in numbers), tuple(one.scale for one in numbers)
    json = {
        "version": VERSION,
        "features": described,
        "target": {"name": target_name}
        | ({"classes": list(output.labels)} if isinstance(output, Classes) else {"mean": output.mean, "scale": output.scale}),
        "missing": missing,
    }
    return json, {"mean": np.array(mean, dtype=np.float64), "scale": np.array(scale, dtype=np.float64)}


def from_metadata(json: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Parts:
    """The parts of a preparation.

    Raises
    ------
    FileFormatError
        It is of a newer version, or something is absent, of the wrong type or makes no sense.
    """
    _check(isinstance(json, Mapping), "wanted an object, got {}", json)
    version = json.get("version")
    _check(isinstance(version, int) and not isinstance(version, bool) and version >= 1, "version must be a whole number, got {}", version)
    _check(version == VERSION, f"it is of version {{}}, this mlpxp reads version {VERSION}: a newer mlpxp is needed", version)
    mean, scale = _numbers(arrays, "mean"), _numbers(arrays, "scale")
    _check(len(mean) == len(scale), f"mean and scale must be equally long, got {len(mean)} and {{}}", len(scale))
    _check(all(one > 0 for one in scale), "scale must be positive, got {}", min(scale, default=1.0))
    missing = json.get("missing")
    _check(missing is None or missing in ("mean", "drop"), "missing must be 'mean', 'drop' or null, got {}", missing)
    target = json.get("target")
    _check(isinstance(target, Mapping) and isinstance(target.get("name"), str), "target must have a name, got {}", target)
    return _features(json.get("features"), mean, scale), _output(dict(target or {})), str(dict(target or {})["name"]), missing


def _described(one: Number | Text) -> dict[str, Any]:
    if isinstance(one, Number):
        return {"name": one.name, "kind": "number"}
    return {"name": one.name, "kind": "text", "categories": list(one.categories), "fill": one.fill}


def _features(described: Any, mean: tuple[float, ...], scale: tuple[float, ...]) -> Features:
    if isinstance(described, Mapping):
        width = described.get("width")
        valid = isinstance(width, int) and not isinstance(width, bool) and width >= 1
        _check(valid and len(mean) in (1, width), "width must fit mean and scale, got {}", width)
        return Block(int(width or 0), mean, scale)
    _check(isinstance(described, list) and len(described) > 0, "features must be a list or have a width, got {}", described)
    _check(
        all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in described),
        "each feature must have a name, got {}",
        described,
    )
    names = [one["name"] for one in described]
    _check(len(set(names)) == len(names), "the features' names must differ, got {}", names)
    _check(all(one.get("kind") in ("number", "text") for one in described), "a feature must be 'number' or 'text', got {}", described)
    n_numbers = sum(one["kind"] == "number" for one in described)
    _check(n_numbers == len(mean), f"mean and scale must have one value for each of {n_numbers} numeric columns, got {{}}", len(mean))
    numbers = iter(zip(mean, scale, strict=True))
    return tuple(Number(one["name"], *next(numbers)) if one["kind"] == "number" else _text(one) for one in described)


def _text(one: Mapping[str, Any]) -> Text:
    categories, fill = one.get("categories"), one.get("fill")
    valid = (
        isinstance(categories, list)
        and all(isinstance(category, str) for category in categories)
        and len(set(categories)) == len(categories)
    )
    _check(valid, f"the categories of {one['name']!r} must be distinct texts, got {{}}", categories)
    _check(
        isinstance(fill, str) and fill in (categories or []),
        f"the filling of {one['name']!r} must be one of its categories, got {{}}",
        fill,
    )
    return Text(one["name"], tuple(categories or []), str(fill))


def _output(target: Mapping[str, Any]) -> Classes | Values:
    if "classes" in target:
        labels = target["classes"]
        valid = isinstance(labels, list) and len(labels) >= 2 and all(isinstance(one, str | int | float) for one in labels)
        _check(
            valid and len({type(one) for one in labels}) == 1 and len(set(labels)) == len(labels),
            "classes must be distinct labels of one type, got {}",
            labels,
        )
        return Classes(tuple(labels))
    mean, scale = target.get("mean"), target.get("scale")
    _check(_is_finite(mean) and _is_finite(scale), "target must have classes, or mean and scale, got {}", dict(target))
    mean, scale = float(mean or 0.0), float(scale or 0.0)
    _check(scale > 0, "the target's scale must be positive, got {}", scale)
    return Values(mean, scale)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[float, ...]:
    _check(name in arrays, "wanted the arrays mean and scale, got {}", sorted(arrays))
    values = np.asarray(arrays[name])
    _check(values.ndim == 1 and values.dtype.kind == "f", f"{name} must be one row of floats, got {{}}", values.dtype)
    _check(bool(np.isfinite(values).all()), f"{name} must be finite, got {{}}", values.tolist())
    return tuple(values.astype(np.float64).tolist())


def _check(valid: bool, message: str, got: object) -> None:
    if not valid:
        raise FileFormatError(f"the preparation in the model file is damaged or foreign: {message.format(shortened(got))}")
