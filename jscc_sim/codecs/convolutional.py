"""Terminated convolutional codes, decoded by soft Viterbi for many words at a time."""

from collections.abc import Sequence

import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.sources import checked_count

# Of rate ½ and memory 6, as NASA, DVB and Wi-Fi have it; octal, the newest bit first.
INDUSTRY = (0o133, 0o171)
LONGEST_MEMORY = 12
# Choices at all states, kept for the way back: so many symbols at a time stay within some 64 MB.
CHOICES = 2**26


class Convolutional(BitCodec):
    """The code of ``generators``, terminated by zeros, by maximum likelihood: ``n = len(generators) (k + memory)``.

    Each generator is a number whose bits, the highest first, weigh the newest bit and those before it.
    """

    generators: tuple[int, ...]

    def __init__(self, k: int = 64, generators: Sequence[int] = INDUSTRY) -> None:
        super().__init__()
        self.k, self.generators = checked_count("k", k), tuple(generators)
        self.memory = max(self.generators, default=0).bit_length() - 1
        if not (1 <= self.memory <= LONGEST_MEMORY and min(self.generators) > 0):
            told = ", ".join(f"{generator:#o}" for generator in self.generators)
            raise ValueError(f"generators are positive numbers of 2 to {LONGEST_MEMORY + 1} bits, got {told or 'none'}")
        self.n = len(self.generators) * (k + self.memory)
        self.register_buffer("taps", _bits(self.generators, self.memory + 1), persistent=False)
        self.register_buffer("symbols", self._of_transitions(), persistent=False)

    taps: Tensor
    symbols: Tensor

    def _of_transitions(self) -> Tensor:
        """The symbols ``(2, 2^(memory − 1), 2, outputs)`` sent by newest bit, bits between, and oldest bit."""
        registers = _bits(range(2 ** (self.memory + 1)), self.memory + 1)
        sent = antipodal(registers @ self.taps.T % 2)
        return sent.reshape(2, 2 ** (self.memory - 1), 2, len(self.generators))

    def encode(self, u: Tensor) -> Tensor:
        """The code word, antipodal: the outputs for each bit, one after the other, and those for the tail of zeros."""
        padded = torch.nn.functional.pad(u, (self.memory, self.memory))
        registers = padded.unfold(-1, self.memory + 1, 1).flip(-1)  # the newest bit first
        return antipodal(registers @ self.taps.T.to(u.dtype) % 2).flatten(-2)

    @torch.no_grad()
    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The information bits of the most likely code word."""
        llr = law.llr(y).reshape(-1, self.n)
        at_a_time = max(1, CHOICES // (2**self.memory * (self.k + self.memory)))
        bits = torch.cat([self._viterbi(part) for part in llr.split(at_a_time)])
        return bits.to(y.dtype).reshape(*y.shape[:-1], self.k)

    def _viterbi(self, llr: Tensor) -> Tensor:
        """Bits ``(words, k)`` of LLRs ``(words, n)``."""
        steps, words = self.k + self.memory, len(llr)
        heard = llr.T.reshape(steps, len(self.generators), words) / 2
        symbols = self.symbols.to(llr.dtype).flatten(0, 2)
        metric = llr.new_full((2**self.memory, words), -torch.inf)
        metric[0] = 0  # words start with zeros in the register
        older = torch.empty(steps, 2**self.memory, words, dtype=torch.bool, device=llr.device)
        for step in range(steps):
            # From state (bits between, oldest bit) to (newest bit, bits between): the oldest one drops out.
            paths = (symbols @ heard[step]).unflatten(0, self.symbols.shape[:3])
            paths += metric.unflatten(0, (-1, 2))
            zero, one = paths.unbind(2)
            torch.gt(one, zero, out=older[step].view_as(one))
            metric = torch.maximum(zero, one).flatten(0, 1)
        return self._way_back(older)[:, : self.k]

    def _way_back(self, older: Tensor) -> Tensor:
        """Bits ``(words, steps)`` on the best path to state 0, by the better oldest bit at each step and state."""
        steps, states, words = older.shape
        found = torch.empty(steps, words, dtype=torch.bool, device=older.device)
        state = torch.zeros(1, words, dtype=torch.long, device=older.device)
        for step in reversed(range(steps)):
            found[step] = state >= states // 2
            state = (2 * state) % states + older[step].gather(0, state)
        return found.T

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, generators={self.generators}"


def _bits(numbers: Sequence[int], width: int) -> Tensor:
    """``(count, width)``: binary digits, the highest first."""
    places = torch.arange(width - 1, -1, -1)
    return (torch.tensor(numbers).unsqueeze(-1) >> places & 1).float()
