"""Plans that are checked first, and runs of several benchmarks in which nothing that was finished is lost."""

import sys
from dataclasses import replace

import pytest

import mlpxp
from mlpxp.bench.names import BENCHMARKS, EVERYWHERE
from mlpxp.bench.plan import FULL, QUICK, Plan, make_plan
from mlpxp.bench.record import Gap
from mlpxp.bench.suite import INTERRUPTED, run_suite
from mlpxp.errors import BackendError, DataError, UnknownNameError


def test_the_benchmarks_have_a_module_and_a_question():
    assert tuple(BENCHMARKS) == (
        "complexity",
        "cost",
        "devices",
        "peers",
        "stacks",
        "gpu",
        "prediction",
        "estimators",
        "memory",
        "accuracy",
    )
    for name, benchmark in BENCHMARKS.items():
        assert benchmark.module == f"mlpxp.bench.{name}"
        assert benchmark.question.endswith("?")


def test_what_was_finished_is_in_the_record_in_order(register, section):
    seen, kept = [], []

    def run(plan, tell):
        seen.append(plan)
        tell("halfway", 0.5)
        return section

    register("complexity", run)
    register("memory", lambda plan, tell: replace(section, name="memory"))
    told, plan = [], Plan(("numpy",), quick=True)
    record = run_suite(("complexity", "memory"), plan, lambda *one: told.append(one), keep=kept.append)
    assert [one.name for one in record.sections] == ["complexity", "memory"]
    assert (record.benchmarks, record.plan, record.gaps, seen) == (("complexity", "memory"), plan, (), [plan])
    assert record.machine["devices"].keys() == {"numpy"}
    assert [one.sections for one in kept] == [record.sections[:1], record.sections]
    assert ("complexity: halfway", 0.25) in told
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def failing(error):
    def run(plan, tell):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DataError("no\ndata"), "no data"),
        (MemoryError(), "there is not enough memory"),
        (ModuleNotFoundError("No module named 'sklearn.neural_network'", name="sklearn.neural_network"), "it needs sklearn, which is not"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero (test_suite.py, line"),
    ],
)
def test_one_that_fails_does_not_keep_the_others_from_running(register, section, error, reason):
    register("complexity", failing(error))
    register("cost", lambda plan, tell: section)
    record = run_suite(("complexity", "cost"), Plan(("numpy",)))
    assert record.sections == (section,)
    ((name, why),) = [(gap.benchmark, gap.reason) for gap in record.gaps]
    assert name == "complexity"
    assert why.startswith(reason)


def test_ctrl_c_keeps_what_was_finished_and_names_what_was_not(register, section):
    register("complexity", lambda plan, tell: section)
    register("cost", failing(DataError("no data")))
    register("devices", failing(KeyboardInterrupt()))
    record = run_suite(tuple(BENCHMARKS), Plan(("numpy",)))
    assert record.sections == (section,)
    assert record.gaps == (
        Gap("cost", "no data"),
        *(Gap(name, INTERRUPTED) for name in tuple(BENCHMARKS)[2:]),
    )


def test_ctrl_c_while_a_section_is_kept_does_not_lose_it(register, section):
    register("complexity", lambda plan, tell: section)
    record = run_suite(("complexity", "cost"), Plan(("numpy",)), keep=lambda _: failing(KeyboardInterrupt())(None, None))
    assert record.sections == (section,)
    assert record.gaps == (Gap("cost", INTERRUPTED),)


def test_a_plan_for_every_backend_that_can_be_used_here():
    plan = make_plan()
    assert plan.backends == tuple(one.name for one in mlpxp.backends() if one.problem is None and one.name != "strict")
    assert "numpy" in plan.backends
    assert make_plan(("auto",)) == plan
    assert (plan.seconds, plan.quick, plan.allow_long, plan.device) == (FULL, False, False, None)
    assert make_plan(("numpy",), quick=True).seconds == QUICK
    assert len(EVERYWHERE) * QUICK < 60


def test_a_plan_for_some_backends():
    assert make_plan(("strict", "numpy", "strict")).backends == ("strict", "numpy")


def test_a_device_chooses_the_backends_that_have_it():
    assert make_plan(device="cpu").backends == tuple(name for name in make_plan().backends if _has_cpu(name))


def _has_cpu(name):
    try:
        mlpxp.get_backend(name).asarray([0.0], device="cpu")
    except BackendError:
        return False
    return True


def test_what_is_not_here_is_refused(monkeypatch):
    with pytest.raises(UnknownNameError, match="got 'abacus'"):
        make_plan(("numpy", "abacus"))
    with pytest.raises(BackendError, match="got 'gpu:7'"):
        make_plan(("numpy",), device="gpu:7")
    with pytest.raises(BackendError, match="no backend has a device 'gpu:7' here") as caught:
        make_plan(device="gpu:7")
    assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", None)
    monkeypatch.delitem(sys.modules, "mlpxp_backends.cupy", raising=False)
    mlpxp.arrays.backend._load.cache_clear()
    with pytest.raises(BackendError, match=r"pip install 'mlpxp\[cupy\]'"):
        make_plan(("cupy",))
    mlpxp.arrays.backend._load.cache_clear()
