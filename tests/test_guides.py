"""Lines beside what was measured: no codec leaves them, and they keep their order."""

from itertools import pairwise

import numpy as np
import pytest

from jscc_sim import plot
from jscc_sim.catalog import Request, exact_curves, guide_curves, make_cases
from jscc_sim.exact import ACHIEVED, CONVERSE, NORMAL, OPTA, guides
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.theory.antipodal_brackets import antipodal_normal_error
from jscc_sim.theory.binary_limits import antipodal_capacity, dispersion_antipodal
from jscc_sim.theory.code_brackets import (
    bec_achievable_error,
    bec_converse_error,
    bsc_achievable_error,
    bsc_converse_bits,
    bsc_converse_error,
)
from jscc_sim.theory.constellation_limits import qam_capacity, qam_dispersion, qam_normal_error
from jscc_sim.theory.finite_blocklength import (
    normal_error_bec,
    normal_error_bsc,
    normal_rate_bec,
    normal_rate_bsc,
)
from jscc_sim.theory.linear_code import code_error, linear_codewords
from jscc_sim.verify import verdict

HAMMING = np.array([[1, 0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1, 1]])
LEVELS = {"awgn": {"ebn0_db": (1.0, 2.0)}, "bsc": {"at": (0.05, 0.08)}, "bec": {"at": (0.3, 0.4)}}


def one(channel, codec, **asked):
    return make_cases(Request(channel, codecs=(codec,), **asked))[0]


class TestOpta:
    """The least mean-square error of a Gaussian source."""

    @pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 2), (3, 1), (4, 4), (2, 7)])
    @pytest.mark.parametrize("channel", [{"channel": "awgn"}, {"channel": "jammer", "policy": "gaussian"}])
    def test_no_linear_codec_is_better_and_at_one_use_a_symbol_it_is_as_good(self, channel, k, n):
        for shared in (None, "sign"):
            case = one(**channel, codec="linear", source="gaussian", snr_db=(5.0,), k=k, n=n, shared=shared)
            least = guides(case.link)["mse"][OPTA]
            assert case.bounds["mse"] < least <= case.exact["mse"] * (1 + 1e-12)
            assert (least == pytest.approx(case.exact["mse"], rel=1e-12)) == (k == n)

    def test_is_that_of_the_critic(self):
        case = one("awgn", "linear", source="gaussian", snr_db=(10.0,), k=1, n=2)
        assert guides(case.link)["mse"][OPTA] == pytest.approx(11**-2, rel=1e-12)

    @pytest.mark.parametrize("n", [5, 10])
    def test_no_klt_codec_is_better(self, n):
        case = one("awgn", "klt", source="gaussian:0.9", snr_db=(5.0,), k=10, n=n)
        assert guides(case.link)["mse"][OPTA] < case.exact["mse"]

    @pytest.mark.parametrize(
        ("channel", "source"),
        [
            ({"channel": "rayleigh"}, "gaussian"),
            ({"channel": "jammer", "policy": "pulsed:0.3"}, "gaussian"),
            ({"channel": "awgn"}, "laplace"),
        ],
    )
    def test_is_of_gaussian_sources_in_gaussian_noise_alone(self, channel, source):
        assert guides(one(**channel, codec="linear", source=source, snr_db=(5.0,)).link) == {}

    def test_is_drawn_on_a_logarithmic_axis(self):
        asked = Request("awgn", ("linear",), "gaussian", snr_db=(0.0, 10.0), k=1, n=2)
        cases = make_cases(asked)
        lines = guide_curves(cases)
        assert list(lines) == ["mse"]
        (curve,) = lines["mse"].values()
        assert (curve[0], curve[-1]) == (pytest.approx((0.0, 1 / 4)), pytest.approx((10.0, 1 / 121)))
        (axes,) = plot.curves(list(sweep(cases, Budget(words=1000))), exact_curves(asked, 0.0, 10.0), lines).axes
        assert f"k 1, n 2: {OPTA}" in [text.get_text() for text in axes.get_legend().get_texts()]
        assert axes.get_yscale() == "log"


