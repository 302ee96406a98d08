"""Figures in files."""

from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure


def save(figure: Figure, path: Path) -> None:
    """Write the figure in the format that the file's suffix names."""
    check_suffix(path)
    figure.savefig(path, dpi=150)


def check_suffix(path: Path) -> None:
    """ValueError unless figures can be drawn in the format that the suffix names."""
    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:] not in formats:
        raise ValueError(f"cannot draw {path}: its suffix must be one of {', '.join(sorted(formats))}")
