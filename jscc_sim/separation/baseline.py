"""The best that separate source and channel coding do with the uses of an image, at each SNR."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jscc_sim.separation.losses import Losses, outage
from jscc_sim.separation.modes import Loss, Mode, capacity, modes
from jscc_sim.separation.source_codes import Array, Coded

# The error of rounding to 256 greys: an image that is reproduced exactly has this PSNR, and not an infinite one.
ROUNDING = 1 / (12 * 255**2)
# Rates of an outage that are tried, in bits per complex use.
OUTAGE_RATES = np.geomspace(0.02, 20, 120)
NEVER = Loss(0.0, 0.0)


class Outcome(NamedTuple):
    """What a separate design makes of images at an SNR, and how its uses were spent.

    ``psnr`` is the mean over images, ``psnr_error`` its standard error, ``psnr_of_mse`` the PSNR of their mean error,
    all in dB. An image has ``uses`` complex uses, which carry ``budget`` bits; of them the file took ``spent``,
    ``header`` of which a file that is grey all over takes as well: its header and the least of a body.
    ``lost`` is how often a mosaic is lost and its images are replaced by the mean one, by a 95 % interval at most
    ``lost_most``: where no block was seen to be lost some may be.
    """

    snr_db: float
    scheme: str
    format: str
    psnr: float
    psnr_error: float
    psnr_of_mse: float
    uses: float
    budget: float
    spent: float
    header: float
    lost: float
    lost_most: float


def ideal(codes: Iterable[Coded], uses: float, snr_db: float) -> Outcome:
    """The best format, if the channel carried bits at its capacity without error."""
    budget = uses * capacity(snr_db)
    return _best(_outcome(code, "capacity", uses, snr_db, budget, NEVER) for code in codes)


def in_outage(codes: Sequence[Coded], uses: float, snr_db: float) -> Outcome:
    """The best format and rate over slow Rayleigh fading, lost where capacity falls below the rate.

    The transmitter does not know the gain, which is that of a whole mosaic.
    """
    chances = {rate: outage(rate, snr_db) for rate in OUTAGE_RATES.tolist()}
    return _best(
        _outcome(code, f"outage at {rate:.2f} bits/use", uses, snr_db, uses * rate, Loss(lost, lost))
        for rate, lost in chances.items()
        for code in codes
    )


@dataclass(frozen=True, eq=False)
class Design:
    """A format and a mode that stay as they are, whatever the SNR; an image has ``uses`` complex uses."""

    code: Coded
    mode: Mode
    uses: float

    @property
    def blocks(self) -> int:
        """Of a mosaic."""
        return int(self.uses * self.code.images // self.mode.uses)

    def at(self, snr_db: float, losses: Losses) -> Outcome:
        """What it does at an SNR."""
        return self._losing(losses.of_mosaic(self.mode, snr_db, self.blocks), snr_db)

    def at_most(self, snr_db: float, losses: Losses) -> Outcome:
        """What it would do if its code were ideal for its rate."""
        least = losses.least(self.mode.rate, snr_db)
        return self._losing(Loss(least, least), snr_db)

    def _losing(self, lost: Loss, snr_db: float) -> Outcome:
        budget = self.blocks * self.mode.k / self.code.images
        return _outcome(self.code, self.mode.name, self.uses, snr_db, budget, lost)


def designed(codes: Sequence[Coded], uses: float, snr_db: float, losses: Losses) -> Design | None:
    """The best format and mode at an SNR, where ``losses`` says how often a mosaic is lost.

    None if none does better than the mean image. ValueError if all images of a mosaic have too few uses for a block.
    """
    tried = [Design(code, mode, uses) for mode in modes(int(uses * codes[0].images)) for code in codes]
    limits = {design: design.at_most(snr_db, losses).psnr for design in tried}
    best, reached = None, _nothing(codes[0], uses, snr_db).psnr
    for design in sorted(limits, key=limits.__getitem__, reverse=True):
        if limits[design] <= reached:
            break
        psnr = design.at(snr_db, losses).psnr
        if psnr > reached:
            best, reached = design, psnr
    return best


def practical(codes: Sequence[Coded], uses: float, snr_db: float, losses: Losses) -> Outcome:
    """What the best format and mode do at an SNR."""
    design = designed(codes, uses, snr_db, losses)
    return design.at(snr_db, losses) if design else _nothing(codes[0], uses, snr_db)


def _nothing(code: Coded, uses: float, snr_db: float) -> Outcome:
    return _outcome(code, "nothing is sent", uses, snr_db, 0.0, Loss(1.0, 1.0))


def _outcome(code: Coded, scheme: str, uses: float, snr_db: float, budget: float, lost: Loss) -> Outcome:
    errors, spent = code.within(budget)
    gone = lost.mean
    each = (1 - gone) * _psnr(errors) + gone * _psnr(code.given_up)
    psnr, error = float(each.mean()), float(each.std(ddof=1)) / math.sqrt(each.size)
    mse = (1 - gone) * errors.mean() + gone * code.given_up.mean()
    mine = (float(spent.mean()) / code.images, code.header * float(np.mean(spent > 0)) / code.images)
    return Outcome(snr_db, scheme, code.format, psnr, error, float(_psnr(mse)), uses, budget, *mine, *lost)


def _best(outcomes: Iterable[Outcome]) -> Outcome:
    return max(outcomes, key=lambda outcome: outcome.psnr)


def _psnr(errors: Array) -> Array:
    return np.asarray(-10 * np.log10(np.maximum(errors, ROUNDING)))
