"""The small autoencoder as a LightningModule; in a module of its own, so that processes find it by name."""

from pathlib import Path

import pytest
import torch
from small_autoencoder import SmallAutoencoder
from torch import Tensor, nn

lightning = pytest.importorskip("lightning")


class LightningAutoencoder(lightning.LightningModule):
    """One small autoencoder per name, all trained at once by one optimiser of all parameters; batches follow seeds."""

    def __init__(self, names: list[str], folder: Path | None = None) -> None:
        super().__init__()
        self.models = nn.ModuleDict({name: SmallAutoencoder(name) for name in names})
        self.folder = folder

    def loss(self, x: Tensor) -> Tensor:
        return torch.stack([model(x) for model in self.models.values()]).sum()

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        torch.manual_seed(100 * self.current_epoch + index + 10_000 * self.global_rank)
        return self.loss(*batch)

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.log("loss", self.loss(*batch), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), 0.01)

    def on_train_end(self) -> None:
        if self.folder:
            torch.save(self.state_dict(), self.folder / f"{self.global_rank}.pt")
