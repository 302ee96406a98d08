"""Regularisers in Pythae's own trainer, beside the loss of one of its autoencoders."""

import json

import pytest
import torch
from small_autoencoder import DROPPED_IN

pythae = pytest.importorskip("pythae")
models = pytest.importorskip("pythae.models")
trainers = pytest.importorskip("pythae.trainers")
from pythae.models.base.base_utils import ModelOutput  # noqa: E402


class RegularisedAE(models.AE):
    """Pythae's autoencoder with its default nets, and one of ours on its latents of two numbers."""

    def __init__(self, name: str) -> None:
        reg = DROPPED_IN[name]()
        super().__init__(models.AEConfig(input_dim=(1, 4, 4), latent_dim=reg.width(2)))
        self.decoder = models.AE(models.AEConfig(input_dim=(1, 4, 4), latent_dim=2)).decoder
        self.reg = reg

    def forward(self, inputs, **_) -> ModelOutput:
        x = inputs["data"]
        z = self.reg.norm(self.encoder(x).embedding)
        recon_x = self.decoder(z).reconstruction
        return ModelOutput(loss=self.loss_function(recon_x, x) + self.reg(z), recon_x=recon_x, z=z)


@pytest.mark.parametrize("name", DROPPED_IN)
def test_learns_is_validated_and_kept(name, tmp_path):
    """Its sanity check is a call in training, too; what it saves as the best model is a copy that it made."""
    torch.manual_seed(0)
    data = torch.rand(64, 1, 4, 4)
    sets = [pythae.data.datasets.BaseDataset(part, torch.zeros(len(part))) for part in data.split(48)]
    config = trainers.BaseTrainerConfig(
        output_dir=str(tmp_path),
        num_epochs=2,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=16,
        no_cuda=True,
        optimizer_cls="AdamW",
    )
    model = RegularisedAE(name)
    trainer = trainers.BaseTrainer(model, *sets, training_config=config)
    trainer.train()
    assert int(model.reg.calls) == 1 + 2 * 3
    assert all(weight.grad is None for weight in model.reg.parameters())
    (saved,) = tmp_path.glob("*/final_model")
    assert json.loads((saved / "model_config.json").read_text())["latent_dim"] == model.reg.width(2)
    fresh = RegularisedAE(name)
    fresh.load_state_dict(torch.load(saved / "model.pt")["model_state_dict"])
    best = trainer._best_model.eval()
    inputs = {"data": data[:8]}
    assert torch.equal(fresh.eval()(inputs).z, best(inputs).z)
