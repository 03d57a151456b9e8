"""Data sets: what every one promises, and the real ones against the files they come from."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground.data import ImageSet, datasets, split
from playground.data import plane as points
from playground.data.plane import Plane
from playground.events import Trouble
from playground.knobs import knobs

REAL = Path(os.environ.get("PLAYGROUND_DATASETS") or Path(__file__).parents[2] / "shared" / "datasets")
BUILT_IN = sorted(name for name, cls in datasets.items() if not cls.needs_download and name != "own")
VARIED = {
    "digits": [{"size": 8}, {"size": 28}, {"size": 32}],
    "glyphs": [{"alphabet": "all"}, {"alphabet": "digits", "size": 17, "background": False}],
    "shapes": [{"colour": False, "size": 40}, {"objects": 1}, {"objects": 5, "size": 16}],
    "photos": [{"colour": False, "size": 16}, {"size": 96}],
    "cells": [{"colour": False, "size": 33}, {"cells": 12, "blur": 0, "noise": 0}, {"cells": 1, "blur": 3}],
    "patches": [{"size": 8, "whiten": True}, {"size": 16}],
    "plane": [{"curve": curve} for curve in points.CLASSES],
}
CASES = [(name, {}) for name in BUILT_IN] + [(name, k) for name in BUILT_IN for k in VARIED.get(name, [])]


def small(name: str, **settings):
    """The data set with as few images as it allows."""
    cls = datasets[name]
    fewest = {"count": max(1, int(knobs(cls)["count"].low))} if "count" in knobs(cls) else {}
    return cls(**(fewest | settings))


def real(folder: str) -> Path:
    if not (REAL / folder).is_dir():
        pytest.skip(f"no {folder} in {REAL}")
    return REAL / folder


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    return tmp_path


def same(a: ImageSet, b: ImageSet) -> bool:
    fields = ("images", "labels", "train", "held_out", "masks", "boxes")
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in fields if getattr(a, f) is not None)


def check(dataset, images: ImageSet) -> None:
    """What every data set promises."""
    m = len(images.images)
    assert images.images.shape == (m, *dataset.shape) and images.images.flags.c_contiguous
    assert images.images.dtype in (np.uint8, np.float32)
    if images.images.dtype == np.float32:
        assert images.images.min() >= 0 and images.images.max() <= 1
    assert images.labels.shape == (m,) and images.labels.dtype == np.int64
    assert images.labels.min() >= 0 and images.labels.max() < len(images.classes)
    assert images.train.dtype == images.held_out.dtype == np.int64
    assert np.array_equal(np.sort(np.concatenate([images.train, images.held_out])), np.arange(m))
    assert len(images.train) and len(images.held_out)
    if images.masks is not None:
        assert images.masks.shape == (m, *dataset.shape[1:]) and images.masks.dtype == np.uint8
        assert images.masks.max() < len(dataset.mask_classes) > 1
    if images.boxes is not None:
        assert images.boxes.ndim == 3 and images.boxes.shape[2] == 5 and images.boxes.dtype == np.float32


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_data_set_keeps_its_promises(name, settings):
    dataset = small(name, **settings)
    heard = []
    images = dataset.load(lambda reason, fraction: heard.append((reason, fraction)))
    check(dataset, images)
    assert all(fraction is None or 0 <= fraction <= 1 for _, fraction in heard)
    assert dataset.title and dataset.note and dataset.name == name


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.slow
def test_the_seed_decides_everything(name):
    one, again, other = (small(name, seed=seed).load() for seed in (3, 3, 4))
    assert same(one, again)
    assert not same(one, other)


def test_split_is_disjoint_complete_and_never_empty():
    for m in (2, 3, 5, 100, 1797):
        train, held_out = split(m, 7)
        assert np.array_equal(np.sort(np.concatenate([train, held_out])), np.arange(m))
        assert len(held_out) == max(1, round(0.2 * m)) and len(train) >= 1
    assert not np.array_equal(split(100, 1)[0], split(100, 2)[0])
    assert np.array_equal(split(100, 1)[0], split(100, 1)[0])
    with pytest.raises(ValueError, match="1 image"):
        split(1, 0)


def test_titles_and_shapes_need_nothing_heavy():
    heavy = "{'torch', 'torchvision', 'sklearn', 'skimage', 'scipy', 'PIL'}"
    code = (
        "import sys; from playground.data import datasets\n"
        "all((d().title, d().shape, d().note) for d in datasets.values())\n"
        f"print(sorted({heavy} & set(sys.modules)))\n"
        "datasets['digits']().load(); datasets['photos'](count=100).load()\n"
        f"print(sorted(({heavy} - {{'PIL'}}) & set(sys.modules)))"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    theirs, ours = load_digits(), datasets["digits"](size=8).load()
    assert np.array_equal(np.round(ours.images[:, 0] / 255 * 16), theirs.images)
    assert np.array_equal(ours.labels, theirs.target)
    assert ours.images.max() == 255


def test_larger_digits_still_show_the_same():
    """A digit shrunk back resembles its own original most, but for a few that have a near twin."""
    from PIL import Image

    originals = datasets["digits"](size=8).load().images[:200].reshape(200, -1).astype(float)
    for size, inner in ((16, 14), (28, 22), (32, 26)):
        edge = (size - inner) // 2
        large = datasets["digits"](size=size).load().images[:200, 0, edge : edge + inner, edge : edge + inner]
        back = [np.asarray(Image.fromarray(np.ascontiguousarray(i)).resize((8, 8), 4)).ravel() for i in large]
        assert (np.corrcoef(np.array(back, float), originals)[:200, 200:].argmax(1) == np.arange(200)).mean() > 0.97


@pytest.mark.parametrize(("name", "settings"), [("shapes", {}), ("shapes", {"objects": 5}), ("cells", {"cells": 12})])
@pytest.mark.slow
def test_boxes_hold_exactly_what_the_masks_show(name, settings):
    dataset = small(name, count=300, **settings)
    images = dataset.load()
    for mask, boxes in zip(images.masks, images.boxes, strict=True):
        real_boxes = boxes[boxes[:, 4] >= 0]
        assert len(real_boxes) and (boxes[boxes[:, 4] < 0] == -1).all()
        boxed = np.zeros(mask.shape, bool)
        for x0, y0, x1, y1, kind in real_boxes.astype(int):
            assert 0 <= x0 < x1 <= mask.shape[1] and 0 <= y0 < y1 <= mask.shape[0]
            boxed[y0:y1, x0:x1] = True
            inside = mask[y0:y1, x0:x1]
            own = inside == kind + 1 if name == "shapes" else inside > 0
            for edge in (own[0], own[-1], own[:, 0], own[:, -1]):
                assert edge.any()
        assert not mask[~boxed].any()


def test_the_label_of_a_scene_is_its_largest_shape():
    images = small("shapes", count=300).load()
    assert np.array_equal(images.boxes[:, 0, 4], images.labels)
    one = small("shapes", count=300, objects=1).load()
    assert ((one.masks == 0) | (one.masks == one.labels[:, None, None] + 1)).all()
    assert len(np.unique(one.labels)) == 6


@pytest.mark.slow
def test_shapes_have_the_areas_of_geometry():
    """Mean mask area over box area of unturned-or-turned shapes: a circle's is π/4, a ring's π/4·(1 - (0.44/0.92)²)."""
    images = small("shapes", count=2000, objects=1, size=64).load()
    x0, y0, x1, y1, _ = images.boxes[:, 0].T
    share = (images.masks > 0).sum((1, 2)) / ((x1 - x0) * (y1 - y0))
    assert share[images.labels == 0].mean() == pytest.approx(np.pi / 4, abs=0.02)
    assert share[images.labels == 5].mean() == pytest.approx(np.pi / 4 * (1 - (0.44 / 0.92) ** 2), abs=0.02)


def test_labels_of_cells_count_them():
    images = small("cells", count=50).load()
    assert np.array_equal((images.boxes[:, :, 4] >= 0).sum(1), images.labels + 1)
    assert np.isin(images.masks, (0, 1, 2)).all() and (images.masks == 2).any()


def test_cells_are_brighter_than_the_ground():
    images = small("cells", count=50, colour=False, noise=0).load()
    light = images.images[:, 0]
    assert light[images.masks > 0].mean() > 3 * light[images.masks == 0].mean()


@pytest.mark.parametrize("curve", points.CLASSES)
def test_points_without_noise_lie_on_their_curve(curve):
    images = Plane(curve=curve, noise=0).load()
    x, y = images.images.reshape(-1, 2).T.astype(float)
    if curve == "circle":
        assert np.allclose(np.hypot(x - 0.5, y - 0.5), 0.35, atol=1e-6)
    if curve == "sine":
        assert np.allclose(y, 0.5 + 0.3 * np.sin(4 * np.pi * (x - 0.1) / 0.8), atol=1e-5)
    if curve == "spiral":
        angle = np.hypot(x - 0.5, y - 0.5) / 0.08 * np.pi
        assert np.allclose(np.exp(1j * angle), ((x - 0.5) + 1j * (y - 0.5)) / (angle * 0.08 / np.pi), atol=1e-4)
    if curve == "moons":
        assert np.allclose(
            np.hypot(*np.where(images.labels, [x - 0.633333, y - 0.566667], [x - 0.366667, y - 0.433333])),
            0.8 / 3,
            atol=1e-5,
        )
    if curve == "clusters":
        assert ((x + y > 1) == images.labels).mean() > 0.99


def test_noise_in_the_plane_has_its_deviation():
    calm, noisy = Plane("circle", 0, 20000).load().images, Plane("circle", 0.02, 20000).load().images
    assert (noisy - calm).std() == pytest.approx(0.02, rel=0.02)


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Trouble, match="scikit-learn"):
        datasets["digits"]().load()


def test_there_is_always_ink_and_nothing_is_cut_off():
    images = small("glyphs", count=500, alphabet="all", background=False).load().images[:, 0]
    assert (images.max((1, 2)) > 200).all()
    edge = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], 1)
    assert (edge.max(1) > 128).mean() < 0.02


# Downloaded ones, read from local copies


def unpacked(path: Path, header: int) -> np.ndarray:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_mnist_equals_its_files(name, folder, own_home, monkeypatch):
    """All images and labels, but for their order; and that both are in the same order."""
    raw = real(folder) / "raw"
    monkeypatch.setenv("PLAYGROUND_DATASETS", str(REAL))
    images = datasets[name](count=2000).load()
    check(datasets[name](), images)
    assert len(images.train) == 2000 and len(images.held_out) == 500
    everything = datasets[name]().load()
    for part, file in ((everything.train, "train"), (everything.held_out, "t10k")):
        pixels = unpacked(raw / f"{file}-images-idx3-ubyte.gz", 16).reshape(len(part), 784)
        labels = unpacked(raw / f"{file}-labels-idx1-ubyte.gz", 8)
        truth = np.concatenate([pixels, labels[:, None]], 1)
        ours = np.concatenate([everything.images[part].reshape(-1, 784), everything.labels[part, None]], 1)
        assert sorted(map(bytes, ours.astype(np.uint8))) == sorted(map(bytes, truth))


def test_pets_have_their_masks(own_home, monkeypatch):
    from PIL import Image

    root = real("oxford-iiit-pet")
    monkeypatch.setenv("PLAYGROUND_DATASETS", str(REAL))
    dataset = datasets["oxford-pets"]()
    images = dataset.load()
    check(dataset, images)
    names = [line.split() for line in (root / "annotations/trainval.txt").read_text().splitlines() if line.strip()]
    order = np.random.default_rng(0).permutation(len(names))
    for i in range(3):
        name, _, species, _ = names[order[i]]
        trimap = np.asarray(Image.open(root / f"annotations/trimaps/{name}.png"))
        side = min(trimap.shape)
        top, left = ((n - side) // 2 for n in trimap.shape)
        square = trimap[top : top + side, left : left + side]
        for value, mask in ((1, 1), (2, 0), (3, 2)):
            assert (images.masks[i] == mask).mean() == pytest.approx((square == value).mean(), abs=0.02)
        assert images.labels[i] == int(species) - 1
    assert replace(dataset, size=32).load().images.shape[-2:] == (32, 32)
