"""Forward error correction from Sionna, as codecs of bits."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from channels import MemorylessChannel
from jscc_sim.codecs.base import BitCodec, antipodal
from jscc_sim.codecs.belief_propagation import MOST_LLR, BeliefPropagation
from jscc_sim.codecs.forward_backward import ForwardBackward
from jscc_sim.codecs.no_gradient import without_gradient
from jscc_sim.sources import checked_count


@contextmanager
def _sionnas(code: str) -> Iterator[None]:
    """In which Sionna is imported and asked for a ``code``: ValueError if there is none.

    Importing it reseeds torch, which is undone; of rates above 948/1024, most of which it refuses, it warns as well.
    """
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Effective coderate")
        try:
            yield
        except (ValueError, AssertionError) as error:
            raise ValueError(f"there is no {code}: {error}") from None


# Of the LDPC codes of 5G.
HIGHEST_RATE = 0.95


class _SionnaCode(BitCodec):
    """A code whose ``encoder`` is Sionna's."""

    encoder: Any

    def encode(self, u: Tensor) -> Tensor:
        """The code word, antipodal."""
        return antipodal(self.encoder(u))


class LDPC(_SionnaCode):
    """The 5G LDPC code of ``k`` information bits in ``n`` symbols, decoded by belief propagation.

    Sionna encodes and knows the graph; the decoder is our own, which stops when a word satisfies all checks.
    """

    def __init__(self, k: int = 512, n: int = 1024, iterations: int = 20) -> None:
        super().__init__()
        self.k, self.n, self.iterations = k, n, iterations
        if checked_count("k", k) > HIGHEST_RATE * checked_count("n", n):
            least = math.ceil(k / HIGHEST_RATE)
            wrong = f"there is no 5G LDPC code with k={k}, n={n}: its rate would be {k / n:.3g}, above {HIGHEST_RATE}"
            raise ValueError(f"{wrong}; use n of at least {least}")
        with _sionnas(f"5G LDPC code with k={k}, n={n}"):
            from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

            self.encoder = LDPC5GEncoder(k, n, precision="single", device="cpu")
            # Its graph lacks the checks that only symbols which were not sent would satisfy.
            graph = LDPC5GDecoder(self.encoder, precision="single", device="cpu").pcm
        self.decoder = BeliefPropagation(graph, iterations)
        self.symbols = graph.shape[1]
        places = [*range(2 * self.encoder.z, k), *range(self.encoder.k_ldpc, self.symbols)][:n]
        self.register_buffer("sent", torch.tensor(places), persistent=False)

    sent: Tensor

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Hard decisions on the information bits."""
        llr = law.llr(y).reshape(-1, self.n)
        posterior = self.decoder(self._of_the_graph(llr))[:, : self.k]
        return posterior.lt(0).to(y.dtype).reshape(*y.shape[:-1], self.k)

    def order(self, bits: int) -> Tensor:
        """5G's: rows as long as there are points, read by columns, so that systematic bits are the surest of a point.

        3GPP TS 38.212, 5.4.2.2.
        """
        return torch.arange(self.n).reshape(bits, -1).T.flatten()

    def _of_the_graph(self, llr: Tensor) -> Tensor:
        """LLRs ``(words, symbols)`` of all symbols of the graph: some are never sent, and fillers known to be 0."""
        known = llr.new_zeros(len(llr), self.symbols)
        known[:, self.k : self.encoder.k_ldpc] = MOST_LLR
        known[:, self.sent] = llr.clamp(-MOST_LLR, MOST_LLR)
        return known

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, n={self.n}, iterations={self.iterations}"


class Polar(_SionnaCode):
    """The 5G polar code of ``k`` information bits, a checksum, and ``n`` symbols, decoded by lists (Sionna)."""

    def __init__(self, k: int = 128, n: int = 256, list_size: int = 8) -> None:
        super().__init__()
        self.k, self.n, self.list_size = k, n, list_size
        with _sionnas(f"5G polar code with k={k}, n={n}, list size {list_size}"):
            from sionna.phy.fec.polar import Polar5GDecoder, Polar5GEncoder

            self.encoder = Polar5GEncoder(k, n, precision="single", device="cpu")
            self.decoder = Polar5GDecoder(self.encoder, "SCL", list_size=list_size, precision="single", device="cpu")

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Hard decisions on the information bits; Sionna's LLR is log p1/p0, ours log p0/p1."""
        return self.decoder(-law.llr(y))

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, n={self.n}, list_size={self.list_size}"


class Turbo(_SionnaCode):
    """The turbo code of rate 1/3 with the 3GPP interleaver, two terminated encoders of eight states (Sionna).

    With their tails ``n = 3k + 12``. Where 3GPP has no interleaver for k, it is Sionna's: the next longer one, cut. The
    decoder is our own and does what Sionna's does, in which an interpreter takes every step of the trellis by itself.
    """

    def __init__(self, k: int = 256, iterations: int = 6) -> None:
        super().__init__()
        self.k, self.iterations = checked_count("k", k), checked_count("iterations", iterations)
        with _sionnas(f"turbo code with k={k}"):
            from sionna.phy.fec.turbo import TurboEncoder

            self.encoder = TurboEncoder(
                constraint_length=4, rate=1 / 3, terminate=True, precision="single", device="cpu"
            )
            self.n = self.encoder(torch.zeros(1, k)).shape[-1]
            interleaved = self.encoder.internal_interleaver(torch.arange(float(k)).unsqueeze(0))[0].long()
        trellis = self.encoder.trellis
        self.decoder = ForwardBackward(trellis.to_nodes, trellis.op_by_fromnode & 1)
        self.register_buffer("interleaved", interleaved, persistent=False)

    interleaved: Tensor

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Hard decisions on the information bits."""
        posterior = without_gradient(self._posterior, law.llr(y).reshape(-1, self.n).T)
        return posterior.lt(0).T.to(y.dtype).reshape(*y.shape[:-1], self.k)

    def _posterior(self, llr: Tensor) -> Tensor:
        """LLRs ``(k, words)`` of the information bits from those of symbols ``(n, words)``, decoder after decoder."""
        bits, *parities = llr[: 3 * self.k].unflatten(0, (self.k, 3)).unbind(1)
        tails = llr[3 * self.k :].unflatten(0, (2, self.decoder.memory, 2))
        first, second = (torch.cat([one, tail[:, 1]]) for one, tail in zip(parities, tails, strict=True))
        other = self.interleaved.argsort()
        told = torch.zeros_like(bits)
        for _ in range(self.iterations):
            known = bits + told
            found = self.decoder(torch.cat([known, tails[0, :, 0]]), first)[: self.k]
            known = bits + (found - known).clamp(-MOST_LLR, MOST_LLR)
            found = self.decoder(torch.cat([known[self.interleaved], tails[1, :, 0]]), second)[: self.k][other]
            told = (found - known).clamp(-MOST_LLR, MOST_LLR)
        return found

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, iterations={self.iterations}"
