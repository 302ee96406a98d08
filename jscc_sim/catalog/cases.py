"""Requests become cases: a link per codec and level, its labels and its exact values; and the curves through them."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from channels import (
    Channel,
    GaussianPolicy,
    MemorylessChannel,
    NeuralPolicy,
    NeuralSourcePolicy,
    NeuralTapPolicy,
    PerSymbolPolicy,
    innermost,
    jammer_in,
    stages,
)
from jscc_sim import factory
from jscc_sim.case import Case, Label
from jscc_sim.catalog.channels import CHANNEL_NAMES, OF_OFDM, build_channel, usual_attack
from jscc_sim.catalog.codecs import LEARNED, build_codec, modulated, snr_over_ebn0_db, symbols, usual
from jscc_sim.catalog.defaults import DEFAULT_LEVELS, with_defaults
from jscc_sim.catalog.fitting import refuse_misfits
from jscc_sim.catalog.players import Players, is_learned, learned_players, load_players
from jscc_sim.catalog.policies import build_policy
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import build_source
from jscc_sim.codecs import Codec, LearnedCodec, PerSymbolCodec
from jscc_sim.exact import exact_values, guides, lower_bounds
from jscc_sim.link import Link
from jscc_sim.metrics import METRICS
from jscc_sim.pairs import Progress
from jscc_sim.sources import Bits, Gaussian, Source
from jscc_sim.spelling import known
from jscc_sim.verify import LEARNED_MARGIN

# From this SNR on, bits are computed in float64: their errors hide in the tail that float32 noise does not have.
PRECISE_SNR_DB = 11.0
CURVE_POINTS = 64
GUIDE_POINTS = 12
LEARNED_CODECS = LearnedCodec | PerSymbolCodec
LEARNED_POLICIES = NeuralPolicy | NeuralSourcePolicy | NeuralTapPolicy | PerSymbolPolicy
Curve = list[tuple[float, float]]


def make_cases(asked: Request, progress: Progress = lambda game, step: None) -> list[Case]:
    """One case per codec and level. ValueError or FileNotFoundError says what does not fit and what would.

    Learned players that have to be trained first are; ``progress`` hears of it.
    """
    asked, players = _filled(asked)
    cases = [case for name in asked.codecs for case in _cases(asked, name, players, progress)]
    if players.records and not all(players.at_home(innermost(case.link.channel)) for case in cases):
        levels = ", ".join(f"{level:g}" for level in players.levels)
        home = f"SNR {levels} dB, SJR {players.sjr_db:g} dB"
        warnings.warn(f"these parts were trained at {home}: elsewhere nothing of them is proved or exact", stacklevel=2)
    return cases


def exact_curves(asked: Request, start: float, stop: float) -> dict[tuple[str, str], Curve]:
    """Points (level, exact mean) between two levels, closely spaced, by codec and metric, where theory has them.

    The saddle value of learned players is that of the Gaussian jammer and the linear codec.
    """
    levels = tuple(start + (stop - start) * step / CURVE_POINTS for step in range(CURVE_POINTS + 1))
    curves: dict[tuple[str, str], Curve] = {}
    asked, players = _filled(asked)
    policy = "gaussian" if asked.policy == LEARNED else asked.policy
    for name in asked.codecs:
        codec = "linear" if name == LEARNED else name
        at, ebn0_db = (levels, None) if asked.ebn0_db is None else (None, levels)
        closed = replace(asked, snr_db=None, ebn0_db=ebn0_db, at=at, policy=policy, codecs=(codec,))
        for level, case in zip(levels, _cases(closed, codec, players), strict=True):
            for metric, mean in case.exact.items():
                curves.setdefault((name, metric), []).append((level, METRICS[metric].shown(mean)))
    return curves


def guide_curves(cases: Sequence[Case]) -> dict[str, dict[str, Curve]]:
    """By metric and name, the lines beside a score from the first level to the last: what codecs of each size can do.

    A name begins with the size, ``k 64, n 128: ``.
    """
    found: dict[str, dict[str, Curve]] = {}
    for first, last in _ends(cases):
        link, size = first.link, f"k {first.link.codec.k}, n {first.link.codec.n}"
        start, stop = float(first.labels["level"] or 0), float(last.labels["level"] or 0)
        shift = 0.0 if first.labels["snr_db"] is None else float(first.labels["snr_db"]) - start
        curves: dict[tuple[str, str], Curve] = {}
        for level in np.linspace(start, stop, GUIDE_POINTS).tolist():
            for metric, limits in guides(replace(link, channel=link.channel.at(level + shift))).items():
                for name, mean in limits.items():
                    curves.setdefault((metric, f"{size}: {name}"), []).append((level, METRICS[metric].shown(mean)))
        for (metric, name), curve in curves.items():
            found.setdefault(metric, {})[name] = curve  # one for all codecs of a size
    return found


def _ends(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    """The first and the last case of each codec."""
    by_codec: dict[Label, list[Case]] = {}
    for case in cases:
        by_codec.setdefault(case.labels["codec"], []).append(case)
    return [(mine[0], mine[-1]) for mine in by_codec.values()]


def _filled(asked: Request) -> tuple[Request, Players]:
    """The request with its defaults filled in, and the trained parts that it names by file."""
    known("channel", asked.channel, CHANNEL_NAMES)
    players = load_players(asked)
    return with_defaults(asked, players), players


def _cases(asked: Request, name: str, players: Players, progress: Progress = lambda game, step: None) -> Iterator[Case]:
    """The cases of one codec, level by level."""
    for point in _points(asked, name, players, progress):
        link, playing = point.link, point.players
        learned = _has_learned(link)
        jammer = innermost(link.channel)
        # Every jammer law of its power is worth J* to a linear codec, but to a learned one only where it learned.
        exact = (playing.at_home(jammer) and not playing.informed) or not isinstance(link.codec, LEARNED_CODECS)
        lower, upper = playing.bounds(jammer) if _is_white_gaussian(link) else ({}, {})
        yield Case(
            link.eval(),
            labels=_labels(asked, name, point),
            exact=exact_values(link) if exact else {},
            bounds=lower if learned else lower_bounds(link),
            ceilings=upper,
            margin=LEARNED_MARGIN if learned else 0.0,
            origin=point.origin,
        )


class _Point(NamedTuple):
    """A link of one codec at a level of the grid, and at one of its channel; its learned players; its file's digest."""

    level: float
    at: float
    link: Link
    players: Players
    origin: str


