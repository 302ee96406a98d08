"""The jammer turns Gaussian: it starts at two points, learns against a codec that learns too, ends at the worst law.

Writes jammer_turns_gaussian.png: the density of its signal after some steps of training, and its Kolmogorov-Smirnov
distance to the Gaussian after many. Nobody tells it of Gaussians: they are what a codec is least able to live with.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from channels import Jammer
from jscc_sim.game import Game, jam_signals
from jscc_sim.gaussianity import ks
from jscc_sim.seeds import seeded
from jscc_sim.train import RECIPES, Training

Array = NDArray[np.float64]
LOOKS = 24
# Shares of all steps: the law changes early.
SHOWN = (0, 0.006, 0.012, 0.024, 0.05, 1)
ASKED = 0.02


def signals(steps: int, seed: int) -> Iterator[tuple[int, Array]]:
    """Signals of the jammer, as it would be if training ended there, at steps that grow by a constant factor."""
    game = Game(recipe=replace(RECIPES["averaged"], steps=steps), seed=seed)
    looks = {0, *np.geomspace(1, steps, LOOKS).round().astype(int).tolist()}
    with seeded(seed):
        training = Training(game.link(game.jammer()), game.recipe, seed)
        for step in range(steps + 1):
            if step in looks and isinstance(now := training.snapshot().channel, Jammer):
                yield step, jam_signals(now, game.k)
            if step < steps:
                training.step()


def draw_density(axes: Axes, step: int, signal: Array) -> None:
    """One moment: what the jammer sends, over the Gaussian."""
    grid = np.linspace(-3.5, 3.5, 141)
    axes.hist(signal, bins=grid.tolist(), density=True, color="C0", alpha=0.6, label="jammer")
    axes.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), "k--", lw=1.2, label="Gaussian")
    axes.set(title=f"{step} steps: KS {ks(signal[:, None]):.3f}", xlabel="signal / √(jam power)", ylabel="density")
    axes.label_outer()


def main() -> None:
    """Play, print the distance at each look, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=RECIPES["averaged"].steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="jammer_turns_gaussian.png")
    arguments = parser.parse_args()
    looks = dict(signals(arguments.steps, arguments.seed))
    distances = {step: ks(signal[:, None]) for step, signal in looks.items()}
    for step, distance in distances.items():
        print(f"{step} steps: KS {distance:.4f}")

    figure = Figure(figsize=(13, 5.6), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=[3, 2])
    densities, course = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    chosen = [min(looks, key=lambda step: abs(step - share * arguments.steps)) for share in SHOWN]
    for axes, step in zip(densities.subplots(2, 3, sharex=True, sharey=True).flat, chosen, strict=True):
        draw_density(axes, step, looks[step])
    densities.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    axes = course.subplots()
    axes.plot(list(distances), list(distances.values()), "o-", ms=4, label="jammer")
    axes.axhline(ASKED, color="C2", ls="--", label=f"asked of a saddle point: {ASKED}")
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.1, 1.5 * arguments.steps)
    axes.set(yscale="log", xlabel="training steps", ylabel="Kolmogorov-Smirnov distance to N(0, 1)")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    figure.suptitle(
        f"The jammer turns Gaussian: KS from {distances[0]:.2f} to {distances[arguments.steps]:.3f} "
        "(PT = PA = 1, N = 0.1)"
    )
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
