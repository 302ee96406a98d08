"""How often a mosaic is lost: with any of its blocks, in Gaussian noise or where all of them share one fading gain."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from channels import decibels, from_decibels
from jscc_sim.separation.modes import Loss, Mode, capacity

# How often a block of a mode is lost in Gaussian noise at an SNR in dB.
Lost = Callable[[Mode, float], Loss]
# Levels of a faded SNR lie so many dB apart.
STEP = 0.5


@dataclass(frozen=True)
class Losses(ABC):
    """Of mosaics over some channel, by ``lost`` of single blocks in Gaussian noise, which is asked once for each."""

    lost: Lost

    def __post_init__(self) -> None:
        object.__setattr__(self, "lost", cache(self.lost))

    @abstractmethod
    def least(self, rate: float, snr_db: float) -> float:
        """How often mosaics are lost at so many bits per complex use at least: where these exceed the capacity."""

    @abstractmethod
    def of_mosaic(self, mode: Mode, snr_db: float, blocks: int) -> Loss:
        """How often one or more of so many blocks are lost."""


class OverNoise(Losses):
    """Gaussian noise."""

    def least(self, rate: float, snr_db: float) -> float:
        """All or none."""
        return float(rate >= capacity(snr_db))

    def of_mosaic(self, mode: Mode, snr_db: float, blocks: int) -> Loss:
        """Blocks are lost one by one."""
        return self.lost(mode, snr_db).of_any(blocks)


class OverFading(Losses):
    """Slow Rayleigh fading of a mean SNR: each mosaic has one gain, which the transmitter does not know."""

    def least(self, rate: float, snr_db: float) -> float:
        """That of an outage."""
        return outage(rate, snr_db)

    def of_mosaic(self, mode: Mode, snr_db: float, blocks: int) -> Loss:
        """The mean over gains, by the midpoints of steps of half a decibel; below capacity all is lost.

        Above the first level at which no block is seen to be lost, none is; those levels are the same for all SNRs.
        """
        needed_db = _needed_db(mode.rate)
        level = STEP * math.ceil(needed_db / STEP)
        reached = mean = high = _below(max(needed_db, level - STEP / 2), snr_db)
        while reached < 1:
            loss = self.lost(mode, level).of_any(blocks)
            end = _below(level + STEP / 2, snr_db) if loss.mean > 0 else 1.0
            mean += (end - reached) * loss.mean
            high += (end - reached) * loss.high
            reached, level = end, level + STEP
        return Loss(mean, high)


def outage(rate: float, snr_db: float) -> float:
    """``P(log2(1 + h² SNR) < rate)`` of Rayleigh fading, whose ``h²`` is exponential, of mean one."""
    return _below(_needed_db(rate), snr_db)


def _needed_db(rate: float) -> float:
    """The SNR whose capacity is so many bits per complex use."""
    return decibels(2**rate - 1)


def _below(level_db: float, snr_db: float) -> float:
    """How often the faded SNR lies below a level."""
    return -math.expm1(-from_decibels(level_db - snr_db))
