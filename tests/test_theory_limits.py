"""Laws of capacities, optimal distortions, adversarial rates, finite blocklength and brackets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from jscc_sim.theory.adversarial_rates import (
    ZERO_RATE_ERASURES,
    ZERO_RATE_FLIPS,
    causal_corner,
    causal_erasure_capacity,
    causal_flip_capacity,
    gilbert_varshamov,
    omniscient_erasure_lower,
    omniscient_erasure_upper,
    omniscient_flip_lower,
    omniscient_flip_upper,
)
from jscc_sim.theory.bandwidth import known_subspace_payoff, shared_subspace_payoff
from jscc_sim.theory.binary_limits import antipodal_capacity, bec_capacity, binary_entropy, bsc_capacity, hamming_opta
from jscc_sim.theory.code_brackets import (
    bec_achievable_bits,
    bec_achievable_error,
    bec_converse_bits,
    bec_converse_error,
    bsc_achievable_bits,
    bsc_achievable_error,
    bsc_converse_bits,
)
from jscc_sim.theory.coding import code_error, linear_codewords
from jscc_sim.theory.finite_blocklength import (
    dispersion_bec,
    dispersion_bsc,
    dispersion_complex,
    dispersion_real,
    excess_distortion,
    normal_rate_bec,
    normal_rate_bsc,
    normal_rate_complex,
    normal_rate_real,
    uncoded_excess_distortion,
)
from jscc_sim.theory.limits import (
    capacity_complex,
    capacity_real,
    deterministic_capacity,
    opta,
    opta_complex_uses,
    vector_capacity,
    vector_opta,
)
from jscc_sim.theory.saddle import coloured_payoff, scalar_payoff

POWERS = st.floats(1e-3, 1e3)
PROBABILITIES = st.floats(0, 1)
COUNTS = st.integers(1, 30)
FEW = settings(max_examples=30)


class TestGaussianLimits:
    @given(COUNTS, COUNTS, POWERS, POWERS, POWERS)
    def test_no_linear_codec_beats_opta(self, k, n, power, jam, noise):
        best = float(opta(k, n, power, jam, noise))
        linear, known = (f(k, n, power, jam, noise) for f in (shared_subspace_payoff, known_subspace_payoff))
        assert best <= linear * (1 + 1e-12)
        assert linear <= known * (1 + 1e-12)
        if n <= k:
            assert linear == known
        if n == k:
            assert best == pytest.approx(float(linear))
            assert linear == pytest.approx(float(scalar_payoff(1, power, jam, noise)))

    @given(COUNTS, COUNTS, POWERS, POWERS)
    def test_opta_solves_rate_equals_capacity(self, k, n, power, noise):
        bits = k * -0.5 * np.log2(opta(k, n, power, 0, noise))
        assert bits == pytest.approx(float(n * capacity_real(power, 0, noise)))
        assert opta_complex_uses(k, n, power, 0, noise) == pytest.approx(float(opta(k, n, power, 0, noise) ** 2))
        halves = 2 * capacity_real(power / 2, 0, noise / 2)
        assert capacity_complex(power, 0, noise) == pytest.approx(float(halves))

    def test_degenerate_powers(self):
        assert capacity_real([0, 1, 0], 0, [1, 0, 0]) == pytest.approx([0, np.inf, 0])
        assert opta(1, 2, [1, 0], 0, [0, 0]) == pytest.approx([0, 1])
        assert shared_subspace_payoff(2, 1, 1, 0, 0) == 0.5
        assert deterministic_capacity([1, 1 + 1e-9], 1, 0) == pytest.approx([0, 0.5])
        assert capacity_real(1e-300, 0, 1) == pytest.approx(1e-300 / np.log(4))

    @given(st.lists(POWERS, min_size=1, max_size=6), POWERS, POWERS)
    def test_a_white_vector_is_a_scalar(self, noise, power, jam):
        size = len(noise)
        level = [noise[0]] * size
        capacity = vector_capacity(level, size * power, size * jam)
        assert capacity == pytest.approx(float(size * capacity_real(power, jam, noise[0])))
        assert vector_opta([1] * size, level, size * power, size * jam) == pytest.approx(
            float(size * opta(1, 1, power, jam, noise[0]))
        )

    @given(st.lists(st.tuples(POWERS, POWERS), min_size=1, max_size=6), POWERS, POWERS)
    def test_reverse_water_filling(self, pairs, power, jam):
        spectrum, noise = np.array(pairs).T
        best = vector_opta(spectrum, noise, power, jam)
        assert best <= coloured_payoff(spectrum, noise, power, jam) * (1 + 1e-9)
        capacity = vector_capacity(noise, power, jam)

        def rate(level):
            return 0.5 * np.log2(np.maximum(spectrum / level, 1)).sum() - capacity

        level = optimize.brentq(rate, 1e-12 * spectrum.min(), spectrum.max(), xtol=1e-300) if capacity < 30 else 0
        if level:
            assert best == pytest.approx(np.minimum(spectrum, level).sum(), rel=1e-6)

    def test_more_components_than_subchannels(self):
        assert vector_opta([1, 1, 0], [0.5], 1, 0.5) == pytest.approx(2 * 2**-0.5)
        assert vector_opta([0, 0], [0.5], 1, 0.5) == 0
        assert vector_opta([1, 2], [0.0, 1.0], 1, 0) == 0


class TestBinaryLimits:
    @given(st.floats(0, 0.5), st.integers(1, 9))
    def test_uncoded_bits_attain_the_opta(self, p, k):
        assert hamming_opta(p, k, k) == pytest.approx(p, rel=1e-9, abs=1e-9)
        assert hamming_opta(1 - p, k, k) == pytest.approx(p, rel=1e-9, abs=1e-7)

    @given(st.floats(0.001, 0.499), COUNTS, COUNTS)
    def test_opta_solves_rate_equals_capacity(self, p, k, n):
        rate = n / k * bsc_capacity(p)
        assert bsc_capacity(hamming_opta(p, k, n)) == pytest.approx(min(float(rate), 1), rel=1e-9)

    def test_capacity_near_a_half(self):
        assert bsc_capacity(0.5 - 1e-9) == pytest.approx(2e-18 / np.log(2), rel=1e-7)
        assert bsc_capacity([0, 0.5, 1]) == pytest.approx([1, 0, 1])
        assert bsc_capacity([0.24999, 0.25001]) == pytest.approx(1 - binary_entropy([0.24999, 0.25001]), rel=1e-12)

    @given(PROBABILITIES)
    def test_stronger_adversaries_leave_less(self, p):
        assert omniscient_flip_lower(p) <= omniscient_flip_upper(p) + 1e-12
        assert omniscient_flip_upper(p) <= bsc_capacity(p) + 1e-12
        assert omniscient_flip_lower(p) <= causal_flip_capacity(p) + 1e-12
        assert omniscient_erasure_lower(p) <= omniscient_erasure_upper(p) + 1e-12
        assert omniscient_erasure_upper(p) <= causal_erasure_capacity(p) + 1e-12
        assert causal_erasure_capacity(p) <= bec_capacity(p)
        if p <= 0.5:
            assert causal_flip_capacity(p) <= bsc_capacity(p) + 1e-12

    @given(st.floats(0, 0.25))
    def test_causal_capacity_is_a_minimum(self, p):
        early = np.linspace(0, p, 2001)
        left = 1 - 4 * (p - early)
        share = np.divide(early, left, out=np.zeros_like(left), where=left > 0)
        rates = np.where(left > 0, left * bsc_capacity(np.minimum(share, 1)), np.inf)
        assert causal_flip_capacity(p) == pytest.approx(rates[share <= 0.5].min(), abs=2e-4)

    def test_beyond_the_zero_rate(self):
        beyond_flips, beyond_erasures = [ZERO_RATE_FLIPS, 0.4, 1], [ZERO_RATE_ERASURES, 0.7, 1]
        for rate in (causal_flip_capacity, omniscient_flip_lower, omniscient_flip_upper):
            assert (rate(beyond_flips) == 0).all()
        for rate in (causal_erasure_capacity, omniscient_erasure_lower, omniscient_erasure_upper, gilbert_varshamov):
            assert (rate(beyond_erasures) == 0).all()
        corner, slope = causal_corner()
        assert bsc_capacity(corner) == pytest.approx(slope * (1 - 4 * corner), rel=1e-14)

    @pytest.mark.parametrize(
        "rate", [bsc_capacity, causal_flip_capacity, omniscient_flip_upper, causal_erasure_capacity]
    )
    def test_impossible_probabilities(self, rate):
        for wrong in (-0.1, 1.1, np.nan):
            with pytest.raises(ValueError, match=str(wrong)):
                rate([0.1, wrong])

    @given(st.floats(1e-3, 30))
    def test_antipodal_symbols_lie_between_hard_decisions_and_gaussian_ones(self, snr):
        hard = bsc_capacity(stats.norm.sf(np.sqrt(snr)))
        assert hard <= antipodal_capacity(snr) + 1e-9
        assert antipodal_capacity(snr) <= min(1.0, float(capacity_real(snr, 0.0, 1.0))) + 1e-9

    @pytest.mark.parametrize("snr", [0.01, 0.3, 1.0, 4.0, 20.0])
    def test_antipodal_capacity_is_the_integral(self, snr):
        def lost(llr):
            return np.logaddexp(0, -llr) / np.log(2) * stats.norm.pdf(llr, 2 * snr, 2 * np.sqrt(snr))

        middle, reach = 2 * snr, 24 * np.sqrt(snr)
        integral, _ = integrate.quad(lost, middle - reach, middle + reach, epsabs=1e-12, limit=200)
        assert float(antipodal_capacity(snr)) == pytest.approx(1 - integral, abs=1e-6)


class TestFiniteBlocklength:
    @given(st.floats(1e-9, 1 - 1e-9), POWERS, st.floats(0.01, 0.49))
    def test_long_codes_reach_capacity(self, error, snr, p):
        n = 10**14
        assert normal_rate_real(n, error, snr) == pytest.approx(float(capacity_real(snr, 0, 1)), abs=1e-5)
        assert normal_rate_complex(n, error, snr) == pytest.approx(float(capacity_complex(snr, 0, 1)), abs=1e-5)
        assert normal_rate_bsc(n, error, p) == pytest.approx(float(bsc_capacity(p)), abs=1e-5)
        assert normal_rate_bec(n, error, p) == pytest.approx(float(bec_capacity(p)), abs=1e-5)

    @given(st.floats(0, 0.5))
    def test_dispersions_are_variances_of_the_information_density(self, p):
        with np.errstate(divide="ignore"):
            density = np.where([p > 0, True], np.log2([max(p, 1e-300), 1 - p]), 0)
        mean = np.dot([p, 1 - p], density)
        assert dispersion_bsc(p) == pytest.approx(np.dot([p, 1 - p], (density - mean) ** 2), abs=1e-12)
        assert dispersion_bsc(1 - p) == pytest.approx(float(dispersion_bsc(p)), abs=1e-12)
        assert dispersion_bec(p) == p * (1 - p)

    def test_dispersions_at_the_ends(self):
        assert dispersion_bsc([0, 0.5, 1]) == pytest.approx([0, 0, 0])
        assert dispersion_real([0, 1e200]) == pytest.approx([0, np.log2(np.e) ** 2 / 2])
        assert dispersion_real(1e-12) == pytest.approx(1e-12 * np.log2(np.e) ** 2, rel=1e-3)
        assert dispersion_complex(3) == 2 * dispersion_real(3)

    @given(st.integers(1, 400), POWERS, st.floats(1e-12, 1 - 1e-9))
    def test_uncoded_excess_distortion(self, k, snr, error):
        d = uncoded_excess_distortion(k, snr, error)
        assert stats.chi2.sf(k * d * (1 + snr), k) == pytest.approx(error, rel=1e-6)

    @given(st.integers(1, 10**6), st.integers(1, 10**6), POWERS)
    def test_the_median_excess_is_the_opta(self, k, n, snr):
        assert excess_distortion(k, n, snr, 0.5) == pytest.approx(float(opta(k, n, snr, 0, 1)), rel=1e-9, abs=1e-300)

    @pytest.mark.parametrize("error", [0, 1, np.nan, -1])
    def test_impossible_errors(self, error):
        with pytest.raises(ValueError, match="error"):
            normal_rate_real(100, error, 1)

    def test_impossible_lengths(self):
        for wrong in (0, -1, 1.5, np.nan):
            with pytest.raises(ValueError, match="n must be a whole number"):
                normal_rate_real(wrong, 0.1, 1)


class TestBrackets:
    @FEW
    @given(st.integers(1, 300), PROBABILITIES, st.floats(1e-9, 0.999))
    def test_what_exists_is_less_than_what_cannot(self, n, p, error):
        assert 0 <= bec_achievable_bits(n, p, error) <= bec_converse_bits(n, p, error)
        assert 0 <= bsc_achievable_bits(n, p, error) <= bsc_converse_bits(n, p, error) + 1e-9
        bits = bec_converse_bits(n, p, error)
        assert bec_converse_error(n, p, bits) <= error < bec_converse_error(n, p, bits + 1)
        assert bec_converse_error(n, p, bits) <= bec_achievable_error(n, p, bits) + 1e-12

    @FEW
    @given(st.integers(2, 300), st.floats(0, 0.5), st.floats(1e-6, 0.9))
    def test_bits_and_errors_agree(self, n, p, error):
        bits = bsc_achievable_bits(n, p, error)
        if bits > 0:
            assert bsc_achievable_error(n, p, bits) == pytest.approx(error, rel=1e-9)

    @FEW
    @given(
        st.floats(0, 0.5),
        st.sampled_from([np.eye(3), [[1, 1, 1, 1]], np.hstack([np.eye(4), np.ones((4, 4)) - np.eye(4)])]),
    )
    def test_no_code_beats_the_converse(self, p, generator):
        words = linear_codewords(generator)
        bits, n = np.log2(words.shape)[0], words.shape[1]
        assert code_error(words, erase=p).word >= bec_converse_error(n, p, bits) - 1e-12
        error = code_error(words, flip=p).word
        if 0 < error < 1:
            assert bits <= bsc_converse_bits(n, p, error) + 1e-9

    def test_noiseless_and_useless(self):
        assert bsc_converse_bits(10, [0, 1], 0.25) == pytest.approx(10 - np.log2(0.75))
        assert bsc_converse_bits(10, 0.5, 0.25) == pytest.approx(-np.log2(0.75))
        assert bec_converse_bits(10, 0, [1e-9, 0.9]) == pytest.approx([10, 13])
        assert bec_converse_bits(10, 1, [0.4, 0.5]) == pytest.approx([0, 1])
        assert bec_achievable_bits(10, 1, 0.4) == 0
        assert bsc_achievable_bits(2000, 0.11, 1e-300) == 0

    def test_the_normal_approximation_lies_below_the_union_bound_at_011(self):
        for n in (100, 500, 1000):
            short = bsc_achievable_bits(n, 0.11, 1e-3) - n * normal_rate_bsc(n, 1e-3, 0.11)
            assert 1.2 < short < 1.7
