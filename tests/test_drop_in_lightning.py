"""Regularisers in Lightning's Trainer: an attribute of the module, in one process and in two, resumed, in bfloat16."""

import copy

import pytest
import torch
from small_autoencoder import DROPPED_IN, same, shared
from torch.utils.data import DataLoader, TensorDataset

lightning = pytest.importorskip("lightning")
from lightning_autoencoder import LightningAutoencoder  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}


def loader() -> DataLoader:
    return DataLoader(TensorDataset(torch.randn(128, 5)), 32)


def trainer(folder, **given) -> "lightning.Trainer":
    """On one CPU unless told otherwise; no validation before the first step, when statistics are not measured yet."""
    settings = {"accelerator": "cpu", "devices": 1, "max_epochs": 2, "num_sanity_val_steps": 0, **QUIET, **given}
    return lightning.Trainer(default_root_dir=folder, **settings)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", DROPPED_IN)
class TestEveryRegulariser:
    @pytest.mark.parametrize("settings", [{}, {"precision": "bf16-mixed"}, {"accumulate_grad_batches": 2}])
    def test_learns_and_is_validated(self, name, settings, tmp_path):
        module, data = LightningAutoencoder([name]), loader()
        before = copy.deepcopy(module.state_dict())
        run = trainer(tmp_path, enable_checkpointing=False, gradient_clip_val=1.0, **settings)
        run.fit(module, data, data)
        assert run.callback_metrics["loss"].isfinite()
        assert int(module.models[name].reg.calls) == 8
        assert not any(
            torch.equal(value, before[key]) for key, value in module.state_dict().items() if key.endswith(".weight")
        )
        assert all(weight.grad is None for weight in module.models[name].reg.parameters())

    def test_resumes_bit_for_bit(self, name, tmp_path):
        data, straight = loader(), LightningAutoencoder([name])
        halted, resumed = copy.deepcopy(straight), LightningAutoencoder([name])
        trainer(tmp_path, enable_checkpointing=False).fit(straight, data)
        first = trainer(tmp_path, max_epochs=1)
        first.fit(halted, data)
        first.save_checkpoint(tmp_path / "half.ckpt")
        trainer(tmp_path).fit(resumed, data, ckpt_path=tmp_path / "half.ckpt")
        assert same(straight.state_dict(), resumed.state_dict())


@pytest.mark.parametrize("name", ["jamming", "aae", "none"])
def test_its_sanity_check_meets_a_power_that_nobody_measured(name, tmp_path):
    """Validation before the first step passes the latents as they are."""
    data = loader()
    with pytest.warns(UserWarning, match="never seen in training"):
        trainer(tmp_path, num_sanity_val_steps=2).fit(LightningAutoencoder([name]), data, data)


@pytest.mark.slow
def test_two_processes_stay_equal(tmp_path):
    """All regularisers at once, as processes are slow to start; each has its shard of the data and its own noise."""
    module = LightningAutoencoder(list(DROPPED_IN), tmp_path)
    data = loader()
    run = trainer(tmp_path, devices=2, strategy="ddp_spawn", enable_checkpointing=False)
    run.fit(module, data, data)
    one, other = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert same(shared(one), shared(other))
    assert {int(value) for key, value in one.items() if key.endswith("reg.calls")} == {4}
