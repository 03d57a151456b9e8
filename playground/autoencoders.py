"""Recipes of the shipped autoencoders: every variant on four data sets, dense and convolutional; and what else shows.

A name is VARIANT-DATA for a dense network and VARIANT-DATA-convolutional; -2 at its end: a code of two numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from playground.recipe import Recipe

QUICK = "training.batch=128&training.rate=0.003&training.schedule=cosine"
STEEP = "training.rate=0.005&training.schedule=cosine"
LARGE = "training.batch=256&training.rate=0.004&training.schedule=cosine"
DEEP = "architecture.depth=2&architecture.activation=relu&variant.units=linear"
SETS = {  # data set -> what its images show; what a query says of the set; of a dense network; of a convolutional one
    "digits": ("small handwritten digits", "", "training.epochs=100&training.rate=0.003&training.schedule=cosine",
               f"architecture.width=8&training.epochs=60&{STEEP}"),
    "mnist": ("handwritten digits", "data=mnist", f"training.epochs=5&{LARGE}",
              f"architecture.width=8&training.batch=128&training.epochs=2&{STEEP}"),
    "fashion-mnist": ("clothes", "data=fashion-mnist", f"training.epochs=5&{LARGE}",
                      f"architecture.width=8&training.batch=128&training.epochs=2&{STEEP}"),
    "shapes": ("coloured shapes", "data=shapes&data.count=10000", f"training.epochs=8&{QUICK}",
               f"architecture.depth=3&architecture.width=8&training.batch=128&training.epochs=12&{STEEP}"),
}
VARIANTS = {  # variant -> what a query says of it; of a dense network; of a convolutional one; about; limits
    "undercomplete": ("", "architecture.code=16&architecture.width=128", "architecture.code=16",
                      "The plain {kind} autoencoder: {images} through {code} numbers and back.",
                      "Fine detail is smoothed, and pictures of anything else come back as {images}."),
    "contractive": ("variant=contractive", "architecture.code=64&architecture.depth=1&variant.weight=0.03",
                    "architecture.code=32&variant.method=estimate&variant.weight=1.0&variant.units=linear",
                    "Codes that hardly move when the pixels of {images} do; look at its Jacobian on the Inside page.",
                    "What it gives back is blurrier than without the penalty: that is its price."),
    "sparse": ("variant=sparse", "architecture.code=196&architecture.depth=1",
               "architecture.code=128&variant.beta=0.3",
               "{code} units for {images}, few of them at work for one image; see them on the Inside page.",
               "Its code is large: as numbers to keep of an image it is no saving."),
    "denoising": ("variant=denoising", "architecture.code=64&architecture.width=128", "architecture.code=64",
                  "Takes Gaussian noise of level 0.3 away from {images}; look at it on the Paint page.",
                  "Other noise, and pictures of anything else, come back changed."),
}  # fmt: skip
# Weight decay, because linear contractive codes can shrink while the decoder swells, and are then no stiller.
MORE = {  # name -> what its query says beside the table
    "contractive-mnist": f"training.epochs=8&variant.weight=0.1&training.decay=0.003&{DEEP}&architecture.width=512",
    "contractive-fashion-mnist": "training.epochs=8&variant.weight=0.03&training.decay=0.001"
                                 f"&{DEEP}&architecture.width=512",
    "contractive-shapes": f"training.epochs=25&variant.weight=0.1&training.decay=0.003&{DEEP}&architecture.width=256",
    "contractive-digits-convolutional": "architecture.activation=relu&training.rate=0.003&variant.weight=0.03",
    "contractive-mnist-convolutional": "training.epochs=4&architecture.width=16&training.decay=0.06",
    "contractive-fashion-mnist-convolutional": "training.epochs=8&architecture.width=16&training.decay=0.07",
    "contractive-shapes-convolutional": "training.epochs=25&architecture.width=16&variant.weight=0.1"
                                        "&training.decay=0.01",
    "undercomplete-shapes": "training.epochs=25",
    "sparse-shapes-convolutional": "training.epochs=50&architecture.width=16",
    "denoising-shapes": "data.count=20000&training.rate=0.002&training.epochs=20&architecture.code=128"
                        "&architecture.width=288",
    "denoising-shapes-convolutional": "training.epochs=50&architecture.width=16",
    "undercomplete-shapes-convolutional": "training.epochs=50&architecture.width=16",
    "sparse-shapes": "architecture.depth=2&architecture.width=128&architecture.activation=elu&training.epochs=60"
                     "&variant.beta=0.1",
}
OWN = {  # recipes that say something else than their place in the table
    "undercomplete-digits": Recipe(
        "undercomplete-digits", "",
        "The playground's first page: small handwritten digits through the usual code and back.",
        "It learnt from 1,438 images; the gap between its two curves is what it learnt by heart."),
    "undercomplete-mnist": Recipe(
        "undercomplete-mnist", "data=mnist&architecture.width=512&training.epochs=15&training.schedule=cosine",
        "The plain dense autoencoder: 784 pixels through 16 numbers and back.",
        "Fine strokes are smoothed, and anything that is no digit comes back as one."),
    "denoising-mnist-convolutional": Recipe(
        "denoising-mnist-convolutional",
        "data=mnist&variant=denoising&architecture=convolutional&architecture.code=64&training.epochs=5"
        "&training.schedule=cosine",
        "Takes Gaussian noise of level 0.3 away from handwritten digits; look at it on the Paint page.",
        "Other noise, and pictures that are no digits, come back changed."),
    "denoising-digits": Recipe(
        "denoising-digits", "variant=denoising&architecture.code=32&architecture.width=512&training.epochs=300"
        "&training.schedule=cosine",
        "Takes Gaussian noise of level 0.3 away from small handwritten digits; look at it on the Paint page.",
        "Other noise, and pictures that are no digits, come back changed."),
    "undercomplete-digits-2": Recipe(
        "undercomplete-digits-2", "architecture.code=2&training.epochs=200&training.schedule=cosine",
        "Two numbers for each digit, so that the whole space of codes can be seen on the Latent space page.",
        "Two numbers are too few for ten digits: threes, eights and nines mix."),
}  # fmt: skip
TWO = {  # data set -> what a query says beside the set's own and the size of the code
    "digits": "",
    "mnist": f"architecture.depth=3&training.epochs=5&{LARGE}",
    "fashion-mnist": f"architecture.depth=3&training.epochs=5&{LARGE}",
    "shapes": f"architecture.depth=3&architecture.width=256&training.epochs=60&{QUICK}",
}
LINEAR = {"digits": "training.epochs=150&training.rate=0.003",
          "mnist": "training.batch=256&training.epochs=10&training.rate=0.003",
          "fashion-mnist": "training.batch=256&training.epochs=20&training.rate=0.003"}
PLANE = ("data=plane&architecture.code=64&architecture.width=64&training.epochs=150&training.rate=0.003"
         "&training.schedule=cosine")
CURVES = {  # curve -> what a query says beside PLANE; a spiral's arms lie so near that stronger noise fills the disc
    "spiral": "variant=denoising&variant.level=0.03&architecture.code=128&architecture.width=128&architecture.depth=3"
              "&training.epochs=300",
    "moons": "data.curve=moons&variant=denoising&variant.level=0.05",
    "circle": "data.curve=circle&variant=denoising&variant.level=0.05",
}


def _query(*parts: str) -> str:
    """One query of several: where two say something of the same knob, the last one counts."""
    return urlencode(dict(parse_qsl("&".join(filter(None, parts)))))


def _grid() -> Iterator[Recipe]:
    for variant, (own, *sizes, about, limits) in VARIANTS.items():
        for data, (images, where, *trainings) in SETS.items():
            for kind, size, training in zip(("dense", "convolutional"), sizes, trainings, strict=True):
                name = f"{variant}-{data}" + (f"-{kind}" if kind == "convolutional" else "")
                network = "architecture=convolutional&architecture.activation=elu" if kind == "convolutional" else ""
                query = _query(where, network, own, training, size, MORE.get(name, ""))
                said = {"kind": kind, "images": images, "code": dict(parse_qsl(size))["architecture.code"]}
                yield OWN.get(name) or Recipe(name, query, about.format(**said), limits.format(**said))


def _two() -> Iterator[Recipe]:
    for data, more in TWO.items():
        images, where, *_ = SETS[data]
        name, query = f"undercomplete-{data}-2", _query(where, "architecture.code=2", more)
        yield OWN.get(name) or Recipe(
            name, query, f"Two numbers for each image of {images}, so that the whole space of codes can be seen on "
            "the Latent space page.", "Two numbers are too few: images that differ lie in one place and mix.")


def _linear() -> Iterator[Recipe]:
    for data, more in LINEAR.items():
        images, where, *_ = SETS[data]
        query = _query(where, "architecture.depth=1&architecture.activation=linear&architecture.output=linear"
                       "&training.schedule=cosine", more)
        yield Recipe(f"linear-{data}", query,
                     f"Nothing bends in it, so that it finds the plane of PCA for {images}: compare both on the "
                     "Inside page.", "It can do nothing that PCA of 16 numbers does not do as well.")


def _plane() -> Iterator[Recipe]:
    for curve, more in CURVES.items():
        yield Recipe(f"denoising-plane-{curve}", _query(PLANE, more),
                     f"Points about a {curve.rstrip('s')} are drawn back onto it: see the field of arrows on the "
                     "Inside page.", "It knows the way back from near by; far from the curve its arrows mean little.")


RECIPES: tuple[Recipe, ...] = (*_grid(), *_two(), *_linear(), *_plane())
