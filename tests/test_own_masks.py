"""One's own pictures with masks: paired by name, classes by value, and what does not fit named in a sentence."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from playground.data._masks import Mask, indices, nearest, read_mask, square
from playground.data.own import Imported, Own, import_images, imported
from playground.events import Trouble
from tests.test_own_images import own_home, png, zipped  # noqa: F401  (a fixture)

SIDE = 16
HALF = np.repeat(np.array([[0], [1]], np.uint8), SIDE // 2, 0).repeat(SIDE, 1)  # the lower half is 1


def grey(values: np.ndarray) -> bytes:
    return saved(Image.fromarray(values.astype(np.uint8)))


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def palette(values: np.ndarray) -> bytes:
    picture = Image.fromarray(values.astype(np.uint8), "P")
    picture.putpalette([0, 0, 0, 200, 30, 30, 30, 200, 30, 30, 30, 200])
    return saved(picture)


def colours(values: np.ndarray) -> bytes:
    return saved(Image.fromarray(np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[values]))


def square_png() -> bytes:
    return png(size=(SIDE, SIDE))


@pytest.mark.parametrize(("make", "names"), [
    (lambda half: grey(255 * half), ("grey 0", "grey 255")),
    (lambda half: palette(3 * half), ("index 0", "index 3")),
    (lambda half: colours(1 - half), ("#0000ff", "#ff0000")),
    (lambda half: saved(Image.fromarray(half.astype(bool))), ("grey 0", "grey 1")),
])
@pytest.mark.parametrize("way", ["endings", "folders", "zip"])
def test_masks_are_paired_by_name_whatever_their_values(way, make, names):
    files = {f"{i}.png": square_png() for i in range(3)} | {f"{i}_mask.png": make(HALF) for i in range(3)}
    if way != "endings":
        files = {f"set/{'masks' if 'mask' in name else 'images'}/{name.replace('_mask', '')}": data
                 for name, data in sorted(files.items(), reverse=True)}  # fmt: skip
    source = [("set.zip", zipped(files))] if way == "zip" else list(files.items())
    assert import_images(source, "mine") == Imported("mine", 3, [])
    own = Own("mine", size=SIDE)
    images = own.load()
    assert own.mask_classes == names
    assert images.masks is not None and np.array_equal(images.masks, np.broadcast_to(HALF, (3, SIDE, SIDE)))
    assert images.classes == (("mine",) if way == "endings" else ("set",))


def test_what_does_not_match_is_left_out_with_a_sentence_and_the_rest_is_kept():
    good = {f"images/{i}.png": square_png() for i in range(2)} | {f"masks/{i}.png": grey(HALF) for i in range(2)}
    noise = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    bad = {"images/large.png": png(size=(20, 30)), "masks/large.png": grey(HALF), "images/lone.png": square_png(),
           "masks/nobody.png": grey(HALF), "images/noisy.png": square_png(), "masks/noisy.png": grey(noise),
           "images/cut.png": square_png()[:50]}  # fmt: skip
    done = import_images(list((bad | good).items()), "mine")
    assert done.count == 2 and sorted(done.problems) == [
        "images/cut.png is damaged or cut off.",
        "images/lone.png has no mask of its name, so it was left out.",
        "masks/large.png has 16 × 16 pixels and its picture 20 × 30, so both were left out.",
        "masks/nobody.png is a mask of no picture, so it was left out.",
        "masks/noisy.png has 256 different values, and there can be 16 classes: save masks as PNG, one value or colour "
        "for each class, without smoothing.",
    ]
    assert Own("mine", size=SIDE).load().masks.shape == (2, SIDE, SIDE)


@pytest.mark.parametrize(("masks", "words"), [
    ([grey(HALF), palette(HALF)], "Some masks have grey and others index values"),
    ([grey(0 * HALF), grey(0 * HALF)], "nothing to tell apart"),
    ([grey(HALF * i) for i in range(1, 21)], "21 different values, and there can be 16"),
    ([grey(HALF[:, :5])] * 2, "two pictures with masks at least, and there are 0: b0_mask.png has 5 × 16 pixels"),
])  # fmt: skip
def test_masks_that_cannot_be_learnt_are_one_sentence_and_the_old_set_stays(masks, words):
    import_images([("a.png", png()), ("b.png", png())], "mine")
    files = [(f"b{i}.png", square_png()) for i in range(len(masks))]
    files += [(f"b{i}_mask.png", mask) for i, mask in enumerate(masks)]
    with pytest.raises(Trouble, match=words):
        import_images(files, "mine")
    assert imported() == ("mine",) and len(Own("mine").load().labels) == 2 and Own("mine").mask_classes == ()


def test_masks_without_any_picture_are_pictures_and_that_is_said():
    done = import_images([("masks/a.png", png()), ("masks/b.png", png())], "mine")
    assert done == Imported("mine", 2, ["No mask has the name of a picture, so all files were taken for pictures."])
    assert Own("mine").load().masks is None and Own("mine").load().classes == ("masks",)


def test_a_large_pair_is_made_smaller_together_and_classes_stay_classes():
    values = np.random.default_rng(0).integers(0, 3, (40, 1000))
    files = [(f"{i}.png", png(size=(1000, 40))) for i in range(2)] + [(f"{i}_mask.png", grey(values)) for i in range(2)]
    assert import_images(files, "mine").problems == []
    masks = Own("mine", size=16).load().masks
    assert masks.shape == (2, 16, 16) and set(np.unique(masks)) == {0, 1, 2}


def test_the_square_of_a_mask_is_that_of_its_picture():
    from playground.images import fit

    half = np.zeros((30, 50), np.uint8)
    half[:, 25:] = 255
    assert np.array_equal(square(half, 10), 255 * (fit(half[None], 10, colour=False)[0] > 127))
    assert np.array_equal(nearest(half, 30, 50), half) and nearest(half, 1, 2).tolist() == [[0, 255]]


def test_a_mask_for_a_model_is_its_classes_or_in_their_order():
    grey_mask = Mask(HALF, (0, 255), "grey")
    assert np.array_equal(indices(grey_mask, 3, "m"), HALF)
    assert np.array_equal(indices(Mask(HALF, (0, 2), "index"), 3, "m"), 2 * HALF)
    with pytest.raises(Trouble, match="m has 2 different values, and the model knows 1"):
        indices(grey_mask, 1, "m")
    assert read_mask(palette(3 * HALF), "m").names == ("index 0", "index 3")


def test_one_set_in_two_folders_of_classes_keeps_them():
    files = [(f"images/{kind}/{i}.png", square_png()) for kind in ("cats", "dogs") for i in range(2)]
    files += [(path.replace("images", "masks"), grey(HALF)) for path, _ in files]
    assert import_images(files, "mine").problems == []
    assert Own("mine").load().classes == ("cats", "dogs")
