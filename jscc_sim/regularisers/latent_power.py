"""Latents held to unit power, also by loops that validate before they train."""

import warnings

from torch import Tensor

from channels import UnitPower


class LatentPower(UnitPower):
    """``z / √E[z²]``, the power taken over the batch in training and the running average of it in evaluation.

    The average forgets within some ten batches, as in batch normalisation, since an encoder's power moves at first.

    Before the first batch of training nothing is known of it: latents pass as they are then, with one warning.
    """

    def __init__(self, momentum: float = 0.1) -> None:
        super().__init__(momentum)

    def forward(self, a: Tensor) -> Tensor:
        """``a (batch, d)`` at unit power."""
        if not self.training and self.power.isnan():
            warnings.warn("these latents were never seen in training: they pass at the power they have", stacklevel=2)
            return a
        return super().forward(a)
