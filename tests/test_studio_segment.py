"""The Studio's way to segment: trained by name, listed, and asked over HTTP; what it cannot do is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from playground.data import datasets
from tests.studio import pixels, refused

pytest.importorskip("gradio_client")


def test_a_network_is_trained_and_labels_every_pixel(client, bring):
    run = client.submit(task="segment", data="shapes", architecture="unet", code=8, epochs=1, api_name="/train",
                        more="data.size=16&data.count=100&architecture.width=4&architecture.depth=2")  # fmt: skip
    done = run.result(timeout=120)
    assert done["status"] == "done" and [*done["losses"]] == ["cross-entropy", "dice"]
    listed = {one["name"]: one for one in client.predict(way="segment", api_name="/models")}
    assert listed[done["job"]]["ways"] == ["segment"]
    image = np.random.default_rng(1).integers(0, 256, (21, 33, 3), np.uint8)
    shown, facts = client.predict(model=done["job"], image=bring(image), api_name="/segment")
    assert pixels(shown).shape == (21, 33, 3)
    names = [*datasets["shapes"]().mask_classes]
    assert [one["name"] for one in facts["classes"]] == names and {*facts["scores"]} == {*names}
    assert sum(one["pixels"] for one in facts["classes"]) == 21 * 33
    ground = np.asarray(pixels(shown) == image).all(2)  # what is left as it is
    assert ground.sum() >= facts["classes"][0]["pixels"]
    refused(lambda: client.predict(model=done["job"], image=bring(image), api_name="/reconstruct"), "not trained")


def test_data_without_masks_is_refused(client):
    refused(lambda: client.predict(task="segment", data="digits", architecture="unet", api_name="/train"), "no masks")
