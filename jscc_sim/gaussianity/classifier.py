"""What a classifier can tell apart: latents and a true Gaussian sample, a discriminator's two sides."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from jscc_sim.gaussianity.statistics import Array

HIDDEN, EPOCHS, BATCH = 64, 20, 256


def c2st(sample: Array) -> float:
    """How often a classifier tells held-out words of ``sample (count, k)`` from Gaussian ones; 0.5 if it cannot.

    The classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017). A small net learns on one half of the words, in a
    fixed random order, against fresh Gaussian words in each batch; the accuracy is that over the other half and as many
    Gaussian words. For a Gaussian sample its standard deviation is about ``1/(2 √count)``, whatever the net. The lead
    over one half bounds the total variation from below: ``TV ≥ 2 · c2st − 1``, up to that error.
    """
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False):  # it learns, whoever asks without gradients
        torch.manual_seed(0)
        words = torch.as_tensor(sample, dtype=torch.float32)[torch.randperm(len(sample))]
        seen, held_out = words[: len(words) // 2], words[len(words) // 2 :]
        net = _trained(seen)
        with torch.no_grad():
            return density_ratio(net(torch.randn_like(held_out)), net(held_out))["accuracy"]


def density_ratio(logits_prior: Tensor, logits_z: Tensor) -> dict[str, float]:
    """What a discriminator's logits say, high for the prior, over words of the prior and latents, ``(count, ...)``.

    ``accuracy`` is the mean of those on both sides, 0.5 if the two laws agree. A perfect discriminator's logit is
    ``log p(z)/q(z)``, with ``q`` the law of the latents (Goodfellow et al. 2014); so ``log_density_ratio``, the mean of
    ``log q/p`` over latents, estimates the Kullback-Leibler divergence of ``q`` from the prior, in nats. It is no more
    than an estimate, and no bound: a net that is too sure gives too large a value.
    """
    for side in (logits_prior, logits_z):
        if not (side.numel() and side.isfinite().all()):
            raise ValueError("a density ratio needs finite logits of both sides, at least one each")
    right = [(logits > 0).double().mean() + (logits == 0).double().mean() / 2 for logits in (logits_prior, -logits_z)]
    return {
        "accuracy": float(right[0] + right[1]) / 2,
        "log_density_ratio": -float(logits_z.double().mean()),
    }


def _trained(words: Tensor) -> nn.Module:
    k = words.shape[1]
    # Squares among the inputs, since a wrong power or tail is what latents differ by most often.
    net = nn.Sequential(_Squares(), nn.Linear(2 * k, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU())
    net.append(nn.Linear(HIDDEN, 1))
    steps = max(1, -(-len(words) // BATCH)) * EPOCHS
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    order = torch.cat([torch.randperm(len(words)) for _ in range(EPOCHS)])
    for chosen in order.tensor_split(steps):
        z = words[chosen]
        loss = softplus(net(z)).mean() + softplus(-net(torch.randn_like(z))).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        rate.step()
    return net


class _Squares(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        z = z.clamp(-10, 10)
        return torch.cat((z, z.square()), -1)
