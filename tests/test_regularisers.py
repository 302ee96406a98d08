"""Laws of all regularisers in plain training loops, then what the jammer's penalty is worth."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from channels import GaussianPolicy, Jammer
from jscc_sim.codecs import Linear, NeuralCodec
from jscc_sim.gaussianity import DISTANCES, distances
from jscc_sim.regularisers import REGULARISERS, JammingRegulariser


def weak_signal() -> Jammer:
    return Jammer(GaussianPolicy(), noise_power=0.1, jam_power=4.0)


SOME = {"jamming": lambda: JammingRegulariser(weak_signal(), NeuralCodec(2, 2, hidden=8))}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_none_is_forgotten():
    assert SOME.keys() == REGULARISERS.keys()


@pytest.mark.parametrize("name", REGULARISERS)
class TestEveryRegulariser:
    def test_is_one_line_in_a_training_loop(self, name):
        reg, encoder = SOME[name](), nn.Linear(5, 2)
        optimiser = torch.optim.AdamW([*encoder.parameters(), *reg.parameters()], weight_decay=0.0)
        before = copy.deepcopy(encoder.state_dict())
        for _ in range(3):
            penalty = reg(reg.norm(encoder(torch.randn(64, 5))))
            optimiser.zero_grad()
            penalty.backward()
            optimiser.step()
        assert penalty.shape == ()
        assert penalty.isfinite()
        assert not torch.equal(before["weight"], encoder.weight)

    def test_sends_its_gradient_to_the_latents_alone(self, name):
        reg = SOME[name]()
        z = torch.randn(64, 2, requires_grad=True)
        reg.norm(z)
        for parameter in reg.parameters():
            parameter.grad = None
        reg.eval()(z).backward()
        assert z.grad.abs().sum() > 0
        assert all(parameter.grad is None for parameter in reg.parameters())
        assert all(parameter.requires_grad for parameter in reg.parameters())

    def test_learns_nothing_in_evaluation(self, name):
        reg = SOME[name]()
        z = reg.norm(torch.randn(64, 2))
        reg(z)
        state = copy.deepcopy(reg.eval().state_dict())
        reg(reg.norm(3 * torch.randn(64, 2)))
        with torch.no_grad():
            reg.train()(z)
        after = reg.state_dict()
        assert all(torch.equal(state[key], after[key]) for key in state if "unit.power" not in key)

    def test_normalises_to_unit_power_and_keeps_it(self, name):
        reg = SOME[name]()
        with pytest.raises(RuntimeError, match="never measured"):
            reg.eval().norm(torch.ones(1, 2))
        reg.train()
        for _ in range(3):
            assert float(reg.norm(5 * torch.randn(4096, 2)).square().mean()) == pytest.approx(1, rel=1e-4)
        assert float(reg.eval().norm(torch.full((1, 2), 5.0)).square().mean()) == pytest.approx(1, rel=0.05)

    def test_resumes_bit_for_bit(self, name):
        reg, z = SOME[name](), torch.randn(64, 2)
        reg(reg.norm(z))
        twin = copy.deepcopy(reg)
        values = []
        for one in (reg, twin):
            torch.manual_seed(1)
            values.append([float(one(one.norm(z)).detach()) for _ in range(3)])
        assert values[0] == values[1]

    def test_measures_beside_null_values(self, name):
        metrics = SOME[name]().metrics(torch.randn(1000, 2))
        assert metrics.keys() == {f"{distance}{end}" for distance in DISTANCES for end in ("", "_null")}


class TestJamming:
    def test_gaussian_latents_cost_the_saddle_codec_nothing(self):
        """The mean penalty is 0 within 4.4 standard errors (false-alarm rate 1e-5)."""
        reg = JammingRegulariser(weak_signal(), Linear(2))
        penalties = torch.stack([reg(torch.randn(4096, 2)) for _ in range(200)])
        assert abs(float(penalties.mean())) < 4.4 * float(penalties.std()) / np.sqrt(200)

    def test_wasted_power_and_correlation_cost(self):
        reg = JammingRegulariser(weak_signal(), NeuralCodec(2, 2, hidden=16), updates=20, lr=3e-3)
        gaussian = torch.randn(1024, 2)
        line = torch.randn(1024, 1).repeat(1, 2)
        costs = []
        for z in (gaussian, line):
            for _ in range(15):
                reg(z)
            costs.append(np.mean([float(reg.eval()(z).detach()) for _ in range(200)]))
            reg.train()
        assert costs[1] > costs[0] + 0.1

    def test_shared_codecs_divide_the_latent(self):
        reg = JammingRegulariser(weak_signal(), NeuralCodec(1, 1, hidden=8))
        assert reg(torch.randn(16, 6)).isfinite()
        with pytest.raises(ValueError, match="latents of 3 dimensions are not made of words of k=2"):
            SOME["jamming"]()(torch.randn(16, 3))

    def test_a_trained_codec_keeps_its_power_while_it_learns_on(self):
        codec = NeuralCodec(1, 1, hidden=8).eval()
        reg = JammingRegulariser(weak_signal(), codec, updates=20, lr=1e-2)
        for _ in range(10):
            reg(torch.randn(256, 1))
        with torch.no_grad():
            assert float(codec.encode(torch.randn(4096, 1)).square().mean()) == pytest.approx(1, rel=1e-3)

    def test_refuses_nonsense(self):
        with pytest.raises(ValueError, match="weight must be"):
            JammingRegulariser(weak_signal(), NeuralCodec(1, 1), weight=-1)
        with pytest.raises(ValueError, match="k = n only"):
            JammingRegulariser(weak_signal(), NeuralCodec(1, 2))

    def test_makes_latents_gaussian(self):
        """A bimodal input through a free encoder: the jammer's game brings its KS distance near the null."""
        jammer = Jammer(GaussianPolicy(), noise_power=0.1, jam_power=4.0)
        reg = JammingRegulariser(jammer, NeuralCodec(1, 1, hidden=16), updates=2, lr=3e-3)
        encoder = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
        optimiser = torch.optim.Adam(encoder.parameters(), 3e-3)

        def latents(count: int) -> torch.Tensor:
            x = torch.randn(count, 1) * 0.5 + torch.randint(2, (count, 1)) * 4 - 2
            return reg.norm(encoder(x))

        before = reg.metrics(latents(4000))["ks"]
        for _ in range(800):
            penalty = reg(latents(512))
            optimiser.zero_grad()
            penalty.backward()
            optimiser.step()
        after = reg.metrics(latents(4000))["ks"]
        assert before > 0.15
        assert after < before / 2


class TestDistances:
    def test_of_a_gaussian_are_near_their_null(self):
        found = distances(np.random.default_rng(1).standard_normal((4000, 3)))
        assert all(found[name] < 2 * found[f"{name}_null"] for name in DISTANCES)

    @pytest.mark.parametrize(
        ("spoil", "seen_by"),
        [
            (lambda z: z + 0.2, "ks"),
            (lambda z: 1.2 * z, "covariance_error"),
            (np.sign, "ks"),
            (lambda z: np.stack([z[:, 0], np.sign(z[:, 1]) * np.abs(z[:, 0])], 1), "sliced_ks"),
            (lambda z: np.stack([z[:, 0], z[:, 0]], 1), "covariance_error"),
        ],
    )
    def test_see_planted_faults(self, spoil, seen_by):
        found = distances(spoil(np.random.default_rng(1).standard_normal((4000, 2))))
        assert found[seen_by] > 3 * found[f"{seen_by}_null"]
