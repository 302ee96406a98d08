"""Laws of the jammer's other laws, the worst noise, normalisation, fading and certificates, by other integrals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from jscc_sim.theory.certificates import entropy_power_bound, worst_payoff
from jscc_sim.theory.coding import bpsk_error
from jscc_sim.theory.deviations import (
    laplace_bound,
    laplace_payoff,
    offset_payoff,
    onoff_payoff,
    two_point_bound,
    two_point_payoff,
    uniform_bound,
    uniform_payoff,
)
from jscc_sim.theory.fading import (
    blind_linear_mse,
    mean_gain,
    rayleigh_bpsk_error,
    rayleigh_mse,
    rician_bpsk_error,
    rician_mse,
)
from jscc_sim.theory.matched import matched_payoff
from jscc_sim.theory.normalisation import approximate_batch_bias, batch_bias, codeword_payoff, mean_norm
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.theory.worst_noise import (
    pulsed_error,
    two_point_error,
    worst_duty,
    worst_hard_error,
    worst_known_noise_error,
    worst_pulsed_error,
)

POWERS = st.floats(1e-3, 1e3)
SNRS = st.floats(-6, 6).map(lambda exponent: 10**exponent)
LAWS = [(two_point_payoff, two_point_bound), (uniform_payoff, uniform_bound), (laplace_payoff, laplace_bound)]
FEW = settings(max_examples=30)


class TestDeviations:
    @FEW
    @pytest.mark.parametrize(("payoff", "bound"), LAWS, ids=["two-point", "uniform", "laplace"])
    @given(powers=st.tuples(POWERS, POWERS, POWERS))
    def test_between_the_entropy_power_bound_and_the_saddle(self, payoff, bound, powers):
        best = float(scalar_payoff(1, *powers))
        assert bound(*powers) * (1 - 1e-9) <= payoff(*powers) <= best * (1 + 1e-9)
        assert payoff(*powers) >= scalar_payoff(1, powers[0], 0, powers[2]) * (1 - 1e-9)

    @pytest.mark.parametrize(("payoff", "bound"), LAWS, ids=["two-point", "uniform", "laplace"])
    def test_extremes(self, payoff, bound):
        assert payoff([1, 1e-6, 0], [0, 1e-6, 1], [0.5, 1, 0]) == pytest.approx([1 / 3, 1, 1], rel=1e-5)
        assert payoff(1, 1e-12, 0) == pytest.approx(1e-12, rel=1e-9)  # nothing cancels for a weak jammer
        assert payoff(1, 1e12, 1e-3) <= 1
        assert bound(1, 1e-10, 1) == pytest.approx(0.5, rel=1e-9)
        assert bound(1, 0, [0, 1]) == pytest.approx([0, 0.5])
        assert bound(1, 1, 1e-9) == pytest.approx(float(bound(1, 1, 0)), abs=1e-4)
        assert payoff(1, 1, [0.1, 1]).shape == (2,)

    def test_a_strong_jammer_of_two_points_is_seen_through(self):
        assert two_point_payoff(1, 1e4, 0.1) == pytest.approx(0.1 / 1.1, rel=1e-9)

    @pytest.mark.parametrize("law", [stats.uniform(-(3**0.5), 12**0.5), stats.laplace(scale=0.5**0.5)], ids=["u", "l"])
    def test_two_dimensional_quadrature(self, law):
        power, jam, noise = 2.0, 1.5, 0.3
        x, z, u = np.arange(-7, 7, 0.05), np.arange(-20, 20, 0.005) + 0.0025, np.arange(-30, 30, 0.05)
        shifted = stats.norm(scale=noise**0.5).pdf(u[:, None] - z)
        disturbance = shifted @ law.pdf(z / jam**0.5) / jam**0.5 * 0.005
        at = np.interp(u[:, None] - power**0.5 * x, u, disturbance) * stats.norm.pdf(x) * 0.05
        error = 1 - ((at @ x) ** 2 / at.sum(1)).sum() * 0.05
        payoff = uniform_payoff if law.dist.name == "uniform" else laplace_payoff
        assert payoff(power, jam, noise) == pytest.approx(error, abs=2e-3)

    @given(POWERS, POWERS, POWERS, st.floats(0, 1))
    def test_offsets_and_pauses_cost_the_jammer(self, power, jam, noise, share):
        best = scalar_payoff(1, power, jam, noise) * (1 + 1e-12)
        assert offset_payoff(power, jam, noise, share * jam) <= best
        assert onoff_payoff(power, jam, noise, share) <= best
        assert offset_payoff(power, jam, noise, 0) == onoff_payoff(power, jam, noise, 1)
        assert onoff_payoff(power, jam, noise, 0) == pytest.approx(float(scalar_payoff(1, power, 0, noise)))
        if share > 1e-3:
            on, off = scalar_payoff(1, power, jam / share, noise), scalar_payoff(1, power, 0, noise)
            assert onoff_payoff(power, jam, noise, share) == pytest.approx(float(share * on + (1 - share) * off))

    @given(POWERS, POWERS, POWERS)
    def test_a_matched_source_plays_the_gaussian_value(self, power, jam, noise):
        beta = (jam + noise) / power
        assert matched_payoff(beta, 2) == pytest.approx(float(scalar_payoff(2, power, jam, noise)))

    def test_too_large_an_offset(self):
        with pytest.raises(ValueError, match="offset_power"):
            offset_payoff(1, 1, 1, 1.1)


class TestWorstNoise:
    @FEW
    @given(SNRS, POWERS, st.floats(0, 1))
    def test_no_duty_beats_the_worst(self, power, noise, duty):
        worst = worst_pulsed_error(power, 1, noise)
        assert pulsed_error(power, 1, noise, duty) <= worst * (1 + 1e-9)
        assert worst <= worst_hard_error(power, 1, noise) * (1 + 1e-9)

    @FEW
    @given(SNRS)
    def test_pulses_without_noise_fall_as_one_over_snr(self, snr):
        gamma = snr / 2
        expected = 0.0828583073894257 / gamma if gamma >= 0.708765656928515 else float(bpsk_error(snr))
        assert worst_pulsed_error(snr, 1) == pytest.approx(expected, rel=1e-9)

    @FEW
    @given(st.floats(0.05, 3), st.floats(0.01, 2))
    def test_the_envelope_is_that_of_a_grid(self, jam, noise):
        squares = np.linspace(0, max(3.5, 10 * noise), 1500) ** 2
        found = worst_payoff(squares, two_point_error(1, squares, noise), jam)
        assert worst_hard_error(1, jam, noise) == pytest.approx(found, rel=2e-4)
        assert worst_hard_error(1, jam, noise) >= found - 1e-9

    @given(st.floats(1e-3, 1e3), POWERS)
    def test_hard_decisions_without_noise(self, jam, power):
        assert worst_hard_error(power, jam) == pytest.approx(min(jam / power, 1) / 2)
        assert worst_hard_error(power, jam, 1e-12 * power) == pytest.approx(min(jam / power, 1) / 2, rel=2e-5)

    def test_no_signal_no_jammer(self):
        assert worst_hard_error(0, [0, 1], 1) == pytest.approx(0.5)
        assert worst_pulsed_error(0, 1, 1) == worst_pulsed_error(0, 1) == 0.5
        for error in (worst_hard_error, worst_pulsed_error, two_point_error):
            assert error(1, 0, 0.25) == pytest.approx(float(bpsk_error(4)))
        assert two_point_error(1, [0.5, 1, 2], 0) == pytest.approx([0, 0.25, 0.5])
        assert worst_duty(1, 0, 0.1) == 0
        assert pulsed_error(1, 1, 1, [0, 1]) == pytest.approx([float(bpsk_error(1)), float(bpsk_error(0.5))])

    @pytest.mark.parametrize("strength", [0.25, 0.9, 1, 1.7, 8 / 3, 4.4, 9.0])
    def test_a_known_law_by_linear_programming(self, strength):
        # Laws on multiples of ½ up to ±10; the error of ML is half the overlap of the law with itself shifted by 2.
        points = np.arange(-10, 10.25, 0.5)
        m, shift = points.size, 4
        overlaps = m - shift
        below = np.hstack([-np.eye(m), np.zeros((m, 0))])
        limits = np.vstack(
            [np.hstack([below[:overlaps], np.eye(overlaps)]), np.hstack([below[shift:], np.eye(overlaps)])]
        )
        power = np.concatenate([points**2, np.zeros(overlaps)])
        total = np.concatenate([np.ones(m), np.zeros(overlaps)])
        gain = np.concatenate([np.zeros(m), np.full(overlaps, -0.5)])
        bounds = np.concatenate([np.zeros(2 * overlaps), [strength]])
        found = optimize.linprog(gain, np.vstack([limits, power]), bounds, total[None], [1])
        assert worst_known_noise_error(strength) == pytest.approx(-found.fun, abs=1e-9)
        assert worst_known_noise_error(4 * strength, 4) == pytest.approx(-found.fun, abs=1e-9)

    def test_a_known_law_at_the_ends(self):
        assert worst_known_noise_error([0, 0.3, 1]) == pytest.approx([0, 0.075, 0.25])
        assert worst_known_noise_error(1, 0) == 0.5


class TestCertificates:
    @given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=12), st.floats(0.1, 3))
    def test_duality(self, samples, budget):
        squares, harms = np.array([(0.0, 0.2), *samples]).T
        prices = [0.0, *np.divide.outer(harms, 1 + squares).ravel()]
        law = optimize.linprog(-harms, squares[None], [budget], np.ones((1, harms.size)), [1])
        assert worst_payoff(squares, harms, budget) == pytest.approx(-law.fun, abs=1e-9)
        assert all(price * budget + (harms - price * squares).max() >= -law.fun - 1e-9 for price in prices)

    def test_indifference_of_the_saddle_codec(self):
        z = np.linspace(-9, 9, 2001)
        gain = 1 / 2.1
        assert worst_payoff(z**2, (1 - gain) ** 2 + gain**2 * (z**2 + 0.1), 1) == pytest.approx(1.1 / 2.1)

    def test_the_sample_must_reach_the_budget(self):
        with pytest.raises(ValueError, match="reach"):
            worst_payoff([2, 3], [1, 1], 1)

    def test_entropies_give_the_bounds(self):
        entropy = np.log(12) / 2  # of a uniform law of variance one
        assert entropy_power_bound(1, 1, 0, entropy) == pytest.approx(float(uniform_bound(1, 1, 0)))


class TestNormalisation:
    @given(st.integers(1, 10**6))
    def test_mean_norm_by_gamma_functions(self, k):
        expected = np.sqrt(2 / k) * special.poch(k / 2, 0.5)
        assert mean_norm(k) == pytest.approx(float(expected), rel=1e-9)

    @given(POWERS, POWERS, st.integers(1, 4096), st.integers(1, 64))
    def test_the_approximation_is_from_above_and_close(self, power, disturbance, batch, k):
        exact, rough = batch_bias(power, disturbance, batch, k), approximate_batch_bias(power, disturbance, batch, k)
        assert exact < rough
        assert exact == pytest.approx(float(rough), rel=0.2 / (batch * k) ** 0.5 if batch * k > 1 else 0.3)

    @given(st.integers(1, 10**9), POWERS, POWERS)
    def test_long_codewords_reach_the_saddle(self, k, power, disturbance):
        best = float(scalar_payoff(1, power, disturbance, 0))
        assert best <= codeword_payoff(k, power, disturbance) <= best + 0.51 / k

    def test_a_bias_needs_a_disturbance(self):
        with pytest.raises(ValueError, match="disturbance"):
            batch_bias(1, 0, 64)


class TestFading:
    @given(SNRS)
    def test_rice_without_a_constant_part_is_rayleigh(self, snr):
        assert rician_mse(snr, 0) == pytest.approx(float(rayleigh_mse(snr)), rel=1e-11)
        assert rician_bpsk_error(snr, 0) == pytest.approx(float(rayleigh_bpsk_error(snr)), rel=1e-11)

    @given(st.floats(-6, 2).map(lambda exponent: 10**exponent))
    def test_rice_without_a_random_part_is_awgn(self, snr):
        assert rician_mse(snr, np.inf) == pytest.approx(1 / (1 + snr), rel=1e-11)
        assert rician_bpsk_error(snr, np.inf) == pytest.approx(float(bpsk_error(snr)), rel=1e-11)
        assert rician_mse(snr, 1e10) == pytest.approx(1 / (1 + snr), rel=1e-7)

    @FEW
    @given(st.floats(0, 30), st.floats(0.01, 100))
    def test_rice_by_its_density(self, k_factor, snr):
        law = stats.rice(np.sqrt(2 * k_factor), scale=np.sqrt(0.5 / (1 + k_factor)))

        def mean(of):
            return integrate.quad(lambda h: law.pdf(h) * of(h), 0, 8, limit=200, points=[0.1, 1], epsabs=0)[0]

        assert rician_mse(snr, k_factor) == pytest.approx(mean(lambda h: 1 / (1 + snr * h * h)), rel=1e-6)
        assert rician_bpsk_error(snr, k_factor) == pytest.approx(mean(lambda h: bpsk_error(snr * h * h)), rel=1e-6)
        assert mean_gain(k_factor) == pytest.approx(law.mean(), rel=1e-9)

    @given(SNRS, st.floats(0, 1e12))
    def test_knowing_the_gain_helps_and_fading_hurts(self, snr, k_factor):
        assert 1 / (1 + snr) <= rician_mse(snr, k_factor) * (1 + 1e-9)
        assert rician_mse(snr, k_factor) <= blind_linear_mse(snr, k_factor) * (1 + 1e-9)
        assert 0 <= rician_bpsk_error(snr, k_factor) <= 0.5 * (1 + 1e-12)

    def test_extremes(self):
        assert rayleigh_mse([0, 1e-3, 1e6, np.inf]) == pytest.approx([1, 0.999001993, 1.32383091e-05, 0], rel=1e-8)
        assert rician_mse([0, 1e300], 3) == pytest.approx([1, 0], abs=1e-14)
        assert mean_gain([0, 1e8, 1e15, np.inf]) == pytest.approx([np.pi**0.5 / 2, 1 - 2.5e-9, 1, 1], rel=1e-13)
        both = rayleigh_mse([1 / 500.0001, 1 / 499.9999])  # where the series takes over
        assert np.diff(both)[0] == pytest.approx(-8e-10, rel=0.01)

    @pytest.mark.parametrize("curve", [rayleigh_mse, rayleigh_bpsk_error])
    def test_impossible_parameters(self, curve):
        for wrong in (-1, np.nan):
            with pytest.raises(ValueError, match=str(wrong)):
                curve(wrong)
