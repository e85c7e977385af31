"""The deterministic part of the evidence: what is counted equals the formulas, and its slopes are theirs. Times are never asserted."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpxp import ACTIVATIONS, count_operations, naive_gradients
from mlpxp.bench import accuracy, complexity, cost, memory
from mlpxp.bench._slopes import fit_slope
from mlpxp.bench.plan import Plan
from mlpxp.bench.problems import FAMILIES, classifier, formula_of_gradient, make_problem, naive_passes
from mlpxp.bench.record import Record, from_json, to_json
from mlpxp.report.results import Section

PLAN = Plan(("numpy",), quick=True, seconds=0.2)


def told(run):
    """What a benchmark hands over on a plan that hardly measures, and what it told of its progress."""
    shares = []
    section = run(PLAN, lambda text, share: shares.append((text, share)))
    assert shares
    assert all(text and 0.0 <= share <= 1.0 for text, share in shares)
    assert [share for _, share in shares] == sorted(share for _, share in shares)
    return section


@pytest.fixture(scope="module")
def sections():
    return {module.__name__.rpartition(".")[2]: told(module.run) for module in (accuracy, complexity, cost, memory)}


@pytest.mark.parametrize("name", ["accuracy", "complexity", "cost", "memory"])
def test_a_section_survives_being_written_and_read(sections, name):
    section = sections[name]
    assert isinstance(section, Section)
    assert section.name == name
    record = Record(machine={}, benchmarks=(name,), plan=PLAN, sections=(section,))
    assert from_json(to_json(record), "here").sections == (section,)
    for figure in section.figures:
        for series in figure.series:
            assert all(point.x > 0 and point.y > 0 and math.isfinite(point.y) for point in series.points), (figure.name, series.name)


# ----------------------------------------------------------------------------------------------------------- complexity


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4), outputs=st.integers(2, 4), m=st.integers(1, 5))
def test_the_products_of_a_gradient_are_those_of_k2(sizes, outputs, m):
    network = classifier((*sizes, outputs))
    ((gradient, forward_pass),) = complexity.count_family([network], m)
    assert gradient == formula_of_gradient(network, m)
    assert forward_pass == 2 * m * sum(n * n_in for n, n_in in network.shapes)
    assert gradient < 3 * forward_pass


@pytest.mark.parametrize("method", ["forward", "central", "complex", "dual"])
def test_a_naive_way_makes_as_many_passes_as_k2_says(method):
    problem = make_problem(classifier((3, 4, 2)), 5)
    ((_, one_pass),) = complexity.count_family([problem.network], 5)
    arguments = problem.network, problem.parameters, problem.X, problem.Y
    counted = count_operations(naive_gradients, *arguments, method=method).matmul
    passes = naive_passes(problem.network, method)
    # a dual pass multiplies values, and tangents where there are any: behind the layer that is moved, and in it
    assert counted == passes * one_pass if method != "dual" else passes * one_pass < counted <= 3 * passes * one_pass


def test_counts_are_exactly_linear_in_m():
    network = classifier((5, 6, 3))
    ones, sevens = (complexity.count_family([network], m)[0] for m in (1, 7))
    assert sevens == tuple(7 * count for count in ones)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_counted_slopes_are_the_formulas(sections, name):
    (grid,) = [grid for grid in sections["complexity"].grids if grid.name == "counted-slopes"]
    (row,) = [row for row in grid.rows if row[0] == name]
    _, backpropagation, of_formula, naive, of_naive = row
    assert backpropagation == pytest.approx(of_formula, abs=1e-12)
    assert naive == pytest.approx(of_naive, abs=1e-12)
    assert 1.0 < backpropagation < 1.1
    assert 1.99 < naive < 2.3


def test_the_slope_of_the_formula_tends_to_1():
    slopes = []
    for first in (1, 64, 4096):
        networks = [classifier((32, n, 32)) for n in (first, 2 * first, 4 * first)]
        slopes.append(fit_slope([one.n_parameters for one in networks], [formula_of_gradient(one, 100) for one in networks]).value)
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] == pytest.approx(1.0, abs=1e-3)


def test_what_is_counted_pass_by_pass_and_what_is_multiplied_agree(sections):
    """The hollow points of the counted figures are one pass times 2P: so are the filled ones, which were counted whole."""
    for figure in sections["complexity"].figures:
        if figure.name.removeprefix("counted-").replace("-", " ") not in FAMILIES:
            continue
        _, naive = figure.series
        assert {point.origin for point in naive.points} == {"counted", "extrapolated"}
        family = FAMILIES[figure.name.removeprefix("counted-").replace("-", " ")]
        networks = [classifier(family.sizes(n)) for n in family.counted_quick]
        one_pass = [200 * sum(n * n_in for n, n_in in network.shapes) for network in networks]  # m = 100
        wanted = [naive_passes(network, "central") * one for network, one in zip(networks, one_pass, strict=True)]
        assert [point.y for point in naive.points] == wanted


def test_a_naive_runs_time_is_that_of_its_passes_after_a_warm_up(monkeypatch):
    """The first pass of all compiles, and what is done after the last one is not of it, when the rest is multiplied."""
    problem = make_problem(classifier((3, 4, 2)), 5)
    now, runs, P = [0.0], [0], problem.network.n_parameters

    def naive(*arguments, progress, **options):
        runs[0] += 1
        for done in range(1, P + 1):
            now[0] += 100.0 if (runs[0], done) == (1, 1) else 1.0
            if progress(done, P):
                break
        now[0] += 50.0

    monkeypatch.setattr(complexity, "naive_gradients", naive)
    monkeypatch.setattr(complexity.time, "perf_counter", lambda: now[0])
    assert complexity._time_naive(problem, "central", batched=False, seconds=5.5) == (float(P), "sampled")
    assert complexity._time_naive(problem, "central", batched=False, seconds=1e9) == (P + 50.0, "measured")


def test_a_naive_run_that_is_cut_short_is_multiplied():
    problem = make_problem(classifier((3, 4, 2)), 5)
    seconds, origin = complexity._time_naive(problem, "central", batched=False, seconds=0.0)
    assert origin == "sampled"
    assert seconds > 0.0
    assert complexity._time_naive(problem, "central", batched=False, seconds=math.inf)[1] == "measured"


# ----------------------------------------------------------------------------------------------------------------- cost


def test_a_gradient_costs_less_than_3_forward_passes_and_less_than_5_in_everything(sections):
    counted, activations, timed = sections["cost"].grids
    for row in counted.rows:
        *_, products, operations = row
        assert products < 3.0
        assert operations < 5.0
    assert {row[0] for row in activations.rows} == set(ACTIVATIONS) - {"softmax"}
    assert all(1.0 < ratio < 5.0 for row in activations.rows for ratio in row[1:])
    assert len(timed.rows) == len(counted.rows)


# --------------------------------------------------------------------------------------------------------------- memory


def test_backpropagation_holds_the_activations_and_at_most_the_errors_beside_them():
    for m in (1000, 3000):
        problem = make_problem(classifier((64, 256, 256, 256, 10), "relu"), m)
        held, k3 = memory.count_memory(problem), memory.formula(problem.network, m)
        gradients = 4 * problem.network.n_parameters
        at_work = 3 * 4 * 256 * m  # what one layer's element-wise work makes on its way
        assert k3 / 2 < held < k3 + gradients + at_work


def test_what_is_held_is_linear_in_m_and_in_the_depth():
    network = classifier((64, 256, 10), "relu")
    held = [memory.count_memory(make_problem(network, m)) for m in (1000, 2000, 3000)]
    assert held[2] - held[1] == held[1] - held[0] > 0


def test_tracemalloc_and_the_counting_arrays_see_about_the_same():
    problem = make_problem(classifier((64, 256, 256, 10), "relu"), 2000)
    assert memory.measure_memory(problem) == pytest.approx(memory.count_memory(problem), rel=0.3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_training_step_holds_little_that_it_could_do_without(optimizer):
    measured, needed = memory.held_by_step(classifier((784, 256, 128, 10), "relu"), 256, optimizer)
    assert 1.0 < measured / needed < 1.3


# ------------------------------------------------------------------------------------------------------------- accuracy


def test_backpropagation_dual_numbers_and_the_complex_step_are_at_rounding_level(sections):
    (grid,) = sections["accuracy"].grids
    error = {row[:2]: row[4] for row in grid.rows}  # in units of ε
    for dtype in ("float64", "float32"):
        for method in ("backpropagation", "dual", "complex"):
            assert error[dtype, method] < 20
        assert error[dtype, "forward"] > error[dtype, "central"] > 500


def test_difference_quotients_have_a_best_step_and_the_complex_step_needs_none(sections):
    figure = next(figure for figure in sections["accuracy"].figures if figure.name == "step-float64")
    for series in figure.series:
        errors = [point.y for point in series.points]
        if "differences" in series.name:
            assert 0 < errors.index(min(errors)) < len(errors) - 1
            assert errors[0] > 1e3 * min(errors) < errors[-1]
        elif series.name == "complex step":
            assert errors[0] < 1e-14


def test_the_exact_gradient_is_no_float64():
    problem = make_problem(classifier((2, 3, 2)), 4, dtype="float64")
    exact = accuracy.exact_gradients(problem)
    assert accuracy.worst_error(exact_as_float64(exact), exact) < 2.3e-16
    assert accuracy.worst_error(exact_as_float64(exact), exact) > 0.0


def exact_as_float64(gradients):
    return tuple(type(layer)(*(np.asarray(leaf._data, dtype="float64") for leaf in layer)) for layer in gradients)
