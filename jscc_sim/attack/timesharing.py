"""Time sharing of signals: the form that the worst oblivious jammer of a codec always has."""

import torch
from torch import Tensor

from channels import Policy


class TimeSharing(Policy):
    """``a = s_i`` with probability ``shares_i`` for each word, independently: one of ``signals (m, n)``.

    A jammer that sees nothing harms a codec by ``Σ shares_i φ(s_i)``, φ the harm given the signal, on a power of
    ``Σ shares_i |s_i|²/n``; so the worst one lies on the upper concave envelope of φ in power, and two signals are
    enough. Within `channels.Jammer` it plays at the power audited if its own power is one; a signal that leaves power
    unused would be scaled up there, and is replayed by a jammer of ``jam_power · power()``.
    """

    signals: Tensor
    shares: Tensor

    def __init__(self, signals: Tensor, shares: Tensor) -> None:
        super().__init__()
        if not (signals.ndim == 2 and shares.shape == signals.shape[:1] and signals.isfinite().all()):
            raise ValueError(
                f"signals (m, n) need as many shares (m,), all finite, got {tuple(signals.shape)}, {shares}"
            )
        if not (bool((shares >= 0).all()) and abs(float(shares.sum()) - 1) < 1e-9):
            raise ValueError(f"shares are probabilities that add up to 1, got {shares.tolist()}")
        self.register_buffer("signals", signals.detach().double())
        self.register_buffer("shares", shares.detach().double())

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """A signal for each word, of which it looks at the shape only."""
        n = self.signals.shape[1]
        if x.shape[-1] != n:
            raise ValueError(f"this jammer was made for words of {n} symbols, got words of {x.shape[-1]}")
        words = x.shape[:-1]
        chosen = torch.multinomial(self.shares, words.numel(), replacement=True)
        return self.signals[chosen].to(x.dtype).view(x.shape)

    def power(self) -> float:
        """``Σ shares_i |s_i|²/n``, exactly."""
        return float(self.shares @ self.signals.square().mean(1))

    def extra_repr(self) -> str:
        """The sizes and shares; the signals enter by digest."""
        return f"n={self.signals.shape[1]}, shares={tuple(self.shares.tolist())!r}"
