"""Small grey patches of the built-in photographs, whitened or not: what receptive fields are learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.data import Dataset, ImageSet, Report, datasets, nothing
from playground.data.photos import FIELDS, GRID, HELD_OUT, PHOTOS, photograph
from playground.knobs import knob

SHRUNK = (2, 3, 4)  # times: the photographs' own pixels are blurred by their lenses and by JPEG
CUTOFF = 0.4  # cycles a pixel, above which whitening lets nothing through (200 of 512 in Olshausen & Field)
REACH = 3  # standard deviations that are kept, as 0.1 to 0.9 (Ng, CS294A notes)


@datasets.register("patches")
@dataclass(frozen=True)
class Patches(Dataset):
    """Square patches at three scales; whitened as in Olshausen & Field (Nature 381, 1996).

    Held-out patches come from fields of the photographs that no training patch touches.
    """

    size: int = knob(12, "Side of the patches.", choices=(8, 12, 16), unit="px")
    whiten: bool = knob(False, "Fine detail as strong as coarse: what the eye does before the brain looks for edges.",
                        label="Whitened")
    count: int = knob(10_000, "How many patches.", low=100, high=100_000, stops=(1000, 5000, 10_000, 50_000))
    seed: int = knob(0, "Chooses the patches and the fields that are held out.", low=0, high=9999, rare=True)

    rank = 5
    title = "Natural patches"
    note = "Small patches of six photographs shipped with scikit-image (public domain) and scikit-learn (CC BY 2.0)."

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, self.size, self.size

    def load(self, report: Report = nothing) -> ImageSet:
        rng, field_rng = np.random.default_rng(self.seed), np.random.default_rng([self.seed, FIELDS])
        pyramids = [_pyramid(photograph(name), self.whiten) for name in PHOTOS]
        orders = [field_rng.permutation(GRID * GRID) for _ in pyramids]
        labels = rng.integers(len(pyramids), size=self.count)
        is_held_out = rng.permutation(self.count) < self.count * HELD_OUT // GRID**2
        patches: np.ndarray = np.empty((self.count, 1, self.size, self.size), np.float32)
        for i, label in enumerate(labels):
            if i % 10_000 == 0:
                report("Cutting patches", i / self.count)
            fields = orders[label][:HELD_OUT] if is_held_out[i] else orders[label][HELD_OUT:]
            photo = pyramids[label][rng.integers(len(SHRUNK))]
            patches[i, 0] = _cut(photo, int(rng.choice(fields)), self.size, rng)
        if self.whiten:
            patches /= REACH * patches[~is_held_out].std()
            patches = 0.5 + 0.4 * patches.clip(-1, 1)
        return ImageSet(
            images=(patches * 255).round().astype(np.uint8),
            labels=labels.astype(np.int64),
            classes=tuple(PHOTOS),
            train=np.flatnonzero(~is_held_out),
            held_out=np.flatnonzero(is_held_out),
        )


def _pyramid(photo: np.ndarray, whiten: bool) -> list[np.ndarray]:
    """A photograph (3, h, w) uint8 in grey, made smaller for each of SHRUNK, (h, w) in [0, 1] or whitened."""
    from PIL import Image

    grey = Image.fromarray(photo.transpose(1, 2, 0)).convert("L")
    small = [grey.resize((grey.width // times, grey.height // times), Image.Resampling.LANCZOS) for times in SHRUNK]
    planes = [np.asarray(one, np.float64) / 255 for one in small]
    return [whitened(plane) for plane in planes] if whiten else planes


def whitened(plane: np.ndarray) -> np.ndarray:
    """A picture (h, w) whose amplitudes are multiplied by f exp(-(f / CUTOFF)⁴), then scaled to variance 1."""
    frequency = np.hypot(np.fft.fftfreq(plane.shape[0])[:, None], np.fft.rfftfreq(plane.shape[1]))
    spectrum = np.fft.rfft2(plane - plane.mean()) * frequency * np.exp(-((frequency / CUTOFF) ** 4))
    flat = np.fft.irfft2(spectrum, plane.shape)
    return flat / flat.std()


def _cut(photo: np.ndarray, field: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """A patch (size, size) from a random place inside a field, fields counted row by row."""
    top, left = (
        int(rng.integers(part * side // GRID, (part + 1) * side // GRID - size + 1))
        for part, side in zip(divmod(field, GRID), photo.shape)
    )
    return photo[top : top + size, left : left + size]
