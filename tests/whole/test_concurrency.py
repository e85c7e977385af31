"""Training in two threads, in two processes and after a fork gives the bits of training alone."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from learning_alone import examples, learn

from mlpxp import MLPClassifier, get_backend


def together(*calls):
    """Call each in a thread of its own, all begun at the same moment."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number):
        barrier.wait()
        try:
            answers[number] = calls[number]()
        except BaseException as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_two_threads_learn_what_one_does(name, request):
    if name != "numpy":
        pytest.importorskip(name)
    if name == "jax":
        request.getfixturevalue("x64")
    library = get_backend(name)
    alone = [learn(library, seed) for seed in (0, 1)]
    assert together(*(lambda seed=seed: learn(library, seed) for seed in (0, 1, 0, 1))) == alone * 2


def test_two_threads_with_two_libraries_do_not_meet(x64):
    libraries = [get_backend("numpy"), get_backend("jax")]
    alone = [learn(library, 3) for library in libraries]
    assert together(*(lambda library=library: learn(library, 3) for library in libraries)) == alone


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_learn_in_threads_what_they_do_alone():
    X, Y = examples(0)
    y = Y.argmax(axis=0)

    def fit(seed):
        return MLPClassifier((5,), max_iter=10, random_state=seed).fit(X.T, y).predict_proba(X.T).tobytes()

    alone = [fit(seed) for seed in (0, 1)]
    assert together(*(lambda seed=seed: fit(seed) for seed in (0, 1, 0, 1))) == alone * 2


PROGRAM = """
import multiprocessing, os
from learning_alone import on_numpy

if __name__ == "__main__":
    wanted = [on_numpy(seed) for seed in (0, 1)]  # the parent has trained before it is forked
    child = os.fork()
    if child == 0:
        os._exit(0 if on_numpy(0) == wanted[0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "forked"
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(on_numpy, [0, 1, 0, 1], chunksize=1) == wanted * 2, method
    assert on_numpy(0) == wanted[0], "afterwards"
    print("the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_processes_forked_and_begun_anew_learn_what_one_does():
    place = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": place, "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.returncode) == ("the same", 0), run.stderr[-2000:]
