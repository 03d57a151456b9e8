"""The .aec format: what goes in comes out, at the price that entropy sets, and anything else is one sentence."""

from __future__ import annotations

import re
import struct
import tracemalloc
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import aec, entropy
from playground.events import Trouble
from playground.probes import blocks

DIGEST = "0123456789abcdef"
MODEL = (1, 8, 8)


def written(codes: np.ndarray, bits: int = 4, given: tuple[float, float] | None = None) -> bytes:
    return aec.write("compress-mnist", DIGEST, MODEL, [MODEL] * len(codes), codes, bits, given)


def drawn(count: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, (count, size)).clip(-1, 1).astype(np.float32)


def sealed(data: bytes) -> bytes:
    """Bytes with the checksum that belongs to them: what a person would write who means harm."""
    return data + struct.pack("<I", crc32(data))


def refused(data: bytes) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(Trouble) as caught:
        aec.read(data, "odd.aec").codes()
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and said.isprintable()
    return said


# Entropy coding ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(1, 12), st.sampled_from([2, 4, 16, 128, 256]))
def test_symbols_come_back(seed, count, columns, levels):
    rng = np.random.default_rng(seed)
    rows = rng.binomial(levels - 1, rng.random(columns), (count, columns)).astype(np.uint8)
    assert (entropy.uncoded(entropy.coded(rows, levels), count, columns, levels) == rows).all()


@pytest.mark.parametrize("levels", [4, 16, 256])
@pytest.mark.parametrize("kind", ["bell", "peak", "level", "one"])
@pytest.mark.slow
def test_the_length_is_near_the_entropy(levels, kind):
    """Within 1 % of the entropy of what was drawn from, beside what it takes to learn it: 3 bits for each level, 48."""
    rng, rows, columns = np.random.default_rng(1), 3000, 8
    place = np.arange(levels)
    p = {"bell": np.exp(-((place - levels / 3) ** 2) / (2 * (levels / 10) ** 2)),
         "peak": np.where(place == levels // 2, 9.0, 1 / levels), "level": np.ones(levels),
         "one": (place == 1).astype(float)}[kind]  # fmt: skip
    p = p / p.sum()
    bound = -float((p[p > 0] * np.log2(p[p > 0])).sum()) * rows * columns / 8
    length = len(entropy.coded(rng.choice(levels, (rows, columns), p=p).astype(np.uint8), levels))
    assert 0.97 * bound < length < 1.01 * bound + columns * (3 * levels + 48) / 8


def test_columns_are_told_apart():
    rng = np.random.default_rng(2)
    rows = np.stack([rng.integers(0, 4, 2000), 8 + rng.integers(0, 4, 2000)], 1).astype(np.uint8)
    assert len(entropy.coded(rows, 16)) < 1.05 * 2000 * 2 * 2 / 8 + 32


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([2, 16, 256]))
def test_any_bytes_are_symbols_or_one_sentence(data, levels):
    try:
        rows = entropy.uncoded(data, 5, 3, levels)
    except Trouble as trouble:
        assert str(trouble).endswith(".")
    else:
        assert rows.shape == (5, 3) and rows.max(initial=0) < levels


# The file ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 20), st.sampled_from(aec.BITS),
       st.sampled_from([None, (-1.0, 1.0)]), st.sampled_from([1e-6, 0.1, 1.0]))  # fmt: skip
def test_codes_come_back_within_half_a_step(seed, count, size, bits, ends, width):
    codes = width * drawn(count, size, seed)
    codes[:, 0] = codes[0, 0]  # a number that is always the same
    header = aec.read(written(codes, bits, ends))
    assert (header.bits, header.code, header.blocks, header.shape) == (bits, size, count, MODEL)
    assert (header.model, header.sizes) == ("compress-mnist", (MODEL,) * count) and DIGEST.startswith(header.digest)
    back = header.codes()
    assert back.shape == codes.shape and back.dtype == np.float32
    if bits == 32:
        assert (back == codes).all()
    else:
        even = (header.low == -header.high) & (bits > 1)  # there 0 is a level, and one fewer is left; by chance too
        step = (header.high - header.low) / (2.0**bits - 1 - even)
        assert (np.abs(back - codes) <= 0.5 * step + 1e-6 * (np.abs(codes) + width)).all()


