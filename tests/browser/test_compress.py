"""The Compress page in a real Chromium: pictures to a file, its bytes and PSNR beside JPEG and WebP, and back."""

from __future__ import annotations

import pytest

from playground import aec
from tests.browser.seen import button, until
from tests.browser.test_applications import go_to, pictures, worth

pytestmark = pytest.mark.browser


def bytes_each(page) -> float:
    return float(page.get_by_text("bytes a picture").first.inner_text().split(" bytes")[0].replace(",", ""))


def bring(page, label: str, name: str, data: bytes) -> None:
    uploader = page.locator("[data-testid=stFileUploader]").filter(has_text=label)
    uploader.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})


def test_pictures_become_a_file_and_the_file_pictures(visit):
    page = visit()
    go_to(page, "compress")
    until(page, lambda: pictures(page) == ["Original", "Model", "JPEG, one sheet of all", "WebP, one sheet of all"])
    assert worth(page, "Model") > worth(page, "JPEG, one sheet of all") + 2
    page.locator(".js-plotly-plot .legend").get_by_text("WebP, one sheet of all").wait_for()
    page.get_by_role("table").get_by_text("float32").wait_for()
    before = bytes_each(page)
    page.get_by_role("slider", name="Each number of a code").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: bytes_each(page) > before)
    with page.expect_download() as saved:
        button(page, "Save the file").click()
    data = saved.value.path().read_bytes()
    header = aec.read(data)
    assert len(header.sizes) == 64 and round(len(data) / 64, 1) == bytes_each(page)
    bring(page, "A file of compressed codes", "mine.aec", data)
    page.get_by_text(f"64 pictures of {len(data):,} bytes").wait_for()
    assert pictures(page)[-1] == "Decoded"
    decoded, made = (page.locator(f"figure[data-picture='{name}'] img").get_attribute("src")
                     for name in ("Decoded", "Model"))
    assert decoded == made
    bring(page, "A file of compressed codes", "half.aec", data[: len(data) // 2])
    page.get_by_role("alert").filter(has_text="half.aec is damaged or cut off.").wait_for()


def test_ones_own_picture_and_a_phone(visit, tmp_path):
    from playground.data.photos import photograph
    from playground.images import to_png

    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    go_to(page, "compress")
    page.get_by_role("combobox", name="Pictures").click()
    page.get_by_role("option", name="Your own pictures").click()
    page.get_by_text("Bring a picture").wait_for()
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": to_png(photograph("cat")[:, :100, :120])})
    until(page, lambda: "JPEG, its tables not counted" in pictures(page))
    page.get_by_text("blocks of").wait_for()
    page.get_by_text("the model knows small handwritten digits only").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
