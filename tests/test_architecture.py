"""The import layers of the design, and what must stay cheap to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the bottom up: a module imports only from layers below its own, packages may also import from themselves.
LAYERS = [
    {"channels"},
    {
        "theory",
        "tally",
        "gaussianity",
        "gradients",
        "data",
        "seeds",
        "spelling",
        "states",
        "nets",
        "precision",
        "muon",
        "sharing",
    },
    {"sources", "image_metrics"},
    {"store", "checkpoint", "codecs", "results"},
    {"regularisers", "link", "factory", "players", "epochs"},
    {"metrics", "train", "exact", "snr_check", "case", "autoencoders", "codec_training"},
    {"blocks"},
    {"estimators"},
    {"montecarlo"},
    {"verify", "attack"},
    {"certificates"},
    {"game", "report", "plot", "regularise", "bits", "deepjscc", "separation"},
    {"pairs"},
    {"catalog"},
    {"cli"},
]
FILES = sorted([*(ROOT / "channels").rglob("*.py"), *(ROOT / "jscc_sim").rglob("*.py")])


def unit(path: Path) -> str:
    """The module or package of the design that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "channels" or len(parts) == 1 else parts[1]


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] == "channels":
        return "channels"
    return parts[1] if parts[0] == "jscc_sim" and len(parts) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
class TestEveryFile:
    def test_imports_only_from_lower_layers(self, path):
        if unit(path) in ("jscc_sim", "__init__"):
            assert not {own(name) for name in imports(path)} - {None}
            return
        (level,) = [index for index, layer in enumerate(LAYERS) if unit(path) in layer]
        allowed = set().union(*LAYERS[:level]) | {unit(path), None}
        assert {own(name) for name in imports(path)} <= allowed

    def test_opens_by_saying_its_idea(self, path):
        assert ast.get_docstring(ast.parse(path.read_text()))

    def test_only_plot_draws_and_channels_need_torch_alone(self, path):
        roots = {name.split(".")[0] for name in imports(path)}
        if unit(path) not in ("plot", "cli"):  # cli names matplotlib's Figure for the type checker only
            assert "matplotlib" not in roots
        if unit(path) == "channels":
            allowed = {"torch", "channels"} | ({"sionna"} if path.stem == "wireless" else set())
            assert roots <= allowed | set(sys.stdlib_module_names)


def test_every_module_has_its_layer():
    assert {unit(path) for path in FILES} - {"jscc_sim", "__init__"} == set().union(*LAYERS)


def test_the_command_line_starts_without_heavy_imports():
    heavy = "{'torch', 'sionna', 'matplotlib', 'scipy', 'numpy'}"
    check = f"import sys, jscc_sim.cli; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
