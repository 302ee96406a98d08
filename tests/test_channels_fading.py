"""Block fading against the laws of Rayleigh and Rice. Fixed seeds, false-alarm rate 1e-5 per statistical test."""

import math

import pytest
import torch
from scipy import stats

from channels import AWGN, Rayleigh, Rician

FALSE_ALARM = 1e-5
ALLOWED = float(stats.norm.isf(FALSE_ALARM / 2))  # standard errors
WORDS = 2**18
SOME = [Rayleigh(0.5), Rician(0.5, 0.0), Rician(0.5, 1.0), Rician(0.5, 10.0)]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(10)


def errors_off(samples: torch.Tensor, mean: float) -> float:
    samples = samples.double().flatten()
    return abs(float(samples.mean()) - mean) / (float(samples.std()) / math.sqrt(len(samples)) + 1e-9)


def line_of_sight(channel: Rayleigh | Rician) -> float:
    return getattr(channel, "k_factor", 0.0)


@pytest.mark.parametrize("channel", SOME, ids=repr)
class TestGains:
    def test_moments(self, channel):
        h, k = channel.gains(torch.zeros(WORDS, 1)), line_of_sight(channel)
        assert (h >= 0).all()
        assert errors_off(h, channel.mean_gain) < ALLOWED
        assert errors_off(h.square(), 1.0) < ALLOWED
        assert errors_off(h.pow(4), (k * k + 4 * k + 2) / (k + 1) ** 2) < ALLOWED

    def test_law(self, channel):
        k = line_of_sight(channel)
        law = stats.rice(math.sqrt(2 * k), scale=1 / math.sqrt(2 * (k + 1)))
        h = channel.gains(torch.zeros(2**16, 1, dtype=torch.float64))
        assert stats.kstest(h.flatten().numpy(), law.cdf).pvalue > FALSE_ALARM
        assert channel.mean_gain == pytest.approx(law.mean(), rel=1e-9)

    def test_one_per_word(self, channel):
        y = channel.at(100)(torch.ones(3, 50, 6))
        assert y.std(-1).max() < 1e-4
        assert y[..., 0].flatten().unique().numel() > 140

    def test_every_word_has_its_own(self, channel):
        h = channel.gains(torch.zeros(WORDS, 1)).double().flatten() - channel.mean_gain
        assert errors_off(h[::2] * h[1::2], 0.0) < ALLOWED

    def test_words_of_one_alone_have_one(self, channel):
        assert channel.gains(torch.zeros(7)).shape == (1,)
        assert channel(torch.zeros(7)).shape == (7,)


@pytest.mark.parametrize("channel", SOME, ids=repr)
class TestLaws:
    def test_a_receiver_that_knows_the_gain_is_left_with_noise(self, channel):
        x = torch.randn(2**14, 4)
        y, law = channel.transmit(x)
        assert law.gain.shape == (2**14, 1)
        noise = (y - law.gain * x).double().flatten()
        assert stats.kstest(noise.numpy(), stats.norm(0, math.sqrt(0.5)).cdf).pvalue > FALSE_ALARM

    def test_a_receiver_that_does_not_holds_the_law_of_the_same_moments(self, channel):
        blind = type(channel)(**{**parameters(channel), "csi": False})
        x = torch.randn(WORDS, 1)
        y, law = blind.transmit(x)
        assert repr(law) == repr(blind.nominal) == repr(channel.nominal)
        assert errors_off(y * x, law.gain) < ALLOWED
        assert errors_off((y - law.gain * x).square(), law.noise_power) < ALLOWED

    def test_the_same_words_whether_the_gain_is_known_or_not(self, channel):
        blind = type(channel)(**{**parameters(channel), "csi": False})
        torch.manual_seed(1)
        y = channel(torch.ones(9, 2))
        torch.manual_seed(1)
        assert torch.equal(blind(torch.ones(9, 2)), y)

    def test_mean_snr_is_that_of_the_level(self, channel):
        y = channel.at(7.0)(torch.zeros(WORDS, 1))
        assert errors_off(y.square(), 10**-0.7) < ALLOWED

    def test_gradients_are_the_gains(self, channel):
        x = torch.ones(20, 3, requires_grad=True)
        y, law = channel.transmit(x)
        y.sum().backward()
        assert torch.equal(x.grad, law.gain.expand(20, 3))


def parameters(channel: Rayleigh | Rician) -> dict[str, float]:
    return {name: getattr(channel, name) for name in ("noise_power", "k_factor") if hasattr(channel, name)}


def test_without_a_line_of_sight_rice_is_rayleigh():
    assert Rician(1.0, 0.0).mean_gain == pytest.approx(Rayleigh(1.0).mean_gain)


@pytest.mark.parametrize("k_factor", [1e3, 1e9, 1e17, 1e300])
def test_with_nothing_else_rice_is_no_fading(k_factor):
    channel = Rician(1e-12, k_factor)
    assert channel.mean_gain == pytest.approx(1, abs=1 / k_factor + 1e-12)
    assert channel.nominal.noise_power >= 1e-12
    assert torch.allclose(channel.gains(torch.zeros(100, 1)), torch.ones(100, 1), atol=5 / math.sqrt(k_factor))


def test_deep_fades_are_not_cut():
    """``P(h² < t) = 1 − e^{−t}``, down to fades of 70 dB: h² reaches below what float32 uniforms would give."""
    power = Rayleigh(1.0).gains(torch.zeros(2**21, 1, dtype=torch.float64)).square()
    below = int((power < 1e-5).sum())
    assert stats.binomtest(below, 2**21, -math.expm1(-1e-5)).pvalue > FALSE_ALARM
    assert 0 < float(power.min()) < 2**-18


@pytest.mark.parametrize("k_factor", [-1.0, math.nan, math.inf])
def test_refuses_impossible_lines_of_sight(k_factor):
    with pytest.raises(ValueError, match="k_factor must be"):
        Rician(1.0, k_factor)


@pytest.mark.parametrize("power", [0.0, math.nan, math.inf])
def test_refuses_impossible_noise(power):
    for build in (Rayleigh, Rician):
        with pytest.raises(ValueError, match="noise_power must be"):
            build(power)


def test_the_law_of_a_word_is_plain_noise():
    assert isinstance(Rayleigh(0.3).transmit(torch.ones(2, 2)).law, AWGN)
