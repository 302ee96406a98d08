"""The codec's interface, and what all codecs of bits share."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from channels import MemorylessChannel, UnitPower
from channels.base import Alphabet

# How many words of a source N(0, I) a learned codec's power is frozen over before it is trained.
CALIBRATION_WORDS = 2**12


class Codec(nn.Module, ABC):
    """Maps source words ``u (..., k)`` to channel words ``x (..., n)`` with ``E[x²] = 1`` per symbol, and back."""

    source_alphabet: ClassVar[Literal["real", "bits"]] = "real"
    alphabet: ClassVar[Alphabet] = "real"
    # Slow codecs, of which a block of the usual size would take long, say by how much theirs shall be smaller.
    cost: int = 1
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

    def harm(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """What the channel's adversaries raise ``(...)``, for words received ``y``; by default the loss."""
        return self.loss(u, y, law)

    def told(self, law: MemorylessChannel) -> "Codec":
        """This codec, whose transmitter counts on ``law``: by default it does not care."""
        return self

    def calibrate(self, u: Tensor) -> None:
        """Freeze the power of what the encoder learned as it is over the words ``u (words, k)``; by default nothing."""
        return


class LearnedCodec(Codec):
    """A codec that learned, its words held to unit power: over the batch in training, frozen in evaluation.

    At first the power is frozen as it is for a source N(0, I); after training, `calibrate` measures it anew.
    """

    cost = 8
    unit: UnitPower

    @abstractmethod
    def raw(self, u: Tensor) -> Tensor:
        """The channel word ``(..., n)`` before its power is set."""

    def encode(self, u: Tensor) -> Tensor:
        """The word at unit power per symbol."""
        return self.unit(self.raw(u))

    @torch.no_grad()
    def calibrate(self, u: Tensor) -> None:
        """Freeze the encoder's power as it is over the source words ``u (words, k)``."""
        weight = next(self.parameters(), u)
        self.unit.freeze(self.raw(u.to(weight)).double().square().mean())


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

    def harm(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """How many bits are decoded wrongly, and between equal numbers the loss, whose direction the gradient has.

        The loss alone where it says all: of bits sent once, and of codes whose own loss is one after decoding.
        """
        loss = self.loss(u, y, law)
        if self.n == self.k or type(self).loss is not BitCodec.loss:
            return loss
        with torch.no_grad():
            decoded = self.decode(y.reshape(-1, self.n), law).reshape(*y.shape[:-1], self.k)
            wrong = (decoded != u).sum(-1)
        return wrong + nn.functional.softsign(loss.double()) / 2  # less than a bit

    def order(self, bits: int) -> Tensor:
        """In what order its ``n`` symbols go onto points of so many bits each, the surest bits of a point first."""
        return torch.arange(self.n)


def antipodal(bits: Tensor) -> Tensor:
    """0 to +1 and 1 to −1."""
    return 1 - 2 * bits
