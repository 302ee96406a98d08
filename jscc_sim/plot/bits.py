"""Codecs of bits: their error over channels, what arrives of images, their symbols, and how they learned."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from jscc_sim.plot.pictures import Array, rows_of_pictures
from jscc_sim.plot.sweeps import GUIDE_STYLES

Points = Sequence[tuple[float, float]]
MARKERS = "sv^DP"
# Where a logarithmic axis of errors has lines, between powers of ten.
FINE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def distortion_curves(
    measured: Mapping[str, Points],
    limits: Mapping[str, Points],
    published: Mapping[str, Points],
    *,
    knob: str,
    unit: str,
    title: str,
) -> Figure:
    """Errors of an image, in ``unit``, over the channel's knob: lines with dots were measured, dashed ones are theory.

    Markers alone are published points, of codecs that learned for the level they stand at.
    """
    figure = Figure(figsize=(9.5, 5), layout="constrained")
    axes = figure.subplots()
    for index, (name, points) in enumerate(measured.items()):
        axes.plot(*zip(*points, strict=True), "o-", ms=4, color=f"C{index}", label=name, zorder=3 - 0.01 * index)
    for (name, points), style in zip(limits.items(), cycle(GUIDE_STYLES), strict=False):
        axes.plot(*zip(*points, strict=True), ls=style, lw=1.2, color="0.3", label=name)
    for (name, points), marker in zip(published.items(), MARKERS, strict=False):
        axes.plot(
            *zip(*points, strict=True), marker, ms=6, mfc="none", color="k", label=f"{name}, published, trained at each"
        )
    axes.set(xlabel=knob, ylabel=unit, ylim=(0, None), title=title)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def received_images(originals: Array, found: Mapping[float, Array], knob: str) -> Figure:
    """Originals ``(count, ...)`` in the first row, and in the others what arrives at each level."""
    rows = {"original": [originals], **{f"{level:g}": [pictures] for level, pictures in found.items()}}
    return rows_of_pictures(rows, f"Images, and what arrives of them: rows are by {knob}")


def chained_images(originals: Array, found: Mapping[int, Array]) -> Figure:
    """A Markov chain of words and images: the images that it starts from, and those after some steps."""
    rows = {"start": [originals], **{f"step {step}": [pictures] for step, pictures in found.items()}}
    return rows_of_pictures(rows, "Images from words, words from images: a Markov chain through the channel")


def marginals(found: Mapping[str, Array]) -> Figure:
    """The share of images whose symbol is −1, for each symbol, in order: a code that uses its bits has ½ everywhere."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, shares in found.items():
        axes.plot(np.arange(1, len(shares) + 1), np.sort(shares), ".-", ms=4, lw=1, label=name)
    axes.axhline(0.5, color="k", ls="--", lw=0.8, label="as often as not")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set(xlabel="symbols, sorted by that share", ylabel="share of images that send it as −1 (bit 1)", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def stability(found: Mapping[str, Sequence[Mapping[int, float]]]) -> Figure:
    """The error of validation images by epoch, a line for each seed of an objective."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    for index, (name, seeds) in enumerate(found.items()):
        for seed, tried in enumerate(seeds):
            axes.plot(*zip(*sorted(tried.items()), strict=True), color=f"C{index}", lw=1.2, label="" if seed else name)
    axes.set(xlabel="epoch", ylabel="error of a validation image", yscale="log")
    _finely(axes)
    axes.legend(frameon=False)
    return figure


def learning(found: Mapping[str, Sequence[Sequence[Mapping[str, float]]]], unit: str) -> Figure:
    """The loss in training, in ``unit``, and the terms of words' information over the epochs, a line for each seed."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    errors, terms = figure.subplots(1, 2)
    named = {
        "entropy": ("Σ H(Y)", "-"),
        "conditional": ("Σ H(Y|X)", "--"),
        "correlation": ("total correlation, as far as learned", ":"),
    }
    for index, (name, seeds) in enumerate(found.items()):
        for seed, epochs in enumerate(seeds):
            numbers, marker = [epoch["number"] for epoch in epochs], "o" if len(epochs) == 1 else ""
            losses = [epoch["loss"] for epoch in epochs]
            errors.plot(numbers, losses, marker=marker, color=f"C{index}", label="" if seed else name)
            for what, (said, style) in named.items():
                values = [epoch[what] for epoch in epochs]
                label = "" if index or seed else said
                face = "full" if style == "-" else "none" if style == ":" else "left"
                terms.plot(numbers, values, ls=style, marker=marker, fillstyle=face, color=f"C{index}", label=label)
    errors.set(xlabel="epoch", ylabel=f"loss in training, {unit}", yscale="log")
    terms.set(xlabel="epoch", ylabel="terms of I(X; Y), sampled words, in nats")
    terms.grid(alpha=0.3)
    _finely(errors)
    for axes in (errors, terms):
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=8)
    return figure


def _finely(axes: Axes) -> None:
    """Lines and numbers on a logarithmic axis of errors that spans less than two powers of ten."""
    axes.yaxis.set_major_locator(LogLocator(subs=FINE))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.3)
