"""Latents that are uniform, for a decoder that is to be fed uniform numbers: the Gaussian game, and one map.

The line marked (+) is all that another prior needs; any of ``jscc_sim.regularisers.priors`` stands in its place. Writes
uniform_latent.png: the encoder's latents, which the jammer makes Gaussian, and what the decoder sees of them.
"""

import argparse

import torch
from matplotlib.figure import Figure
from scipy.stats import kstest
from torch import nn

from jscc_sim.autoencoders import Schedule, autoencoder, fit_autoencoder
from jscc_sim.regularisers import JammingRegulariser
from jscc_sim.regularisers.priors import FromGaussian, Uniform
from jscc_sim.sources import Images


def main() -> None:
    """Train, print how far the latents are from uniform, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--out", default="uniform_latent.png")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # nets this small gain nothing from a second one
    torch.manual_seed(0)

    images = Images().pixels.float().view(-1, 1, 28, 28) / 255
    prior = Uniform()
    model = autoencoder("mlp", (1, 28, 28), 2, JammingRegulariser.default(2, weight=0.1, warmup=100))
    model.decoder = nn.Sequential(FromGaussian(prior), model.decoder)  # (+)
    for epoch in fit_autoencoder(model, images, Schedule(arguments.epochs, 250)):
        error = epoch.mse

    with torch.no_grad():
        v = model.latents(images)
        z = prior.from_gaussian(v)
    far = max(kstest(column, "uniform").statistic for column in z.T.numpy())
    draw = max(kstest(column, "uniform").statistic for column in torch.rand(z.shape).T.numpy())
    print(f"mse/pixel {error:.4f}, KS to the uniform law {far:.3f} (of uniform numbers {draw:.3f})")

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(*v.T, ".", ms=3, alpha=0.6)
    left.set(title="what the jammer sees, to be N(0, I)", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    right.plot(*z.T, ".", ms=3, alpha=0.6)
    right.set(title=f"what the decoder sees: KS {far:.3f}", xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")
    figure.suptitle("Latents of 1,000 Fashion-MNIST images")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
