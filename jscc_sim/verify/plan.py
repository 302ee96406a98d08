"""The plan of a verification: what is measured, how long, and how near to its exact value it must come."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    Channel,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    Policy,
    PulsedPolicy,
    Rayleigh,
    Rician,
    SharedRotation,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TwoPointPolicy,
    UniformPolicy,
    from_decibels,
)
from jscc_sim.codecs import BCH_15_7, HAMMING_7_4, KLT, BlockCode, Codec, Linear, Repetition
from jscc_sim.link import Link
from jscc_sim.metrics import BER, BLER, MSE, SINGLE_BIT_BER, Metric
from jscc_sim.sources import Bits, Gaussian, Images, Laplace, Source, Spectral, Uniform, exponential_covariance
from jscc_sim.theory import bandwidth, coding, fading, informed, linear_code, saddle, worst_noise
from jscc_sim.verify.probes import Loud, offset, power, with_next, with_signal

# Margins of equivalence, relative to the exact value (for offsets, to the standard deviation of the disturbance).
MEAN_MARGIN, ERROR_MARGIN = 0.005, 0.02
# The quick plan has a ninth of the words, and says less: three times the margins.
QUICK_WORDS, QUICK_MARGIN = 9, 3
CALIBRATION_INTERVALS, CALIBRATION_BLOCKS, CALIBRATION_WORDS = 200, 30, 64
SEED = 20261124


Exact = float | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """A link, the metrics measured on it for ``words`` words, and for each its exact mean and margin.

    Words are planned so that a standard error is at most a sixth of its margin: then a right instrument fails a point
    about once in 70,000.
    """

    name: str
    link: Link
    words: int
    points: tuple[tuple[Metric, float, float], ...]

    def quick(self) -> "Trial":
        """The same with fewer words and wider margins."""
        points = tuple((metric, exact, QUICK_MARGIN * margin) for metric, exact, margin in self.points)
        return replace(self, words=-(-self.words // QUICK_WORDS), points=points)


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that decides a verification, frozen before it runs."""

    trials: tuple[Trial, ...]
    seed: int = SEED
    calibration: bool = True

    @cached_property
    def digest(self) -> str:
        """A hash of every point: links, words, exact values, margins and the seed."""
        points = [
            [trial.name, repr(trial.link), trial.words, metric.name, f"{exact:.10g}", f"{margin:.10g}"]
            for trial in self.trials
            for metric, exact, margin in trial.points
        ]
        described = json.dumps([points, self.seed, self.calibration])
        return hashlib.blake2b(described.encode(), digest_size=12).hexdigest()

    def only(self, *names: str, calibration: bool = False) -> "Plan":
        """The trials whose names begin with one of ``names``."""
        for name in names:
            if not any(trial.name.startswith(name) for trial in self.trials):
                raise ValueError(f"no trial begins with {name!r}")
        chosen = tuple(trial for trial in self.trials if trial.name.startswith(names))
        return replace(self, trials=chosen, calibration=calibration)


def make_plan(*, quick: bool = False, seed: int = SEED) -> Plan:
    """The plan of Claim A: every identity between a channel, a codec and its exact curve.

    Exact values come from the plan's own numbers, never from the objects under test, which a fault might move along.
    """
    groups = (
        _natural(),
        _jammers(),
        _shapes(),
        _aware(),
        _spectra(),
        _moments(),
        _faded(),
        _bits(),
        _binary(),
        _codes(),
    )
    trials = [trial.quick() if quick else trial for group in (*groups, _adversaries()) for trial in group]
    return Plan(tuple(trials), seed)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))


def _mse(name: str, link: Link, exact: Exact, words: int = 4_000_000) -> Trial:
    return Trial(name, link.eval(), words, ((MSE, float(exact), MEAN_MARGIN * float(exact)),))


def _linear(channel: Channel, k: int = 1, n: int | None = None, source: Source | None = None) -> Link:
    return Link(source or Gaussian(k), Linear(k, n), channel)