class TestLimitsOfCodes:
    """Converse, normal approximation, random coding."""

    @pytest.mark.parametrize("k", [2, 50, 100, 200])
    def test_keep_their_order(self, k):
        n = 2 * k
        for flip in (0.02, 0.05, 0.08, 0.11):
            assert bsc_converse_error(n, flip, k) <= bsc_achievable_error(n, flip, k)
        for erase in (0.2, 0.3, 0.4, 0.5):
            assert bec_converse_error(n, erase, k) <= bec_achievable_error(n, erase, k)
        if k >= 50:
            for flip in (0.08, 0.09):
                below, above = bsc_converse_error(n, flip, k), bsc_achievable_error(n, flip, k)
                assert below < normal_error_bsc(n, flip, k) < above
            for erase in (0.4, 0.45):
                below, above = bec_converse_error(n, erase, k), bec_achievable_error(n, erase, k)
                assert below < normal_error_bec(n, erase, k) < above

    @pytest.mark.parametrize("flip", [0.01, 0.11, 0.4, 0.7])
    def test_errors_and_bits_of_the_converse_agree(self, flip):
        for error in (1e-9, 1e-3, 0.3, 0.9):
            bits = bsc_converse_bits(100, flip, error)
            if bits > 0:
                assert bsc_converse_error(100, flip, bits) == pytest.approx(error, rel=1e-6)

    @pytest.mark.parametrize("p", [0.0, 0.01, 0.2, 0.5, 0.8, 1.0])
    def test_perfect_codes_meet_the_converse_over_the_bsc(self, p):
        words = linear_codewords(HAMMING)
        exact_error = code_error(words, flip=min(p, 1 - p)).word
        assert bsc_converse_error(7, p, 4) == pytest.approx(exact_error, rel=1e-9, abs=1e-12)
        assert bsc_converse_error(7, p, 7) == pytest.approx(1 - max(p, 1 - p) ** 7, abs=1e-12)

    def test_are_probabilities_of_any_size(self):
        for n, bits in ((2, 2), (7, 4), (1000, 1000), (1000, 1100), (6000, 3000), (30, 0)):
            for p in (0.0, 1e-6, 0.11, 0.5, 0.99, 1.0):
                for limit in (bsc_converse_error, bec_converse_error, normal_error_bsc, normal_error_bec):
                    assert 0 <= limit(n, p, bits) <= 1

    def test_normal_errors_invert_normal_rates(self):
        for error in (1e-6, 0.01, 0.5):
            for invert, rate in ((normal_error_bsc, normal_rate_bsc), (normal_error_bec, normal_rate_bec)):
                assert invert(300, 0.1, 300 * rate(300, error, 0.1)) == pytest.approx(error, rel=1e-9)


class TestConstellations:
    """Capacity and dispersion of equally likely points of square QAM."""

    SNRS = np.array([0.0, 0.1, 1.0, 10.0, 100.0])

    def test_four_points_are_two_antipodal_symbols(self):
        assert qam_capacity(4, self.SNRS) == pytest.approx(2 * antipodal_capacity(self.SNRS), abs=1e-12)
        assert qam_dispersion(4, self.SNRS) == pytest.approx(2 * dispersion_antipodal(self.SNRS), abs=1e-12)
        assert qam_normal_error(4, 128, 1.5, 64) == pytest.approx(float(antipodal_normal_error(128, 1.5, 64)))

    @pytest.mark.parametrize("order", [4, 16, 64, 256])
    def test_points_carry_their_bits_at_most_and_no_more_than_gaussian_symbols(self, order):
        snrs = 10.0 ** np.arange(-2, 5)
        capacity = qam_capacity(order, snrs)
        assert (capacity <= np.minimum(np.log2(order), np.log2(1 + snrs)) + 1e-9).all()
        assert all(low <= high + 1e-9 for low, high in pairwise(capacity))
        assert capacity[-1] == pytest.approx(np.log2(order), abs=1e-6)
        assert capacity[0] == pytest.approx(np.log2(1.01), rel=1e-3)
        assert qam_dispersion(order, 1e5) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("order", [16, 64])
    @pytest.mark.parametrize("snr", [1.0, 10.0, 50.0])
    def test_densities_of_random_points_have_their_mean_and_variance(self, order, snr):
        """Complex points drawn at random, not by axis; within 4.5 standard errors, false alarms 7e-6 each."""
        rng, side, many = np.random.default_rng(order), round(order**0.5), 40_000
        axis = np.arange(1 - side, side, 2)
        points = (axis[:, None] + 1j * axis).ravel()
        points = points / np.sqrt(np.mean(np.abs(points) ** 2) / 2)  # power one on either axis
        sent = rng.choice(points, many)
        y = sent + (rng.normal(size=many) + 1j * rng.normal(size=many)) / np.sqrt(snr)
        likelihoods = np.exp(-snr * np.abs(y[:, None] - points) ** 2 / 2).mean(1)
        bits = np.log2(np.exp(-snr * np.abs(y - sent) ** 2 / 2) / likelihoods)
        assert abs(bits.mean() - qam_capacity(order, snr)) < 4.5 * bits.std() / many**0.5
        squares = (bits - bits.mean()) ** 2
        assert abs(squares.mean() - qam_dispersion(order, snr)) < 4.5 * squares.std() / many**0.5


