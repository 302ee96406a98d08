"""Laws of all channels, then each against its theory. Statistical tests have fixed seeds and false-alarm rate 1e-5."""

import math

import pytest
import torch
from scipy import stats
from torch import nn

from channels import (
    AWGN,
    BEC,
    BSC,
    CHANNELS,
    BitFlip,
    GaussianPolicy,
    Jammer,
    NeuralPolicy,
    TwoPointPolicy,
    UnitPower,
    decibels,
    from_decibels,
    steepest_flips,
)

FALSE_ALARM = 1e-5
SOME = {
    "awgn": [AWGN(0.3)],
    "bec": [BEC(0.2)],
    "bit-flip": [BitFlip(BSC(0.1), 2), BitFlip(BEC(0.2), 1, informed=False)],
    "bsc": [BSC(0.1)],
    "jammer": [
        Jammer(policy, 0.1, 0.5) for policy in (GaussianPolicy(), TwoPointPolicy(), NeuralPolicy(n=6, hidden=8))
    ],
}
ALL = [channel.eval() for channels in SOME.values() for channel in channels]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


def antipodal(*shape: int) -> torch.Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def test_no_channel_is_forgotten():
    assert SOME.keys() == CHANNELS.keys()
    assert all(isinstance(channel, CHANNELS[name]) for name, some in SOME.items() for channel in some)


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: " ".join(repr(channel).split())[:60])
class TestEveryChannel:
    def test_keeps_shape_and_dtype(self, channel):
        for shape in [(4, 6), (2, 3, 6)]:
            x = antipodal(*shape)
            assert channel(x).shape == x.shape
            assert channel(x).dtype == x.dtype

    def test_is_a_layer(self, channel):
        assert nn.Sequential(nn.Identity(), channel, nn.Identity())(antipodal(4, 6)).shape == (4, 6)

    def test_at_builds_another_and_leaves_this_one(self, channel):
        before = repr(channel)
        other = channel.at(0.25)
        assert type(other) is type(channel)
        assert repr(channel) == before != repr(other)
        assert repr(other.at(0.25)) == repr(other)

    def test_draws_only_from_torch_generator(self, channel):
        x = antipodal(50, 6)
        torch.manual_seed(3)
        first = channel(x)
        torch.manual_seed(3)
        assert torch.equal(channel(x), first)
        assert not torch.equal(channel(x), first) or isinstance(channel, BitFlip)

    def test_the_receivers_law_is_memoryless(self, channel):
        y, law = channel.transmit(antipodal(4, 6))
        assert law.nominal is law
        assert repr(law) == repr(channel.nominal)
        assert law.llr(y).isfinite().all()

    def test_llr_is_the_ratio_of_likelihoods(self, channel):
        law = channel.nominal
        y = law(antipodal(200))
        exact = law.log_prob(y, torch.ones(200)) - law.log_prob(y, -torch.ones(200))
        assert torch.allclose(law.llr(y), exact.clamp(-math.log(1e12), math.log(1e12)), rtol=1e-4, atol=1e-4)

    def test_llr_carries_gradients(self, channel):
        y = antipodal(5).requires_grad_()
        channel.nominal.llr(y).sum().backward()
        assert (y.grad > 0).all()


class TestGaussianNoise:
    @pytest.mark.parametrize("snr_db", [-10.0, 0.0, 7.0])
    def test_power_at_an_snr_is_that_of_a_real_signal(self, snr_db):
        noise = AWGN(1.0).at(snr_db)(torch.zeros(10**6)).double()
        scaled = float(noise.square().sum() * 10 ** (snr_db / 10))
        tail = stats.chi2.sf(scaled, 10**6)
        assert FALSE_ALARM / 2 < tail < 1 - FALSE_ALARM / 2

    @pytest.mark.parametrize("power", [0, -1.0, math.nan, math.inf])
    def test_refuses_impossible_power(self, power):
        with pytest.raises(ValueError, match="noise_power must be positive"):
            AWGN(power)

    def test_decibels_and_back(self):
        assert decibels(from_decibels(3.0)) == pytest.approx(3.0)
        for bad in (math.inf, math.nan, -5000, 5000):
            with pytest.raises(ValueError, match="within ±300"):
                from_decibels(bad)
        with pytest.raises(ValueError, match="positive"):
            decibels(0)


