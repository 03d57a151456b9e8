"""Autoencoder Playground: choose an autoencoder, train it live, and look inside."""

import os

__version__ = "0.1.0"

# OpenMP reads this when torch is loaded, so it stands before anything that loads it. Its threads wait for each other at
# some forty barriers a step. By default they spin there for up to 3 ms: where a browser, a page or another program
# wants a core meanwhile, steps took twenty times as long. A thousand turns (10 µs) bridge the gaps within a step.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# Likewise numpy's OpenBLAS, which only ever gets small products here: with two threads on two cores its threads hand
# each other 10,000 × 32 numbers for 220 ms; one thread alone takes 2 ms.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
