"""Downloads: progress, resuming after a cut, checksums, mirrors, and the sentence when there is no network."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import re
import socket
import struct
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from playground.data import datasets, nothing
from playground.data._download import alone, download
from playground.data._torchvision import read_idx
from playground.events import Trouble

DATA = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(DATA).hexdigest()


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves the server's `files`; cuts each of the first `cuts` connections off after 300 kB."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = 0
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted and self.server.ranges:
            start = int(wanted[1])
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.server.cuts > 0:
            self.server.cuts -= 1
            self.wfile.write(data[start : start + 300_000])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.files, server.cuts, server.ranges, server.asked = {"/a.bin": DATA}, 0, True, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def nobody() -> str:
    """An address where no server listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_a_file_comes_with_progress_and_only_once(mirror, tmp_path):
    heard = []
    for _ in range(2):
        download([mirror.url + "a.bin"], tmp_path / "x" / "a.bin", MD5, "A", lambda *said: heard.append(said))
    assert (tmp_path / "x" / "a.bin").read_bytes() == DATA and len(mirror.asked) == 1
    fractions = [fraction for _, fraction in heard if fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] == 1 and len(fractions) > 2
    assert heard[0][0] == "Downloading A: a.bin" and not list(tmp_path.rglob("*.part"))


def test_a_cut_connection_is_resumed(mirror, tmp_path):
    mirror.cuts = 2
    download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", nothing, pause=0)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert mirror.asked == [None, "bytes=300000-", "bytes=600000-"]


def test_an_interrupted_download_goes_on_later(mirror, tmp_path):
    def impatient(reason, fraction):
        if fraction and fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", impatient)
    have = (tmp_path / "a.bin.part").stat().st_size
    assert 400_000 < have < 1_000_000
    download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", nothing)
    assert mirror.asked[-1] == f"bytes={have}-" and (tmp_path / "a.bin").read_bytes() == DATA


def test_a_server_without_ranges_starts_over(mirror, tmp_path):
    mirror.cuts, mirror.ranges = 1, False
    download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", nothing, pause=0)
    assert (tmp_path / "a.bin").read_bytes() == DATA


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 5), DATA])
def test_what_lies_there_from_before_does_no_harm(mirror, tmp_path, left):
    (tmp_path / "a.bin.part").write_bytes(left)
    download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", nothing)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_wrong_checksum_is_one_sentence_and_leaves_nothing(mirror, tmp_path):
    with pytest.raises(Trouble, match=r"^Moons arrived damaged \(a.bin has a wrong checksum\): try again later\.$"):
        download([mirror.url + "a.bin"], tmp_path / "a.bin", "0" * 32, "Moons", nothing)
    assert not list(tmp_path.iterdir())


def test_no_server_is_one_sentence_at_once(tmp_path):
    with pytest.raises(Trouble, match=r"^Moons has to be downloaded, but there is no network or .* not answer\.$"):
        download([nobody() + "a.bin"], tmp_path / "a.bin", MD5, "Moons", nothing, pause=60)


def test_the_second_mirror_stands_in(mirror, tmp_path):
    urls = [nobody() + "a.bin", mirror.url + "missing.bin", mirror.url + "a.bin"]
    download(urls, tmp_path / "a.bin", MD5, "A", nothing)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_folder_that_cannot_be_written_is_said(mirror, tmp_path):
    (tmp_path / "a.bin.part").mkdir()
    with pytest.raises(Trouble, match="A cannot be stored"):
        download([mirror.url + "a.bin"], tmp_path / "a.bin", MD5, "A", nothing)


def test_two_runs_do_not_fetch_into_one_another(tmp_path):
    pytest.importorskip("fcntl")
    heard, inside = [], threading.Event()
    released = threading.Event()

    def first():
        with alone(tmp_path, "A", nothing):
            inside.set()
            released.wait(10)

    def waiting(reason, fraction):
        heard.append(reason)
        released.set()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    with alone(tmp_path, "A", waiting):
        assert heard == ["Waiting for another run that fetches A"] and released.is_set()
    thread.join()


def idx(array: np.ndarray) -> bytes:
    """A uint8 array in the IDX format of MNIST, compressed."""
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture
def small_kmnist(mirror, tmp_path, monkeypatch):
    """torchvision's class, looking for a tiny KMNIST at the local server."""
    import torchvision

    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_DATASETS", raising=False)
    rng = np.random.default_rng(1)
    arrays, resources = {}, []
    for part, m in (("train", 60), ("t10k", 12)):
        for kind, shape, top in (("images-idx3", (m, 28, 28), 256), ("labels-idx1", (m,), 10)):
            name = f"{part}-{kind}-ubyte.gz"
            arrays[name] = rng.integers(top, size=shape, dtype=np.uint8)
            mirror.files["/" + name] = idx(arrays[name])
            resources.append((name, hashlib.md5(mirror.files["/" + name]).hexdigest()))
    monkeypatch.setattr(torchvision.datasets.KMNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.KMNIST, "mirrors", [nobody(), mirror.url])
    return types.SimpleNamespace(arrays=arrays, folder=tmp_path / "data" / "KMNIST")


def test_a_torchvision_set_from_first_use_to_second(small_kmnist, mirror):
    kmnist = datasets["kmnist"]()
    assert not kmnist.at_hand
    first = kmnist.load()
    assert kmnist.at_hand
    asked = len(mirror.asked)
    assert asked == 4 and len(first.train) == 60 and len(first.held_out) == 12
    pixels = first.images[first.held_out].reshape(12, -1)
    truth = small_kmnist.arrays["t10k-images-idx3-ubyte.gz"].reshape(12, -1)
    assert sorted(map(bytes, pixels)) == sorted(map(bytes, truth))
    assert np.array_equal(kmnist.load().images, first.images) and len(mirror.asked) == asked


def test_an_interrupted_unpacking_is_done_again(small_kmnist, mirror):
    first = datasets["kmnist"]().load()
    asked = len(mirror.asked)
    (small_kmnist.folder / "raw" / "train-images-idx3-ubyte").write_bytes(b"half")
    (small_kmnist.folder / ".unpacking").touch()
    assert np.array_equal(datasets["kmnist"]().load().images, first.images) and len(mirror.asked) == asked


def test_unpacked_files_are_read_without_torchvision(small_kmnist):
    first = datasets["kmnist"]().load()
    script = "import sys; from playground.data import datasets; s = datasets['kmnist']().load(); " \
             "print(len(s.images), int(s.images.sum()), 'torchvision' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(len(first.images)), str(first.images.sum()), "False"]


@pytest.mark.parametrize("spoilt", [b"", b"\0\0\x08", b"\0\0\x08\x01\0\0\0\x05abc", b"\0\0\x0d\x01\0\0\0\x03abc"])
def test_a_file_that_is_no_idx_is_refused(tmp_path, spoilt):
    (tmp_path / "a").write_bytes(spoilt)
    with pytest.raises(ValueError):
        read_idx(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef")
    assert read_idx(tmp_path / "b").tolist() == [[97, 98, 99], [100, 101, 102]]


def test_no_network_is_one_sentence(tmp_path, monkeypatch):
    import torchvision

    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_DATASETS", raising=False)
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", nobody() + "c.tar.gz")
    pets = [(nobody() + "images.tar.gz", MD5)]
    monkeypatch.setattr(torchvision.datasets.OxfordIIITPet, "_RESOURCES", pets)
    for name in ("cifar10", "oxford-pets"):
        with pytest.raises(Trouble, match="there is no network or its server does not answer"):
            datasets[name]().load()
        assert not datasets[name]().at_hand
