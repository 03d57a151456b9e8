"""Student: somebody in a class: opens the Lab, trains, watches, hovers on the map, paints, leaves and comes back."""

from __future__ import annotations

import asyncio
import json
import random
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import numpy as np

from benchmarks.tab import Browser, Tab, Wrong

READ = (5.0, 10.0)  # seconds between two clicks
AWAY = (5.0, 20.0)  # seconds out of the room
GLANCE = (0.6, 1.5)  # seconds between two places that the pointer rests at
POLL = 0.35  # seconds between two looks at a map that is being fitted, as the page takes them
EXPERIMENTS = (  # small ones, as a class is given them
    "variant=undercomplete&architecture.code=2",
    "variant=sparse&variant.rho=0.05",
    "variant=denoising&architecture.code=16",
    "variant=contractive&architecture.code=8",
    "data=glyphs&architecture.code=4",
    "data=shapes&architecture.code=32",
    "architecture=convolutional&architecture.code=8",
)
SHIPPED = ("undercomplete-digits-2", "undercomplete-digits", "denoising-digits")
INPAINTING = (("inpaint-digits", "digits"), ("inpaint-shapes", "shapes"))


class Over(Exception):
    """The lesson has ended: whatever a student was about to do is left."""


class Class:
    """What all students share, and what is found: clicks by kind in ms, errors, updates a second of live streams."""

    def __init__(self, address: str, end: float):
        self.address, self.end = address, end
        self.clicks: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.rates: list[float] = []
        self.runs = 0

    @asynccontextmanager
    async def click(self, kind: str) -> AsyncIterator[None]:
        """Measure what is done in it: from what the student does to the answer that shows it."""
        began = time.perf_counter()
        try:
            yield
        except (TimeoutError, Wrong, httpx.HTTPError, OSError) as error:
            raise Wrong(f"{kind}, {time.perf_counter() - began:.1f} s: {type(error).__name__} {error}") from None
        self.clicks.setdefault(kind, []).append(1000 * (time.perf_counter() - began))


