"""Every slip, planted in a user's code, is named and no other is.

The library tests each slip at 1e-5 two-sided (see SIGNIFICANT), about ten tests a check, and gives no verdict on an SNR
unless its margin is at least 4.4 standard errors, which is 1e-5 too. With fixed seeds each test here either always
passes or always fails; at a new seed any one would fail with probability below 2e-4. Numpy code draws from generators
of its own seed.
"""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from channels import AWGN, BSC, GaussianPolicy, Jammer, UnitPower, from_decibels
from jscc_sim.codecs import DeepJSCC, Linear, NeuralCodec, Repetition
from jscc_sim.link import Link
from jscc_sim.snr_check import HARMLESS, MOST_ASKED, check_snr
from jscc_sim.sources import Bits, Gaussian, Images

K = 8


def names(report):
    return {finding.name for finding in report.findings}


def checked(encode, channel, snr_db=10.0, **options):
    """The report on an encoder and a channel ``(x, snr_db) -> y``."""
    return check_snr(lambda level: (encode, lambda x: channel(x, level)), snr_db, **{"k": K, "words": 2**15} | options)


def identity(u):
    return u


def paired(u):
    return torch.complex(u[:, ::2], u[:, 1::2]) / math.sqrt(2)


def noise(x, power):
    """Circular if complex: torch splits the unit variance of a complex normal between I and Q."""
    return torch.randn_like(x) * math.sqrt(power)


def awgn(x, snr_db):
    return x + noise(x, from_decibels(-snr_db))


def times(factor):
    return lambda x, snr_db: x + noise(x, factor * from_decibels(-snr_db))


def each_word(u):
    return u / u.square().mean(1, keepdim=True).sqrt()


def each_batch(u):
    return u / u.square().mean().sqrt()


def bpsk(bits):
    return 1 - 2 * bits


def adaptive(x, snr_db):
    return x + noise(x, float(x.abs().square().mean()) * from_decibels(-snr_db))


def adaptive_each_word(x, snr_db):
    return x + torch.randn_like(x) * (x.square().mean(1, keepdim=True) * from_decibels(-snr_db)).sqrt()


def deep_jscc(x, snr_db):
    """As Deep-JSCC-PyTorch has it: half the noise, of a power measured on each word."""
    return x + torch.randn_like(x) * (x.square().mean(1, keepdim=True) * from_decibels(-snr_db) / 2).sqrt()


def rayleigh(x, snr_db):
    return awgn(torch.randn(len(x), 2).square().mean(1, keepdim=True).sqrt() * x, snr_db)


def complex_rayleigh(x, snr_db):
    return awgn(torch.randn(len(x), 1, dtype=torch.complex64) * x, snr_db)


def in_phase_only(x, snr_db):
    return x + noise(x.real, from_decibels(-snr_db))


def normalising(x, snr_db):
    return awgn(x / x.square().mean().sqrt(), snr_db)


def split(x, snr_db):
    return torch.view_as_real(awgn(x, snr_db))


def complex_noise(x, snr_db):
    return x + noise(torch.complex(x, x), from_decibels(-snr_db))


def broken(x, snr_db):
    return awgn(x, snr_db) / 0 * 0


RIGHT = {
    "real": (identity, awgn, set()),
    "complex": (paired, awgn, set()),
    "flat words": (lambda u: u[:, 0], awgn, set()),
    "images": (lambda u: u.reshape(-1, 2, 2, 2), awgn, set()),
    "Rayleigh": (identity, rayleigh, {"fading"}),
    "complex Rayleigh": (paired, complex_rayleigh, {"fading"}),
    "rotation": (paired, lambda x, snr_db: awgn(1j * x, snr_db), set()),
    "sampling": (lambda u: 0.6 * u + 0.8 * torch.randn_like(u), awgn, {"random encoder"}),
}

# What is short, or has a gain of its own that must be measured, takes more words.
WORDS = {"flat words": 2**18, "Rayleigh": 2**17, "complex Rayleigh": 2**17, "rotation": 2**17}


