"""Recipes of the shipped models: one table, of which `python -m playground pretrain` makes what lies in pretrained/."""

from __future__ import annotations

from playground.autoencoders import RECIPES as AUTOENCODERS
from playground.recipe import Recipe

INPAINT = "task=inpaint&architecture=unet&training.schedule=cosine&training.rate=0.002&"
CLASSIFY = ("task=classify&architecture=convolutional&architecture.code=32&variant=denoising&training.loss=bce"
            "&training.schedule=cosine&task.labels=0&")
FILLS = "Fills what is hidden of a picture from what is left around it; look at it on the Paint page."


def _inpaint(data: str, more: str, limits: str) -> Recipe:
    return Recipe(f"inpaint-{data}", f"{INPAINT}data={data}&{more}", FILLS, limits)


def _compress(data: str, more: str, limits: str) -> Recipe:
    return Recipe(f"compress-{data}", f"task=compress&data={data}&training.schedule=cosine&{more}",
                  "Makes pictures into small files, and files into pictures again; look at it on the Compress page.",
                  limits)


def _segment(data: str, more: str, limits: str) -> Recipe:
    return Recipe(f"segment-{data}", f"task=segment&architecture=unet&data={data}&architecture.width=16"
                  f"&training.schedule=cosine&training.rate=0.002&{more}",
                  "Says of every pixel what it belongs to; look at it on the Segment page.", limits)


RECIPES = {recipe.name: recipe for recipe in (
    *AUTOENCODERS,
    _inpaint("digits", "architecture.width=8&training.loss=bce&training.epochs=120",
             "It knows handwritten digits only, and holes of at most half of the picture."),
    _inpaint("mnist", "architecture.width=8&training.loss=bce&training.epochs=3",
             "It knows handwritten digits only; where a whole stroke is hidden it guesses the likeliest one."),
    _inpaint("fashion-mnist", "architecture.width=8&training.epochs=3",
             "It knows ten kinds of clothes; prints and lettering inside the hole come back as plain cloth."),
    _inpaint("shapes", "data.count=20000&architecture.width=16&training.epochs=20",
             "It knows plain shapes on a plain ground; one that is hidden altogether cannot be known."),
    _inpaint("photos", "data.count=20000&data.varied=true&architecture.width=16&training.epochs=10",
             "It learnt from six photographs: it goes on with edges and shades, invents no texture, and by PSNR a "
             "biharmonic fill comes as close."),
    Recipe("upscale-photos-2", "task=upscale&architecture=residual&data=photos&data.size=48&data.colour=false"
           "&data.count=20000&data.varied=true&training.loss=l1&training.schedule=cosine&training.batch=16"
           "&training.epochs=8",
           "Makes photographs twice as high and as wide; look at it on the Upscale page.",
           "It learnt from six photographs; it sharpens edges, and draws no texture that the small one does not show."),
    Recipe("upscale-photos-4", "task=upscale&task.scale=4&architecture=residual&data=photos&data.size=96"
           "&data.colour=false"
           "&data.count=20000&data.varied=true&training.loss=l1&training.schedule=cosine&training.batch=16"
           "&training.epochs=8",
           "Makes photographs four times as high and as wide; look at it on the Upscale page.",
           "It learnt from six photographs; it sharpens edges, and draws no texture that the small one does not show."),
    Recipe("denoise-photos", "task=denoise&architecture=residual&data=photos&data.size=32&data.colour=false"
           "&data.count=20000&data.varied=true&training.schedule=cosine&training.batch=16&training.epochs=5",
           "Takes white noise of any strength, told or estimated, out of photographs; look at it on the Denoise page.",
           "It learnt from six photographs and white noise alone: the blotches of a JPEG or a camera stay."),
    Recipe("detect-shapes", "task=detect&architecture=unet&data=shapes&data.count=12000&architecture.width=12"
           "&training.batch=16&training.rate=0.003&training.schedule=cosine&training.epochs=8",
           "Puts boxes about circles, squares, triangles, stars, crosses and rings; look at it on the Detect page.",
           "It learnt on scenes of 32 × 32 pixels drawn by the program, with one to three shapes 6 to 24 pixels wide: "
           "larger ones, upside-down ones and photographs are strange to it."),
    Recipe("detect-cells", "task=detect&architecture=unet&data=cells&architecture.code=48&architecture.width=12"
           "&training.batch=16&training.rate=0.003&training.schedule=cosine&training.epochs=8",
           "Puts a box about every cell under an imitated microscope, touching or not; look at it on the Detect page.",
           "It learnt on cells drawn by the program, up to six in 64 × 64 pixels; a real microscope's look otherwise."),
    Recipe("retrieve-mnist", "task=retrieve&data=mnist&architecture.code=128&architecture.width=480"
           "&training.loss=bce&training.batch=128&training.epochs=15&training.schedule=cosine",
           "Finds a handwritten digit's like among tens of thousands by 128 bits; look at it on the Retrieve page.",
           "It learnt without labels, so that digits that look alike lie together, whatever they mean."),
    _compress("digits", "task.price=0.01&architecture.code=24&architecture.width=256&training.epochs=400",
              "It knows small handwritten digits only, which stay readable; other pictures come back as digits."),
    _compress("mnist", "task.price=0.05&architecture.code=48&architecture.width=512&training.epochs=12"
              "&training.rate=0.002",
              "It knows handwritten digits only; strokes are a little smoothed, other pictures come back as digits."),
    _segment("shapes", "data.count=20000&architecture.code=128&task.turned=false&training.batch=16&training.epochs=6",
             "It knows six plain shapes about as large as in its images, 32 pixels a side, and gives one "
             "of the six to everything that stands out."),
    _segment("cells", "training.batch=8&training.epochs=4",
             "It knows drawn cells, green with blue nuclei and about as large as in its images, 64 pixels a side; real "
             "micrographs look otherwise."),
    Recipe("restyle-photos", "task=restyle&architecture=residual&architecture.code=16&architecture.depth=5"
           "&architecture.width=16&data=photos&data.size=48&data.count=8000&data.varied=true&training.loss=l1"
           "&training.rate=0.002&training.schedule=cosine&training.batch=8&training.epochs=3",
           "Gives photographs back as if painted in oil; look at it on the Restyle page.",
           "It learnt one filter and one breadth of brush from six photographs, and softens dabs that the filter would "
           "choose between."),
    Recipe("classify-mnist-probe", f"{CLASSIFY}data=mnist&task.hidden=256&architecture.depth=3&training.epochs=5"
           "&training.rate=0.003",
           "Names handwritten digits from a code of 32 numbers whose encoder has never been told a digit.",
           "It knows single digits, light on dark, as large and as central as MNIST's."),
    Recipe("classify-mnist", f"{CLASSIFY}data=mnist&task.way=fine-tuned&task.pretraining=0.25&task.shift=1"
           "&task.images=0.0&architecture.depth=3&training.epochs=6&training.rate=0.003",
           "Names handwritten digits: an encoder that learnt from images first, then from the labels too.",
           "It knows single digits, light on dark; anything else it names as one too, at times with certainty."),
    Recipe("classify-digits", f"{CLASSIFY}task.way=fine-tuned&task.pretraining=0.25&task.shift=1&task.images=0.003"
           "&training.epochs=60&training.rate=0.002",
           "Names small handwritten digits; look at it on the Classify page.",
           "It knows single digits, light on dark; anything else it names as one too, at times with certainty."),
)}  # fmt: skip
