"""What shapes a jammer's signal: the interface, and policies in closed form."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Policy(nn.Module, ABC):
    """A random signal ``a (..., n)`` for each word sent; holding it to its power is the Jammer's business.

    ``correlation`` is ``E[a x]`` per symbol where a receiver is to reckon with it: 0 for a policy that does not see x.
    An ``oblivious`` policy is known to look at neither the channel word nor the source word.
    """

    correlation: float = 0.0
    oblivious: bool = False

    @abstractmethod
    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """One signal for each word ``x (..., n)`` of the source word ``u``; an oblivious policy looks at neither."""

    @abstractmethod
    def power(self) -> Tensor | float | None:
        """``E[a²]`` per symbol, exact or by quadrature; None if it depends on the words and must be measured."""

    def facing(self, jam_power: float, noise_power: float) -> "Policy":
        """The policy that plays at these powers."""
        return self


class GaussianPolicy(Policy):
    """``a ~ N(0, I)``: the saddle-point jammer (Başar 1983)."""

    oblivious = True

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """White Gaussian noise."""
        return torch.randn_like(x)

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class TwoPointPolicy(Policy):
    """``a = ±1``, fair and independent for each symbol."""

    oblivious = True

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Fair signs."""
        return torch.randint_like(x, 2) * 2 - 1

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class UniformPolicy(Policy):
    """``a`` uniform on ``±√3``."""

    oblivious = True

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Independent for each symbol."""
        return (torch.rand_like(x) * 2 - 1) * math.sqrt(3)

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class LaplacePolicy(Policy):
    """``a`` Laplace of variance one: the difference of two exponentials of variance ½."""

    oblivious = True

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Independent for each symbol."""
        one, other = torch.empty_like(x).exponential_(), torch.empty_like(x).exponential_()
        return (one - other) * math.sqrt(0.5)

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class PulsedPolicy(Policy):
    """On-off Gaussian noise: each symbol is hit with probability ``duty``, then by ``N(0, 1/duty)``."""

    oblivious = True

    def __init__(self, duty: float = 0.1) -> None:
        super().__init__()
        if not 0 < duty <= 1:
            raise ValueError(f"duty must lie in (0, 1], got {duty}")
        self.duty = float(duty)

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Independent for each symbol."""
        on = torch.rand(x.shape, dtype=torch.float64, device=x.device) < self.duty
        return torch.randn_like(x) * on * math.sqrt(1 / self.duty)

    def power(self) -> float:
        """One, exactly."""
        return 1.0

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"duty={self.duty!r}"


class TonePolicy(Policy):
    """``a_i = √2 cos(2π f i + φ)``: a carrier of ``frequency`` f in cycles per use, its phase uniform for each word."""

    oblivious = True

    def __init__(self, frequency: float = 0.1) -> None:
        super().__init__()
        if not 0 <= frequency <= 0.5:
            raise ValueError(f"frequency must lie in [0, 0.5] cycles per use, got {frequency}")
        self.frequency = float(frequency)

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """One phase per word."""
        wide = torch.promote_types(x.dtype, torch.float32)
        phase = torch.rand(*x.shape[:-1], 1, dtype=wide, device=x.device)
        steps = torch.arange(x.shape[-1], dtype=torch.float64, device=x.device)
        turns = (self.frequency * steps).remainder(1).to(wide)  # whole turns go before the digits do
        return (math.sqrt(2) * torch.cos(2 * math.pi * (turns + phase))).to(x.dtype)

    def power(self) -> float:
        """One, exactly."""
        return 1.0

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"frequency={self.frequency!r}"


class ReactivePolicy(Policy):
    """Gaussian noise while the transmitter is on, that is where ``|x| > threshold``, and silence elsewhere."""

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        if not 0 <= threshold < math.inf:
            raise ValueError(f"threshold must be 0 or more and finite, got {threshold}")
        self.threshold = float(threshold)

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Noise on the symbols that are on."""
        return torch.randn_like(x) * (x.abs() > self.threshold)

    def power(self) -> None:
        """The transmitter's duty: it depends on the words."""
        return

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"threshold={self.threshold!r}"


class TapPolicy(Policy):
    """``a = −ρ (x + m)/√(1 + M) + √(1 − ρ²) v``: sees the channel input through noise ``m`` of power ``tap_noise`` M.

    The ``share`` ρ² of its power cancels the signal. Left out, it is the best one at the powers it plays at: with
    ``b = min{1, PA + N, √(PA/(1 + M))}`` the signal is cut by b, ``ρ = b √((1 + M)/PA)``, for signals of power one. The
    receiver is to know it: this is the saddle of the game in which the jammer taps the line. Derived for this project.
    """

    def __init__(self, tap_noise: float = 0.0, share: float | None = None) -> None:
        super().__init__()
        if not 0 <= tap_noise < math.inf:
            raise ValueError(f"tap_noise must be 0 or more and finite, got {tap_noise}")
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"share must lie in [0, 1], got {share}")
        self.tap_noise, self.share = float(tap_noise), None if share is None else float(share)

    @property
    def correlation(self) -> float:  # type: ignore[override]
        """``−ρ/√(1 + M)``."""
        return -math.sqrt((self.share or 0.0) / (1 + self.tap_noise))

    def facing(self, jam_power: float, noise_power: float) -> Policy:
        """The tap with the best share at these powers, unless one was chosen."""
        if self.share is not None:
            return self
        cut = min(1.0, jam_power + noise_power, math.sqrt(jam_power / (1 + self.tap_noise)))
        return TapPolicy(self.tap_noise, min(1.0, cut**2 * (1 + self.tap_noise) / jam_power))

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Cancel, and spend what is left on noise."""
        if self.share is None:
            raise RuntimeError("a tap without a share plays only inside a Jammer, whose powers decide it")
        seen = x + math.sqrt(self.tap_noise) * torch.randn_like(x) if self.tap_noise else x
        return self.correlation * seen + math.sqrt(1 - self.share) * torch.randn_like(x)

    def power(self) -> float:
        """One, for signals of power one."""
        return 1.0

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"tap_noise={self.tap_noise!r}, share={self.share!r}"


class SourceAwarePolicy(Policy):
    """``a = −u``: knows the source word and sends its opposite, for words of as many symbols as uses.

    Against the saddle codec without a shared sign it is worth ``(|1 − g| + g √PA)² + g² N``; the receiver does not
    reckon with it. Behind a shared sign it is no better than noise.
    """

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """The source word, turned round."""
        if u is None or u.shape != x.shape:
            shape = None if u is None else tuple(u.shape)
            raise ValueError(f"a source-aware jammer needs source words shaped like {tuple(x.shape)}, got {shape}")
        return -u.to(x.dtype)

    def power(self) -> float:
        """One, for sources of variance one."""
        return 1.0
