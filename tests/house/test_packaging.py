"""What users install: the wheel, the source distribution and the pins."""

import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import mlpxp

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command, cwd):
    """Return what the command prints; when it fails, fail with that."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The source distribution, and the wheel built from it rather than from the checkout: so neither lacks a file."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """An empty environment's Python with the wheel in it; third-party packages are read from the one that runs the tests."""
    environment = tmp_path_factory.mktemp("empty") / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"),
        *("install", "--quiet", "--no-index", "--no-deps", distributions[1]),
        cwd=environment,
    )
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=environment).strip())
    # A folder named by a .pth file is put on the path, but its own .pth files, the checkout's among them, are not read.
    (site / "third_party.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_the_wheel_holds_the_two_packages_and_nothing_else(distributions):
    names = zipfile.ZipFile(distributions[1]).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"mlpxp", "mlpxp_backends", f"mlpxp-{mlpxp.__version__}.dist-info"}
    expected = {"mlpxp/py.typed", "mlpxp/__init__.pyi", "mlpxp_backends/py.typed"}
    expected |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "mlpxp").rglob("*.py")}
    expected |= {path.relative_to(ROOT / "backends").as_posix() for path in (ROOT / "backends").rglob("*.py")}
    expected |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "mlpxp" / "textbook" / "lesson" / "assets").iterdir()}
    assert expected <= set(names)
    assert not [name for name in names if "test" in name.lower()]


def test_the_sdist_holds_what_is_needed_to_test_it(distributions):
    with tarfile.open(distributions[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "Makefile", "pyproject.toml", "requirements/test.txt", "docs/conf.py", "tests/house/test_packaging.py"} <= names
    assert not [name for name in names if name.startswith((".venv", "build/", "dist/"))]


@pytest.mark.parametrize("package", ["mlpxp", "mlpxp_backends", "mlpxp_backends.numpy"])
def test_the_installed_package_is_the_wheels(installed, package):
    where = run(installed, "-I", "-c", f"import {package}; print({package}.__file__)", cwd=installed.parent)
    assert Path(where.strip()).resolve().is_relative_to(installed.parent.parent.resolve())


def test_show_versions_runs_where_it_is_installed(installed):
    assert mlpxp.__version__ in run(installed, "-I", "-c", "import mlpxp; mlpxp.show_versions()", cwd=installed.parent)


def test_the_installed_entry_points_lead_to_the_backends(installed):
    found = run(
        installed, "-I", "-c", "from mlpxp.arrays.backend import get_backend; print(get_backend('numpy').name)", cwd=installed.parent
    )
    assert found.strip() == "numpy"


def requirements(name):
    """The file's requirements, one a line with the hashes that belong to it, without comments."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()) if line]


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "docs.txt"])
def test_every_requirement_is_pinned_and_hashed(name):
    lines = requirements(name)
    assert lines
    assert not [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]


def test_the_tests_pins_contain_those_that_users_run_with():
    run_pins, test_pins = ({re.sub(r" ;.*?(?= --hash)", "", line) for line in requirements(name)} for name in ("run.txt", "test.txt"))
    assert not run_pins - test_pins


def test_the_documentations_pins_are_those_of_the_tests_where_both_have_one():
    docs_pins, test_pins = ({line.partition(" --hash")[0].strip() for line in requirements(name)} for name in ("docs.txt", "test.txt"))
    shared = {pin.partition("==")[0] for pin in docs_pins} & {pin.partition("==")[0] for pin in test_pins}
    versions = [{pin.partition(" ;")[0] for pin in pins if pin.partition("==")[0] in shared} for pins in (docs_pins, test_pins)]
    assert shared
    assert versions[0] <= versions[1]


def test_the_pins_satisfy_what_the_package_asks_for():
    pins = {}
    for line in requirements("run.txt"):
        pin = Requirement(line.partition("--hash")[0])
        if pin.marker is None or pin.marker.evaluate():
            pins[pin.name] = str(pin.specifier).removeprefix("==")
    extras = PROJECT["optional-dependencies"]
    wanted = [Requirement(text) for text in PROJECT["dependencies"] + extras["cli"] + extras["plot"] + extras["sklearn"]]
    assert not [str(each) for each in wanted if not each.specifier.contains(pins.get(each.name, "0"))]


def test_no_set_up_file_names_an_address():
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".ci" / "run", *(ROOT / "requirements").iterdir()]
    option = re.compile(r"\w://|--(extra-)?index-url|--find-links|--trusted-host")
    assert not [path.name for path in files if option.search(path.read_text(encoding="utf-8").replace("--no-emit-index-url", ""))]
