"""Channels by name, the options that each takes, and what may be put behind them or wrapped round them."""

from collections.abc import Callable
from typing import Any

from torch import nn

from channels import (
    AWGN,
    BEC,
    BSC,
    OFDM,
    SECRETS,
    TDL,
    BitFlip,
    Channel,
    Jammer,
    MemorylessChannel,
    Rayleigh,
    Rician,
    from_decibels,
    share,
)
from jscc_sim.catalog.request import Request
from jscc_sim.codecs import BitCodec, Codec
from jscc_sim.spelling import known

CHANNEL_NAMES: dict[str, Callable[[Request, nn.Module], Channel]] = {
    "awgn": lambda asked, policy: AWGN(1.0),
    "bec": lambda asked, policy: BEC(0.0),
    "bec-flip": lambda asked, policy: _flipping(BEC(0.0), asked),
    "bsc": lambda asked, policy: BSC(0.0),
    "bsc-flip": lambda asked, policy: _flipping(BSC(0.0), asked),
    "jammer": lambda asked, policy: Jammer(policy, 1.0, from_decibels(-(asked.sjr_db or 0.0))),
    "ofdm": lambda asked, policy: _jammed(_ofdm(asked), asked, policy),
    "rayleigh": lambda asked, policy: _jammed(Rayleigh(1.0, **_given(asked, "csi")), asked, policy),
    "rician": lambda asked, policy: _jammed(Rician(1.0, **_given(asked, "k_factor", "csi")), asked, policy),
    "tdl": lambda asked, policy: TDL(1.0, **_given(asked, *OF_TDL)),
}
# At this SNR in dB a channel leaves the noise to the one behind it, all but 1e-10 of a signal.
SILENT = 100.0
# Fields of a request that mean something to some channels only, as the command line calls them.
OPTIONS = {
    "policy": "--policy",
    "sjr_db": "--sjr",
    "flips": "--flips",
    "erasures": "--erasures",
    "informed": "--informed/--blind",
    "attack": "--attack",
    "k_factor": "--k-factor",
    "csi": "--csi/--no-csi",
    "profile": "--profile",
    "delay_spread": "--delay-spread",
    "speed": "--speed",
    "pilots": "--pilots",
}
JAMMING = ("policy", "sjr_db")
OF_TDL: tuple[str, ...] = ("profile", "delay_spread")
OF_OFDM: tuple[str, ...] = (*OF_TDL, "speed", "pilots")
FLIPPING = ("flips", "erasures", "informed", "attack")
CHANNEL_OPTIONS: dict[str, tuple[str, ...]] = {
    "bec-flip": FLIPPING,
    "bsc-flip": FLIPPING,
    "jammer": JAMMING,
    "ofdm": (*JAMMING, *OF_OFDM, "csi"),
    "rayleigh": (*JAMMING, "csi"),
    "rician": (*JAMMING, "k_factor", "csi"),
    "tdl": OF_TDL,
}


def build_channel(asked: Request, policy: nn.Module) -> Channel:
    """The channel asked for, at no level in particular, with ``policy`` if it is a jammer."""
    channel = CHANNEL_NAMES[asked.channel](asked, policy)
    if asked.shared is not None:
        known("shared randomness", asked.shared, SECRETS)
    return share(channel, asked.shared)


def usual_attack(codec: Codec) -> str:
    """The attack on a codec's words if none is asked for: on a code, trials of patterns through its decoder.

    On bits decided alone the steepest is the best, and where there is a gradient of the error it is a good one.
    """
    return "tried" if isinstance(codec, BitCodec) and 1 < codec.k < codec.n else "steepest"


def refuse_strangers(asked: Request) -> None:
    """ValueError that names an option which means nothing to the channel."""
    for field, option in OPTIONS.items():
        if getattr(asked, field) is not None and field not in CHANNEL_OPTIONS.get(asked.channel, ()):
            raise ValueError(f"{option} means nothing to channel {asked.channel!r}")


def may_be_jammed(channel: str) -> bool:
    """Whether a jammer belongs to the channel, or may be put behind it."""
    return "sjr_db" in CHANNEL_OPTIONS.get(channel, ())


def may_be_flipped(channel: str) -> bool:
    """Whether an adversary of the channel turns symbols."""
    return "flips" in CHANNEL_OPTIONS.get(channel, ())


def _ofdm(asked: Request) -> OFDM:
    if asked.pilots and asked.sjr_db is not None:
        raise ValueError(f"--pilots {asked.pilots} would go unjammed: leave them out, or --sjr and --policy")
    if asked.pilots and asked.csi is False:
        raise ValueError(f"from --pilots {asked.pilots} the receiver knows the channel: leave them out, or --no-csi")
    return OFDM(1.0, **_given(asked, *OF_OFDM, "csi"))


def _given(asked: Request, *names: str) -> dict[str, Any]:
    """The fields of a request that are given: a channel knows what it is without the others."""
    return {name: value for name in names if (value := getattr(asked, name)) is not None}


def _jammed(fading: Channel, asked: Request, policy: nn.Module) -> Channel:
    """Fading with a jammer at the receiver, if one is asked for, who then brings the noise as well."""
    if asked.sjr_db is None:
        return fading
    jammer = Jammer(policy, 1.0, from_decibels(-asked.sjr_db))
    if jammer.nominal.gain != 1:
        wrong = f"behind {asked.channel} nobody can tell what policy {asked.policy!r} takes of the signal"
        raise ValueError(f"{wrong}: use another --policy, or --channel jammer")
    return fading.at(SILENT) >> jammer


def _flipping(nature: MemorylessChannel, asked: Request) -> BitFlip:
    return BitFlip(
        nature,
        1 if asked.flips is None else asked.flips,
        erasures=asked.erasures or 0,
        informed=asked.informed is not False,
        attack=asked.attack or "steepest",
    )
