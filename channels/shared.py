"""Common randomness of transmitter and receiver, wrapped round any channel."""

import copy
from abc import abstractmethod
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from channels.base import Channel, Draw, MemorylessChannel, Received


class SharedRandomness(Channel):
    """A random orthogonal map of each word, drawn anew, undone by the receiver; no adversary between knows it."""

    inside: Channel

    @abstractmethod
    def key(self, x: Tensor) -> Tensor:
        """A fresh key for the words ``x (..., n)``."""

    @abstractmethod
    def lock(self, x: Tensor, key: Tensor) -> Tensor:
        """What the transmitter sends in place of ``x``."""

    @abstractmethod
    def unlock(self, y: Tensor, key: Tensor) -> Tensor:
        """What the receiver makes of ``y``."""

    @abstractmethod
    def keys(self, y: Tensor) -> list[Tensor]:
        """Keys that stand for all of them, independent of the one drawn, for words like ``y``."""

    def at(self, level: float) -> Self:
        """The same round the channel inside at ``level``."""
        return self._round(self.inside.at(level))

    @property
    def nominal(self) -> MemorylessChannel:
        """The law of the channel inside, which the map leaves as it is."""
        return self.inside.nominal

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Lock, send, unlock."""
        key = self.key(x)
        y, law = self.inside.transmit(self.lock(x, key), u)
        return Received(self.unlock(y, key), law)

    def against(self, harm: Callable[[Tensor], Tensor]) -> Channel:
        """The adversary inside knows the harm only on average over the keys."""

        def average(y: Tensor) -> Tensor:
            return torch.stack([harm(self.unlock(y, key)) for key in self.keys(y)]).mean(0)

        return self._round(self.inside.against(average))

    def uses(self, n: int) -> int:
        """Those of the channel inside."""
        return self.inside.uses(n)

    def cost(self, n: int) -> int:
        """That of the channel inside."""
        return self.inside.cost(n)

    def measure_power(self, draw: Draw) -> None:
        """Over the words as they are sent."""

        def locked() -> tuple[Tensor, Tensor | None]:
            x, u = draw()
            return self.lock(x, self.key(x)), u

        self.inside.measure_power(locked)

    def _round(self, inside: Channel) -> Self:
        other = copy.copy(self)
        other._modules = {"inside": inside}
        return other


class SharedSign(SharedRandomness):
    """``y = γ · inside(γ x)``: one fair sign ``γ`` per word."""

    def __init__(self, inside: Channel) -> None:
        super().__init__()
        self.inside = inside
        self.alphabet, self.output, self.knob = inside.alphabet, inside.output, inside.knob

    def key(self, x: Tensor) -> Tensor:
        """Fair signs ``(..., 1)``."""
        return torch.randint(2, (*x.shape[:-1], 1), device=x.device).to(x.dtype) * 2 - 1

    def lock(self, x: Tensor, key: Tensor) -> Tensor:
        """``γ x``."""
        return key * x

    def unlock(self, y: Tensor, key: Tensor) -> Tensor:
        """``γ y``."""
        return key * y

    def keys(self, y: Tensor) -> list[Tensor]:
        """Both signs."""
        return [y.new_ones(1), -y.new_ones(1)]


class SharedRotation(SharedRandomness):
    """``y = Qᵀ inside(Q x)``: one orthogonal matrix ``Q (n, n)`` per word, of Haar measure."""

    AVERAGED = 8

    def __init__(self, inside: Channel) -> None:
        super().__init__()
        if inside.alphabet != "real":
            raise ValueError(f"a rotated word is not antipodal: wrap a channel of real symbols, not {inside}")
        self.inside = inside
        self.alphabet, self.output, self.knob = inside.alphabet, inside.output, inside.knob

    def key(self, x: Tensor) -> Tensor:
        """``(..., n, n)``: the QR factor of a Gaussian matrix, its signs made unique (Mezzadri 2007)."""
        wide = torch.promote_types(x.dtype, torch.float32)  # halves have no QR
        q, r = torch.linalg.qr(torch.randn(*x.shape, x.shape[-1], dtype=wide, device=x.device))
        return (q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)).to(x.dtype)

    def lock(self, x: Tensor, key: Tensor) -> Tensor:
        """``Q x``."""
        return (key @ x.unsqueeze(-1)).squeeze(-1)

    def unlock(self, y: Tensor, key: Tensor) -> Tensor:
        """``Qᵀ y``."""
        return (key.mT @ y.unsqueeze(-1)).squeeze(-1)

    def keys(self, y: Tensor) -> list[Tensor]:
        """Fresh rotations."""
        return [self.key(y) for _ in range(self.AVERAGED)]


def innermost(channel: Channel) -> Channel:
    """The channel that shared secrets are wrapped round."""
    while isinstance(channel, SharedRandomness):
        channel = channel.inside
    return channel


SECRETS: dict[str, type[SharedRotation] | type[SharedSign]] = {"rotation": SharedRotation, "sign": SharedSign}


def share(channel: Channel, secret: str | None) -> Channel:
    """The channel with one of the `SECRETS` of transmitter and receiver round it, or as it is without."""
    if secret not in (None, *SECRETS):
        raise ValueError(f"no shared secret is called {secret!r}: choose from {', '.join(SECRETS)}")
    return channel if secret is None else SECRETS[secret](channel)