class TestRightCode:
    @pytest.mark.parametrize("name", RIGHT)
    @pytest.mark.parametrize("snr_db", [5.0, 10.0, 40.0])
    def test_is_as_asked(self, name, snr_db):
        encode, channel, also = RIGHT[name]
        report = checked(encode, channel, snr_db, words=WORDS.get(name, 2**15))
        assert names(report) == {"as asked", *also}
        assert report.ok
        assert report.slope == pytest.approx(1, abs=0.05)

    @pytest.mark.parametrize("snr_db", [-20.0, 0.0])
    def test_is_as_asked_in_strong_noise(self, snr_db):
        assert names(checked(paired, awgn, snr_db)) == {"as asked"}

    def test_bits_of_constant_modulus_are_no_slip(self):
        report = checked(bpsk, awgn, source=Bits(K))
        assert names(report) == {"as asked", "constant modulus"}
        assert report.ok

    @pytest.mark.parametrize(
        ("factory", "also"),
        [
            (lambda level: Link(Gaussian(2), Linear(2), AWGN(from_decibels(-level))), set()),
            (lambda level: Link(Bits(3), Repetition(3, 3), AWGN(from_decibels(-level))), {"constant modulus"}),
            (lambda level: (Linear(2), AWGN(1.0).at(level)), set()),
            (lambda level: (Repetition(3, 3), AWGN(1.0).at(level)), {"constant modulus"}),
            (lambda level: (NeuralCodec(2, 3), AWGN(1.0).at(level)), set()),
        ],
    )
    def test_our_own_links_and_codecs_pass(self, factory, also):
        assert names(check_snr(factory, words=2**17)) == {"as asked", *also}

    def test_modules_are_put_into_evaluation(self):
        def factory(level):
            unit = UnitPower()
            unit.freeze(1.0)
            return nn.Sequential(unit, nn.Dropout(0.5)).train(), AWGN(1.0).at(level)

        assert names(check_snr(factory)) == {"as asked"}

    @pytest.mark.parametrize("seed", range(20))
    def test_false_alarms_are_rare(self, seed):
        assert names(checked(paired, awgn, seed=seed)) == {"as asked"}


