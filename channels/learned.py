"""Policies that learn: noise shaped by a net, alone or with what the jammer sees of the signal or of the source."""

import math

import torch
from torch import Tensor, nn

from channels.policies import Policy
from channels.power import normal_points

# The line learns so many times as fast as the net: the saddle-point jammer lies on it, the net only bends it.
LINE_PACE = 4.0


class _ShapedNoise(nn.Module):
    """``A(ξ, seen) + net(ξ, sinh 1.5ξ′, seen)``, ``n`` symbols of a line and a net.

    Gaussian and linear jamming lie on the line; bounded nets need the heavy-tailed noise to reach far out.
    """

    def __init__(self, n: int, seen: int, hidden: int) -> None:
        super().__init__()
        if not (n >= 1 and hidden >= 1):
            raise ValueError(f"n and hidden must be at least 1, got n={n}, hidden={hidden}")
        self.noises = 4 * n
        self.line = nn.Linear(2 * n + seen, n, bias=False)
        self.net = nn.Sequential(
            nn.Linear(self.noises + seen, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, n)
        )

    def draw(self, x: Tensor) -> Tensor:
        """Standard normal noise ``(..., 4n)`` for words ``x (..., n)``."""
        return torch.randn(*x.shape[:-1], self.noises, dtype=self.dtype, device=x.device)

    def sign(self, x: Tensor) -> Tensor:
        """A fair sign ``(..., 1)`` for each word, which makes the law symmetric: an offset would only waste power."""
        return torch.randint(2, (*x.shape[:-1], 1), dtype=self.dtype, device=x.device) * 2 - 1

    @property
    def dtype(self) -> torch.dtype:
        weight: Tensor = self.line.weight
        return weight.dtype

    def forward(self, noise: Tensor, *seen: Tensor) -> Tensor:
        gaussian, heavy = noise.chunk(2, dim=-1)
        bent = self.net(torch.cat((gaussian, torch.sinh(1.5 * heavy), *seen), dim=-1))
        return LINE_PACE * self.line(torch.cat((gaussian, *seen), dim=-1)) + bent


class NeuralPolicy(Policy):
    """``a = ±(A ξ + net(ξ, sinh 1.5ξ′))``: noise shaped by a line and a net, for words of ``n`` symbols.

    The fair sign of each word makes the law symmetric.
    """

    oblivious = True

    def __init__(self, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.shaped = _ShapedNoise(n, 0, hidden)
        self.n, self.hidden = n, hidden

    def shape(self, noise: Tensor) -> Tensor:
        """The signal ``(..., n)`` made of standard normal ``noise (..., 4n)``, before its sign."""
        return self.shaped(noise)

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Fresh noise, shaped."""
        _check_length(x, self.n)
        return (self.shaped.sign(x) * self.shape(self.shaped.draw(x))).to(x.dtype)

    @torch.no_grad()
    def power(self) -> Tensor:
        """By 2^18/n scrambled Sobol points."""
        points = normal_points(2**18 // self.n, 4 * self.n)
        signals = self.shape(points.to(next(self.parameters())))
        return signals.double().square().mean()  # in float64, so that the last bit does not depend on the threads

    @torch.no_grad()
    def missed(self) -> float:
        """A bound of ``E[a²; some |ξ_j| > t]`` per symbol, t the farthest that the points of `power` go.

        The net is bounded by its last layer after tanh; the line's power out there is a sum of truncated moments,
        because the signs of all ``ξ_j`` are fair. Infinite for a net of another make.
        """
        net, line = self.shaped.net, LINE_PACE * self.shaped.line.weight.double()
        if type(self.shaped) is not _ShapedNoise or type(net) is not nn.Sequential:
            return math.inf
        hidden, last = list(net)[-2:]
        if type(hidden) is not nn.Tanh or type(last) is not nn.Linear:
            return math.inf
        bound = last.weight.double().abs().sum(1) + (0.0 if last.bias is None else last.bias.double().abs())
        farthest = _farthest(2**18 // self.n)
        rare = math.erfc(farthest / math.sqrt(2))
        moment = rare + 2 * farthest * math.exp(-(farthest**2) / 2) / math.sqrt(2 * math.pi)
        others = (4 * self.n - 1) * rare
        straight = line.square().sum(1) * (moment + others)
        return float((straight.sqrt() + bound * math.sqrt(others + rare)).square().mean())

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"n={self.n}, hidden={self.hidden}"


class PerSymbolPolicy(Policy):
    """A policy for single symbols, played on each symbol of a word independently."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy, self.oblivious = policy, policy.oblivious

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Each symbol by itself; the source word is handed on where it has as many symbols."""
        alone = None if u is None or u.shape != x.shape else u.unsqueeze(-1)
        signal: Tensor = self.policy(x.unsqueeze(-1), alone)
        return signal.squeeze(-1)

    def power(self) -> Tensor | float | None:
        """That of the policy for one symbol."""
        return self.policy.power()


class NeuralTapPolicy(Policy):
    """``a = s · net(ξ, s (x + m))``, s a fair sign: hears the line through noise ``m`` of power ``tap_noise``."""

    def __init__(self, n: int = 1, hidden: int = 64, tap_noise: float = 0.0) -> None:
        super().__init__()
        if not 0 <= tap_noise < math.inf:
            raise ValueError(f"tap_noise must be 0 or more and finite, got {tap_noise}")
        self.shaped = _ShapedNoise(n, n, hidden)
        self.n, self.hidden, self.tap_noise = n, hidden, float(tap_noise)

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """A signal for what is tapped."""
        _check_length(x, self.n)
        seen = x.to(self.shaped.dtype)
        if self.tap_noise:
            seen = torch.add(seen, torch.randn_like(seen), alpha=math.sqrt(self.tap_noise))
        sign = self.shaped.sign(x)
        return (sign * self.shaped(self.shaped.draw(x), sign * seen)).to(x.dtype)

    def power(self) -> None:
        """It depends on the words."""
        return

    def extra_repr(self) -> str:
        """Every parameter; the weights enter by digest."""
        return f"n={self.n}, hidden={self.hidden}, tap_noise={self.tap_noise!r}"


class NeuralSourcePolicy(Policy):
    """``a = s · net(ξ, s u)``: knows the source word of ``k`` symbols; s a fair sign."""

    def __init__(self, k: int = 1, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        if not k >= 1:
            raise ValueError(f"k must be at least 1, got {k}")
        self.shaped = _ShapedNoise(n, k, hidden)
        self.k, self.n, self.hidden = k, n, hidden

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """A signal for the source word."""
        _check_length(x, self.n)
        if u is None or u.shape != (*x.shape[:-1], self.k):
            shape = None if u is None else tuple(u.shape)
            raise ValueError(
                f"this jammer needs source words of k={self.k} for words like {tuple(x.shape)}, got {shape}"
            )
        sign = self.shaped.sign(x)
        return (sign * self.shaped(self.shaped.draw(x), sign * u.to(self.shaped.dtype))).to(x.dtype)

    def power(self) -> None:
        """It depends on the words."""
        return

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"k={self.k}, n={self.n}, hidden={self.hidden}"


def _check_length(x: Tensor, n: int) -> None:
    if x.shape[-1] != n:
        raise ValueError(f"this jammer was made for words of {n} symbols, got words of {x.shape[-1]}")


def _farthest(count: int) -> float:
    """How far out `normal_points` of so many go."""
    return -float(torch.special.ndtri(torch.tensor(0.5 / count, dtype=torch.float64)))
