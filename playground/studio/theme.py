"""The Studio's Gradio theme: the colours, type and radii of look.py under Gradio's names, light and dark."""

from __future__ import annotations

from typing import Any

from gradio.themes import Base
from gradio.themes.utils.colors import Color
from gradio.themes.utils.fonts import Font, LocalFont
from gradio.themes.utils.sizes import Size

from playground.look import COLOURS, RADII, SPACE, TYPE, css

SHADES = ("c50", "c100", "c200", "c300", "c400", "c500", "c600", "c700", "c800", "c900", "c950")
NAMES = {  # Gradio's name -> ours
    "body_background_fill": "page", "body_text_color": "ink", "body_text_color_subdued": "ink2",
    "background_fill_primary": "page", "background_fill_secondary": "panel",
    "block_background_fill": "page", "block_border_color": "line", "block_info_text_color": "ink2",
    "block_label_background_fill": "page", "block_label_text_color": "ink2", "block_label_border_color": "line",
    "block_title_text_color": "ink2", "panel_background_fill": "panel", "panel_border_color": "line",
    "border_color_primary": "line", "border_color_accent": "accent", "border_color_accent_subdued": "line",
    "color_accent_soft": "accent2", "link_text_color": "accent", "link_text_color_hover": "accent",
    "link_text_color_active": "accent", "link_text_color_visited": "accent",
    "input_background_fill": "raise", "input_background_fill_focus": "raise", "input_border_color": "line",
    "input_border_color_focus": "accent", "input_placeholder_color": "ink3", "slider_color": "accent",
    "checkbox_background_color": "raise", "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "ink3", "checkbox_border_color_focus": "accent",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "raise", "checkbox_label_background_fill_selected": "accent2",
    "checkbox_label_border_color": "line", "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "ink", "checkbox_label_text_color_selected": "ink",
    "button_primary_background_fill": "accent", "button_primary_background_fill_hover": "accent",
    "button_primary_border_color": "accent", "button_primary_border_color_hover": "accent",
    "button_primary_text_color": "on", "button_primary_text_color_hover": "on",
    "button_secondary_background_fill": "raise", "button_secondary_background_fill_hover": "panel",
    "button_secondary_border_color": "line", "button_secondary_border_color_hover": "ink3",
    "button_secondary_text_color": "ink", "button_secondary_text_color_hover": "ink",
    "button_cancel_background_fill": "raise", "button_cancel_background_fill_hover": "panel",
    "button_cancel_border_color": "line", "button_cancel_text_color": "bad",
    "table_border_color": "line", "table_even_background_fill": "page", "table_odd_background_fill": "panel",
    "table_row_focus": "accent2", "code_background_fill": "panel", "error_text_color": "bad", "error_icon_color": "bad",
    "error_border_color": "bad", "error_background_fill": "page", "stat_background_fill": "accent2",
    "loader_color": "accent",
}  # fmt: skip
ONE_FOR_BOTH = {  # variables that Gradio does not ask for twice
    "block_radius": RADII["l"], "container_radius": RADII["l"], "input_radius": RADII["m"],
    "button_large_radius": RADII["m"],
    "button_medium_radius": RADII["m"], "button_small_radius": RADII["m"], "checkbox_label_padding": "5px 10px",
    "block_label_text_size": TYPE["s"], "block_title_text_size": TYPE["m"], "block_info_text_size": TYPE["s"],
    "input_text_size": TYPE["m"], "button_large_text_size": TYPE["l"], "button_medium_text_size": TYPE["m"],
    "checkbox_label_text_size": TYPE["m"], "body_text_size": TYPE["m"], "block_shadow": "none",
    "input_shadow": "none", "input_shadow_focus": "none", "checkbox_label_shadow": "none",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none", "button_transition": "none", "block_border_width": "1px",
    "layout_gap": SPACE["4"], "form_gap_width": "0px",
}  # fmt: skip


def theme() -> Base:
    """The theme; it asks the network for nothing: its type is what the page brings or the system has."""
    made = Base(
        primary_hue=_hue("accent"),
        secondary_hue=_hue("accent"),
        neutral_hue=_hue("ghost"),
        font=[LocalFont("Source Sans 3"), Font("system-ui"), Font("sans-serif")],
        font_mono=[Font("ui-monospace"), Font("monospace")],
        text_size=Size(
            name="ap", xxs="10px", xs=TYPE["xs"], sm=TYPE["s"], md=TYPE["m"], lg=TYPE["l"], xl=TYPE["xl"], xxl="22px"
        ),
    )
    both: dict[str, Any] = dict(ONE_FOR_BOTH)
    for name, ours in NAMES.items():
        both[name], both[f"{name}_dark"] = COLOURS[ours]
    return made.set(**both)


def _hue(name: str) -> Color:
    """A hue of one colour: every place that matters is set by name, so shades are never seen."""
    return Color(**dict.fromkeys(SHADES, COLOURS[name][0]), name=f"ap-{name}")


def page_css() -> str:
    """The custom properties of look.py, following Gradio's own switch of light and dark, and the page's own rules."""
    return css() + ":root{color-scheme:light} .dark{color-scheme:dark}"
