"""A run of several benchmarks in which nothing that was finished is lost."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from mlpxp.bench.machine import describe_machine
from mlpxp.bench.names import BENCHMARKS
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Gap, Record
from mlpxp.errors import MlpxpError
from mlpxp.report.results import Section

__all__ = ["INTERRUPTED", "Tell", "run_suite"]

Tell: TypeAlias = Callable[[str, float], object]  # what is being done, and how much of it is done: from 0 to 1
INTERRUPTED = "interrupted"


def run_suite(
    names: Sequence[str],
    plan: Plan,
    tell: Tell = lambda _text, _fraction: None,
    *,
    keep: Callable[[Record], object] = lambda _record: None,
) -> Record:
    """Run benchmarks one after the other; one that fails doesn't keep the others from running.

    Parameters
    ----------
    names : sequence of str
        Of :data:`BENCHMARKS`.
    plan : Plan
    tell : callable
        Called with what is being done, and which share of the whole is done.
    keep : callable
        Called with the record so far after each finished benchmark: a machine may run out of memory in the next one.

    Returns
    -------
    Record
        Its ``gaps`` name the benchmarks that failed, and those that Ctrl-C ended or kept from starting, with the reason.
    """
    record = Record(machine=describe_machine(plan.backends), benchmarks=tuple(names), plan=plan)
    done = 0
    try:
        for index, name in enumerate(names):
            try:
                found = _run(name, plan, _part_of(tell, name, index, len(names)))
            except Exception as error:  # whatever it is: the others are run, and what was finished is kept
                record, done = replace(record, gaps=(*record.gaps, Gap(name, _reason(error)))), index + 1
            else:
                record, done = replace(record, sections=(*record.sections, found)), index + 1
                keep(record)
    except KeyboardInterrupt:
        record = replace(record, gaps=(*record.gaps, *(Gap(name, INTERRUPTED) for name in names[done:])))
    return record


def _run(name: str, plan: Plan, tell: Tell) -> Section:
    tell("starting", 0.0)
    section: Section = import_module(BENCHMARKS[name].module).run(plan, tell)
    tell("done", 1.0)
    return section


def _part_of(tell: Tell, name: str, index: int, n: int) -> Tell:
    """What one of n benchmarks tells, as a part of the whole."""
    return lambda text, share: tell(f"{name}: {text}", (index + share) / n)


def _reason(error: Exception) -> str:
    """One line; for a mistake in a benchmark with the place where it is."""
    text = " ".join(str(error).split())
    if isinstance(error, MlpxpError):
        return text
    if isinstance(error, ModuleNotFoundError) and error.name is not None and not error.name.startswith("mlpxp"):
        return f"it needs {error.name.partition('.')[0]}, which is not installed"
    if isinstance(error, MemoryError):
        return f"there is not enough memory: {text}" if text else "there is not enough memory"
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {text} ({Path(last.filename).name}, line {last.lineno})"
