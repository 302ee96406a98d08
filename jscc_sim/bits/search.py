"""Encoder search: a transmitter that knows the decoder and the channel's law tries flips of its own word first."""

import math

import torch
from torch import Tensor

from channels import BEC, BSC, Channel, MemorylessChannel
from jscc_sim.bits.distortion import distortion
from jscc_sim.codecs import BinaryCodec, Codec
from jscc_sim.precision import gains_from_bf16
from jscc_sim.sources import checked_count

# Draws, rounds and flips between which validation images decide, and how often each is sent to judge. The first makes
# no round: where noise is much, words may be best as they are.
TRIED = ((2, 0, 1), (16, 4, 4), (32, 4, 4), (128, 4, 4))
JUDGING = 5
# So many received words are decoded at a time.
DECODED = 4096


def check_searchable(channel: Channel) -> None:
    """ValueError unless a transmitter can search words for the channel."""
    if not isinstance(channel, BSC | BEC):
        raise ValueError(
            f"the search is for nature's flips or erasures, not {type(channel).__name__}: use bsc or bec, or no search"
        )
    if isinstance(channel, BSC) and channel.flip > 0.5:
        raise ValueError(f"the search is for flips of probability 0.5 at most, got {channel.flip:g}")


class SearchedCodec(Codec):
    """A binary codec whose word is improved, flip by flip, for the channel that it is to pass.

    The error of a word is a mean over ``draws`` of the channel's factors, the same for all words of an image. In each
    of ``rounds`` flips of ``tried`` symbols are tried one after the other, first those that promise most by the error's
    gradient, and each is kept that lowers the error by more than the standard error of its gain, lest the search learn
    the draws. Over a `BSC` each draw has the errors of both values of the symbol, whichever was received: the mean over
    its own factor is taken exactly, which makes few draws go far where noise is much. Over a `BEC` a draw in which it
    was erased says nothing.
    """

    alphabet = "antipodal"
    cost = 64

    def __init__(self, codec: BinaryCodec, channel: Channel, draws: int = 64, rounds: int = 4, tried: int = 4) -> None:
        super().__init__()
        check_searchable(channel)
        if checked_count("draws", draws) < 2:
            raise ValueError(f"a gain is judged on at least 2 draws, got {draws}")
        self.codec, self.channel, self.k, self.n = codec, channel, codec.k, codec.n
        self.draws, self.rounds = draws, rounds and checked_count("rounds", rounds)
        self.tried = min(checked_count("tried", tried), codec.n)
        self.train(codec.training)  # a module is born in training, and would take the codec there

    def encode(self, u: Tensor) -> Tensor:
        """The improved word."""
        parts = u.reshape(-1, self.k).split(max(1, DECODED // self.draws))
        return torch.cat([self.improve(part, self.codec.encode(part)) for part in parts]).view(*u.shape[:-1], self.n)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """That of the codec."""
        return self.codec.decode(y, law)

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """That of the codec."""
        return self.codec.loss(u, y, law)

    @torch.no_grad()
    def improve(self, u: Tensor, x: Tensor) -> Tensor:
        """Words ``(images, n)`` for images ``u (images, k)``: ``x`` but for the flips that gain on the draws."""
        x = x.clone()
        factors = self.channel(torch.ones(self.draws, *x.shape, device=x.device))
        left = torch.arange(len(x), device=x.device)  # of images whose last round found something
        for _ in range(self.rounds):
            if not len(left):
                break
            words, noise = x[left], factors[:, left]
            errors, promise = self._promise(u[left], words, noise)
            found = torch.zeros(len(left), dtype=torch.bool, device=x.device)
            for candidate in promise.topk(self.tried, -1).indices.T:
                flipped = words * torch.ones_like(words).scatter(-1, candidate.unsqueeze(-1), -1.0)
                then = self._errors(u[left], flipped * noise)
                own = noise.gather(-1, candidate.expand(len(noise), -1).unsqueeze(-1)).squeeze(-1)
                gain = own * (errors - then)  # of a symbol that the channel turned, the two change places
                better = gain.mean(0) > gain.std(0) / math.sqrt(self.draws)
                words, errors = torch.where(better.unsqueeze(-1), flipped, words), torch.where(better, then, errors)
                found |= better
            x[left] = words
            left = left[found]
        return x

    def _errors(self, u: Tensor, y: Tensor) -> Tensor:
        """Of words ``(draws, images, n)`` as received, ``(draws, images)``, in the fastest numbers of the machine."""
        device = y.device.type
        with torch.autocast(device, torch.bfloat16, enabled=gains_from_bf16(device)):
            return self.codec.loss(u, y, self.channel.nominal).float()

    def _promise(self, u: Tensor, x: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
        """The errors of words, and by how much a flip of each symbol would lower their mean, were it received so."""
        with torch.enable_grad():
            received = (x * factors).requires_grad_()
            errors = self._errors(u, received)
            (slopes,) = torch.autograd.grad(errors.sum(), received)
        return errors.detach(), 2 * x * slopes.mean(0)

    def extra_repr(self) -> str:
        """How hard it searches; codec and channel show themselves."""
        return f"draws={self.draws}, rounds={self.rounds}, tried={self.tried}"


def chosen_search(codec: BinaryCodec, channel: Channel, images: Tensor) -> tuple[SearchedCodec, dict[str, float]]:
    """The search of those `TRIED` that does best on images, and the squared errors of all, by what it is."""
    searches = {"x".join(map(str, how)): SearchedCodec(codec, channel, *how) for how in TRIED}
    found = {
        name: distortion(searched, channel, images, draws=JUDGING, squared=True).mean
        for name, searched in searches.items()
    }
    return searches[min(found, key=found.__getitem__)], found
