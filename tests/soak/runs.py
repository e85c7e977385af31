"""Runs of training with options and ways in drawn at random: every library learns what a plain loop learns, by every way the same bits.

``python -m tests.soak.runs --cases 3000 --seed 0`` from the repository's root; ``--first 17 --cases 1`` is case 17 alone.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

import mlpxp
from mlpxp import Adam, AdamW, Constant, Cosine, GradientDescent, Layer, Network, Rows, StepDecay, Stop, WarmUp, train
from mlpxp.arrays.standard import tree_leaves
from mlpxp.files.checkpoint_file import look_at_checkpoint
from mlpxp.training.checkpoints import Checkpoints

from .by_hand import Asked, trained

__all__ = ["check", "libraries"]

HIDDEN = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu")
HEADS = (
    ("identity", "mse"), ("sigmoid", "mse"), ("tanh", "mse"), ("relu", "mse"), ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"), ("exp", "poisson"), ("softplus", "poisson"),
)  # fmt: skip
SCALARS = {"plain": float, "float64": np.float64, "0-d": np.asarray, "longdouble": np.longdouble}
CLOSE = 1e-8  # Adam divides a gradient by its size: what is 1e-16 beside ε = 1e-8 moves a weight by as much


class CutError(Exception):
    """Where a run is left after the checkpoint that was to be its last."""


class DataSet:
    """Rows that are read as an HDF5 data set reads them: a slice, or numbers that rise."""

    def __init__(self, values):
        self._values, self.shape, self.dtype = values, values.shape, values.dtype

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            assert (np.diff(rows) > 0).all()
            assert rows[0] >= 0
        return self._values[rows].copy()


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def _mapped(X, folder):
    path = Path(folder, "X.npy")
    np.save(path, np.ascontiguousarray(X.T))
    return np.load(path, mmap_mode="r")


def _chosen(X):
    """Rows among others, backwards."""
    return np.concatenate([np.full((2, len(X)), np.nan, X.dtype), X.T[::-1]]), np.arange(X.shape[1] + 1, 1, -1)


ARRAYS = {  # X in ways that any library's arrays have
    "array": lambda X, folder: X,
    "Fortran order": lambda X, folder: np.asfortranarray(X),
    "every other column": lambda X, folder: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X, folder: _read_only(X),
    "mapped": lambda X, folder: _mapped(X, folder).T,
}
ROWS = {
    "rows": lambda X, folder: Rows(X.T.copy()),
    "mapped rows": lambda X, folder: Rows(_mapped(X, folder)),
    "chosen rows": lambda X, folder: Rows(*_chosen(X)),
    "data set": lambda X, folder: Rows(DataSet(X.T.copy())),
    "chosen of a data set": lambda X, folder: Rows(DataSet(_chosen(X)[0]), _chosen(X)[1]),
}
WAYS = ARRAYS | ROWS


def libraries():
    """Return the backends beside NumPy that are here and compute as the standard says, one step after the other."""
    found = []
    for name in ("strict", "torch"):
        try:
            found.append(mlpxp.get_backend(name))
        except mlpxp.BackendError:
            continue
    return found


class Case:
    """One run: as the library is asked for it, and as the plain loop is."""

    def __init__(self, number, seed):
        self.draw = draw = np.random.default_rng([seed, number])
        self.k = int(draw.choice([0, 0, 0, 1, 2, 3]))  # 0 is one network that is no stack
        sizes = draw.integers(1, 6, draw.integers(2, 5)).tolist()
        output, loss = HEADS[draw.integers(len(HEADS))]
        sizes[-1] += output == "softmax"
        hidden = [str(name) for name in draw.choice(HIDDEN, len(sizes) - 2)]
        self.network = Network(sizes, hidden=hidden, output=output, loss=loss)
        self.m, self.dtype = int(draw.integers(1, 18)), str(draw.choice(["float64", "float64", "float64", "float32"]))
        self.size = None if draw.random() < 0.2 else int(draw.integers(1, draw.choice([self.m // 3, self.m]) + 3))
        self.epochs, self.seed = int(draw.integers(1, 4)), int(draw.integers(0, 1000))
        self.of = SCALARS[str(draw.choice(list(SCALARS)))]
        self.X = draw.normal(size=(sizes[0], self.m)).astype(self.dtype)
        self.Y = self._targets(sizes[-1], loss).astype(self.dtype)
        self.weights = self._weights()
        self.start = [self._member() for _ in range(max(self.k, 1))]
        self.order = self._order()
        self.dropout = tuple(draw.choice([0.0, 0.0, 0.25, 0.5], len(hidden)).tolist())
        self.clip = draw.choice([None, None, 0.05, 1.0])
        self.penalty, self.on_sum = float(draw.choice([0.0, 0.0, 0.125])), bool(draw.random() < 0.5)
        rate, self.schedule = self._rate()
        self.optimizer, self.rule = self._optimizer(rate)
        self.longest = int(draw.integers(1, 4))  # batches in a fold

    def _member(self):
        of_layers = [((n, n_in), (n, 1)) for n, n_in in self.network.shapes]
        return [tuple(0.5 * self.draw.normal(size=shape).astype(self.dtype) for shape in shapes) for shapes in of_layers]

    def _targets(self, n, loss):
        draw = self.draw
        return {
            "mse": lambda: draw.normal(size=(n, self.m)),
            "binary_cross_entropy": lambda: draw.integers(0, 2, (n, self.m)),
            "cross_entropy": lambda: np.eye(n)[:, draw.integers(0, n, self.m)],
            "poisson": lambda: draw.poisson(1.0, (n, self.m)),
        }[loss]()

    def _weights(self):
        kind = self.draw.choice(["none", "some", "zeros"])
        if kind == "none":
            return None
        weights = self.draw.integers(1, 9, self.m) / 4.0
        if kind == "zeros":
            weights *= self.draw.random(self.m) < 0.4
            weights[self.draw.integers(self.m)] = 0.5
        return weights.astype(self.dtype)

    def _order(self):
        kind, seed, m = self.draw.choice(["drawn", "drawn", "permuted", "repeated"]), int(self.draw.integers(1000)), self.m
        if kind == "drawn":
            return None
        weighty = 0 if self.weights is None else int(np.argmax(self.weights))  # one that weighs something is always visited

        def order(number):
            draw = np.random.default_rng([seed, number])
            return draw.permutation(m) if kind == "permuted" else np.append(draw.integers(0, m, m - 1), weighty)

        return order

    def _rate(self):
        """Return η as an optimizer takes it, and as a function of the epoch with one for each network."""
        draw, of, k = self.draw, self.of, max(self.k, 1)
        eta, kinds = float(draw.choice([0.01, 0.05])), ["one", "constant", "steps", "cosine", "warm-up", "own"]
        kind = str(draw.choice([*kinds, "each", "own of each"] if self.k else kinds))
        each = [eta * (1 + i) for i in range(k)]
        if kind in {"each", "own of each"}:
            factor = (lambda epoch: 1.0) if kind == "each" else (lambda epoch: 1.0 / (1.0 + epoch))
            given = [of(one) for one in each] if kind == "each" else lambda epoch: np.asarray([one * factor(epoch) for one in each])
            return given, lambda epoch: tuple(one * factor(epoch) for one in each)
        given, plain = {
            "one": (of(eta), lambda epoch: eta),
            "constant": (Constant(of(eta)), lambda epoch: eta),
            "steps": (StepDecay(of(eta), of(0.75), of(0.5)), lambda epoch: eta * 0.5 ** int(epoch / 0.75)),
            "cosine": (Cosine(of(eta), of(3.0), of(0.001)), lambda e: 0.001 + (eta - 0.001) * (1 + np.cos(np.pi * min(e / 3.0, 1.0))) / 2),
            "warm-up": (WarmUp(of(1.5), of(eta), of(0.002)), lambda epoch: eta if epoch >= 1.5 else 0.002 + (eta - 0.002) * epoch / 1.5),
            "own": (lambda epoch: of(eta) / of(1.0 + epoch), lambda epoch: eta / (1.0 + epoch)),
        }[kind]
        return given, lambda epoch: (plain(epoch),) * k

    def _optimizer(self, rate):
        draw, of = self.draw, self.of
        if draw.random() < 0.5:
            momentum = float(draw.choice([0.0, 0.5, 0.9]))
            nesterov = bool(momentum and draw.random() < 0.5)
            rule = {"kind": "descent", "momentum": momentum, "nesterov": nesterov}
            return GradientDescent(rate, momentum=of(momentum), nesterov=np.bool_(nesterov)), rule
        beta1, epsilon = float(draw.choice([0.0, 0.9])), float(draw.choice([1e-8, 1e-3]))
        rule = {"kind": "adam", "beta1": beta1, "beta2": 0.99, "epsilon": epsilon, "decay": float(draw.choice([0.0, 0.1]))}
        options = {"beta1": of(beta1), "beta2": of(0.99), "epsilon": of(epsilon), "weight_decay": of(rule["decay"])}
        return (AdamW if rule["decay"] else Adam)(rate, **options), rule

    def by_hand(self):
        """Return what the plain loop learns, and its costs."""
        asked = Asked(
            hidden=tuple(activation.name for activation in self.network.hidden), output=self.network.output.name,
            loss=self.network.loss.name, start=[[(W.astype(float), b.astype(float)) for W, b in member] for member in self.start],
            epochs=self.epochs, size=self.size, seed=self.seed, rate=self.schedule, order=self.order, rule=self.rule,
            weights=None if self.weights is None else self.weights.astype(float), dropout=self.dropout, clip=self.clip,
            penalty=self.penalty, on_sum=self.on_sum,
        )  # fmt: skip
        with np.errstate(all="ignore"):  # where it diverges
            return trained(asked, self.X.astype(float), self.Y.astype(float))

    def run(self, way, folder, library=None, **options):
        """Train by a way in, with a library's arrays if it is not NumPy."""
        put = (lambda array: array) if library is None else (lambda array: library.asarray(array, dtype=self.dtype))
        X = WAYS[way](self.X, folder)
        start = tuple(
            Layer(*[put(np.stack(leaves) if self.k else leaves[0]) for leaves in zip(*layers, strict=True)])
            for layers in zip(*self.start, strict=True)
        )
        of = self.of
        return train(
            self.network, X if isinstance(X, Rows) else put(X), put(self.Y), optimizer=self.optimizer, epochs=np.int8(self.epochs),
            batch_size=None if self.size is None else np.int64(self.size), seed=self.seed, start=start,
            weights=None if self.weights is None else put(self.weights), penalty=of(self.penalty),
            penalty_on="sum" if self.on_sum else "mean", dropout=[of(rate) for rate in self.dropout],
            clip_norm=None if self.clip is None else of(self.clip), order=self.order, **options,
        )  # fmt: skip


