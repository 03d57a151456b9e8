"""Scores of a space of codes: does it keep neighbourhoods, and do its neighbourhoods agree with the classes?"""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.data import ImageSet
from playground.probes.codes import Codes, rows_of_pixels
from playground.probes.maps import check
from playground.probes.neighbours import nearest

NEIGHBOURS = 10
MOST = 2000  # points scored: trustworthiness and silhouette compare each with each
MEANINGS = {
    "trustworthiness": "How far neighbours here are neighbours by pixels too: 1 means always (Venna & Kaski 2001).",
    "knn_accuracy": "Share of images whose class its ten nearest others get right by vote.",
    "silhouette": "How much nearer an image lies to its own class than to the next one, from -1 to 1 (Rousseeuw 1987).",
    "hit": "Neighbourhood hit: share of an image's ten nearest others that are of its class.",
    "precision": "Precision@10: share of the ten training images found for a held-out one that are of its class.",
}


def scores(rows: np.ndarray, pixels: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """Trustworthiness, k-NN accuracy, silhouette and neighbourhood hit of rows (m, d), images' pixels (m, p) beside.

    None where a score means nothing: without two classes, with fewer than a few points, where all rows are equal.
    """
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import silhouette_score

    rows, m = np.ascontiguousarray(rows, np.float32), len(rows)
    k = min(NEIGHBOURS, (m - 1) // 2)  # beyond half of all points trustworthiness is not defined
    found: dict[str, float | None] = dict.fromkeys(("trustworthiness", "knn_accuracy", "silhouette", "hit"))
    if k < 1:
        return found
    found["trustworthiness"] = float(trustworthiness(pixels.astype(np.float32), rows, n_neighbors=k))
    classes = len(np.unique(labels))
    if classes > 1:
        index, _ = nearest(rows, k)
        found["knn_accuracy"] = float((vote(labels[index]) == labels).mean())
        found["hit"] = float((labels[index] == labels[:, None]).mean())
        if classes < m:
            found["silhouette"] = float(silhouette_score(rows, labels))
    return found


def table(sample: Codes, places: np.ndarray, source: ImageSet, gallery: np.ndarray) -> dict[str, Any]:
    """The scores of code, map, PCA of the code's size and pixels, with their meanings.

    places: the sample's (m, 2) on the map. gallery: codes (n, k) of the first training images, among which held-out
    ones are looked for.
    """
    check(sample.codes)
    m, train = min(MOST, len(sample.codes)), source.train[: len(gallery)]
    asking, labels = sample.held_out[:m], sample.labels[:m]
    pixels, its_pixels = sample.pixels[:m], rows_of_pixels(source.images[train])
    of_pixels, its_pca = pca_of_pixels(its_pixels, sample.codes.shape[1], pixels)[::-1]
    spaces: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
        "code": (sample.codes[:m], gallery),
        "map": (places[:m], None),
        "pca": (of_pixels, its_pca),
        "pixels": (pixels, its_pixels),
    }
    rows = {}
    for name, (here, there) in spaces.items():
        rows[name] = scores(here, pixels, labels)
        found = None if there is None else precision(here[asking], labels[asking], there, source.labels[train])
        rows[name]["precision"] = found
    return {"rows": rows, "meanings": MEANINGS, "points": m, "gallery": len(train), "size": sample.codes.shape[1]}


def vote(labels: np.ndarray) -> np.ndarray:
    """The commonest label of each row (m, k); among equals the smallest, as in scikit-learn."""
    counts = (labels[:, :, None] == np.arange(labels.max() + 1)).sum(1)
    return counts.argmax(1)


def precision(queries: np.ndarray, labels: np.ndarray, gallery: np.ndarray, its_labels: np.ndarray) -> float | None:
    """Share of the ten rows found in the gallery (n, d) for each query (m, d) that are of the query's class."""
    if not len(queries) or not len(gallery) or len(np.unique(its_labels)) < 2:
        return None
    index, _ = nearest(gallery, NEIGHBOURS, queries)
    return float((its_labels[index] == labels[:, None]).mean())


def pca_of_pixels(pixels: np.ndarray, k: int, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """The first k principal components of pixels (m, p), and of other images by the same fit; k is cut to what fits."""
    from sklearn.decomposition import PCA

    wide = pixels.astype(np.float32)
    fit = PCA(min(k, *wide.shape), svd_solver="randomized", random_state=0).fit(wide)
    return tuple(fit.transform(part.astype(np.float32)) for part in (pixels, *others))
