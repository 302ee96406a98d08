"""Metrics: from a transmission to one score per word, and how the mean of the scores is shown."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from channels import decibels
from jscc_sim.link import Transmission
from jscc_sim.sources import Images, Source

# A power of two, so that float32 holds 1 − LEAST_CHANCE, and its distance from 1, exactly.
LEAST_CHANCE = 2.0**-20
LEAST_ERROR = 1e-12
# Words, to see whether they are bits.
LOOKED_AT = 16


def identity(mean: float) -> float:
    """The mean itself."""
    return mean


def peak_ratio(mean: float) -> float:
    """``10 log10(1/mean)``, the PSNR in dB of a mean-square error of pixels in [0, 1]."""
    return decibels(1 / mean) if mean > 0 else float("inf")


@dataclass(frozen=True)
class Metric:
    """A score per word; ``binary`` if it is 0 or 1, ``errors`` if it counts rare events, which may never show.

    Where an estimator weighs errors they are ``weighted``: seen in every block, and measured as a mean. Rows show
    ``shown`` of the mean score and of its interval's ends.
    """

    name: str
    score: Callable[[Transmission], Tensor]
    says: str = ""
    binary: bool = False
    errors: bool = False
    shown: Callable[[float], float] = identity
    weighted: bool = False

    @property
    def counted(self) -> bool:
        """Whether its precision is a matter of how many errors were seen."""
        return self.errors and not self.weighted


def squared_error(sent: Transmission) -> Tensor:
    """``(words,)``: squared error per source symbol."""
    errors = (sent.u - sent.u_hat).square()
    return errors.squeeze(-1) if errors.shape[-1] == 1 else errors.mean(-1)


def peak_ratios(sent: Transmission) -> Tensor:
    """``(words,)``: the PSNR in dB of each image, 120 at most: that of one that is reproduced exactly is infinite."""
    return -10 * squared_error(sent).clamp_min(LEAST_ERROR).log10()


def cross_entropy(sent: Transmission) -> Tensor:
    """``(words,)``: ``−u ln û − (1 − u) ln(1 − û)`` per pixel, ``û`` the decoder's chance of white.

    ``û`` is clipped to ``[ε, 1 − ε]``, ``ε = 2⁻²⁰``, so that a pixel costs 13.9 nats at most.
    """
    white = sent.u_hat.clamp(LEAST_CHANCE, 1 - LEAST_CHANCE)
    return -(sent.u * white.log() + (1 - sent.u) * (1 - white).log()).mean(-1)


def wrong_bits(sent: Transmission) -> Tensor:
    """``(words,)``: how many bits are wrong; a sum of differences, because comparisons are slower."""
    _check_decided(sent)
    wrong = sent.u - sent.u_hat
    return wrong.squeeze(-1) if wrong.shape[-1] == 1 else wrong.abs_().sum(-1)


def _check_decided(sent: Transmission) -> None:
    """ValueError unless bits were decoded, as far as the first words show."""
    few = sent.u_hat[:LOOKED_AT]
    if not ((few == 0) | (few == 1)).all():
        raise ValueError("the codec decoded numbers that are neither 0 nor 1 where bits are due: decide soft values")


def bit_errors(sent: Transmission) -> Tensor:
    """``(words,)``: the share of wrong bits; true or false for words of one bit."""
    k = sent.u.shape[-1]
    if k > 1:
        return wrong_bits(sent).double() / k
    _check_decided(sent)
    # numpy compares several times as fast as torch does.
    return torch.from_numpy(sent.u.numpy(force=True) != sent.u_hat.numpy(force=True)).squeeze(-1)


def block_errors(sent: Transmission) -> Tensor:
    """``(words,)``: true where any bit is wrong."""
    return wrong_bits(sent).bool()


MSE = Metric("mse", squared_error, "mean-square error per source symbol")
PSNR = Metric("psnr", peak_ratios, "10 log10(1/MSE) in dB of each image, pixels in [0, 1]")
PSNR_OF_MSE = Metric("psnr_of_mse", squared_error, "10 log10(1/mean MSE) in dB, pixels in [0, 1]", shown=peak_ratio)
NATS = Metric("nats", cross_entropy, "cross-entropy of black and white pixels, nats per pixel")
BER = Metric("ber", bit_errors, "bit error rate, scored word by word", errors=True)
SINGLE_BIT_BER = Metric("ber", bit_errors, "error rate of words of one bit", errors=True, binary=True)
BLER = Metric("bler", block_errors, "share of words with any wrong bit", errors=True, binary=True)


METRICS = {metric.name: metric for metric in (MSE, PSNR, PSNR_OF_MSE, NATS, BER, BLER)}


def metrics_for(source: Source) -> tuple[Metric, ...]:
    """MSE; for bits their error rate and, for longer words, the block error rate before it.

    Images have their mean PSNR, and that of their mean error, too. Those in black and white have NATS, which takes
    whatever a codec decodes for chances of white.
    """
    if isinstance(source, Images):
        return (MSE, PSNR, PSNR_OF_MSE, NATS) if source.is_binary else (MSE, PSNR, PSNR_OF_MSE)
    if source.alphabet == "bits":
        return (BLER, BER) if source.k > 1 else (SINGLE_BIT_BER,)
    return (MSE,)