class TestGuidesOfCodes:
    @pytest.mark.parametrize("channel", LEVELS)
    def test_a_real_code_is_no_better_than_the_converse_that_its_rows_show(self, channel):
        """Upper ends of 95 % intervals of a convolutional code, some way off its bound."""
        cases = make_cases(Request(channel, ("convolutional",), k=64, **LEVELS[channel]))
        for case, row in zip(
            cases, [row for row in sweep(cases, Budget(words=2000)) if row.metric == "bler"], strict=True
        ):
            found = guides(case.link)["bler"]
            assert list(found) == [CONVERSE, NORMAL, ACHIEVED]
            assert row.bound == found[CONVERSE] <= found[ACHIEVED]
            assert found[CONVERSE] <= row.high
            assert verdict(row) is None

    @pytest.mark.parametrize("channel", ["bsc", "bec"])
    @pytest.mark.parametrize("codec", ["hamming", "bch", "uncoded", "repetition-3"])
    def test_no_exact_block_error_rate_is_below_its_bound(self, channel, codec):
        more = {"k": 4} if codec in ("uncoded", "repetition-3") else {}
        for case in make_cases(Request(channel, (codec,), at=(0.0, 0.01, 0.1, 0.5, 0.9, 1.0), **more)):
            assert case.bounds["bler"] <= case.exact["bler"] + 1e-12

    def test_adversaries_and_single_bits_have_none(self):
        for case in (one("bsc-flip", "hamming", at=(0.1,)), one("bsc", "uncoded", at=(0.1,), k=1)):
            assert (case.bounds, guides(case.link)) == ({}, {})

    def test_long_codes_keep_what_can_be_drawn(self):
        case = one("awgn", "ldpc", ebn0_db=(1.0,), k=2000, n=4000)
        found = guides(case.link)["bler"]
        assert list(found) == [NORMAL, ACHIEVED]
        assert 0 < found[NORMAL] < found[ACHIEVED] < 1
        assert list(guides(one("bsc", "ldpc", at=(0.08,), k=2000, n=4000).link)["bler"]) == [CONVERSE, NORMAL, ACHIEVED]

    def test_constellations(self):
        asked = {"snr_db": (8.0,), "k": 96}
        (signs,), (eight,), (qam,) = (
            guides(one("awgn", "convolutional", modulation=points, **asked).link).values()
            for points in ("qpsk", "8psk", "16qam")
        )
        assert [list(found) for found in (signs, eight, qam)] == [
            [CONVERSE, NORMAL, ACHIEVED],
            [CONVERSE],
            [f"{NORMAL}, 16qam"],
        ]
        assert one("awgn", "convolutional", modulation="16qam", **asked).bounds == {}

    def test_lines_are_of_a_size_and_one_for_all_its_codes(self):
        found = guide_curves(make_cases(Request("bsc", ("ldpc", "polar"), at=(0.0, 0.1), k=64, n=128)))
        assert list(found) == ["bler"]
        assert list(found["bler"]) == [f"k 64, n 128: {name}" for name in (CONVERSE, NORMAL, ACHIEVED)]
        levels = [level for level, _ in found["bler"][f"k 64, n 128: {CONVERSE}"]]
        assert (levels[0], levels[-1], len(levels)) == (0.0, 0.1, 12)
