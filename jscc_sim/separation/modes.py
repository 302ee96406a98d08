"""How bits go over complex uses: an LDPC code and a constellation, and how often a block of them is lost."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import NamedTuple

from channels import AWGN, Channel, from_decibels
from jscc_sim.case import Case
from jscc_sim.codecs import CONSTELLATIONS, LDPC, Modulated
from jscc_sim.link import Link
from jscc_sim.metrics import BLER
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.sources import Bits
from jscc_sim.store import Store
from jscc_sim.theory.limits import capacity_complex

# Bits of a block: about so many, so that whole blocks fill the uses that there are, and at least so many; the share of
# them that may be information; and how many blocks are sent to see whether a mode is worth measuring.
BLOCK, LEAST = 6480, 480
RATES = tuple(map(Fraction, ("1/5", "1/4", "1/3", "2/5", "1/2", "3/5", "2/3", "3/4", "5/6", "9/10")))
FEW = 20
POINTS = ("qpsk", "16qam", "64qam", "256qam")


class Loss(NamedTuple):
    """How often something is lost, and the end of the 95 % interval of that."""

    mean: float
    high: float

    def of_any(self, count: int) -> "Loss":
        """How often one or more of so many are."""
        return Loss(1 - (1 - self.mean) ** count, 1 - (1 - self.high) ** count)


@dataclass(frozen=True)
class Mode:
    """The 5G LDPC code of ``k`` bits in ``n``, its symbols on the points of a constellation."""

    k: int
    n: int
    constellation: str

    @property
    def uses(self) -> int:
        """Complex uses of a block."""
        return self.n // CONSTELLATIONS[self.constellation]

    @property
    def rate(self) -> float:
        """Information bits per complex use."""
        return self.k / self.uses

    @property
    def name(self) -> str:
        """As in tables."""
        return f"LDPC({self.k},{self.n}) {self.constellation}"

    @cached_property
    def codec(self) -> Modulated:
        """Built once."""
        return Modulated(LDPC(self.k, self.n), self.constellation)

    def lost(
        self, channel: Channel, blocks: int, store: Store | None = None, seed: int = 0, **labels: str | float
    ) -> Loss:
        """How often a block is lost over a channel; a mode that loses half of the first few is not measured on.

        In the store results have these ``labels``, beside the codec's.
        """
        case = Case(Link(Bits(self.k), self.codec, channel).eval(), labels={"codec": self.name, **labels})
        row = self._lost(case, Budget(min(blocks, FEW)), store, seed)
        if row.mean < 0.5:
            row = self._lost(case, Budget(blocks), store, seed)
        return Loss(row.mean, row.high)

    def lost_in_noise(self, snr_db: float, blocks: int, store: Store | None = None, seed: int = 0) -> Loss:
        """The same in Gaussian noise."""
        return self.lost(AWGN(1.0).at(snr_db), blocks, store, seed, knob="snr_db", level=snr_db)

    def _lost(self, case: Case, budget: Budget, store: Store | None, seed: int) -> Row:
        (row,) = sweep([case], budget, metrics=[BLER], store=store, seed=seed)
        return row


@cache
def modes(uses: int) -> tuple[Mode, ...]:
    """Those whose blocks fill so many complex uses, what they carry rising; ValueError if these are too few."""
    found = []
    for points in POINTS:
        bits = CONSTELLATIONS[points]
        n = bits * (uses // max(1, round(uses * bits / BLOCK)))
        if n < LEAST:
            raise ValueError(
                f"{uses} complex uses of all images of a mosaic carry {n} bits as {points}, fewer than a block of"
                f" {LEAST}: use a larger ratio"
            )
        found += [Mode(math.ceil(rate * n), n, points) for rate in RATES]
    return tuple(sorted(found, key=lambda mode: uses // mode.uses * mode.k))


def capacity(snr_db: float) -> float:
    """Bits per complex use."""
    return float(capacity_complex(from_decibels(snr_db), 0, 1))
