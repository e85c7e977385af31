"""The page of equations: a network, its forward pass, its cost and the delta recursion, in the letters of the textbook.

::

    propagation.py   THE HEART: forward, backward and cost (F1-F3, B1-B4), nothing else
    network.py       Layer, Network, initial parameters, stacks
    activations.py   σ and its derivative, as values
    losses.py        the losses, and which output each goes with
    optimizers.py    gradient descent, Adam and the schedules of η
    transforms.py    what is added to a cost, and done to its gradients before the optimizer has them
    dropout.py       the masks
    functional.py    the heart behind a door that checks what comes in
    shapes.py        the checks of shapes and dtypes
    prediction.py    the last layer only, for many rows
    evaluation.py    cost and score, a batch at a time
    resolution.py    costs in float64 where float32 doesn't show a difference
    model.py         a network with its parameters, as one value
"""
