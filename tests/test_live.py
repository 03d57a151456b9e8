"""The live stream: what listeners are told, that nobody is kept waiting or filled up, and what strangers get."""

import asyncio
import base64
import json
import time

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import live as live_module
from playground.events import Row, Snapshot, Stepped, Still, View, Waiting
from playground.experiment import Experiment
from playground.lab import messages
from playground.live import WAITING, Channel, Live
from playground.workbench import Workbench


class Toy:
    """A workbench of one job whose snapshots the test sets by hand."""

    def __init__(self):
        self.now = {"a": Snapshot("a", Experiment(), "opening", Waiting("Downloading", 0.25))}
        self.watched = []

    def snapshot(self, job):
        return self.now.get(job)

    def watch(self, job):
        self.watched.append(job)

    def unwatch(self, job):
        self.watched.remove(job)

    def tidy(self):
        pass

    def tell(self, event, status="running", **more):
        self.now["a"] = Snapshot("a", Experiment(), status, event, **more)


STILL = Still(
    (1, 4, 6), 10, "CPU", np.zeros((8, 1, 4, 6), np.uint8), np.arange(2 * 24, dtype=np.uint8).reshape(2, 1, 4, 6),
    np.array([3, 1]), ("0", "1", "2", "3"), 640, 160,
)


def view(step: int) -> View:
    pictures = np.full((8, 1, 4, 6), step % 256, np.uint8)
    return View(step, None, pictures, np.array([[1.0, -2.0], [0.5, 0.0]], np.float32), (0.6, 0.3),
                np.array([0.0, 0.5, 1.0], np.float32), (20.0,) * 8)


def stepped(step: int, rows: int, stride: int = 1, still: Still = STILL, **more) -> Stepped:
    history = tuple(Row(i * stride, {"reconstruction": 10.0 / (i + 1), "sparsity": 0.5}, 9.0) for i in range(rows))
    return Stepped(step, 1000, {"reconstruction": 1.5, "sparsity": 0.5}, 2.5, history, stride, 64.0, (), still, **more)


def heard(listener) -> list[dict | None]:
    texts = []
    while not listener.empty():
        texts.append(listener.get_nowait())
    return [None if text is None else json.loads(text) for text in texts]


def test_waiting_is_told_with_how_far_it_is():
    toy = Toy()
    (first,) = heard(Channel("a", toy).join())
    assert first["status"] == "opening" and first["waiting"] == {"reason": "Downloading", "fraction": 0.25}


def test_hello_holds_everything_and_deltas_what_is_new():
    toy = Toy()
    toy.tell(stepped(30, 31, view=view(30)))
    channel = Channel("a", toy)
    listener = channel.join()
    (hello,) = heard(listener)
    assert hello["hello"] and len(hello["rows"]) == 31 and hello["term_names"] == ["reconstruction", "sparsity"]
    assert hello["shown_shape"] == [8, 1, 4, 6] and hello["per_epoch"] == 10
    channel.tick()  # the first tick tells all listeners the same: it greets again
    heard(listener)
    toy.tell(stepped(33, 34, view=view(33)))
    channel.tick()
    (delta,) = heard(listener)
    assert "hello" not in delta and delta["step"] == 33 and delta["terms"] == [1.5, 0.5]
    steps = [row[0] for row in delta["rows"]]
    assert steps == list(range(31 - messages.OVERLAP, 34))
    assert delta["rows"][-1] == [33, 9.0, pytest.approx(10 / 34, rel=1e-5), 0.5]


def test_pictures_and_codes_come_back_from_their_bytes():
    told = messages.view(view(7))
    assert base64.b64decode(told["output"]) == bytes([7]) * 8 * 24
    codes = np.frombuffer(base64.b64decode(told["codes"]), np.int16).reshape(-1, 2) / 32000 * told["reach"]
    np.testing.assert_allclose(codes, [[1.0, -2.0], [0.5, 0.0]], atol=1e-4)
    assert list(base64.b64decode(told["activity"])) == [0, 127, 255]


def test_nothing_is_told_when_nothing_changed():
    toy = Toy()
    toy.tell(stepped(1, 2))
    channel = Channel("a", toy)
    listener = channel.join()
    channel.tick()
    heard(listener)
    channel.tick()
    assert heard(listener) == []


def test_a_thinned_history_and_a_run_that_went_back_are_told_whole():
    toy = Toy()
    toy.tell(stepped(60, 61))
    channel = Channel("a", toy)
    listener = channel.join()
    channel.tick()
    for event in (stepped(62, 31, stride=2), stepped(8, 5, stride=2)):
        heard(listener)
        toy.tell(event)
        channel.tick()
        (told,) = heard(listener)
        assert told["hello"] and len(told["rows"]) == len(event.history)


def test_a_slow_listener_gets_a_fresh_hello_and_never_more_than_its_queue_holds():
    toy = Toy()
    toy.tell(stepped(1, 2))
    channel = Channel("a", toy)
    slow, quick = channel.join(), channel.join()
    for step in range(2, 60):
        toy.tell(stepped(step, step + 1))
        channel.tick()
        heard(quick)
        assert slow.qsize() <= WAITING
    told = heard(slow)
    assert told[0]["hello"]
    known = []
    for message in told:  # what a page makes of it: rows from the first one given on are replaced
        known = [row for row in known if row[0] < message["rows"][0][0]] + message["rows"]
    assert [row[0] for row in known] == list(range(60))


