"""Why the jammed codec sends a weak signal: at the paper's powers a receiver hardly sees the shape of the latents.

What the best receiver gains from latents that are not Gaussian is the slope that makes them Gaussian. On the left that
gain, exactly, for three laws of power one: at the paper's P = N = 1 it is a hundredth to an eighth of what it is at our
P = 0.25, N = 0.02. In the middle and on the right are latents of images under both. Writes shape_blindness.png.
"""

import argparse

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from jscc_sim.autoencoders import Schedule, autoencoder, fit_autoencoder
from jscc_sim.regularisers import JammingRegulariser
from jscc_sim.sources import Images
from jscc_sim.theory.smoothed import Law, laplace, two_point, uniform, unknown

LAWS = {"uniform": uniform, "Laplace": laplace, "two points": two_point}
# The signal's power and the noise's, over the latents': ours, and the paper's.
WEAK, PAPER = (0.25, 0.02), (1.0, 1.0)


def gain(law: Law, power: float, noise: float) -> float:
    """The share of the saddle value by which the best receiver stays below it: zero for a Gaussian law."""
    other = power + noise  # all that hides the latents is Gaussian
    error = 1 - power / other * (1 - unknown(law, other**-0.5))
    return 1 - error * (1 + other) / (1 + noise)


def draw_gains(axes: Axes) -> None:
    """The gains over the signal power, without noise, and at both settings."""
    powers = np.geomspace(0.05, 4, 60)
    for index, (name, law) in enumerate(LAWS.items()):
        axes.plot(powers, [gain(law, power, 0.0) for power in powers], color=f"C{index}", label=name)
        for (power, noise), mark in ((WEAK, "o"), (PAPER, "s")):
            axes.plot(power, gain(law, power, noise), mark, color=f"C{index}")
        print(f"{name}: a gain of {gain(law, *WEAK):.2%} at P, N = {WEAK}, of {gain(law, *PAPER):.2%} at {PAPER}")
    for (power, noise), mark in ((WEAK, "o"), (PAPER, "s")):
        axes.plot([], [], mark, color="0.3", label=f"P = {power:g}, N = {noise:g}")
    axes.set(xscale="log", yscale="log", xlabel="signal power over the latents', P", ylabel="1 − error/V*")
    axes.set_title("What the best receiver gains (lines: N = 0)")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)


def shaped(setting: tuple[float, float], epochs: int) -> tuple[Tensor, dict[str, float]]:
    """Latents of all images under a jammed codec of these powers, and how far they are from N(0, I)."""
    torch.manual_seed(0)
    images = Images().pixels.float().view(-1, 1, 28, 28) / 255
    reg = JammingRegulariser.default(2, signal=setting[0], noise=setting[1], weight=0.1, warmup=100)
    model = autoencoder("mlp", (1, 28, 28), 2, reg)
    for _ in fit_autoencoder(model, images, Schedule(epochs, 250)):
        pass
    with torch.no_grad():
        z = model.latents(images)
    return z, reg.metrics(z)


def main() -> None:
    """Draw the gains, train at both settings, and draw the latents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--out", default="shape_blindness.png")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # nets this small gain nothing from a second one

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    left, *others = figure.subplots(1, 3)
    draw_gains(left)
    for axes, setting in zip(others, (PAPER, WEAK), strict=True):
        z, metrics = shaped(setting, arguments.epochs)
        told = f"P = {setting[0]:g}, N = {setting[1]:g}: KS {metrics['sliced_ks']:.3f}, HZ {metrics['hz']:.2f}"
        print(f"{told} (Gaussian: {metrics['sliced_ks_null']:.3f}, {metrics['hz_null']:.2f})")
        axes.plot(*z.T, ".", ms=3, alpha=0.6)
        for radius in (1, 2, 3):
            axes.add_patch(Circle((0, 0), radius, fill=False, color="0.5"))
        axes.set(title=told, xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
