"""The exact mean of each score of a link, or a bound that no codec undercuts, where theory knows one."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    BlockFading,
    Cascade,
    Channel,
    GaussianPolicy,
    Jammer,
    NeuralPolicy,
    Policy,
    PulsedPolicy,
    Rician,
    SharedRandomness,
    SharedRotation,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    decibels,
    innermost,
)
from jscc_sim.codecs import (
    CONSTELLATIONS,
    KLT,
    BitCodec,
    BlockCode,
    Codec,
    LearnedCodec,
    Linear,
    Modulated,
    PerSymbolCodec,
    Repetition,
)
from jscc_sim.link import Link
from jscc_sim.sources import Gaussian, Images, Spectral
from jscc_sim.theory.antipodal_brackets import (
    MOST_BITS,
    antipodal_achievable_error,
    antipodal_normal_error,
    sphere_packing_error,
)
from jscc_sim.theory.bandwidth import shared_subspace_payoff
from jscc_sim.theory.code_brackets import (
    bec_achievable_error,
    bec_converse_error,
    bsc_achievable_error,
    bsc_converse_error,
)
from jscc_sim.theory.coding import block_error, bpsk_error, repetition_error, uncoded_error
from jscc_sim.theory.constellation_limits import qam_normal_error
from jscc_sim.theory.fading import blind_linear_mse, rayleigh_bpsk_error, rayleigh_mse, rician_bpsk_error, rician_mse
from jscc_sim.theory.finite_blocklength import normal_error_bec, normal_error_bsc
from jscc_sim.theory.informed import exposed_payoff, tap_payoff
from jscc_sim.theory.limits import capacity_real, gaussian_distortion, opta
from jscc_sim.theory.linear_code import code_error
from jscc_sim.theory.modulation import (
    psk8_error,
    psk_symbol_error,
    qam_error,
    qam_symbol_error,
    rayleigh_psk8_error,
    rayleigh_qam_error,
    rician_qam_error,
)
from jscc_sim.theory.saddle import coloured_payoff, scalar_payoff, transmit_powers
from jscc_sim.theory.worst_noise import pulsed_error, two_point_error

Means = dict[str, float]
# Enumerating the patterns of nature and an adversary on longer words would take minutes.
LONGEST_ENUMERATED = 15
# A user's codec of real symbols is let in with a power measured as 1; what that may have missed shall break no bound.
MOST_POWER = 1.02
# Of codes of n symbols and k bits: their word error rate as a function of n, a level of the channel, and k, by name.
Limits = dict[str, Callable[[float, float, float], NDArray[np.float64]]]
OPTA, CONVERSE = "no codec is better (OPTA)", "no code is better (converse)"
NORMAL, ACHIEVED = "normal approximation", "a code exists (random coding)"
OVER_BSC: Limits = {CONVERSE: bsc_converse_error, NORMAL: normal_error_bsc, ACHIEVED: bsc_achievable_error}
OVER_BEC: Limits = {CONVERSE: bec_converse_error, NORMAL: normal_error_bec, ACHIEVED: bec_achievable_error}
OF_CONES: Limits = {CONVERSE: sphere_packing_error}
OF_SIGNS: Limits = {NORMAL: antipodal_normal_error, ACHIEVED: antipodal_achievable_error}


def exact_values(link: Link) -> Means:
    """The exact mean of each score by name; empty where none is known."""
    link = replace(link, channel=_merged(link.channel))
    codec, channel = link.codec, link.channel
    if isinstance(codec, Repetition | BlockCode):
        return _error_rates(codec, channel)
    if isinstance(codec, Modulated):
        return _of_points(codec, channel)
    mse = None
    if isinstance(codec, Linear) and _is_white(link):
        mse = _linear(codec, channel)
    elif isinstance(codec, KLT) and isinstance(link.source, Spectral) and codec.made_for == repr(link.source):
        mse = _coloured(codec, link.source, channel)
    elif isinstance(codec, LearnedCodec | PerSymbolCodec) and _is_white(link):
        mse = _learned(codec, link)
    if mse is None:
        return {}
    return {"mse": mse, "psnr_of_mse": mse} if isinstance(link.source, Images) else {"mse": mse}


def _learned(codec: Codec, link: Link) -> float | None:
    """J*, what a learned codec of a Gaussian source comes near to against a jammer that knows nothing."""
    jammer = innermost(link.channel)
    if codec.k != codec.n or not isinstance(link.source, Gaussian) or not isinstance(jammer, Jammer):
        return None
    known = _oblivious(jammer.policy)
    return float(scalar_payoff(1.0, 1.0, jammer.jam_power, jammer.noise_power)) if known else None


def lower_bounds(link: Link) -> Means:
    """Least means of scores for any codec over Gaussian noise and, of code words, over a BSC or BEC.

    Of a white Gaussian source, its OPTA at the power `MOST_POWER`, a little below the one of `guides`. Of code words,
    the converse of their size (Polyanskiy, Poor, Verdú 2010); in noise it is for words of one energy, what their cones
    leave (Shannon 1959), and for 1000 bits at most.
    """
    noise, codec = _gaussian_noise(link.channel), link.codec
    if noise is not None and isinstance(link.source, Gaussian) and link.source.is_white:
        return {"mse": float(opta(codec.k, codec.n, MOST_POWER, 0.0, noise))}
    limits, level = _limits(link)
    return {"bler": float(limits[CONVERSE](codec.n, level, codec.k))} if CONVERSE in limits else {}


def guides(link: Link) -> dict[str, Means]:
    """By metric and name, what any codec of its size can do, at power one: lines to stand beside a score.

    Of a Gaussian source its OPTA, D(R) at capacity; of code words the converse, what random codes reach, and the normal
    approximation between the two, where known.
    """
    noise, codec = _gaussian_noise(link.channel), link.codec
    if noise is not None and isinstance(link.source, Gaussian):
        bits = codec.n * capacity_real(1.0, 0.0, noise)
        return {"mse": {OPTA: float(gaussian_distortion(link.source.karhunen_loeve[0], bits)) / codec.k}}
    limits, level = _limits(link)
    found = {name: float(limit(codec.n, level, codec.k)) for name, limit in limits.items()}
    return {"bler": found} if found else {}


def _limits(link: Link) -> tuple[Limits, float]:
    """What is known of codes of a link's symbols over its channel, and the level of that."""
    codec, channel, noise = link.codec, innermost(link.channel), _gaussian_noise(link.channel)
    if not isinstance(codec, BitCodec | Modulated) or codec.k == 1:
        return {}, math.nan
    if isinstance(channel, BSC):
        return OVER_BSC, channel.flip
    if isinstance(channel, BEC):
        return OVER_BEC, channel.erase
    if noise is None:
        return {}, math.nan
    cones = OF_CONES if codec.k <= MOST_BITS else {}
    points = codec.constellation if isinstance(codec, Modulated) else ""
    if points in ("", "qpsk"):
        return cones | OF_SIGNS, 1 / noise
    if points == "8psk":
        return cones, 1 / noise
    return {f"{NORMAL}, {points}": partial(qam_normal_error, 2 ** CONSTELLATIONS[points])}, 1 / noise


