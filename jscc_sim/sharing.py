"""A whole shared out in proportion, where nobody can take more than one: noise levels of bits, powers under a peak."""

import torch
from torch import Tensor

# A weight counts for at least this share of the greatest, so that the whole finds a place.
LEAST = 1e-9


def shared_out(weights: Tensor, share: float) -> Tensor:
    """Shares ``(..., n)`` in proportion to ``|weights|``, ``n·share`` in all and each 1 at most.

    What one cannot take, the others share in proportion. Without any weight all have the same.
    """
    n = weights.shape[-1]
    heavy = weights.abs().double()
    most = heavy.amax(-1, keepdim=True).detach()
    heavy = torch.where(most > 0, torch.maximum(heavy, LEAST * most), torch.ones_like(heavy))
    ranked = heavy.sort(-1, descending=True).values
    rest = ranked.flip(-1).cumsum(-1).flip(-1)  # of one and all that are lighter
    full = torch.arange(n, device=weights.device)  # how many before it have 1
    factors = (n * share - full) / rest
    fits = (factors * ranked <= 1).to(torch.uint8).argmax(-1, keepdim=True)  # the first that need not be cut
    return (factors.gather(-1, fits) * heavy).clamp_max(1).to(weights.dtype)
