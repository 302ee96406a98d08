"""A weight that chooses itself: dual ascent on the constraint that latents pass for Gaussian."""

import math

import torch
from torch import Tensor, nn

# Of the running mean of the gap, per batch; and how fast the logarithm of the weight follows.
SHARE, RATE = 0.02, 0.003
START, LEAST, MOST = 0.01, 1e-4, 10.0
# Of the normal law, one-sided 5 %.
QUANTILE = 1.645
HISTORY = 512


class DualAscent(nn.Module):
    """Watches the gap of each batch, and if the weight is to be ``chosen``, chooses it.

    The constraint is that the running mean of the gap stays below the 95 % quantile that it has for Gaussian latents,
    whose gap is zero but for the noise of a batch. The multiplier rises while it is violated and falls while it is not:
    the least weight that makes the latents pass.
    """

    log_weight: Tensor
    gap: Tensor
    variance: Tensor
    history: Tensor
    seen: Tensor

    def __init__(self, *, chosen: bool) -> None:
        super().__init__()
        self.chosen = chosen
        self.register_buffer("log_weight", torch.tensor(math.log(START)))
        self.register_buffer("gap", torch.tensor(0.0))
        self.register_buffer("variance", torch.tensor(0.0))
        self.register_buffer("history", torch.zeros(HISTORY))
        self.register_buffer("seen", torch.tensor(0))

    @property
    def weight(self) -> Tensor | float:
        """The multiplier, or 1 if the weight is given."""
        return self.log_weight.exp() if self.chosen else 1.0

    @property
    def quantile(self) -> float:
        """What the running mean of the gap stays below, 19 times in 20, for Gaussian latents."""
        return QUANTILE * math.sqrt(float(self.variance) * SHARE / (2 - SHARE))

    @torch.no_grad()
    def step(self, gap: Tensor, variance: Tensor, *, warm: bool) -> None:
        """Take in the mean gap of a batch and its variance, and move the weight if the warm-up is over."""
        share = max(SHARE, 1 / (float(self.seen) + 1))
        self.gap.lerp_(gap.to(self.gap), share)
        self.variance.lerp_(variance.to(self.variance), share)
        self.history[int(self.seen) % HISTORY] = gap
        self.seen += 1
        if self.chosen and warm:
            limit = self.quantile
            excess = (float(self.gap) - limit) / max(limit, 1e-12)
            self.log_weight += RATE * min(1.0, max(-1.0, excess))
            self.log_weight.clamp_(math.log(LEAST), math.log(MOST))

    def recent(self) -> Tensor:
        """The gaps of the last batches, up to 512, in order."""
        count = int(self.seen)
        if count <= HISTORY:
            return self.history[:count]
        return self.history.roll(-(count % HISTORY))
