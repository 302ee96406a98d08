"""Forward error correction from Sionna, as codecs of bits."""

import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal


class LDPC(BitCodec):
    """The 5G LDPC code of ``k`` information bits in ``n`` symbols, decoded by belief propagation (Sionna)."""

    cost = 8

    def __init__(self, k: int = 512, n: int = 1024, iterations: int = 20) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # importing Sionna reseeds torch
            from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
        self.k, self.n, self.iterations = k, n, iterations
        try:
            self.encoder = LDPC5GEncoder(k, n, precision="single", device="cpu")
        except (ValueError, AssertionError) as error:
            raise ValueError(f"there is no 5G LDPC code with k={k}, n={n}: {error}") from None
        self.decoder = LDPC5GDecoder(self.encoder, num_iter=iterations, precision="single", device="cpu")

    def encode(self, u: Tensor) -> Tensor:
        """The code word, antipodal."""
        return antipodal(self.encoder(u))

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Hard decisions on the information bits; Sionna's LLR is log p1/p0, ours log p0/p1."""
        return self.decoder(-law.llr(y))

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, n={self.n}, iterations={self.iterations}"