def check(number, seed, others, folder):
    """Make a case's runs and compare them; return what was compared.

    Raises
    ------
    AssertionError
        Two runs that should be the same are not.
    """
    case, seen = Case(number, seed), Counter(cases=1)
    fold, write = mlpxp.training.prepare.longest_fold, Checkpoints._write
    mlpxp.training.prepare.longest_fold = lambda network, examples: case.longest
    try:
        first, then = case.draw.choice(list(WAYS), 2).tolist()
        try:
            whole = case.run("array", folder)
        except mlpxp.DivergenceError:
            assert case.dtype == "float32" or not np.isfinite(case.by_hand()[1]).all(axis=0).any(), "only the library diverges"
            return seen + Counter(diverged=1)
        assert {str(leaf.dtype) for leaf in tree_leaves((whole.parameters, whole.optimizer_state))} == {case.dtype}
        if case.dtype == "float64":
            parameters, costs = case.by_hand()
            seen["plain"] += _is_close(whole, parameters, costs, case, np.asarray)
            for library in others:
                seen[library.name] += _is_close(case.run(first, folder, library), parameters, costs, case, library.to_numpy)
        seen["other way in"] += _is_equal(case.run(then, folder), whole, then)
        path = Path(folder, "run.ckpt")
        left = [int(case.draw.integers(1, 2 + case.epochs * (1 + case.m // (case.size or case.m))))]

        def cut(self, kept):
            write(self, kept)
            left[0] -= 1
            if not left[0]:
                raise CutError

        Checkpoints._write = cut
        with suppress(CutError):
            case.run(first, folder, checkpoint=path, every_seconds=np.float64(0.0))
        Checkpoints._write = write
        stands = look_at_checkpoint(path)
        seen["resumed"] += _is_equal(case.run(then, folder, checkpoint=path, resume=np.True_), whole, f"from {first} to {then}")
        seen["within an epoch"] += stands.batches > 0
    finally:
        mlpxp.training.prepare.longest_fold, Checkpoints._write = fold, write
        for file in Path(folder).glob("run.ckpt*"):
            file.unlink()
    return seen


def _is_close(result, parameters, costs, case, to_host):
    """Hold a result against the plain loop's, but for members that diverge, in both; 1 if they are the same to rounding."""
    stops, wanted = result.stop if case.k else (result.stop,), np.asarray(costs)
    got = np.reshape(result.history.cost, wanted.shape)
    for member, stop in enumerate(stops):
        finite = np.isfinite(wanted[:, member]).all()
        assert finite == (stop != Stop.DIVERGED), f"network {member} {stop}, and its costs by hand are {wanted[:, member]}"
        if not finite:
            continue
        np.testing.assert_allclose(got[:, member], wanted[:, member], rtol=CLOSE, atol=CLOSE)
        for layer, by_hand in zip(result.parameters, parameters[member], strict=True):
            for array, values in zip(layer, by_hand, strict=True):
                off = np.abs(to_host(array)[(member,) if case.k else ()] - values).max()
                assert off <= CLOSE * max(1.0, np.abs(values).max()), f"parameters of network {member} are off by {off}"
    return 1


def _is_equal(result, whole, what):
    """Compare all that a run leaves, to the bit; 1 if it is the same."""
    pairs = zip(*(tree_leaves((each.parameters, each.optimizer_state)) for each in (result, whole)), strict=True)
    assert all(one.tobytes() == other.tobytes() for one, other in pairs), f"other bits, {what}"
    assert result.history.cost == whole.history.cost, f"other costs, {what}"
    assert result.history.learning_rate == whole.history.learning_rate, f"other rates, {what}"
    return 1


def main():
    """Run the cases, and print a row of the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no case after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, default=3_000)
    asked = parser.parse_args()
    warnings.simplefilter("error")
    begun, seen, failed, others = time.perf_counter(), Counter(), [], libraries()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.first, asked.first + asked.cases):
            if time.perf_counter() - begun > asked.seconds:
                break
            try:
                seen += check(number, asked.seed, others[number % 2 :][:1], folder)  # the others in turn
            except Exception as error:
                failed.append(number)
                print(f"case {number}: {type(error).__name__}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
    n, seconds = seen.pop("cases", 0) + len(failed), time.perf_counter() - begun
    told = ", ".join(f"{name} {count:,}" for name, count in seen.items())
    print(f"| runs of training | {n:,} | {len(failed)} differ; {told} | {seconds:.0f} |")
    sys.exit(1 if failed or not n else 0)


if __name__ == "__main__":
    main()
