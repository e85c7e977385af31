"""Whatever is done about an array is done on its own device: on two pretended cards of which the first is the current one.

A pretended CuPy refuses what CuPy refuses, arrays that are not on the current device, and knows which cards a context was opened on.
"""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, GradientDescent, Network, backward, forward, initialize, predict, stack, unstack
from mlpxp.arrays.standard import device_of, tree_leaves

ROOT = Path(__file__).parents[2]
BEGIN = """
    from tests.on_gpu import pretended_cupy
    cupy = pretended_cupy.install()
    import threading
    import numpy as np
    import mlpxp
    from mlpxp import *
    from mlpxp.arrays.standard import tree_leaves, tree_map
    backend = get_backend("cupy")
    rng = np.random.default_rng(0)
    network = Network((3, 4, 2), hidden="silu", output="softmax", loss="cross_entropy")
    X, Y, weights = rng.standard_normal((3, 20)), np.eye(2)[:, np.arange(20) % 2], rng.uniform(0.0, 1.0, 20)
    there = [backend.asarray(array, device="cuda:1") for array in (X, Y, weights)]
    start = initialize(network, seed=3, dtype="float64")
    moved = initialize(network, seed=3, dtype="float64", backend="cupy", device="cuda:1")

    def same(got, wanted):
        for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
            assert one.device.id == 1
            np.testing.assert_allclose(one.get(), other, rtol=1e-12, atol=1e-15)
"""
END = """
    assert pretended_cupy.opened == {1}, pretended_cupy.opened
"""


