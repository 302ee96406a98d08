"""Exact error rates of uncoded and repeated bits, against nature and against a budgeted adversary."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

from jscc_sim.theory.linear_code import CodeError as CodeError
from jscc_sim.theory.linear_code import code_error as code_error
from jscc_sim.theory.linear_code import linear_codewords as linear_codewords
from jscc_sim.theory.parameters import count, probability, ratio


def bpsk_error(snr: ArrayLike) -> NDArray[np.float64]:
    """``Q(√SNR)``, the error rate of an antipodal symbol in Gaussian noise, with ``SNR = P/N`` per real use.

    With ``Eb/N0 = SNR/2`` for uncoded bits this is the textbook ``Q(√(2 Eb/N0))`` (Proakis). A bit repeated ``n`` times
    and combined softly has n times the SNR.

    >>> round(float(bpsk_error(2 * 10**0.4)), 7)
    0.0125008
    """
    return np.asarray(ndtr(-np.sqrt(ratio("snr", snr))))


def required_ebn0(error: ArrayLike) -> NDArray[np.float64]:
    """``Q⁻¹(p)²/2``: the Eb/N0 (a ratio) at which uncoded BPSK errs with probability p ≤ ½, as `bpsk_error` does.

    >>> round(float(10 * np.log10(required_ebn0(1e-6))), 4)
    10.5298
    """
    return np.asarray(np.minimum(ndtri(probability("error", error)), 0.0) ** 2 / 2)


def repetition_error(
    times: int, *, flip: float = 0.0, erase: float = 0.0, flips: int = 0, informed: bool = True
) -> float:
    """The bit error rate of majority decoding with fair ties, one bit sent ``times`` times.

    Nature errs each symbol with probability ``flip`` or erases it with probability ``erase``; then an adversary flips
    up to ``flips`` unerased symbols. If ``informed`` it sees what nature did and flips correct symbols only; otherwise
    it fixes ``flips`` positions beforehand (optimal for ``flip ≤ ½``). By enumeration.

    >>> round(repetition_error(3, flip=0.1), 6), round(repetition_error(3, erase=0.1, flips=1), 6)
    (0.028, 0.149)
    """
    times, flips = _checked(times, flip, erase, flips)
    aimed = 0 if informed else min(flips, times)
    error = 0.0
    for right, wrong, chance in _outcomes(times - aimed, flip, erase):
        for hit_right, hit_wrong, hit_chance in _outcomes(aimed, flip, erase):
            turned = min(flips, right) if informed else 0
            lead = (right - turned + hit_wrong) - (wrong + turned + hit_right)
            error += chance * hit_chance * (float(lead < 0) + 0.5 * float(lead == 0))
    return error


def repetition_budget_error(times: int, fraction: float) -> float:
    """The error of majority decoding against an omniscient adversary of ``⌊p n⌋`` flips: a step, ½ at an exact tie.

    >>> repetition_budget_error(5, 0.5), repetition_budget_error(5, 0.6)
    (0.0, 1.0)
    """
    probability("fraction", fraction)
    return repetition_error(times, flips=int(fraction * times + 1e-9))  # 0.29 · 100 means 29


def _checked(symbols: int, flip: float, erase: float, flips: int) -> tuple[int, int]:
    """Symbols and flips as whole numbers, once nature's law is a law."""
    if probability("flip", flip) + probability("erase", erase) > 1:
        raise ValueError(f"flip and erase must not exceed 1 together, got {flip} and {erase}")
    return int(count("k or times", symbols)), int(count("flips", flips, 0))


def _outcomes(symbols: int, flip: float, erase: float) -> list[tuple[int, int, float]]:
    """Every (correct, wrong) count of ``symbols`` symbols with its probability; the rest are erased."""
    law = stats.multinomial(symbols, [max(1 - flip - erase, 0.0), flip, erase])
    return [
        (right, wrong, float(law.pmf([right, wrong, symbols - right - wrong])))
        for right in range(symbols + 1)
        for wrong in range(symbols + 1 - right)
    ]


def uncoded_error(k: int, *, flip: float = 0.0, erase: float = 0.0, flips: int = 0, informed: bool = True) -> float:
    """The bit error rate of a word of ``k`` uncoded bits under nature and an adversary as in `repetition_error`.

    Every flip that lands costs exactly one bit, so the value is the same for any adversary that spends its budget.

    >>> round(uncoded_error(20, flips=1), 6), round(uncoded_error(1, erase=0.1, flips=1, informed=False), 6)
    (0.05, 0.95)
    """
    k, flips = _checked(k, flip, erase, flips)
    budget = min(flips, k)
    if informed:
        right = np.arange(k + 1)
        landed = float(stats.binom(k, max(1 - flip - erase, 0.0)).pmf(right) @ np.minimum(right, budget))
    else:
        landed = budget * (1 - 2 * flip - erase)
    return flip + erase / 2 + landed / k


def block_error(bit_error: float, k: int) -> float:
    """``1 − (1 − p)^k``: the error rate of words of ``k`` bits that err independently.

    >>> round(block_error(0.1, 2), 6)
    0.19
    """
    probability("bit_error", bit_error)
    count("k", k)
    return float(-np.expm1(k * np.log1p(-bit_error))) if bit_error < 1 else 1.0
