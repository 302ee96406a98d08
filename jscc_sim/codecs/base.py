"""The codec's interface, and what all codecs of bits share."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn

from channels import MemorylessChannel
from channels.base import Alphabet


class Codec(nn.Module, ABC):
    """Maps source words ``u (..., k)`` to channel words ``x (..., n)`` with ``E[x²] = 1`` per symbol, and back."""

    source_alphabet: ClassVar[Literal["real", "bits"]] = "real"
    alphabet: ClassVar[Alphabet] = "real"
    # Slow codecs, of which a block of the usual size would take long, say by how much theirs shall be smaller.
    cost: ClassVar[int] = 1
    k: int
    n: int

    @abstractmethod
    def encode(self, u: Tensor) -> Tensor:
        """The channel word ``x (..., n)``."""

    @abstractmethod
    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The estimate ``û (..., k)`` of a receiver that believes in ``law``."""

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The stake ``(...)``: what training lowers and adversaries raise. Here the squared error per source symbol."""
        return (u - self.decode(y, law)).square().mean(-1)


class BitCodec(Codec):
    """Maps bits ``u (..., k)`` (0.0 or 1.0) to antipodal symbols, bit 0 to +1."""

    source_alphabet = "bits"
    alphabet = "antipodal"

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The log-loss per symbol of the word sent given the word received, in nats.

        Where the law is true its mean is the equivocation ``H(X|Y)``. It is taken before decoding: there the LLRs of
        binary channels are bounded, and no gradient vanishes that would tell an adversary where it hurts.
        """
        return nn.functional.softplus(-self.encode(u) * law.llr(y)).mean(-1)


def antipodal(bits: Tensor) -> Tensor:
    """0 to +1 and 1 to −1."""
    return 1 - 2 * bits
