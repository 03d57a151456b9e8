"""Explorer: what can be asked of a model's latent space, for any run or shipped model; the object that faces call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from playground.batches import Resident
from playground.events import Frame, Trouble
from playground.filmed import film_of
from playground.kept import Kept
from playground.model import Autoencoder
from playground.portions import portions
from playground.probes import codes as probing
from playground.probes import film as filming
from playground.probes import fitting, maps
from playground.probes import scores as scoring
from playground.probes.codes import Codes
from playground.probes.maps import Map, MapKnobs, Neighbourly
from playground.workbench import Workbench

SHEET = 2048  # pixels a side of the decoded grid at most
GALLERY = 4000  # training images that held-out ones are looked for among
SPACES, MODELS, MAPS, SHEETS = 100, 100, 100, 60  # results kept: a class looks at as many maps at once
SPACES_BYTES, MODELS_BYTES, MAPS_BYTES, SHEETS_BYTES = 40e6, 40e6, 80e6, 40e6  # of each kind together
MOST_WAITING = 60  # fits in the queue: a class whose runs end together
FORGOTTEN = 30.0  # seconds after which a fit that waits, and that nobody asks for any more, is not begun


@dataclass(frozen=True, eq=False)
class Space:
    """The latent space of a model with one set of weights, as a sample of codes shows it."""

    name: str
    digest: str
    model: Autoencoder
    resident: Resident
    codes: Codes

    @property
    def key(self) -> tuple:
        return self.digest, self.resident.source, len(self.codes.codes)


@dataclass(eq=False)
class Fit:
    """A UMAP being fitted. problem: a sentence once it failed. asked: when somebody last asked how far it is."""

    job: str
    progress: fitting.Progress
    problem: str = ""
    task: asyncio.Future | None = None
    asked: float = field(default_factory=time.monotonic)


class Explorer:
    """Asynchronous: everything is called from one event loop; the device is asked in portions, the rest runs aside."""

    def __init__(self, workbench: Workbench):
        self.workbench = workbench
        self._latest = Kept(400)
        self._models = Kept(MODELS, MODELS_BYTES, lambda kept: sum(weights.nbytes for weights in kept[0].parameters()))
        self._spaces = Kept(SPACES, SPACES_BYTES, lambda space: space.codes.bytes)
        self._maps = Kept(MAPS, MAPS_BYTES, lambda chart: chart.bytes)
        self._made = Kept(SHEETS, SHEETS_BYTES, _bytes)
        self._fits: dict[tuple, Fit] = {}
        self._lane = asyncio.Lock()  # one fit at a time: the others' thread stays free for loading data

    # Spaces ---------------------------------------------------------------------------------------------------------

    async def space(self, name: str, count: int = 5000, digest: str = "", fresh: bool = False) -> Space:
        """The space of a run or model with the weights called `digest`, else those asked for last, else those of now.

        fresh: those of now. Trouble for an unknown name, or weights that are no longer there.
        """
        asked, digest = digest, digest or ("" if fresh else self._latest.peek(name) or "")
        kept = self._models.peek((name, digest)) if digest else None
        if kept is None:
            found = await self.ask(name, lambda model, resident: (_with_code(model), resident))
            now = await asyncio.to_thread(probing.digest, found[0])
            if digest and digest != now:
                raise Trouble("This run has learnt on since, and its earlier weights are gone: show the map anew.")
            digest, kept = now, self._models.peek((name, now)) or found
        self._models.put((name, digest), kept)
        if not asked:
            self._latest.put(name, digest)
        count = min(count, probing.MOST, len(kept[1].train) + len(kept[1].held_out))
        model, resident = kept
        make = partial(self._sampled, name, digest, model, resident, count)
        return await self._spaces.get((name, digest, count), make)

    async def _sampled(self, name: str, digest: str, model: Autoencoder, resident: Resident, count: int) -> Space:
        parts = await self.portions(name, count, lambda start, stop: probing.encoded(model, resident, start, stop))
        codes = await asyncio.to_thread(probing.gathered, resident, count, parts)
        return Space(name, digest, model, resident, codes)

    async def ask(self, name: str, question: Callable[[Autoencoder, Resident], Any]) -> Any:
        """A question on the device thread, as of Workbench.probe."""
        return await asyncio.wrap_future(self.workbench.probe(name, question))

    async def portions(self, name: str, count: int, question: Callable[[int, int], Any], size: int = 32) -> list[Any]:
        """question(start, stop) over 0 to count in portions as long as the device may be held; the answers in order."""
        return await portions(lambda do: self.ask(name, lambda model, resident: do()), count, question, size)

    # Maps -----------------------------------------------------------------------------------------------------------

    async def map(self, space: Space, knobs: MapKnobs) -> Map | Fit:
        """The map, or the fit that is making it, started here if need be. A failed fit is told once, as Trouble."""
        knobs = knobs.relevant()
        key = (space.key, knobs)
        if knobs.kind != "umap":
            return await self._maps.get(key, partial(asyncio.to_thread, maps.flat, space.codes.codes, knobs))
        if (ready := self._maps.peek(key)) is not None:
            self._maps.put(key, ready)
            return ready
        fit = self._fits.get(key)
        if fit is None:
            if len(self._fits) >= MOST_WAITING:
                raise Trouble("Many maps are being fitted already: try again in a minute.")
            maps.check(space.codes.codes)
            fit = self._fits[key] = Fit(f"{abs(hash(key)):x}", fitting.Progress())
            fit.task = asyncio.ensure_future(self._fitted(space, knobs, key, fit))
        elif fit.problem:
            self._fits.pop(key)
            raise Trouble(fit.problem)
        fit.asked = time.monotonic()
        return fit

    async def ready(self, space: Space, knobs: MapKnobs) -> Map:
        """The map if it is there or can be made at once; Trouble where it is still being fitted."""
        found = await self.map(space, knobs)
        if isinstance(found, Fit):
            raise Trouble("This map is still being fitted: wait a moment.")
        return found

    def cancel(self, job: str) -> bool:
        """End a fit at its next epoch and forget it; False when there is none of that name."""
        for key, fit in list(self._fits.items()):
            if fit.job == job:
                fit.progress.cancelled = True
                self._fits.pop(key)
                return True
        return False

    def close(self) -> None:
        """End every fit at its next epoch: a server that stops waits for its threads."""
        for fit in self._fits.values():
            fit.progress.cancelled = True

    async def _fitted(self, space: Space, knobs: MapKnobs, key: tuple, fit: Fit) -> None:
        try:
            async with self._lane:
                if fit.progress.cancelled:
                    return
                if time.monotonic() - fit.asked > FORGOTTEN:
                    return self._drop(key, fit)
                made = await self.aside(partial(fitting.fit, space.codes.codes, knobs, fit.progress))
            self._maps.put(key, made)
            self._drop(key, fit)
        except fitting.Cancelled:
            self._drop(key, fit)
        except Trouble as trouble:
            fit.problem = str(trouble)
        except Exception as error:  # umap-learn has many ways to refuse odd data
            fit.problem = f"UMAP could not be fitted to these codes ({type(error).__name__}): choose other settings."

    def _drop(self, key: tuple, fit: Fit) -> None:
        if self._fits.get(key) is fit:
            self._fits.pop(key)

    async def aside(self, do: Callable[[], Any]) -> Any:
        return await asyncio.wrap_future(self.workbench.aside(do))

    async def warm(self) -> None:
        """Have umap-learn imported and compiled, before anyone asks for a map."""
        async with self._lane:
            await self.aside(fitting.warm)

    # Places and codes -----------------------------------------------------------------------------------------------

    async def code_at(self, chart: Map, places: np.ndarray, way: str = "neighbours") -> np.ndarray:
        """The codes (n, k) at places (n, 2); way "inverse" is umap-learn's own, where the map is a UMAP."""
        if way == "inverse" and isinstance(chart, Neighbourly):
            async with self._lane:
                return await self.aside(partial(fitting.inverse, chart, places))
        return chart.code_at(places)

    async def decode(self, space: Space, codes: np.ndarray) -> np.ndarray:
        """Images (n, c, h, w) float32 of codes (n, k)."""
        device = space.resident.device
        parts = await self.portions(
            space.name, len(codes), lambda start, stop: probing.decoded(space.model, codes[start:stop], device)
        )
        return np.concatenate(parts)

    async def landing(self, space: Space, chart: Map, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The image (c, h, w) of a code (k,), and the place (2,) where the encoder puts that image."""
        device = space.resident.device
        image, code = await self.ask(
            space.name, lambda model, resident: probing.reencoded(space.model, code[None], device)
        )
        return image[0], chart.place(code)[0]

    async def see(self, space: Space, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n, k) and reconstructions of pictures (n, c, h, w) in [0, 1]."""
        device = space.resident.device
        return await self.ask(space.name, lambda model, resident: probing.seen(space.model, pictures, device))

    async def grid(self, space: Space, knobs: MapKnobs, side: int) -> np.ndarray:
        """The map decoded on a grid: uint8 (side², c, h', w'), rows from the bottom of the map to its top."""
        chart = await self.ready(space, knobs)
        codes = await asyncio.to_thread(chart.code_at, maps.grid_places(side))
        images = await self.decode(space, codes)
        return await asyncio.to_thread(probing.thumbnails, images, max(1, SHEET // side))

    async def kept(self, key: tuple, make: Callable[[], Awaitable[Any]]) -> Any:
        """The result of make(), made once and kept."""
        return await self._made.get(key, make)

    async def once(self, key: tuple, make: Callable[[], Any]) -> Any:
        """As `kept`, made on a thread."""
        return await self.kept(key, partial(asyncio.to_thread, make))

    async def film(self, space: Space) -> tuple[list[int], np.ndarray]:
        """The steps at which the run's codes were kept and their places (n, m, 2), ending on this space's plane."""
        frames, now = await asyncio.to_thread(film_of, self.workbench, space.name)
        k = space.codes.codes.shape[1]
        last = await self.ready(space, MapKnobs(kind="pca" if k > 2 else "plane", count=len(space.codes.codes)))
        if frames and now > frames[-1].step:  # frames are taken ever more rarely: the end is the map itself
            m = min(len(last.places), len(frames[-1].places))
            frames = (*(Frame(one.step, one.places[:m]) for one in frames), Frame(now, last.places[:m]))
        places = await asyncio.to_thread(filming.shown, frames, last.places, k > 2) if frames else []
        return [frame.step for frame in frames], np.array(places, np.float32).reshape(len(frames), -1, 2)

    async def scores(self, space: Space, knobs: MapKnobs) -> dict[str, Any]:
        """What `scoring.scores` and `precision` say of the code, the map, PCA of the same size and pixels."""
        chart = await self.ready(space, knobs)
        return await self._made.get(("scores", space.key, knobs.relevant()), partial(self._scored, space, chart))

    async def _scored(self, space: Space, chart: Map) -> dict[str, Any]:
        model, resident = space.model, space.resident
        first = len(resident.held_out)
        count = min(GALLERY, len(resident.train))
        gallery = np.concatenate(await self.portions(
            space.name, count, lambda a, b: probing.codes_of(model, resident, first + a, first + b)
        ))
        table = partial(scoring.table, space.codes, chart.places, resident.source, gallery)
        return await self.aside(table)


def _bytes(made: Any) -> int:
    """Of a sheet, and the shape of its tiles; the scores are small."""
    return len(made[0]) if isinstance(made, tuple) else 0


def _with_code(model: Autoencoder) -> Autoencoder:
    """The model as it is now; Trouble where it has no code."""
    if not (model.has_code and model.restores):
        raise Trouble("This network has no code that images come back from, so there is no space of codes to show.")
    return probing.frozen(model)
