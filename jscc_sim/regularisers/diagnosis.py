"""What goes wrong between an encoder and the jammer's codec, by its signature."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.dual_ascent import RunningMean

# Of the running means of squared gradients, per batch.
SHARE = 0.02
# Shares of the latents' gradient below and above which the penalty decides too little, or all.
LITTLE, ALL = 0.05, 0.95
# Gaps of the last batches that are kept.
HISTORY = 512
# Gaps beyond so many null quantiles are no noise; fewer batches than these say nothing.
CLEAR, FEWEST = 3.0, 128
# Means over so many batches, whose variance over that of white noise makes an oscillation.
WINDOW, SWINGING = 32, 6.0
EMPTY, TINY = 1e-3, 1e-12
# Normalised latents' power is within this factor of one.
OFF_POWER = 2.0


class Finding(NamedTuple):
    """What is wrong, and what to do."""

    name: str
    message: str


class Gaps(nn.Module):
    """The gaps of the batches, their running mean and the last of them, as training goes on."""

    last: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.running = RunningMean()
        self.register_buffer("last", torch.zeros(HISTORY))

    @torch.no_grad()
    def take(self, gap: Tensor) -> None:
        """Take in that of a batch."""
        self.last[int(self.running.seen) % HISTORY] = gap
        self.running.take(gap)

    def recent(self) -> Tensor:
        """Those of the last batches, up to 512, in order."""
        count = int(self.running.seen)
        if count <= HISTORY:
            return self.last[:count]
        return self.last.roll(-(count % HISTORY))


class Gradients(nn.Module):
    """The mean squares of the penalty's gradient in the latents, and of the whole loss's, as training goes on."""

    penalty: Tensor
    whole: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("penalty", torch.tensor(0.0))
        self.register_buffer("whole", torch.tensor(0.0))

    def watch(self, z: Tensor) -> None:
        """See the gradients of the whole loss as they reach ``z``."""
        if z.requires_grad:
            z.register_hook(lambda slope: _take(self.whole, slope))

    def watched(self, z: Tensor) -> Tensor:
        """``z`` itself, for the penalty alone, whose gradients are seen."""
        seen = z.view_as(z)
        if z.requires_grad:
            seen.register_hook(lambda slope: _take(self.penalty, slope))
        return seen

    @property
    def share(self) -> float | None:
        """The penalty's part of the squared gradients, with the rest of the loss taken to be at right angles to it."""
        return float(self.penalty / self.whole) if float(self.whole) else None


def _take(mean: Tensor, slope: Tensor) -> None:
    """Take the mean square of a gradient into its running mean; one that overflowed, as in halves, is passed over."""
    power = slope.detach().float().square().mean().to(mean)
    mean.lerp_(torch.where(power.isfinite(), power, mean), SHARE)


def diagnose(z: Tensor, gaps: Gaps, gradients: Gradients) -> list[Finding]:
    """The failures whose signatures the latents ``z (count, d)`` and the last batches of training show."""
    if z.ndim != 2 or len(z) < 2 or not z.isfinite().all():
        raise ValueError(f"latents are diagnosed by at least two, (count, d), all finite, got {tuple(z.shape)}")
    power = float(z.double().square().mean())
    if not 1 / OFF_POWER <= power <= OFF_POWER:
        told = f"the latents have power {power:.3g}, not 1"
        return [Finding("not normalised", f"{told}: pass them through reg.norm, in training and in evaluation")]
    found, running = _of_latents(z), gaps.running
    if int(running.seen) < FEWEST:
        return found
    return found + _of_weight(float(running.mean), running.quantile, gradients.share) + _of_swings(gaps.recent())


def _of_weight(gap: float, limit: float, share: float | None) -> list[Finding]:
    """Of a running mean of the gap, its null quantile, and the penalty's share of the gradient."""
    if gap < -CLEAR * limit:
        error = f"the receiver's error is {-gap:.2g} above that of the best linear one, in units of the penalty"
        return [Finding("underpowered receiver", f"{error}: more updates, a higher lr or more hidden units")]
    if share is not None and gap > CLEAR * limit and share < LITTLE:
        told = f"the gap {gap:.2g} is beyond its null quantile {limit:.2g}, the penalty {share:.1%} of the gradient"
        return [Finding("weight too low", f"{told}: raise the weight")]
    if share is not None and gap < CLEAR * limit and share > ALL:
        return [
            Finding("weight too high", f"the gap is noise, the penalty {share:.0%} of the gradient: lower the weight")
        ]
    return []


def _of_latents(z: Tensor) -> list[Finding]:
    """Of their covariance: directions that are empty, coordinates that are correlated."""
    count, d = z.shape
    moments = torch.cov(z.double().T).reshape(d, d)
    values = torch.linalg.eigvalsh(moments)
    empty = int((values <= EMPTY * values[-1].clamp_min(TINY)).sum())
    if empty:
        told = f"{empty} of {d} directions hold less than {EMPTY:g} of the largest variance"
        return [Finding("rank-deficient latents", f"{told}: fewer latents, more noise, or a longer warm-up")]
    scale = moments.diagonal().rsqrt()
    worst = float((moments * scale * scale[:, None] - torch.eye(d).to(moments)).abs().max())
    limit = CLEAR * math.sqrt(2 * math.log(max(2, d * d)) / count)
    if worst <= max(limit, 0.1):
        return []
    return [Finding("correlated latents", f"two coordinates have a correlation of {worst:.2f}: raise the weight")]


def _of_swings(gaps: Tensor) -> list[Finding]:
    """Of the gaps of the last batches: slow swings beyond white noise that are no trend."""
    windows = gaps[-(len(gaps) // WINDOW) * WINDOW :].view(-1, WINDOW)
    means = windows.mean(1)
    steps = torch.arange(len(means)).to(means) - (len(means) - 1) / 2
    trend = steps * (steps @ means) / steps.square().sum()
    swings = (means - means.mean() - trend).var() * WINDOW / windows.var(1).mean().clamp_min(1e-30)
    if float(swings) < SWINGING:
        return []
    told = f"the gap swings slowly, with {float(swings):.0f} times the variance of white noise"
    return [Finding("oscillation", f"{told}: more updates, a higher lr of the codec or a lower one of the encoder")]
