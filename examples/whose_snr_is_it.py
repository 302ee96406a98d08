"""A DeepJSCC model as one finds it, in plain PyTorch: which SNR does it really get?

Writes whose_snr_is_it.png: what the model reaches over a channel of each SNR, and where its own loop says that it is.
Its channel halves the noise, as if each of its real symbols were a complex one, and so its "10 dB" are 13. Ten lines
make it a codec of jscc-sim, and three more show the slip.
"""

import argparse
import math
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from channels import AWGN, MemorylessChannel
from jscc_sim.case import Case
from jscc_sim.codecs import Codec
from jscc_sim.link import Link
from jscc_sim.metrics import PSNR_OF_MSE
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.nets import as_images, as_words
from jscc_sim.snr_check import check_snr
from jscc_sim.sources import Images

ASKED = 10.0
LEVELS = (0.0, 4.0, 7.0, 10.0, 13.0, 16.0, 20.0)


class TheirModel(nn.Module):
    """Not ours: convolutions, and words on a sphere."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 5, 2, 2), nn.PReLU(16), nn.Conv2d(16, 32, 5, 2, 2), nn.PReLU(32), nn.Conv2d(32, 4, 5, 1, 2)
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4, 32, 5, 1, 2),
            nn.PReLU(32),
            nn.ConvTranspose2d(32, 16, 5, 2, 2, 1),
            nn.PReLU(16),
            nn.ConvTranspose2d(16, 1, 5, 2, 2, 1),
            nn.Sigmoid(),
        )

    def encode(self, images: Tensor) -> Tensor:
        """Power one per symbol, all of them real."""
        z: Tensor = self.encoder(images)
        return z * (z[0].numel() / z.square().sum((1, 2, 3), keepdim=True)).sqrt()


def their_channel(z: Tensor, snr_db: float) -> Tensor:
    """Not ours either: the noise of a complex symbol is shared out to two real ones, of which there is one."""
    noise_power = z.square().mean() / 10 ** (snr_db / 10)
    return z + (noise_power / 2).sqrt() * torch.randn_like(z)


class Theirs(Codec):
    """Their model as a codec: words of 784 pixels, 196 real symbols."""

    def __init__(self, model: TheirModel) -> None:
        super().__init__()
        self.k, self.n, self.cost, self.model = 784, 196, 8, model

    def encode(self, u: Tensor) -> Tensor:
        """Symbols in a row."""
        return self.model.encode(as_images(u, (1, 28, 28))).flatten(1)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Pixels in a row."""
        return as_words(self.model.decoder(y.view(-1, 4, 7, 7)))


def main() -> None:
    """Train by their loop, ask which SNR that was, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="of their training")
    parser.add_argument("--rel-error", type=float, default=0.02, help="half-width of the 95 %% interval over the MSE")
    parser.add_argument("--out", type=Path, default=Path("whose_snr_is_it.png"))
    arguments = parser.parse_args()
    torch.manual_seed(0)
    source, model = Images(), TheirModel()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(arguments.steps):
        images = as_images(source.draw(64), (1, 28, 28))
        loss = (model.decoder(their_channel(model.encode(images), ASKED)) - images).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        images = as_images(source.draw(4096), (1, 28, 28))
        error = (model.decoder(their_channel(model.encode(images), ASKED)) - images).square().mean()
        claimed = -10 * math.log10(float(error))

    codec = Theirs(model)
    report = check_snr(lambda snr_db: (codec, lambda x: their_channel(x, snr_db)), ASKED, source=source)
    delivered = report.delivered_db.value if report.delivered_db else math.nan
    print(f"asked for {ASKED:g} dB, delivered {delivered:.2f} dB: {', '.join(f.name for f in report.findings)}")
    cases = [Case(Link(source, codec, AWGN(1.0).at(level)).eval(), labels={"snr_db": level}) for level in LEVELS]
    rows = list(sweep(cases, Budget(rel_error=arguments.rel_error), metrics=[PSNR_OF_MSE]))
    for row in rows:
        print(f"over {row.labels['snr_db']:g} dB: PSNR of the mean error {row.mean:.2f} dB")

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(LEVELS, [row.mean for row in rows], "o-", label="over a channel of this SNR")
    axes.plot([ASKED], [claimed], "x", ms=9, color="C3", label="what their loop says")
    axes.plot([delivered], [claimed], "s", ms=8, mfc="none", color="C2", label="at the SNR that was delivered")
    axes.set(
        xlabel="SNR = P/N per real use (dB)", ylabel="PSNR of the mean error (dB)", title="One model, one loop, 3 dB"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
