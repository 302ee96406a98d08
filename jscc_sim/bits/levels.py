"""Adversarial bit flip: noise where it hurts, as much in all as the channel's (Song et al. 2020, arXiv 2004.01454)."""

import torch
from torch import Tensor

# A slope counts for at least this share of a word's steepest, so that the whole noise finds a place.
LEAST = 1e-9


def shared_out(slopes: Tensor, flip: float) -> Tensor:
    """Crossover probabilities ``(..., n)`` in proportion to ``|slopes|``, ``n·flip`` in all and each 1 at most.

    What a symbol cannot take, the others share in proportion. A word without slopes has the same everywhere.
    """
    n = slopes.shape[-1]
    steep = slopes.detach().abs().double()
    most = steep.amax(-1, keepdim=True)
    steep = torch.where(most > 0, steep.clamp_min(LEAST * most), torch.ones_like(steep))
    ranked = steep.sort(-1, descending=True).values
    rest = ranked.flip(-1).cumsum(-1).flip(-1)  # of a symbol and all that are less steep
    full = torch.arange(n, device=slopes.device)  # how many symbols before it have probability 1
    factors = (n * flip - full) / rest
    fits = (factors * ranked <= 1).to(torch.uint8).argmax(-1, keepdim=True)  # the first that need not be cut
    return (factors.gather(-1, fits) * steep).clamp_max(1).to(slopes.dtype)


def adversarial_levels(y: Tensor, slopes: Tensor, flip: float) -> Tensor:
    """The same for a word ``y (..., n)``, where ``slopes`` are the loss's in it; 0 where a flip would lower the loss.

    Eqs. 23 to 26 and 30: ``ε_i ∝ |∂L/∂y_i|``, ``Σ ε_i = nε``, and the mask. To first order a flip of an antipodal
    symbol moves the loss by ``−2 y_i ∂L/∂y_i``.
    """
    return shared_out(slopes, flip) * (y * slopes < 0)
