"""Uploads that mean harm: `python -m benchmarks.fuzzing [COUNT [SEED]]` hands mutants to what reads what people bring.

Each must end in an answer or in one sentence (Trouble), within bounded memory and time, and without writing outside the
data folder, running a program, opening a connection or unpickling, which Python's audit events tell.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

SHARES = {"picture": 0.4, "zip": 0.2, "link": 0.15, "checkpoint": 0.15, "aec": 0.1}
COUNT = 10_000
MOST_MEGABYTES, MOST_SECONDS = 1500, 10.0  # of one case: 50 million pixels, read as a picture and as a mask
ROOM = 4_000_000_000  # bytes of addresses that a worker may take beyond what it begins with
HARM = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "socket.connect",
        "pickle.find_class", "marshal.loads", "ctypes.dlopen", "os.symlink", "os.link", "os.chmod")  # fmt: skip
WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree", "shutil.move")


@dataclass(frozen=True)
class Case:
    """How one mutant ended. end: "answer", "refused" or "fault". said: the sentence, or what went wrong.

    megabytes: beyond what the process held before, at most. seconds: of the processor.
    """

    kind: str
    number: int
    end: str
    said: str
    megabytes: float
    seconds: float


class Watch:
    """Hears of everything that a case must not do; one a process, since audit hooks stay."""

    def __init__(self) -> None:
        self.allowed: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, folder: Path) -> Iterator[list[str]]:
        self.allowed, self.seen = folder.resolve(), []
        try:
            yield self.seen
        finally:
            self.allowed = None

    def _hear(self, event: str, told: tuple) -> None:
        if self.allowed is None:
            return
        if event in HARM and not (event == "marshal.loads" and "importlib" in sys._getframe(1).f_code.co_filename):
            self.seen.append(f"{event} {told!r:.80}")
        elif event in WRITES or (event == "open" and _is_writing(*told)):
            paths = told[:2] if event in ("os.rename", "shutil.move") else told[:1]
            base = told[1] if event in ("os.remove", "os.rmdir") else -1  # a folder that is open, which a path is in
            self.seen += [f"{event} {path!r}" for path in paths
                          if isinstance(path, str | bytes | os.PathLike) and not self._within(path, base)]  # fmt: skip

    def _within(self, path: Any, base: int) -> bool:
        assert self.allowed is not None
        folder = Path() if base < 0 else Path(f"/proc/self/fd/{base}")
        return (folder / os.fsdecode(path)).resolve().is_relative_to(self.allowed)


def _is_writing(path: Any, mode: str | None, flags: int) -> bool:
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)) or any(c in (mode or "") for c in "wax+")


class Target:
    """The functions that what people bring goes through, in a data folder of their own."""

    def __init__(self, home: Path):
        from playground import checkpoint
        from playground.checkpoint import Checkpoint
        from playground.compressor import Compressor
        from playground.experiment import Experiment, formulas
        from playground.workbench import Workbench

        os.environ["PLAYGROUND_HOME"] = str(home)
        (home / "runs").mkdir(exist_ok=True)
        self.home, self.bench = home, Workbench(home, "cpu")
        self.compressor = Compressor(self.bench)
        queries = ("architecture.width=8&architecture.code=2", "variant=sparse&architecture.width=8",
                   "task=inpaint&architecture=unet&architecture.width=4&architecture.depth=1")
        self.models = []
        for query in queries:
            made = Experiment.from_query(query)[0]
            tensors = {f"model.{name}": value for name, value in made.build(made.data.shape).state_dict().items()}
            about = {"history": [[1, *[0.5] * (1 + len(formulas(made)))]], "metrics": {"psnr": 20.0}, "status": "done"}
            checkpoint.save(home / "model.safetensors", Checkpoint(made, 1, made.data.shape, tensors, about))
            self.models.append(_sorted((home / "model.safetensors").read_bytes()))
        draw = np.random.default_rng(0)
        self.packed = []
        for sizes, bits in (((1, 8, 8), 4), ((3, 20, 9), 8), ((1, 8, 8), 32)):
            several = [draw.integers(0, 256, sizes, dtype=np.uint8) for _ in range(3 if bits < 32 else 1)]
            self.packed.append(asyncio.run(self.compressor.compress("compress-digits", several, bits)).data)

    def close(self) -> None:
        self.bench.close()

    def made(self, kind: str, by: Random) -> bytes:
        from benchmarks import mutants

        if kind == "checkpoint":
            return mutants.hurt_model(by.choice(self.models), by)
        if kind == "aec":
            return mutants.hurt_codes(by.choice(self.packed), by)
        make: dict[str, Callable[[Random], bytes]] = {
            "picture": mutants.picture, "zip": mutants.archive, "link": mutants.link}  # fmt: skip
        return make[kind](by)

    def take(self, kind: str, data: bytes) -> None:
        """Do with it all that is done with what people bring; Trouble where it is refused."""
        getattr(self, f"_{kind}")(data)

    def _picture(self, data: bytes) -> None:
        from playground import masks
        from playground.data._masks import read_mask
        from playground.events import Trouble
        from playground.images import fit, read_image, to_png

        image = read_image(data, "a picture")
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[0] in (1, 3), image.shape
        to_png(fit(image, 64, True))
        if image[0].size < 1_000_000:
            masks.pictured(image)
        with suppress(Trouble):  # few pictures are masks as well
            read_mask(data, "a mask")

    def _zip(self, data: bytes) -> None:
        from playground.data.own import Own, import_images

        assert import_images([("a.zip", data)], "mine").count >= 2
        Own(pictures="mine", size=16).load()

    def _link(self, data: bytes) -> None:
        from playground.experiment import Experiment, formulas, plan
        from playground.probes.maps import MapKnobs

        query = data.decode("utf-8", "replace")
        made, problems = Experiment.from_query(query)
        assert Experiment.from_query(made.to_query()) == (made, []), "its own link is another experiment"
        assert Experiment.from_json(made.to_json()) == made
        assert plan(made) and formulas(made) and made.title and all(isinstance(one, str) for one in problems)
        MapKnobs.asked(dict(parse_qsl(query)))

    def _checkpoint(self, data: bytes) -> None:
        import torch

        from playground import checkpoint, incoming
        from playground.events import Trouble

        path = self.home / "runs" / "brought.safetensors"
        path.write_bytes(data)  # as if it lay there already: files are read with less suspicion than uploads
        assert self.bench.library.find("brought") is None or len(self.bench.library.saved()) == 1
        with suppress(Trouble):
            checkpoint.load(path).model()
        path.unlink()
        read = incoming.read(data, "a model")
        model = read.model()
        with torch.no_grad():
            model(model.prepared(torch.zeros(1, *read.shape)))
        added = self.bench.library.add(read)
        assert self.bench.library.load(added).step == read.step
        self.bench.library.delete(added)

    def _aec(self, data: bytes) -> None:
        from playground import aec

        aec.read(data)
        assert all(picture.dtype == np.uint8 for picture in asyncio.run(self.compressor.decompress(data)))


def tried(target: Target, watch: Watch, kind: str, number: int, seed: int) -> Case:
    """One mutant, made and handed over."""
    from playground.events import Trouble

    data = target.made(kind, Random(f"{seed} {kind} {number}"))
    _forget_peak()
    before, began = _status("VmRSS"), time.process_time()
    end, said = "answer", ""
    with watch.over(target.home) as seen:
        try:
            target.take(kind, data)
        except Trouble as trouble:
            end, said = "refused", str(trouble)
            if "\n" in said or not said.endswith((".", "…")) or len(said) > 20_000:
                end = "fault"
        except Exception as error:
            end, said = "fault", f"{type(error).__name__}: {error}"
    seconds, megabytes = time.process_time() - began, (_status("VmHWM") - before) / 1e6
    if seen:
        end, said = "fault", "; ".join(seen)
    elif megabytes > MOST_MEGABYTES or seconds > MOST_SECONDS:
        end, said = "fault", f"took {megabytes:,.0f} MB and {seconds:.1f} s; {end}: {said}"
    return Case(kind, number, end, said[:400], megabytes, seconds)


def _sorted(data: bytes) -> bytes:
    """A safetensors file whose header has its names in order, which its writer leaves to chance."""
    size = int.from_bytes(data[:8], "little")
    head = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True).encode()
    return len(head).to_bytes(8, "little") + head + data[8 + size :]


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # not Linux: the peak is then that of all cases so far


def _status(name: str) -> int:
    """Bytes of memory as /proc tells them: VmRSS held now, VmHWM at most."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def numbers(count: int) -> dict[str, int]:
    return {kind: round(share * count) for kind, share in SHARES.items()}


