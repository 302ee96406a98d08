"""Regularisers in the training loops that people have: any outer optimiser, resumed, accumulated, in half precision."""

import copy
import io
import shutil

import pytest
import torch
from small_autoencoder import DROPPED_IN, SmallAutoencoder, same, train
from torch import nn

OPTIMISERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.01, momentum=0.9, weight_decay=0.5),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.01, weight_decay=0.5),
}
LEARNERS = ("jamming", "jamming-auto", "aae", "infomax")


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def learned(name: str, steps: int = 3) -> tuple[SmallAutoencoder, torch.optim.Optimizer]:
    """A model in the midst of its training, and the optimiser of all its parameters."""
    model = SmallAutoencoder(name)
    optimiser = OPTIMISERS["adamw"](model.parameters())
    train(model, optimiser, steps)
    return model, optimiser


@pytest.mark.parametrize("name", DROPPED_IN)
class TestEveryRegulariser:
    @pytest.mark.parametrize("outer", OPTIMISERS)
    def test_does_not_mind_an_outer_optimiser_that_holds_its_parameters(self, name, outer):
        states = []
        for holds in (True, False):
            torch.manual_seed(1)
            model = SmallAutoencoder(name)
            own = [*model.encoder.parameters(), *model.decoder.parameters()]
            train(model, OPTIMISERS[outer](model.parameters() if holds else own))
            states.append(model.state_dict())
        assert same(*states)

    def test_resumes_bit_for_bit_in_fresh_objects(self, name):
        model, optimiser = learned(name)
        file = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict()}, file)
        file.seek(0)
        kept = torch.load(file)
        other = SmallAutoencoder(name)
        others = OPTIMISERS["adamw"](other.parameters())
        other.load_state_dict(kept["model"])
        others.load_state_dict(kept["optimiser"])
        losses = []
        for pair in ((model, optimiser), (other, others)):
            torch.manual_seed(1)
            losses.append(train(*pair))
        assert losses[0] == losses[1]
        assert same(model.state_dict(), other.state_dict())
        assert same(optimiser.state_dict(), others.state_dict())

    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
    def test_nothing_is_updated_in_evaluation_or_without_gradients(self, name, training, mode):
        model, _ = learned(name)
        model.train(training)
        before = copy.deepcopy(model.state_dict())
        with mode():
            for _ in range(2):
                assert model(3 * torch.randn(32, 5)).isfinite()
        assert same(before, model.state_dict()) == (not training or mode is not torch.enable_grad)

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    def test_is_measured_without_gradients(self, name, mode):
        model = SmallAutoencoder(name)
        with mode():
            assert model.reg.metrics(model.reg.norm(model.encoder(torch.randn(128, 5))))["ks"] > 0

    def test_gradients_accumulate(self, name):
        """Of two batches they are the sum of both; the players learn from each."""
        model, _ = learned(name)
        twin = copy.deepcopy(model)
        batches, sums = torch.randn(2, 32, 5), []
        for each in (model, twin):
            torch.manual_seed(1)
            each.zero_grad()
            total = [torch.zeros_like(weight) for weight in each.encoder.parameters()]
            for x in batches:
                if each is twin:
                    each.zero_grad()
                each(x).backward()
                total = [old + weight.grad for old, weight in zip(total, each.encoder.parameters(), strict=True)]
            sums.append(total if each is twin else [weight.grad for weight in each.encoder.parameters()])
        torch.testing.assert_close(*sums)
        assert same(model.reg.state_dict(), twin.reg.state_dict())

    def test_learns_in_bfloat16_with_a_scaler(self, name):
        model = SmallAutoencoder(name)
        optimiser, scaler = OPTIMISERS["adamw"](model.parameters()), torch.amp.GradScaler("cpu")
        for _ in range(3):
            with torch.autocast("cpu", torch.bfloat16):
                loss = model(torch.randn(32, 5))
            optimiser.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
            scaler.step(optimiser)
            scaler.update()
        assert loss.dtype == torch.float32
        assert all(value.dtype != torch.bfloat16 for value in model.state_dict().values() if torch.is_tensor(value))

    def test_a_compiled_encoder_learns_the_same(self, name):
        """Within 1e-4, as a compiler may reorder sums."""
        if not (shutil.which("g++") or shutil.which("clang++")):
            pytest.skip("torch.compile needs a C++ compiler")
        losses = []
        for compile_it in (False, True):
            torch.manual_seed(1)
            model = SmallAutoencoder(name)
            optimiser = OPTIMISERS["sgd"](model.parameters())
            if compile_it:
                model.encoder = torch.compile(model.encoder)
            losses.append(train(model, optimiser))
        assert losses[0] == pytest.approx(losses[1], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", LEARNERS)
class TestLearner:
    """Its optimiser must hold the player's parameters, whatever happens to them."""

    @staticmethod
    def learns(model: SmallAutoencoder) -> bool:
        before = copy.deepcopy(model.reg.learner.player.state_dict())
        train(model, OPTIMISERS["sgd"](model.parameters()), 1)
        return not any(
            torch.equal(value, before[key])
            for key, value in model.reg.learner.player.state_dict().items()
            if value.ndim
        )

    def test_of_a_copy_teaches_the_copy(self, name):
        model, _ = learned(name)
        twin = copy.deepcopy(model)
        before = copy.deepcopy(model.state_dict())
        assert self.learns(twin)
        assert same(before, model.state_dict())

    def test_goes_on_after_parameters_were_replaced(self, name):
        model, _ = learned(name)
        state = copy.deepcopy(model.state_dict())
        other = SmallAutoencoder(name)
        other.load_state_dict(state, assign=True)
        losses = []
        for each in (model, other):
            torch.manual_seed(1)
            losses.append(train(each, OPTIMISERS["sgd"](each.parameters())))
        assert losses[0] == losses[1]
        assert same(model.state_dict(), other.state_dict())

    def test_moves_with_its_player(self, name):
        """Here to another number format, as there may be no other device."""
        model, _ = learned(name)
        model.reg.double()
        z = model.reg.norm(torch.randn(32, 2).double())
        assert model.reg(z).isfinite()
        state = model.reg.learner.optimiser.state.values()
        assert {value.dtype for slot in state for key, value in slot.items() if key != "step"} == {torch.float64}
