"""Lies that are told on purpose: bombs, headers that announce more than there is, programs. All of them have to be refused."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import zipfile
import zlib

import polars as pl

from .mutations import model, stored, zipped

__all__ = ["LIES"]

MARKER = "executed.txt"


class Marker:
    """What a pickle of it does when it is loaded: it makes a file."""

    def __reduce__(self):
        return open, (MARKER, "w")


def _bomb(size, start=b""):
    """Gzip of ``start`` and then so many zeros: one packed mebibyte, repeated. The checksum at the end is wrong, if anybody gets there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * (size >> 20) + packer.flush()


def _npy(text, *, version=b"\x01\x00", announced=None):
    header = text.encode() + b"\n"
    length = len(header) if announced is None else announced
    return b"\x93NUMPY" + version + length.to_bytes(2 if version[0] == 1 else 4, "little") + header


def _described(shape, descr="<f8"):
    return f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"


def _frame_of(blocks):
    """A frame of zstandard of so many blocks that each repeat a comma 128 KiB times in 4 bytes."""
    block, last = ((end | 1 << 1 | (1 << 17) << 3).to_bytes(3, "little") + b"," for end in (0, 1))
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (blocks - 1) + last


def _npz_lies(random):
    y = ("y.npy", [_npy(_described("(2,)")) + bytes(16)])
    zeros = bytes(1 << 20)
    yield zipped([("X.npy", [_npy(_described("(20000, 1000)")), *[zeros] * 80]), y])  # half as long as it says
    yield zipped([("X.npy", [_npy(_described(f"({5 << 20}, 4)")), *[zeros] * 160]), y])  # and one that is as long
    yield zipped([("X.npy", [_npy("", version=b"\x02\x00", announced=2**31), *[zeros] * 160]), y])  # a header of 2 GiB
    yield zipped([("X.npy", [_npy(_described("(-1, -8)")) + bytes(64)]), y])
    yield zipped([("X.npy", [_npy(_described("(2, 10**9)")) + bytes(64)]), y])
    yield zipped([("X.npy", [_npy(_described("__import__('os').system('touch executed.txt')")) + bytes(64)]), y])
    yield zipped([("X.npy", [_npy(_described("(2, 2)", "|O")) + pickle.dumps(Marker())]), y])
    yield zipped([("X.npy", [pickle.dumps(Marker())]), y])
    yield zipped([("../X.npy", [_npy(_described("(2, 2)")) + bytes(32)]), ("/etc/X.npy", [b""]), y])
    yield zipped([("X.npy", [_npy(_described("(2, 2)")) + bytes(32)]), y], zipfile.ZIP_LZMA)
    yield zipped([("X.npy", [_npy("[" * 9000)]), y])


def _idx_lies(random):
    yield b"\0\0\x0e\x08" + b"\xff" * 32 + bytes(8)
    yield b"\0\0\x08\x03" + struct.pack(">3I", 1 << 10, 1 << 10, 1 << 10)
    yield b"\0\0\x08\x04" + struct.pack(">4I", 0, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    yield b"\0\0\x08\xff" + bytes(1000)
    yield pickle.dumps(Marker())


def _csv_lies(random):
    yield ",".join(f"c{i}" for i in range(3000)).encode() + b"\n" + b"1\n" * 100_000  # 2.4 GB of what is not there
    yield b"," * 200_000 + b"\n" + b"," * 200_000 + b"\n"
    yield zlib.compress(b"length,kind\n" + b"1,a\n" * 100)
    yield b"length,kind\n" + b'"' * 99_999
    yield pickle.dumps(Marker())


def _model_lies(random):
    n = 10**6
    layers = {"sizes": [1] * n, "hidden": ["relu"] * (n - 2)}
    yield model(random, network=layers)
    yield model(random, network=layers | {"sizes": [0] * n})
    yield model(random, network={"sizes": [2, 2**31, 1]})
    yield model(random, network={"hidden": "relu"})
    yield model(random, network={"hidden": ["__import__('os').system('touch executed.txt')"]})
    yield model(random, texts={"metadata": "[" * 10**6})
    yield model(random, texts={"metadata": "1" * 10**6})
    yield model(random, preparation={"features": [{"name": "p", "kind": "number"}] * 2})
    yield model(random, preparation={"features": {"width": 10**12}})
    yield model(random, preparation={"target": {"name": "y", "mean": 1e400, "scale": 1}})
    yield struct.pack("<Q", 2**30) + b"{}"
    yield struct.pack("<Q", 2**63) + b"{}"
    header = json.dumps({"layers.1.W": {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**64 - 1]}}).encode()
    yield struct.pack("<Q", len(header)) + header
    yield pickle.dumps(Marker())


