"""How normalising the transmit power per batch or per codeword moves the target of a linear codec.

A white Gaussian source of unit variance, k symbols per codeword, signal power PT and total disturbance ``W = PA + N``
per real symbol. A constant offset is in `deviations.offset_payoff`.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from jscc_sim.theory.parameters import Array, count, fraction, power


def batch_bias(signal_power: ArrayLike, disturbance: ArrayLike, batch: ArrayLike, k: ArrayLike = 1) -> Array:
    """``2 PT (1 − c_Bk)/W``: by how much of J* the error exceeds it if each batch has power PT exactly.

    B words of k symbols are scaled together and the saddle's receiver is kept; ``c_m = E‖x‖/√m``. Exact, derived for
    this project.

    >>> round(float(batch_bias(10, 1.1, 64)), 6)
    0.070881
    """
    missing, _ = _norm_defect(count("batch", batch) * count("k", k))
    return 2 * _snr(signal_power, disturbance) * missing


def approximate_batch_bias(
    signal_power: ArrayLike, disturbance: ArrayLike, batch: ArrayLike, k: ArrayLike = 1
) -> Array:
    """``PT/(2 B k W)``: the leading term of `batch_bias`, an approximation from above.

    >>> round(float(approximate_batch_bias(10, 1.1, 64)), 6)
    0.071023
    """
    return _snr(signal_power, disturbance) / (2 * count("batch", batch) * count("k", k))


def codeword_payoff(k: ArrayLike, signal_power: ArrayLike, disturbance: ArrayLike) -> Array:
    """``1 − c_k² PT/(PT + W)``: the error of the best linear receiver if each codeword has norm ``√(k PT)`` exactly.

    >>> codeword_payoff([1, 8], 1, 1.1).round(6)
    array([0.696848, 0.552589])
    """
    signal, noise = power("signal_power", signal_power), power("disturbance", disturbance)
    _, squared = _norm_defect(count("k", k))
    return squared + (1 - squared) * fraction(noise, signal, 1.0)


def mean_norm(k: ArrayLike) -> Array:
    """``c_k = E‖x‖/√k`` of k standard normal symbols, ``√(2/k) Γ((k+1)/2)/Γ(k/2)``.

    >>> mean_norm([1, 8]).round(6)
    array([0.797885, 0.969311])
    """
    return 1 - _norm_defect(count("k", k))[0]


def _norm_defect(m: Array) -> tuple[Array, Array]:
    """``1 − c_m`` and ``1 − c_m²``, to full precision for any m."""
    exact = 0.5 * np.log(2 / m) + gammaln((m + 1) / 2) - gammaln(m / 2)
    # Stirling's series of the same logarithm; gammaln would cancel for large m.
    series = -1 / (4 * m) + 1 / (24 * m**3) - 1 / (20 * m**5) + 17 / (112 * m**7)
    log_norm = np.where(m > 60, series, exact)
    return -np.expm1(log_norm), -np.expm1(2 * log_norm)


def _snr(signal_power: ArrayLike, disturbance: ArrayLike) -> Array:
    signal, noise = power("signal_power", signal_power), power("disturbance", disturbance)
    if np.any(noise == 0):
        raise ValueError("disturbance must be positive for a relative bias, got 0")
    return signal / noise
