"""The check: words go through a user's code at two levels, and what is found becomes a report."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from channels.power import checked_power
from jscc_sim.snr_check.findings import of_channel, of_encoder, of_power
from jscc_sim.snr_check.measure import Sent, flat, measured, powers, send
from jscc_sim.snr_check.report import Finding, SnrReport
from jscc_sim.snr_check.slips import Levels, of_snr
from jscc_sim.snr_check.user_code import Kind, UserCode, code_from
from jscc_sim.sources import Source

MOST_ASKED = 100.0  # dB: beyond this, float32 rounds the noise away
# A second level, so many dB nearer to 0, tells a factor (always 3 dB off) from a wrong law (10 where 20 belongs).
STEP = 3.0
FEWEST_WORDS, FEWEST_SYMBOLS, FEWEST_DEFAULT = 100, 2**20, 2**10


def check_snr(
    factory: Callable[[float], object],
    snr_db: float = 10.0,
    k: int | None = None,
    words: int | None = None,
    seed: int = 0,
    *,
    power: float = 1.0,
    source: Source | Kind | None = None,
) -> SnrReport:
    """Measure what ``factory(snr_db)`` delivers, at ``snr_db`` and at a level 3 dB nearer to 0.

    The factory returns a pair ``(encode, channel)`` of callables on torch tensors or numpy arrays (functions, modules,
    or a `Codec` and a `Channel`), or a `Link`. ``encode`` maps ``u (words, k)`` to ``x (words, ...)``, real or complex;
    ``channel`` keeps the shape. The words come from ``source`` (a `Source`, or a kind of source, as `Bits`, for the
    word length of the code), else the link's, else bits for a codec of bits, else ``N(0, I_k)`` with k = 16; as many as
    give 2^20 symbols. ``power`` is the budget per symbol as given.
    ValueError or TypeError where nothing can be measured. Code that draws from numpy's generator seeds itself.

    >>> from channels import AWGN
    >>> from jscc_sim.codecs import Linear
    >>> [finding.name for finding in check_snr(lambda snr_db: (Linear(4), AWGN(1.0).at(snr_db - 3.01))).findings]
    ['3 dB real/complex slip']
    """
    _check_arguments(snr_db, words, power)
    with torch.random.fork_rng(), torch.no_grad(), np.errstate(all="ignore"):
        torch.manual_seed(seed)
        make = partial(code_from, factory, k=k, source=source)
        code = make(snr_db)
        u = code.source.draw(words or _enough_words(code))
        x = code.symbols(u)
        report = SnrReport(
            snr_db=float(snr_db),
            k=code.source.k,
            n=flat(x).shape[1],
            is_complex=x.is_complex(),
            words=len(x),
            seed=seed,
            budget=power,
            power=measured(powers(flat(x))),
            findings=tuple(of_encoder(code, u, flat(x))),
        )
        here = send(code, x)
        if isinstance(here, Finding):
            return replace(report, findings=(here, *report.findings))
        asked = (snr_db, snr_db - STEP if snr_db > 0 else snr_db + STEP)
        return _completed(report, asked, (here, _sent_beside(make, asked, u)))


def _check_arguments(snr_db: float, words: int | None, power: float) -> None:
    if not abs(snr_db) <= MOST_ASKED:
        raise ValueError(f"snr_db must lie within ±{MOST_ASKED:g}, got {snr_db}")
    if words is not None and not words >= FEWEST_WORDS:
        raise ValueError(f"words must be at least {FEWEST_WORDS}, got {words}")
    checked_power("power", power)


def _enough_words(code: UserCode) -> int:
    n = flat(code.encoded(code.source.draw(2))).shape[1]
    return max(FEWEST_DEFAULT, math.ceil(FEWEST_SYMBOLS / n))


def _sent_beside(make: Callable[[float], UserCode], asked: Levels, u: Tensor) -> Sent:
    """The same words at the second level; ValueError where only the first can be measured."""
    code = make(asked[1])
    sent = send(code, code.symbols(u))
    if isinstance(sent, Finding):
        raise ValueError(f"at snr_db = {asked[1]:g}, but not at {asked[0]:g}, {sent.message}")
    return sent


def _completed(report: SnrReport, asked: Levels, sent: tuple[Sent, Sent]) -> SnrReport:
    """With what the channel did at both levels."""
    here, beside = sent
    others = [*report.findings, *of_channel(here), *of_power(here, report.budget)]
    return replace(
        report,
        noise_power=measured(here.alone.power),
        delivered_db=here.db,
        power_gain=here.power_gain,
        slope=(here.db.value - beside.db.value) / (asked[0] - asked[1]),
        findings=(*of_snr(asked, sent, report.budget, {finding.name for finding in others}), *others),
    )