# Processes -----------------------------------------------------------------------------------------------------------


def work(kind: str, first: int, last: int, seed: int) -> None:
    """What a worker does: a line of JSON before each case and one after it."""
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        target, watch = Target(Path(folder)), Watch()
        held = _status("VmSize")
        resource.setrlimit(resource.RLIMIT_AS, (held + ROOM, held + ROOM))
        for number in range(first, last):
            print(json.dumps({"number": number}), flush=True)
            print(json.dumps(asdict(tried(target, watch, kind, number, seed))), flush=True)
        target.close()


def cases(kind: str, count: int, seed: int) -> Iterator[Case]:
    """All cases of a kind, by workers of which the next goes on where one crashed."""
    first = 0
    while first < count:
        command = [sys.executable, "-m", "benchmarks.fuzzing", "--work", kind, str(first), str(count), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            for line in worker.stdout:
                told = json.loads(line)
                if "kind" in told:
                    yield Case(**told)
                first = told["number"] + ("kind" in told)
        if first < count:
            yield Case(kind, first, "fault", f"the process ended with {worker.returncode}", 0.0, 0.0)
            first += 1


def main(count: int = COUNT, seed: int = 0) -> int:
    """Try them all and print a table; 1 where one did what it must not."""
    faults: list[Case] = []
    print("| kind | mutants | answered | refused | most MB | most seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind, many in numbers(count).items():
        done = list(cases(kind, many, seed))
        ends = Counter(case.end for case in done)
        print(f"| {kind} | {len(done):,} | {ends['answer']:,} | {ends['refused']:,} "
              f"| {max(case.megabytes for case in done):,.0f} | {max(case.seconds for case in done):.2f} |", flush=True)
        faults += [case for case in done if case.end == "fault"]
    for case in faults:
        print(f"FAULT {case.kind} {case.number}: {case.said}")
    print(f"{len(faults)} faults; seed {seed}")
    return bool(faults)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], *map(int, sys.argv[3:6]))
    else:
        sys.exit(main(*map(int, sys.argv[1:3])))
