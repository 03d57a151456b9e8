"""Inspector: what can be asked of a network's inside, for any run or shipped model; the object that faces call."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from playground.batches import Batches, Resident, mix, to_unit
from playground.events import Stepped, Trouble
from playground.experiment import Experiment
from playground.explorer import Explorer, Fit, Space
from playground.images import thumbnails
from playground.kept import Kept
from playground.model import Autoencoder
from playground.probes import chain, inside, narrowing, restoring, sensitivity
from playground.probes import codes as probing
from playground.probes.maps import MapKnobs, flat
from playground.probes.pictures import fitted, ground
from playground.probes.restoring import Restored
from playground.workbench import Workbench

KEPT = 32  # answers kept
RECENT, FRESH = 8, 0.3  # runs whose last copy is taken again, and for how many seconds while they learn
SOME = 512  # held-out images that means are taken over
MOST = 10_000  # held-out images that are looked through for those that excite an entry
VALUES = 400_000  # in one batch that the device is asked about at once
NOISES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, eq=False)
class Still:
    """A model with the weights that it had after `step` steps (None: it is not in training)."""

    name: str
    step: int | None
    model: Autoencoder
    resident: Resident
    experiment: Experiment

    @property
    def key(self) -> tuple[str, int | None]:
        return self.name, self.step

    @property
    def k(self) -> int:
        """Entries of the code; Trouble where there is none."""
        if not self.model.has_code:
            raise Trouble("This network has no code that everything passes through, so there are no entries to show.")
        return self.model.encoder.blocks[-1].shape[0]

    def some(self, most: int = SOME) -> int:
        """How many images fit into one batch, at most `most`."""
        return max(1, min(most, len(self.resident.held_out), VALUES // math.prod(self.resident.shape)))


class Inspector:
    """Asynchronous: everything is called from one event loop; the device is asked in portions, the rest runs aside."""

    def __init__(self, workbench: Workbench, explorer: Explorer | None = None):
        self.workbench = workbench
        self.explorer = explorer or Explorer(workbench)  # shared with the Latent space page, so are its maps
        self._copies: dict[str, tuple[int | None, Autoencoder]] = {}  # touched on the device thread only
        self._recent: dict[str, tuple[float, Still]] = {}
        self._made = Kept(KEPT)

    # The weights ----------------------------------------------------------------------------------------------------

    async def still(self, name: str) -> Still:
        """The model as it is now, copied, so that all that is shown together is of the same weights.

        Of a run that learns, as it was within the last FRESH seconds: every copy waits for the device.
        """
        running = (snapshot := self.workbench.snapshot(name)) is not None and snapshot.status == "running"
        recent = self._recent.get(name)
        if running and recent is not None and time.monotonic() - recent[0] < FRESH:
            return recent[1]
        experiment = await asyncio.to_thread(self.workbench.experiment, name)
        if not experiment.task.restores:
            raise Trouble(f"This page looks into networks that give images back, and {experiment.title} does not.")

        def copy(model: Autoencoder, resident: Resident) -> Still:
            snapshot = self.workbench.snapshot(name)
            step = snapshot.event.step if snapshot and isinstance(snapshot.event, Stepped) else None
            known = self._copies.pop(name, None)
            made = known[1] if known and known[0] == step else probing.frozen(model)
            self._copies[name] = step, made
            while len(self._copies) > KEPT:
                self._copies.pop(next(iter(self._copies)))
            return Still(name, step, made, resident, experiment)

        still = await self.explorer.ask(name, copy)
        self._recent.pop(name, None)
        self._recent[name] = time.monotonic(), still
        while len(self._recent) > RECENT:
            self._recent.pop(next(iter(self._recent)))
        return still

    async def on_device(self, still: Still, question: Callable[[], Any]) -> Any:
        return await self.explorer.ask(still.name, lambda *_: question())

    async def once(self, what: str, still: Still, make: Callable[[], Any], *more: Any) -> Any:
        """make()'s answer about these weights, found once."""
        return await self._made.get((what, still.key, *more), make)

    def picture(self, still: Still, data: bytes | None, index: int, centre: bool = False) -> np.ndarray:
        """The image that is looked at, (1, c, h, w) in [0, 1]: held-out image `index`, or the picture in `data`."""
        source = still.resident.source
        if data is None:
            return narrowing.rows(source.images[source.held_out[[index]]]).reshape(1, *still.resident.shape)
        from playground.images import read_image

        grounds = ground(thumbnails(source.images[source.held_out[:200]], probing.THUMBNAIL))
        return fitted(read_image(data, "This picture"), still.resident.shape, grounds, centre)[0][None]

    def held_out(self, still: Still, count: int) -> torch.Tensor:
        return to_unit(still.resident.held_out[:count])

    def tensor(self, still: Still, image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(image)).to(still.resident.device)

    # For every model ------------------------------------------------------------------------------------------------

    async def forward(self, still: Still, image: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """The reconstruction and what leaves each layer, as `inside.activations`."""
        return await self.on_device(still, lambda: inside.activations(still.model, self.tensor(still, image)))

    async def filters(self, still: Still) -> np.ndarray:
        return await self.on_device(still, lambda: inside.filters(still.model, still.resident.shape))

    async def chain(self, still: Still) -> chain.Chain:
        """The batch that comes next (or, where it is too large, its first images), forward and backward."""
        training, step = still.experiment.training, still.step or 0

        def ask() -> chain.Chain:
            x = Batches(still.resident, training.batch, training.seed)[step][: still.some(64)]
            rng = torch.Generator(device=x.device).manual_seed(mix(training.seed, step))
            return chain.backwards(still.model, still.experiment, x, rng)

        return await self.once("chain", still, partial(self.on_device, still, ask))

    async def columns(self, still: Still) -> np.ndarray:
        """D(e_l) - D(0) of every code entry: (k, c, h, w)."""

        async def make() -> np.ndarray:
            parts = await self.explorer.portions(still.name, still.k, partial(inside.columns, still.model), 4)
            return np.concatenate(parts)

        return await self.once("columns", still, make)

    async def slopes(self, still: Still, image: np.ndarray) -> np.ndarray:
        """∂D/∂s_l of every code entry at the image's code: (k, c, h, w)."""
        x = self.tensor(still, image)
        code = await self.on_device(still, lambda: still.model.encode(x)[0].float().cpu().numpy())
        ask = partial(inside.slopes, still.model, code)
        return np.concatenate(await self.explorer.portions(still.name, still.k, ask, 2))

    async def codes(self, still: Still, most: int = SOME) -> np.ndarray:
        """The codes of the first held-out images, (m, k)."""
        still.k  # noqa: B018  (Trouble where there is no code)
        count = min(most, len(still.resident.held_out))

        async def make() -> np.ndarray:
            ask = partial(probing.codes_of, still.model, still.resident)
            return np.concatenate(await self.explorer.portions(still.name, count, ask))

        return await self.once("codes", still, make, count)

    async def strongest(self, still: Still, entry: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The held-out images that excite a code entry most, by index, and its value for each."""
        codes = await self.codes(still, MOST)

        async def make() -> np.ndarray:
            return await asyncio.to_thread(inside.strongest, codes, count)

        found = (await self.once("strongest", still, make, count))[entry]
        return found, codes[found, entry]

    # Contractive ----------------------------------------------------------------------------------------------------

    async def jacobian(self, still: Still, image: np.ndarray) -> tuple[np.ndarray, sensitivity.Spectrum]:
        """∂h_l/∂x of every code entry at an image, (k, c, h, w), and its spectrum."""
        ask = partial(sensitivity.rows, still.model, self.tensor(still, image))
        rows = np.concatenate(await self.explorer.portions(still.name, still.k, ask, 2))
        return rows, await self.explorer.aside(partial(sensitivity.spectrum, rows.reshape(len(rows), -1)))

    async def displacement(self, still: Still) -> np.ndarray:
        """How far noise of each size in NOISES moves codes, as `sensitivity.displacement`."""
        still.k  # noqa: B018

        async def make() -> np.ndarray:
            x = self.held_out(still, still.some(128))

            def ask(start: int, stop: int) -> np.ndarray:
                return sensitivity.displacement(still.model, x, NOISES[start:stop])

            return np.concatenate(await self.explorer.portions(still.name, len(NOISES), ask, 1))

        return await self.once("displacement", still, make)

    # Denoising ------------------------------------------------------------------------------------------------------

    async def restored(self, still: Still, image: np.ndarray, kind: str, levels: tuple[float, ...]) -> Restored:
        x = self.tensor(still, image)
        return await self.on_device(still, lambda: restoring.restored(still.model, x, kind, levels))

    async def levels_psnr(self, still: Still, kind: str, levels: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        """PSNR of noisy and of restored images at each level, over held-out images."""

        async def make() -> tuple[np.ndarray, np.ndarray]:
            x = self.held_out(still, still.some(256))

            def ask(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
                return restoring.levels_psnr(still.model, x, kind, levels[start:stop])

            parts = await self.explorer.portions(still.name, len(levels), ask, 1)
            return np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])

        return await self.once("levels", still, make, kind, levels)

    async def field(self, still: Still, side: int, steps: int, rate: float) -> tuple[np.ndarray, ...]:
        """On points of the plane: a lattice (m, 2), r(x) - x there, and the way (steps + 1, m', 2) of other points."""
        if still.resident.shape != (1, 1, 2):
            raise Trouble("Arrows over the data are drawn for points in the plane only.")
        points, starts, device = restoring.lattice(side), restoring.lattice(19, 0.02, 0.98), still.resident.device
        jitter = np.random.default_rng(0).normal(0, 0.012, starts.shape).astype(np.float32)

        def ask() -> tuple[np.ndarray, ...]:
            arrows = restoring.field(still.model, points, device)
            return points, arrows, restoring.flow(still.model, starts + jitter, steps, rate, device)

        return await self.on_device(still, ask)

    async def code_arrows(self, still: Still, kind: str, level: float, count: int) -> tuple[np.ndarray, ...]:
        """On the map of codes: places (m, 2) of clean images, of the same when noisy, and of what was restored."""
        still.k  # noqa: B018
        codes = await self.codes(still)
        count = min(count, still.some(count))
        x = self.held_out(still, count)
        start, end = await self.on_device(still, lambda: restoring.code_arrows(still.model, x, kind, level))
        chart = flat(codes, MapKnobs(kind="plane" if still.k <= 2 else "pca"))
        places, start, end = chart.places, chart.place(start), chart.place(end)
        if chart.is_line:
            start[:, 1] = end[:, 1] = places[:count, 1]
        return places, start, end

    async def umap_arrows(self, still: Still, kind: str, level: float, count: int) -> tuple[np.ndarray, ...] | Fit:
        """As code_arrows, on the UMAP of the Latent space page, where a code's neighbours say where it lies; or the fit
        that is making that map. While the run learns it is the map of the weights asked for last, and so are arrows."""
        still.k  # noqa: B018
        snapshot = self.workbench.snapshot(still.name)
        learns = snapshot is not None and snapshot.status == "running"
        space: Space = await self.explorer.space(still.name, fresh=not learns)
        chart = await self.explorer.map(space, MapKnobs(kind="umap"))
        if isinstance(chart, Fit):
            return chart
        count = min(count, still.some(count))
        x = self.held_out(still, count)
        codes = await self.on_device(still, lambda: restoring.code_arrows(space.model, x, kind, level))
        start, end = [await asyncio.to_thread(chart.place, one) for one in codes]
        return chart.places[: min(SOME, int(space.codes.held_out.sum()))], start, end