def _jammed(policy: Policy, snr_db: float, sjr_db: float = 0.0) -> Jammer:
    return Jammer(policy, 1.0, from_decibels(-sjr_db)).at(snr_db)


def _natural() -> list[Trial]:
    """A white Gaussian source in Gaussian noise."""
    plain = [
        _mse(f"gaussian awgn {snr_db} dB", _linear(AWGN(1.0).at(snr_db)), 1 / (1 + _ratio(snr_db)))
        for snr_db in (-10, 0, 10, 20)
    ]
    loud = Link(Gaussian(), Loud(), AWGN(1.0).at(10))
    return [*plain, _mse("frozen power in blocks of 64", loud, 1 / (1 + _ratio(10)), 3_000_000)]


def _jammers() -> list[Trial]:
    """Against the Gaussian jammer, at several powers and bandwidth ratios."""
    trials = []
    for snr_db, sjr_db in ((0, 0), (10, 0), (20, 0), (10, 6), (10, -6)):
        exact = saddle.scalar_payoff(1, 1, _ratio(-sjr_db), _ratio(-snr_db))
        link = _linear(_jammed(GaussianPolicy(), snr_db, sjr_db))
        trials.append(_mse(f"gaussian jammer {snr_db} dB, SJR {sjr_db} dB", link, exact))
    for k, n in ((1, 2), (2, 1), (3, 4)):
        exact = bandwidth.shared_subspace_payoff(k, n, 1, 1, _ratio(-10))
        trials.append(_mse(f"gaussian jammer k={k}, n={n}", _linear(_jammed(GaussianPolicy(), 10), k, n), exact))
    return trials


def _shapes() -> list[Trial]:
    """Jammers and sources of other laws: second moments alone decide a linear codec."""
    exact = saddle.scalar_payoff(1, 1, 1, _ratio(-10))
    sources = [
        _mse(f"{source} source", _linear(_jammed(GaussianPolicy(), 10), source=source), exact)
        for source in (Laplace(), Uniform())
    ]
    pulsed = _mse("PulsedPolicy(duty=0.1) jammer", _linear(_jammed(PulsedPolicy(0.1), 10)), exact, 20_000_000)
    return [
        *(
            _mse(f"{policy} jammer", _linear(_jammed(policy, 10)), exact)
            for policy in (TwoPointPolicy(), UniformPolicy(), LaplacePolicy())
        ),
        pulsed,
        *sources,
    ]


def _aware() -> list[Trial]:
    """Jammers that tap the line or know the source, and what a shared secret is worth."""
    jam, noise = _ratio(-6), _ratio(-10)
    tapped, saddle_value = informed.tap_payoff(1, 1, jam, noise), saddle.scalar_payoff(1, 1, 1, noise)
    noisy = informed.tap_payoff(1, 1, jam, noise, 3.0)
    knows = _jammed(SourceAwarePolicy(), 10)
    rotated = _linear(SharedRotation(_jammed(GaussianPolicy(), 10)), 3)
    return [
        _mse("tap", _linear(_jammed(TapPolicy(), 10, 6)), tapped),
        _mse("tap behind a shared sign", _linear(SharedSign(_jammed(TapPolicy(), 10, 6))), tapped),
        _mse("noisy tap", _linear(_jammed(TapPolicy(3.0), 10, 6)), noisy),
        _mse("source-aware", _linear(knows), informed.exposed_payoff(1, 1, noise)),
        _mse("source-aware behind a shared sign", _linear(SharedSign(knows)), saddle_value, 8_000_000),
        _mse("shared rotation", rotated, saddle_value, 2_000_000),
        _mse("source-aware behind a rotation", _linear(SharedRotation(knows), 3), saddle_value, 3_000_000),
        _tap_moments(),
    ]


