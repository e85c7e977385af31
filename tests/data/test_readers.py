"""The door for data: every kind of file and every built-in name, and one clear line for each kind of bad input."""

import builtins
import bz2
import contextlib
import gzip
import lzma
import sys
import zipfile
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from mlpxp.data import BUILTINS, Matrix, Preparation, Table, load
from mlpxp.errors import DataError, DtypeError, FileFormatError, MlpxpError, ShapeError, UnknownNameError

FLOWERS = "length,colour,species\n1.5,red,a\n2.5,blue,b\n3,red,a\n"


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def refuses(path, *, target="y", error=DataError, **options):
    """The message with which loading and preparing fails: one line."""
    with pytest.raises(error) as caught:
        Preparation.fit(load(path, target=target, **options), task="classification")
    message = str(caught.value)
    assert isinstance(caught.value, MlpxpError)
    assert "\n" not in message
    return message


# ------------------------------------------------------------------------------------------------------------------ CSV


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_csv_plain_and_compressed(write, ending, pack):
    table = load(write(pack(FLOWERS.encode()), f"table.csv{ending}"), target="species")
    length, colour = table.features
    assert (length.name, length.kind, length.values.tolist()) == ("length", "number", [1.5, 2.5, 3.0])
    assert (colour.kind, colour.categories, colour.values.tolist()) == ("text", ("blue", "red"), [1, 0, 1])
    assert table.target.distinct()[0] == ("a", "b")
    assert (len(table), table.feature_names, table.test) == (3, ("length", "colour"), None)


def test_csv_zstandard(write):
    # a frame of one raw (uncompressed) block: magic, descriptor (one segment, 1-byte size), size, block header, content
    content = FLOWERS.encode()
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + (1 | len(content) << 3).to_bytes(3, "little") + content
    table = load(write(frame, "table.csv.zst"), target="species")
    assert table.columns[0].values.tolist() == [1.5, 2.5, 3.0]
    assert "cut short" in refuses(write(frame[:20], "cut.csv.zst"), error=FileFormatError)
    latin = frame.replace(b"red", b"r\xe9d")
    assert "not UTF-8" in refuses(write(latin, "latin.csv.zst"), error=FileFormatError)


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_csv_cut_short(write, ending):
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[ending]
    packed = pack(FLOWERS.encode() * 50)
    assert "cut short" in refuses(write(packed[:-10], f"table.csv.{ending}"), error=FileFormatError)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(write, separator):
    table = load(write(FLOWERS.replace(",", separator), "table.tsv"), target="species")
    assert table.feature_names == ("length", "colour")


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "NaN", "nan", "null", "None", "?", " ? ", " NA"])
def test_null_markers(write, marker):
    table = load(write(f"p,c,y\n1,u,a\n{marker},{marker},b\n3,v,a\n"), target="y")
    for column in table.columns:
        assert column.missing().tolist() == [False, True, False]
    assert [column.kind for column in table.columns] == ["integer", "text"]


def test_kinds_of_columns(write):
    text = "i,f,b,B,t,spaces,huge,mixed_case,y\n1,1.5,true,True,u,  1 ,123456789012345678901234567890,TRUE,a\n2,2,false,,v, 2.5,1,false,b\n"
    table = load(write(text), target="y")
    kinds = {column.name: column.kind for column in table.columns}
    assert kinds == {
        "i": "integer",
        "f": "number",
        "b": "boolean",
        "B": "boolean",
        "t": "text",
        "spaces": "number",
        "huge": "integer",
        "mixed_case": "boolean",
    }
    columns = {column.name: column for column in table.columns}
    assert columns["b"].values.tolist() == [1, 0]
    assert columns["mixed_case"].values.tolist() == [1, 0]
    assert np.isnan(columns["B"].values[1])
    assert columns["huge"].values[0] == 123456789012345678901234567890.0


def test_byte_order_mark_and_windows_lines(write):
    table = load(write("\ufeff" + FLOWERS.replace("\n", "\r\n")), target="species")
    assert table.feature_names == ("length", "colour")
    assert table.where(1) == "row 2 (line 3)"


def test_blank_lines_are_skipped_and_counted(write):
    table = load(write("\np,y\n1,a\n\n3,b\n\n"), target="y")
    assert table.columns[0].values.tolist() == [1.0, 3.0]
    assert (table.where(0), table.where(1)) == ("row 1 (line 3)", "row 3 (line 5)")


def test_no_line_is_named_where_lines_are_not_rows(write):
    table = load(write('p,q,y\n1,"u\nv",a\n2,w,b\n'), target="y")
    assert table.where(1) == "row 2"