class Student:
    """One of them. What they do is drawn from the seed and their number."""

    def __init__(self, lesson: Class, number: int, seed: int, late: float):
        self.lesson, self.number, self.late = lesson, number, late
        self.rng = random.Random(1000 * seed + number)
        self.browser = Browser(lesson.address)
        self.trained: set[str] = set()
        self.tab = Tab(self.browser)
        self._fitted: asyncio.Task | None = None

    @property
    def over(self) -> bool:
        return time.monotonic() > self.lesson.end

    async def pause(self, span: tuple[float, float] = READ) -> None:
        """Read, think; and let the page follow its run, as it does by itself."""
        await asyncio.sleep(max(0.0, min(self.rng.uniform(*span), self.lesson.end - time.monotonic() + 0.1)))
        if self.over:  # not one more click: all would come in the same moment
            raise Over
        await self.tab.settle()

    async def attend(self) -> None:
        """Come and go until the lesson is over."""
        await asyncio.sleep(self.late)
        query = f"{EXPERIMENTS[self.number % len(EXPERIMENTS)]}&training.seed={self.number}"
        while not self.over:
            self.tab = Tab(self.browser, query)
            try:
                await self.visit()
            except Over:
                pass
            except Exception as error:  # whatever it was, it is told, and the student comes back
                self.lesson.errors.append(f"student {self.number}: {type(error).__name__} {error}")
            query = self.tab.query or query
            await self.leave()
            await asyncio.sleep(self.rng.uniform(*AWAY))
        self.lesson.runs += len(self.trained)

    async def leave(self) -> None:
        """Close the tab; what it has seen is gathered."""
        told = [*self.tab.alerts, *filter(None, [self.tab.live.broken])]
        self.lesson.errors += [f"student {self.number} was told: {text}" for text in told]
        if self._fitted is not None:
            self._fitted.cancel()
        await self.tab.close()
        self.lesson.rates += self.tab.rates

    async def visit(self) -> None:
        """One visit: the Train page first, then some of the others in any order."""
        async with self.lesson.click("open the Lab"):
            await self.tab.open()
        await self.pause()
        await self.train()
        doings = [self.look_at_own, self.look_at_shipped, self.paint, self.read, self.steer]
        self.rng.shuffle(doings)
        for do in doings[: self.rng.randint(3, 5)]:
            if self.over:
                return
            await do()

    async def turn_to(self, path: str) -> None:
        async with self.lesson.click("another page"):
            await self.tab.go(path)

    # The Train page -------------------------------------------------------------------------------------------------

    async def train(self) -> None:
        """Choose something, press Train, watch, turn a knob."""
        click, tab, rng = self.lesson.click, self.tab, self.rng
        if tab.main != "Pause" or rng.random() < 0.5:
            async with click("slider, a new run"):
                await tab.turn("Width", rng.choice(tab.sliders["Width"][1][1:5]))
            await self.pause()
        if tab.main != "Pause":
            async with click("Train, to the first step seen"):
                await tab.press(tab.main)
                await tab.live.until(("running", "done"), step=1)
        if tab.live.step:
            self.trained.add(tab.job)
        await self.pause()
        await self.steer()

    async def steer(self) -> None:
        """Turn a live knob, pause, go on."""
        click, tab, rng = self.lesson.click, self.tab, self.rng
        if "status" not in tab.pieces:
            await self.turn_to("/")
            await self.pause()
        async with click("slider, live"):
            await tab.turn("Learning rate η", rng.choice(("0.0003", "0.001", "0.003")))
        await self.pause()
        if tab.main == "Pause":
            async with click("Pause"):
                await tab.press("Pause")
                await tab.live.until(("paused", "done"))
            await self.pause()
        if tab.main == "Resume":
            async with click("Resume"):
                await tab.press("Resume")
                await tab.live.until(("running", "done"))
            await self.pause()

    # The map --------------------------------------------------------------------------------------------------------

    async def look_at_own(self) -> None:
        """The map of one's own run: paused first, since places are decoded only where nothing moves."""
        tab = self.tab
        await self.turn_to("/latent-space")
        told = tab.told("latent")
        if not told["name"]:
            return await self.pause()
        if tab.live.status == "running":
            await self.map(told["name"], False)
            await self.pause()
            async with self.lesson.click("Pause on the map"):
                await tab.act("latent", do="pause")
                await tab.live.until(("paused", "done"))
        await self.hover(told["name"])

    async def look_at_shipped(self) -> None:
        """Another model's map."""
        await self.turn_to("/latent-space")
        name = self.rng.choice(SHIPPED)
        await self.pause()
        async with self.lesson.click("choose a model"):
            await self.tab.act("latent", do="choose", name=name)
        await self.hover(name)

    async def map(self, name: str, rests: bool) -> dict[str, Any]:
        """Have a map drawn; what its questions need. rests: whether the run does."""
        get, at = self.browser.get, f"/explore/{name}"
        async with self.lesson.click("map drawn"):
            info = (await get(at, count=5000, kind="pca")).json()
            asked = {"digest": info["digest"], "kind": "plane" if "plane" in info["kinds"] else "pca", "count": 5000}
            await asyncio.gather(*(get(f"{at}/{what}", **asked) for what in ("points.bin", "thumbnails", "map")))
        await asyncio.gather(get(f"{at}/grid", side=64, **asked), get(f"{at}/directions", **asked))
        if rests and info["k"] > 2 and info["status"] not in ("running", "paused", "ready", "opening"):
            self._fitted = asyncio.create_task(self.fit(name, {**asked, "kind": "umap"}))
        return {**asked, "m": info["m"]}

    async def fit(self, name: str, asked: dict[str, Any]) -> None:
        """The UMAP that the page asks for by itself, until it is there or the page is left."""
        try:
            while (await self.browser.get(f"/explore/{name}/map", **asked)).json()["status"] == "fitting":
                await asyncio.sleep(POLL)
        except (Wrong, httpx.HTTPError) as error:
            self.lesson.errors.append(f"student {self.number}, while a map was fitted: {error}")

    async def hover(self, name: str) -> None:
        """Let the pointer rest here and there on a map, and click on it."""
        rng, post = self.rng, self.browser.post
        asked = await self.map(name, True)
        question = {"map": {"kind": asked["kind"], "count": asked["count"]}, "digest": asked["digest"]}
        for _ in range(2):
            for _ in range(rng.randint(2, 5)):
                await asyncio.sleep(rng.uniform(*GLANCE))
                place = {"x": rng.uniform(-0.7, 0.7), "y": rng.uniform(-0.7, 0.7)}
                async with self.lesson.click("hover"):
                    await post(f"/explore/{name}/decode", json={**place, **question})
            await self.pause((2.0, 5.0))
            index = {"index": rng.randrange(asked["m"])}
            async with self.lesson.click("click on the map"):
                await post(f"/explore/{name}/decode", json={**index, **question})
            await post(f"/explore/{name}/neighbours", json={**index, **question})
            await self.pause()
        if self._fitted is not None:
            self._fitted.cancel()

    # Painting -------------------------------------------------------------------------------------------------------

    async def paint(self) -> None:
        """Paint holes into two pictures and have them filled."""
        click, rng, browser = self.lesson.click, self.rng, self.browser
        await self.turn_to("/paint")
        model, data = rng.choice(INPAINTING)
        if model not in [one["name"] for one in self.tab.told("paint")["choices"]]:
            raise Wrong(f"{model} is not among the models of the Paint page")
        start = rng.randrange(100)
        await browser.get("/paint/pictures", data=data, start=start, count=16)
        desk = ""
        for i in range(2):
            chosen = {"data": data, "index": start + i, "desk": desk}
            async with click("choose a picture"):
                facts = (await browser.post("/paint/picture", params=chosen)).json()
            desk = facts["desk"]
            await self.tab.act("paint", do="set", way="fill", model=model, use="inpaint", data=data, index=start + i)
            hidden = np.zeros((facts["height"], facts["width"]), bool)
            for _ in range(rng.randint(2, 3)):
                await self.pause()
                await self.stroke(desk, model, hidden)
        await self.pause()

    async def stroke(self, desk: str, model: str, hidden: np.ndarray) -> None:
        """One stroke of the brush; measured until the model's picture is there. The classical ones come after it."""
        (h, w), rng = hidden.shape, self.rng
        y, x = rng.randrange(h // 2), rng.randrange(w // 2)
        hidden[y : y + h // 3, x : x + w // 4] = True
        mask = b64encode(np.packbits(hidden).tobytes()).decode()
        question = {"way": "fill", "model": model, "use": "inpaint", "mask": mask, "known": True}
        async with AsyncExitStack() as stack:
            async with self.lesson.click("paint, to the picture filled"):
                asking = self.browser.client.stream("POST", f"/paint/desk/{desk}/restore", json=question)
                answer = await stack.enter_async_context(asking)
                lines, told = answer.aiter_lines(), dict[str, Any]()
                async for line in lines:
                    told = json.loads(line)
                    if told.get("problem") or told.get("of") == "model" and told.get("image"):
                        break
                if answer.status_code != 200 or not told.get("image"):
                    raise Wrong(f"{answer.status_code} {told}")
            async for line in lines:
                if problem := json.loads(line).get("problem"):
                    raise Wrong(f"a classical fill failed: {problem}")

    # Reading, and the end -------------------------------------------------------------------------------------------

    async def read(self) -> None:
        for path in self.rng.sample(("/gallery", "/lessons", "/about", "/inside", "/does-it-hold"), 2):
            await self.turn_to(path)
            await self.browser.files(self.tab.pictures)
            await self.pause()

    async def missing(self) -> list[str]:
        """Runs that this student trained and that are not in their list, or have taken no step."""
        tab = Tab(self.browser)
        try:
            await tab.open()
            await tab.go("/latent-space")
            listed = {one["name"] for one in tab.told("latent")["choices"]}
            return [job for job in self.trained if job not in listed or not await tab.steps_of(job)]
        except Exception as error:
            self.lesson.errors.append(f"student {self.number}, looking for their runs: {type(error).__name__} {error}")
            return [*self.trained]
        finally:
            await tab.close()
