"""riskd watches the risk of investment portfolios, day and night."""

import os

# One thread in linear algebra: sums come out the same however many cores there are, and small products do not wait for others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