class TestBinary:
    @pytest.mark.parametrize("p", [0.0, 1e-4, 0.1, 0.5, 1.0])
    def test_rates_are_exact(self, p):
        x, words = antipodal(10**6), 10**6
        for events in (int((BSC(p)(x) != x).sum()), int((BEC(p)(x) == 0).sum())):
            assert stats.binomtest(events, words, p).pvalue > FALSE_ALARM

    @pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
    def test_refuses_what_is_no_probability(self, p):
        for channel in (BSC, BEC):
            with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
                channel(p)

    def test_llr_is_finite_at_the_ends(self):
        assert all(channel(p).llr(antipodal(3)).isfinite().all() for channel in (BSC, BEC) for p in (0.0, 1.0))


class TestJammer:
    @pytest.mark.parametrize("policy", [GaussianPolicy(), TwoPointPolicy(), NeuralPolicy(n=3)])
    def test_spends_its_budget_and_no_more(self, policy):
        jammer = Jammer(policy, 0.1, 0.5).eval()
        words = 2**18
        added = jammer(torch.zeros(words, 3)).detach().double().square().mean(1)
        error = float(added.std()) / math.sqrt(words)
        assert abs(float(added.mean()) - 0.6) < error * stats.norm.isf(FALSE_ALARM / 2)

    def test_holds_a_greedy_policy_in_training(self):
        jammer = Jammer(NeuralPolicy(n=2), 1e-9, 0.5).train()
        with torch.no_grad():
            jammer.policy.net[-1].weight.mul_(1000)
            assert float(jammer(torch.zeros(4096, 2)).square().mean()) == pytest.approx(0.5, rel=1e-3)
            jammer.calibrate()
            assert float(jammer.eval()(torch.zeros(2**16, 2)).square().mean()) == pytest.approx(0.5, rel=0.05)

    def test_a_neural_jammer_has_no_offset_and_learns(self):
        jammer = Jammer(NeuralPolicy(n=1), 0.1)
        jammer(torch.zeros(64, 1)).square().sum().backward()
        assert any(weight.grad.abs().sum() > 0 for weight in jammer.parameters())
        signals = jammer.limit(jammer.policy(torch.zeros(2**16, 1))).detach()
        assert abs(float(signals.mean())) < stats.norm.isf(FALSE_ALARM / 2) / 2**8

    def test_names_the_wrong_word_length(self):
        with pytest.raises(ValueError, match="words of 2 symbols, got words of 3"):
            Jammer(NeuralPolicy(n=2), 0.1)(torch.zeros(4, 3))

    def test_the_receiver_expects_gaussian_noise_of_the_total_power(self):
        assert Jammer(TwoPointPolicy(), 0.1, 0.5).nominal.noise_power == pytest.approx(0.6)

    def test_power_is_frozen_in_evaluation(self):
        unit = UnitPower()
        unit(3 * torch.randn(4096))
        frozen = unit.eval().power.clone()
        unit(100 * torch.randn(4096))
        assert torch.equal(unit.power, frozen)
        assert float(unit(torch.ones(1))) == pytest.approx(1 / 3, rel=0.1)

    def test_silence_stays_silence(self):
        assert torch.equal(UnitPower()(torch.zeros(4)), torch.zeros(4))


class TestBitFlip:
    @pytest.mark.parametrize("informed", [True, False])
    @pytest.mark.parametrize("flips", [0, 1, 3, 99])
    def test_never_exceeds_its_budget_nor_touches_erasures(self, flips, informed):
        x = antipodal(500, 7)
        for harm in (None, lambda y: -(y * x).sum(-1), lambda y: (y * x).sum(-1)):
            nature = BEC(0.3)
            channel = BitFlip(nature, flips, informed)
            y = (channel if harm is None else channel.against(harm))(x)
            assert int(((y * x) < 0).sum(1).max()) <= flips
            assert set(y.unique().tolist()) <= {-1.0, 0.0, 1.0}

    def test_goes_where_the_harm_is_steepest(self):
        weights = torch.tensor([1.0, 5.0, 3.0, -9.0])
        y = torch.ones(1, 4)
        signs = steepest_flips(lambda word: -(word * weights).sum(-1), y, 2)
        assert signs.tolist() == [[1.0, -1.0, -1.0, 1.0]]

    def test_random_flips_spend_the_whole_budget(self):
        x = antipodal(500, 7)
        assert ((BitFlip(BSC(0.0), 3)(x) != x).sum(1) == 3).all()

    def test_against_leaves_the_original_unarmed(self):
        channel = BitFlip(BSC(0.0), 1)
        assert channel.against(lambda y: y.sum(-1)) is not channel
        assert channel._harm is None

    def test_refuses_nonsense(self):
        with pytest.raises(ValueError, match="flips must be"):
            BitFlip(BSC(0.1), -1)
        with pytest.raises(ValueError, match="need a binary channel"):
            BitFlip(AWGN(1.0), 1)
