"""Score functions: slopes of the expected stake over random signals, which need no gradient of the codec."""

import torch
from torch import Tensor

from jscc_sim.attack.ascent import climb
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.found import Found
from jscc_sim.attack.settle import few_powers, scaled
from jscc_sim.attack.victim import Victim, Words

# The spread of the random signals over the size of their mean.
SPREAD = 0.3
DIRECTIONS = 3
# A second moment is estimated from so many search words, each jammed by a signal of its own.
PILOT = 16


def score_function(victim: Victim, effort: Effort) -> Found:
    """Up ``∇_μ E s(z) = E (s(z) − b)(z − μ)/σ²``, ``z ~ N(μ, σ²I)``, s the stake and b its mean (Williams 1992).

    It starts at random and from the harm's principal directions: those of ``E (s(z) − b) z zᵀ``, which is the same
    identity for the covariance of Gaussian jamming, at several powers.
    """
    levels = few_powers(victim)
    found = torch.cat([_principal(victim, level, effort) for level in levels])
    random = torch.randn(effort.starts, victim.codec.n)
    starts = torch.cat([found, scaled(random, levels)])

    def slope(signals: Tensor, words: Words) -> Tensor:
        m, count = len(signals), len(words.u)
        spread = SPREAD * signals.square().mean(1).sqrt().view(m, 1, 1)
        half = torch.randn(m, -(-count // 2), signals.shape[1])
        noise = torch.stack([half, -half], 2).flatten(1, 2)[:, :count]
        y = (words.heard + (signals.unsqueeze(1) + spread * noise).to(words.heard)).flatten(0, 1)
        scores = victim.stakes(words.u.repeat(m, 1), y).view(m, count).float()
        return ((scores - scores.mean(1, keepdim=True)).unsqueeze(-1) * noise).mean(1)

    return climb(victim, slope, starts, effort)


def _principal(victim: Victim, level: float, effort: Effort) -> Tensor:
    """Directions ``(m, n)`` at this power: eigenvectors of the harm's second moment, either sign, and its first."""
    words = victim.draw(PILOT * effort.search)
    z = torch.randn_like(words.heard)
    scores = victim.stakes(words.u, words.heard + level**0.5 * z)
    weighted = ((scores - scores.mean()).to(z).unsqueeze(1) * z).T
    _, vectors = torch.linalg.eigh((weighted @ z).double())
    leading = vectors[:, -DIRECTIONS:].T.float()
    return scaled(torch.cat([leading, -leading, weighted.mean(1).float().unsqueeze(0)]), [level])