def test_text_among_numbers_is_named(write):
    text = "p,y\n" + "".join(f"{index},{'ab'[index % 2]}\n" for index in range(9)) + "oops,a\n"
    message = refuses(write(text))
    for part in ("'p'", "row 10 (line 11)", "'oops'", "90 %", "--drop 'p'"):
        assert part in message
    half = "p,y\n" + "".join(f"{index if index % 2 else 'word'},{'ab'[index % 2]}\n" for index in range(10))
    assert load(write(half), target="y").columns[0].kind == "text"


def test_text_among_a_target_of_numbers_is_named(write):
    text = "p,y\n" + "".join(f"{index},{index / 2}\n" for index in range(9)) + "1,oops\n"
    with pytest.raises(DataError, match=r"the target can't be learnt: column 'y', row 10 \(line 11\): 'oops'"):
        load(write(text), target="y")


def test_labels_may_be_digits_and_letters(write):
    text = "p,y\n" + "".join(f"{index},{'0123456789A'[index % 11]}\n" for index in range(110))
    assert load(write(text), target="y").target.distinct()[0] == tuple("0123456789A")


def test_many_distinct_texts(write):
    text = "p,q,y\n" + "".join(f"t{index},1,{'ab'[index % 2]}\n" for index in range(1001))
    message = refuses(write(text))
    assert "1,001 distinct values" in message
    assert "--drop 'p'" in message
    assert load(write(text), target="y", drop=["p"]).feature_names == ("q",)
    assert load(write(text), target="p").target.kind == "text"


@pytest.mark.parametrize("day", ["2026-01-0{}", "2026/1/{}", "0{}.01.2026", "1/{}/26", "2026-01-0{}T10:00:00", "2026-01-0{} 10:00"])
def test_dates(write, day):
    text = "d,q,y\n" + "".join(f"{day.format(index)},{index},{'ab'[index % 2]}\n" for index in range(1, 6))
    message = refuses(write(text))
    assert "'d' holds dates" in message
    assert "--drop 'd'" in message
    assert len(load(write(text), target="y", drop=("d",))) == 5


def test_columns_that_are_not_used_may_hold_anything(write):
    prepared = Preparation.fit(load(write("p,y\n1,a\n2,b\n", "train.csv"), target="y"), task="classification")
    table = load(write("d,p,p2\n2026-01-01,1,\n2026-01-02,2,\n", "new.csv"), features_only=True)
    assert prepared.inputs(table).shape == (2, 1)


def test_an_index_without_a_name(write):
    path = write(",p,y\n0,1,a\n1,2,b\n")
    assert "has no name (an index that pandas wrote?)" in refuses(path)
    assert load(path, target="y", drop=["column 1"]).feature_names == ("p",)


BAD_CSV = {
    "empty": (b"", "is empty", DataError),
    "blank": (b"\n\n  \n", "is empty", DataError),
    "header only": (b"p,q,y\n", "nothing beneath it", DataError),
    "header without a line end": (b"p,q,y", "nothing beneath it", DataError),
    "blank rows": (b"p,q,y\n\n\n", "only blank lines", DataError),
    "no header": (b"1,2,3\n4,5,6\n", "has no header line: its first line is '1,2,3'", DataError),
    "no header, with labels": (b"5.1,3.5,setosa\n4.9,3.0,setosa\n", "has no header line", DataError),
    "a name twice": (b"p,p,y\n1,2,a\n", "two columns named 'p' (columns 1 and 2)", DataError),
    "not UTF-8": (b"p,q,y\n1,2,a\n1,\xe9,b\n", "not UTF-8 text: byte 0xe9 on line 3", FileFormatError),
    "UTF-16": ("p,q,y\n1,2,a\n".encode("utf-16"), "not UTF-8", FileFormatError),
    "too many fields": (b"p,q,y\n1,2,a\n1,2,b,4\n", "line 3: 4 fields, the header has 3", FileFormatError),
    "an open quote": (b'p,q,y\n1,"2,a\n1,2,b\n', "never closed", FileFormatError),
    "only a target": (b"y\na\nb\n", "no columns to learn from", DataError),
    "no values": (b"p,q,y\n1,,a\n2,NA,b\n", "column 'q' has no values at all; leave it out with --drop 'q'", DataError),
    "infinity": (b"p,q,y\n1,1,a\n2,inf,b\n", "row 2 (line 3), column 'q' has infinity", DataError),
    "missing": (
        b"p,q,y\n1,1,a\n,2,b\n?,,b\n",
        "row 2 (line 3), column 'p' has a missing value (empty or NaN), and 2 more values",
        DataError,
    ),
    "missing target": (b"p,y\n1,a\n2,\n3,b\n", "the target 'y' is missing in row 2 (line 3); --missing drop", DataError),
    "one class": (b"p,y\n1,a\n2,a\n", "one class only, 'a'", DataError),
    "binary": (bytes(range(256)) * 4, "not UTF-8", FileFormatError),
}