def _tap_moments() -> Trial:
    """How much of the signal the tap takes away; the payoff is stationary there and would not tell."""
    cut = float(informed.tap_gain(1, _ratio(-6), _ratio(-10)))
    link = _linear(_jammed(TapPolicy(), 10, 6)).eval()
    return Trial("moments of tap", link, 8_000_000, ((with_signal(), -cut, MEAN_MARGIN * cut),))


def _spectra() -> list[Trial]:
    """The KLT codec on a coloured Gaussian source and on real images."""
    markov, images = Gaussian(covariance=exponential_covariance(8, 0.9)), Images()
    return [
        _klt("coloured gaussian", markov, 8, 1_500_000),
        _klt("images through KLT, n=100", images, 100, 200_000),
    ]


def _klt(name: str, source: Spectral, n: int, words: int) -> Trial:
    noise, variances = _ratio(-5), source.karhunen_loeve[0]
    sent = saddle.coloured_payoff(variances[:n], [noise] * n, float(n), float(n))
    link = Link(source, KLT(source, 1 + noise, n), _jammed(GaussianPolicy(), 5))
    return _mse(name, link, (sent + float(variances[n:].sum())) / source.k, words)


def _moments() -> list[Trial]:
    """What a channel adds, use by use: an offset within the budget leaves every payoff as it is."""
    return [
        _added("awgn", AWGN(1.0).at(3), _ratio(-3)),
        _added("jammer", _jammed(GaussianPolicy(), 10), 1 + _ratio(-10)),
        _added("two-point jammer", _jammed(TwoPointPolicy(), 10), 1 + _ratio(-10)),
        _added("laplace jammer", _jammed(LaplacePolicy(), 10), 1 + _ratio(-10), 9_000_000),
        _added("uniform jammer", _jammed(UniformPolicy(), 10), 1 + _ratio(-10)),
    ]


def _added(name: str, channel: Channel, exact: float, words: int = 4_000_000) -> Trial:
    offsets = tuple((offset(use), 0.0, MEAN_MARGIN * exact**0.5) for use in (0, 1))
    powers = tuple((power(use), exact, MEAN_MARGIN * exact) for use in (0, 1))
    apart = ((with_next(), 0.0, MEAN_MARGIN * exact),)
    return Trial(f"moments of {name}", _linear(channel, 2).eval(), words, offsets + powers + apart)


def _faded() -> list[Trial]:
    """Block fading, with the gain known and not."""
    snr = _ratio(10)
    rayleigh, rician, blind = Rayleigh(1.0).at(10), Rician(1.0, 4.0).at(10), Rayleigh(1.0, csi=False).at(10)
    return [
        _mse("rayleigh", _linear(rayleigh), fading.rayleigh_mse(snr), 12_000_000),
        _mse("rayleigh without csi", _linear(blind), fading.blind_linear_mse(snr), 8_000_000),
        _mse("rician", _linear(rician), fading.rician_mse(snr, 4), 8_000_000),
        _ber("rayleigh bpsk", rayleigh, fading.rayleigh_bpsk_error(snr)),
        _ber("rician bpsk", rician, fading.rician_bpsk_error(snr, 4)),
    ]


def _ber(name: str, channel: Channel, exact: Exact, times: int = 1) -> Trial:
    """Single bits, as many as give about 100,000 errors."""
    link = Link(Bits(), Repetition(1, times), channel).eval()
    return Trial(name, link, int(100_000 / exact), ((SINGLE_BIT_BER, float(exact), ERROR_MARGIN * float(exact)),))


