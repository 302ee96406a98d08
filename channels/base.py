"""The two interfaces: a Channel, and a MemorylessChannel whose law a receiver can compute with."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, NamedTuple, Self

from torch import Tensor, nn

Alphabet = Literal["real", "antipodal"]
Draw = Callable[[], tuple[Tensor, Tensor | None]]


class Received(NamedTuple):
    """The word received, ``y (..., n)``, and the law that the receiver holds for it."""

    y: Tensor
    law: "MemorylessChannel"


class Channel(nn.Module, ABC):
    """A random map from the word sent, ``x (..., n)`` with ``E[x²] = 1``, to the word received, ``y (..., n)``.

    ``alphabet`` is what the channel carries, ``output`` what it delivers: antipodal symbols are ±1 (bit 0 is +1, bit 1
    is −1), and an erased one is received as 0. ``knob`` names the parameter that a sweep varies.
    """

    alphabet: Alphabet
    output: Alphabet
    knob: str

    @abstractmethod
    def at(self, level: float) -> Self:
        """This channel with its knob at ``level``, all else kept."""

    @property
    @abstractmethod
    def nominal(self) -> "MemorylessChannel":
        """The law that a receiver assumes: the channel itself, or what it believes of an adversary."""

    @abstractmethod
    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Send ``x (..., n)``; the source words ``u (..., k)`` serve only adversaries that know the source."""

    def forward(self, x: Tensor) -> Tensor:
        """The word received alone, so that ``nn.Sequential(encoder, channel, decoder)`` works."""
        return self.transmit(x).y

    def against(self, harm: Callable[[Tensor], Tensor]) -> "Channel":
        """This channel with an adversary that raises ``harm: y (..., n) -> (...)``; nature ignores it."""
        return self

    def measure_power(self, draw: Draw) -> None:
        """Freeze the power of adversaries as it is over the words ``(x, u)`` that ``draw`` yields; nature has none."""
        return

    def uses(self, n: int) -> int:
        """How many uses a word of ``n`` symbols takes, pilots and all; each has the power of a symbol."""
        return n

    def cost(self, n: int) -> int:
        """How many times as long as plain noise a word of ``n`` symbols takes, roughly; blocks are so much smaller."""
        return 1

    def __rshift__(self, other: "Channel") -> "Channel":
        """The cascade: what this channel delivers is sent through ``other``."""
        from channels.cascade import Cascade

        return Cascade(self, other)


class MemorylessChannel(Channel):
    """A channel that treats each symbol alone, by a law in closed form."""

    @property
    def nominal(self) -> "MemorylessChannel":
        """The channel itself: nature does not bluff."""
        return self

    @abstractmethod
    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log p(y|x)`` of each symbol, in nats."""

    @abstractmethod
    def llr(self, y: Tensor) -> Tensor:
        """``log p(y|+1) − log p(y|−1)`` of each symbol, in nats; finite, and differentiable in ``y``."""