@pytest.mark.parametrize("case", sorted(BAD_CSV))
def test_bad_csv(write, case):
    content, message, error = BAD_CSV[case]
    assert message in refuses(write(content), error=error)


def test_numbers_from_zero_are_names(write):
    assert load(write("0,1,label\n5,6,a\n7,8,b\n"), target="label").feature_names == ("0", "1")


def test_the_target_must_be_there(write):
    path = write("p,Species,y\n1,a,b\n2,b,c\n")
    message = refuses(path, target="species", error=UnknownNameError)
    assert "no target column 'species'; it has 'p', 'Species', 'y'; did you mean 'Species'?" in message
    assert "which column is to be learnt? Say --target COLUMN; the columns are 'p', 'Species', 'y'" in refuses(path, target=None)
    assert "no column to drop 'q'" in refuses(path, drop=["q"], error=UnknownNameError)
    assert "no target column 'y'" in refuses(path, drop=["y"], error=UnknownNameError)


def test_features_only(write):
    path = write("p,y\n1,a\n2,b\n")
    table = load(path, target="y", features_only=True)
    assert (table.feature_names, table.target) == (("p",), None)
    assert load(path, target="absent", drop=["absent too"], features_only=True).feature_names == ("p", "y")
    assert load(write("p\n1\n"), target="y", features_only=True).feature_names == ("p",)


# -------------------------------------------------------------------------------------------------------------- Parquet


def parquet(tmp_path, **columns):
    path = tmp_path / "table.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def test_parquet(tmp_path):
    path = parquet(
        tmp_path,
        f=pl.Series([1.5, None, float("nan")], dtype=pl.Float32),
        i=pl.Series([1, 2, None], dtype=pl.Int16),
        d=pl.Series(["1.25", "2", None]).cast(pl.Decimal(10, 2)),
        c=pl.Series(["u", "v", None], dtype=pl.Categorical),
        b=[True, False, None],
        y=[3, 4, 3],
    )
    table = load(path, target="y")
    assert [column.kind for column in table.columns] == ["number", "integer", "number", "text", "boolean"]
    assert [column.missing().tolist() for column in table.columns] == [[False, True, True], *([[False, False, True]] * 4)]
    assert table.columns[2].values.tolist()[:2] == [1.25, 2.0]
    assert table.columns[3].categories == ("u", "v")
    assert table.target.distinct()[0] == (3, 4)
    assert table.where(0) == "row 1"


def test_parquet_dates_and_lists(tmp_path):
    path = parquet(tmp_path, d=[date(2026, 1, 1), date(2026, 1, 2)], t=[timedelta(1), timedelta(2)], n=[[1], [2]], p=[1, 2], y=["a", "b"])
    assert "'d' holds dates or times" in refuses(path)
    assert "'t' holds dates or times" in refuses(path, drop=["d"])
    assert "column 'n' holds List(Int64) values: wanted numbers or text" in refuses(path, drop=["d", "t"])
    assert load(path, target="y", drop=["d", "t", "n"]).feature_names == ("p",)
    with pytest.raises(DataError, match="the target can't be learnt: column 'd' holds dates"):
        load(path, target="d")


def test_bad_parquet(tmp_path, write):
    assert "no rows" in refuses(parquet(tmp_path, p=pl.Series([], dtype=pl.Int64), y=pl.Series([], dtype=pl.String)))
    whole = parquet(tmp_path, p=[1, 2], y=["a", "b"]).read_bytes()
    for content in (whole[:-20], whole[: len(whole) // 2], b"PAR1", b"p,y\n1,2\n"):
        assert "not a whole Parquet file" in refuses(write(content, "bad.parquet"), error=FileFormatError)
    assert "is empty" in refuses(write(b"", "empty.parquet"))


# ------------------------------------------------------------------------------------------------------------------ npz


def npz(tmp_path, **arrays):
    path = tmp_path / "arrays.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array([0, 1, 2, 1]), (0, 1, 2)),
        (np.array([[0], [1], [2], [1]]), (0, 1, 2)),
        (np.array(["u", "v", "w", "v"]), ("u", "v", "w")),
        (np.array([b"u", b"v", b"w", b"v"]), ("u", "v", "w")),
        (np.array([True, False, True, True]), (False, True)),
        (np.array([0.5, 1.5, 0.5, 1.5]), (0.5, 1.5)),
        (np.array([0, 1, 2, 1], dtype=">i4"), (0, 1, 2)),
    ],
)
def test_npz(tmp_path, y, labels):
    X = np.arange(8.0).reshape(4, 2)
    table = load(npz(tmp_path, X=X, y=y))
    np.testing.assert_array_equal(table.features.values, X)
    assert table.target.distinct()[0] == labels
    assert table.feature_names == ("x0", "x1")


