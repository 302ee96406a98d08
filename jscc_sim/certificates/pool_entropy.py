"""What any codec can do against a jammer of words: its entropy in noise, bounded by a pool of samples."""

import math

import torch
from scipy import stats
from torch import Tensor

from jscc_sim.certificates.scalar_entropy import CONFIDENCE

POOL, OUTER = 2**20, 2**10
CHUNK = 2**11
LN2 = math.log(2)


@torch.no_grad()
def log_densities(outer: Tensor, noise: Tensor, pool: Tensor, noise_power: float) -> Tensor:
    """``log (1/(K+1)) Σ_{j=0..K} N(w; z_j, N I)`` for each ``w = outer + noise (m, k)``, z_0 being its own sample.

    The exponents are float32 matrix products in base 2: ``exp2`` is several times quicker on numbers that vanish.
    """
    w = (outer + noise).float()
    scale = 1 / (2 * noise_power * LN2)
    ones = torch.ones(len(w), 1)
    left = torch.cat((2 * scale * w, ones, -scale * w.square().sum(1, keepdim=True)), 1)
    total = torch.exp2(-scale * noise.square().sum(1)).double()
    space = torch.empty(len(w), CHUNK)  # a fresh one for each part would take most of the time
    for part in pool.float().split(CHUNK):
        right = torch.cat((part, -scale * part.square().sum(1, keepdim=True), torch.ones(len(part), 1)), 1)
        exponents = torch.mm(left, right.T.contiguous(), out=space[:, : len(part)])
        total += exponents.exp2_().sum(1)
    k = w.shape[1]
    return (total / (len(pool) + 1)).log() - k / 2 * math.log(2 * math.pi * noise_power)


def pool_bound(outer: Tensor, pool: Tensor, jam_power: float, noise_power: float) -> tuple[float, float]:
    """``log(e^{2h(W)/k}/(1 + E Z² + N))`` per symbol bounded from below: an estimate and its lower confidence limit.

    ``h(W) ≥ −E log (1/(K+1)) Σ_{j=0..K} N(W; z_j, N I)`` for every size K of the pool: given all K + 1 samples, W has
    that very density by symmetry, and the entropy is concave. ``‖W‖²/2(PA + N)`` is taken off each outer sample and its
    mean over the pool put back. The pool's own luck, of order ``1/√K``, is neglected beside the outer
    samples' in the interval.
    """
    k = pool.shape[1]
    noise = math.sqrt(noise_power) * torch.randn_like(outer)
    disturbance = jam_power + noise_power
    surprise = -log_densities(outer, noise, pool, noise_power)
    rest = surprise - (outer + noise).double().square().sum(1) / (2 * disturbance)
    powers = pool.double().square().mean(1)
    spent = float(powers.mean())
    weight = 1 / disturbance - 1 / (1 + disturbance)
    middle = 2 / k * float(rest.mean()) + 1 + weight * (spent - jam_power) - math.log(1 + disturbance)
    variance = (2 / k) ** 2 * float(rest.var()) / len(rest)
    variance += weight**2 * float(powers.var()) / len(powers)
    return middle, middle - float(stats.norm.ppf(CONFIDENCE)) * math.sqrt(variance)
