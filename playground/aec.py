"""The file format .aec: codes of pictures, quantised and entropy coded, with what it takes to decode them again.

All numbers are little-endian; "v" is a whole number in groups of seven bits, the lowest first, as in LEB128.

    89 41 45 43   magic, then one byte each: version, bits of a number, packing
    4 bytes       the decoder: the beginning of the digest of its weights
    v, text       the decoder's name
    v             numbers in a code
    v v v         channels, height and width of the decoder's own images
    v, (v v v v)  runs of pictures of one size: how many, channels, height, width
    1 byte, ...   range that the numbers are quantised in, see RANGES; none where they are float32
    ...           the codes, one row for each block of each picture
    4 bytes       CRC-32 of all before
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from zlib import crc32

import numpy as np

from playground import entropy
from playground.events import Trouble

MAGIC, VERSION = b"\x89AEC", 1
BITS = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32)  # of each number of a code; 32: float32 as it is
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
RAW, ENTROPY = 0, 1  # packings
GIVEN = {(-1.0, 1.0): 0, (0.0, 1.0): 1}  # ranges of codes that end in tanh or in a sigmoid
WHOLE, EACH = 2, 3  # one range for all numbers; one for each, as two bytes within that of all
RANGES = (*GIVEN.values(), WHOLE, EACH)
MANY = 32  # codes in a file from which ranges for each number pay
DIGITS = 8  # hexadecimal, of the digest
MOST_PIXELS, MOST_NUMBERS, MOST_PICTURES = 50_000_000, 1 << 24, 100_000
DAMAGED = "{} is damaged or cut off."

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Header:
    """What a file says of itself. model, digest: the decoder's name and the beginning of its weights' digest.

    code: numbers in a code. shape: (c, h, w) of the decoder's images. sizes: (c, h, w) of each picture. low, high:
    the ends of the range that each number is quantised in, float32 (1,) or (code,). payload: the packed codes.
    """

    name: str
    model: str
    digest: str
    bits: int
    code: int
    shape: Size
    sizes: tuple[Size, ...]
    low: np.ndarray
    high: np.ndarray
    packing: int
    payload: bytes

    @property
    def blocks(self) -> int:
        """How many codes there are."""
        return sum(count * blocks(size, self.shape) for size, count in _runs(self.sizes))

    def codes(self) -> np.ndarray:
        """The codes as they were quantised, float32 (blocks, code); Trouble where they cannot be unpacked."""
        columns, levels = self.code * _planes(self.bits), _levels(self.bits)
        if self.packing == ENTROPY:
            symbols = entropy.uncoded(self.payload, self.blocks, columns, levels)
        else:
            symbols = _unpacked(self.payload, self.blocks, columns, levels, self.name)
        return _numbers(symbols, self.bits, self.low, self.high)


def blocks(size: Size, shape: Size) -> int:
    """How many codes a picture (c, h, w) takes: blocks of the decoder's shape that do not overlap, in each plane."""
    planes = size[0] if shape[0] == 1 else 1
    return planes * -(-size[1] // shape[1]) * -(-size[2] // shape[2])


def write(model: str, digest: str, shape: Size, sizes: Sequence[Size], codes: np.ndarray, bits: int,
          given: tuple[float, float] | None = None) -> bytes:
    """A file of codes float32 (blocks, code). given: the range that the decoder's codes cannot leave, if there is one.

    Trouble where they are more than a file may hold, or hold what is no number.
    """
    check(sizes, codes.shape[1], shape)
    if bits not in BITS:
        raise Trouble(f"A number of a code has {', '.join(map(str, BITS[:-1]))} or {BITS[-1]} bits.")
    if not np.isfinite(codes).all():
        raise Trouble("These codes hold what is no number, so they cannot be written.")
    told, low, high = _range(codes, bits, given)
    symbols, levels = _symbols(codes, bits, low, high), _levels(bits)
    packings = {RAW: _packed(symbols, levels), ENTROPY: entropy.coded(symbols, levels)}
    packing = min(packings, key=lambda one: len(packings[one]))
    title, runs = model.encode("ascii"), _runs(sizes)
    parts = [
        MAGIC, bytes([VERSION, bits, packing]), bytes.fromhex(digest[:DIGITS]), whole(len(title)), title,
        *map(whole, (codes.shape[1], *shape, len(runs))),
        *(b"".join(map(whole, (count, *size))) for size, count in runs), told, packings[packing],
    ]  # fmt: skip
    data = b"".join(parts)
    return data + struct.pack("<I", crc32(data))


def read(data: bytes, name: str = "This file") -> Header:
    """What a file says, its codes not unpacked yet; Trouble in one sentence, naming it, for what is no such file."""
    if not data.startswith(MAGIC):
        raise Trouble(f"{name} is not a file of compressed codes (.aec).")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != VERSION:
        raise Trouble(f"{name} is of version {data[len(MAGIC)]} of its format, and this playground reads version "
                      f"{VERSION}: it was written by another one, or is damaged.")
    if len(data) < len(MAGIC) + 4 or struct.pack("<I", crc32(data[:-4])) != data[-4:]:
        raise Trouble(DAMAGED.format(name))
    reader = _Reader(data[:-4], name)
    reader.take(len(MAGIC) + 1)
    bits, packing = reader.take(2)
    digest = reader.take(DIGITS // 2).hex()
    model = reader.take(reader.whole()).decode("ascii", "replace")
    code, shape, sizes = reader.whole(), reader.size(), list[Size]()
    for _ in range(reader.whole()):
        count, size = reader.whole(), reader.size()
        if len(sizes) + count > MOST_PICTURES:
            raise Trouble(f"{name} says that it holds more than {MOST_PICTURES:,} pictures, which is too many.")
        sizes += count * [size]
    known = bits in BITS and packing in (RAW, ENTROPY) and NAME.fullmatch(model)
    if not known or not 0 < code <= MOST_NUMBERS or not sizes:
        raise Trouble(DAMAGED.format(name))
    check(sizes, code, shape, name)
    low, high = reader.range(code) if bits < 32 else (np.zeros(1, np.float32),) * 2
    return Header(name, model, digest, bits, code, shape, tuple(sizes), low, high, packing, reader.rest())


def check(sizes: Sequence[Size], code: int, shape: Size, name: str = "This file") -> None:
    """Trouble where there is more than a file may hold: said before anything is made room for."""
    runs = _runs(sizes)
    pixels = sum(count * size[0] * size[1] * size[2] for size, count in runs)
    numbers = code * sum(count * blocks(size, shape) for size, count in runs)
    if len(sizes) > MOST_PICTURES or pixels > MOST_PIXELS or numbers > MOST_NUMBERS:
        raise Trouble(f"{name} would hold more than {MOST_PICTURES:,} pictures, {MOST_PIXELS // 10**6} million pixel "
                      f"values or {MOST_NUMBERS // 2**20} million numbers, which is too much for one file.")


def _runs(sizes: Sequence[Size]) -> list[tuple[Size, int]]:
    return [(size, len(list(same))) for size, same in groupby(sizes)]


# Numbers and symbols -------------------------------------------------------------------------------------------------


def _levels(bits: int) -> int:
    """Symbols of the alphabet: numbers of more than 8 bits are made of bytes."""
    return min(1 << bits, entropy.MOST_LEVELS)


def _planes(bits: int) -> int:
    return max(1, bits // 8)


def _range(codes: np.ndarray, bits: int, given: tuple[float, float] | None) -> tuple[bytes, np.ndarray, np.ndarray]:
    """The range as it is written, and the ends (1,) or (code,) that a reader will find."""
    if bits == 32:
        return b"", *(np.zeros(1, np.float32),) * 2
    if given in GIVEN:
        return bytes([GIVEN[given]]), *_ends(*given)
    least, most = float(codes.min()), float(codes.max())
    whole = struct.pack("<ff", least, most)
    if len(codes) < MANY:
        return bytes([WHOLE]) + whole, *_ends(least, most)
    first, last = (255 * ((ends.astype(np.float64) - least) / (most - least or 1.0))
                   for ends in (codes.min(0), codes.max(0)))
    low, high = np.floor(first).astype(np.uint8), np.ceil(last).clip(0, 255).astype(np.uint8)
    return bytes([EACH]) + whole + low.tobytes() + high.tobytes(), *_within(least, most, low, high)


def _ends(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([low], np.float32), np.array([high], np.float32)


def _within(low: float, high: float, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes that count 255ths of a range, as its values."""
    return tuple((low + (high - low) * (one / 255.0)).astype(np.float32) for one in (first, last))  # type: ignore[return-value]


def _top(bits: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The highest level, the lowest being 0. Where a range is as wide below 0 as above, 0 itself is a level: a number
    that says nothing then always has the same symbol, which costs nothing."""
    return (1 << bits) - 1.0 - (low == -high) * (bits > 1)


def _symbols(codes: np.ndarray, bits: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Codes as symbols uint8 (blocks, code · planes), a number's highest byte first."""
    if bits == 32:
        return np.ascontiguousarray(codes, ">f4").view(np.uint8)
    top = _top(bits, low, high)
    width = high.astype(np.float64) - low
    share = np.divide(codes - low.astype(np.float64), width, out=np.zeros(codes.shape), where=width > 0)
    levels = np.round(share.clip(0, 1) * top)
    return levels.astype(np.uint8) if bits <= 8 else levels.astype(">u2").view(np.uint8)


def _numbers(symbols: np.ndarray, bits: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The way back, float32 (blocks, code)."""
    if bits == 32:
        return symbols.view(">f4").astype(np.float32)
    levels = symbols if bits <= 8 else symbols.view(">u2")
    width = high.astype(np.float64) - low
    return (low + width * (levels / _top(bits, low, high))).astype(np.float32)


def _packed(symbols: np.ndarray, levels: int) -> bytes:
    """Symbols side by side, each in as many bits as it needs."""
    bits = levels.bit_length() - 1
    planes = np.unpackbits(symbols.reshape(-1, 1), axis=1)[:, 8 - bits :]
    return np.packbits(planes).tobytes()


def _unpacked(data: bytes, count: int, columns: int, levels: int, name: str) -> np.ndarray:
    bits = levels.bit_length() - 1
    if len(data) != -(-count * columns * bits // 8):
        raise Trouble(DAMAGED.format(name))
    planes = np.zeros((count * columns, 8), np.uint8)
    planes[:, 8 - bits :] = np.unpackbits(np.frombuffer(data, np.uint8), count=count * columns * bits).reshape(-1, bits)
    return np.packbits(planes, axis=1).reshape(count, columns)


# Bytes ---------------------------------------------------------------------------------------------------------------


def whole(number: int) -> bytes:
    """A whole number in groups of seven bits, the lowest first."""
    groups = [number & 127]
    while number := number >> 7:
        groups[-1] |= 128
        groups.append(number & 127)
    return bytes(groups)


class _Reader:
    """Bytes one after another; Trouble where there are too few, or where they cannot be what they should."""

    def __init__(self, data: bytes, name: str):
        self._data, self._at, self._name = data, 0, name

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise Trouble(DAMAGED.format(self._name))
        self._at += count
        return self._data[self._at - count : self._at]

    def whole(self) -> int:
        number = 0
        for place in range(0, 35, 7):
            byte = self.take(1)[0]
            number |= (byte & 127) << place
            if byte < 128:
                return number
        raise Trouble(DAMAGED.format(self._name))

    def size(self) -> Size:
        channels, height, width = self.whole(), self.whole(), self.whole()
        if channels not in (1, 3) or not height or not width:
            raise Trouble(DAMAGED.format(self._name))
        return channels, height, width

    def range(self, code: int) -> tuple[np.ndarray, np.ndarray]:
        kind = self.take(1)[0]
        for ends, number in GIVEN.items():
            if kind == number:
                return _ends(*ends)
        low, high = struct.unpack("<ff", self.take(8))
        if kind not in RANGES or not np.isfinite(high - low) or low > high:
            raise Trouble(DAMAGED.format(self._name))
        if kind == WHOLE:
            return _ends(low, high)
        first, last = (np.frombuffer(self.take(code), np.uint8) for _ in range(2))
        if (first > last).any():
            raise Trouble(DAMAGED.format(self._name))
        return _within(low, high, first, last)

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)
