"""What the parameters and the attributes mean that both estimators have, said once, and put into the docstring of each."""

from __future__ import annotations

import re
from inspect import cleandoc, signature
from typing import TypeVar

__all__ = ["documented"]

Kind = TypeVar("Kind", bound=type)

_PARAMETERS = """
hidden_layer_sizes : int or sequence of int, default (100,)
    Units of each hidden layer; ``()`` is none.
activation : str, Activation, or a sequence of them, default "relu"
    Of all hidden layers, or one each: a key of :data:`mlpxp.ACTIVATIONS`, scikit-learn's ``"logistic"`` for the sigmoid, or your own.
solver : {"sgd", "adam", "adamw", "lbfgs"}, default "adam"
    Gradient descent with momentum, Adam, Adam with decoupled weight decay, or scipy's L-BFGS on all examples at once.
alpha : float, default 0.0001
    The L2 penalty ½α Σ_l ‖W_l‖² on the sum of the losses: a batch's mean loss has α divided by what the batch weighs.
batch_size : int or "auto", default "auto"
    Examples in an update; ``"auto"`` is min(200, m).
learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, Schedule, or sequence of float, default "constant"
    η from epoch to epoch. ``"invscaling"`` (η_0/(t + 1)^power_t with the t examples seen) and ``"adaptive"`` (a fifth, each time
    that training would stop) are for sgd, as in scikit-learn. ``"cosine"`` falls along half a cosine over ``max_iter``. A sequence has
    one rate for each of the ``max_iter`` epochs.
learning_rate_init : float, default 0.001
    η_0.
power_t : float, default 0.5
    See ``learning_rate``.
max_iter : int, default 200
    The most epochs, or iterations of L-BFGS.
shuffle : bool, default True
    Whether the examples are visited in another order in each epoch.
random_state : int, RandomState or None, default None
    Decides the initial weights, the validation split, the batches and the dropout; drawn in scikit-learn's order, so that an equal
    one gives scikit-learn's weights.
tol : float, default 1e-4
    What counts as an improvement of the loss, or of the validation score.
verbose : bool or int, default False
    Print the loss of each epoch.
warm_start : bool, default False
    Whether ``fit`` begins with the weights that it ended with before. The optimizer begins anew, and the curves go on.
momentum, nesterovs_momentum : float in [0, 1], default 0.9, and bool, default True
    Of sgd.
early_stopping : bool, default False
    Set ``validation_fraction`` of the data aside (or take ``X_val`` and ``y_val``), stop when its score no longer improves, and keep
    the weights of the best epoch. With ``warm_start`` that is the best of all fits: if none beats the earlier ones, the last is kept,
    so that many short fits get on. Not for lbfgs.
validation_fraction : float in [0, 1), default 0.1
    See ``early_stopping``.
beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
    Of Adam.
n_iter_no_change : int or inf, default 10
    Stop after more than this many epochs in a row without an improvement.
max_fun : int, default 15000
    The most evaluations of L-BFGS.
backend : str or Backend, default "auto"
    The array library to compute in; ``"auto"`` is that of X, NumPy for everything else.
device : str, Device or the library's own device object, optional
    Where to compute, ``"cuda:0"``; where X is by default.
dtype : {"float32", "float64"}, optional
    What to compute in; X's dtype by default, float64 where X is no float.
dropout : float or sequence of float, default 0
    The probability in [0, 1) with which a hidden unit is left out of an update; one for all hidden layers or one each.
weight_decay : float, default 0.01
    λ of adamw: W ← W - ηλW before the update. Any other than the default or 0 is refused for another solver.
clip_norm : float, optional
    A gradient longer than this, over all layers, is shortened to it.
warm_up : float, default 0
    Epochs over which η rises from a hundredth of η_0.
restore_best : bool, optional
    Whether to end with the weights of the epoch that was best by what is watched, or without validation data by the training loss; by
    default with ``early_stopping``. ``partial_fit`` keeps its one epoch.
callbacks : sequence of callable, default ()
    Each is called with an :class:`mlpxp.Epoch` after each epoch; ``True`` stops.
progress : bool, default False
    Show a progress bar (it needs rich).
max_seconds : float, optional
    Stop after this time.
n_networks : int, default 1
    How many differently initialised networks to train at once, as one stack on the same batches, and to average.
"""

_ATTRIBUTES = """
coefs_, intercepts_ : list of array (n_in, n_out) and (n_out,)
    The weights and the biases, in the library and on the device of the X that was fitted; of an ensemble with a leading axis.
loss_, best_loss_ : float
    The last and the lowest training loss; ``best_loss_`` is ``None`` with early stopping.
loss_curve_ : list of float
    The mean loss of each epoch's batches, each as it was before its update, with the penalty, since the first ``fit`` or the last by
    L-BFGS, which has no epochs and no curves. Sample weights weigh the batches, too (scikit-learn counts their examples).
validation_loss_curve_, validation_scores_ : list of float, or None
    After each epoch, where there are validation data; NaN for earlier or later epochs without.
best_validation_score_ : float or None
    The highest of them.
stop_ : Stop, or tuple of Stop for an ensemble
    Why the last fit stopped.
learning_rate_curve_ : list of float
    η of each epoch's first update. Not for L-BFGS.
n_iter_, t_ : int
    Epochs of the last fit, and examples seen in all.
n_layers_, n_outputs_, out_activation_ : int, int, str
    Layers with the input, units of the last one, and its activation.
n_features_in_, feature_names_in_ : int, and ndarray of str
    The features of X, with their names if it had any.
estimators_ : list of {kind}
    The members of an ensemble.
"""


def documented(kind: Kind) -> Kind:
    """Complete the docstring of an estimator, which has the parameters and the attributes that are its own, or that it says otherwise.

    The parameters come in the constructor's order, and its own attributes before those that both have.
    """
    if kind.__doc__ is None:  # python -OO
        return kind
    whole = re.fullmatch(r"(.*)\nParameters\n-+\n(.*)\nAttributes\n-+\n(.*)\n(Examples\n.*)", cleandoc(kind.__doc__), flags=re.DOTALL)
    assert whole is not None
    summary, parameters, attributes, examples = whole.groups()
    order = list(signature(kind).parameters)
    all_parameters = _entries(_PARAMETERS) | _entries(parameters)
    of_both, own = _entries(_ATTRIBUTES.replace("{kind}", kind.__name__)), _entries(attributes)
    alone = {names: entry for names, entry in own.items() if names not in of_both}
    in_order = sorted(all_parameters, key=lambda names: order.index(names.partition(",")[0]))
    kind.__doc__ = "\n".join(
        [
            summary,
            *("Parameters", "----------", *(all_parameters[names] for names in in_order), ""),
            *("Attributes", "----------", *(alone | of_both | own).values(), ""),
            examples,
        ]
    )
    return kind


def _entries(text: str) -> dict[str, str]:
    """Return the entries of a section by what they are of."""
    return {entry.partition(" : ")[0]: entry for entry in re.split(r"\n(?=\S)", text.strip())}