def _bits() -> list[Trial]:
    """Bits as ±1 in noise."""
    powers = (1, 1, _ratio(-10))
    plain = [
        _ber(f"bpsk awgn {snr_db} dB", AWGN(1.0).at(snr_db), coding.bpsk_error(_ratio(snr_db))) for snr_db in (0, 4, 8)
    ]
    return [
        *plain,
        _ber("bpsk jammer", _jammed(GaussianPolicy(), 10), coding.bpsk_error(1 / (1 + _ratio(-10)))),
        _ber("bpsk pulsed jammer", _jammed(PulsedPolicy(0.1), 10), worst_noise.pulsed_error(*powers, 0.1)),
        _ber("bpsk two-point jammer", _jammed(TwoPointPolicy(), 10), worst_noise.two_point_error(*powers)),
        _ber("repetition-3 awgn", AWGN(1.0).at(0), coding.bpsk_error(3), 3),
        _ber("bsc >> awgn", BSC(0.1) >> AWGN(1.0).at(0), 0.1 + 0.8 * coding.bpsk_error(1.0)),
    ]


def _binary() -> list[Trial]:
    """Flips and erasures; only repetition tells an erasure from a random bit."""
    return [
        *(_ber(f"bsc {flip}", BSC(0.0).at(flip), flip) for flip in (0.3, 0.1, 1e-3)),
        _ber("repetition-5 bsc", BSC(0.0).at(0.1), coding.repetition_error(5, flip=0.1), 5),
        _ber("bec 0.1", BEC(0.0).at(0.1), 0.05),
        _ber("repetition-3 bec", BEC(0.0).at(0.3), coding.repetition_error(3, erase=0.3), 3),
        _ber("bsc >> bec", BSC(0.1) >> BEC(0.2), 0.8 * 0.1 + 0.1),
    ]


def _block(name: str, codec: Codec, channel: Channel, exact: float, words: int = 0) -> Trial:
    """Words, as many as give about 100,000 errors; where there can be none, as many as are said."""
    link = Link(Bits(codec.k), codec, channel).eval()
    return Trial(name, link, words or int(100_000 / exact), ((BLER, exact, ERROR_MARGIN * exact),))


def _codes() -> list[Trial]:
    """Maximum likelihood on small codes."""
    hamming, bch = linear_code.linear_codewords(HAMMING_7_4), linear_code.linear_codewords(BCH_15_7)
    flipped = linear_code.code_error(hamming, flip=0.1), linear_code.code_error(bch, flip=0.1)
    erased = linear_code.code_error(bch, erase=0.5)
    return [
        _block("hamming bsc", BlockCode(HAMMING_7_4), BSC(0.0).at(0.1), flipped[0].word),
        _block("bch bsc", BlockCode(BCH_15_7), BSC(0.0).at(0.1), flipped[1].word),
        _block("bch bec", BlockCode(BCH_15_7), BEC(0.0).at(0.5), erased.word),
    ]


def _adversaries() -> list[Trial]:
    """Budgets of flips and erasures behind nature."""
    uncoded = coding.uncoded_error(20, flip=0.1, flips=2)
    spent = Link(Bits(20), Repetition(20, 1), BitFlip(BSC(0.0), 2).at(0.1)).eval()
    one, blind = BitFlip(BEC(0.0), 1).at(0.2), BitFlip(BEC(0.0), 1, informed=False).at(0.2)
    searched = BitFlip(BEC(0.0), 1, attack="exhaustive").at(0.2)
    within = BitFlip(BEC(0.0), 1, erasures=2, attack="exhaustive")
    bch = linear_code.linear_codewords(BCH_15_7)
    return [
        Trial("uncoded, 2 of 20 flipped", spent, 400_000, ((BER, uncoded, ERROR_MARGIN * uncoded),)),
        _ber("repetition-3, a flip informed", one, _tripled(informed=True), 3),
        _ber("repetition-3, a flip blind", blind, _tripled(informed=False), 3),
        _block(
            "bch, a flip informed", BlockCode(BCH_15_7), searched, linear_code.code_error(bch, erase=0.2, flips=1).word
        ),
        _block("bch, 2t + e < d", BlockCode(BCH_15_7), within, 0.0, 300),
    ]


def _tripled(*, informed: bool) -> float:
    return coding.repetition_error(3, erase=0.2, flips=1, informed=informed)
