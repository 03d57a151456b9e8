"""Reading pictures: awkward ones are read right, bad ones are one sentence, and nothing else ever comes out."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.events import Trouble
from playground.images import fit, read_image, thumbnails, tile, to_png

pytestmark = [
    pytest.mark.filterwarnings("ignore:::PIL"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]  # Pillow's own remarks on broken files
RED, WHITE = (255, 0, 0), (255, 255, 255)


def saved(picture: Image.Image, kind: str = "PNG", **settings) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def corner(image: np.ndarray) -> tuple[int, ...]:
    return tuple(int(v) for v in image[:, 0, 0])


def noise(h: int, w: int, c: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(h, w, c), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_every_format_is_read(kind):
    picture = Image.new("RGB", (7, 5), RED)
    image = read_image(saved(picture, kind, **({"lossless": True} if kind == "WEBP" else {})), "a")
    assert image.shape == (3, 5, 7) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert np.abs(image[:, 0, 0].astype(int) - RED).max() < 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_pixels_are_exact(kind):
    colour = noise(9, 4)
    assert np.array_equal(read_image(saved(Image.fromarray(colour), kind)), colour.transpose(2, 0, 1))
    grey = colour[..., 0].copy()
    assert np.array_equal(read_image(saved(Image.fromarray(grey), kind)), grey[None])


def test_one_pixel():
    assert read_image(saved(Image.new("L", (1, 1), 77))).tolist() == [[[77]]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    image = read_image(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert image.shape == (3, 8, 8) and image[0].min() > 240 and image[1:].max() < 15


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_scale(kind):
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    assert read_image(saved(Image.fromarray(values), kind)).tolist() == [[[0, 1, 128, 255]]]


def test_big_endian_sixteen_bits():
    data = saved(Image.fromarray(np.array([[0, 65535, 32896]], ">u2")), "TIFF")
    assert read_image(data).tolist() == [[[0, 255, 128]]]


def test_floats_and_wide_integers():
    unit = np.array([[0.0, 0.5, 1.0]], np.float32)
    assert read_image(saved(Image.fromarray(unit), "TIFF")).tolist() == [[[0, 128, 255]]]
    beyond = np.array([[-5.0, 0.0, 5.0, np.nan]], np.float32)
    assert read_image(saved(Image.fromarray(beyond), "TIFF")).tolist() == [[[0, 128, 255, 128]]]
    wide = np.array([[0, 50_000, 100_000]], np.int32)
    assert read_image(saved(Image.fromarray(wide), "TIFF")).tolist() == [[[0, 128, 255]]]


def test_cmyk_becomes_rgb():
    assert corner(read_image(saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"))) == RED
    near = corner(read_image(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")))
    assert near[0] > 245 and max(near[1:]) < 12


def test_lab_becomes_rgb():
    image = read_image(saved(Image.new("LAB", (4, 4), (255, 128, 128)), "TIFF"))
    assert image.shape == (3, 4, 4) and image.min() > 225


def test_palettes_and_one_bit():
    palette = Image.new("P", (3, 3), 1)
    palette.putpalette([0, 0, 0, *RED])
    assert corner(read_image(saved(palette, "PNG"))) == RED
    assert read_image(saved(Image.new("1", (3, 3), 1), "PNG")).tolist() == [[[255] * 3] * 3]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_what_is_transparent_turns_white(mode):
    if mode == "RGBA":
        data = saved(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))
    elif mode == "LA":
        data = saved(Image.new("LA", (2, 2), (0, 0)))
    else:
        data = saved(Image.new(mode, (2, 2), 0), transparency=(0, 0, 0) if mode == "RGB" else 0)
    image = read_image(data)
    assert (image == 255).all() and len(image) == (1 if mode in ("LA", "L") else 3)


def test_half_transparent_is_mixed_with_white():
    assert corner(read_image(saved(Image.new("RGBA", (2, 2), (0, 0, 0, 128))))) == (127, 127, 127)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied(kind):
    picture = Image.new("RGB", (32, 16), WHITE)
    picture.paste(RED, (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the picture's left is to be its top
    image = read_image(saved(picture, kind, exif=exif))
    assert image.shape == (3, 32, 16) and image[1, 4, 8] < 60 and image[1, 28, 8] > 200


def test_broken_exif_does_no_harm():
    data = saved(Image.new("RGB", (8, 8), RED), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    assert read_image(data).shape == (3, 8, 8)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb_png(side: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def bomb_webp(side: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<II", 10, 2) + (side - 1).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS = {
    "png": bomb_png(40_000),
    "smaller.png": bomb_png(7_100),
    "middle.png": bomb_png(11_000),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 40_000, 40_000, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
    "webp": bomb_webp(16_000),
    "bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused_at_once(name):
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(Trouble, match=f"^{name} has more than 50 million pixels, which is too many.$"):
        read_image(BOMBS[name], name)
    assert time.perf_counter() - started < 0.5
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"RIFF\0\0\0\0WEBP"])
def test_what_is_no_image_is_one_sentence(data):
    with pytest.raises(Trouble, match=r"^notes.txt (is not a PNG|is damaged)[^.]*\.$"):
        read_image(data, "notes.txt")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_truncated_image_is_one_sentence(kind):
    data = saved(Image.fromarray(noise(64, 64)), kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(Trouble, match=r"^half (is not|is damaged)[^.]*\.$"):
            read_image(data[: int(len(data) * share)], "half")


def test_a_path_names_its_file(tmp_path):
    (tmp_path / "a.png").write_bytes(saved(Image.new("L", (2, 2))))
    assert read_image(tmp_path / "a.png").shape == (1, 2, 2)
    with pytest.raises(Trouble, match=r"^missing.png cannot be read: No such file or directory\.$"):
        read_image(tmp_path / "missing.png")


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"]
KINDS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(MODES), st.sampled_from(KINDS), st.integers(1, 40), st.integers(1, 40), st.data())
def test_any_mode_and_size_is_read_and_any_damage_is_a_sentence(mode, kind, w, h, data):
    picture = Image.new(mode, (w, h))
    if mode == "P":
        picture.putpalette([0, 0, 0])
    try:
        raw = saved(picture, kind)
        Image.open(io.BytesIO(raw)).load()
    except (OSError, ValueError, KeyError):
        return  # Pillow does not write this mode in this format, or not so that it could read it
    image = read_image(raw, "a")
    assert image.shape[1:] == (h, w) and len(image) in (1, 3) and image.dtype == np.uint8
    broken = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for part in (bytes(broken), raw[: data.draw(st.integers(0, len(raw)))]):
        try:
            assert read_image(part, "a").dtype == np.uint8
        except Trouble as trouble:
            assert str(trouble).startswith("a ") and str(trouble).endswith(".")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"\xff\xd8\xff", b"RIFF"]), st.binary())
def test_random_bytes_are_a_sentence(start, rest):
    try:
        read_image(start + rest, "a")
    except Trouble as trouble:
        assert str(trouble).startswith("a ")


# Arrays


def test_png_and_back():
    image = noise(5, 6).transpose(2, 0, 1)
    assert np.array_equal(read_image(to_png(image)), image)
    assert read_image(to_png(np.array([[[0.0, 0.5, 2.0, -1.0, np.nan]]]))).tolist() == [[[0, 128, 255, 0, 0]]]


def test_tile_puts_every_image_in_its_place():
    batch = np.random.default_rng(0).integers(256, size=(5, 3, 4, 6), dtype=np.uint8)
    sheet = tile(batch, 3)
    assert sheet.shape == (3, 2 * 4 + 1, 3 * 6 + 2)
    for i in range(5):
        row, column = divmod(i, 3)
        assert np.array_equal(sheet[:, row * 5 : row * 5 + 4, column * 7 : column * 7 + 6], batch[i])
    assert (sheet[:, 5:, 14:] == 255).all() and tile(batch[:2], 9).shape == (3, 4, 13)


def test_fit_cuts_the_middle_square():
    image = np.zeros((3, 20, 60), np.uint8)
    image[:, :, 20:40] = 200
    assert (fit(image, 8, colour=True) == 200).all() and fit(image, 8, colour=False).shape == (1, 8, 8)
    assert fit(np.full((1, 1, 1), 9, np.uint8), 16, colour=True).tolist() == [[[9] * 16] * 16] * 3
    assert fit(noise(1, 900).transpose(2, 0, 1), 8, colour=True).shape == (3, 8, 8)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 32))
@settings(max_examples=50, deadline=None)
def test_thumbnails_are_area_means(h, w, side):
    batch = np.random.default_rng(0).integers(256, size=(2, 1, h, w), dtype=np.uint8)
    small = thumbnails(batch, side)
    assert max(small.shape[2:]) == min(side, max(h, w)) and small.dtype == np.uint8
    for image, thumbnail in zip(batch, small, strict=True):
        box = Image.fromarray(image[0].astype(np.float32)).resize(thumbnail.shape[:0:-1], Image.Resampling.BOX)
        if h % small.shape[2] == 0 and w % small.shape[3] == 0:  # elsewhere Pillow's box counts whole pixels only
            assert np.abs(np.asarray(box) - thumbnail[0]).max() <= 0.51
    assert abs(small.mean() - batch.mean()) < 1


def test_thumbnails_of_points_are_bytes():
    assert thumbnails(np.array([[[[0.0, 1.0]]]], np.float32), 8).tolist() == [[[[0, 255]]]]
