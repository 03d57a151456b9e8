"""Zips and folders of pictures: what is bad is named in a sentence, what is good is kept, nothing is ever unpacked."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import images
from playground.events import Trouble
from playground.images import read_archive, read_folder


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def unzipped(data: bytes) -> tuple[dict, list[str]]:
    problems: list[str] = []
    return dict(read_archive(data, "x.zip", problems)), problems


def test_an_archive_gives_its_files_and_leaves_out_litter():
    files = {"a/1.png": b"1", "a/b/2.png": b"2", "__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "Thumbs.db": b"x"}
    assert unzipped(zipped(**files)) == ({"a/1.png": b"1", "a/b/2.png": b"2"}, [])


@pytest.mark.parametrize("path", ["../up.png", "a/../../up.png", "/root.png", "C:/x.png", "..\\up.png", "\\x.png"])
def test_paths_that_lead_out_are_named_and_the_rest_kept(path):
    files, problems = unzipped(zipped(**{path: b"bad", "good.png": b"good"}))
    assert files == {"good.png": b"good"} and len(problems) == 1
    assert problems == [f"{path!r} in x.zip has a path that leads out of the archive."]


def test_links_and_damage_are_named_and_the_rest_kept():
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("hurt.png", b"hurt" * 10)
        archive.writestr("good.png", b"good")
    data = file.getvalue().replace(b"hurthurt", b"hurtHURT", 1)
    files, problems = unzipped(data)
    assert files == {"good.png": b"good"}
    assert problems == ["'link.png' in x.zip is a link, not a file.", "'hurt.png' in x.zip is damaged."]


def test_an_encrypted_file_is_named():
    data = bytearray(zipped(a=b"1"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert unzipped(bytes(data)) == ({}, ["'a' in x.zip is encrypted."])


def test_a_zip_bomb_is_named_and_the_rest_kept():
    files, problems = unzipped(zipped(first=b"1", bomb=bytes(60_000_000), last=b"2"))
    assert files == {"first": b"1", "last": b"2"}
    assert problems == ["'bomb' in x.zip unpacks to far too many bytes."]


def test_headers_that_lie_about_the_size_do_not_help(monkeypatch):
    data = bytearray(zipped(bomb=bytes(60_000_000)))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 100)
    files, problems = unzipped(bytes(data))
    assert len(problems) == 1 or all(len(data) <= 100 for data in files.values())


def test_many_middling_files_stop_at_the_whole(monkeypatch):
    monkeypatch.setattr(images, "MAX_UNPACKED", 3 * images.MEGA)
    rng = np.random.default_rng(0)
    files, problems = unzipped(zipped(**{str(i): rng.bytes(images.MEGA) for i in range(5)}))
    assert list(files) == ["0", "1", "2"]
    assert problems == ["x.zip unpacks to more than 3 MB: the rest was left out."]


def test_too_many_entries_are_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_ENTRIES", 10)
    with pytest.raises(Trouble, match="x.zip holds more than 10 files"):
        unzipped(zipped(**{str(i): b"" for i in range(11)}))


# Named by hand: a zip holds the time of its making, and two processes must call a test by one name.
NO_ZIPS = {"empty": b"", "signature": b"PK\x03\x04", "text": b"no zip" * 100, "cut": zipped(a=b"1" * 1000)[:-30]}


@pytest.mark.parametrize("data", NO_ZIPS.values(), ids=NO_ZIPS.keys())
def test_what_is_no_zip_is_one_sentence(data):
    with pytest.raises(Trouble, match=r"^x.zip is not a zip file, or is cut off\.$"):
        unzipped(data)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_zips_never_raise_anything_else(data):
    raw = bytearray(zipped(**{"a/1.png": b"one" * 30, "b": b"two"}))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        unzipped(bytes(raw))
    except Trouble as trouble:
        assert "x.zip" in str(trouble)


def test_a_folder_gives_its_files_by_name(tmp_path):
    for path in ("b/2.png", "a/1.png", ".hidden/3.png", "a/.4.png"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    os.symlink("/etc/hostname", tmp_path / "link.png")
    assert list(read_folder(tmp_path, [])) == [("a/1.png", b"a/1.png"), ("b/2.png", b"b/2.png")]


def test_an_empty_or_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(Trouble, match=r"^The folder .* is empty\.$"):
        list(read_folder(tmp_path, []))
    with pytest.raises(Trouble, match="^There is no folder "):
        list(read_folder(tmp_path / "none", []))
    with pytest.raises(Trouble, match=r"^x.zip is empty\.$"):
        unzipped(zipped())