def test_npz_bytes_and_images_are_pixels(tmp_path):
    assert load(npz(tmp_path, X=np.zeros((4, 3), np.uint8), y=np.arange(4))).features.pixels
    assert load(npz(tmp_path, X=np.zeros((4, 3, 2)), y=np.arange(4))).features.pixels
    assert load(npz(tmp_path, X=np.zeros((4, 3, 2)), y=np.arange(4))).features.values.shape == (4, 6)
    assert not load(npz(tmp_path, X=np.zeros((4, 3), np.int64), y=np.arange(4))).features.pixels


def test_npz_target_by_name_and_without(tmp_path):
    path = npz(tmp_path, X=np.ones((2, 2)), species=np.array(["a", "b"]))
    assert load(path, target="species").target.name == "species"
    assert load(path, features_only=True).target is None
    assert "no array 'y' for the target; it has 'X', 'species'" in refuses(path, target=None, error=UnknownNameError)
    assert "one block without names" in refuses(path, target="species", drop=["x0"], error=UnknownNameError)


BAD_NPZ = {
    "no X": ({"y": np.arange(3)}, "no array X: wanted X (m, n) and y (m,), got 'y'", DataError),
    "nothing": ({}, "got nothing", DataError),
    "X of one dimension": ({"X": np.arange(3), "y": np.arange(3)}, "X must have shape (m, n)", ShapeError),
    "X empty": ({"X": np.zeros((0, 3)), "y": np.arange(0)}, "X is empty, its shape is (0, 3)", DataError),
    "X of text": ({"X": np.array([["a"]]), "y": np.arange(1)}, "X must hold real numbers", DtypeError),
    "X complex": ({"X": np.ones((2, 2), complex), "y": np.arange(2)}, "X must hold real numbers, got complex128", DtypeError),
    "y too short": ({"X": np.ones((3, 2)), "y": np.arange(2)}, "y must have shape (3,), one value for each row of X, got (2,)", ShapeError),
    "y one-hot": ({"X": np.ones((3, 2)), "y": np.eye(3)}, "y must have shape (3,)", ShapeError),
    "y of dates": ({"X": np.ones((2, 2)), "y": np.zeros(2, "datetime64[D]")}, "y must hold numbers", DtypeError),
    "y not ASCII": ({"X": np.ones((2, 2)), "y": np.array([b"\xe9", b"a"])}, "not ASCII", FileFormatError),
    "y of objects": ({"X": np.ones((2, 2)), "y": np.array([{}, {}])}, "y holds Python objects, which are not read", FileFormatError),
    "X of objects": ({"X": np.array([[1, None]]), "y": np.arange(1)}, "X holds Python objects", FileFormatError),
    "NaN": ({"X": np.array([[1, 2], [3, np.nan]]), "y": np.arange(2)}, "row 2, column 'x1' has a missing value", DataError),
    "infinity": ({"X": np.array([[1, 2], [np.inf, 3]]), "y": np.arange(2)}, "row 2, column 'x0' has infinity", DataError),
    "NaN in y": ({"X": np.ones((2, 2)), "y": np.array([0.0, np.nan])}, "the target 'y' is missing in row 2", DataError),
}


@pytest.mark.parametrize("case", sorted(BAD_NPZ))
def test_bad_npz(tmp_path, case):
    arrays, message, error = BAD_NPZ[case]
    assert message in refuses(npz(tmp_path, **arrays), target=None, error=error)


def test_damaged_npz(tmp_path, write):
    whole = npz(tmp_path, X=np.random.default_rng(0).normal(size=(20, 5)), y=np.arange(20)).read_bytes()
    for content in (b"", b"PK", whole[:-30], whole[: len(whole) // 2], b"\x93NUMPY" + bytes(100)):
        assert "not a whole .npz archive" in refuses(write(content, "bad.npz"), error=FileFormatError)
    for place in range(0, len(whole), 37):  # wherever it is damaged, there is no other error
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with contextlib.suppress(MlpxpError):
            load(write(bytes(damaged), "damaged.npz"))


def test_npz_with_a_lying_header(tmp_path):
    path = tmp_path / "lying.npz"
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000, 1000), }".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(80))
        archive.writestr("y.npy", b"nothing")
    assert "is not as long as that" in refuses(path, target=None, error=FileFormatError)