def _merged(channel: Channel) -> Channel:
    """Fading before a Gaussian jammer as what it is, that fading with more noise; other channels as they are."""
    if not isinstance(channel, Cascade) or not isinstance(channel.first, BlockFading):
        return channel
    noise = _gaussian_noise(channel.second)
    return channel if noise is None else channel.first.at(-decibels(channel.first.noise_power + noise))


def _is_white(link: Link) -> bool:
    if isinstance(link.source, Spectral):
        return isinstance(link.source, Gaussian) and link.source.is_white
    return link.source.alphabet == "real"


def _gaussian_noise(channel: Channel) -> float | None:
    """The noise power of a channel that adds white Gaussian noise and nothing else."""
    channel = innermost(channel)
    if isinstance(channel, AWGN) and channel.gain == 1:
        return channel.noise_power
    if isinstance(channel, Jammer) and isinstance(channel.policy, GaussianPolicy):
        return channel.noise_power + channel.jam_power
    return None


def _oblivious(policy: object) -> bool:
    """Whether a policy of exact power does not see the signal, so that its second moments decide a linear codec."""
    return isinstance(policy, Policy) and policy.oblivious


def _linear(codec: Linear, channel: Channel) -> float | None:
    """The error of a linear codec of a white source of variance one."""
    wrapped, channel = channel, innermost(channel)
    if isinstance(channel, BlockFading):
        return _faded(codec, channel)
    if isinstance(channel, AWGN) and channel.gain == 1:
        return float(shared_subspace_payoff(codec.k, codec.n, 1.0, 0.0, channel.noise_power))
    if not isinstance(channel, Jammer):
        return None
    powers = (1.0, channel.jam_power, channel.noise_power)
    # Over fewer dimensions than uses the frame weighs the jammer's symbols unequally, unless they are white.
    white = not isinstance(channel.policy, NeuralPolicy | TonePolicy)
    if _oblivious(channel.policy) and (white or codec.n <= codec.k):
        return float(shared_subspace_payoff(codec.k, codec.n, *powers))
    if codec.k == codec.n and isinstance(channel.policy, TapPolicy) and channel.policy.share is None:
        return float(tap_payoff(1.0, *powers, channel.policy.tap_noise))
    if codec.k == codec.n and isinstance(channel.policy, SourceAwarePolicy):
        # A secret of mean zero, a sign or a rotation, leaves nothing in common with the signal.
        secret = isinstance(wrapped, SharedRandomness)
        return float(scalar_payoff(1.0, *powers) if secret else exposed_payoff(*powers))
    return None


