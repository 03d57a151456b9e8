"""The building's plan, held by reading the imports: what stands on which floor, and what may not enter it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLAYGROUND = ROOT / "playground"

FLOORS = (
    ("knobs", "registry", "events", "images", "home", "kept", "masks", "layered", "idle", "caps",
     "owners", "entropy", "aec", "memory"),
    ("layers", "adam", "model", "holes", "losses", "jacobian", "corruption", "metrics", "history", "device", "runner",
     "classical", "regions", "detections", "painterly"),
    ("data", "architectures", "variants", "tasks"),
    ("experiment", "recipe", "autoencoders", "recipes", "lessons"),
    ("checkpoint", "probes", "batches"),
    ("trainer", "library", "incoming", "networks", "supply", "patchwork", "windows", "portions", "index", "among",
     "answering", "examples"),
    ("workbench", "explorer", "inspector", "siblings", "restorer", "coder", "labelling", "retriever", "compressor",
     "measures", "shipping", "exporting", "care", "packing", "hub", "filmed"),
    ("look", "gate", "figures", "found", "live", "explore_routes", "explore_answers", "explore_questions",
     "paint_routes", "inside_answers", "inside_routes", "inside_variants",
     "paint_desks", "paint_work", "lab", "studio", "server", "guard",
     "progress", "foreground", "spaces", "commands", "commands_compress", "commands_images", "commands_labels",
     "commands_hub", "commands_models", "commands_papers", "commands_retrieve", "__main__"),
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
TOP = len(FLOORS) - 1
FACES = {"streamlit", "gradio"}
THREADS = {"threading", "_thread", "queue", "multiprocessing", "concurrent"}
PROMISES = {"concurrent.futures.Future", "concurrent.futures.TimeoutError"}  # what the engine's commands return
HEAVY = {"torchvision", "sklearn", "skimage", "scipy", "cv2", "umap", "plotly", "torchmetrics", "pandas", "matplotlib"}
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f]")
PATH_OF_A_MACHINE = re.compile(r"""(?<![\w.\-/])/(?:home|root|Users|work|mnt|tmp|var/folders)/\w""")
READABLE = {".py", ".js", ".css", ".md", ".toml", ".txt", ".html", ".svg", ".json", ".yml", ".yaml", ""}


def modules() -> list[Path]:
    return sorted(PLAYGROUND.rglob("*.py"))


def dotted(path: Path) -> str:
    """playground/data/digits.py -> playground.data.digits"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> int:
    """The floor of playground.x or playground.x.y; KeyError for a module that the plan does not know."""
    return FLOOR[module.split(".")[1]]


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Names imported, and whether that happens when the module is loaded; what only type checkers read is left out.

    `from a import b` counts as a.b, which may be a module or a name in one.
    """
    return tuple(_imports(ast.parse(path.read_text(encoding="utf-8")).body, loading=True))


def _imports(body: list[ast.stmt], loading: bool) -> Iterator[tuple[str, bool]]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, loading) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written `from playground.x import y`, never relative"
            yield from ((f"{node.module}.{alias.name}", loading) for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(node.orelse, loading)
        else:
            inside = loading and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for branch in ("body", "orelse", "finalbody"):
                yield from _imports(getattr(node, branch, []), inside)
            for handler in getattr(node, "handlers", []):
                yield from _imports(handler.body, inside)


def package(name: str) -> str:
    return name.split(".")[0]


def own(name: str, known: set[str]) -> str | None:
    """The playground's module that an imported name leads to; None for other packages."""
    if package(name) != "playground" or name == "playground":
        return None
    while name not in known and name.count("."):
        name = name.rpartition(".")[0]
    return name if name != "playground" else None


def tracked() -> list[Path]:
    """Every file that belongs to the project: what git knows or would add."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
    if listing.returncode:
        pytest.skip("this is not a checkout")
    return sorted(path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file())


def sources() -> list[tuple[Path, str]]:
    return [(path, path.read_text(encoding="utf-8")) for path in tracked() if path.suffix in READABLE]


KNOWN = {dotted(path) for path in modules()}


def breaches(wrong: Callable[[str, tuple[tuple[str, bool], ...]], Iterable[str]]) -> dict[str, list[str]]:
    """Module -> the names that wrong(module, its imports) finds fault with, of all modules on a floor."""
    found = {name: sorted(wrong(name, imports(path))) for path in modules() if (name := dotted(path)) != "playground"}
    return {name: names for name, names in found.items() if names}


def test_every_module_stands_on_a_floor():
    assert not [name for path in modules()
                if (name := dotted(path)) != "playground" and name.split(".")[1] not in FLOOR], "add it to FLOORS"


def test_imports_only_go_down():
    assert not breaches(lambda module, names: [name for name, _ in names if (target := own(name, KNOWN))
                                               and floor_of(target) > floor_of(module)])


def test_no_torch_on_the_ground_floor_nor_in_the_engine():
    assert not breaches(lambda module, names: {package(name) for name, _ in names} & {"torch", "torchvision"}
                        if floor_of(module) == 0 or module == "playground.runner" else ())


def test_threads_only_in_the_engine_and_the_server():
    assert not breaches(lambda module, names: [name for name, _ in names if package(name) in THREADS
                                               and name not in PROMISES]
                        if module not in ("playground.runner", "playground.server") else ())


def test_no_face_below_the_top():
    assert not breaches(lambda module, names: {package(name) for name, _ in names} & FACES
                        if floor_of(module) < TOP else ())


def test_nothing_heavy_is_loaded_on_the_way_to_the_first_page():
    assert not breaches(lambda module, names: {package(name) for name, loading in names if loading} & HEAVY)


def test_the_package_itself_loads_nothing_of_all_this():
    loaded = {package(name) for name, _ in imports(PLAYGROUND / "__init__.py")}
    assert not loaded & (FACES | THREADS | HEAVY | {"torch"})


def test_modules_open_with_a_sentence():
    assert not [dotted(path) for path in modules() if (text := path.read_text(encoding="utf-8")).strip()
                and not (ast.get_docstring(ast.parse(text)) or "").strip()]


def test_the_engine_knows_only_events():
    assert {own(name, KNOWN) for name, _ in imports(PLAYGROUND / "runner.py")} - {None} == {"playground.events"}


def test_no_circles():
    """The order in which modules load exists: following imports made while loading never comes back."""
    edges = {dotted(path): {own(name, KNOWN) for name, loading in imports(path) if loading} - {None, dotted(path)}
             for path in modules()}
    for module, targets in edges.items():  # a plug-in imports its package's registry, which finds it by discovery
        edges[module] = {target for target in targets if target in edges}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for target in edges[module]:
                visit(target, (*trail, module))
            done.add(module)

    for module in edges:
        visit(module, ())


def test_no_long_file():
    long = {str(path.relative_to(ROOT)): count for path in tracked() if path.suffix in (".py", ".js", ".css")
            if (count := path.read_text(encoding="utf-8").count("\n")) > 300}
    assert not long


def test_no_emoji():
    found = {str(path.relative_to(ROOT)): marks for path, text in sources()
             if path != Path(__file__) and (marks := EMOJI.findall(text))}
    assert not found


def test_no_path_of_a_machine():
    found = {str(path.relative_to(ROOT)): marks for path, text in sources()
             if path != Path(__file__) and path.suffix != ".svg" and (marks := PATH_OF_A_MACHINE.findall(text))}
    assert not found