def _points(asked: Request, name: str, players: Players, progress: Progress) -> Iterator[_Point]:
    """Each level with the link of one codec there."""
    suits = usual(name, asked.modulation)
    idle = build_channel(asked, GaussianPolicy())
    levels = asked.levels(idle.knob) or players.levels or DEFAULT_LEVELS[idle.knob]
    source = build_source(asked.source or "", asked.k, players.k or suits.k)
    n = symbols(asked.n, asked.modulation)
    own, origin = factory.make_codec(name, source, n) if factory.is_factory(name) else (None, "")

    def built(law: MemorylessChannel) -> Codec:
        codec = own or players.codec or build_codec(name, source, law, n)
        return modulated(name, codec, asked.modulation).told(law)

    shift = 0.0 if asked.ebn0_db is None else snr_over_ebn0_db(name, built(idle.nominal), idle)
    for level in levels:
        if is_learned(asked):
            players = learned_players(asked, name, level, source.k, progress)
        policy = players.policy or build_policy(asked.policy or "gaussian")
        codec = built(build_channel(asked, policy).at(level + shift).nominal)
        attack = asked.attack or suits.attack or usual_attack(codec)
        now = build_channel(replace(asked, attack=attack), policy).at(level + shift)
        refuse_misfits(asked, name, source, codec, now)
        yield _Point(level, level + shift, Link(_precise(source, now, level + shift), codec, now), players, origin)


def _precise(source: Source, channel: Channel, level: float) -> Source:
    """The same source in float64 where errors are rare."""
    rare = isinstance(source, Bits) and channel.knob == "snr_db" and level > PRECISE_SNR_DB
    return Bits(source.k, torch.float64) if rare else source


def _is_white_gaussian(link: Link) -> bool:
    """Whether the link is about what certificates are about: a white Gaussian source, a symbol for each use."""
    source, codec = link.source, link.codec
    return isinstance(source, Gaussian) and source.is_white and codec.k == codec.n


def _has_learned(link: Link) -> bool:
    """Whether a player of the link is a neural one."""
    jammer = jammer_in(link.channel)
    jams = jammer is not None and isinstance(jammer.policy, LEARNED_POLICIES)
    return jams or isinstance(link.codec, LEARNED_CODECS)


def _labels(asked: Request, name: str, point: _Point) -> dict[str, Label]:
    """What names a case; None is what means nothing to its channel."""
    link, channel = point.link, stages(point.link.channel)[0]
    parameters = ("flips", "erasures", "informed", "attack", "k_factor", "csi", *OF_OFDM)
    return {
        "channel": asked.channel,
        "codec": name,
        "source": asked.source,
        "k": link.codec.k,
        "n": link.codec.n,
        "uses": link.channel.uses(link.codec.n),
        "modulation": asked.modulation,
        "knob": channel.knob if asked.ebn0_db is None else "ebn0_db",
        "level": point.level,
        "snr_db": point.at if channel.knob == "snr_db" else None,
        "sjr_db": asked.sjr_db,
        "policy": asked.policy,
        **{parameter: getattr(channel, parameter, None) for parameter in parameters},
        "shared": asked.shared,
    }
