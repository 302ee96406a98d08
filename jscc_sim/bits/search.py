"""Encoder search: a transmitter that knows the decoder and the channel's law tries flips of its own word first."""

import torch
from torch import Tensor

from channels import Channel, MemorylessChannel
from jscc_sim.bits.distortion import distortion
from jscc_sim.codecs import BinaryCodec, Codec
from jscc_sim.sources import checked_count

# Draws and rounds between which validation images decide, and how often each is sent to judge.
TRIED = ((16, 8), (64, 8), (64, 16), (256, 16))
JUDGING = 5


class SearchedCodec(Codec):
    """A binary codec whose word is improved, flip by flip, for the channel that it is to pass.

    The error of a word is a mean over ``draws`` of the channel's factors, the same for all words of an image. In each
    of ``rounds`` the flips of ``tried`` symbols are tried, those that promise most by the error's gradient, and the
    best is kept if it lowers the error. ``channel`` multiplies each symbol by a factor of its own, as `BSC` and `BEC`
    do.
    """

    alphabet = "antipodal"
    cost = 64

    def __init__(self, codec: BinaryCodec, channel: Channel, draws: int = 64, rounds: int = 8, tried: int = 4) -> None:
        super().__init__()
        if channel.output != "antipodal":
            raise ValueError(
                f"the search draws factors of symbols, which {type(channel).__name__} has not: use bsc or bec"
            )
        self.codec, self.channel, self.k, self.n = codec, channel, codec.k, codec.n
        self.draws, self.rounds = checked_count("draws", draws), rounds
        self.tried = min(checked_count("tried", tried), codec.n)

    def encode(self, u: Tensor) -> Tensor:
        """The improved word."""
        images = u.reshape(-1, self.k)
        return self.improve(images, self.codec.encode(images)).view(*u.shape[:-1], self.n)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """That of the codec."""
        return self.codec.decode(y, law)

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """That of the codec."""
        return self.codec.loss(u, y, law)

    @torch.no_grad()
    def improve(self, u: Tensor, x: Tensor) -> Tensor:
        """Words ``(images, n)`` no worse than ``x`` on the draws, for images ``u (images, k)``."""
        x = x.clone()
        factors = self.channel(torch.ones(self.draws, *x.shape, device=x.device))
        left = torch.arange(len(x), device=x.device)  # of images whose last round found something
        for _ in range(self.rounds):
            if not len(left):
                break
            words, noise = x[left], factors[:, left]
            error, promise = self._promise(u[left], words, noise)
            candidates = promise.topk(self.tried, -1).indices
            flips = torch.ones_like(words).expand(self.tried, -1, -1).scatter(-1, candidates.T.unsqueeze(-1), -1.0)
            found = torch.stack([self._error(u[left], words * flip, noise) for flip in flips])
            least, which = found.min(0)
            better = least < error
            x[left[better]] = (words * flips[which, torch.arange(len(words), device=x.device)])[better]
            left = left[better]
        return x

    def _error(self, u: Tensor, x: Tensor, factors: Tensor) -> Tensor:
        return self.codec.loss(u, x * factors, self.channel.nominal).mean(0)

    def _promise(self, u: Tensor, x: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
        """The error of words, and by how much a flip of each symbol lowers it to first order."""
        with torch.enable_grad():
            sent = x.detach().requires_grad_()
            error = self._error(u, sent, factors)
            (slope,) = torch.autograd.grad(error.sum(), sent)
        return error.detach(), 2 * x * slope

    def extra_repr(self) -> str:
        """How hard it searches; codec and channel show themselves."""
        return f"draws={self.draws}, rounds={self.rounds}, tried={self.tried}"


def chosen_search(codec: BinaryCodec, channel: Channel, images: Tensor) -> tuple[SearchedCodec, dict[str, float]]:
    """The search of those `TRIED` that does best on images, and the squared errors of all, by draws and rounds."""
    searches = {f"{draws}x{rounds}": SearchedCodec(codec, channel, draws, rounds) for draws, rounds in TRIED}
    found = {
        name: distortion(searched, channel, images, draws=JUDGING, squared=True).mean
        for name, searched in searches.items()
    }
    return searches[min(found, key=found.__getitem__)], found