def _faded(codec: Linear, channel: BlockFading) -> float | None:
    k_factor = channel.k_factor if isinstance(channel, Rician) else 0.0
    gathered = max(1.0, codec.n / codec.k) / channel.noise_power
    if not channel.csi:
        return float(blind_linear_mse(gathered, k_factor)) if codec.k == codec.n else None
    heard = float(rician_mse(gathered, k_factor) if k_factor else rayleigh_mse(gathered))
    sent = min(1.0, codec.n / codec.k)
    return sent * heard + 1 - sent


def _coloured(codec: KLT, source: Spectral, channel: Channel) -> float | None:
    """The error of the KLT codec: what its components suffer, and the variance of those not sent."""
    variances, n = source.karhunen_loeve[0], codec.n
    rotated, channel = isinstance(channel, SharedRotation), innermost(channel)
    if isinstance(channel, Jammer) and isinstance(channel.policy, NeuralPolicy) and not rotated:
        return None  # its power may differ from use to use, which this codec weighs unequally
    unsent = float(variances[n:].sum())
    if isinstance(channel, BlockFading) and channel.csi:
        snrs = transmit_powers(variances[:n], codec.noise_power, float(n)) / channel.noise_power
        k_factor = channel.k_factor if isinstance(channel, Rician) else 0.0
        heard = rician_mse(snrs, k_factor) if k_factor else rayleigh_mse(snrs)
        return (float(np.sum(variances[:n] * heard)) + unsent) / codec.k
    jam = channel.jam_power if isinstance(channel, Jammer) and _oblivious(channel.policy) else 0.0
    noise = channel.noise_power if isinstance(channel, AWGN | Jammer) else math.nan
    matched = math.isclose(codec.noise_power, noise + jam, rel_tol=1e-12)
    if not matched or (isinstance(channel, Jammer) and jam == 0.0):
        return None
    sent = coloured_payoff(variances[:n], [noise] * n, float(n), n * jam)
    return (sent + unsent) / codec.k


def _error_rates(codec: Repetition | BlockCode, channel: Channel) -> Means:
    """Of bits: by the noise that a symbol meets, or by enumeration of what nature and an adversary do to a word."""
    if isinstance(channel, SharedRandomness):
        fair = isinstance(channel, SharedSign) and not isinstance(channel.inside, BitFlip)
        return _error_rates(codec, channel.inside) if fair else {}
    if isinstance(codec, Repetition) and channel.alphabet == "real":
        error = _soft_error(codec.times, channel)
        if error is None:
            return {}
        independent = codec.k == 1 or not isinstance(channel, BlockFading)
        return {"ber": error} | ({"bler": block_error(error, codec.k)} if independent else {})
    return _enumerated(codec, channel)


