"""Spaces: the files of a hosted Space, assembled from this checkout: a Gradio one, or a Docker one."""

from __future__ import annotations

import shutil
from pathlib import Path

from playground.caps import FILE
from playground.events import Trouble

ROOT = Path(__file__).resolve().parent.parent
FILES = {  # sdk -> what of the checkout belongs to it
    "gradio": ("app.py", "playground.toml", "playground", "pretrained", "requirements.txt", "LICENSE"),
    "docker": ("app.py", "playground.toml", "playground", "pretrained", "requirements.txt", "LICENSE", ".streamlit",
               "Dockerfile", ".dockerignore", "docs/results", "benchmarks/results"),
}
FENCE = "---\n"
PYTHON = "3.12"  # a host's usual one is older than the project needs
LENDS = "spaces"  # the package that lends a GPU; without a version: the host installs the one that fits it
FRAMES = "https://huggingface.co https://*.hf.space"  # whose pages show a Space inside theirs


def assemble(sdk: str, folder: Path, root: Path = ROOT) -> Path:
    """Write a Space's files into a folder that is empty or not there yet, and return it; sdk: "gradio" or "docker".

    The Gradio one shows the Studio, on a GPU that is lent for each call where the host does so; the Docker one shows
    everything; its host's pages may show either inside theirs. Trouble for a folder that holds something, or where the
    checkout is not complete.
    """
    if sdk not in FILES:
        raise Trouble(f"There is no kind of Space called {sdk!r}; there are {' and '.join(FILES)}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Trouble(f"{folder} holds something already: name a new folder.")
    missing = [name for name in (*FILES[sdk], "README.md") if not (root / name).exists()]
    if missing:
        raise Trouble(f"A Space is assembled in a checkout of the project, and {missing[0]} is not here.")
    for name in FILES[sdk]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.part"))
        else:
            shutil.copyfile(root / name, target)
    if sdk == "gradio":
        with (folder / "requirements.txt").open("a", encoding="utf-8") as needed:
            needed.write(f"{LENDS}\n")
    (folder / "README.md").write_text(readme(sdk, root), encoding="utf-8")
    settings = folder / FILE.name
    framed = settings.read_text(encoding="utf-8").replace('embed = ""', f'embed = "{FRAMES}"')
    settings.write_text(framed, encoding="utf-8")
    return folder


def readme(sdk: str, root: Path = ROOT) -> str:
    """The project's README with the front matter of a Space of this kind; pictures, which are not copied, left out."""
    front, text = split((root / "README.md").read_text(encoding="utf-8"))
    if sdk == "gradio":
        front |= {"sdk": "gradio", "sdk_version": _pinned("gradio", root), "python_version": f'"{PYTHON}"',
                  "app_file": "app.py"}
        front.pop("app_port", None)
    lines = [line for line in text.splitlines() if not line.startswith("![")]
    return FENCE + "".join(f"{name}: {value}\n" for name, value in front.items()) + FENCE + "\n".join(lines) + "\n"


def split(text: str) -> tuple[dict[str, str], str]:
    """A README's front matter, name -> value, and the rest."""
    _, front, rest = text.split(FENCE, 2)
    pairs = (line.split(": ", 1) for line in front.splitlines())
    return dict(pairs), rest


def _pinned(package: str, root: Path) -> str:
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))
