"""How often does gradient descent solve XOR (P2, P3)? 1,000 networks of each width, trained together as one stack."""

import time

import numpy as np

from mlpxp import Adam, Network, initialize, predict, train

X = np.asarray([[0, 0, 1, 1], [0, 1, 0, 1]], dtype="float32")
Y = np.asarray([[0, 1, 1, 0]], dtype="float32")

print("network  solved      most right  seconds")
for sizes in ((2, 1), (2, 2, 1), (2, 3, 1), (2, 4, 1), (2, 8, 1)):
    network = Network(sizes, hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    start = initialize(network, seed=range(1000))
    began = time.perf_counter()
    result = train(network, X, Y, optimizer=Adam(0.1), epochs=500, start=start)
    seconds = time.perf_counter() - began
    right = np.sum((predict(network, result.parameters, X) > 0.5) == (Y > 0.5), axis=(-2, -1))
    name = "-".join(map(str, sizes))
    print(f"{name:8} {np.mean(right == 4):6.1%}      {np.max(right)} of 4      {seconds:.1f}")
