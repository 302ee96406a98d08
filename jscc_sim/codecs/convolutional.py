"""A convolutional code from CommPy, as a codec of bits."""

import numpy as np
import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.sources import checked_count

MEMORY = 2
GENERATORS = (0o5, 0o7)


class Convolutional(BitCodec):
    """The terminated (5, 7) code of rate ½ and memory 2, decoded by soft Viterbi (CommPy): ``n = 2(k + 2)``.

    CommPy's decoder is a Python loop, about 4,000 bits a second: use it to cross-check, not to simulate at length.
    """

    cost = 128

    def __init__(self, k: int = 64) -> None:
        super().__init__()
        from commpy.channelcoding import Trellis

        self.k = checked_count("k", k)
        self.n = len(GENERATORS) * (k + MEMORY)
        self.trellis = Trellis(np.array([MEMORY]), np.array([GENERATORS]))

    def encode(self, u: Tensor) -> Tensor:
        """The code word, antipodal, with tail bits that end in state 0."""
        from commpy.channelcoding import conv_encode

        bits = u.reshape(-1, self.k).int().cpu().numpy()
        words = np.stack([conv_encode(word, self.trellis) for word in bits])
        return antipodal(torch.from_numpy(words).to(u)).reshape(*u.shape[:-1], self.n)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The most likely information bits. CommPy's soft input has bit 1 at +1; its scale does not matter."""
        from commpy.channelcoding import viterbi_decode

        soft = -law.llr(y)
        soft = soft / soft.abs().amax(-1, keepdim=True).clamp_min(1e-12)
        words = [
            viterbi_decode(word, self.trellis, tb_depth=self.k + MEMORY, decoding_type="unquantized")[: self.k]
            for word in soft.reshape(-1, self.n).double().cpu().numpy()
        ]
        return torch.from_numpy(np.stack(words)).to(y).reshape(*y.shape[:-1], self.k)

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}"
