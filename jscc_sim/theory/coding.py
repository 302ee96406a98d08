"""Exact error rates of uncoded and repeated bits, against nature and against a budgeted adversary."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtr


def bpsk_error(snr: ArrayLike) -> NDArray[np.float64]:
    """``Q(√SNR)``, the error rate of an antipodal symbol in Gaussian noise, with ``SNR = P/N`` per real use.

    With ``Eb/N0 = SNR/2`` for uncoded bits this is the textbook ``Q(√(2 Eb/N0))`` (Proakis). A bit repeated ``n`` times
    and combined softly has n times the SNR.

    >>> round(float(bpsk_error(2 * 10**0.4)), 7)
    0.0125008
    """
    return np.asarray(ndtr(-np.sqrt(np.asarray(snr, dtype=float))))


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
    aimed = 0 if informed else min(flips, times)
    error = 0.0
    for right, wrong, chance in _outcomes(times - aimed, flip, erase):
        for hit_right, hit_wrong, hit_chance in _outcomes(aimed, flip, erase):
            turned = min(flips, right) if informed else 0
            lead = (right - turned + hit_wrong) - (wrong + turned + hit_right)
            error += chance * hit_chance * (float(lead < 0) + 0.5 * float(lead == 0))
    return error


def _outcomes(symbols: int, flip: float, erase: float) -> list[tuple[int, int, float]]:
    """Every (correct, wrong) count of ``symbols`` symbols with its probability; the rest are erased."""
    law = stats.multinomial(symbols, [1 - flip - erase, flip, erase])
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
    budget = min(flips, k)
    if informed:
        right = np.arange(k + 1)
        landed = float(stats.binom(k, 1 - flip - erase).pmf(right) @ np.minimum(right, budget))
    else:
        landed = budget * (1 - 2 * flip - erase)
    return flip + erase / 2 + landed / k


def block_error(bit_error: float, k: int) -> float:
    """``1 − (1 − p)^k``: the error rate of words of ``k`` bits that err independently.

    >>> round(block_error(0.1, 2), 6)
    0.19
    """
    return float(-np.expm1(k * np.log1p(-bit_error))) if bit_error < 1 else 1.0
