"""Small files that say they are, or become, enormous ones: refused in one line, before the memory is taken."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import polars as pl
import pytest

from mlpxp.data import _unpacking as unpacking
from mlpxp.data import load
from mlpxp.data._unpacking import MOST_TIMES, ZSTD_BLOCK, check_size, zstd_at_most
from mlpxp.errors import DataError, FileFormatError, MlpxpError

MOST = 1 << 22
ZEROS = bytes(MOST + (1 << 20))
SMALL = b"p,y\n" + b"1.5,a\n2.5,b\n" * 50


@pytest.fixture(autouse=True)
def _a_smaller_limit(monkeypatch):
    monkeypatch.setattr(unpacking, "MOST", MOST)


def refused(tmp_path, name, content, says, error=FileFormatError, memory=8 * MOST):
    path = tmp_path / name
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(error, match=says) as caught:
            load(path, target=None if name.endswith("npz") else "y")
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def blocks(*kinds_and_sizes, descriptor=0, head=b"\x58"):
    """A frame of zstandard with blocks of these kinds (0 raw, 1 repeats a byte, 2 compressed) and sizes."""
    frame = b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + head
    for number, (kind, size) in enumerate(kinds_and_sizes, 1):
        last = number == len(kinds_and_sizes)
        frame += (last | kind << 1 | size << 3).to_bytes(3, "little") + (b"," if kind == 1 else bytes(size))
    return frame


def test_a_size_is_allowed_up_to_a_limit_or_in_proportion():
    check_size(MOST, 10, "it")
    check_size(MOST_TIMES * MOST, MOST, "it")
    with pytest.raises(FileFormatError, match=r"it would take .* bytes out of a file of 10: more than 4 MiB is read only up to 100 times"):
        check_size(MOST + 1, 10, "it")


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_bomb_of_csv_is_left_unexploded(tmp_path, ending, pack):
    refused(tmp_path, f"bomb.csv.{ending}", pack(b"p,y\n" + ZEROS), "would take")


@pytest.mark.parametrize(("ending", "open_"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_several_streams_are_one_text(tmp_path, ending, open_):
    (tmp_path / f"two.csv.{ending}").write_bytes(open_(SMALL) + open_(b"9.5,a\n"))
    assert len(load(tmp_path / f"two.csv.{ending}", target="y")) == 101


@pytest.mark.parametrize(
    "pack", [zlib.compress, lambda text: gzip.compress(gzip.compress(text)), lambda text: gzip.compress(zlib.compress(text))]
)
def test_what_polars_would_unpack_by_itself_is_no_text(tmp_path, pack):
    refused(tmp_path, "twice.csv", pack(SMALL), "not UTF-8")


def test_a_column_that_begins_as_zlib_does_is_a_column(tmp_path):
    (tmp_path / "x.csv").write_text("x\x01,y\n" + "1,a\n2,b\n", encoding="utf-8")
    assert load(tmp_path / "x.csv", target="y").columns[0].values.tolist() == [1, 2]


def test_a_frame_of_zstandard_is_bounded_by_its_blocks():
    assert zstd_at_most(blocks((0, 5), (1, 1000), (2, 10))) == 5 + 1000 + ZSTD_BLOCK
    assert zstd_at_most(blocks((0, 5), descriptor=0x20, head=b"\x05")) == 5
    assert zstd_at_most(blocks((0, 5), descriptor=0xE4, head=bytes(8)) + bytes(4) + blocks((0, 6))) == 11
    skipped = struct.pack("<II", 0x184D2A53, 7) + bytes(7)
    assert zstd_at_most(skipped + blocks((1, 9)) + skipped + blocks((1, 9))) == 18
    assert zstd_at_most(blocks((3, 5)) + blocks((0, 5))) == 0
    for length in range(20):
        assert zstd_at_most(blocks((0, 5), (1, 3))[:length]) in {0, 5, 8}


def test_a_bomb_of_zstandard_is_left_unexploded(tmp_path):
    refused(tmp_path, "bomb.csv.zst", blocks(*[(1, ZSTD_BLOCK)] * 600), "would take", memory=1 << 20)


def test_lines_that_are_too_short_are_not_filled_without_end(tmp_path):
    header = ",".join(f"c{i}" for i in range(999)) + ",y\n"
    refused(tmp_path, "short.csv", header.encode() + b"1\n" * 20_000, "1,000 columns of 20,001 lines, would take 160,008,000 bytes")


def test_more_columns_than_can_be_read(tmp_path):
    refused(tmp_path, "wide.csv", b"," * 100_000 + b"\n1,2\n", "has 100,001 columns, at most 65,536 are read", DataError)


def test_many_columns_without_names_are_named_in_no_time(tmp_path):
    (tmp_path / "wide.csv").write_bytes(b"y" + b"," * 3000 + b"\na" + b",1" * 3000 + b"\nb" + b",2" * 3000 + b"\n")
    assert load(tmp_path / "wide.csv", target="y").columns[-1].name == "column 3001"


def parquet(**columns):
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def test_a_bomb_of_parquet_is_left_unexploded(tmp_path):
    refused(tmp_path, "rows.parquet", parquet(y=pl.repeat(1.0, 900_000, eager=True)), "1 column of 900,000 rows, would take 7,200,000")
    long = parquet(y=pl.repeat("a" * 10_000, 10_000, eager=True), p=pl.repeat(1, 10_000, eager=True))
    refused(tmp_path, "texts.parquet", long, "whose texts repeat, would take 100,000,000 bytes")


def test_lists_in_parquet_are_not_read(tmp_path):
    (tmp_path / "lists.parquet").write_bytes(parquet(p=[1.0, 2.0], y=["a", "b"], all=[[0] * 1000] * 2, pair=[{"u": 1}] * 2))
    refusals = [column.refusal for column in load(tmp_path / "lists.parquet", target="y").columns]
    assert refusals[0] == ""
    assert "'all' holds List(Int64) values" in refusals[1]
    assert "'pair' holds Struct({'u': Int64}) values" in refusals[2]


def test_nothing_is_said_on_stderr_about_a_damaged_parquet_file(tmp_path, capfd):
    whole = parquet(p=[float(i) for i in range(50)], y=["a", "b"] * 25)
    for place in range(4, len(whole), 13):  # polars panics at some of them
        path = tmp_path / "damaged.parquet"
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with contextlib.suppress(MlpxpError):
            load(path, target="y")
    assert capfd.readouterr().err == ""


# ------------------------------------------------------------------------------------------------------------ npz and IDX


def npz(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def npy(header, *, version=1, length=None):
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + (length or len(text)).to_bytes(2 if version == 1 else 4, "little") + text


def described(shape, descr="<f8"):
    return f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"


Y = ("y.npy", npy(described("(2,)")) + bytes(16))


def test_a_bomb_of_npz_is_left_unexploded(tmp_path):
    X = npy(described(f"({len(ZEROS) // 8}, 1)")) + ZEROS
    refused(tmp_path, "bomb.npz", npz(("X.npy", X), Y), "X would take 5,", memory=1 << 20)


def test_a_header_of_npz_is_not_read_as_long_as_it_says(tmp_path):
    X = npy("", version=2, length=2**31) + ZEROS[: 3 << 20]
    refused(tmp_path, "header.npz", npz(("X.npy", X), Y), "its header can't be read", memory=2 << 20)


def test_methods_of_zip_that_numpy_never_uses(tmp_path):
    refused(tmp_path, "lzma.npz", npz(("X.npy", npy(described("(2, 2)")) + bytes(32)), Y, method=zipfile.ZIP_LZMA), "as NumPy never does")


@pytest.mark.parametrize("header", ["{'descr': (", "'''", "\0", "[" * 5000, "{1: 2}", "{'descr': []}", "    a\n  b"])
def test_headers_that_are_no_python(tmp_path, header):
    refused(tmp_path, "header.npz", npz(("X.npy", npy(header) + bytes(64)), Y), "X can't be read")


@pytest.mark.parametrize("letter", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
def test_text_that_is_no_letters(tmp_path, letter):
    y = npy(described("(2,)", "<U1")) + struct.pack("<II", 97, letter)
    refused(
        tmp_path, "letters.npz", npz(("X.npy", npy(described("(2, 2)")) + bytes(32)), ("y.npy", y)), "y holds numbers that are no letters"
    )


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_in_both_orders_and_any_byte_order(tmp_path, order):
    X = np.asarray(np.arange(6.0).reshape(3, 2), order=order)
    np.savez(tmp_path / "x.npz", X=X.astype(">f4"), y=np.arange(3))
    table = load(tmp_path / "x.npz")
    assert np.array_equal(table.features.values, X)
    assert table.features.values.dtype == np.float32
    assert table.features.values.flags.writeable


def test_a_bomb_of_idx_is_left_unexploded(tmp_path):
    head = b"\0\0\x08\x03" + struct.pack(">3I", len(ZEROS) >> 20, 1 << 10, 1 << 10)
    refused(tmp_path, "bomb-idx3-ubyte.gz", gzip.compress(head + ZEROS), "the file can't hold so many", memory=1 << 20)


def test_idx_of_nothing_times_very_much(tmp_path):
    head = b"\0\0\x08\x04" + struct.pack(">4I", 0, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    refused(tmp_path, "nothing-idx3-ubyte", head, "no images", DataError)


# ------------------------------------------------------------------------------------------------- what is no file at all


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.npz", "t-idx3-ubyte"])
def test_a_pipe_and_a_device_have_no_end(tmp_path, name):
    path = tmp_path / name
    os.mkfifo(path)
    with pytest.raises(DataError, match="is no regular file"):
        load(path, target="y")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="is no regular file"):
        load(path, target="y")


@pytest.mark.parametrize(
    "text", ["\0", "a\0.csv", "x" * 5000, "x" * 5000 + ".csv", "\udcff.csv", "~", "..", "//", ",", "a,b", "../../etc/passwd.csv"]
)
def test_names_that_are_no_files(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((DataError, ValueError)) as caught:
        load(text, target="y")
    assert caught.type.__module__ == "mlpxp.errors"
