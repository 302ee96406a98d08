"""The scale of a word, told along one direction of it: on a sphere all words have one power, and images have not.

A codec that starts from a linear one, in words of one power, has 4 dB less at 10 dB if nobody tells their scale
(CIFAR-10, ratio 1/6); nets learn to tell it, but slowly.
"""

import math

import torch
from torch import Tensor, nn

# Of the logarithm of a scale, its usual root mean square and the most that is told; and the share of a word's power
# that it has where it is as usual.
USUAL, MOST, SHARE = 0.5, 2.0, 1 / 64
SLOPE = math.sqrt(SHARE) / USUAL


class Scale(nn.Module):
    """Words ``(batch, n)`` of any scale as words of about unit power that tell it, and back.

    What a word has along a fixed sequence of signs makes room for the logarithm of its root mean square along all
    others: spread over all symbols, as in spread spectrum, it does not peak, and a jammer that treats symbols alike
    cannot aim at it. One that knows the sequence can, and hurts more than by any other word of its power.
    """

    signs: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        drawn = torch.randint(2, (n,), generator=torch.Generator().manual_seed(n))
        self.register_buffer("signs", 2.0 * drawn - 1)

    def tell(self, words: Tensor) -> Tensor:
        """Words of power one, and their scales along the signs."""
        across = words - self._along(words) * self.signs
        size = across.square().mean(1, keepdim=True).clamp_min(1e-12).sqrt()
        return across / size + SLOPE * size.log().clamp(-MOST, MOST) * self.signs

    def hear(self, words: Tensor, snr_db: Tensor) -> Tensor:
        """What `tell` was given, from linear estimates of what it gave, sent on a sphere, at SNRs ``(batch, 1)``."""
        noise = 10 ** (-snr_db / 10)
        along = self._along(words)
        # Its best linear estimate, which counts on as much power as is usual; then on the sphere no more.
        told = along * (1 + noise) * SHARE / (SHARE + noise / len(self.signs))
        told = told / (1 - told.square()).clamp_min(0.5).sqrt()
        size = (told / SLOPE).clamp(-MOST, MOST).exp()
        return (words - along * self.signs) * size * (1 + told.square()).sqrt()

    def _along(self, words: Tensor) -> Tensor:
        """The mean of a word with the signs, ``(batch, 1)``."""
        return (words * self.signs).mean(1, keepdim=True)
