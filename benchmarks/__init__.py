"""Benchmarks: the speed table of the README, each figure from one run on one machine."""