def test_a_file_is_as_small_as_its_header_and_its_codes():
    alone, many = written(drawn(1, 32), 4, (-1.0, 1.0)), written(drawn(1000, 32), 4, (-1.0, 1.0))
    assert len(alone) <= 45 + 32 * 4 / 8
    assert len(many) < 1000 * 32 * 4 / 8  # a bell needs fewer bits than its levels
    unknown = written(drawn(1, 32), 4)
    assert len(unknown) == len(alone) + 8  # the range, as two float32


def test_each_number_has_a_range_of_its_own_where_there_are_many():
    codes = drawn(200, 4) * np.array([1, 10, 100, 1000], np.float32)
    header = aec.read(written(codes, 8))
    assert (np.abs(header.codes() - codes).max(0) < 0.02 * np.abs(codes).max(0) + 4).all()
    assert header.low.shape == (4,) and header.high[3] > 100 * header.high[0]


def test_numbers_that_say_nothing_cost_nothing():
    codes = drawn(500, 8)
    codes[:, 2:] *= 1e-3
    assert len(written(codes, 4, (-1.0, 1.0))) < len(written(codes[:, :2], 4, (-1.0, 1.0))) + 6 * 16


def test_more_than_a_file_may_hold_is_not_written():
    with pytest.raises(Trouble, match="too much"):
        aec.write("m", DIGEST, MODEL, [(3, 5000, 5000)], drawn(1, 2), 8)
    with pytest.raises(Trouble, match="no number"):
        written(np.array([[np.nan]], np.float32))
    with pytest.raises(Trouble, match="32 bits"):
        written(drawn(1, 2), 12)


# What is no such file ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"P", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0JFIF", bytes(500)])
def test_a_foreign_file(data):
    assert refused(data) == "odd.aec is not a file of compressed codes (.aec)."


def test_every_cut_is_noticed():
    data = written(drawn(3, 5))
    for length in range(len(aec.MAGIC), len(data)):
        assert "odd.aec" in refused(data[:length])


def test_every_damaged_bit_is_noticed():
    data = written(drawn(3, 5))
    for place in range(8 * len(data)):
        spoilt = bytearray(data)
        spoilt[place // 8] ^= 1 << place % 8
        refused(bytes(spoilt))


def test_another_version_is_named():
    data = written(drawn(3, 5))
    assert "version 2" in refused(data[:4] + b"\x02" + data[5:])


@settings(max_examples=300, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_files_that_mean_harm_are_read_or_refused_in_a_sentence(data):
    """Any bytes changed, put in or taken out, and the checksum made to fit."""
    bits = data.draw(st.sampled_from(aec.BITS))
    body = bytearray(written(drawn(data.draw(st.sampled_from([2, 40])), 3), bits)[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(5, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        header = aec.read(sealed(bytes(body)), "odd.aec")
        if header.blocks * header.code < 10_000:  # what is declared in good form is made room for
            codes = header.codes()
            assert codes.shape == (header.blocks, header.code)
    except Trouble as trouble:
        said = str(trouble)
        assert re.fullmatch(r"[^\n]+\.", said) and said.isprintable()


@pytest.mark.parametrize("sizes", [[(1, 1, 2**31 - 1, 2**31 - 1)], [(2**31 - 1, 1, 8, 8)], [(99_999, 3, 500, 500)],
                                   [(50_000, 1, 1, 1), (50_000, 1, 1, 1), (1, 1, 1, 1)]])  # fmt: skip
@pytest.mark.parametrize("code", [3, 2**24, 2**31 - 1])
def test_huge_sizes_take_no_room(sizes, code):
    whole = aec.whole
    body = b"".join([aec.MAGIC, bytes([aec.VERSION, 8, 0]), bytes(4), whole(1), b"m", whole(code),
                     *map(whole, MODEL), whole(len(sizes)), *(b"".join(map(whole, run)) for run in sizes),
                     b"\0", bytes(100)])  # fmt: skip
    tracemalloc.start()
    try:
        refused(sealed(body))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# Blocks --------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]),
       st.integers(2, 16), st.integers(2, 16))  # fmt: skip
def test_blocks_come_together_as_the_picture(channels, height, width, deep, tall, wide):
    image = np.random.default_rng(0).integers(0, 256, (channels, height, width), dtype=np.uint8)
    pieces = blocks.cut(image, (deep, tall, wide))
    assert pieces.shape == (aec.blocks(image.shape, (deep, tall, wide)), deep, tall, wide)
    back = blocks.joined(pieces.astype(np.float32) / 255, image.shape)
    assert back.shape == image.shape and back.dtype == np.uint8
    if height >= tall and width >= wide:
        assert np.abs(back.astype(int) - image).max() <= (deep > channels)  # grey through colour may round by one
