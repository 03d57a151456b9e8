"""Mutants: pictures, zips, links, checkpoints and .aec files like those that people bring, hurt by chance or by intent.

A mutant is a function of its kind, its number and a seed, so that whatever went wrong can be made again.
"""

from __future__ import annotations

import io
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlencode

import numpy as np
from PIL import Image

from playground import aec
from playground.experiment import PARTS
from playground.knobs import knobs
from playground.lessons import lessons

TIFFS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
ODD = (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
SIDES = ((65535, 65535), (50_000, 1000), (7000, 7000), (65535, 1), (0, 9), (2**31 - 1, 2**31 - 1),
         (3, 65535), (900, 800), (1, 1), (9, 0))
WORDS = ("", "NaN", "inf", "-inf", "1e309", "-1", "0", "9" * 400, "0x10", "1_000", "٣", "½", "true", "null", "None",
         "%", "\0", "../../etc/passwd", "..\\..\\x", "<script>alert(1)</script>", "{}", "[1]", "__class__", "a" * 9000,
         "\U0001f4a5", "1;rm", "${HOME}", "1e-400", "4096", "10000", "256", "2147483647", "3.5", "-0.0")  # fmt: skip
PATHS = ("../up.png", "a/../../up.png", "/root.png", "..\\up.png", "C:\\up.png", "C:up.png", "//host/up.png",
         "~/up.png", "a" * 5000 + ".png", "index.json", "00000.png", "00000.mask.png", "a\0b.png", "CON.png",
         ".hidden.png", "a//b.png", "__MACOSX/x.png", "\u202egnp.x", "masks/../../x.png", "./x.png", "..",
         "x.png/../y_mask.png", "dir/", "mask.png", "_mask.png", "images/.png", "masks/.png",
         "aux_mask.png", "\ud83d\ude00.png")  # fmt: skip


# Bytes ---------------------------------------------------------------------------------------------------------------


def bent(data: bytes, by: Random, most: int = 8) -> bytes:
    """Bytes with some of them changed, lost, doubled, moved or put in."""
    out = bytearray(data)
    for _ in range(by.randint(1, most)):
        at, long = by.randrange(len(out) + 1), by.choice((1, 2, 4, 16, 64, 500))
        match by.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << by.randrange(8)
            case 1 if at < len(out):
                out[at] = by.choice((0, 255, 127, 128, by.randrange(256)))
            case 2:
                out[at : at + 4] = struct.pack(by.choice(("<I", ">I")), by.choice(ODD))
            case 3:
                out[at : at + 2] = struct.pack(by.choice(("<H", ">H")), by.choice(ODD) & 0xFFFF)
            case 4:
                del out[at : at + long]
            case 5:
                out[at:at] = out[at : at + long] * by.choice((1, 1, 1, 200))
            case 6:
                out[at:at] = by.choice((bytes(long), b"\xff" * long, by.randbytes(long)))
            case 7 if by.random() < 0.3:
                del out[at:]
    return bytes(out)


# Pictures ------------------------------------------------------------------------------------------------------------


@cache
def pictures() -> tuple[bytes, ...]:
    """One of each way to write a picture."""
    draw = np.random.default_rng(0)
    colour = Image.fromarray((draw.random((17, 23, 3)) * 255).astype(np.uint8)).resize((46, 34))
    grey, clear = colour.convert("L"), colour.convert("RGBA")
    clear.putalpha(grey)
    wide = Image.fromarray((draw.random((9, 11)) * 65535).astype(np.uint16))
    real = Image.fromarray(draw.random((9, 11)).astype(np.float32))
    turned = Image.Exif()
    turned[0x0112], turned[0x010E] = 6, "a picture"
    more: dict[str, Any] = {"save_all": True, "append_images": [colour.rotate(90), colour]}
    ways: list[tuple[Image.Image, str, dict[str, Any]]] = [
        *((one, "PNG", {}) for one in (colour, grey, clear, colour.convert("P"), grey.convert("1"), wide,
                                       grey.convert("LA"))),
        (colour.convert("P"), "PNG", {"transparency": 3}),
        (colour, "JPEG", {"exif": turned, "progressive": True}), (grey, "JPEG", {}),
        (colour.convert("CMYK"), "JPEG", {}), (colour, "WEBP", {"exif": turned}),
        (clear, "WEBP", {"lossless": True}), (colour, "WEBP", more),
        (colour, "GIF", {}), (colour.convert("P"), "GIF", {**more, "transparency": 3}),
        (colour, "BMP", {}), (colour.convert("P"), "BMP", {}), (grey.convert("1"), "BMP", {}),
        *((colour, "TIFF", {"compression": how}) for how in TIFFS),
        (grey.convert("1"), "TIFF", {"compression": "group4"}), (real, "TIFF", {}), (wide, "TIFF", {}),
        (colour.convert("LAB"), "TIFF", {}), (colour, "TIFF", more), (colour, "PNG", more),
    ]  # fmt: skip
    return tuple(_written(*way) for way in ways)


def _written(picture: Image.Image, kind: str, settings: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def picture(by: Random) -> bytes:
    """A picture that is hurt, claims to be huge, carries far too much, or begins as one and ends as another."""
    data = by.choice(pictures())
    match by.randrange(10):
        case 0:
            data = _widened(data, by)
        case 1:
            other = by.choice(pictures())
            data = data[: by.randrange(len(data))] + other[by.randrange(len(other)) :]
        case 2 if data.startswith(b"\x89PNG"):
            data = _stuffed(data, by)
        case _:
            data = bent(data, by)
    return _summed(data) if data.startswith(b"\x89PNG") and by.random() < 0.7 else data


def _widened(data: bytes, by: Random) -> bytes:
    """The picture with other sides in its header."""
    w, h = by.choice(SIDES)
    out = bytearray(data)
    if data[:4] == b"\x89PNG":
        struct.pack_into(">II", out, 16, w, h)
    elif data[:4] == b"GIF8":
        struct.pack_into("<HH", out, 6, w & 0xFFFF, h & 0xFFFF)
    elif data[:2] == b"BM":
        struct.pack_into("<II", out, 18, w, h)
    elif data[8:16] == b"WEBPVP8X":
        out[24:30] = (w & 0xFFFFFF).to_bytes(3, "little") + (h & 0xFFFFFF).to_bytes(3, "little")
    elif data[:2] == b"\xff\xd8" and (frame := re.search(rb"\xff[\xc0\xc2]..\x08", data, re.DOTALL)):
        struct.pack_into(">HH", out, frame.end(), h & 0xFFFF, w & 0xFFFF)
    else:
        for tag in (256, 257):  # of a TIFF
            at = data.find(struct.pack("<H", tag) + b"\x03\0")
            if at >= 0:
                struct.pack_into("<H", out, at + 8, by.choice((65535, 7000)))
    return bytes(out)


def _stuffed(data: bytes, by: Random) -> bytes:
    """A PNG with a chunk that unpacks to many megabytes, or with pixels that do."""
    packed = zlib.compress(bytes(by.choice((2, 30)) * 1_000_000), 9)
    kind, head = by.choice(((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0"), (b"IDAT", b"")))
    at = data.index(b"IDAT") - 4
    return data[:at] + struct.pack(">I", len(head + packed)) + kind + head + packed + bytes(4) + data[at:]


def _summed(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that damage gets further than them."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


# Zips ----------------------------------------------------------------------------------------------------------------


def archive(by: Random) -> bytes:
    """A zip of pictures and masks, some hurt, under names of all kinds; with links, bombs and locks in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", by.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))) as made:
        for number in range(by.choice((0, 1, 3, 6))):
            folder, masks = by.choice((("", ""), ("a/", "a/"), ("images/", "masks/"), 2 * (f"{number % 2}/",)))
            made.writestr(f"{folder}{number}.png", _plain(by, 256))
            if by.random() < 0.6:
                ending = "" if masks == "masks/" else "_mask"
                made.writestr(f"{masks}{number}{ending}.png", _plain(by, by.choice((2, 2, 3, 40))))
        for _ in range(by.choice((0, 0, 1, 3))):
            made.writestr(_entry(by.choice(PATHS), by), picture(by) if by.random() < 0.6 else _plain(by, 2))
        if by.random() < 0.1:
            made.writestr("bomb.png", bytes(by.choice((1, 40)) * 1_000_000))
        if by.random() < 0.05:
            made.writestr("in.zip", file.getvalue())
        if by.random() < 0.02:
            for number in range(2000):
                made.writestr(f"many/{number}.png", b"")
    data = bytearray(file.getvalue())
    if by.random() < 0.1 and (at := data.find(b"PK\x01\x02")) >= 0:  # a lock, another method, size or place
        where, value = by.choice(((8, 1), (10, 99), (24, 2**32 - 1), (24, 3), (42, 2**31), (42, 0), (20, 0)))
        struct.pack_into("<I" if where > 10 else "<H", data, at + where, value)
    return bent(bytes(data), by) if by.random() < 0.4 else bytes(data)


def _plain(by: Random, levels: int) -> bytes:
    side = by.choice((8, 8, 12, 33))
    values = np.frombuffer(by.randbytes(side * side), np.uint8).reshape(side, side) % np.uint16(levels)
    return _written(Image.fromarray(values.astype(np.uint8)), "PNG", {})


def _entry(name: str, by: Random) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
    entry.create_system = 3
    kind = by.choice((stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR))
    entry.external_attr = (kind | 0o777) << 16
    return entry


# Links ---------------------------------------------------------------------------------------------------------------


def link(by: Random) -> bytes:
    """A query with odd values for knobs that there are, and for some that there are not."""
    pairs: list[tuple[str, str]] = []
    for part, registry in PARTS.items():
        if by.random() < 0.6:
            name = by.choice(sorted(registry))
            pairs.append((part, name if by.random() < 0.9 else by.choice(WORDS)))
            for knob, setting in knobs(registry[name]).items():
                if by.random() < 0.4:
                    ends = (setting.low, setting.high, *setting.choices, *setting.stops, *WORDS)
                    pairs.append((f"{part}.{knob}", str(by.choice(ends))))
    if by.random() < 0.3:
        pairs.append((by.choice((*WORDS, "run", "hide", "lesson", "data.__init__", "training.")), by.choice(WORDS)))
    by.shuffle(pairs)
    query = by.choice(lessons()).query if by.random() < 0.1 else urlencode(pairs, errors="replace")
    return bent(query.encode(), by, 3) if by.random() < 0.3 else query.encode()


# Checkpoints ---------------------------------------------------------------------------------------------------------


def hurt_model(data: bytes, by: Random) -> bytes:
    """A checkpoint with another header, another length of it, or bytes that are bent."""
    long = int.from_bytes(data[:8], "little")
    head, rest = data[8 : 8 + long], data[8 + long :]
    match by.randrange(6):
        case 0:
            return bent(data, by)
        case 1:
            lie = by.choice((0, 1, long - 1, long + 1, 10**8, 2**31, 2**63, 2**64 - 1))
            return lie.to_bytes(8, "little") + data[8:]
        case 2:
            head = by.choice((b"[" * 100_000, b'{"a":' * 50_000, b"{}", b"null", b"", b" " * 100_000, bent(head, by)))
        case _:
            told = json.loads(head)
            tree = told["__metadata__"] if by.random() < 0.7 else told
            for _ in range(by.randint(1, 3)):
                _alter(tree, by)
            head = json.dumps(told).encode("utf-8", "replace")
    return len(head).to_bytes(8, "little") + head + (bent(rest, by) if by.random() < 0.1 and rest else rest)


def _alter(tree: dict[str, Any], by: Random) -> None:
    """Change, remove or add an entry somewhere in a tree of JSON, texts that are JSON themselves included."""
    name = by.choice([*tree] or ["a"])
    value = tree.get(name)
    if isinstance(value, dict) and value and by.random() < 0.7:
        return _alter(value, by)
    if isinstance(value, str) and value.startswith("{") and by.random() < 0.9:
        inner = json.loads(value)
        _alter(inner, by)
        tree[name] = json.dumps(inner)
    elif isinstance(value, list) and value and by.random() < 0.7:
        value[by.randrange(len(value))] = by.choice((-1, 0, 1, 10**5, 2**40, 2**63, 10**30, "x", None, 0.5, [], {}))
    elif by.random() < 0.3:
        tree.pop(name, None)
    else:
        odd: Iterable[Any] = (*WORDS, -1, 0, 10**5, 2**63, None, [], {}, 0.5, True, "[1,2]", "[3,100000,100000]", "{}",
                              "[" * 10**5, "[1,512,512]", "F64", "I8", "BF16", "F8_E4M3", {"name": "own"})  # fmt: skip
        tree[name if by.random() < 0.8 else by.choice(WORDS)] = by.choice(tuple(odd))


# Compressed codes ----------------------------------------------------------------------------------------------------


def hurt_codes(data: bytes, by: Random) -> bytes:
    """An .aec file that is bent, mostly with a checksum that is right again, or whose header claims other things."""
    if by.random() < 0.4:
        at = len(aec.MAGIC) + 1 + 2 + aec.DIGITS // 2
        name = data[at + 1 : at + 1 + data[at]]
        numbers = [by.choice((1, 2, 8, 28, 48, 64, 128, 1000, 50_000, 2**21, 2**28)) for _ in range(by.randint(5, 12))]
        if by.random() < 0.7:
            numbers[:4] = [48, 1, 8, 8]  # the model's own code and shape
        body = b"".join(aec.whole(number) for number in numbers)
        kind = bytes([by.choice((1, 2, 4, 8, 16, 32, 3, 0)), by.choice((0, 1, 1, 1, 2))])
        data = data[: len(aec.MAGIC) + 1] + kind + data[at - 4 : at] + aec.whole(len(name)) + name + body
        data += bytes([by.choice((0, 1, 2, 3, 9))]) + by.randbytes(by.choice((0, 8, 100, 2000)))
        return data + struct.pack("<I", zlib.crc32(data))
    hurt = bent(data[:-4], by, 4)
    return hurt + (struct.pack("<I", zlib.crc32(hurt)) if by.random() < 0.85 else data[-4:])
