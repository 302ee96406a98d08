"""White Gaussian noise, decibels and unit power. Statistical tests have fixed seeds and false-alarm rate 1e-5."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from channels import AWGN, UnitPower, decibels, from_decibels
from channels.power import normal_points

FALSE_ALARM = 1e-5


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(2)


def fits_variance(noise: torch.Tensor, power: float) -> bool:
    """Whether the sum of squares of Gaussian ``noise`` is one that chi-square allows."""
    tail = stats.chi2.sf(float(noise.double().square().sum()) / power, noise.numel())
    return FALSE_ALARM / 2 < tail < 1 - FALSE_ALARM / 2


class TestGaussianNoise:
    @pytest.mark.parametrize("snr_db", [-10.0, 0.0, 7.0, 100.0])
    def test_power_at_an_snr_is_that_of_a_real_signal(self, snr_db):
        noise = AWGN(1.0).at(snr_db)(torch.zeros(10**6))
        assert fits_variance(noise, 10 ** (-snr_db / 10))

    def test_is_gaussian_and_white(self):
        noise = AWGN(4.0)(torch.zeros(10**6, dtype=torch.float64))
        assert stats.kstest(noise[: 2**17].numpy(), stats.norm(0, 2).cdf).pvalue > FALSE_ALARM
        correlation = float((noise[1:] * noise[:-1]).mean()) / 4
        assert abs(correlation) < stats.norm.isf(FALSE_ALARM / 2) / 10**3

    def test_does_not_depend_on_the_signal(self):
        x = torch.randn(10**6)
        noise = (AWGN(0.5)(x) - x).double()
        assert fits_variance(noise, 0.5)
        assert abs(float((noise * x).mean())) < stats.norm.isf(FALSE_ALARM / 2) * math.sqrt(0.5) / 10**3

    def test_a_gain_multiplies_the_signal_alone(self):
        y = AWGN(0.5, gain=3.0)(torch.ones(10**6))
        assert fits_variance(y - 3, 0.5)

    def test_gains_of_words_are_kept_by_words(self):
        gains = torch.tensor([[1.0], [2.0]])
        y = AWGN(1e-12, gains)(torch.ones(2, 3))
        assert torch.allclose(y, gains.expand(2, 3), atol=1e-4)

    @pytest.mark.parametrize("power", [0, -1.0, math.nan, math.inf])
    def test_refuses_impossible_power(self, power):
        with pytest.raises(ValueError, match="noise_power must be positive"):
            AWGN(power)

    @pytest.mark.parametrize("gain", [math.nan, math.inf])
    def test_refuses_impossible_gain(self, gain):
        with pytest.raises(ValueError, match="gain must be finite"):
            AWGN(1.0, gain)


class TestDecibels:
    @given(st.floats(-100, 100))
    def test_and_back(self, level):
        assert decibels(from_decibels(level)) == pytest.approx(level, abs=1e-9)

    @pytest.mark.parametrize("bad", [math.inf, math.nan, -5000, 5000])
    def test_refuses_what_no_link_has(self, bad):
        with pytest.raises(ValueError, match="within ±100"):
            from_decibels(bad)

    @pytest.mark.parametrize("bad", [0, -1.0, math.nan])
    def test_refuses_ratios_without_a_logarithm(self, bad):
        with pytest.raises(ValueError, match="positive"):
            decibels(bad)


class TestUnitPower:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
    def test_holds_the_batch_in_training(self, dtype):
        unit = UnitPower()
        a = unit((300 * torch.randn(4096, 3)).to(dtype))  # squares of 300 overflow in float16
        assert a.dtype == dtype
        assert float(a.double().square().mean()) == pytest.approx(1, rel=10 * torch.finfo(dtype).eps)

    def test_is_frozen_in_evaluation(self):
        unit = UnitPower()
        unit(3 * torch.randn(4096))
        frozen = unit.eval().power.clone()
        unit(100 * torch.randn(4096))
        assert torch.equal(unit.power, frozen)
        assert float(unit(torch.ones(1))) == pytest.approx(1 / 3, rel=0.1)

    def test_follows_a_signal_that_changes(self):
        unit = UnitPower(momentum=0.5)
        unit(torch.ones(4))
        unit(3 * torch.ones(4))
        assert float(unit.power) == pytest.approx(5)

    def test_takes_a_measured_power(self):
        unit = UnitPower().eval()
        with pytest.raises(RuntimeError, match="never measured"):
            unit(torch.ones(1))
        unit.freeze(4.0)
        assert float(unit(torch.ones(1))) == 0.5

    @pytest.mark.parametrize("power", [0.0, -1.0, math.nan, math.inf])
    def test_refuses_impossible_power(self, power):
        with pytest.raises(ValueError, match="power of a signal"):
            UnitPower().freeze(power)

    @pytest.mark.parametrize("bad", [torch.full((4, 2), math.nan), torch.full((4, 2), math.inf), torch.empty(0, 2)])
    def test_learns_nothing_from_what_is_not_finite(self, bad):
        unit = UnitPower()
        unit(bad)
        assert unit.power.isnan()
        unit(torch.full((4, 2), 3.0))
        unit(bad)
        assert float(unit.power) == 9.0

    def test_silence_stays_silence(self):
        assert torch.equal(UnitPower()(torch.zeros(4)), torch.zeros(4))

    def test_gradients_stay_on_the_sphere(self):
        """Scaling the signal changes nothing, so that the gradient has no part along it."""
        a = torch.randn(64, dtype=torch.float64, requires_grad=True)
        UnitPower()(a).pow(3).sum().backward()
        assert float((a.grad * a.detach()).sum()) == pytest.approx(0, abs=1e-9)


class TestNormalPoints:
    def test_integrate_moments_precisely(self):
        points = normal_points(2**14, 3).double()
        assert torch.allclose(points.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-3)
        assert torch.allclose(points.T @ points / len(points), torch.eye(3, dtype=torch.float64), atol=2e-3)

    def test_leave_torchs_generator_alone(self):
        torch.manual_seed(3)
        before = torch.get_rng_state()
        normal_points(64, 2)
        assert torch.equal(torch.get_rng_state(), before)