SLIPS = {
    "N0/2 in each real use": (identity, times(0.5), {"3 dB real/complex slip"}, 13.01),
    "N0 in each of I and Q": (paired, times(2), {"3 dB real/complex slip"}, 6.99),
    "a quarter of the noise": (identity, times(0.25), {"6 dB slip"}, 16.02),
    "four times the noise": (identity, times(4), {"6 dB slip"}, 3.98),
    "any other factor": (identity, times(1.4), {"SNR off"}, 8.54),
    "power as deviation": (
        identity,
        lambda x, snr_db: x + torch.randn_like(x) * from_decibels(-snr_db),
        {"amplitude instead of power"},
        20,
    ),
    "power as deviation of I and Q": (
        paired,
        lambda x, snr_db: x + noise(x, 2 * from_decibels(-2 * snr_db)),
        {"amplitude instead of power"},
        16.99,
    ),
    "deviation as power": (
        identity,
        lambda x, snr_db: x + noise(x, 10 ** (-snr_db / 20)),
        {"amplitude instead of power"},
        5,
    ),
    "decibels as a ratio": (identity, lambda x, snr_db: x + noise(x, 1 / snr_db), {"decibels as a ratio"}, 10),
    "sign": (identity, lambda x, snr_db: x + noise(x, from_decibels(snr_db)), {"sign of the SNR"}, -10),
    "level ignored": (identity, lambda x, snr_db: awgn(x, 7.0), {"SNR ignored"}, 7),
    "level ignored, luckily": (identity, lambda x, snr_db: awgn(x, 10.0), {"SNR ignored"}, 10),
    "each word": (each_word, awgn, {"as asked", "per-codeword normalisation"}, 10),
    "each batch": (each_batch, awgn, {"as asked", "per-batch normalisation"}, 10),
    "over budget": (lambda u: 1.2 * u, awgn, {"over budget"}, 11.58),
    "twice the budget": (lambda u: math.sqrt(2) * u, awgn, {"over budget"}, 13.01),
    "over budget, complex": (lambda u: math.sqrt(2) * paired(u), awgn, {"over budget"}, 13.01),
    "under budget": (lambda u: 0.5 * u, awgn, {"under budget"}, 3.98),
    "3 dB and over budget": (lambda u: 1.2 * u, times(0.5), {"over budget", "3 dB real/complex slip"}, 14.59),
    "adaptive": (identity, adaptive, {"as asked", "noise measured on the signal"}, 10),
    "adaptive, complex": (paired, adaptive, {"as asked", "noise measured on the signal"}, 10),
    "adaptive, each word": (identity, adaptive_each_word, {"as asked", "noise measured on the signal"}, 10),
    "adaptive, over budget": (
        lambda u: 2 * u,
        adaptive,
        {"as asked", "noise measured on the signal", "over budget"},
        10,
    ),
    "Deep-JSCC-PyTorch": (
        each_word,
        deep_jscc,
        {"3 dB real/complex slip", "noise measured on the signal", "per-codeword normalisation"},
        13.01,
    ),
    "offset": (identity, lambda x, snr_db: awgn(x, snr_db) + 0.1, {"as asked", "offset"}, 10),
    "gain": (identity, lambda x, snr_db: awgn(2 * x, snr_db), {"gain"}, 16.02),
    "fading of twice the power": (
        identity,
        lambda x, snr_db: rayleigh(math.sqrt(2) * x, snr_db),
        {"fading", "gain"},
        13.01,
    ),
    "normalised in the channel": (identity, normalising, {"as asked", "normalised in the channel"}, 10),
    "in phase only": (paired, in_phase_only, {"as asked", "noise not circular"}, 10),
    "complex noise": (identity, complex_noise, {"3 dB real/complex slip", "complex noise"}, 13.01),
    "no noise": (identity, lambda x, snr_db: x, {"no noise"}, math.inf),
    "split": (paired, split, {"shape changed"}, math.nan),
    "real part": (paired, lambda x, snr_db: awgn(x, snr_db).real, {"shape changed"}, math.nan),
    "broken": (identity, broken, {"not finite"}, math.nan),
}


