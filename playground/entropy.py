"""Entropy coding: rows of small whole numbers in about as few bytes as their own statistics allow, and back, exactly.

The probabilities are learnt while coding, from the rows before, so that no table of them has to be sent. Everything
that decides them is a whole number or one correctly rounded operation on such, so every machine finds the same. The
range coder itself is constriction's (R. Bamler, 2022).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.events import Trouble

MOST_LEVELS = 256
WORD = np.dtype(">u4")  # big-endian, so that what the last word does not need stands at the end
OWN, SHARED, UNIFORM = 4.0, 16.0, 16.0  # rows that the guesses weigh as much as; OWN: times the root of the levels
REACH = 8  # a symbol makes those near it likelier too, up to so many parts of the alphabet away


class Statistics:
    """How likely each of `levels` symbols is in each of `columns`, from the rows seen so far.

    What was counted leans on a smoothed version of itself, as symbols are levels of a quantity; this on that of all
    columns together; and this on all symbols being equally likely. The more rows, the less anything but the counts has
    a say.
    """

    def __init__(self, columns: int, levels: int):
        reach = levels // REACH
        self._kernel = reach + 1 - np.abs(np.arange(-reach, reach + 1))
        self._near = np.arange(2 * reach + 1)
        self._column = np.arange(columns)
        self._inside = slice(reach, reach + levels)
        self._counts = np.zeros((columns, levels), np.int64)
        self._smooth = np.zeros((columns, levels + 2 * reach), np.int64)
        self._rows = 0

    def weights(self) -> np.ndarray:
        """What the probabilities of the next row's symbols are proportional to: float64 (columns, levels), positive."""
        columns, levels = self._counts.shape
        smooth = self._smooth[:, self._inside]
        shared = smooth.sum(0) / self._kernel.sum()
        shared = (shared + UNIFORM / levels) / (self._rows * columns + UNIFORM)
        guess = (smooth / self._kernel.sum() + SHARED * shared) / (self._rows + SHARED)
        return self._counts + OWN * levels**0.5 * guess

    def see(self, row: np.ndarray) -> None:
        """Count one more row, (columns,) of symbols."""
        self._counts[self._column, row] += 1
        self._smooth[self._column[:, None], row[:, None] + self._near] += self._kernel
        self._rows += 1


def coded(rows: np.ndarray, levels: int) -> bytes:
    """Rows (n, columns) of whole numbers 0 ... levels - 1 as bytes."""
    from constriction import stream

    encoder, known, model = stream.queue.RangeEncoder(), Statistics(rows.shape[1], levels), _model()
    for row in rows.astype(np.int32):
        encoder.encode(row, model, known.weights())
        known.see(row)
    return encoder.get_compressed().astype(WORD).tobytes().rstrip(b"\0")


def uncoded(data: bytes, count: int, columns: int, levels: int) -> np.ndarray:
    """The way back: (count, columns) uint8; Trouble where the bytes are no such rows."""
    from constriction import stream

    words = np.frombuffer(data + b"\0" * (-len(data) % WORD.itemsize), WORD).astype(np.uint32)
    decoder, known, model = stream.queue.RangeDecoder(words), Statistics(columns, levels), _model()
    rows = np.zeros((count, columns), np.uint8)
    for i in range(count):
        try:
            row = decoder.decode(model, known.weights())
        except Exception:  # what it raises on bytes that it never wrote is not promised
            raise Trouble("What the codes were packed into is damaged.") from None
        known.see(row)
        rows[i] = row
    return rows


def _model() -> Any:
    """Any probabilities. They are handed over in double precision: on single, constriction 0.5 may break off."""
    from constriction import stream

    return stream.model.Categorical(perfect=False)
