"""The evidence: what the claims cost, counted and measured. ``mlpxp bench`` runs it, ``benchmarks/`` has it under pytest-benchmark."""
