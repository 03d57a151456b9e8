"""Probes: what can be asked of a model; tensors in, arrays out."""
