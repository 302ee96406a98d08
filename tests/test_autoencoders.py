"""Autoencoders: their shapes, their training, and that it is resumed bit for bit."""

import copy
import json

import pytest
import torch

from jscc_sim.autoencoders import FAMILIES, Epoch, Schedule, Training, autoencoder, fit_autoencoder
from jscc_sim.regularise import METHODS, Method
from jscc_sim.regularisers import VAE, NoPenalty
from jscc_sim.states import pack, unpack

SHAPES = {"grey": (1, 28, 28), "colour": (3, 32, 32), "odd": (1, 5, 11)}


def images(count: int = 24, shape: tuple[int, ...] = (1, 6, 6)) -> torch.Tensor:
    torch.manual_seed(7)
    return torch.rand(count, *shape)


def fresh(method: str = "none", family: str = "mlp") -> Training:
    torch.manual_seed(0)
    model = autoencoder(family, (1, 6, 6), 2, Method(method).build(2, 36))
    return Training(model, images(), Schedule(3, 8), {"method": method})


@pytest.mark.parametrize("family", FAMILIES)
class TestEveryFamily:
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_reconstructs_images_of_any_shape(self, family, shape):
        model = autoencoder(family, shape, 5, NoPenalty())
        x = torch.rand(4, *shape)
        found = model(x)
        assert found.shape == x.shape
        assert model.latents(x).shape == (4, 5)
        assert 0 <= found.min() <= found.max() <= 1

    def test_gives_a_regulariser_the_width_that_it_asks_for(self, family):
        model = autoencoder(family, (1, 8, 8), 3, VAE(64))
        assert model.encoder(torch.rand(4, 1, 8, 8)).shape == (4, 6)
        assert model(torch.rand(4, 1, 8, 8)).shape == (4, 1, 8, 8)

    @pytest.mark.parametrize("bf16", [False, True])
    def test_learns(self, family, bf16):
        torch.manual_seed(0)
        grey = torch.rand(64, 1, 1, 1).expand(64, 1, 8, 8).contiguous()  # a single number each
        model = autoencoder(family, (1, 8, 8), 2, NoPenalty())
        epochs = list(fit_autoencoder(model, grey, Schedule(30, 16, bf16=bf16)))
        assert [epoch.number for epoch in epochs] == list(range(1, 31))
        assert epochs[-1].mse < 0.3 * epochs[0].mse
        assert model(grey).dtype == model.latents(grey).dtype == torch.float32


def test_no_family_of_that_name():
    with pytest.raises(ValueError, match="no family of nets is called 'vit': choose from mlp, conv"):
        autoencoder("vit", (1, 8, 8), 2, NoPenalty())


@pytest.mark.parametrize("given", [{"epochs": 0}, {"batch": 1}, {"lr": 0.0}, {"lr": float("nan")}])
def test_a_schedule_that_is_none(given):
    with pytest.raises(ValueError, match="epochs must be 1 or more"):
        Schedule(**given)


class TestTraining:
    def test_refuses_a_batch_larger_than_the_set(self):
        with pytest.raises(ValueError, match="24 images do not make a batch of 25: choose a smaller batch"):
            Training(fresh().model, images(), Schedule(batch=25))

    def test_ends_in_evaluation_at_a_rate_of_zero(self):
        training = fresh()
        list(training.run())
        assert not training.model.training
        assert training.schedule.rate(9, 9) == 0
        assert training.schedule.rate(0, 9) == training.schedule.lr

    def test_is_heard_within_epochs_and_at_their_ends(self, monkeypatch):
        monkeypatch.setattr("jscc_sim.epochs.SPOKEN", 1)
        heard: list[Epoch] = []
        list(fresh().run(hear=heard.append))
        assert [epoch.number for epoch in heard] == pytest.approx([index / 3 for index in range(1, 10)])

    def test_divergence_is_said(self):
        training = Training(fresh().model, images(), Schedule(1, 24))
        with torch.no_grad():
            training.model.decoder[0].weight.fill_(float("nan"))
        with pytest.raises(FloatingPointError, match="in epoch 1 mse became nan"):
            list(training.run())


class TestResuming:
    @pytest.mark.parametrize("method", METHODS)
    def test_it_is_as_if_it_had_not_stopped(self, method, tmp_path):
        whole, stopped = fresh(method), fresh(method)
        torch.manual_seed(1)
        straight = list(whole.run())
        torch.manual_seed(1)
        first = next(stopped.run(tmp_path / "training"))
        torch.manual_seed(2)
        again = fresh(method)
        rest = list(again.run(tmp_path / "training"))
        assert [first, *rest] == straight == again.epochs
        wanted, found = ({}, {})
        assert pack(whole.model.state_dict(), "", wanted) == pack(again.model.state_dict(), "", found)
        assert wanted.keys() == found.keys()
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)

    def test_convolutions_too(self, tmp_path):
        straight = list(fresh(family="conv").run())
        next(fresh(family="conv").run(tmp_path / "training"))
        assert list(fresh(family="conv").run(tmp_path / "training")) == straight[1:]

    def test_keeps_only_the_last_checkpoint(self, tmp_path):
        list(fresh().run(tmp_path / "training"))
        assert {file.name for file in tmp_path.iterdir()} == {"training.json", "training-3.safetensors"}
        assert list(fresh().run(tmp_path / "training")) == []

    def test_another_training_is_refused(self, tmp_path):
        next(fresh().run(tmp_path / "training"))
        with pytest.raises(ValueError, match=r"training\.json was saved from another training: start anew"):
            next(fresh("vae").run(tmp_path / "training"))

    def test_a_checkpoint_of_other_nets_is_refused(self, tmp_path):
        next(fresh().run(tmp_path / "training"))
        with pytest.raises(ValueError, match="lacks what it describes"):
            next(fresh(family="conv").run(tmp_path / "training"))


class TestStates:
    def test_come_back_through_json(self):
        state = {"a": [1, (2.5, None)], 3: {"b": torch.ones(2)}, "c": torch.tensor(4), "d": True}
        tensors: dict[str, torch.Tensor] = {}
        packed = json.loads(json.dumps(pack(state, "s", tensors)))
        found = unpack(packed, tensors)
        assert found["a"] == [1, (2.5, None)]
        assert torch.equal(found[3]["b"], torch.ones(2))
        assert found["c"] == 4
        assert found["d"] is True
        assert sorted(tensors) == ["s.3.b", "s.c"]

    def test_are_copies(self):
        tensors: dict[str, torch.Tensor] = {}
        weight = torch.zeros(1)
        pack([weight, weight], "s", tensors)
        weight += 1
        assert tensors == {"s.0": 0, "s.1": 0}

    def test_hold_nothing_else(self):
        with pytest.raises(TypeError, match=r"s\.0 holds a set"):
            pack([{1}], "s", {})


def test_a_model_can_be_copied_after_training():
    training = fresh("vae")
    list(training.run())
    copied = copy.deepcopy(training.model)
    assert torch.equal(copied(images()), training.model(images()))
