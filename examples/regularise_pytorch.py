"""An autoencoder in plain PyTorch, and the lines (marked +) that turn it into a generator of new images.

Writes regularise_pytorch.png: what the decoder makes of Gaussian draws, those for the plain autoencoder at the mean and
spread of its latents, those for the regularised one from N(0, I). The images are those of MNIST if they are here
(``jscc-sim data fetch mnist``), else the Fashion-MNIST ones that come along.
"""

import argparse
from itertools import pairwise

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from jscc_sim.data import load_images
from jscc_sim.regularisers import JammingRegulariser  # (+)

LATENT = 8
ROWS, COLUMNS = 5, 10


def pixels() -> Tensor:
    """Images ``(count, 784)`` in [0, 1]."""
    try:
        images = load_images("mnist", "train")
    except FileNotFoundError:
        images = load_images()
    return torch.tensor(images).flatten(1).float() / 255


def layers(*sizes: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    steps = [module for pair in pairwise(sizes) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*steps[:-1])


def plain(x: Tensor, steps: int) -> tuple[Tensor, float]:
    """The loop as it was: images decoded from Gaussian draws, and the squared error per pixel at the end."""
    encoder, decoder = layers(784, 256, 128, LATENT), layers(LATENT, 128, 256, 784)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (128,))]
        z = encoder(batch)
        loss = mse_loss(decoder(z), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    with torch.no_grad():
        z = encoder(x)
        draws = z.mean(0) + z.std(0) * torch.randn(ROWS * COLUMNS, LATENT)
        return decoder(draws), float(mse_loss(decoder(z), x))


def regularised(x: Tensor, steps: int) -> tuple[Tensor, float]:
    """The same loop with four more lines."""
    encoder, decoder = layers(784, 256, 128, LATENT), layers(LATENT, 128, 256, 784)
    reg = JammingRegulariser.default(LATENT)  # (+)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (128,))]
        z = reg.norm(encoder(batch))  # (+)
        loss = mse_loss(decoder(z), batch) + reg(z)  # (+)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    reg.eval()  # (+)
    with torch.no_grad():
        z = reg.norm(encoder(x))
        distances = reg.metrics(z[:2000])
        print(f"KS to N(0, I) {distances['sliced_ks']:.3f} (of a Gaussian {distances['sliced_ks_null']:.3f})")
        return decoder(torch.randn(ROWS * COLUMNS, LATENT)), float(mse_loss(decoder(z), x))


def main() -> None:
    """Train both, print their errors, and draw what they generate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", default="regularise_pytorch.png")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # nets this small gain nothing from a second one

    x = pixels()
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, loop in zip(figure.subplots(1, 2), (plain, regularised), strict=True):
        torch.manual_seed(0)
        images, error = loop(x, arguments.steps)
        print(f"{loop.__name__}: mse/pixel {error:.4f}")
        rows = images.clamp(0, 1).reshape(ROWS, COLUMNS, 28, 28).transpose(1, 2).reshape(ROWS * 28, COLUMNS * 28)
        axes.imshow(rows, cmap="gray", vmin=0, vmax=1)
        axes.set(title=f"{loop.__name__}: mse/pixel {error:.4f}", xticks=[], yticks=[])
    figure.suptitle("Decoded from Gaussian draws")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
