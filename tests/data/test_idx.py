"""IDX files: read as their headers say, and never believed before they were checked."""

import gzip
import runpy
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mlpxp.data import Matrix, load
from mlpxp.data._idx import is_idx, labels_beside, load_folder, load_pair, read_idx
from mlpxp.errors import DataError, FileFormatError, ShapeError

SAMPLE = Path(__file__).parent / "idx"
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def header(shape, code=0x08):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def idx_bytes(array):
    return header(array.shape, CODES[array.dtype.str[1:]]) + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(path, array):
    content = idx_bytes(np.asarray(array))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def small_folder(folder, parts=("train", "t10k"), images="{}-images-idx3-ubyte", labels="{}-labels-idx1-ubyte"):
    folder.mkdir(exist_ok=True)
    for part in parts:
        write(folder / images.format(part), np.arange(24, dtype=np.uint8).reshape(6, 2, 2))
        write(folder / labels.format(part), np.arange(6, dtype=np.uint8) % 3)
    return folder


@pytest.mark.parametrize("dtype", sorted(CODES))
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_reads_every_type(tmp_path, dtype, ending):
    array = np.arange(-6, 6).reshape(3, 2, 2).astype(dtype) if dtype != "u1" else np.arange(12, dtype="u1").reshape(3, 2, 2)
    read = read_idx(write(tmp_path / f"x-idx3-ubyte{ending}", array))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative


def test_the_sample_is_the_digits():
    table = load(SAMPLE)
    assert (len(table), len(table.test)) == (1437, 360)
    assert isinstance(table.features, Matrix)
    assert table.features.pixels
    assert table.features.values.shape == (1437, 64)
    assert table.features.values.dtype == np.uint8
    assert (table.features.values.min(), table.features.values.max()) == (0, 255)
    assert sorted(set(table.target.values.tolist())) == list(range(10))
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 150_000


def test_the_sample_is_what_its_script_makes(tmp_path):
    runpy.run_path(str(Path(__file__).parent / "make_idx_sample.py"))["make"](tmp_path)
    for path in SAMPLE.iterdir():
        np.testing.assert_array_equal(read_idx(tmp_path / path.name), read_idx(path))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("{}-images-idx3-ubyte", "{}-labels-idx1-ubyte"),
        ("{}-images.idx3-ubyte", "{}-labels.idx1-ubyte"),
        ("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz"),
        ("{}-images.idx3-ubyte.gz", "{}-labels-idx1-ubyte"),
    ],
)
def test_every_spelling_of_the_names_is_found(tmp_path, images, labels):
    folder = small_folder(tmp_path / "set", images=images, labels=labels)
    table = load(folder)
    assert (len(table), len(table.test), table.target.name) == (6, 6, "label")
    assert load(folder / images.format("train")).target.values.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_folder_of_test_images_only(tmp_path):
    table = load_folder(small_folder(tmp_path / "set", parts=("t10k",)))
    assert (len(table), table.test) == (6, None)


def test_a_folder_without_images(tmp_path):
    with pytest.raises(DataError, match="no IDX images: wanted train-images-idx3-ubyte"):
        load(tmp_path)


def test_a_pair_by_comma(tmp_path):
    images = write(tmp_path / "a-idx3-ubyte", np.zeros((4, 2, 2), dtype=np.uint8))
    labels = write(tmp_path / "b-idx1-ubyte", np.arange(4, dtype=np.uint8))
    assert load(f"{images},{labels}").target.values.tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match="no such file"):
        load(f"{images},{tmp_path / 'c-idx1-ubyte'}")


def test_no_labels_beside(tmp_path):
    images = write(tmp_path / "train-images-idx3-ubyte", np.zeros((4, 2, 2), dtype=np.uint8))
    assert labels_beside(images) is None
    with pytest.raises(DataError, match=r"no labels file beside it .looked for 'train-labels-idx1-ubyte'"):
        load(images)
    assert load(images, features_only=True).target is None


def test_as_many_labels_as_images(tmp_path):
    images = write(tmp_path / "images-idx3-ubyte", np.zeros((4, 2, 2), dtype=np.uint8))
    labels = write(tmp_path / "labels-idx1-ubyte", np.zeros(5, dtype=np.uint8))
    with pytest.raises(ShapeError, match="has 4 images, labels-idx1-ubyte has 5 labels"):
        load_pair(images, labels)


def test_images_and_labels_exchanged(tmp_path):
    images = write(tmp_path / "images-idx3-ubyte", np.zeros((4, 2, 2), dtype=np.uint8))
    labels = write(tmp_path / "labels-idx1-ubyte", np.zeros(4, dtype=np.uint8))
    with pytest.raises(ShapeError, match="is it the labels file"):
        load_pair(labels, images)
    with pytest.raises(ShapeError, match="must hold labels, of 1 dimension"):
        load_pair(images, images)


def test_training_and_test_images_of_one_size(tmp_path):
    folder = small_folder(tmp_path / "set")
    write(folder / "t10k-images-idx3-ubyte", np.zeros((6, 3, 3), dtype=np.uint8))
    with pytest.raises(ShapeError, match="got 4 and 9 pixels"):
        load(folder)


def test_no_images(tmp_path):
    images = write(tmp_path / "images-idx3-ubyte", np.zeros((0, 2, 2), dtype=np.uint8))
    with pytest.raises(DataError, match="no images"):
        load(images)


BAD = {
    "empty": (b"", "not an IDX file"),
    "foreign": (b"PK\x03\x04rest", "must begin with two zero bytes"),
    "unknown type": (header((2, 2), code=0x0A) + bytes(4), "unknown IDX type 0x0A"),
    "no dimensions": (bytes([0, 0, 8, 0]), "1 to 8 dimensions, got 0"),
    "many dimensions": (bytes([0, 0, 8, 200]) + bytes(800), "1 to 8 dimensions, got 200"),
    "header cut": (header((2, 2))[:-3], "its header ends after 9 of 12 bytes"),
    "values cut": (header((2, 2)) + bytes(3), "cut short"),
    "too long": (header((2, 2)) + bytes(5), "longer than its header says"),
    "lying": (header((60_000, 1_000, 1_000)) + bytes(100), "cut short"),
    "overflowing": (header((0xFFFFFFFF,) * 8, code=0x0E) + bytes(100), "cut short"),
}


@pytest.mark.parametrize("case", sorted(BAD))
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_bad_files_are_one_line_and_no_memory(tmp_path, case, ending):
    content, message = BAD[case]
    path = tmp_path / f"train-images-idx3-ubyte{ending}"
    path.write_bytes(gzip.compress(content) if ending else content)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=message) as caught:
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("length", [1, 5, 15, 40, -1])
def test_damaged_gzip(tmp_path, length):
    whole = gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 255, (10, 8, 8)).astype(np.uint8)))
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(whole[:length])
    with pytest.raises(FileFormatError):
        read_idx(path)
    path.write_bytes(whole[:30] + bytes(10) + whole[40:])
    with pytest.raises(FileFormatError):
        read_idx(path)


def test_names():
    assert is_idx(Path("train-images-idx3-ubyte"))
    assert is_idx(Path("train-images.idx3-ubyte.gz"))
    assert is_idx(Path("mine.idx"))
    assert not is_idx(Path("idx3.csv"))
