"""Sources matched to the noise: non-Gaussian games in which the linear receiver is exactly optimal.

W is matched to X if their characteristic functions obey ``F_W(ω) = F_X(√(PT/σ²) ω)^β`` with ``β = (PA + N)/PT``.
"""

from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, power


def matched_payoff(beta: ArrayLike, source_variance: ArrayLike = 1.0) -> Array:
    """``σ² β/(1 + β)``: the minimum mean-square error behind a linear transmitter when the noise is matched.

    Then ``E[X | U] = U/(a (1 + β))`` with ``a = √(PT/σ²)``. β = 1 with X and W of one law is the case
    ``E[X | X + W] = (X + W)/2``. The transmitter is fixed: for a non-Gaussian source a nonlinear one may do better
    (X = ±1 against W = ±1 reaches 0). Source: Akyol, Rose, Başar, arXiv 1303.3049.

    >>> round(float(matched_payoff(2.0)), 6)
    0.666667
    """
    beta = power("beta", beta)
    return power("source_variance", source_variance) * (beta / (1 + beta))