# ------------------------------------------------------------------------------------------------------------- built in


@pytest.mark.parametrize(
    ("name", "shape", "labels"),
    [
        ("xor", (4, 2), (0, 1)),
        ("digits", (1797, 64), tuple(range(10))),
        ("iris", (150, 4), ("setosa", "versicolor", "virginica")),
        ("breast-cancer", (569, 30), ("benign", "malignant")),
        ("wine", (178, 13), ("class_0", "class_1", "class_2")),
        ("diabetes", (442, 10), None),
        ("moons", (1000, 2), (0, 1)),
        ("circles", (1000, 2), (0, 1)),
        ("spirals", (1000, 2), (0, 1)),
    ],
)
def test_built_in(name, shape, labels):
    table, again = load(name), load(name)
    prepared = Preparation.fit(table, task="classification" if labels else "regression")
    X = prepared.inputs(table)
    assert X.shape == shape
    assert prepared.classes == (labels or ())
    np.testing.assert_array_equal(X, prepared.inputs(again))


def test_every_built_in_is_tested():
    assert set(BUILTINS) == {"xor", "digits", "iris", "breast-cancer", "wine", "diabetes", "moons", "circles", "spirals"}


def test_xor_is_its_own_test_set():
    table = load("xor")
    assert table.target.values.tolist() == [0, 1, 1, 0]
    assert table.test.target.values.tolist() == [0, 1, 1, 0]


def test_class_names_belong_to_their_rows():
    target = load("breast-cancer").target
    assert sum(target.categories[code] == "malignant" for code in target.values) == 212


def test_digits_are_a_block_of_bytes():
    features = load("digits").features
    assert isinstance(features, Matrix)
    assert features.pixels
    assert features.values.dtype == np.uint8


def test_another_target_of_a_built_in():
    table = load("iris", target="petal length (cm)", drop=["petal width (cm)"])
    assert table.feature_names == ("sepal length (cm)", "sepal width (cm)", "species")
    assert table.target.kind == "number"
    assert load("iris", features_only=True).target is None
    assert load("iris", target="species", features_only=True).feature_names == load("iris").feature_names
    with pytest.raises(UnknownNameError, match=r"no target column 'specis'.*did you mean 'species'"):
        load("iris", target="specis")
    with pytest.raises(UnknownNameError, match="digits has no target 'species'; it has 'digit'"):
        load("digits", target="species")


def test_a_path_with_a_built_in_name(write, monkeypatch, tmp_path):
    write(FLOWERS, "iris.csv")
    monkeypatch.chdir(tmp_path)
    assert len(load("iris")) == 150
    assert len(load("iris.csv", target="species")) == 3
    assert len(load("./iris.csv", target="species")) == 3


# ------------------------------------------------------------------------------------------------------------ the source


def test_unknown_sources(write, tmp_path):
    with pytest.raises(UnknownNameError, match=r"'iri' is neither a file nor .* xor, digits, .*did you mean 'iris'.*parquet.*npz.*IDX"):
        load("iri")
    with pytest.raises(UnknownNameError, match="unknown kind: wanted a CSV file"):
        load(write(b"x", "table.xlsx"))
    with pytest.raises(UnknownNameError):
        load("")
    write(FLOWERS, "flowers.csv")
    with pytest.raises(DataError, match=r"no such file or folder; did you mean 'flowers.csv'"):
        load(tmp_path / "flower.csv", target="y")
    with pytest.raises(DataError, match="no such file or folder"):
        load("/nowhere/at/all.csv", target="y")


def test_a_file_that_cannot_be_opened(write, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = write(FLOWERS)
    monkeypatch.setattr("pathlib.Path.read_bytes", denied)
    with pytest.raises(DataError, match=r"table.csv can't be read: Permission denied"):
        load(path, target="species")


@pytest.mark.parametrize(("module", "source"), [("polars", "table.csv"), ("polars", "table.parquet"), ("sklearn.datasets", "iris")])
def test_a_library_that_is_not_installed(write, monkeypatch, module, source):
    path = write(FLOWERS, source) if "." in source else source
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r"needs (polars|scikit-learn), .*pip install 'mlpxp\[cli\]'"):
        load(path, target="species")


def test_nothing_is_printed(write, monkeypatch):
    monkeypatch.setattr(builtins, "print", lambda *_: pytest.fail("printed"))
    assert isinstance(load(write(FLOWERS), target="species"), Table)
