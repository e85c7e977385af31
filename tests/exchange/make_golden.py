"""Make the files in ``tests/exchange/golden``, once for each version of the format: ``python tests/exchange/make_golden.py``.

Those that are there stay: they show that old files load. Beside each file there is what it has to answer.
"""

import json
import warnings
from pathlib import Path

import numpy as np

from mlpxp import MLPClassifier, MLPRegressor, load, save
from mlpxp.files import FORMAT_VERSION

GOLDEN = Path(__file__).parent / "golden"


def make(name, estimator, X, y):
    """Write an estimator that has been fitted twice over, and what it answers before and after one epoch more."""
    path = GOLDEN / f"{name}-{FORMAT_VERSION}.safetensors"
    if path.exists():
        raise SystemExit(f"{path} is there already, and has to stay as it is")
    save(path, estimator.fit(X, y).partial_fit(X, y))
    again = load(path)
    wanted = {
        "X": X.tolist(),
        "y": y.tolist(),
        "answers": (again.predict_proba if name == "classifier" else again.predict)(X).tolist(),
        "labels": again.predict(X).tolist(),
        "parameters": {key: again.get_params()[key] for key in ("alpha", "solver", "n_networks", "random_state")},
        "coefs after": again.partial_fit(X, y).coefs_[0].tolist(),
    }
    path.with_suffix(".json").write_text(json.dumps(wanted) + "\n", encoding="utf-8")


def main():
    """Make a classifier with labels of text, and an ensemble of regressors with a velocity."""
    GOLDEN.mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    X = np.round(draw.standard_normal((12, 3)), 3)
    y = np.asarray(["no", "yes", "maybe é"])[np.arange(12) % 3]
    warnings.simplefilter("ignore")
    make("classifier", MLPClassifier((4, 3), activation=["gelu", "tanh"], max_iter=5, random_state=0, alpha=0.01), X, y)
    numbers = np.round(X @ np.asarray([1.0, -2.0, 0.5]), 3)
    options = {"hidden_layer_sizes": (4,), "solver": "sgd", "max_iter": 5, "random_state": 1, "n_networks": 2}
    make("regressor", MLPRegressor(**options, n_iter_no_change=np.inf), X, numbers)


if __name__ == "__main__":
    main()
