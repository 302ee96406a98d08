"""What is noticed apart from the SNR: the encoder's normalisations and power, the channel's noise and gain."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from channels import decibels
from jscc_sim.snr_check.measure import SIGNIFICANT, Sent, flat, powers
from jscc_sim.snr_check.report import Finding
from jscc_sim.snr_check.user_code import UserCode
from jscc_sim.sources import Images
from jscc_sim.tally import standard_error


def of_encoder(code: UserCode, u: Tensor, x: Tensor) -> Iterator[Finding]:
    """Normalisations, seen from the powers of words and from the same words in other company."""
    if _constant(x.abs()):
        yield Finding(
            "constant modulus",
            "every symbol has the same power, as in BPSK or PSK; if each word of one symbol was normalised by itself, "
            "only its sign or phase is left",
        )
    elif _constant(powers(x)) and isinstance(code.source, Images):
        yield Finding(
            "power per word", "every word has the same power, as is usual for images: compare it with such codes"
        )
    elif _constant(powers(x)):
        yield Finding(
            "per-codeword normalisation",
            "every word has exactly the same power: stricter than E|x|² = P, and the word's size is lost to the "
            "receiver. Divide by one constant √E|x|² measured over many words, or compare only with codes that do this",
        )
    yield from _of_company(code, u)


def _constant(a: Tensor) -> bool:
    return float(a.std()) < 1e-3 * float(a.mean())


def _of_company(code: UserCode, u: Tensor) -> Iterator[Finding]:
    """Encode the first words alone, again, and in a batch of zeros."""
    first = max(1, len(u) // 16)
    alone, again = (flat(code.encoded(u[:first])) for _ in range(2))
    together = flat(code.encoded(torch.cat([u[:first], torch.zeros_like(u[first:])])))[:first]
    size = max(_root_power(alone), 1e-30)
    ratio = _root_power(together) / size
    random = not torch.equal(alone, again)
    if random:
        yield Finding("random encoder", "the same words are encoded differently each time: is this meant, or dropout?")
    if not (abs(ratio - 1) <= 0.1 if random else _root_power(together - alone) <= 1e-2 * size):
        yield Finding(
            "per-batch normalisation",
            f"a word depends on the other words of its batch: in a batch of silent words it comes out {ratio:.3g} "
            "times as large. Divide by one constant √E|x|² measured over many words (`channels.UnitPower` freezes it), "
            "and keep batch statistics out of evaluation: eval()",
        )


def _root_power(a: Tensor) -> float:
    return float(powers(a).mean().sqrt())


def of_power(sent: Sent, budget: float) -> Iterator[Finding]:
    """Over or under the budget by more than 1 %, and significantly."""
    if sent.normalises:  # then the channel decides what goes on air
        return
    power, margin = float(sent.power.mean()), SIGNIFICANT * standard_error(sent.power)
    if abs(power - budget) > max(0.01 * budget, margin):
        name, side, means, remedy = (
            ("over budget", "above", "that were not paid for", ", or pass power=2 if 1 per real use is meant")
            if power > budget
            else ("under budget", "below", "are given away", ", or state the budget that is meant")
        )
        yield Finding(
            name,
            f"mean power per symbol is {power:.4g}, {side} {budget:g}: {abs(decibels(power / budget)):.2f} dB of SNR "
            f"{means}. Divide by √E|x|²{remedy if power < budget or sent.x.is_complex() else ''}",
        )


def of_channel(sent: Sent) -> Iterator[Finding]:
    """All that is noticed, each at most once."""
    yield from _of_noise(sent)
    if sent.x.is_complex() and not sent.silent:
        yield from _of_circularity(sent)
    if sent.varies:
        yield Finding(
            "fading",
            f"the gain varies (or the channel distorts): E|h|² = {sent.power_gain:.4g} while the mean gain is "
            f"{_number(sent.full.gain)}; SNR delivered is E|h|²·P/N",
        )
    yield from _of_gain(sent)


def _of_noise(sent: Sent) -> Iterator[Finding]:
    means = sent.alone.residual.mean(1)
    offset, size = complex(means.mean()), math.sqrt(float(sent.alone.power.mean()))
    if abs(offset) > max(SIGNIFICANT * standard_error(means), 0.01 * size):
        yield Finding(
            "offset", f"the noise has mean {_number(offset)} instead of 0; subtract it (it is not counted here)"
        )
    if sent.complex_noise:
        yield Finding(
            "complex noise",
            "a real signal came back complex: only the real part of the noise is counted, as a real receiver would",
        )
    if sent.follows_signal and not sent.silent:
        yield Finding(
            "noise measured on the signal",
            "the noise follows the power of what is sent, so no encoder can gain or lose by its power; compute the "
            "noise power once from the budget: P·10^(−snr_db/10)",
        )


def _of_circularity(sent: Sent) -> Iterator[Finding]:
    in_phase, quadrature = powers(sent.alone.noise.real), powers(sent.alone.noise.imag)
    difference = in_phase - quadrature
    least = 0.05 * float((in_phase + quadrature).mean())
    if abs(float(difference.mean())) > max(least, SIGNIFICANT * standard_error(difference)):
        yield Finding(
            "noise not circular",
            f"noise power {float(in_phase.mean()):.4g} in I but {float(quadrature.mean()):.4g} in Q; draw both "
            "with half the noise power of a symbol each",
        )


def _of_gain(sent: Sent) -> Iterator[Finding]:
    gain, error = sent.power_gain, 2 * abs(sent.full.gain) * sent.full.gain_error
    if sent.varies:
        error = standard_error(sent.received - gain * sent.power) / float(sent.power.mean())
    if sent.normalises:
        yield Finding(
            "normalised in the channel",
            "the channel scales its input to a fixed power, whatever is sent, and so by other words of the batch or by "
            "the word itself; normalise in the encoder, by a constant",
        )
    elif abs(gain - 1) > max(0.02, SIGNIFICANT * error):
        yield Finding(
            "gain",
            f"the channel multiplies the power of the signal by {gain:.4g}, which changes the SNR by "
            f"{decibels(gain) if gain > 0 else -math.inf:.2f} dB; fade or scale with E|h|² = 1",
        )


def _number(value: complex) -> str:
    return f"{value:.3g}" if abs(value.imag) > 1e-12 else f"{value.real:.3g}"
