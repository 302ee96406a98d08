"""Muon of nets: kernels as matrices, everything else by Adam, at one rate."""

import copy

import pytest
import torch
from torch import nn

from jscc_sim.muon import Muon, orthogonal

RATE, DECAY = 0.05, 0.1
BF16 = 2.0**-7  # in which torch's makes its steps, of about the rate
STEPS = 10  # momentum turns all but the first


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3), nn.Linear(3, 1))


def learn(net, optimiser, steps=3):
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        optimiser.zero_grad()
        net(torch.randn(5, 2, 4, 4, generator=generator)).square().mean().backward()
        optimiser.step()


class TestSteps:
    def test_are_those_of_torch_on_flattened_kernels_and_matrices_and_adams_on_the_rest(self, net):
        before, made = copy.deepcopy(net), Muon(net.parameters(), RATE, weight_decay=DECAY)
        flat = [nn.Parameter(weights.detach().flatten(1)) for weights in (before[0].weight, before[2].weight)]
        others = [nn.Parameter(weights.detach()) for weights in (before[0].bias, *before[3].parameters())]
        torch_muon = torch.optim.Muon(flat, RATE, DECAY, adjust_lr_fn="match_rms_adamw")
        adam = torch.optim.AdamW(others, RATE, weight_decay=DECAY)
        moved = net[0].weight, net[2].weight, net[0].bias, *net[3].parameters()
        pairs = [*zip(moved, (*flat, *others), strict=True)]
        for _ in range(STEPS):
            for one, other in pairs:
                one.grad = torch.randn_like(one)
                other.grad = one.grad.view_as(other)
            for optimiser in (made, torch_muon, adam):
                optimiser.step()
        for one, other in pairs:
            torch.testing.assert_close(one, other.view_as(one), rtol=0, atol=STEPS * RATE * BF16)
        assert net[2].bias.equal(before[2].bias)

    def test_have_the_rate_that_is_set(self, net):
        before, made = copy.deepcopy(net), Muon(net.parameters(), RATE)
        for group in made.param_groups:
            group["lr"] = 0.0
        learn(net, made)
        assert all(one.equal(other) for one, other in zip(net.parameters(), before.parameters(), strict=True))

    def test_forget_gradients(self, net):
        made = Muon(net.parameters(), RATE)
        learn(net, made)
        made.zero_grad()
        assert all(weights.grad is None for weights in net.parameters())


class TestOrthogonal:
    @pytest.mark.parametrize("shape", [(8, 24), (24, 8), (3, 8, 8), (2, 5, 4, 6)])
    def test_keeps_singular_vectors_and_brings_the_values_to_between_half_and_five_quarters(self, shape):
        torch.manual_seed(0)
        given = torch.randn(shape, dtype=torch.float64)
        u, values, vh = torch.linalg.svd(given, full_matrices=False)
        shares = values / given.square().sum((-2, -1)).sqrt()[..., None]
        became = u.mT @ orthogonal(given) @ vh.mT
        found = became.diagonal(dim1=-2, dim2=-1)
        torch.testing.assert_close(became, torch.diag_embed(found), rtol=0, atol=1e-9)
        large = found[shares > 0.02]
        assert large.min() > 0.5
        assert large.max() < 1.25

    def test_leaves_nothing_of_no_gradient(self):
        assert not orthogonal(torch.zeros(2, 3, 4)).any()

    def test_in_float32_gives_what_float64_does(self):
        torch.manual_seed(0)
        given = torch.randn(6, 3, dtype=torch.float64) @ torch.randn(3, 20, dtype=torch.float64)
        torch.testing.assert_close(orthogonal(given.float()).double(), orthogonal(given), rtol=0, atol=1e-3)


class TestTakenUp:
    def test_goes_on_as_it_would_have(self, net):
        made = Muon(net.parameters(), RATE)
        learn(net, made)
        other = copy.deepcopy(net)
        again = Muon(other.parameters(), RATE / 2)
        again.load_state_dict(copy.deepcopy(made.state_dict()))
        for one, optimiser in ((net, made), (other, again)):
            learn(one, optimiser)
        assert all(one.equal(another) for one, another in zip(net.parameters(), other.parameters(), strict=True))
