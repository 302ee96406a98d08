"""Any encoder as a jammer: its latents are the signal, and L is a certified score of how Gaussian they are."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from channels import Policy

# Latents encoded at a time.
ENCODED = 2**13


class LatentPolicy(Policy):
    """``a`` is one of a finite set of latents ``(count, n)``, drawn with replacement.

    The set is its own law: what is certified is the entropy of these points in noise, not that of the encoder's
    aggregate posterior, which more points describe better. They keep their mean, which wastes power; the jammer holds
    them to unit power as a whole.
    """

    oblivious = True
    latents: Tensor

    def __init__(self, latents: Tensor) -> None:
        super().__init__()
        if latents.ndim != 2 or not len(latents):
            raise ValueError(f"latents are words (count, n), at least one, got shape {tuple(latents.shape)}")
        if not latents.isfinite().all():
            raise ValueError("latents must be finite")
        self.register_buffer("latents", latents.detach().clone())

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Latents drawn at random, one for each word."""
        count, n = self.latents.shape
        if x.shape[-1] != n:
            raise ValueError(f"these latents have {n} symbols, but the words {x.shape[-1]}")
        return self.latents[torch.randint(count, x.shape[:-1], device=x.device)].to(x.dtype)

    def power(self) -> Tensor:
        """That of the whole set, exactly."""
        return self.latents.double().square().mean()

    def extra_repr(self) -> str:
        """The size; the latents enter by digest."""
        return f"latents={tuple(self.latents.shape)}"


class EncoderPolicy(Policy):
    """``a = encoder(data)`` for fresh data: the encoder's aggregate posterior itself."""

    oblivious = True

    def __init__(self, encoder: nn.Module, draw: Callable[[int], Tensor]) -> None:
        super().__init__()
        self.encoder, self.draw = encoder, draw

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """One latent for each word, of data drawn anew."""
        count = x[..., 0].numel()
        sizes = [min(ENCODED, count - start) for start in range(0, count, ENCODED)]
        latents = torch.cat([self.encoder(self.draw(size)) for size in sizes])
        return latents.reshape(x.shape).to(x.dtype)

    def power(self) -> None:
        """It must be measured."""
        return


@torch.no_grad()
def posterior_policy(encoder: nn.Module, inputs: Tensor | Callable[[int], Tensor]) -> LatentPolicy | EncoderPolicy:
    """A jammer whose signals are latents: of the finite set of ``inputs (count, ...)``, or of those that it draws.

    With a function ``count -> inputs`` the data are fresh and L is about the encoder's law; with a tensor, about the
    smoothed law of these points alone.
    """
    if not isinstance(inputs, Tensor):
        return EncoderPolicy(encoder, inputs)
    return LatentPolicy(torch.cat([encoder(part) for part in inputs.split(ENCODED)]))
