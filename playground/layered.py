"""Pictures with what networks do not see, kept beside them and put back on: transparency, the file's format."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.events import Trouble
from playground.images import FORMATS, read_image, to_pillow

SUFFIXES = {"": "PNG", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF",
            ".tiff": "TIFF"}
OPAQUE_ONLY = ("JPEG", "BMP")
SETTINGS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}


@dataclass(frozen=True, eq=False)
class Layered:
    """A picture (c, h, w) uint8, c = 1 or 3, its transparency (h, w) uint8 or None, and sentences on what was lost."""

    image: np.ndarray
    alpha: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def replaced(self, image: np.ndarray, opaque: np.ndarray | None = None) -> Layered:
        """Another image with this one's transparency, scaled to its size, opaque where `opaque` (h, w) says so."""
        alpha = self.alpha
        if alpha is not None and alpha.shape != image.shape[1:]:
            from PIL import Image

            size = image.shape[2], image.shape[1]
            alpha = np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BICUBIC))
        if alpha is not None and opaque is not None:
            alpha = np.where(opaque, np.uint8(255), alpha)
        return replace(self, image=image, alpha=alpha)


def read_layered(data: bytes, name: str) -> Layered:
    """As `images.read_image`, but what is transparent keeps its colours, and its transparency is kept apart."""
    from PIL import Image, ImageOps

    flat = read_image(data, name)  # first, since it refuses what is no picture or too large
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        deep = picture.mode.startswith("I") or picture.mode == "F"
        notes = ("More than 8 bits a channel became 8.",) if deep else ()
        if deep or not picture.has_transparency_data:
            return Layered(flat, None, notes)
        grey = picture.mode in ("1", "L", "LA", "La")
        layers = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA")).transpose(2, 0, 1)
    return Layered(np.ascontiguousarray(layers[: 1 if grey else 3]), layers[3])


def format_of(suffix: str) -> str:
    """Pillow's name of the format that a file's suffix stands for; Trouble where pictures are not written so."""
    if (form := SUFFIXES.get(suffix.lower())) is None:
        raise Trouble(f"Pictures are written as PNG, JPEG, WebP, BMP or TIFF, not as {suffix}.")
    return form


def write_layered(picture: Layered, suffix: str = ".png") -> tuple[bytes, str]:
    """The bytes of a file of the format that its suffix names, and a sentence on what that loses, or "".

    JPEG and BMP know no transparency: there it turns white, as everywhere in the playground. Trouble for other formats.
    """
    from PIL import Image

    form, flat, note = format_of(suffix), to_pillow(picture.image), ""
    if picture.alpha is not None:
        flat.putalpha(Image.fromarray(picture.alpha))
        if form in OPAQUE_ONLY:
            note, mode = f"{form} knows no transparency: it turned white.", "RGB" if len(picture.image) == 3 else "L"
            flat = Image.alpha_composite(Image.new("RGBA", flat.size, "white"), flat.convert("RGBA")).convert(mode)
    file = io.BytesIO()
    flat.save(file, form, **SETTINGS.get(form, {}))
    return file.getvalue(), note or ("JPEG changes pixels a little." if form == "JPEG" else "")
