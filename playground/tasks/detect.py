"""Detect: a box and a class for every thing in the image, each thing a peak of its class's heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from playground.architectures import Architecture, Shape
from playground.architectures.unet import UNet
from playground.data import Dataset, ImageSet
from playground.detections import BoxMeter, f1, outlined
from playground.knobs import knob
from playground.layers import Stack
from playground.model import Autoencoder
from playground.tasks import Task, tasks
from playground.variants import Losses, Variant

MOST = 20  # boxes of one answer
BESIDE = 4  # maps beside the classes': width and height, and the way to the centre, in pixels
FOCAL = (  # of a place with heat y (Law & Deng 2018; Zhou et al. 2019), p being what the network says
    r"\mathrm{FL}(p, y) = -(1 - p)^2 \log p \text{ where } y = 1, \quad -(1 - y)^4\, p^2 \log(1 - p) \text{ elsewhere}"
)
RARE = 0.1  # what the heat maps begin at: most places are no centre (Lin et al. 2017)
NARROW = 0.4  # pixels that a Gaussian's standard deviation has at least


@tasks.register("detect")
@dataclass(frozen=True)
class Detect(Task):
    """Objects as points: CenterNet (Zhou, Wang & Krähenbühl 2019), at full size; Gaussians as in TTFNet (Liu 2020)."""

    rank = 6
    title = "Detect"
    motto = "Put a box about every thing, and say what it is."
    any_loss = False
    restores = False
    usual = "unet"
    usual_data = "shapes"
    numbered = False
    metric, measured = "map50", "held-out mAP at IoU 0.5"
    graded, unit = "F1", "%"

    size: float = knob(0.1, "Weight of the boxes' sides. Higher: tighter boxes, centres are found later.", low=0.0,
                       high=10.0, stops=(0.0, 0.03, 0.1, 0.3, 1.0), label="Sides", symbol="λ", live=True)
    offset: float = knob(1.0, "Weight of the way from a pixel to the box's centre. Higher: boxes sit more exactly.",
                         low=0.0, high=10.0, stops=(0.0, 0.1, 0.3, 1.0, 3.0), label="Centres", symbol="μ", live=True)
    spread: float = knob(0.1, "Width of the Gaussian about each centre, in sides of its box. Wider: near misses cost "
                              "less, neighbours merge.", low=0.02, high=0.5, stops=(0.05, 0.1, 0.15, 0.2, 0.3),
                         label="Spread", symbol="σ", live=True)  # fmt: skip

    def ways(self, variant: Variant) -> tuple[str, ...]:
        return ("detect",)

    def objections(self, data: Dataset, architecture: type[Architecture]) -> dict[str, str]:
        found = {}
        if architecture is not UNet:
            found["architecture"] = (f"only the U-Net's maps are as fine as the image, which the task to "
                                     f"{self.name} needs")
        if not data.has_boxes:
            found["data"] = f"the images of {data.title!r} come without boxes, which the task to {self.name} learns"
        return found

    def targets(self, images: ImageSet) -> np.ndarray | None:
        return images.boxes

    def curve_unit(self, loss: str) -> str:
        return "focal loss per thing"

    def formulas(self, variant: Variant, loss: str) -> dict[str, tuple[str, str]]:
        return {
            "heat": (r"\frac{1}{N}\sum_j \mathrm{FL}(p_j, y_j)", "focal loss, α = 2, β = 4"),
            "size": (r"\lambda\,{\left\| \hat{s} - s \right\|}_1", "of the sides"),
            "offset": (r"\mu\,{\left\| \hat{o} - o \right\|}_1", "of the centres"),
        }

    def networks(self, architecture: Architecture, variant: Variant, shape: Shape,
                 data: Dataset) -> tuple[Stack, Stack]:
        assert isinstance(architecture, UNet)
        return architecture.build(shape, variant.code_activation, outputs=len(data.box_classes) + BESIDE)

    def build(self, architecture: Architecture, variant: Variant, shape: Shape, loss: str, data: Dataset) -> Detector:
        return Detector(*self.networks(architecture, variant, shape, data))

    def see(self, x: Tensor, variant: Variant, rng: Generator) -> Tensor:
        return x

    def losses(self, model: Autoencoder, x: Tensor, target: Tensor, variant: Variant, rng: Generator) -> Losses:
        maps = model.decoder(model.encode(x))
        heat, beside, near = self._drawn(target, maps)
        amount = near.flatten(1).sum(1).clamp_min(1e-6)
        errors = (maps[:, -BESIDE:] - beside).abs() * near
        yield "autoencoder", {
            "heat": focal(maps[:, :-BESIDE], heat),
            "size": self.size * errors[:, :2].flatten(1).sum(1) / amount,
            "offset": self.offset * errors[:, 2:].flatten(1).sum(1) / amount,
        }

    def error(self, model: Autoencoder, code: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        """The heat maps' alone, which the curve of the training is of."""
        maps = model.decoder(code)
        return focal(maps[:, :-BESIDE], self._drawn(target, maps)[0])

    def _drawn(self, target: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        _, count, height, width = maps.shape
        return drawn(target, count - BESIDE, height, width, self.spread)

    def output(self, model: Autoencoder, code: Tensor, seen: Tensor) -> Tensor:
        """Boxes (B, 20, 6): x0, y0, x1, y1 in pixels, class, score, the best first."""
        return boxes_of(model.decode(code))

    def truth(self, target: Tensor) -> Tensor:
        return torch.cat([target, (target[..., 4:] >= 0).to(target)], -1)

    def shown(self, output: Tensor, x: Tensor) -> Tensor:
        return outlined(x, output)

    def grades(self, output: Tensor, target: Tensor, seen: Tensor) -> Tensor:
        return 100 * f1(output, target)

    def warm(self) -> None:
        import torchmetrics.detection  # noqa: F401

    def meter(self) -> BoxMeter:
        return BoxMeter()


class Detector(Autoencoder):
    """A network whose decoder gives a heat map for each class, as logits, and four maps of where the boxes end."""

    restores = False

    def __init__(self, encoder: Stack, decoder: Stack):
        super().__init__(encoder, decoder, "linear")
        bias: Any = decoder.blocks[-1].linear.bias
        height, width = decoder.blocks[-1].shape[1:]
        with torch.no_grad():
            bias[:-BESIDE] = np.log(RARE / (1 - RARE))
            bias[-BESIDE:-2] = torch.tensor([width / 3, height / 3])

    def decode(self, code: Any) -> Tensor:
        """Heat maps in [0, 1] and below them sides and ways to the centre in pixels, (B, classes + 4, h, w)."""
        raw = self.decoder(code)
        return torch.cat([raw[:, :-BESIDE].sigmoid(), raw[:, -BESIDE:]], 1)


def drawn(boxes: Tensor, classes: int, height: int, width: int, spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """What the maps should be of boxes (B, b, 5), class -1 where there is none, for images of (height, width).

    Heat (B, classes, h, w): Gaussians, 1 at the pixel of each centre, `spread` sides of the box wide; sides and ways to
    the centre (B, 4, h, w) in pixels, of the box that is nearest in these terms; and how near, (B, 1, h, w) in 0 to 1.
    """
    (x0, y0, x1, y1), present = boxes[..., :4].unbind(-1), boxes[..., 4] >= 0
    centre = torch.stack([x0 + x1, y0 + y1], -1) / 2
    sides = torch.stack([x1 - x0, y1 - y0], -1)
    columns, rows = (torch.arange(length, device=boxes.device) + 0.5 for length in (width, height))
    pixel, sigma = centre.floor() + 0.5, (spread * sides).clamp_min(NARROW)
    across = torch.exp(-((columns - pixel[..., :1]) / sigma[..., :1]).square() / 2)
    down = torch.exp(-((rows - pixel[..., 1:]) / sigma[..., 1:]).square() / 2)
    bumps = (down * present[..., None])[..., None] * across[..., None, :]  # (B, b, h, w)
    kind = boxes[..., 4:, None]
    heat = torch.stack([(bumps * (kind == one)).amax(1) for one in range(classes)], 1)
    near, owner = bumps.max(1, keepdim=True)
    sides, centre = (pair.mT[..., None, None].expand(-1, -1, -1, height, width).gather(2, owner[:, None].expand(
        -1, 2, -1, -1, -1))[:, :, 0] for pair in (sides, centre))
    grid = torch.stack([columns.expand(height, width), rows[:, None].expand(height, width)])
    return heat, torch.cat([sides, centre - grid], 1), near


def focal(logits: Tensor, heat: Tensor) -> Tensor:
    """The penalty-reduced focal loss (Law & Deng 2018; α = 2, β = 4) of maps (B, c, h, w), per peak of each image."""
    p, hit = logits.sigmoid(), heat == 1
    there = (1 - p).square() * F.logsigmoid(logits)
    elsewhere = (1 - heat).pow(4) * p.square() * F.logsigmoid(-logits)
    return -torch.where(hit, there, elsewhere).flatten(1).sum(1) / hit.flatten(1).sum(1).clamp_min(1)


def boxes_of(maps: Tensor, most: int = MOST) -> Tensor:
    """The `most` highest peaks of decoded maps (B, classes + 4, h, w) as boxes (B, most, 6), the best first.

    A peak is as high as all that touch it, in its own map. Boxes end at the image's rim; where there are fewer peaks,
    scores are 0.
    """
    (heat, beside), (height, width) = maps.split([maps.shape[1] - BESIDE, BESIDE], 1), maps.shape[2:]
    peaks = heat * (heat == F.max_pool2d(heat, 3, 1, 1))
    score, at = peaks.flatten(1).topk(min(most, peaks[0].numel()))
    kind, place = at // (height * width), at % (height * width)
    sides, way = beside.flatten(2).gather(2, place[:, None].expand(-1, BESIDE, -1)).mT.split(2, -1)
    centre = torch.stack([place % width, place // width], -1) + 0.5 + way
    most_of = torch.tensor([width, height], device=maps.device)
    first, last = ((centre + sign * sides.clamp_min(1) / 2).clamp_min(0).minimum(most_of) for sign in (-1, 1))
    found = torch.cat([first, last, kind[..., None], score[..., None]], -1)
    return F.pad(found, (0, 0, 0, most - found.shape[1]))
