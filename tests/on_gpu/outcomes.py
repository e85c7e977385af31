"""What became of each test, written down as it happens: a run that is ended leaves what it had found out by then."""

import json
from collections import Counter

LONGEST = 400  # letters of a reason


class Outcomes:
    """A plugin of pytest's that adds a line of JSON to a file for each test."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: PTH123, SIM115 - it stays open until the process ends

    def _write(self, **line):
        self._file.write(json.dumps(line) + "\n")

    def pytest_collection_finish(self, session):
        self._write(collected=[item.nodeid for item in session.items])

    def pytest_collectreport(self, report):
        if not report.passed:
            self._write(test=report.nodeid, outcome=report.outcome, reason=_reason(report))

    def pytest_runtest_logstart(self, nodeid):
        self._write(began=nodeid)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            told = {} if report.passed else {"reason": _reason(report)}
            self._write(test=report.nodeid, outcome=report.outcome, **told)

    def pytest_warning_recorded(self, warning_message):
        self._write(warning=f"{warning_message.category.__name__}: {warning_message.message}"[:LONGEST])


def _reason(report):
    """One line: what was raised and where, or why it was skipped."""
    told = report.longrepr
    if isinstance(told, tuple):  # of a skip: file, line, reason
        text = told[2].removeprefix("Skipped: ")
    else:
        crash = getattr(told, "reprcrash", None)
        if crash is None:  # a file that can't be imported: the lines of its traceback that say why
            lines = str(told).splitlines()
            text = " ".join(line[1:] for line in lines if line.startswith("E ")) or " ".join(lines[-3:])
        else:
            text = f"{crash.message} ({crash.path.rpartition('/')[2]}, line {crash.lineno})"
    return " ".join(text.split())[:LONGEST]


def read(paths):
    """Return what the lines of files say together: outcomes counted, failures and skips with their reasons, what was not reached."""
    outcomes, collected, began, warnings = {}, [], [], Counter()
    for path in paths:
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:  # it was ended in the middle of a line
                continue
            collected += line.get("collected", [])
            if "began" in line:
                began.append(line["began"])
            elif "warning" in line:
                warnings[line["warning"]] += 1
            elif "test" in line and outcomes.get(line["test"], ("passed",))[0] != "failed":  # a test and its teardown may fail
                outcomes[line["test"]] = line["outcome"], line.get("reason", "")
    counts = Counter(outcome for outcome, _ in outcomes.values())
    return {
        **{outcome: counts[outcome] for outcome in ("passed", "failed", "skipped")},
        "failures": {test: reason for test, (outcome, reason) in outcomes.items() if outcome == "failed"},
        "skips": dict(Counter(reason for outcome, reason in outcomes.values() if outcome == "skipped").most_common()),
        "unfinished": [test for test in began if test not in outcomes],
        "not_reached": [test for test in collected if test not in outcomes],
        "warnings": dict(warnings.most_common(20)),
    }
