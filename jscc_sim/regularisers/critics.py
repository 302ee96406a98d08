"""Lower bounds on mutual information, and the critics that they need."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def infonce(scores: Tensor) -> Tensor:
    """``E s(a, b) − E log (1/n) Σ_b' exp s(a, b')`` of scores ``(n, n)``, paired on the diagonal; ``log n`` at most.

    In nats, as the others (van den Oord, Li and Vinyals, arXiv 1807.03748).
    """
    return (scores.diagonal() - scores.logsumexp(1)).mean() + math.log(len(scores))


def donsker_varadhan(scores: Tensor) -> Tensor:
    """``E s(a, b) − log E exp s(a, b')``, the second mean over pairs that do not belong together.

    The logarithm of a batch's mean biases it upwards (MINE: Belghazi et al., ICML 2018, with their moving average left
    out).
    """
    return scores.diagonal().mean() - _log_mean_exp_apart(scores)


def nguyen_wainwright_jordan(scores: Tensor) -> Tensor:
    """``1 + E s(a, b) − E exp s(a, b')``: unbiased, and of the largest variance (Nguyen, Wainwright, Jordan 2010)."""
    return 1 + scores.diagonal().mean() - _log_mean_exp_apart(scores).exp()


def _log_mean_exp_apart(scores: Tensor) -> Tensor:
    count = len(scores)
    paired = torch.eye(count, dtype=torch.bool, device=scores.device)
    return scores.masked_fill(paired, -math.inf).logsumexp((0, 1)) - math.log(count * (count - 1))


class SeparableCritic(nn.Module):
    """``f(a)·g(b)/√width``, with a net for each view: the cheapest for large batches."""

    def __init__(self, dim: int, hidden: int = 128, width: int = 64) -> None:
        super().__init__()
        self.left, self.right = _net(dim, hidden, width), _net(dim, hidden, width)
        self.scale = width**-0.5

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Scores ``(n, n)`` of views ``a`` and ``b (n, dim)``."""
        return self.scale * self.left(a) @ self.right(b).T


class BilinearCritic(nn.Module):
    """``[1, a, a²] W [1, b, b²]ᵀ``: the exact log-ratio of densities where independent coordinates are Gaussian.

    For InfoNCE it is exact for views that agree, whatever their law, if the noise is Gaussian: it contains
    ``−‖a − b‖²/2σ²``.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mixing = nn.Parameter(torch.zeros(2 * dim + 1, 2 * dim + 1))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Scores ``(n, n)`` of views ``a`` and ``b (n, dim)``."""
        return _powers(a) @ self.mixing @ _powers(b).T


class PairCritic(nn.Module):
    """``f(a, b)``: one net that sees every pair, at a cost of ``n²``."""

    def __init__(self, dim: int, hidden: int = 64) -> None:
        super().__init__()
        self.net = _net(2 * dim, hidden, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Scores ``(n, n)`` of views ``a`` and ``b (n, dim)``."""
        count = len(a)
        pairs = torch.cat((a[:, None].expand(-1, count, -1), b.expand(count, -1, -1)), -1)
        scores: Tensor = self.net(pairs)
        return scores.squeeze(-1)


def _net(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
    )


def _powers(v: Tensor) -> Tensor:
    return torch.cat((torch.ones_like(v[:, :1]), v, v.square()), 1)


BOUNDS: dict[str, Callable[[Tensor], Tensor]] = {
    "infonce": infonce,
    "dv": donsker_varadhan,
    "nwj": nguyen_wainwright_jordan,
}
CRITICS: dict[str, Callable[[int], nn.Module]] = {
    "separable": SeparableCritic,
    "bilinear": BilinearCritic,
    "mlp": PairCritic,
}
