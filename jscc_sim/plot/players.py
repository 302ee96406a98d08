"""The players of the jamming game: how they learned, what they came to, and how certain that is."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jscc_sim.certificates import Certificate
from jscc_sim.certificates.profile import Profile

Array = NDArray[np.float64]


def game(ratios: Sequence[float], jammers: Mapping[int, Array]) -> Figure:
    """The payoff over J* at each step, and the density of the jammer's signal (at unit power) after some of them."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    window = max(1, len(ratios) // 40)
    smooth = np.convolve(ratios, np.ones(window) / window, mode="valid")
    left.plot(np.arange(len(ratios)), ratios, color="C0", alpha=0.2, label="payoff of one batch")
    left.plot(np.arange(len(smooth)) + window - 1, smooth, color="C0", label=f"mean of {window} steps")
    left.axhspan(0.99, 1.01, color="C2", alpha=0.25, label="J* ± 1 %")
    left.set(xlabel="training step", ylabel="payoff / J*", ylim=(0.8, 1.4), title="Payoff while both players learn")
    left.legend()
    grid = np.linspace(-4, 4, 161)
    for step, signal in jammers.items():
        name = f"jammer after {step} steps"
        right.hist(signal, bins=list(grid[::2]), density=True, histtype="step", lw=1.5, label=name)
    right.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), "k--", label="Gaussian")
    right.set(xlabel="signal / √(jam power)", ylabel="density", title="Law of the jammer's signal")
    right.set_ylim(top=1.45 * right.get_ylim()[1])  # room for the legend above the two points
    right.legend(loc="upper center", ncols=2)
    return figure


def certificate(found: Certificate) -> Figure:
    """The jammer's density over the Gaussian, a scalar codec over the linear one, and what each sample is worth.

    The last panel is ``φ(z) − λ z²``, at the price λ of power that the dual ends with: where it is highest lies what
    the worst jammer sends. A codec of whole words has no such panels.
    """
    if found.profile is None:
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        _draw_density(figure.subplots(), found.signals.ravel())
        return figure
    figure = Figure(figsize=(15, 4.8), layout="constrained")
    panels = figure.subplot_mosaic([["jammer", "codec", "worth"], ["jammer", "bent", "worth"]], height_ratios=[2, 1])
    _draw_density(panels["jammer"], found.signals.ravel())
    _draw_codec(panels["codec"], panels["bent"], found.profile, found.line)
    _draw_worth(panels["worth"], found, found.profile)
    return figure


def _draw_codec(curves: Axes, bent: Axes, seen: Profile, line: float) -> None:
    """Encoder and decoder over the linear ones, and what they differ by."""
    for axis, curve, straight, name, colour in (
        (seen.u, seen.x, seen.u, "encoder x(u)", "C0"),
        (seen.y, seen.decoded, line * seen.y, "decoder û(y)", "C1"),
    ):
        near = np.abs(axis) <= 6
        curves.plot(axis[near], curve[near], color=colour, label=name)
        curves.plot(axis[near], straight[near], "k--", lw=1, label="linear" if colour == "C1" else None)
        bent.plot(axis[near], (curve - straight)[near], color=colour)
    curves.set(ylabel="x or û", title="The codec over the linear one")
    curves.legend()
    bent.set(xlabel="u or y", ylabel="difference")
    bent.grid(alpha=0.3)


def _draw_worth(axes: Axes, found: Certificate, seen: Profile) -> None:
    """φ(z) − λ z² and the level that it touches."""
    near = np.abs(seen.z) <= 12 * np.sqrt(found.jam_power)
    stride = max(1, int(near.sum()) // 4000)
    z, harms = seen.z[near][::stride], seen.harms[near][::stride]
    worth = (harms - found.price * (z**2 - found.jam_power)) / found.value
    axes.plot(z, worth, color="C3", label="φ(z) − λ (z² − PA)")
    axes.axhline(worth.max(), color="k", ls="--", lw=1, label="its greatest value: the worst payoff, U")
    axes.set(
        xlabel="jammer's sample z", ylabel="in units of J*", title=f"What a sample is worth, λ = {found.price:.4g}"
    )
    low, high = axes.get_ylim()
    axes.set_ylim(bottom=low - 0.2 * (high - low))  # room for the legend below the curve
    axes.legend(loc="lower center")


def _draw_density(axes: Axes, signal: Array) -> None:
    grid = np.linspace(-4, 4, 161)
    axes.hist(signal, bins=list(grid[::2]), density=True, histtype="step", lw=1.5, label="jammer")
    axes.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), "k--", label="Gaussian")
    axes.set(xlabel="signal / √(jam power)", ylabel="density", title="Law of the jammer's signal")
    axes.legend()
