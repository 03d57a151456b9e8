"""Painterly filters: against the definition written out, and what must hold of any picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.data.photos import photograph
from playground.painterly import BRUSHES, LEAST, SHARPNESS, STYLES, bilateral, median, painted, reach


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def written_out(image: np.ndarray, brush: int) -> np.ndarray:
    """The oil filter pixel by pixel: eight Gaussian windows, each weighed by its variance in double precision."""
    c, h, w = image.shape
    luma = np.array([1.0]) if c == 1 else np.array([0.299, 0.587, 0.114])
    wide = np.pad(image / 255, [(0, 0), (2 * brush,) * 2, (2 * brush,) * 2], mode="reflect")
    y = np.arange(-brush, brush + 1)
    line = np.exp(-(y**2) / (2 * (brush / 2) ** 2))
    window = np.outer(line, line) / line.sum() ** 2
    angles = np.arange(8) * np.pi / 4
    made = np.empty(image.shape)
    for row in range(h):
        for column in range(w):
            top, bottom = np.zeros(c), 0.0
            for angle in angles:
                middle = (row + round(brush * np.sin(angle)), column + round(brush * np.cos(angle)))
                part = wide[:, middle[0] + brush : middle[0] + 3 * brush + 1,
                            middle[1] + brush : middle[1] + 3 * brush + 1]
                grey = np.tensordot(luma, part, 1)
                variance = (window * grey**2).sum() - (window * grey).sum() ** 2
                top += (window * part).sum((1, 2)) * (variance + LEAST) ** -SHARPNESS
                bottom += (variance + LEAST) ** -SHARPNESS
            made[:, row, column] = top / bottom
    return made * 255


@pytest.mark.parametrize("channels", [1, 3])
def test_oil_is_what_its_definition_says(channels):
    for image in (noise(channels, 13, 17), photograph("coffee")[:channels, 200:220, 250:274]):
        assert np.abs(painted(image, "oil", 3) - written_out(image, 3)).max() < 1  # rounding is half of it


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("brush", BRUSHES)
def test_a_pixel_changes_nothing_beyond_the_reach(style, brush):
    image = photograph("cat")[:, 100:150, 100:160]
    other, far = image.copy(), reach(style, brush)
    other[:, 25, 30] ^= 255
    rows, columns = (painted(image, style, brush) != painted(other, style, brush)).any(0).nonzero()
    assert len(rows) and max(np.abs(rows - 25).max(), np.abs(columns - 30).max()) <= far


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from(STYLES),
       st.sampled_from(BRUSHES))
def test_any_size_keeps_its_shape_and_what_turns_turns(height, width, channels, style, brush):
    image = noise(channels, height, width)
    made = painted(image, style, brush)
    assert made.shape == image.shape and made.dtype == np.uint8
    for turned in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: x.transpose(0, 2, 1)):
        again = painted(turned(image), style, brush)
        assert np.abs(again.astype(int) - turned(made)).max() <= 1  # sums in another order


@pytest.mark.parametrize("style", STYLES)
def test_one_colour_stays_and_an_edge_stays_sharp(style):
    plain = np.full((3, 20, 30), 77, np.uint8) + np.array([0, 50, 100], np.uint8)[:, None, None]
    assert (painted(plain, "oil") == plain).all()
    edge = np.where(np.arange(40) < 20, 40, 210).astype(np.uint8)[None, None].repeat(24, 1)
    assert np.abs(painted(edge, "oil").astype(int) - edge).max() <= 2
    if style == "ink":
        ratio = painted(edge, "ink") / painted(edge, "oil")
        assert ratio[:, :, 18:20].min() < 0.6 and ratio[:, :, 25:].min() > 0.99  # a line at the dark side alone


def test_texture_is_painted_over_and_no_new_brightness_appears():
    grain = (120 + 20 * np.random.default_rng(0).standard_normal((1, 60, 60))).clip(0, 255).astype(np.uint8)
    made = painted(grain)
    assert made.std() < grain.std() / 3
    picture = photograph("astronaut")[:, :96, 150:260]
    calm = painted(picture)
    assert calm.min() >= picture.min() and calm.max() <= picture.max()


@pytest.mark.parametrize("rival", [median, bilateral])
def test_the_rivals_take_any_picture(rival):
    for shape in ((1, 1, 1), (3, 5, 9), (1, 20, 7)):
        assert rival(np.full(shape, 9, np.uint8)).tolist() == np.full(shape, 9).tolist()
