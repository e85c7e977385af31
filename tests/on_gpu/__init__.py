"""The tests of the backends on a machine with a CUDA GPU: ``make test-gpu``, and its rehearsal on a card that is pretended to be there."""
