"""Requests become cases: a link per codec and level, its labels and its exact values; and the curves through them."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from channels import Channel, Jammer, NeuralPolicy
from jscc_sim import factory
from jscc_sim.catalog.channels import CHANNEL_NAMES, build_channel
from jscc_sim.catalog.codecs import build_codec, usual
from jscc_sim.catalog.defaults import DEFAULT_LEVELS, with_defaults
from jscc_sim.catalog.players import Players, load_players
from jscc_sim.catalog.policies import build_policy
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import build_source
from jscc_sim.catalog.spelling import known
from jscc_sim.codecs import NeuralCodec
from jscc_sim.exact import exact_values, inside, lower_bounds
from jscc_sim.link import Link
from jscc_sim.metrics import METRICS
from jscc_sim.montecarlo import Case, Label
from jscc_sim.sources import Bits, Source
from jscc_sim.verify import LEARNED_MARGIN

# From this SNR on, bits are computed in float64: their errors hide in the tail that float32 noise does not have.
PRECISE_SNR_DB = 11.0
CURVE_POINTS = 64
Curve = list[tuple[float, float]]


def make_cases(asked: Request) -> list[Case]:
    """One case per codec and level. ValueError or FileNotFoundError says what does not fit and what would."""
    return [case for _, cases in _by_codec(asked) for case in cases]


def exact_curves(asked: Request, start: float, stop: float) -> dict[tuple[str, str], Curve]:
    """Points (level, exact mean) between two levels, closely spaced, by codec and metric, where theory has them."""
    levels = tuple(start + (stop - start) * step / CURVE_POINTS for step in range(CURVE_POINTS + 1))
    curves: dict[tuple[str, str], Curve] = {}
    for name, cases in _by_codec(replace(asked, snr_db=None, at=levels)):
        for level, case in zip(levels, cases, strict=True):
            for metric, mean in case.exact.items():
                curves.setdefault((name, metric), []).append((level, METRICS[metric].shown(mean)))
    return curves


def _by_codec(asked: Request) -> Iterator[tuple[str, list[Case]]]:
    """Each codec with its cases, level by level."""
    known("channel", asked.channel, CHANNEL_NAMES)
    players = load_players(asked)
    asked = with_defaults(asked, players)
    for name in asked.codecs:
        yield name, list(_cases(asked, name, players))


def _cases(asked: Request, name: str, players: Players) -> Iterator[Case]:
    """The cases of one codec, level by level."""
    for level, link, origin in _links(asked, name, players):
        learned = _has_learned(link)
        # Every jammer law of its power is worth J* to a linear codec, but to a learned one only where it learned.
        exact = players.at_home(inside(link.channel)) or not isinstance(link.codec, NeuralCodec)
        yield Case(
            link.eval(),
            labels=_labels(asked, name, link, level),
            exact=exact_values(link) if exact else {},
            bounds={} if learned else lower_bounds(link),
            margin=LEARNED_MARGIN if learned else 0.0,
            origin=origin,
        )


def _links(asked: Request, name: str, players: Players) -> Iterator[tuple[float, Link, str]]:
    """Each level with the link of one codec there, and a digest of the file that the codec comes from."""
    suits = usual(name)
    policy = players.policy or build_policy(asked.policy or "gaussian")
    channel = build_channel(replace(asked, attack=asked.attack or suits.attack), policy)
    levels = asked.levels(channel.knob) or players.levels or DEFAULT_LEVELS[channel.knob]
    source = build_source(asked.source or "", asked.k, players.k or suits.k)
    own, origin = factory.make_codec(name, source, asked.n) if factory.is_factory(name) else (players.codec, "")
    for level in levels:
        now = channel.at(level)
        codec = build_codec(name, source, now.nominal, asked.n) if own is None else own
        yield level, Link(_precise(source, now, level), codec, now), origin


def _precise(source: Source, channel: Channel, level: float) -> Source:
    """The same source in float64 where errors are rare."""
    rare = isinstance(source, Bits) and channel.knob == "snr_db" and level > PRECISE_SNR_DB
    return Bits(source.k, torch.float64) if rare else source


def _has_learned(link: Link) -> bool:
    """Whether a player of the link is a neural one."""
    jammer = inside(link.channel)
    jams = isinstance(jammer, Jammer) and isinstance(jammer.policy, NeuralPolicy)
    return jams or isinstance(link.codec, NeuralCodec)


def _labels(asked: Request, name: str, link: Link, level: float) -> dict[str, Label]:
    """What names a case; None is what means nothing to its channel."""
    channel = inside(link.channel)
    parameters = ("flips", "erasures", "informed", "attack", "k_factor", "csi")
    return {
        "channel": asked.channel,
        "codec": name,
        "source": asked.source,
        "k": link.codec.k,
        "n": link.codec.n,
        "knob": channel.knob,
        "level": level,
        "snr_db": level if channel.knob == "snr_db" else None,
        "sjr_db": asked.sjr_db,
        "policy": asked.policy,
        **{parameter: getattr(channel, parameter, None) for parameter in parameters},
        "shared": asked.shared,
    }