class TestSlips:
    @pytest.mark.parametrize("name", SLIPS)
    def test_are_named_and_no_other(self, name):
        encode, channel, expected, delivered = SLIPS[name]
        report = checked(encode, channel)
        assert names(report) == expected
        assert report.delivered_db.value == pytest.approx(delivered, abs=0.09, nan_ok=True)
        assert not report.ok
        assert any(line.startswith("SLIP: ") for line in report.lines())
        json.dumps(report.as_dict(), allow_nan=False)

    def test_every_harmless_name_occurs(self):
        found = set().union(*(also for *_, also in RIGHT.values()), *(case[2] for case in SLIPS.values()))
        assert found | {"constant modulus", "power per word"} >= HARMLESS

    def test_one_power_for_all_words_is_no_slip_where_words_are_images(self):
        def on_a_sphere(u):
            return u * (u.shape[1] ** 0.5 / u.norm(dim=1, keepdim=True))

        images = Images(pixels=np.random.default_rng(0).integers(0, 256, (500, 8, 8), dtype=np.uint8))
        for encode in (on_a_sphere, DeepJSCC((1, 8, 8), 32, "residual").eval()):
            report = check_snr(lambda snr_db, encode=encode: (encode, AWGN(1.0).at(snr_db)), source=images)
            assert names(report) == {"as asked", "power per word"}
            assert report.ok
        report = check_snr(lambda snr_db: (on_a_sphere, AWGN(1.0).at(snr_db)))
        assert names(report) == {"as asked", "per-codeword normalisation"}

    @pytest.mark.parametrize("snr_db", [-12.0, 3.01, 6.02, 20.0])
    def test_factors_and_wrong_laws_differ_where_one_level_could_not_tell(self, snr_db):
        assert names(checked(identity, times(2), snr_db)) == {"3 dB real/complex slip"}
        assert names(checked(identity, lambda x, level: awgn(x, level / 2), snr_db)) == {"amplitude instead of power"}

    def test_batch_statistics_are_seen_in_modules_that_hide_from_eval(self):
        norm = nn.BatchNorm1d(K, affine=False)
        assert "per-batch normalisation" in names(checked(lambda u: norm(u), awgn))

    def test_a_batch_normalised_for_random_encoders_is_seen(self):
        report = checked(lambda u: each_batch(u + torch.randn_like(u)), awgn)
        assert names(report) == {"as asked", "per-batch normalisation", "random encoder"}

    def test_levels_of_modulation_normalised_by_the_batch_are_seen(self):
        def pam(bits):
            return each_batch(2 * (2 * bits[:, ::2] + bits[:, 1::2]) - 3)

        assert names(checked(pam, awgn, source=Bits(K))) == {"as asked", "per-batch normalisation"}

    def test_the_budget_can_be_another(self):
        report = checked(lambda u: math.sqrt(2) * paired(u), lambda x, level: x + noise(x, 2 * 10 ** (-level / 10)))
        assert names(report) == {"as asked", "over budget"}
        assert "power=2" in report.lines()[-1]
        passed = checked(
            lambda u: math.sqrt(2) * paired(u), lambda x, level: x + noise(x, 2 * 10 ** (-level / 10)), power=2.0
        )
        assert names(passed) == {"as asked"}

    def test_a_jammer_is_no_noise_of_the_snr_asked(self):
        report = check_snr(lambda level: (Linear(2), Jammer(GaussianPolicy(), 1.0).at(level)))
        assert names(report) == {"SNR off"}

    def test_fading_of_mean_zero_with_path_loss_is_a_gain(self):
        channel = lambda x, snr_db: complex_rayleigh(0.1 * x, snr_db)  # noqa: E731
        assert names(checked(paired, channel, 40.0, words=2**17)) == {"fading", "gain"}

    def test_pilots_alone_are_measured_too(self):
        assert names(checked(torch.ones_like, awgn)) == {"as asked", "constant modulus"}

    def test_channels_that_fail_on_faint_signals_are_measured_at_full_strength(self):
        def fussy(x, snr_db):
            return awgn(x, snr_db) if float(x.abs().max()) > 1 else x / 0

        assert names(checked(identity, fussy)) == {"as asked"}

    def test_modules_slip_too(self):
        class Halved(nn.Module):
            def __init__(self, level):
                super().__init__()
                self.noise_power = from_decibels(-level) / 2

            def forward(self, x):
                return x + noise(x, self.noise_power)

        assert names(check_snr(lambda level: (nn.Identity(), Halved(level)))) == {"3 dB real/complex slip"}

    def test_links_slip_too(self):
        report = check_snr(lambda level: Link(Gaussian(2), Linear(2), AWGN(from_decibels(-level) * 2)))
        assert names(report) == {"3 dB real/complex slip"}


class TestNumpyCode:
    def test_is_as_asked(self):
        assert names(check_snr(self.factory(1.0))) == {"as asked"}

    def test_slips_by_commpys_convention(self):
        report = check_snr(self.factory(0.5))
        assert names(report) == {"3 dB real/complex slip"}
        assert report.delivered_db.value == pytest.approx(13.01, abs=0.09)

    def factory(self, factor):
        def made(level):
            generator = np.random.default_rng(0)

            def channel(x):
                power = factor * 10 ** (-level / 10)
                return x + np.sqrt(power) * generator.standard_normal(x.shape).astype(x.dtype, copy=False)

            return lambda u: u.astype(np.float64), channel

        return made

    def test_complex_arrays(self):
        generator = np.random.default_rng(0)

        def factory(level):
            def channel(x):
                z = generator.standard_normal((*x.shape, 2)).view(complex)[..., 0]
                return np.asarray(x) + z * 10 ** (-level / 20)

            return lambda u: (u.astype(float)[:, ::2] + 1j * u.astype(float)[:, 1::2]) / np.sqrt(2), channel

        report = check_snr(factory)
        assert report.is_complex
        assert names(report) == {"3 dB real/complex slip"}


