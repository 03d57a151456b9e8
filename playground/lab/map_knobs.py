"""The map's knobs as the Latent space component draws them, in the Lab and in the Studio."""

from __future__ import annotations

from typing import Any

from playground.knobs import knobs, label
from playground.probes.maps import MapKnobs


def described() -> list[dict[str, Any]]:
    """The map's knobs as the page draws them."""
    default = MapKnobs()
    return [
        {
            "name": name, "label": label(name, one), "help": one.help, "choices": one.choices, "stops": one.stops,
            "low": one.low, "high": one.high, "when": one.when, "default": getattr(default, name),
        }
        for name, one in knobs(MapKnobs).items()
    ]  # fmt: skip