def on_cards(program, end=END):
    """Run a program in a process of its own, whose CuPy is a pretended one."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    whole = dedent(BEGIN) + dedent(program) + dedent(end)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", whole],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_functions_work_where_their_arrays_are():
    on_cards("""
        for optimizer in (Adam(0.01), GradientDescent(0.1, momentum=0.9)):
            trace, wanted = forward(network, moved, there[0]), forward(network, start, X)
            same(trace[-1].A, wanted[-1].A)
            same(cost(network, trace, *there[1:]), cost(network, wanted, Y, weights))
            gradients = backward(network, moved, trace, *there[1:])
            same(gradients, backward(network, start, wanted, Y, weights))
            same(cost_and_gradients(network, moved, *there)[1], cost_and_gradients(network, start, X, Y, weights)[1])
            same(predict(network, moved, there[0], batch_size=7), predict(network, start, X))
            state = optimizer.start(moved)
            same(optimizer.update(moved, gradients, state)[0],
                 optimizer.update(start, tree_map(lambda g: g.get(), gradients), optimizer.start(start))[0])
        np.testing.assert_allclose(evaluate(network, moved, *there), evaluate(network, start, X, Y, weights), rtol=1e-12)
        same(naive_gradients(network, moved, *there, method="dual"), gradients := backward(network, start, wanted, Y, weights))
        assert check_gradients(network, moved, *there).passed
    """)


def test_stacks_and_training_stay_there_too():
    on_cards("""
        other = initialize(network, seed=4, dtype="float64", backend="cupy", device="cuda:1")
        together = stack([moved, other])
        same(together, stack([start, initialize(network, seed=4, dtype="float64")]))
        same(unstack(together)[0], start)
        options = dict(optimizer=Adam(0.01), epochs=5, batch_size=7, seed=1, patience=3, penalty=0.01, dropout=0.2, clip_norm=1.0)
        for parameters, hosts in ((moved, start), (together, tree_map(lambda leaf: leaf.get(), together))):
            got = train(network, *there[:2], weights=there[2], start=parameters, validation=tuple(there), **options)
            wanted = train(network, X, Y, weights=weights, start=hosts, validation=(X, Y, weights), **options)
            same(got.parameters, wanted.parameters)
            assert str(got.stop) == str(wanted.stop)
        with_rows = train(network, Rows(X.T), there[1], backend="cupy", device="cuda:1", optimizer=Adam(0.01), epochs=2, batch_size=7)
        same(with_rows.parameters, train(network, Rows(X.T), Y, optimizer=Adam(0.01), epochs=2, batch_size=7).parameters)
    """)


def test_the_estimators_stay_there_too():
    on_cards("""
        import warnings
        from sklearn.exceptions import ConvergenceWarning
        warnings.simplefilter("ignore", ConvergenceWarning)
        there = [backend.asarray(array, device="cuda:1") for array in (X.T, Y.argmax(axis=0).astype(float))]
        for n in (1, 3):
            model = MLPClassifier((8,), max_iter=5, random_state=0, n_networks=n, tol=0.0).fit(*there)
            wanted = MLPClassifier((8,), max_iter=5, random_state=0, n_networks=n, tol=0.0).fit(X.T, Y.argmax(axis=0).astype(float))
            same(model.predict_proba(there[0]), wanted.predict_proba(X.T))
            same(model.predict(there[0]), wanted.predict(X.T))
            assert model.score(*there) == wanted.score(X.T, Y.argmax(axis=0).astype(float))
        host = X.T, Y.argmax(axis=0)
        for options in ({}, {"solver": "lbfgs"}, {"early_stopping": True}, {"n_networks": 2}):
            options |= {"max_iter": 5, "random_state": 0}
            model = MLPClassifier((8,), backend="cupy", device="cuda:1", **options).fit(*host)
            wanted = MLPClassifier((8,), **options).fit(*host)
            np.testing.assert_allclose(model.predict_proba(host[0]), wanted.predict_proba(host[0]), rtol=1e-9)
            many = np.tile(host[0], (500, 1))
            assert (model.predict(many) == wanted.predict(many)).all()
            assert isinstance(model.coefs_[0], np.ndarray)
    """)


def test_to_look_at_the_cards_or_to_wait_for_them_opens_none():
    on_cards(
        """
        del there, moved
        __import__("mlpxp_backends.cupy").cupy._used.clear()
        pretended_cupy.opened.clear()
        first, second = backend.devices()
        assert (first.name, second.name, first.free, second.free) == ("cuda:0", "cuda:1", None, None)
        assert first.memory == second.memory == pretended_cupy.MEMORY
        backend.synchronize()
        assert pretended_cupy.opened == set()
        backend.asarray([1.0], device="cuda:1")
        backend.synchronize()
        assert [device.free for device in backend.devices()] == [None, pretended_cupy.MEMORY // 2]
        """
    )


def test_tf32_is_this_folds_alone():
    """The mode that cuBLAS multiplies in is that of a thread's handle on a card: no other thread's is touched, nor this one's later."""
    on_cards("""
        seen, tf32 = [], get_backend("cupy", precision="tf32")
        mode = lambda: cupy.cuda.cublas.getMathMode(cupy.cuda.Device(1).cublas_handle)

        def fold(library):
            def step(state, one, X):
                thread = threading.Thread(target=lambda: seen.append(mode()))
                thread.start()
                thread.join()
                seen.append(mode())
                return state + X @ state, one

            library.fold(step, state := backend.asarray(np.eye(3), device="cuda:1"), backend.asarray([0.0], device="cuda:1"), state)

        for library in (backend, tf32, backend):
            fold(library)
        assert seen == [0, 0, 0, 3, 0, 0], seen
        assert mode() == 0
    """)


def test_what_has_no_current_device_stays_where_it_is():
    """On a device of array-api-strict that is not its default, and on one of PyTorch's that has no values at all."""
    network = Network((2, 3, 1), "tanh", "sigmoid", "binary_cross_entropy")
    for name, device in (("strict", "device1"), ("torch", "meta")):
        if name == "torch":
            pytest.importorskip("torch")
        backend = mlpxp.get_backend(name)
        X, Y = (backend.asarray(np.ones(shape, dtype="float32"), device=device) for shape in ((2, 5), (1, 5)))
        members = [initialize(network, seed=seed, backend=name, device=device) for seed in (1, 2)]
        gradients = backward(network, members[0], forward(network, members[0], X), Y)
        made = [stack(members), unstack(stack(members)), gradients, predict(network, members[0], X, batch_size=2)]
        for optimizer in (Adam(), GradientDescent(0.1, momentum=0.9)):
            made += [optimizer.start(members[0]), optimizer.update(members[0], gradients, optimizer.start(members[0]))]
        places = {str(device_of(leaf)) for tree in made for leaf in tree_leaves(tuple(tree) if isinstance(tree, list) else tree)}
        assert places == {str(device_of(X))}
