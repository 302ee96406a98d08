"""A LightningModule with Gaussian latents: the lines marked (+) are all that the regulariser needs.

Writes regularise_lightning.png: reconstruction error and penalty on validation images in the course of training, and
the law of the latents beside N(0, 1). The images are those of MNIST if they are here (``jscc-sim data fetch mnist``),
else the Fashion-MNIST ones that come along. Lightning brings all of this to several processes.
"""

import argparse

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from jscc_sim.data import load_images
from jscc_sim.regularisers import JammingRegulariser  # (+)

try:
    from lightning import LightningModule, Trainer, seed_everything
except ImportError:
    raise SystemExit("this example needs Lightning: pip install lightning") from None

LATENT = 8
BATCH = 250


class Autoencoder(LightningModule):
    """Images of 784 pixels through eight latents."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, 784))
        self.reg = JammingRegulariser.default(LATENT)  # (+)
        self.history: list[tuple[int, float, float]] = []

    def forward(self, x: Tensor) -> Tensor:
        """The latents of images ``x (batch, 784)``."""
        return self.reg.norm(self.encoder(x))  # (+)

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        """The loss of a batch."""
        (x,) = batch
        z = self(x)
        return mse_loss(self.decoder(z), x) + self.reg(z)  # (+)

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        """Both parts of the loss."""
        (x,) = batch
        z = self(x)
        self.log_dict({"mse": mse_loss(self.decoder(z), x), "penalty": self.reg(z)})

    def on_validation_epoch_end(self) -> None:
        """Keep the means over the validation images."""
        found = self.trainer.callback_metrics
        self.history.append((self.global_step, float(found["mse"]), float(found["penalty"])))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimiser of all parameters; it leaves those of the regulariser alone, which learns by itself."""
        return torch.optim.Adam(self.parameters(), 1e-3)


def images() -> tuple[Tensor, Tensor]:
    """Training and validation images ``(count, 784)`` in [0, 1]."""
    try:
        found = load_images("mnist", "train")
    except FileNotFoundError:
        found = load_images()
    x = torch.tensor(found).flatten(1).float() / 255
    train, validation = x.split([len(x) * 3 // 4, len(x) - len(x) * 3 // 4])
    return train, validation


def draw(model: Autoencoder, z: Tensor) -> Figure:
    """The validation losses, and a histogram of the latents ``(count, 8)``."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps, errors, penalties = zip(*model.history, strict=True)
    left.plot(steps, errors, ".-", label="mse/pixel")
    left.plot(steps, penalties, ".-", label="penalty")
    left.set(xlabel="step", title="validation images")
    left.legend()
    points = np.linspace(-4, 4, 200)
    for latent in z.T:
        right.hist(latent, bins=60, range=(-4, 4), density=True, histtype="step")
    right.plot(points, np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi), "k", label="N(0, 1)")
    right.set(xlabel="latent", title="each latent")
    right.legend()
    return figure


def main() -> None:
    """Train, print how far the latents are from Gaussian, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--out", default="regularise_lightning.png")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # nets this small gain nothing from a second one
    seed_everything(0, verbose=False)

    model, (train, validation) = Autoencoder(), images()
    trainer = Trainer(
        accelerator="cpu",
        max_steps=arguments.steps,
        val_check_interval=max(1, arguments.steps // 10),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,  # before training the latents' power is not known
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        model,
        DataLoader(TensorDataset(train), BATCH, shuffle=True),
        DataLoader(TensorDataset(validation), BATCH),
    )
    model.eval()
    with torch.no_grad():
        z = model(validation)
    distances = model.reg.metrics(z[:2000])
    print(f"KS to N(0, I) {distances['sliced_ks']:.3f} (of a Gaussian {distances['sliced_ks_null']:.3f})")
    draw(model, z).savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
