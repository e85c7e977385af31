"""The story of the perceptron and of hidden layers as values: computed here, drawn in mlpxp.plotting."""
