"""Adversarial bit flip: noise where it hurts, at most as much as the channel's (Song et al. 2020, arXiv 2004.01454)."""

from torch import Tensor

from jscc_sim.sharing import shared_out


def adversarial_levels(y: Tensor, slopes: Tensor, flip: float) -> Tensor:
    """Crossover probabilities for a word ``y (..., n)`` whose loss has ``slopes``; 0 where a flip would lower the loss.

    Eqs. 23 to 26 and 30: ``ε_i ∝ |∂L/∂y_i|``, ``Σ ε_i = nε`` before the mask. To first order a flip of an antipodal
    symbol moves the loss by ``−2 y_i ∂L/∂y_i``.
    """
    return shared_out(slopes.detach(), flip) * (y * slopes < 0)
