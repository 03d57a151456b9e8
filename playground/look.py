"""The look: every colour, size and radius of the playground, once, and what is written from them."""

from __future__ import annotations

from pathlib import Path

COLOURS = {  # name: (light, dark); each becomes one CSS light-dark(), so that a theme needs no script
    "page": ("#ffffff", "#0f1519"),  # behind everything
    "panel": ("#f3f6f7", "#161e24"),  # the column of controls, wells of pictures
    "raise": ("#ffffff", "#1f2930"),  # a control on the panel
    "line": ("#d9e0e4", "#2b373f"),  # hairlines
    "grid": ("#e9eef0", "#1e282f"),  # inside a plot
    "ink": ("#14212a", "#e8eef1"),  # text
    "ink2": ("#4b5b66", "#a9b7c0"),  # labels, captions
    "ink3": ("#5d6d78", "#82929c"),  # ticks, units
    "accent": ("#0b6a75", "#52c4cc"),  # the one accent: primary action, train curve, code
    "accent2": ("#d7ebed", "#14393e"),  # its tint: the chosen segment
    "on": ("#ffffff", "#06262a"),  # text on the accent
    "held": ("#b4530a", "#f2a65a"),  # held-out (drawn dashed as well)
    "pen": ("#7a4aa0", "#c39be6"),  # penalties (drawn dotted as well)
    "ghost": ("#a9b4bb", "#55636c"),  # an earlier run
    "low": ("#ffffff", "#0b1013"),  # intensity 0 ...
    "high": ("#0e2a33", "#f1f7f8"),  # ... and 1
    "neg": ("#1f66ad", "#5fb0f0"),  # difference below 0
    "zero": ("#f7f9fa", "#10171b"),  # no difference
    "pos": ("#b35806", "#f59a45"),  # difference above 0
    "bad": ("#a8201a", "#ff8a80"),  # errors
}

# Ten classes: one hue each in both themes, far apart for normal, deutan, protan and tritan eyes, 3 : 1 on the panel.
CLASSES = (  # (light, dark)
    ("#6185f8", "#6180dd"),  # blue
    ("#c17d12", "#da9020"),  # amber
    ("#247850", "#4e735e"),  # green
    ("#a548ab", "#895b8b"),  # magenta
    ("#632917", "#bf5532"),  # brown
    ("#7d934d", "#badc6c"),  # sage
    ("#1c4351", "#a8e5fe"),  # navy
    ("#471a9d", "#9f98d1"),  # indigo
    ("#6e5600", "#efddab"),  # olive
    ("#a58294", "#be9aac"),  # mauve
)

FONT = '"Source Sans", "Source Sans 3", system-ui, sans-serif'  # Streamlit ships it, so it needs no network
MATH = '"STIX Two Math", "Latin Modern Math", "Cambria Math", "DejaVu Math TeX Gyre", math, serif'
TYPE = {"xs": "11px", "s": "12px", "m": "13px", "l": "15px", "xl": "18px"}
SPACE = {"1": "4px", "2": "8px", "3": "12px", "4": "16px", "5": "24px"}
RADII = {"s": "3px", "m": "6px", "l": "10px"}

PORT = 7860


def css() -> str:
    """The custom properties of the page; they inherit into every component's shadow tree."""
    rules = [f"--ap-{name}:light-dark({light},{dark})" for name, (light, dark) in COLOURS.items()]
    rules += [f"--ap-c{i}:light-dark({light},{dark})" for i, (light, dark) in enumerate(CLASSES)]
    rules += [f"--ap-font:{FONT}", f"--ap-math:{MATH}"]
    rules += [f"--ap-t-{name}:{size}" for name, size in TYPE.items()]
    rules += [f"--ap-s{name}:{size}" for name, size in SPACE.items()]
    rules += [f"--ap-r-{name}:{size}" for name, size in RADII.items()]
    return ":root{" + ";".join(rules) + "}"


def config() -> str:
    """The text of .streamlit/config.toml: the theme in Streamlit's words, and how the server behaves."""
    return f"""# Written by `python -m playground.look`; a test holds that it agrees with playground/look.py.
[theme]
baseFontSize = 14
baseRadius = "{RADII["m"]}"
buttonRadius = "{RADII["m"]}"
showWidgetBorder = true
{_theme(0, "light")}{_theme(1, "dark")}
[runner]
postScriptGC = false  # else every script ends with 60 ms of garbage collection or more
fastReruns = false  # else a click that follows another one ends the other's script in the middle

[server]
port = {PORT}
address = "127.0.0.1"
headless = true
fileWatcherType = "none"

[browser]
gatherUsageStats = false

[client]
toolbarMode = "minimal"
showErrorDetails = "none"  # what went wrong is in the server's log: a page shows no traceback and no path
showErrorLinks = "false"  # and asks no search engine

[logger]
hideWelcomeMessage = true
"""


def _theme(side: int, mode: str) -> str:
    colour = {name: pair[side] for name, pair in COLOURS.items()}
    classes = ", ".join(f'"{pair[side]}"' for pair in CLASSES)
    return f"""
[theme.{mode}]
primaryColor = "{colour["accent"]}"
backgroundColor = "{colour["page"]}"
secondaryBackgroundColor = "{colour["panel"]}"
textColor = "{colour["ink"]}"
borderColor = "{colour["line"]}"
linkColor = "{colour["accent"]}"
chartCategoricalColors = [{classes}]
"""


def main() -> None:
    """Write .streamlit/config.toml."""
    path = Path(__file__).resolve().parent.parent / ".streamlit" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(config())


if __name__ == "__main__":
    main()
