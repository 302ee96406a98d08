"""Exact errors over block fading: ``y = h x + z`` with ``h ≥ 0``, ``E h² = 1``, and ``SNR = P/N`` per real use.

A Rician gain has the K factor ``k_factor``, the power of its constant part over that of its random part, as a ratio:
0 is Rayleigh, infinity is AWGN. With CSI the receiver knows h. A symbol repeated n times inside one block and combined
softly has n times the SNR. Expectations follow from ``E e^{−τh²} = exp(−Kτ/(1+K+τ)) (1+K)/(1+K+τ)``.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exp1, i0e, i1e

from jscc_sim.theory.parameters import Array, ratio

STEP = 1 / 16  # of trapezoid rules; a power of two, so that the nodes are exact


def rayleigh_mse(snr: ArrayLike) -> Array:
    """``E 1/(1 + s h²) = (1/s) e^{1/s} E1(1/s)``: a unit Gaussian source sent uncoded over Rayleigh fading, with CSI.

    >>> rayleigh_mse([1, 10]).round(6)
    array([0.596347, 0.201464])
    """
    with np.errstate(divide="ignore"):
        x = 1 / ratio("snr", snr)
    near = np.clip(x, np.finfo(float).tiny, 500)
    # Beyond 500 e^x E1(x) x is its asymptotic series, which there has all digits within eight terms.
    far, series = np.maximum(x, 500), np.ones_like(x)
    for order in range(8, 0, -1):
        series = 1 - order / far * series
    return np.where(x < 500, near * np.exp(near) * exp1(near), series)


def rician_mse(snr: ArrayLike, k_factor: ArrayLike) -> Array:
    """``E 1/(1 + s h²) = ∫ e^{−t} E e^{−t s h²} dt``: the same over Rician fading, with CSI, by quadrature.

    >>> rician_mse(1, [0, 4, float("inf")]).round(6)
    array([0.596347, 0.543233, 0.5     ])
    """
    snr, k_factor = ratio("snr", snr)[..., None], ratio("k_factor", k_factor)[..., None]
    # t = e^v: entire enough in a strip about the line for the trapezoid rule to converge exponentially.
    v = np.arange(-960, 96) * STEP
    return np.asarray(STEP * (np.exp(v - np.exp(v)) * _fade(np.exp(v) * snr, k_factor)).sum(-1))


def rayleigh_bpsk_error(snr: ArrayLike) -> Array:
    """``½ (1 − √(γ/(1+γ)))`` with ``γ = SNR/2 = Eb/N0``: the bit error rate of BPSK over Rayleigh fading (Proakis).

    >>> rayleigh_bpsk_error([2, 20]).round(6)
    array([0.146447, 0.023269])
    """
    inverse = 1 / (1 + ratio("snr", snr) / 2)
    return np.asarray(0.5 * inverse / (1 + np.sqrt(1 - inverse)))


def rician_bpsk_error(snr: ArrayLike, k_factor: ArrayLike) -> Array:
    """``E Q(√(SNR h²)) = (1/π) ∫ E exp(−γ h²/sin²θ) dθ`` (Craig), ``γ = SNR/2``: the same over Rician fading.

    >>> rician_bpsk_error(2, [0, 4, float("inf")]).round(6)
    array([0.146447, 0.107893, 0.07865 ])
    """
    snr, k_factor = ratio("snr", snr)[..., None], ratio("k_factor", k_factor)[..., None]
    # cot θ = e^v; again a trapezoid rule on the whole line.
    v = np.arange(-720, 720) * STEP
    fades = _fade(snr / 2 * (1 + np.exp(2 * v)), k_factor)
    return np.asarray(STEP / (2 * np.pi) * (fades / np.cosh(v)).sum(-1))


def mean_gain(k_factor: ArrayLike) -> Array:
    """``E h = ½ √(π/(1+K)) e^{−K/2} ((1+K) I0(K/2) + K I1(K/2))``, the mean of a Rician gain of unit power.

    >>> mean_gain([0, 4, float("inf")]).round(6)
    array([0.886227, 0.952633, 1.      ])
    """
    k_factor = ratio("k_factor", k_factor)
    # From 1e8 on, the first term of the series in 1/K is exact to the last digit.
    k, large = np.minimum(k_factor, 1e8), np.maximum(k_factor, 1.0)
    exact = 0.5 * np.sqrt(np.pi / (1 + k)) * ((1 + k) * i0e(k / 2) + k * i1e(k / 2))
    return np.where(k_factor < 1e8, exact, 1 - 1 / (4 * large))


def blind_linear_mse(snr: ArrayLike, k_factor: ArrayLike = 0.0) -> Array:
    """``1 − (E h)²/(1 + N)`` at unit power, ``N = 1/SNR``: the best linear receiver that does not know the gain.

    It cannot fall below ``1 − (E h)²``, 0.215 for Rayleigh fading.

    >>> blind_linear_mse([1, float("inf")]).round(6)
    array([0.607301, 0.214602])
    """
    with np.errstate(divide="ignore"):
        return 1 - mean_gain(k_factor) ** 2 / (1 + 1 / ratio("snr", snr))


def _fade(tau: Array, k_factor: Array) -> Array:
    """``E e^{−τh²}``, with the shares of the random and the constant part so that K may be infinite."""
    random, tau = 1 / (1 + k_factor), np.minimum(tau, 1e200)
    return np.asarray(np.exp(-(1 - random) * tau / (1 + random * tau)) / (1 + random * tau))
