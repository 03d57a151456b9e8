"""Autoencoder Playground: choose an autoencoder, train it live, and look inside."""

__version__ = "0.1.0"
