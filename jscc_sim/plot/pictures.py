"""Pictures on a figure: panels, mosaics and named rows of them, each ``(height, width, channels)`` in [0, 1]."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
# Between pictures, in their widths; and in inches, a row of pictures, the gap below it and a letter of its name.
MARGIN = 0.08
PICTURES_WIDE, ROW_GAP, LETTER = 11.0, 0.08, 0.078
ROW_NAME = 28
# Room for a title, in inches.
LEAST_WIDE = 7.0


def panels_of(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """So many panels of that size, at most four to a row, with as few gaps as can be."""
    across = count if count <= 4 else min((4, 3), key=lambda columns: -count % columns)
    down = math.ceil(count / across)
    figure = Figure(figsize=(max(width * across, LEAST_WIDE), height * down + 0.5), layout="constrained")
    panels = list(np.ravel(figure.subplots(down, across, squeeze=False)))
    for axes in panels[count:]:
        axes.remove()
    return figure, panels[:count]


def wrapped(name: str, letters: int) -> str:
    """A name in lines of about so many letters, broken after commas, brackets and blanks."""
    lines = [""]
    for part in re.split(r"(?<=[,( ])", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > letters:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def rows_of_pictures(rows: Mapping[str, Sequence[Array]], title: str, gaps: Sequence[float] = (0.0,)) -> Figure:
    """Rows of groups of pictures, named on the left; after each group comes the next of the ``gaps``."""
    strips = [
        np.concatenate([part for group in _parted(groups, gaps) for part in group], 1) for groups in rows.values()
    ]
    height, width, _ = strips[0].shape
    names = [wrapped(name, ROW_NAME) for name in rows]
    left = 0.3 + LETTER * max(len(line) for name in names for line in name.splitlines())
    tall = PICTURES_WIDE * height / width
    whole = (left + PICTURES_WIDE + 0.1, (tall + ROW_GAP) * len(rows) + 0.4)
    figure = Figure(figsize=whole)
    for index, (name, strip) in enumerate(zip(names, strips, strict=True)):
        bottom = whole[1] - 0.4 - tall - index * (tall + ROW_GAP)
        place = (left / whole[0], bottom / whole[1], PICTURES_WIDE / whole[0], tall / whole[1])
        axes = figure.add_axes(place)
        show_pictures(axes, strip)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    figure.suptitle(title, fontsize=11, y=1 - 0.1 / whole[1], va="top")
    return figure


def _parted(groups: Sequence[Array], gaps: Sequence[float]) -> list[list[Array]]:
    """Each group as a strip, with the gap that follows it, in widths of a picture; the last has none."""
    found = []
    for index, pictures in enumerate(groups):
        strip = mosaic(pictures, len(pictures))
        last = index == len(groups) - 1
        gap = 0 if last else round(gaps[index % len(gaps)] * pictures.shape[2])
        found.append([strip, np.ones((strip.shape[0], gap, strip.shape[2]))])
    return found


def mosaic(pictures: Array, across: int) -> Array:
    """Pictures ``(count, height, width, channels)`` in rows of so many, with white margins."""
    count, height, width, channels = pictures.shape
    down, margin = math.ceil(count / across), max(1, round(MARGIN * width))
    wall = np.ones((down * (height + margin) - margin, across * (width + margin) - margin, channels))
    for index, picture in enumerate(pictures):
        row, column = divmod(index, across)
        top, left = row * (height + margin), column * (width + margin)
        wall[top : top + height, left : left + width] = picture
    return wall


def show_pictures(axes: Axes, wall: Array) -> None:
    """A wall of pictures without ticks or frame."""
    axes.imshow(wall if wall.shape[2] == 3 else wall[..., 0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
