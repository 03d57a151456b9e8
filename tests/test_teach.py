"""A teacher's links: they open what was chosen without what is hidden, where students reach it; QR codes read back."""

# ruff: noqa: F811  (fixtures are imported and asked for by name)
from __future__ import annotations

import base64
import json
from urllib.parse import parse_qsl, urlsplit

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.coder import ways
from playground.events import Trouble
from playground.experiment import Experiment
from playground.knobs import label
from playground.lab import qr, teaching
from playground.lab.applications import applications
from playground.lab.places import foreign, held, link, pages, places, refusal
from playground.lessons import lessons
from playground.library import SHIPPED, Library
from playground.recipes import RECIPES
from tests.plugins import experiment, stepped
from tests.test_lab import MAIN, address, bench, buttons, opened, page  # noqa: F401  (fixtures)

BASE = "http://192.168.1.20:7860"
VIEW = MAIN.parent / "views" / "teach.py"
LONG = Experiment.from_query("data=own&data.pictures=my-own-pictures&architecture=convolutional&architecture.code=48"
                             "&variant=sparse&variant.rho=0.12&training.rate=0.0003&training.epochs=250")[0]


def decoded(picture: bytes) -> str:
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return cv2.QRCodeDetectorAruco().detectAndDecode(pixels)[0]


def share(test) -> dict:
    """What the link's component was given."""
    (found,) = [one.proto for one in test.get("bidi_component") if "share" in one.proto.component_name]
    return json.loads(found.json)


# QR codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [
    f"{BASE}/?lesson=1", f"{BASE}/latent-space?model=undercomplete-digits-2&map.kind=umap",
    link("", places(LONG, "AbCdEf0123-_x", True)[""] | {"hide": ",".join(teaching.hideable(LONG))}, BASE),
], ids=["short", "usual", "everything hidden"])  # fmt: skip
def test_a_code_reads_back_as_its_link(made):
    assert decoded(qr.png(made)) == made


def test_a_code_is_black_on_white_with_a_quiet_zone():
    picture = cv2.imdecode(np.frombuffer(qr.png(BASE), np.uint8), cv2.IMREAD_GRAYSCALE)
    margin = qr.QUIET * qr.PIXELS
    assert set(np.unique(picture)) == {0, 255} and picture[:margin].min() == picture[:, :margin].min() == 255
    assert picture[margin, margin] == 0 and min(picture.shape) >= 400
    assert 'fill="#fff"' in qr.svg(BASE) and "width=" not in qr.svg(BASE).split("viewBox")[0]


def test_a_link_that_no_code_holds_is_a_sentence():
    with pytest.raises(Trouble, match="too long for a QR code"):
        qr.png(f"{BASE}/?hide=" + "x" * 5000)


# Links --------------------------------------------------------------------------------------------------------------


def entries():
    return [(entry.experiment, entry.name) for entry in Library(SHIPPED).shipped_models()]


@pytest.mark.parametrize(("made", "name"), [*entries(), (LONG, "run-1_x")], ids=lambda one: str(one)[:40])
def test_links_to_every_page_of_a_model_read_back(made, name):
    found = places(made, name, name not in RECIPES)
    assert set(found) <= set(pages()) and "" in found
    assert {use for use in ways(made) if use in applications} <= set(found)
    for where, holds in found.items():
        text = link(where, teaching.with_hidden(holds, ["depth", "training.seed"]), BASE)
        page, again = teaching.read(text)
        assert (page, again) == (where, {**holds, "hide": "depth,training.seed"})
        assert held(again) == (made if where in ("", "latent-space", "inside") else Experiment())
        assert name in again.values() or where == ""


@pytest.mark.parametrize("one", lessons(), ids=lambda one: str(one.number))
def test_a_lessons_link_is_its_own_with_what_is_hidden(one):
    page, holds = teaching.of_lesson(one)
    made = urlsplit(link(page, teaching.with_hidden(holds, ["reseed"]), BASE))
    told = dict(parse_qsl(made.query))
    assert told.pop("hide") == "reseed" and made.path == f"/{one.page}"
    assert told == dict(parse_qsl(urlsplit(one.link).query)) and teaching.read(link(page, holds, BASE)) == (page, holds)


def test_what_a_pasted_link_hides_stays_hidden():
    _, holds = teaching.read("https://elsewhere.example/train?hide=depth,width&variant=sparse")
    assert teaching.with_hidden(holds, ["width", "step"])["hide"] == "depth,width,step"
    assert "hide" not in teaching.with_hidden({"a": "b"}, [])


@pytest.mark.parametrize("text", [
    "", "hello", "ftp://x/?a=b", "http://x/nowhere", "http://x/studio/", "javascript:alert(1)", "http://x/?variant=none",
    "http://x/?model=https://evil.example/m", "http://[",
])
def test_what_is_no_link_is_a_sentence(text):
    with pytest.raises(Trouble) as told:
        teaching.read(text)
    assert str(told.value).endswith(".") and "\n" not in str(told.value)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_link_or_a_sentence(text):
    for read in (teaching.read, teaching.address):
        try:
            read(text)
        except Trouble as trouble:
            assert str(trouble).endswith(".")


@pytest.mark.parametrize("query", ["", "variant=sparse", "task=inpaint&architecture=unet", "task=classify"])
@pytest.mark.slow
def test_every_control_can_be_left_out_and_none_else(page, query):
    """Each name hides its control, and with all names hidden nothing is left to turn."""
    made = Experiment.from_query(query)[0].settled()[0]
    names = teaching.hideable(made)
    test = page(f"{query}&hide={','.join(names)}".lstrip("&"))
    kinds = ("selectbox", "select_slider", "slider", "number_input", "toggle", "text_input", "button_group", "button")
    assert [one.label for kind in kinds for one in test.get(kind)] == []
    assert label("depth", Experiment().architecture.__dataclass_fields__["depth"].metadata["knob"]) in str(names)


