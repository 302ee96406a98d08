"""The verdict on the SNR: as asked, not known well enough, or a slip, recognised by what it delivers at two levels."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from channels import decibels, from_decibels
from jscc_sim.snr_check.measure import INTERVAL, SIGNIFICANT, Sent
from jscc_sim.snr_check.report import Finding

Levels = tuple[float, float]
# The dB by which a delivered SNR may miss what was asked, and by which it may miss the mark of a known slip.
CLOSE, NEAR = 0.1, 0.15
# So narrow must half an interval be, in dB, for right code to come out within CLOSE with the certainty of SIGNIFICANT.
DECISIVE = CLOSE * INTERVAL / SIGNIFICANT


class Slip(NamedTuple):
    """A mistake, its cause and remedy (``{ratio}`` being the SNR asked), and what it ``delivers`` for the dB asked."""

    name: str
    cause: str
    delivers: Callable[[float], float]


def _line(factor: float, offset: float = 0.0) -> Callable[[float], float]:
    return lambda asked: factor * asked + offset


SLIPS = (
    Slip(
        "3 dB real/complex slip",
        "half the noise is missing: N0/2, the share of one real dimension of complex noise, was added where SNR = P/N "
        "per real use asks for N. Use the noise power P·10^(−snr_db/10) per real use, or quote the SNR 3 dB higher",
        _line(1, 3.01),
    ),
    Slip(
        "3 dB real/complex slip",
        "the noise is doubled: the whole variance of a complex symbol was added to each real dimension. Give I and Q "
        "half of it each, or quote the SNR 3 dB lower",
        _line(1, -3.01),
    ),
    *(
        Slip(
            "6 dB slip",
            f"the noise has {wrong}, or the 3 dB slip made twice. Use the standard deviation √(P·10^(−snr_db/10)) per "
            "real use",
            _line(1, offset),
        )
        for offset, wrong in (
            (6.02, "a quarter of its power: half its amplitude"),
            (-6.02, "four times its power: twice its amplitude"),
        )
    ),
    *(
        Slip(
            "amplitude instead of power",
            f"10^(−snr_db{mistaken}{as_well}; the noise power is P·10^(−snr_db/10), its standard deviation the square "
            "root of that: 10^(−snr_db/20)",
            _line(factor, offset),
        )
        for offset, as_well in ((0.0, ""), (-3.01, ", for I and Q each"), (3.01, ", and half of it was added"))
        for factor, mistaken in ((2, "/10) was used as a standard deviation"), (0.5, "/20) was used as a noise power"))
    ),
    Slip("sign of the SNR", "more dB must mean less noise; use 10^(−snr_db/10)", _line(-1)),
    Slip(
        "decibels as a ratio",
        "dB were used as a ratio; convert: SNR = {ratio:.4g}",
        lambda asked: decibels(asked) if asked > 0 else math.inf,
    ),
)


def of_snr(asked: Levels, sent: tuple[Sent, Sent], budget: float, explained: set[str]) -> Iterator[Finding]:
    """At most one; none where a gain or a budget missed, among the names ``explained``, is all that is wrong."""
    first, second = (level.db for level in sent)
    half = max(first.high - first.low, second.high - second.low) / 2
    readings = [] if any(level.silent for level in sent) else _readings(sent, budget, explained)
    if not readings:
        yield Finding("no noise", "the channel adds no noise: check that it is switched on in evaluation")
    elif not half <= DECISIVE:
        words = _more(len(sent[0].x), half)
        yield Finding("too few words", f"the SNR is known to ±{half:.2g} dB only; pass words={words} or more")
    elif _misses(readings[0], asked) <= CLOSE:
        yield Finding("as asked", f"{first.value:.2f} dB delivered of {asked[0]:g} dB asked")
    elif not any(_misses(reading, asked) <= CLOSE for reading in readings):
        yield _slip(asked, readings)


def _more(words: int, half: float) -> int:
    """A round number of words that would make the interval narrow enough; 10^9 where it is hopeless."""
    if not math.isfinite(half):
        return 10**9
    return math.ceil(words * (1.2 * half / DECISIVE) ** 2 / 1000) * 1000


def _readings(sent: tuple[Sent, Sent], budget: float, explained: set[str]) -> list[Levels]:
    """The SNR at both levels: as it is, then without the gain, the missed budget or both, where they were found."""
    here, beside = sent
    gains = sorted({False, "gain" in explained})
    budgets = sorted({False, not explained.isdisjoint({"over budget", "under budget"})})
    return [
        (here.db.value - _extra(here, gain, power, budget), beside.db.value - _extra(beside, gain, power, budget))
        for gain in gains
        for power in budgets
    ]


def _extra(sent: Sent, gain: bool, power: bool, budget: float) -> float:
    """The dB that the channel's gain and the power beyond the budget bring."""
    by_gain = decibels(max(sent.power_gain, 1e-30)) if gain else 0.0
    return by_gain + (decibels(float(sent.power.mean()) / budget) if power else 0.0)


def _misses(reading: Levels, wanted: Levels) -> float:
    """By how many dB a reading at two levels is wrong at the worse of them."""
    return max(abs(got - want) for got, want in zip(reading, wanted, strict=True))


def _slip(asked: Levels, readings: list[Levels]) -> Finding:
    """The slip that explains one of the readings at both levels, or that none is known."""
    first, second = readings[0]
    delivered = f"delivers {first:.2f} dB for {asked[0]:g} dB asked: "
    for reading in readings:
        for known in SLIPS:
            if _misses(reading, (known.delivers(asked[0]), known.delivers(asked[1]))) <= NEAR:
                return Finding(known.name, delivered + known.cause.format(ratio=from_decibels(asked[0])))
    if abs(first - second) < NEAR:
        return Finding("SNR ignored", delivered + "the noise is the same at every level; use the snr_db that is passed")
    return Finding(
        "SNR off",
        f"{delivered}and {second:.2f} dB for {asked[1]:g} dB, which no known slip explains; the noise power "
        "per real use should be P·10^(−snr_db/10)",
    )