class TestTheReport:
    def test_counts_complex_symbols_as_two_uses(self):
        report = checked(paired, awgn)
        said = report.as_dict()
        assert (report.n, report.k, report.bandwidth_ratio) == (K // 2, K, 1.0)
        assert said["symbols_per_source_symbol"] == 0.5
        assert said["power_per_use"]["value"] == pytest.approx(0.5, abs=0.005)
        assert said["noise_power_per_use"]["value"] == pytest.approx(0.05, abs=0.0005)
        assert "1 in real uses, 0.5 in complex ones" in report.lines()[1]

    def test_repeats_and_leaves_the_generator_alone(self):
        torch.manual_seed(1)
        state = torch.get_rng_state()
        first, second, other = (checked(identity, awgn, seed=seed) for seed in (0, 0, 1))
        assert torch.equal(state, torch.get_rng_state())
        assert first == second
        assert first.delivered_db != other.delivered_db

    @pytest.mark.parametrize("channel", [awgn, rayleigh, adaptive_each_word])
    def test_intervals_cover(self, channel):
        """40 intervals of 95 %: fewer than 32 cover with probability 2e-4 (binomial)."""
        reports = [checked(identity, channel, words=2**11, seed=seed) for seed in range(40)]
        assert sum(report.delivered_db.low <= 10 <= report.delivered_db.high for report in reports) >= 32

    @pytest.mark.parametrize(("channel", "snr_db", "words"), [(awgn, 10.0, 100), (rayleigh, 0.0, 2**15)])
    def test_says_how_many_words_are_enough_where_they_are_too_few(self, channel, snr_db, words):
        report = checked(identity, channel, snr_db, words=words)
        assert "too few words" in names(report)
        assert not report.ok
        needed = int(report.findings[0].message.split("words=")[1].split()[0])
        assert "as asked" in names(checked(identity, channel, snr_db, words=needed))


def failing(level):
    raise FileNotFoundError("no weights\nfor this level")


ERRORS = [
    (failing, ValueError, r"factory\(10\) failed: FileNotFoundError: no weights for this level"),
    (lambda level: 3, TypeError, "must return .encode, channel. or a Link, got int"),
    (lambda level: (1, 2, 3), TypeError, "got tuple of 3"),
    (lambda level: (identity, 0.1), TypeError, "channel must be callable, got float from the factory"),
    (lambda level: (lambda u: u / 0, identity), ValueError, "encode gave NaN or infinite"),
    (lambda level: (lambda u: 0 * u, identity), ValueError, "encode sends zeros only"),
    (lambda level: (lambda u: u.mean(), identity), ValueError, r"to \(words, ...\), but it gave \(\)"),
    (lambda level: (lambda u: (u, u), identity), TypeError, "encode must return one tensor or array, got tuple of 2"),
    (lambda level: (nn.Linear(3, 2), identity), ValueError, r"encode failed on words of shape \(2, 16\): RuntimeError"),
    (lambda level: (lambda u: u.nothing(), identity), ValueError, "as a tensor: AttributeError.*; as an array"),
    (lambda level: (Repetition(), BSC(0.1)), ValueError, "BSC has no SNR, its level is flip"),
    (
        lambda level: (identity, (lambda x: x / 0) if level < 10 else identity),
        ValueError,
        "at snr_db = 7, but not at 10",
    ),
]


class TestErrors:
    @pytest.mark.parametrize(("factory", "kind", "said"), ERRORS)
    def test_are_one_clear_line(self, factory, kind, said):
        with pytest.raises(kind, match=said) as raised:
            check_snr(factory)
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"snr_db": math.nan}, "snr_db must lie within ±100, got nan"),
            ({"snr_db": MOST_ASKED + 1}, "snr_db must lie within"),
            ({"words": 99}, "words must be at least 100, got 99"),
            ({"power": 0.0}, "power must be positive and finite, got 0.0"),
            ({"k": 3, "source": Gaussian(2)}, "k must be 2, the word length of the codec or source, got 3"),
            ({"k": 0}, "k must be at least 1, got 0"),
        ],
    )
    def test_arguments_are_checked(self, options, said):
        with pytest.raises(ValueError, match=said):
            check_snr(lambda level: (identity, identity), **options)
