"""The report of a run: its page, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mlpxp.bench.names import EVERYWHERE
from mlpxp.bench.record import Record
from mlpxp.report.page import escaped, fact_list, page

__all__ = ["commands", "machine_facts", "report"]


def report(record: Record) -> str:
    """Return the HTML page of a record; the same record makes the same page.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    facts = machine_facts(record.machine)
    head = [f'<p class="soft">{escaped(_summary(facts))}</p>']
    if record.plan.quick:
        head.append('<p class="warning">A quick run: fewer and smaller sizes, shorter measurements. It shows about what comes out.</p>')
    head += [f'<p class="warning">Without {escaped(gap.benchmark)}: {escaped(gap.reason)}.</p>' for gap in record.gaps]
    tail = [
        '<section id="machine"><h2>Where it was measured</h2>',
        fact_list({**facts, "backends": ", ".join(record.plan.backends), "device": record.plan.device or ""}.items()),
        "</section>",
        '<section id="again"><h2>How to measure it again</h2>',
        f"<pre>{'&#10;'.join(escaped(line) for line in commands(record))}</pre>",
        "<p>Every number is also in the JSON file beside this page; <code>mlpxp bench compare</code> puts two such files side by side.</p>",
        "</section>",
    ]
    return page("Benchmarks of mlpxp", head, record.sections, tail)


def commands(record: Record) -> tuple[str, ...]:
    """The command lines that make such a record."""
    names = ("all",) if set(record.benchmarks) == set(EVERYWHERE) else record.benchmarks
    options = [part for backend in record.plan.backends for part in ("--backend", backend)]
    if record.plan.device is not None:
        options += ["--device", record.plan.device]
    if record.plan.quick:
        options.append("--quick")
    if record.plan.sizes:
        options += ["--for", ",".join(map(str, record.plan.sizes))]
    if record.plan.allow_long:
        options.append("--yes")
    return tuple(shlex.join(["mlpxp", "bench", name, *options]) for name in names)


def machine_facts(machine: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a machine as texts, by name: ``devices: torch`` is a name for what is nested."""
    facts: dict[str, str] = {}
    for name, value in machine.items():
        if isinstance(value, Mapping):
            facts |= {f"{name}: {inner}": _text(one) for inner, one in value.items()}
        elif name == "memory" and isinstance(value, int):
            facts[name] = f"{value / 2**30:.1f} GiB"
        else:
            facts[{"blas": "BLAS", "python": "Python"}.get(name, name)] = _text(value)
    return facts


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "; ".join(_text(one) for one in value)
    return str(value)


def _summary(facts: dict[str, str]) -> str:
    day = {"date": facts.get("date", "").partition("T")[0]}
    known = {"date": "{}", "processor": "on {}", "cores": "{} cores", "versions: mlpxp": "mlpxp {}"}
    return ", ".join(text.format((facts | day)[name]) for name, text in known.items() if facts.get(name))
