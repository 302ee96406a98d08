"""A weight that chooses itself: dual ascent on the constraint that latents pass for Gaussian."""

import math

import torch
from torch import Tensor, nn

# Of running means, per batch; and how fast the logarithm of the weight follows.
SHARE, RATE = 0.02, 0.003
START, LEAST, MOST = 0.01, 1e-4, 10.0
# Of the normal law, one-sided 5 %.
QUANTILE = 1.645


class RunningMean(nn.Module):
    """The running mean of a number that each batch has, and how far chance alone may take it from zero."""

    mean: Tensor
    variance: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("variance", torch.tensor(0.0))
        self.register_buffer("seen", torch.tensor(0))

    @torch.no_grad()
    def take(self, value: Tensor) -> None:
        """Take in a batch's; the variance is that between batches."""
        share = max(SHARE, 1 / (float(self.seen) + 1))
        apart = value.to(self.mean) - self.mean
        if int(self.seen):  # the first has none before it
            self.variance.lerp_((1 - share) * apart.square(), max(SHARE, 1 / float(self.seen)))
        self.mean += share * apart
        self.seen += 1

    @property
    def quantile(self) -> float:
        """What the mean stays below, 19 times in 20, if the batches are independent and their mean is zero."""
        return QUANTILE * math.sqrt(float(self.variance) * max(SHARE / (2 - SHARE), 1 / max(1.0, float(self.seen))))


class DualAscent(nn.Module):
    """The least weight that makes latents pass for Gaussian.

    The constraint is that the running mean of the excess stays below its 95 % quantile for Gaussian latents, where it
    is zero but for the noise of batches. The weight rises while it is violated and falls while it is not.
    """

    log_weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("log_weight", torch.tensor(math.log(START)))
        self.excess = RunningMean()

    @property
    def weight(self) -> Tensor:
        """The multiplier."""
        return self.log_weight.exp()

    @torch.no_grad()
    def step(self, excess: Tensor, *, warm: bool) -> None:
        """Take in the excess of a batch, and move the weight if the warm-up is over."""
        self.excess.take(excess)
        if warm:
            limit = self.excess.quantile
            beyond = (float(self.excess.mean) - limit) / max(limit, 1e-12)
            self.log_weight += RATE * min(1.0, max(-1.0, beyond))
            self.log_weight.clamp_(math.log(LEAST), math.log(MOST))
