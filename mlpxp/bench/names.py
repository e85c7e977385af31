"""The benchmarks by name: where each is, and the question that it answers. Nothing is imported here but what a list of them needs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BENCHMARKS", "EVERYWHERE", "Benchmark"]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: where it is, and the question that it answers.

    Attributes
    ----------
    module : str
        It has ``run(plan, tell)``, which returns a Section. Imported when it is run: it may need what others don't.
    question : str
    on_gpu : bool
        Whether it has nothing to say without one; ``mlpxp bench all`` leaves it out.
    """

    module: str
    question: str
    on_gpu: bool = False


BENCHMARKS = {
    "complexity": Benchmark("mlpxp.bench.complexity", "How do backpropagation and naive differentiation grow with the network?"),
    "cost": Benchmark("mlpxp.bench.cost", "How many forward passes does a gradient cost?"),
    "devices": Benchmark("mlpxp.bench.devices", "From which size on is a GPU, or another library, faster?"),
    "peers": Benchmark("mlpxp.bench.peers", "How does training compare with PyTorch, JAX and scikit-learn?"),
    "stacks": Benchmark("mlpxp.bench.stacks", "What does it save to train many small networks as one stack?"),
    "gpu": Benchmark("mlpxp.bench.gpu", "What does training take on a GPU beside its matrix products?", on_gpu=True),
    "prediction": Benchmark("mlpxp.bench.prediction", "What do one row and a million rows cost to predict?"),
    "estimators": Benchmark("mlpxp.bench.estimators", "How do the estimators compare with scikit-learn's, in time and memory?"),
    "memory": Benchmark("mlpxp.bench.memory", "How much memory does backpropagation hold?"),
    "accuracy": Benchmark("mlpxp.bench.accuracy", "How exact are gradients, against 50 digits?"),
}

EVERYWHERE = tuple(name for name, one in BENCHMARKS.items() if not one.on_gpu)
