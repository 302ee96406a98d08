"""CommPy's convolutional code, to check our own with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.codecs.convolutional import INDUSTRY, Convolutional

# Above all that a word could say against it.
LOUD = 1e4


class CommPyConvolutional(BitCodec):
    """The same code as `Convolutional`, encoded and decoded by CommPy.

    Its decoder is a Python loop, a few thousand bits a second: use it to cross-check, not to simulate at length.
    """

    cost = 128

    def __init__(self, k: int = 64, generators: Sequence[int] = INDUSTRY) -> None:
        super().__init__()
        from commpy.channelcoding import Trellis

        ours = Convolutional(k, generators)
        self.k, self.n, self.generators, self.memory = ours.k, ours.n, ours.generators, ours.memory
        newest_last = [int(f"{generator:0{self.memory + 1}b}"[::-1], 2) for generator in self.generators]
        self.trellis = Trellis(np.array([self.memory]), np.array([newest_last]))

    def encode(self, u: Tensor) -> Tensor:
        """The code word, antipodal, with tail bits that end in state 0."""
        from commpy.channelcoding import conv_encode

        bits = u.reshape(-1, self.k).int().cpu().numpy()
        words = np.stack([conv_encode(word, self.trellis) for word in bits])
        return antipodal(torch.from_numpy(words).to(u)).reshape(*u.shape[:-1], self.n)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The most likely information bits. CommPy's soft input has bit 1 at +1; its scale does not matter.

        It does not know that words are terminated, and is told by as many zeros after the word, loud and clear.
        """
        from commpy.channelcoding import viterbi_decode

        soft = -law.llr(y).reshape(-1, self.n)
        soft = soft / soft.abs().amax(-1, keepdim=True).clamp_min(1e-12)
        told = nn.functional.pad(soft, (0, len(self.generators) * self.memory), value=-LOUD).double().cpu().numpy()
        depth = self.k + 2 * self.memory
        words = [viterbi_decode(word, self.trellis, tb_depth=depth, decoding_type="unquantized") for word in told]
        return torch.from_numpy(np.stack(words)[:, : self.k]).to(y).reshape(*y.shape[:-1], self.k)

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, generators={self.generators}"
