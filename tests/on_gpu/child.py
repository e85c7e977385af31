"""One process of ``make test-gpu``: some of the tests with one backend."""

import argparse
import sys

OPTIONS = ("--conformance", "-q", "--tb=short", "--continue-on-collection-errors", "-p", "no:cacheprovider")
# another machine has other versions, which warn of other things: warnings are written down there, and are no failures
OTHER_MACHINE = ("-o", "addopts=--import-mode=importlib", "-o", "filterwarnings=default", "-W", "ignore::pytest.PytestConfigWarning")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--outcomes", required=True)
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("tests", nargs="+")
    asked = parser.parse_args()
    if asked.rehearse:
        from tests.on_gpu import pretended

        pretended.install()
    import pytest

    from tests.on_gpu.outcomes import Outcomes

    arguments = [*OPTIONS, *OTHER_MACHINE, "--backend", asked.backend, "--device", asked.device, *asked.tests]
    return int(pytest.main(arguments, plugins=[Outcomes(asked.outcomes)]))


if __name__ == "__main__":
    sys.exit(main())
