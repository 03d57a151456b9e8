"""Pictures in and out: reading what people bring safely, fitting, tiling, PNG.

An image is an array (c, h, w), channels first, c = 1 (grey) or 3 (RGB): uint8, or floating point in [0, 1]. A batch is
(m, c, h, w). What reads foreign bytes raises Trouble, with one sentence that names the file, and nothing else.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from playground.events import Trouble

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MEGA = 1_000_000
MAX_PIXELS = 50 * MEGA
MAX_FILE = 200 * MEGA  # bytes of one image file
MAX_ENTRIES = 20_000  # files in one archive or folder
MAX_UNPACKED = 2_000 * MEGA  # bytes of all files of one archive
MAX_RATIO, RATIO_FROM = 200, 10 * MEGA  # beyond so many bytes, no more than so many times the packed ones
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)")


def read_image(source: bytes | Path, name: str = "") -> np.ndarray:
    """The picture in a PNG, JPEG, WebP, BMP, GIF or TIFF file as (c, h, w) uint8, c = 1 where the file is grey.

    Animations give their first frame, 16 bits become 8, other colours become RGB, what is transparent turns white,
    EXIF rotation is applied. Trouble if it is no image, is cut off or has more than MAX_PIXELS, which is found out
    from the header, before anything is unpacked.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Path):
        name = name or source.name
        source = read_contents(source, name)
    bomb = Trouble(f"{name} has more than {MAX_PIXELS // MEGA} million pixels, which is too many.")
    if _webp_pixels(source) > MAX_PIXELS:
        raise bomb
    try:
        with Image.open(io.BytesIO(source), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise bomb
            pixels = _pixels(picture)
    except Trouble:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise bomb from None
    except UnidentifiedImageError:
        raise Trouble(f"{name} is not a PNG, JPEG, WebP, BMP, GIF or TIFF image.") from None
    except MemoryError:
        raise Trouble(f"{name} needs more memory than there is.") from None
    except Exception:  # the decoders raise nearly everything on broken files: OSError, SyntaxError, struct.error, ...
        raise Trouble(f"{name} is damaged or cut off.") from None
    if pixels.size == 0:
        raise Trouble(f"{name} has no pixels.")
    return pixels


def read_contents(path: Path, name: str) -> bytes:
    """The bytes of a file; Trouble that calls it `name` if it cannot be read or is larger than MAX_FILE."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise Trouble(f"{name} is larger than {MAX_FILE // MEGA} MB.")
        return path.read_bytes()
    except OSError as error:
        raise Trouble(f"{name} cannot be read: {error.strerror}.") from None


def _webp_pixels(data: bytes) -> int:
    """Width times height of an extended WebP file, whose decoder takes memory for them on opening; 0 for others."""
    if data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8X" or len(data) < 30:
        return 0
    return (int.from_bytes(data[24:27], "little") + 1) * (int.from_bytes(data[27:30], "little") + 1)


def _pixels(picture) -> np.ndarray:
    """The first frame of an opened Pillow image as (c, h, w) uint8."""
    from PIL import Image, ImageOps

    picture.load()
    with contextlib.suppress(Exception):  # broken EXIF costs the rotation, not the picture
        picture = ImageOps.exif_transpose(picture)
    if (mode := picture.mode).startswith("I") or mode == "F":
        return _eight_bits(np.asarray(picture))[None]
    if picture.has_transparency_data:
        clear, picture = picture.convert("RGBA"), Image.new("RGB", picture.size, "white")
        picture.paste(clear, mask=clear)
    if mode in ("1", "L", "LA", "La"):
        return np.array(picture.convert("L"))[None]
    if mode == "LAB":
        from PIL import ImageCms

        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")  # which copies even what is RGB
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Values of more than 8 bits as uint8: from [0, 65535] (floats: [0, 1]) by scale, others from least to greatest."""
    kind = np.float32 if values.dtype.itemsize <= 2 else np.float64
    low, high = 0.0, 65535.0 if values.dtype.kind in "iub" else 1.0
    def strips() -> Iterator[np.ndarray]:  # as floats the whole would take up to eight times the room
        return (np.nan_to_num(values[i : i + 256].astype(kind)) for i in range(0, len(values), 256))
    ends = np.array([(part.min(), part.max()) for part in strips()], float)
    if ends.min() < low or ends.max() > high:
        low, high = ends.min(), ends.max()
    return np.concatenate([np.round((part - low) * (255 / (high - low))).astype(np.uint8) for part in strips()])


def read_archive(source: bytes | Path, name: str, problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the files in a zip, one by one; what is refused adds a sentence to `problems` instead.

    Nothing is ever written to disk. Refused are paths that lead out of the archive, links, encrypted and damaged files,
    and files too large; what counts is the bytes that come out, not what the archive says. Reading stops, with a
    sentence, at MAX_UNPACKED bytes. Trouble if it is no zip or has more than MAX_ENTRIES files.
    """
    with _opened(source, name) as file:
        try:
            if _entries(file) > MAX_ENTRIES:
                raise Trouble(f"{name} holds more than {MAX_ENTRIES:,} files, which is too many.")
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
            raise Trouble(f"{name} is not a zip file, or is cut off.") from None
        budget = _Budget(MAX_UNPACKED)
        entries = [one for one in archive.infolist() if one.filename[-1:] not in "/" and not _is_junk(one.filename)]
        if not entries:
            raise Trouble(f"{name} is empty.")
        for entry in entries:
            try:
                data = _unpacked(archive, entry, budget, name)
            except Trouble as trouble:
                problems.append(str(trouble))
                if budget.left < 0:
                    return
            else:
                yield entry.filename, data


def _is_junk(path: str) -> bool:
    """Whether a file is one that operating systems strew about, or hidden."""
    return bool(_JUNK.search(path)) and ".." not in path


@dataclass
class _Budget:
    """How many more bytes may come out of an archive, those of refused files included."""

    left: int


def _opened(source: bytes | Path, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return source.open("rb")
    except OSError as error:
        raise Trouble(f"{name} cannot be read: {error.strerror}.") from None


def _entries(file: BinaryIO) -> int:
    """At most so many entries are in a zip: the count of their signatures, found without building a list of them."""
    count, tail = 0, b""
    while chunk := file.read(1 << 20):
        chunk = tail + chunk
        count += chunk.count(b"PK\x01\x02")
        tail = chunk[-3:]
    file.seek(0)
    return count


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget, name: str) -> bytes:
    """The bytes of one entry; Trouble that names it. Packed otherwise, they would come out whole at once."""
    path = entry.filename.replace("\\", "/")
    here = f"{entry.filename!r} in {name}"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in path.split("/"):
        raise Trouble(f"{here} has a path that leads out of the archive.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Trouble(f"{here} is a link, not a file.")
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Trouble(f"{here} is {'encrypted' if entry.flag_bits & 1 else 'packed in a way that is not read here'}.")
    data = bytearray()
    try:
        with archive.open(entry) as packed:
            while chunk := packed.read(1 << 20):
                data += chunk
                budget.left -= len(chunk)
                if budget.left < 0:
                    raise Trouble(f"{name} unpacks to more than {MAX_UNPACKED // MEGA:,} MB: the rest was left out.")
                most = max(RATIO_FROM, min(MAX_FILE, MAX_RATIO * entry.compress_size))
                if len(data) > most:
                    raise Trouble(f"{here} unpacks to far too many bytes.")
    except Trouble:
        raise
    except Exception:  # zlib, lzma, bz2, struct, zipfile: each has its own way to say so
        raise Trouble(f"{here} is damaged.") from None
    return bytes(data)


def read_folder(folder: Path, problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """(path within the folder, bytes) of all files in a folder and below, by name; troubles go to `problems`.

    Links are not followed. Trouble if there is no such folder, it has no files or more than MAX_ENTRIES.
    """
    if not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.")
    files = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not _is_junk(path.relative_to(folder).as_posix()):
            files.append(path)
            if len(files) > MAX_ENTRIES:
                raise Trouble(f"{folder} holds more than {MAX_ENTRIES:,} files, which is too many.")
    if not files:
        raise Trouble(f"The folder {folder} is empty.")
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        try:
            yield name, read_contents(path, name)
        except Trouble as trouble:
            problems.append(str(trouble))


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images of any shape as uint8: floats in [0, 1] are clipped and scaled, NaN is black, uint8 stays as it is."""
    if images.dtype == np.uint8:
        return images
    return np.round(np.nan_to_num(np.clip(images, 0, 1)) * 255).astype(np.uint8)


def to_pillow(image: np.ndarray):
    """An image (c, h, w) as a Pillow image, mode L or RGB."""
    from PIL import Image

    image = to_bytes(image)
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def to_png(image: np.ndarray) -> bytes:
    """An image (c, h, w) as a PNG file."""
    file = io.BytesIO()
    to_pillow(image).save(file, "PNG", compress_level=3)
    return file.getvalue()


def tile(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """A batch (m, c, h, w) side by side in rows of `columns`, `gap` white pixels between: one image, same dtype."""
    m, c, h, w = images.shape
    columns = max(1, min(columns, m))
    rows = -(-m // columns)
    white = 255 if images.dtype == np.uint8 else 1
    cells = np.full((rows * columns, c, h + gap, w + gap), white, images.dtype)
    cells[:m, :, :h, :w] = images
    sheet = cells.reshape(rows, columns, c, h + gap, w + gap).transpose(2, 0, 3, 1, 4)
    sheet = sheet.reshape(c, rows * (h + gap), columns * (w + gap))
    return np.ascontiguousarray(sheet[:, : sheet.shape[1] - gap, : sheet.shape[2] - gap])


def fit(image: np.ndarray, size: int, colour: bool) -> np.ndarray:
    """An image (c, h, w) of any size as uint8 (3 or 1, size, size): its largest centred square, resampled (Lanczos)."""
    from PIL import Image

    _, h, w = image.shape
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    # Cut before resampling, so that nothing from outside the square reaches its edge.
    square = to_pillow(image[:, top : top + side, left : left + side]).convert("RGB" if colour else "L")
    square = np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))
    return np.ascontiguousarray(square.reshape(size, size, -1).transpose(2, 0, 1))


def thumbnails(images: np.ndarray, side: int) -> np.ndarray:
    """A batch (m, c, h, w) as uint8 with no side above `side`, each pixel the mean of the area it stands for."""
    m, c, h, w = images.shape
    ratio = min(1.0, side / max(h, w))
    tall, wide = max(1, round(h * ratio)), max(1, round(w * ratio))
    if (tall, wide) == (h, w):
        return to_bytes(images)
    down, across = _area_weights(h, tall), _area_weights(w, wide).T
    small = np.empty((m, c, tall, wide), np.uint8)
    for i in range(0, m, 64):  # in portions, since floats take four times the room
        batch = to_bytes(images[i : i + 64]).astype(np.float32)
        small[i : i + 64] = np.round(down @ batch @ across)
    return small


def _area_weights(n: int, k: int) -> np.ndarray:
    """(k, n) float32: the share of each of n pixels in each of k equal parts of their length; rows add up to 1."""
    edges = np.arange(k + 1) * (n / k)
    starts, ends, pixels = edges[:-1, None], edges[1:, None], np.arange(n)[None]
    overlap = np.minimum(ends, pixels + 1) - np.maximum(starts, pixels)
    return (np.clip(overlap, 0, None) * (k / n)).astype(np.float32)
