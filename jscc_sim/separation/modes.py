"""How bits go over complex uses: an LDPC code and a constellation, and how often a block of them is lost."""

from dataclasses import dataclass
from functools import cached_property

from channels import AWGN, from_decibels
from jscc_sim.case import Case
from jscc_sim.codecs import CONSTELLATIONS, LDPC, Modulated
from jscc_sim.link import Link
from jscc_sim.metrics import BLER
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.sources import Bits
from jscc_sim.store import Store
from jscc_sim.theory.limits import capacity_complex

# Symbols of a block: a multiple of all bits to a point; and of it, how many may be information.
BLOCK = 6480
INFORMATION = (1296, 1620, 2160, 2592, 3240, 3888, 4320, 4860, 5400, 5832)
FEW = 20
POINTS = ("qpsk", "16qam", "64qam", "256qam")


@dataclass(frozen=True)
class Mode:
    """The 5G LDPC code of ``k`` bits in ``BLOCK``, its symbols on the points of a constellation."""

    k: int
    constellation: str

    @property
    def uses(self) -> int:
        """Complex uses of a block."""
        return BLOCK // CONSTELLATIONS[self.constellation]

    @property
    def rate(self) -> float:
        """Information bits per complex use."""
        return self.k / self.uses

    @property
    def name(self) -> str:
        """As in tables."""
        return f"LDPC({self.k},{BLOCK}) {self.constellation}"

    @cached_property
    def codec(self) -> Modulated:
        """Built once."""
        return Modulated(LDPC(self.k, BLOCK), self.constellation)

    def lost(self, snr_db: float, blocks: int, store: Store | None = None, seed: int = 0) -> Row:
        """How often a block is lost in Gaussian noise; a mode that loses half of the first few is not measured on."""
        first = self._lost(snr_db, Budget(min(blocks, FEW)), store, seed)
        return first if first.mean >= 0.5 else self._lost(snr_db, Budget(blocks), store, seed)

    def _lost(self, snr_db: float, budget: Budget, store: Store | None, seed: int) -> Row:
        link = Link(Bits(self.k), self.codec, AWGN(1.0).at(snr_db)).eval()
        case = Case(link, labels={"codec": self.name, "knob": "snr_db", "level": snr_db})
        (row,) = sweep([case], budget, metrics=[BLER], store=store, seed=seed)
        return row


MODES = tuple(sorted((Mode(k, points) for points in POINTS for k in INFORMATION), key=lambda mode: mode.rate))


def worth_trying(snr_db: float) -> list[Mode]:
    """Modes that a channel of this SNR can carry, the fastest first."""
    return [mode for mode in reversed(MODES) if mode.rate < capacity(snr_db)]


def capacity(snr_db: float) -> float:
    """Bits per complex use."""
    return float(capacity_complex(from_decibels(snr_db), 0, 1))
