"""Block codes of bits; uncoded transmission is repetition 1."""

import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.sources import checked_count


class Repetition(BitCodec):
    """Each of ``k`` bits sent ``times`` times; the receiver adds the LLRs and decides ties by a fair coin."""

    def __init__(self, k: int = 1, times: int = 3) -> None:
        super().__init__()
        self.k, self.times = checked_count("k", k), checked_count("times", times)
        self.n = k * times

    def encode(self, u: Tensor) -> Tensor:
        """Bit after bit, each repeated."""
        return antipodal(u).repeat_interleave(self.times, dim=-1)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Maximum likelihood, ``(..., k)``."""
        llr = law.llr(y).unflatten(-1, (self.k, self.times))
        # At full scale the votes of a binary channel are whole numbers, and ties are exact.
        votes = (llr / llr.abs().amax(-1, keepdim=True).clamp_min(1e-30)).sum(-1)
        return torch.where(votes == 0, torch.randint_like(votes, 2), (votes < 0).to(votes))

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, times={self.times}"
