"""One's own pictures: imported from folders, zips and files, named problems, and loaded as a data set."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from playground.data import datasets
from playground.data.own import Imported, Own, import_images, imported, safe_name
from playground.events import Trouble
from playground.home import home


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))


def png(colour=(255, 0, 0), size=(40, 30), mode="RGB", kind="PNG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


COLOURS = {"cats": (255, 0, 0), "dogs": (0, 0, 255)}
PETS = {f"pets/{animal}/{i}.png": png(colour) for animal, colour in COLOURS.items() for i in range(3)}


def as_folder(tmp_path, files):
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path / "pets"


@pytest.mark.parametrize("way", ["folder", "zip path", "zip", "files"])
def test_the_class_is_the_folder_whatever_the_way(way, tmp_path):
    if way == "folder":
        source = as_folder(tmp_path, PETS)
    elif way == "zip path":
        source = tmp_path / "pets.zip"
        source.write_bytes(zipped(PETS))
    else:
        source = [("pets.zip", zipped(PETS))] if way == "zip" else list(PETS.items())
    assert import_images(source, "pets") == Imported("pets", 6, [])
    images = Own("pets", size=16).load()
    assert images.classes == ("cats", "dogs") and images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.images.shape == (6, 3, 16, 16) and images.images.flags.c_contiguous
    truth = np.array([COLOURS[images.classes[label]] for label in images.labels])
    assert np.array_equal(images.images, np.broadcast_to(truth[:, :, None, None], images.images.shape))
    assert sorted([*images.train, *images.held_out]) == list(range(6)) and len(images.held_out) == 1
    assert (
        Own("pets", size=9, colour=False).load().images.shape == (6, 1, 9, 9) == (6, *Own(size=9, colour=False).shape)
    )


def test_without_folders_there_is_one_class():
    import_images([("a.png", png()), ("b.png", png())], "mine")
    images = Own("mine").load()
    assert images.classes == ("mine",) and images.labels.tolist() == [0, 0]


def test_pictures_beside_folders_are_unsorted():
    import_images([("a.png", png()), ("cats/b.png", png()), ("cats/c.png", png())], "mine")
    assert Own("mine").load().classes == ("unsorted", "cats")


def test_every_format_and_shape_together():
    files = [(f"{kind}.x", png(kind=kind)) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")]
    files += [("one.png", png(size=(1, 1))), ("long.png", png(size=(3000, 2))), ("grey.png", png(9, mode="L"))]
    files += [("cmyk.tif", png((0, 255, 255, 0), mode="CMYK", kind="TIFF"))]
    assert import_images(files, "mine") == Imported("mine", 10, [])
    assert Own("mine", size=8).load().images.shape == (10, 3, 8, 8)
    kept = [Image.open(path).size for path in (home() / "images" / "mine").glob("*.png")]
    assert len(kept) == 10 and max(map(max, kept)) == 512


def test_the_good_are_kept_and_the_bad_named():
    inner = zipped({"../up.png": png(), "ok.png": png(), "notes.txt": b"hello"})
    done = import_images([("a.png", png()), ("cut.png", png()[:60]), ("b.zip", inner), ("bad.zip", b"PK")], "mine")
    assert done.count == 2 and done.problems == [
        "cut.png is damaged or cut off.",
        "'../up.png' in b.zip has a path that leads out of the archive.",
        "notes.txt is not a PNG, JPEG, WebP, BMP, GIF or TIFF image.",
        "bad.zip is not a zip file, or is cut off.",
    ]


def test_nothing_to_keep_is_one_sentence_and_leaves_no_trace(tmp_path):
    (tmp_path / "none").mkdir()
    for source, words in (
        (tmp_path / "none", "^The folder .*none is empty.$"),
        ([("a.txt", b"hello")], "^a.txt is not a PNG"),
        ([("a.png", png())], "^A data set needs two pictures at least, and 1 could be read.$"),
        ([("a.txt", b"x"), ("b.txt", b"y")], "and 0 could be read: a.txt is not a PNG"),
        ([], "and 0 could be read.$"),
    ):
        with pytest.raises(Trouble, match=words):
            import_images(source, "mine")
    assert imported() == () and not list((home() / "images").iterdir())


def test_importing_again_replaces_and_a_failure_does_not():
    import_images(list(PETS.items()), "mine")
    import_images([("a.png", png()), ("b.png", png())], "mine")
    assert len(Own("mine").load().labels) == 2
    with pytest.raises(Trouble):
        import_images([("a.png", b"")], "mine")
    assert len(Own("mine").load().labels) == 2 and imported() == ("mine",)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/x", "A", "a b", ".x", "x" * 65, "a\n", "ä"])
def test_only_safe_names(name):
    with pytest.raises(Trouble, match="cannot name a set of pictures"):
        import_images([("a.png", png()), ("b.png", png())], name)
    with pytest.raises(Trouble, match="cannot name a set of pictures"):
        Own(name).load()
    assert import_images([("a.png", png()), ("b.png", png())], safe_name(name)).count == 2


def test_what_is_not_there_or_damaged_is_one_sentence():
    with pytest.raises(Trouble, match="There are no pictures called 'mine' yet"):
        datasets["own"]().load()
    import_images(list(PETS.items()), "mine")
    index = home() / "images" / "mine" / "index.json"
    for text in ("{", "[]", '{"classes": [], "labels": [0, 1]}', '{"classes": ["a"], "labels": "x"}'):
        index.write_text(text)
        with pytest.raises(Trouble, match="are damaged: bring them again"):
            Own("mine").load()
    index.write_text(json.dumps({"classes": ["a"], "labels": [0] * 9}))
    with pytest.raises(Trouble, match="^00006.png cannot be read"):
        Own("mine").load()


def test_too_much_for_memory_is_one_sentence(monkeypatch):
    import_images(list(PETS.items()), "mine")
    monkeypatch.setattr("playground.data.own.MAX_LOADED", 1000)
    with pytest.raises(Trouble, match="choose a smaller size"):
        Own("mine").load()


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "file"))
    with pytest.raises(Trouble, match="^The folder .*file cannot be made: "):
        Own("mine").load()


def test_the_seed_decides_the_split():
    import_images(list(PETS.items()), "mine")
    held_out = {int(Own("mine", seed=seed).load().held_out[0]) for seed in range(8)}
    assert len(held_out) > 1
    assert np.array_equal(Own("mine", seed=3).load().train, Own("mine", seed=3).load().train)
