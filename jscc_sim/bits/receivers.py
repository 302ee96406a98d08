"""Receivers that know the words of all training images: the best there is on them, and the paper's kernel.

What a net loses to the first is its amortisation gap. Both average images by how likely their words are: the exact one
by the channel's law of the whole word, ``Π p(ŷ_d|y_d)``, the kernel of Song et al. 2020 (Proposition 1) by a sum over
symbols, ``Σ p(ŷ_d|y_d)``, which hardly tells words apart.
"""

import torch
from torch import Tensor

from channels import MemorylessChannel

# Received words that are compared with all known ones at a time.
RECEIVED = 500


def bayes_receiver(y: Tensor, words: Tensor, images: Tensor, law: MemorylessChannel) -> Tensor:
    """``E[U|ŷ]`` of received words ``y (count, n)`` if ``images (known, k)`` are equally likely, sent as ``words``.

    No receiver has a smaller mean squared error over these images.
    """
    return torch.cat([(law.llr(part) @ words.T / 2).softmax(-1) @ images for part in y.split(RECEIVED)])


def kernel_receiver(y: Tensor, words: Tensor, images: Tensor, law: MemorylessChannel) -> Tensor:
    """The same with the additive kernel, ``Σ_d p(ŷ_d|y_d)``, in place of the likelihood."""
    return torch.cat([_additive(part, words, law) @ images for part in y.split(RECEIVED)])


def _additive(y: Tensor, words: Tensor, law: MemorylessChannel) -> Tensor:
    """Weights ``(count, known)`` that add up to 1."""
    same, other = (law.log_prob(y, torch.full_like(y, sign)).exp() for sign in (1.0, -1.0))
    kernel = ((same + other).sum(-1, keepdim=True) + (same - other) @ words.T) / 2
    return kernel / kernel.sum(-1, keepdim=True)
