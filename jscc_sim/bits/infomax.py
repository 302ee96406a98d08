"""How much words tell of images: entropies of their symbols, and their total correlation by a classifier."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from jscc_sim.gradients import draw_through
from jscc_sim.regularisers.learner import Learner


class Terms(NamedTuple):
    """In nats: ``Σ H(Y_d)``, ``Σ H(Y_d|X)`` and the total correlation of the symbols."""

    entropy: Tensor
    conditional: Tensor
    correlation: Tensor

    @property
    def information(self) -> Tensor:
        """``Σ (H(Y_d) − H(Y_d|X)) − TC``, which is ``I(X; Y)``."""
        return self.entropy - self.conditional - self.correlation


class Infomax(nn.Module):
    """The terms of ``I(X; Y)`` of words of ``n`` symbols, differentiable in their probabilities.

    A classifier learns inside, while training, to tell words from words whose symbols were permuted over the batch,
    each symbol by itself; ``log C/(1 − C)`` of words is then their total correlation (Song et al. 2020).
    """

    def __init__(self, n: int, hidden: int = 256, updates: int = 1, lr: float = 1e-3) -> None:
        super().__init__()
        layers = (nn.Linear(n, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2))
        self.learner = Learner(nn.Sequential(*layers, nn.Linear(hidden, 1)), updates=updates, lr=lr)

    def forward(self, probability: Tensor) -> Terms:
        """Of words whose symbols are −1 with ``probability (batch, n)``; the gradient of the last passes through them.

        The marginals are those of the batch, whose entropies come out too small by about ``1/(2·batch)`` each.
        """
        words = draw_through(probability, 1)[0]
        known = words.detach()
        self.learner.update(lambda: self._mistakes(known))
        return Terms(
            binary_entropy(probability.mean(0)).sum(),
            binary_entropy(probability).sum(-1).mean(),
            self.log_ratio(words).mean(),
        )

    def log_ratio(self, words: Tensor) -> Tensor:
        """``log p(y)/Π p(y_d)`` of words ``(batch, n)``, as far as the classifier knows."""
        logits: Tensor = self.learner.player(words)
        return logits.squeeze(-1)

    def _mistakes(self, words: Tensor) -> Tensor:
        """The classifier's cross-entropy, in nats: ``2 log 2`` if it cannot tell."""
        return softplus(-self.log_ratio(words)).mean() + softplus(self.log_ratio(permuted(words))).mean()


def permuted(words: Tensor) -> Tensor:
    """Words ``(batch, n)``, each symbol's column in an order of its own: independent, with the same marginals."""
    return words.gather(0, torch.rand_like(words).argsort(0))


def binary_entropy(probability: Tensor) -> Tensor:
    """In nats, differentiable at 0 and 1 too."""
    inner = probability.clamp(1e-6, 1 - 1e-6)
    return -(inner * inner.log() + (1 - inner) * (1 - inner).log())
