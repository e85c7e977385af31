import os
import stat
import subprocess
import sys

import pytest

from mlpxp import OutputError
from mlpxp.files import check_writable, write_atomically
from mlpxp.files.disk import previous_of, remove_leftovers

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "f"
    for data in (b"one", b"another", b""):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.replace"])
def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, error, moment):
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def fail(*_):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(moment, fail)
        with pytest.raises(OutputError if isinstance(error, OSError) else type(error)):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_the_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "f", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@posix
def test_a_link_goes_on_pointing_where_it_did(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "f").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "f")
    check_writable(tmp_path / "link")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "f").read_bytes() == b"new"


def test_trying_a_place_leaves_nothing_and_changes_nothing(tmp_path):
    check_writable(tmp_path / "f")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "f").write_bytes(b"old")
    check_writable(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"old"


@pytest.mark.parametrize("try_it", [check_writable, lambda path: write_atomically(path, b"new")], ids=["check", "write"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "needs a name"),
        ("folder", "is a folder"),
        ("folder/", "names a folder"),
        ("nowhere/f", "does not exist; make it first"),
        ("file/f", "is not a folder"),
        ("x" * 300, "can't be written"),
        ("a\0b", "can't be the name of a file"),
        ("pipe", "no regular file"),
    ],
)
def test_places_that_can_t_be_written(tmp_path, monkeypatch, try_it, path, says):
    if path == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    if path == "pipe":
        os.mkfifo("pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=says) as caught:
        try_it(path)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@posix
@pytest.mark.parametrize("refuses", ["open", "access"])
def test_permissions_that_are_missing(tmp_path, monkeypatch, refuses):
    """Root may do anything, so the system's answers are played."""
    (tmp_path / "f").touch()

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(f"os.{refuses}", fail if refuses == "open" else lambda *_: False)
        with pytest.raises(OutputError, match="Permission denied" if refuses == "open" else "write-protected"):
            check_writable(tmp_path / "f")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's /proc is a folder that nobody can write to, not even root")
def test_a_folder_that_nobody_can_write_to():
    with pytest.raises(OutputError, match="/proc/f can't be written"):
        check_writable("/proc/f")


def test_the_file_before_is_kept_when_it_is_asked_for(tmp_path):
    path = tmp_path / "f"
    for data in (b"one", b"two", b"three"):
        write_atomically(path, data, keeps_previous=True)
    assert path.read_bytes() == b"three"
    assert previous_of(path).read_bytes() == b"two"
    assert sorted(tmp_path.iterdir()) == [path, previous_of(path)]


def test_the_name_always_has_a_file_while_the_one_before_is_set_aside(tmp_path, monkeypatch):
    """Each step of the writing is looked at, from where a kill would leave it."""
    path, seen = tmp_path / "f", []
    write_atomically(path, b"one", keeps_previous=True)
    write_atomically(path, b"two", keeps_previous=True)
    replace = type(path).replace

    def watched(self, target):
        seen.append((path.read_bytes(), previous_of(path).read_bytes()))
        replace(self, target)
        seen.append((path.read_bytes(), previous_of(path).read_bytes()))

    monkeypatch.setattr("pathlib.Path.replace", watched)
    write_atomically(path, b"three", keeps_previous=True)
    assert seen == [(b"two", b"one"), (b"two", b"two"), (b"two", b"two"), (b"three", b"two")]


def test_without_hard_links_the_one_before_is_kept_too(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", fail)
    path = tmp_path / "f"
    for data in (b"one", b"two"):
        write_atomically(path, data, keeps_previous=True)
    assert (path.read_bytes(), previous_of(path).read_bytes()) == (b"two", b"one")


@posix
def test_the_one_before_is_kept_beside_where_a_link_points(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "f")
    for data in (b"one", b"two"):
        write_atomically(tmp_path / "link", data, keeps_previous=True)
    assert previous_of(tmp_path / "link") == tmp_path / "there" / "f.previous"
    assert (tmp_path / "there" / "f.previous").read_bytes() == b"one"


@posix
def test_a_disk_that_is_full_for_real_leaves_the_old_file(tmp_path):
    """The system's own refusal, in a process that may write no file beyond 10 kB."""
    code = """
import resource, signal, sys
from mlpxp import OutputError
from mlpxp.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
write_atomically(sys.argv[1], b"old", keeps_previous=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_atomically(sys.argv[1], b"x" * 100_000, keeps_previous=True)
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "f")], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{tmp_path / 'f'} can't be written: File too large\n"
    assert (tmp_path / "f").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_leftovers_are_those_of_this_file(tmp_path):
    from mlpxp.files import disk as files

    ours, theirs = (files._temporary(str(tmp_path / name)) for name in ("f", "g"))
    for one in (ours, theirs):
        one.touch()
    remove_leftovers(tmp_path / "f")
    assert list(tmp_path.iterdir()) == [theirs]
