"""The property-based suites with 12 times as many cases.

``python -m tests.soak.properties`` from the repository's root.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SUITES = ("whole/test_properties.py", "estimators/test_any_input.py", "cli/test_any_arguments.py")


def main():
    """Run the suites, and print a row of the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300.0, help="that one property may take")
    parser.add_argument("--seed", type=int, default=0, help="taken for the sake of its sisters: the cases are always the same")
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    begun = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main(
            ["-q", "-p", "no:cacheprovider", "-p", "soak.cases", "--hypothesis-profile=soak", f"--timeout={options.seconds:.0f}"]
            + [str(TESTS / suite) for suite in SUITES]
        )
    seconds = time.perf_counter() - begun
    cases = sys.modules["soak.cases"]  # which pytest has imported, and the suites have counted in
    outcome = f"of {len(cases.COUNTED)} properties, {'all hold' if code == 0 else 'not all hold'}"
    print(f"| property cases | {sum(cases.COUNTED.values()):,} | {outcome} | {seconds:.0f} |")
    sys.exit(int(code))


if __name__ == "__main__":
    main()