# Addresses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seen", "listens", "machine", "base", "words"), [
    ("http://localhost:7860/teach", "127.0.0.1", "192.168.1.20", "http://localhost:7860", "--host 0.0.0.0"),
    ("http://localhost:7860/teach", "0.0.0.0", "192.168.1.20", BASE, "machine's address in its network"),
    ("http://127.0.0.1:7860/teach", "192.168.1.20", "192.168.1.20", BASE, "machine's address"),
    ("http://localhost:7860/teach", "0.0.0.0", "", "http://localhost:7860", "write the one"),
    ("http://192.168.1.20:7860/teach?x=y", "0.0.0.0", "10.0.0.1", BASE, ""),
    ("https://playground.example.org/teach", "127.0.0.1", "", "https://playground.example.org", ""),
    ("http://[::1]:7860/teach", "::", "192.168.1.20", BASE, "machine's address"),
])  # fmt: skip
def test_students_are_sent_where_they_can_go(seen, listens, machine, base, words):
    found, note = teaching.reachable(seen, listens, machine)
    assert found == base and (words in note if words else not note)


def test_an_address_can_be_corrected_and_is_checked():
    assert teaching.address(" 192.168.1.20:7860/ ") == BASE
    assert teaching.address("https://playground.example.org/lab/") == "https://playground.example.org/lab"
    for wrong in ("", "http://", "http://a b", "ftp://x", "javascript://x/%0aalert(1)", "http://x:99999", "http://x?y=z"):
        with pytest.raises(Trouble):
            teaching.address(wrong)


def test_the_machines_own_address_is_one_or_none():
    assert teaching.own_address() == "" or teaching.own_address().count(".") == 3


# Models that a link names -------------------------------------------------------------------------------------------

FOREIGN = ("https://example.org/m.safetensors", "/etc/passwd", "../../x", "user/name", "file:x", "a" * 65,
           "x.safetensors")


@pytest.mark.parametrize("value", FOREIGN)
def test_an_address_or_a_path_is_no_model(value):
    for key in ("model", "paint.model", "run"):
        assert foreign({key: value, "data": "mnist"}) == {key: value}
        assert "no model is fetched because a link says so" in refusal(foreign({key: value}))
    assert not foreign({"model": "undercomplete-digits", "run": "AbC-_9"}) and refusal({}) == ""


@pytest.mark.parametrize("query", ["model=https://example.org/m", "run=../secret", "paint.model=/etc/passwd"])
@pytest.mark.slow
def test_a_link_that_names_one_is_refused_with_a_sentence_and_the_page_works(page, query):
    test = page(f"{query}&architecture.code=4&architecture.width=16")
    said = [element.body for element in test.get("html") if 'class="ap-foreign"' in element.body]
    assert len(said) == 1 and "bring it on the page Models" in said[0] and 'role="alert"' in said[0]
    assert "Train" in buttons(test) and test.session_state["experiment"].architecture.code == 4
    assert not set(address(test)) & {"model", "paint.model"} and address(test).get("run") != "../secret"


def test_what_is_shown_of_it_cannot_be_a_tag():
    assert "<" not in refusal({"model": "<img src=x onerror=alert(1)>/"})


# The page -----------------------------------------------------------------------------------------------------------


def teach(bench):
    """The page Teach, as a script."""
    return opened(VIEW, {})


def test_the_page_makes_a_link_at_once_and_follows_every_choice(bench):
    test = teach(bench)
    assert share(test)["link"].endswith("/?lesson=1") and share(test)["caption"].startswith("Lesson 1")
    test.selectbox(key="teach.lesson").set_value(5).run()
    test.multiselect(key="teach.hide").set_value(["depth", "reseed"]).run()
    test.text_input(key="teach.address").set_value("192.168.1.20:7860").run()
    page, holds = teaching.read(share(test)["link"])
    told = dict(parse_qsl(urlsplit(lessons()[5].link).query))
    assert share(test)["link"].startswith(f"{BASE}/") and (page, holds) == (
        lessons()[5].page, {**told, "hide": "depth,reseed"})
    assert decoded(base64.b64decode(share(test)["png"].partition(",")[2])) == share(test)["link"]

    test.selectbox(key="teach.kind").set_value("link").run()
    assert not test.get("bidi_component")
    test.text_input(key="teach.link").set_value("http://x/latent-space?model=undercomplete-digits-2").run()
    assert share(test)["link"] == f"{BASE}/latent-space?model=undercomplete-digits-2&hide=depth,reseed"
    test.text_input(key="teach.link").set_value("http://x/?model=https://evil.example/x").run()
    assert not test.get("bidi_component")
    assert any("no model is fetched" in element.body for element in test.get("html"))
    assert not test.exception


def test_a_run_of_ones_own_is_shown_or_begun_anew(bench):
    made = experiment("sparse", epochs=1000)
    job = bench.start(made)
    stepped(bench, job, 2)
    bench.pause(job).result(10)
    theirs = bench.start(made, owner="somebody")
    stepped(bench, theirs, 2)
    bench.stop(theirs).result(10)
    test = teach(bench)
    test.selectbox(key="teach.kind").set_value("run").run()
    assert len(test.selectbox(key="teach.run").options) == 1
    page, holds = teaching.read(share(test)["link"])
    assert page == "" and holds["run"] == job and held(holds) == made
    test.toggle(key="teach.very").set_value(False).run()
    page, holds = teaching.read(share(test)["link"])
    assert "run" not in holds and held(holds) == made
    test.selectbox(key=f"teach.page.{job}").set_value("latent-space").run()
    assert teaching.read(share(test)["link"])[1]["model"] == job
