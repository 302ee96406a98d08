"""Autoencoders side by side: their latents over the prior, what they decode, and how they learned.

Each function takes its arrays by the name of the method; pictures are ``(..., height, width, channels)`` in [0, 1].
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from jscc_sim.plot.pictures import Array, mosaic, panels_of, rows_of_pictures, show_pictures, wrapped

# Shares of a two-dimensional Gaussian within the circles, and how far the axes reach, or else as far as most latents.
WITHIN, REACH, MOST = (0.5, 0.9, 0.99), 4.4, 0.995
SHOWN_LATENTS = 4000
# Of methods: matplotlib's ten colours, then lighter ones. And in letters, the widths of a panel and of a legend.
COLOURS = [*(f"C{index}" for index in range(10)), *(colormaps["tab20"](2 * index + 1) for index in range(10))]
PANEL, LEGEND = 40, 30
# Below this a penalty is drawn on a linear scale.
LINEAR = 1e-4


def latents(
    found: Mapping[str, Array], labels: NDArray[np.integer[Any]] | None = None, drawn: Array | None = None
) -> Figure:
    """Latents ``(count, k)`` on their two directions of largest variance, as they are if k = 2, over the prior N(0, I).

    A dot is an image, coloured by its label if there are ``labels (count,)``. Single latents are shown by density.
    Another prior is given by what was ``drawn (count, k)`` from it, and stands behind in grey.
    """
    figure, panels = panels_of(len(found), 3.3, 3.4)
    for axes, (name, z) in zip(panels, found.items(), strict=True):
        axes.set_title(wrapped(name, PANEL), fontsize=10)
        if z.shape[1] == 1:
            _draw_density(axes, z[:, 0], drawn)
        else:
            _draw_plane(axes, z, labels, drawn)
    shares = ", ".join(f"{100 * share:g} %" for share in WITHIN)
    prior = f"circles hold {shares} of N(0, I)" if drawn is None else "draws of the prior in grey"
    lines = all(z.shape[1] == 1 for z in found.values())
    told = "density over that of the prior" if lines else f"two directions of largest variance\n{prior}"
    figure.suptitle(f"Latents of images: {told}", fontsize=11)
    if labels is not None:
        _name_labels(figure, labels)
    return figure


def _draw_plane(axes: Axes, z: Array, labels: NDArray[np.integer[Any]] | None, drawn: Array | None) -> None:
    directions = np.eye(2) if z.shape[1] == 2 else np.linalg.svd(z - z.mean(0), full_matrices=False)[2]
    flat = (z @ directions[:2].T)[:SHOWN_LATENTS]
    reach = 1.05 * float(np.quantile(np.abs(flat), MOST))
    if drawn is not None:
        behind = (drawn @ directions[:2].T)[:SHOWN_LATENTS]
        axes.scatter(behind[:, 0], behind[:, 1], s=14, c="0.8", linewidths=0, rasterized=True)
        reach = max(reach, 1.05 * float(np.quantile(np.abs(behind), MOST)))
    else:
        reach = max(reach, REACH)
    colours = "C0" if labels is None else [f"C{label % 10}" for label in labels[: len(flat)]]
    axes.scatter(
        flat[:, 0], flat[:, 1], s=np.clip(8000 / len(flat), 4, 16), c=colours, alpha=0.55, linewidths=0, rasterized=True
    )
    turn = np.linspace(0, 2 * np.pi, 181)
    for share in WITHIN if drawn is None else ():
        radius = math.sqrt(-2 * math.log(1 - share))
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), color="k", lw=0.9, alpha=0.8)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, symmetric=True))
    beyond = float((np.abs(flat) > reach).any(1).mean())
    if beyond >= 0.001:
        axes.text(0.98, 0.02, f"{100 * beyond:.1f} % outside", ha="right", transform=axes.transAxes, fontsize=8)


def _draw_density(axes: Axes, z: Array, drawn: Array | None) -> None:
    grid = np.linspace(-REACH, REACH, 89)
    axes.hist(z, bins=list(grid[::2]), density=True, color="C0", alpha=0.6)
    if drawn is None:
        axes.plot(grid, np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi), "k--", lw=1)
    else:
        axes.hist(drawn[:, 0], bins=list(grid[::2]), density=True, histtype="step", color="k", ls="--", lw=1)
    axes.set(xlim=(-REACH, REACH), xticks=(-3, 0, 3))


def _name_labels(figure: Figure, labels: NDArray[np.integer[Any]]) -> None:
    names = sorted({int(label) for label in labels})[:10]
    dots = [Line2D([], [], color=f"C{name % 10}", marker="o", ls="", ms=5, label=str(name)) for name in names]
    figure.legend(handles=dots, loc="outside lower center", ncols=len(dots), frameon=False, handletextpad=0.1)


def samples(found: Mapping[str, Array]) -> Figure:
    """Pictures ``(count, ...)`` decoded from draws of the prior: a panel for each method, the same draws in each."""
    figure, panels = panels_of(len(found), 3.8, 3.15)
    for axes, (name, pictures) in zip(panels, found.items(), strict=True):
        across = math.ceil(math.sqrt(len(pictures) * 4 / 3))
        show_pictures(axes, mosaic(pictures, across))
        axes.set_title(wrapped(name, PANEL), fontsize=10)
    figure.suptitle("Images decoded from draws of the prior", fontsize=11)
    return figure


def reconstructions(originals: Array, found: Mapping[str, Array]) -> Figure:
    """Originals ``(count, ...)`` in the first row, and in the others what each method makes of them."""
    rows = {"original": originals, **found}
    return rows_of_pictures({name: [pictures] for name, pictures in rows.items()}, "Images and their reconstructions")


def interpolations(found: Mapping[str, tuple[Array, Array]]) -> Figure:
    """A row per method: on the way from one image's latent to another's, between the two originals.

    For each method there are the originals ``(pairs, 2, ...)`` and the way between them ``(pairs, steps, ...)``.
    """
    rows = {
        name: [
            part
            for (first, last), steps in zip(ends, between, strict=True)
            for part in (first[None], steps, last[None])
        ]
        for name, (ends, between) in found.items()
    }
    return rows_of_pictures(rows, "Between two images, which stand at the ends", gaps=(0.3, 0.3, 1.0))


def training(found: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> Figure:
    """The error and the weighted penalty over the epochs, a line for each seed of a method.

    For each method and seed there is a list of epochs with ``number``, ``mse`` and ``penalty``.
    """
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, what, said in zip(panels, ("mse", "penalty"), ("MSE per value", "weight · penalty"), strict=True):
        for index, (name, seeds) in enumerate(found.items()):
            for seed, epochs in enumerate(seeds):
                numbers, values = ([epoch[part] for epoch in epochs] for part in ("number", what))
                axes.plot(
                    numbers,
                    values,
                    ".-",
                    color=COLOURS[index % len(COLOURS)],
                    lw=1.4,
                    ms=5,
                    alpha=0.85,
                    label="" if seed else wrapped(name, LEGEND),
                )
        axes.set(xlabel="epoch", ylabel=said)
        axes.set_xlim(left=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    panels[0].set_yscale("log")
    panels[0].yaxis.set_major_formatter("{x:g}")
    panels[0].yaxis.set_minor_formatter("{x:g}")
    panels[0].set_title("Training error of the reconstruction", fontsize=11)
    panels[1].set_yscale("symlog", linthresh=LINEAR)
    panels[1].set_title(f"What is added to it\n(scale linear within ±{LINEAR:g})", fontsize=11)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def trade_off(found: Mapping[str, Mapping[float, Sequence[tuple[float, float]]]]) -> Figure:
    """The distance of what a prior decodes to against the error: nearer the corner of both is better.

    For each method there are ``(mse, fd)`` of its seeds by weight of the penalty; a line leads through the means.
    """
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    for index, (name, weights) in enumerate(found.items()):
        colour = COLOURS[index % len(COLOURS)]
        means = np.array([np.mean(seeds, 0) for _, seeds in sorted(weights.items())])
        each = np.array([point for seeds in weights.values() for point in seeds])
        axes.plot(means[:, 0], means[:, 1], "o-", color=colour, ms=6, label=wrapped(name, LEGEND))
        for weight, mean in zip(sorted(weights), means, strict=True) if len(weights) > 1 else ():
            axes.annotate(f"{weight:g}", mean, textcoords="offset points", xytext=(4, 4), fontsize=6, color=colour)
        axes.plot(each[:, 0], each[:, 1], ".", color=colour, ms=4, alpha=0.4)
    axes.set(xscale="log", yscale="log", xlabel="MSE per value of the reconstruction")
    axes.set_ylabel("FD of images decoded from the prior")
    axes.set_title("Reconstruction against matching: a dot per seed, lines through means by weight", fontsize=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("{x:g}")
    axes.tick_params(which="both", labelsize=8)
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure
