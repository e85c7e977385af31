"""Files that were good once, and bytes of them changed at random."""

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import load, save

__all__ = ["GOOD", "model", "several", "stored", "zipped"]

EXTREMES = (0, 1, 127, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def several(kind, n, seed):
    """Yield n damaged files of a kind, of which the first is whole."""
    random = np.random.default_rng([seed, *kind.encode()])
    for number in range(n):
        if number == 0:
            yield GOOD[kind](random)
        elif kind in INSIDE and random.random() < 0.5:
            yield INSIDE[kind](random)
        else:
            yield damaged(GOOD[kind](random), random)


def damaged(content, random):
    """Return these bytes with one to three of the things done to them that disks, networks and enemies do; half of them only mildly."""
    data = bytearray(content)
    if random.random() < 0.5:
        return _a_little(data, random)
    for _ in range(int(random.integers(1, 4))):
        if not data:
            break
        what = random.integers(9)
        place = int(random.integers(len(data)) if random.random() < 0.5 else random.integers(min(len(data), 200)))
        run = int(random.integers(1, 1 + min(64, len(data) - place)))
        if what == 0:
            del data[place:]
        elif what in {1, 2}:
            for _ in range(int(random.integers(1, 9))):
                data[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
        elif what == 3:
            data[place : place + run] = bytes([int(random.choice([0, 255, 32, 44]))]) * run
        elif what == 4:
            del data[place : place + run]
        elif what == 5:
            data[place:place] = random.bytes(run)
        elif what == 6:
            data[place:place] = data[place : place + run]
        elif what == 7:
            n = int(random.choice([1, 2, 4, 8]))
            number = int(EXTREMES[random.integers(len(EXTREMES))]) & (256**n - 1)
            data[place : place + n] = number.to_bytes(n, "little" if random.random() < 0.5 else "big")
        else:
            data += random.bytes(run)
    return bytes(data)


def _a_little(data, random):
    for _ in range(int(random.integers(1, 3))):
        place, letter = int(random.integers(len(data))), random.choice(list(b'0123456789abc.,- \n";\xe9\0'))
        data[place] = data[place] ^ 1 << int(random.integers(8)) if random.random() < 0.5 else int(letter)
    return bytes(data)


# ------------------------------------------------------------------------------------------------------- what was good


def _table(random, rows=30):
    return pl.DataFrame(
        {
            "length": random.normal(5.0, 2.0, rows).round(3),
            "count": random.integers(0, 9, rows),
            "colour": random.choice(["red", "blue", "gre en"], rows),
            "big": [bool(one) for one in random.integers(0, 2, rows)],
            "kind": random.choice(["cat", "dog"], rows),
        }
    )


def _csv(random):
    return _table(random).write_csv().encode()


def _parquet(random):
    out = io.BytesIO()
    _table(random).write_parquet(out, compression=str(random.choice(["uncompressed", "zstd", "snappy", "lz4"])))
    return out.getvalue()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """An archive of (name, parts of the content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, parts in members:
            with archive.open(name, "w", force_zip64=True) as file:
                for part in parts:
                    file.write(part)
    return out.getvalue()


def _npz(random):
    out = io.BytesIO()
    X = random.normal(size=(20, 3)) if random.random() < 0.5 else random.integers(0, 255, (20, 2, 2)).astype(np.uint8)
    y = random.integers(0, 3, 20) if random.random() < 0.5 else random.choice(["a", "bc"], 20)
    (np.savez if random.random() < 0.5 else np.savez_compressed)(out, X=X, y=y)
    return out.getvalue()


def _idx(random):
    return b"\0\0\x08\x03" + struct.pack(">3I", 12, 3, 3) + random.integers(0, 255, 108).astype(np.uint8).tobytes()


def _zstd(random):
    content = _csv(random)[:255]  # a frame of one block that is not compressed
    content = content[: content.rindex(b"\n") + 1]
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + (1 | len(content) << 3).to_bytes(3, "little") + content


def model(random, **changes):
    sizes = [2, 3, 1]
    network = {"sizes": sizes, "hidden": ["relu"], "output": "sigmoid", "loss": "binary_cross_entropy"}
    preparation = {
        "version": 1,
        "features": [{"name": "p", "kind": "number"}, {"name": "q", "kind": "number"}],
        "target": {"name": "y", "classes": ["a", "b"]},
        "missing": None,
    }
    texts = {
        "format": "mlpxp",
        "format_version": "1",
        "network": json.dumps(network | changes.pop("network", {})),
        "dtype": "float32",
        "metadata": json.dumps({"preparation": preparation | changes.pop("preparation", {}), "training": {}}),
        "created": "2026-11-27T00:00:00+00:00",
        "versions": "{}",
    }
    tensors = {"extra.preparation.mean": np.zeros(2), "extra.preparation.scale": np.ones(2)}
    for number, (n, n_in) in enumerate(zip(sizes[1:], sizes[:-1], strict=True), 1):
        tensors[f"layers.{number}.W"] = random.normal(size=(n, n_in)).astype(np.float32)
        tensors[f"layers.{number}.b"] = random.normal(size=(n, 1)).astype(np.float32)
    return save(tensors, metadata=texts | changes.pop("texts", {}))


def _lesson(random):
    points = random.normal(size=(12, 2)).round(3)
    return b"p,q,kind\n" + b"".join(b"%g,%g,%c\n" % (p, q, b"ab"[int(p > q)]) for p, q in [*points.tolist(), [0.0, 1.0], [1.0, 0.0]])


TESTS = Path(__file__).parents[1]
STORED = {  # whole files that are there
    "result": ("files/golden/result.safetensors", "files/golden/stack.safetensors"),
    "checkpoint": ("files/golden/run.ckpt",),
    "estimator": ("exchange/golden/classifier-1.safetensors", "exchange/golden/regressor-1.safetensors"),
}


def stored(kind, random, /, **changes):
    """One of the golden files of a kind, or with other texts among its metadata."""
    content = TESTS.joinpath(STORED[kind][int(random.integers(len(STORED[kind])))]).read_bytes()
    return save(load(content), metadata=_texts(content) | changes) if changes else content


def _texts(content):
    return json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])["__metadata__"]


GOOD = {  # by the ending of the file
    "model": model,
    "result": lambda random: stored("result", random),
    "checkpoint": lambda random: stored("checkpoint", random),
    "estimator": lambda random: stored("estimator", random),
    "csv": _csv,
    "csv.gz": lambda random: gzip.compress(_csv(random)),
    "csv.bz2": lambda random: bz2.compress(_csv(random)),
    "csv.xz": lambda random: lzma.compress(_csv(random)),
    "csv.zst": _zstd,
    "parquet": _parquet,
    "npz": _npz,
    "idx": _idx,
    "idx.gz": lambda random: gzip.compress(_idx(random)),
    "lesson": _lesson,
}


def _damaged_inside_model(random):
    """A whole file of safetensors, of which one text or tensor is damaged."""
    if random.random() < 0.2:
        return model(random, network={str(random.choice(["sizes", "hidden", "output", "loss"])): _odd(random)})
    if random.random() < 0.3:
        return model(random, preparation={str(random.choice(["version", "features", "target", "missing"])): _odd(random)})
    content = model(random)
    length = struct.unpack("<Q", content[:8])[0]
    if random.random() < 0.3:  # the tensors' bytes, as many as they were
        data = damaged(content[8 + length :], random)[: len(content) - 8 - length]
        return content[: 8 + length] + data.ljust(len(content) - 8 - length, b"\0")
    texts = json.loads(content[8 : 8 + length])["__metadata__"]
    name = str(random.choice(sorted(texts)))
    return model(random, texts={name: damaged(texts[name].encode(), random).decode(errors="replace")})


def _odd(random):
    values = [
        None,
        True,
        -1,
        0,
        2,
        1e300,
        2**70,
        "",
        "relu",
        "softmax",
        "é\0",
        [],
        [2, 3, 1],
        [2.5],
        ["tanh"],
        {},
        {"width": 2},
        [[]],
        [{}],
    ]
    return values[random.integers(len(values))]


def _damaged_inside_stored(kind, random):
    """A whole file of safetensors, of which a text, something in its JSON, or a tensor is another one."""
    content = stored(kind, random)
    texts, tensors = _texts(content), load(content)
    name, tensor = str(random.choice(sorted(texts))), str(random.choice(sorted(tensors)))
    what = random.random()
    if what < 0.2:
        texts[name] = damaged(texts[name].encode(), random).decode(errors="replace")
    elif what < 0.6:
        name = str(random.choice([name for name, text in texts.items() if text.startswith("{")]))
        texts[name] = json.dumps(_changed(json.loads(texts[name]), random))
    elif what < 0.7:
        del tensors[tensor]
    elif what < 0.8:
        tensors[str(random.choice([f"{tensor}.W", "optimizer.more", "rate", "now.1.W"]))] = tensors.pop(tensor)
    elif what < 0.9:
        shape = tensors[tensor].shape
        other = [(), (0,), (*shape, 1), (3, *shape), shape[::-1], shape[:-1], tuple(n + 1 for n in shape)]
        tensors[tensor] = np.ones(other[random.integers(len(other))], str(random.choice(["float64", "float32", "int64"])))
    else:
        value = float(random.choice([0.0, -1.0, 1e30, np.nan, np.inf, -np.inf]))
        tensors[tensor] = np.where(random.random(tensors[tensor].shape) < 0.5, value, tensors[tensor]).astype(tensors[tensor].dtype)
    return save(tensors, metadata=texts)


def _changed(value, random):
    """The same JSON, of which one thing somewhere within is another."""
    if random.random() < 0.9 and isinstance(value, dict) and value:
        key = str(random.choice(sorted(value)))
        return value | {key: _changed(value[key], random)}
    if random.random() < 0.7 and isinstance(value, list) and value:
        place = int(random.integers(len(value)))
        return [*value[:place], _changed(value[place], random), *value[place + 1 :]]
    if random.random() < 0.5 and type(value) in {int, float}:
        return [value + 1, value - 1, -value, 10**12, 0.5][random.integers(5)]
    return _odd(random)


def _damaged_inside_npz(random):
    out = io.BytesIO(_npz(random))
    with zipfile.ZipFile(out) as archive:
        members = [(name, [archive.read(name)]) for name in archive.namelist()]
    which = int(random.integers(len(members)))
    members[which] = members[which][0], [damaged(members[which][1][0], random)]
    return zipped(members)


INSIDE = {  # damaged before they were packed, so that the checksums are good
    "model": _damaged_inside_model,
    "result": lambda random: _damaged_inside_stored("result", random),
    "checkpoint": lambda random: _damaged_inside_stored("checkpoint", random),
    "estimator": lambda random: _damaged_inside_stored("estimator", random),
    "npz": _damaged_inside_npz,
    "csv.gz": lambda random: gzip.compress(damaged(_csv(random), random)),
    "csv.bz2": lambda random: bz2.compress(damaged(_csv(random), random)),
    "csv.xz": lambda random: lzma.compress(damaged(_csv(random), random)),
    "idx.gz": lambda random: gzip.compress(damaged(_idx(random), random)),
}
