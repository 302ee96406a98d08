"""Block codes of bits; uncoded transmission is repetition 1."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.sources import checked_count

# Maximum likelihood by comparing with every code word.
MOST_MESSAGES = 2**12
# Log-odds of one symbol at full scale, so that a nearer code word outweighs any number of farther ones.
FULL_SCALE = 64.0


def full_scale(llr: Tensor) -> Tensor:
    """LLRs ``(..., n)`` over the largest of their word: maximum likelihood does not ask for their unit.

    From a binary channel they become whole numbers, whose sums, and so ties, are exact. The scale takes no gradient: a
    word that no symbol seems to hurt, because all would scale along, would tell an adversary nothing.
    """
    return llr / llr.detach().abs().amax(-1, keepdim=True).clamp_min(1e-30)


class Repetition(BitCodec):
    """Each of ``k`` bits sent ``times`` times; the receiver adds the LLRs and decides ties by a fair coin."""

    def __init__(self, k: int = 1, times: int = 3) -> None:
        super().__init__()
        self.k, self.times = checked_count("k", k), checked_count("times", times)
        self.n = k * times

    def encode(self, u: Tensor) -> Tensor:
        """Bit after bit, each repeated."""
        x = antipodal(u)
        return x if self.times == 1 else x.repeat_interleave(self.times, dim=-1)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Maximum likelihood, ``(..., k)``."""
        votes = law.llr(y)
        if self.times > 1:
            votes = full_scale(votes.unflatten(-1, (self.k, self.times))).sum(-1)
        bits = 0.5 - 0.5 * votes.sign()  # ½ where there is a tie; arithmetic is quicker here than comparisons
        if (bits - 0.5).square_().sum() == bits.numel() / 4:  # exact: every term is ¼, or 0 at a tie
            return bits
        return torch.where(bits == 0.5, torch.randint_like(votes, 2), bits)

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, times={self.times}"


class BlockCode(BitCodec):
    """A linear code of few messages, by its ``generator`` (k rows of n bits), decoded by maximum likelihood.

    The receiver compares with every code word and decides ties by a fair coin.
    """

    messages: Tensor
    words: Tensor

    def __init__(self, generator: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.generator = tuple(tuple(row) for row in generator)
        self.k, self.n = len(self.generator), len(self.generator[0])
        if not (
            all(len(row) == self.n and set(row) <= {0, 1} for row in self.generator) and 2**self.k <= MOST_MESSAGES
        ):
            raise ValueError(f"a generator has rows of 0 and 1, all of one length, at most {MOST_MESSAGES} messages")
        messages = torch.tensor(list(itertools.product((0.0, 1.0), repeat=self.k)))
        self.register_buffer("messages", messages, persistent=False)
        self.register_buffer("words", self.encode(messages), persistent=False)
        if len(self.words.unique(dim=0)) < len(messages):
            raise ValueError(f"the rows of a generator are independent, but those of {self.generator} are not")

    def encode(self, u: Tensor) -> Tensor:
        """``u G`` modulo 2, antipodal."""
        generator = torch.tensor(self.generator, dtype=u.dtype, device=u.device)
        return antipodal((u @ generator) % 2)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The message ``(..., k)`` of the code word nearest to ``y``."""
        scores = self._scores(y, law)
        best = scores.amax(-1, keepdim=True)
        tied = scores == best
        chosen = scores.argmax(-1)
        several = tied.sum(-1) > 1
        if several.any():
            coins = tied[several] * torch.rand(tied[several].shape, device=y.device).add(1e-9)
            chosen[several] = coins.argmax(-1)
        return self.messages.to(y.dtype)[chosen]

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The log-odds ``(...)`` against the word sent, ``log (1 − p(u|y))/p(u|y)``, at full scale, in nats.

        At full scale the nearest wrong word counts before all farther ones, and then how many are as near: to raise it
        is to raise the word error rate. Its gradient never vanishes.
        """
        scores = FULL_SCALE * self._scores(y, law).double()
        sent = (u.unsqueeze(-2) == self.messages.to(u.dtype)).all(-1)
        own = scores.masked_fill(~sent, 0.0).sum(-1)
        return torch.logsumexp(scores.masked_fill(sent, -torch.inf), -1) - own

    def _scores(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Half the agreement ``Σ llr_i x_i`` with each code word, ``(..., 2^k)``, as in `full_scale`."""
        return full_scale(law.llr(y)) @ self.words.T.to(y.dtype) / 2

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"generator={self.generator}"


# Systematic Hamming code, and the BCH code of generator polynomial x^8 + x^7 + x^6 + x^4 + 1 (Lin and Costello).
HAMMING_7_4 = ((1, 0, 0, 0, 1, 1, 0), (0, 1, 0, 0, 1, 0, 1), (0, 0, 1, 0, 0, 1, 1), (0, 0, 0, 1, 1, 1, 1))
BCH_15_7 = tuple(
    tuple(int(0 <= j - i <= 8 and (1, 0, 0, 0, 1, 0, 1, 1, 1)[j - i]) for j in range(15)) for i in range(7)
)
