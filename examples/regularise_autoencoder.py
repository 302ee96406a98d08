"""The jammer as a regulariser: a plain autoencoder of real images, and the same one with Gaussian latents.

Lines marked (+) are all that the jammer needs. Writes regularise_autoencoder.png: the latents before and after. With
``--pair DIR`` the game goes on with the players of ``jscc-sim play --k 2 --snr 4 --sjr -6 --out DIR``.
"""

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from channels import GaussianPolicy, Jammer  # (+)
from jscc_sim.catalog import load_pair
from jscc_sim.codecs import Codec, NeuralCodec  # (+)
from jscc_sim.regularisers import JammingRegulariser  # (+)
from jscc_sim.sources import Images

LATENT = 2


def players(pair: Path | None) -> tuple[Jammer, Codec]:
    """The players of a game that was saved, or untrained ones; the signal is 6 dB weaker than the jammer, P = 0.25."""
    if pair:
        return load_pair(pair)
    jammer = Jammer(GaussianPolicy(), noise_power=0.4, jam_power=4.0)  # (+)
    return jammer, NeuralCodec(k=LATENT, n=LATENT)  # (+)


def train(regularised: bool, steps: int, pair: Path | None) -> tuple[Tensor, dict[str, float], float]:
    """Latents of all images, their distances from N(0, I), and the reconstruction error per pixel."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # nets this small gain nothing from a second one
    images = Images()
    encoder = nn.Sequential(nn.Linear(images.k, 256), nn.SiLU(), nn.Linear(256, LATENT))
    decoder = nn.Sequential(nn.Linear(LATENT, 256), nn.SiLU(), nn.Linear(256, images.k), nn.Sigmoid())

    jammer, codec = players(pair)
    reg = JammingRegulariser(jammer, codec, weight=0.1, updates=2)  # (+)

    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    for _ in range(steps):
        x = images.draw(256)
        z = reg.norm(encoder(x))  # (+) instead of z = encoder(x)
        loss = mse_loss(decoder(z), x)
        if regularised:
            loss = loss + reg(z)  # (+)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    reg.eval()  # (+)
    with torch.no_grad():
        x = images.pixels.float() / 255
        z = reg.norm(encoder(x))
        return z, reg.metrics(z), float(mse_loss(decoder(z), x))


def main() -> None:
    """Train both, print how far their latents are from Gaussian, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", default="regularise_autoencoder.png")
    parser.add_argument("--pair", type=Path, help="folder of a saved game of k = 2")
    arguments = parser.parse_args()

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    for axes, regularised in zip(figure.subplots(1, 2, sharex=True, sharey=True), (False, True), strict=True):
        z, distances, error = train(regularised, arguments.steps, arguments.pair)
        name = "with the jammer" if regularised else "plain autoencoder"
        gaussian = distances["sliced_ks_null"]
        print(f"{name}: mse/pixel {error:.4f}, KS to N(0, I) {distances['sliced_ks']:.3f} (Gaussian: {gaussian:.3f})")
        axes.plot(*z.T, ".", ms=3, alpha=0.6)
        for radius in (1, 2, 3):
            axes.add_patch(Circle((0, 0), radius, fill=False, color="0.5"))
        axes.set(
            title=f"{name}: sliced KS {distances['sliced_ks']:.3f}", xlabel="$z_1$", ylabel="$z_2$", aspect="equal"
        )
    figure.suptitle("Latents of 1,000 Fashion-MNIST images; circles at 1, 2, 3 standard deviations of N(0, I)")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