def test_numbers_that_are_none_can_be_told():
    toy = Toy()
    terms = {"reconstruction": float("nan")}
    event = Stepped(1, 10, terms, float("inf"), (Row(0, terms, 1.0),), 1, 0.0, (), STILL,
                    metrics={"psnr": 20.5, "held_out": float("inf")})
    toy.tell(event, "failed", problem="The loss stopped being a number.")
    (told,) = heard(Channel("a", toy).join())
    assert told["metrics"] == {"psnr": 20.5, "held_out": None}
    assert told["terms"] == [None] and told["held_out"] is None and told["problem"].startswith("The loss")


def test_a_job_that_is_forgotten_ends_its_stream():
    toy = Toy()
    channel = Channel("a", toy)
    listener = channel.join()
    heard(listener)
    toy.now.clear()
    assert channel.tick() is False
    assert heard(listener) == [{"job": "a", "gone": True}, None]


def test_big_pictures_go_out_more_rarely():
    toy = Toy()
    pictures, codes = np.zeros((8, 3, 64, 64), np.uint8), np.zeros((2, 2), np.float32)
    big = View(1, None, pictures, codes, (), np.ones(2, np.float32), ())
    toy.tell(stepped(0, 1))
    channel = Channel("a", toy)
    listener = channel.join()
    channel.tick()
    heard(listener)
    with_pictures = 0
    for step in range(1, 25):
        toy.tell(stepped(step, step + 1, view=View(step, *[getattr(big, name) for name in (
            "seen", "output", "codes", "spread", "activity", "grades")])))
        channel.tick()
        (told,) = heard(listener)
        with_pictures += "output" in told["view"]
    assert 3 <= with_pictures <= 6


@pytest.mark.slow
def test_a_job_is_watched_while_somebody_listens_and_a_little_longer(monkeypatch):
    monkeypatch.setattr(live_module, "GRACE", 0.2)
    toy = Toy()

    async def main():
        stream = Live(lambda: toy)
        ticking = asyncio.create_task(stream.run())
        channel, listener = await stream.join("a")
        second, other = await stream.join("a")
        assert second is channel and toy.watched == ["a"]
        channel.listeners.clear()
        await asyncio.sleep(0.12)
        assert toy.watched == ["a"]
        await asyncio.sleep(0.5)
        assert toy.watched == []
        assert await stream.join("nobody") is None
        ticking.cancel()

    asyncio.run(main())


@pytest.mark.slow
def test_messages_come_ten_times_a_second():
    toy = Toy()
    toy.tell(stepped(0, 1))

    async def main():
        stream = Live(lambda: toy)
        ticking = asyncio.create_task(stream.run())
        _, listener = await stream.join("a")
        count, start = 0, time.monotonic()
        while time.monotonic() - start < 1.5:
            toy.tell(stepped(count + 1, 2, view=view(count)))
            await asyncio.sleep(0.02)
            count += len(heard(listener))
        ticking.cancel()
        return count / (time.monotonic() - start)

    assert 7 <= asyncio.run(main()) <= 12


# Over HTTP, with a real run -----------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    bench = Workbench(tmp_path, "cpu")
    stream = Live(lambda: bench)

    async def begin(app):
        ticking = asyncio.create_task(stream.run())
        yield
        ticking.cancel()

    from contextlib import asynccontextmanager

    with TestClient(Starlette(routes=stream.routes(), lifespan=asynccontextmanager(begin))) as client:
        yield client, bench, stream
    bench.close()


def test_an_unknown_run_is_404_with_a_sentence(site):
    client, _, _ = site
    for path in ("/live/nothing", "/live/nothing/thumbnails", "/live/nothing/film"):
        answer = client.get(path)
        assert answer.status_code == 404 and answer.json()["problem"].endswith(".")


def test_a_real_run_is_told_from_its_first_step_to_its_last(site):
    client, bench, _ = site
    experiment, _ = Experiment.from_query("architecture.code=2&architecture.width=8&data.size=8&training.epochs=3")
    job = bench.start(experiment)
    seen = []
    with client.websocket_connect(f"/live/{job}") as socket:
        while not seen or seen[-1]["status"] != "done":
            seen.append(json.loads(socket.receive_text()))
    hello = next(message for message in seen if "shown" in message)
    assert hello["shape"] == [1, 8, 8] and len(base64.b64decode(hello["shown"])) == 8 * 64
    assert seen[-1]["step"] == seen[-1]["steps"] == 3 * hello["per_epoch"]
    raw = client.get(f"/live/{job}/thumbnails")
    assert len(raw.content) == np.prod(hello["thumbnails_shape"]) and "max-age" in raw.headers["cache-control"]
    film = client.get(f"/live/{job}/film").json()
    assert film["steps"] == sorted({0, *film["steps"]}) and film["steps"][-1] <= seen[-1]["step"]
    assert len(base64.b64decode(film["places"])) == len(film["steps"]) * hello["thumbnails_shape"][0] * 2 * 2


@pytest.mark.slow
def test_server_sent_events_say_the_same_and_end_when_told(site):
    client, bench, stream = site
    experiment, _ = Experiment.from_query("architecture.code=2&architecture.width=8&data.size=8")
    job = bench.start(experiment, paused=True)
    end = time.monotonic() + 20
    while bench.snapshot(job).status != "ready" and time.monotonic() < end:
        time.sleep(0.02)
    client.portal.start_task_soon(_close_soon, stream)
    answer = client.get(f"/live/{job}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first = answer.text.split("\n\n")[0]
    assert first.startswith("data: ") and json.loads(first[6:])["hello"]


async def _close_soon(stream):
    await asyncio.sleep(0.6)
    stream.close()
