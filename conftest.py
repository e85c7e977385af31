"""The options that the tests and the benchmarks share."""


def pytest_addoption(parser):
    """Add them."""
    parser.addoption(
        "--backend", action="append", metavar="NAME", help="run on this backend (repeatable; by default on all that can run here)"
    )
    parser.addoption("--device", metavar="NAME", help="where to put what is made: cuda (by default the library's own choice)")
    parser.addoption("--conformance", action="store_true", help="run only the tests that a backend takes part in")
