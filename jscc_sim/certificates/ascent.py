"""The worst samples of a jammer of words that an ascent from many starts finds: an estimate, for any codec."""

import math

import torch
from torch import Tensor

from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.harm import Harm
from jscc_sim.certificates.stakes import Stakes
from jscc_sim.theory.certificates import best_chord

# Powers of the samples, over PA.
RADII = (0.1, 0.3, 0.6, 1.0, 1.6, 2.5, 4.0, 8.0, 16.0, 40.0)
STEPS, FIRST_STEP, LAST_STEP = 25, 0.4, 0.03
# Words: of the ascent, of the choice among all, and of the measurement of the chosen.
CLIMBED, CHOSEN, MEASURED = 64, 1024, 2**16
RANDOM, PRINCIPAL = 16, 16


def ascend(stakes: Stakes) -> Bound:
    """Ascends φ on spheres of constant power, and mixes the best two samples that spend PA on average.

    All ascents share their words, the choice is made on other words, and what is reported is measured on fresh ones:
    the luck of the choice is no part of it.
    """
    harm = Harm(stakes, stakes.codec)
    starts = _starts(harm)
    try:
        samples = torch.cat((starts, _climb(harm, starts)))
    except RuntimeError:  # a codec that has no gradient is asked about the starts alone
        samples = starts
    powers = samples.double().square().mean(1).numpy()
    chosen = best_chord(powers, harm.measured(samples, CHOSEN).numpy(), stakes.jam_power)
    pair = samples[[chosen.first, chosen.second]]
    first, second = harm.measured(pair, MEASURED).tolist()
    value = (1 - chosen.share) * first + chosen.share * second
    worst = math.sqrt(powers[chosen.second if chosen.share >= 0.5 else chosen.first])
    how = f"ascent from {len(starts)} starts, two samples mixed"
    return Bound(value / stakes.value, False, how, worst)


def _climb(harm: Harm, starts: Tensor) -> Tensor:
    """Steepest ascent at constant power, all on the same words."""
    words = harm.words(CLIMBED)
    radius, samples = starts.norm(dim=1, keepdim=True), starts
    for step in range(STEPS):
        rate = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / (STEPS - 1))
        samples = samples.detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(harm.of(samples, words).sum(), samples)
        with torch.no_grad():
            moved = samples + rate * radius * torch.nn.functional.normalize(slope, dim=1)
            samples = radius * torch.nn.functional.normalize(moved, dim=1)
    return samples.detach()


@torch.no_grad()
def _starts(harm: Harm) -> Tensor:
    """Directions at every radius, and silence."""
    k = harm.stakes.k
    directions = torch.cat((_principal(harm), torch.eye(k)[:PRINCIPAL], torch.ones(1, k), torch.randn(RANDOM, k)))
    directions = math.sqrt(k) * torch.nn.functional.normalize(directions, dim=1)
    scales = torch.tensor(RADII).mul(harm.stakes.jam_power).sqrt()
    return torch.cat((torch.zeros(1, k), (scales[:, None, None] * directions).reshape(-1, k)))


def _principal(harm: Harm) -> Tensor:
    """Eigenvectors of what the decoder adds to its linear fit, and what that fit is most sensitive to."""
    stakes = harm.stakes
    y = (1 + stakes.jam_power + stakes.noise_power) ** 0.5 * torch.randn(CHOSEN, stakes.k)
    decoded = stakes.codec.decode(y, stakes.law)
    fit = torch.linalg.lstsq(y, decoded).solution
    bent = torch.linalg.svd(decoded - y @ fit, full_matrices=False).Vh
    steep = torch.linalg.svd(fit).U.T
    return torch.cat((bent[: PRINCIPAL // 2], steep[: PRINCIPAL // 2]))