def _stored_lies(kind, random):
    """Lies about a result, a checkpoint or an estimator, beside those that can be told of any model."""
    many = 10**6
    yield stored(
        kind, random, network=json.dumps({"sizes": [2] * many, "hidden": ["relu"] * (many - 2), "output": "identity", "loss": "mse"})
    )
    name = {"checkpoint": "standing"}.get(kind, kind)
    for text in ("[" * many, "1" * many, '{"a":' * many, "[]", "null", "{}", f'{{"class": {[[]] * 1000}}}'):
        yield stored(kind, random, **{name: text})
    yield stored(kind, random, kind="x" * many)
    yield stored(kind, random, kind="__import__('os').system('touch executed.txt')")
    yield stored(kind, random, format_version="9" * many)
    yield stored(kind, random, dtype="object")
    yield pickle.dumps(Marker())


def _checkpoint_lies(random):
    yield from _stored_lies("checkpoint", random)
    good = {
        "epochs": 2, "first": 0, "seconds": 0.1, "batches": 2, "weight": 2.0, "longest": 1, "best_epoch": [2], "stale": [0],
        "stops": [None], "is_stack": False, "restored_best": False, "seed": 0, "optimizer_state": "AdamState", "same_as": {"now": "layers"},
    }  # fmt: skip
    for lie in (
        {"epochs": 10**12}, {"batches": 10**12}, {"batches": 0}, {"weight": 0.0}, {"first": 1}, {"best_epoch": [1] * 10**6},
        {"stops": ["executed"]}, {"stops": ["time is up"]}, {"best_epoch": [3]}, {"same_as": dict.fromkeys(("layers", "now"), "now")},
    ):  # fmt: skip
        yield stored("checkpoint", random, standing=json.dumps(good | lie))


def _estimator_lies(random):
    yield from _stored_lies("estimator", random)
    good = {"class": "MLPClassifier", "parameters": {}, "fitted": {}, "labels": {}, "members": []}
    for lie in (
        {"class": "__import__('os').system('touch executed.txt')"},
        {"parameters": {"callbacks": ["__import__('os').system('touch executed.txt')"]}},
        {"parameters": {"random_state": {"random_state": {"key": [0] * 10**6}}}},
        {"parameters": {"loss": {"loss": "eval"}}},
        {"labels": {"kind": "multiclass", "sparse": False, "dtype": "str999999999", "values": ["a", "b"]}},
        {"labels": {"kind": "multiclass", "sparse": False, "dtype": "int64", "values": [0] * 10**6}},
        {"parameters": {"n_networks": 10**9}},
    ):
        yield stored("estimator", random, estimator=json.dumps(good | lie))


def _parquet_lies(random):
    for columns in (
        {"kind": pl.repeat(1.0, 20 * 10**6, eager=True)},
        {"kind": pl.repeat("a" * 10_000, 10**6, eager=True), "length": pl.repeat(1, 10**6, eager=True)},
        {"kind": pl.Series([[0] * 10**7]), "length": [1]},
    ):
        out = io.BytesIO()
        pl.DataFrame(columns).write_parquet(out)
        yield out.getvalue()
    yield b"PAR1" + struct.pack("<I", 2**31 - 1) + b"PAR1"
    yield pickle.dumps(Marker())


LIES = {
    "model": _model_lies,
    "result": lambda random: _stored_lies("result", random),
    "checkpoint": _checkpoint_lies,
    "estimator": _estimator_lies,
    "csv": _csv_lies,
    "csv.gz": lambda random: [_bomb(2 << 30, b"length,kind\n"), gzip.compress(_bomb(1 << 30)), _bomb(1 << 20)[:500]],
    "csv.bz2": lambda random: [bz2.compress(bytes(1 << 30)), bz2.compress(b"1,a\n" * 10**6)[:99]],
    "csv.xz": lambda random: [lzma.compress(bytes(1 << 30)), lzma.compress(b"1,a\n" * 10**6)[:99]],
    "csv.zst": lambda random: [_frame_of(100_000), _frame_of(500)],
    "parquet": _parquet_lies,
    "npz": _npz_lies,
    "idx": _idx_lies,
    "idx.gz": lambda random: [
        *map(gzip.compress, _idx_lies(random)),
        _bomb(2 << 30, b"\0\0\x08\x03" + struct.pack(">3I", 2 << 10, 1 << 10, 1 << 10)),
    ],
    "lesson": lambda random: [b"p,q,kind\n" + b"1,2,a\n" * 100_000, b"," * 199_000, b"p,q,kind\n" + b'"' * 9999],
}
