"""Caps: how much a visitor may ask for, said once: by `playground.toml`, which the environment overrides."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from playground.events import Trouble
from playground.knobs import Knob, knob, knobs, read

FILE = Path(__file__).resolve().parent.parent / "playground.toml"
WHERE = "PLAYGROUND_CAPS"  # names another file
SITES = ("embed", "origins")  # settings that are sites, with blanks between them
SITE = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?")
PREFIX = "PLAYGROUND_CAP_"  # PLAYGROUND_CAP_TRAININGS=5 overrides `trainings` in the file
MEGA = 1_000_000
MUCH = 10**12


@dataclass(frozen=True)
class Caps:
    """How much is how much: files in bytes, pictures in pixels, times in seconds, the rest in counts."""

    trainings: int = knob(3, "Runs that one visitor may have learning at once, in the Lab of a shared server too.",
                          low=1, high=MUCH)
    training: float = knob(900.0, "How long a run that the Studio began may learn.", low=1, high=MUCH, unit="s")
    epochs: int = knob(10_000, "Passes over the data in one run.", low=100, high=10_000)
    images: int = knob(20_000, "Pictures in one set of a visitor's own.", low=2, high=MUCH)
    parameters: int = knob(
        20 * MEGA,  # 80 MB of weights, 240 MB with Adam's two moments: what thirty students can share
        "Weights and biases of one network.", low=1000, high=MUCH,
    )  # fmt: skip
    file: int = knob(20 * MEGA, "Size of a file brought to the Studio.", low=1000, high=MUCH, unit="bytes")
    model: int = knob(100 * MEGA, "Size of a model's file that is brought or fetched.", low=1000, high=MUCH,
                      unit="bytes")
    models: int = knob(50, "Runs and models that one visitor may have kept on a shared server and still bring another.",
                       low=1, high=MUCH)
    pixels: int = knob(12 * MEGA, "Size of one picture that a model is to work on.", low=4096, high=MUCH, unit="pixels")
    pictures: int = knob(64, "Pictures or codes in one request.", low=1, high=MUCH)
    shared: str = knob(
        "auto", "Whether others use this server: auto, if other machines can reach it; say yes behind a proxy.",
        choices=("auto", "yes", "no"),
    )  # fmt: skip
    grace: float = knob(600.0, "How long a run learns on while nobody looks, on a shared server.", low=1, high=MUCH,
                        unit="s")
    rest: float = knob(60.0, "How long a run that rests stays in memory while nobody looks, on a shared server; then "
                       "it is closed to disk, until somebody does.", low=1, high=MUCH, unit="s")
    keep: float = knob(86400.0, "How long a visitor's run is kept after it was last saved, on a shared server.", low=1,
                       high=MUCH, unit="s")
    memory: int = knob(
        2000 * MEGA, "Memory of all runs together: beyond it, those that rested longest are closed to disk, until "
        "somebody looks.", low=MEGA, high=MUCH, unit="bytes",
    )  # fmt: skip
    running: int = knob(4, "Requests of one visitor to the Studio that are worked on at once.", low=1, high=MUCH)
    waiting: int = knob(60, "Requests of one visitor to the Studio that may wait besides.", low=0, high=MUCH)
    request: float = knob(180.0, "How long one request may take.", low=1, high=MUCH, unit="s")
    all_running: int = knob(16, "Requests of everybody to the Studio that are worked on at once.", low=1, high=MUCH)
    all_waiting: int = knob(400, "Requests of everybody to the Studio that may wait.", low=1, high=MUCH)
    embed: str = knob("", "Sites whose pages may show this one inside theirs, as in: https://a.example https://*.b.example.")
    origins: str = knob("", "Sites whose pages may have this server work for them, likewise.")


@cache
def caps() -> Caps:
    """The caps of this process, read at the first call; Trouble for a file that is none or a value that cannot be."""
    path, raws = Path(os.environ.get(WHERE) or FILE), {}
    if path.exists() or WHERE in os.environ:
        try:
            raws = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise Trouble(f"The file of caps {path} cannot be read; {WHERE} names another.") from None
        except tomllib.TOMLDecodeError as error:
            raise Trouble(f"The file of caps {path} is not TOML: {error}.") from None
    _checked(raws, str(path))
    asked = {name.removeprefix(PREFIX).lower(): text for name, text in os.environ.items() if name.startswith(PREFIX)}
    _checked(asked, f"the environment ({PREFIX}...)")
    return read(Caps, {**raws, **asked})[0]


def _checked(raws: dict, where: str) -> None:
    """Trouble that names what is wrong, and where it stands."""
    known = knobs(Caps)
    if unknown := [name for name in raws if name not in known]:
        raise Trouble(f"There is no cap called {unknown[0]!r}, as in {where}; there are {', '.join(known)}.")
    if problems := read(Caps, raws)[1]:
        raise Trouble(f"A cap in {where} cannot be: {problems[0]}.")
    for name in set(SITES) & set(raws):
        if wrong := [site for site in str(raws[name]).split() if not SITE.fullmatch(site)]:
            raise Trouble(f"A cap in {where} cannot be: {name}: {wrong[0]!r} is no site such as https://a.example.")


def said(setting: Knob, value: float | str) -> str:
    """A cap's value in words: "12 megapixels", "15 min"."""
    if isinstance(value, str):
        return value or "none"
    if setting.unit in ("bytes", "pixels") and value >= MEGA:
        return f"{value / MEGA:,g} {'MB' if setting.unit == 'bytes' else 'megapixels'}"
    if setting.unit == "s":
        for many, unit in ((86400, "days"), (3600, "hours"), (60, "min")):
            if value >= 2 * many and value % many == 0:
                return f"{value / many:g} {unit}"
    return f"{value:,g} {setting.unit}".strip() if isinstance(value, float) else f"{value:,} {setting.unit}".strip()


def told(name: str) -> str:
    """Today's value of the cap called `name`, in words."""
    return said(knobs(Caps)[name], getattr(caps(), name))


def text() -> str:
    """The settings file with the values that hold without one."""
    lines = ["# All caps on what visitors may ask for. Written by `python -m playground.caps`; change what you like.",
             f"# {PREFIX}<NAME> in the environment overrides a line here; {WHERE} names another file than this one."]
    for name, value in asdict(Caps()).items():
        setting = knobs(Caps)[name]
        unit = f" In {'seconds' if setting.unit == 's' else setting.unit}." if setting.unit else ""
        shown = f'"{value}"' if isinstance(value, str) else f"{value:_}" if isinstance(value, int) else f"{value:g}"
        lines += ["", f"# {setting.help}{unit}", f"{name} = {shown}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