def _soft_error(times: int, channel: Channel) -> float | None:
    """The error rate of a bit sent ``times`` times as ±1, its symbols added up."""
    if isinstance(channel, BlockFading):
        snr = times / channel.noise_power
        faded = rician_bpsk_error(snr, channel.k_factor) if isinstance(channel, Rician) else rayleigh_bpsk_error(snr)
        return float(faded)
    noise = _gaussian_noise(channel)
    if noise is not None:
        return float(bpsk_error(times / noise))
    if not isinstance(channel, Jammer):
        return None
    powers = (1.0, channel.jam_power, channel.noise_power)
    if isinstance(channel.policy, TapPolicy):  # what is left of the signal meets Gaussian noise
        law = channel.nominal
        return float(bpsk_error(times * float(law.gain) ** 2 / law.noise_power))
    if times == 1 and isinstance(channel.policy, PulsedPolicy):
        return float(pulsed_error(*powers, channel.policy.duty))
    if times == 1 and isinstance(channel.policy, TwoPointPolicy):
        return float(two_point_error(*powers))
    return None


def _of_points(codec: Modulated, channel: Channel) -> Means:
    """Of uncoded bits on the points of a constellation."""
    if not codec.decided:
        return {}
    bits = CONSTELLATIONS[codec.constellation]
    order = 2**bits
    if isinstance(channel, BlockFading):
        snr, k_factor = 1 / channel.noise_power, channel.k_factor if isinstance(channel, Rician) else 0.0
        if not channel.csi or (k_factor and codec.constellation == "8psk"):
            return {}
        if codec.constellation == "8psk":
            return {"ber": float(rayleigh_psk8_error(snr))}
        return {"ber": float(rician_qam_error(order, snr, k_factor) if k_factor else rayleigh_qam_error(order, snr))}
    noise = _gaussian_noise(channel)
    if noise is None:
        return {}
    if codec.constellation == "8psk":
        error, symbol = psk8_error(1 / noise), psk_symbol_error(order, 1 / noise)
    else:
        error, symbol = qam_error(order, 1 / noise), qam_symbol_error(order, 1 / noise)
    return {"ber": float(error), "bler": block_error(float(symbol), codec.k // bits)}


def _enumerated(codec: Repetition | BlockCode, channel: Channel) -> Means:
    nature, budget, informed, attack = channel, (0, 0), True, ""
    if isinstance(channel, BitFlip):
        nature, budget = channel.behind, (channel.flips, channel.erasures)
        informed, attack = channel.informed, channel.attack
    if not isinstance(nature, BSC | BEC):
        return {}
    flip = nature.flip if isinstance(nature, BSC) else 0.0
    erase = nature.erase if isinstance(nature, BEC) else 0.0
    if flip == 0.5:
        budget = (0, 0)  # a receiver that expects flip ½ does not listen
    best = attack == "exhaustive" or (attack in ("steepest", "greedy") and isinstance(codec, Repetition))
    if any(budget) and (not best or (flip > 0.5 and not informed)):
        return {}
    flip = min(flip, 1 - flip)  # the receiver knows, and turns every symbol round
    if isinstance(codec, BlockCode):
        return _of_code(codec, flip, erase, budget, informed)
    return _of_repetition(codec, flip, erase, budget, informed)


def _of_code(codec: BlockCode, flip: float, erase: float, budget: tuple[int, int], informed: bool) -> Means:
    if codec.n > LONGEST_ENUMERATED:
        return {}
    words = (codec.words.double().numpy() < 0).astype(int)
    found = code_error(words, flip=flip, erase=erase, flips=budget[0], erasures=budget[1], informed=informed)
    rates = {"bler": found.word, "ber": found.bit}
    return {name: float(rate) for name, rate in rates.items() if not math.isnan(rate)}


def _of_repetition(codec: Repetition, flip: float, erase: float, budget: tuple[int, int], informed: bool) -> Means:
    flips, erasures = budget
    if erasures or (flips and codec.k > 1 and codec.times > 1):
        return {}  # a budget shared by several repeated bits, or of erasures, has no formula here
    if codec.times == 1:
        error = uncoded_error(codec.k, flip=flip, erase=erase, flips=flips, informed=informed)
    else:
        error = repetition_error(codec.times, flip=flip, erase=erase, flips=flips, informed=informed)
    return {"ber": error} | ({} if flips else {"bler": block_error(error, codec.k)})
