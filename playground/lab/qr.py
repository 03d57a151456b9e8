"""QR codes of links, black on white whatever the page's colours are, as cameras want them."""

from __future__ import annotations

import io

import segno

from playground.events import Trouble

QUIET = 4  # modules of white around a code, as its standard asks
PIXELS = 16  # of a module in the picture that is saved


def code(link: str) -> segno.QRCode:
    """The smallest code that still reads with 15 % of it spoilt; Trouble for a link that no code holds."""
    try:
        return segno.make_qr(link, error="m")
    except segno.DataOverflowError:
        raise Trouble("This link is too long for a QR code: hide less, or give the link itself.") from None


def svg(link: str) -> str:
    """As the text of an SVG file, which takes whatever size it is given."""
    made = io.BytesIO()
    code(link).save(made, kind="svg", border=QUIET, dark="#000", light="#fff", omitsize=True)
    return made.getvalue().decode("utf-8")


def png(link: str) -> bytes:
    """As a PNG of 16 pixels a module."""
    made = io.BytesIO()
    code(link).save(made, kind="png", scale=PIXELS, border=QUIET, dark="#000", light="#fff")
    return made.getvalue()
