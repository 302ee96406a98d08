"""Trained parts that a request names by file: built from their checkpoints, with the game that each was trained in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from channels import Channel, Jammer, Policy, from_decibels
from jscc_sim.catalog.channels import may_be_jammed
from jscc_sim.catalog.codecs import CODEC_NAMES, LEARNED
from jscc_sim.catalog.own_policies import is_own_policy, own_policy
from jscc_sim.catalog.policies import POLICY_NAMES
from jscc_sim.catalog.request import Request
from jscc_sim.checkpoint import SUFFIXES, Record
from jscc_sim.codecs import Codec
from jscc_sim.game import bound, certified
from jscc_sim.pairs import Progress, pair_for
from jscc_sim.players import load_codec, load_policy

# Games whose jammer sees the signal or the source.
INFORMED = ("tap", "source")


@dataclass(frozen=True)
class Players:
    """The trained parts of a request, with the game that each was trained in.

    ``lower`` and ``upper`` are the mean-square errors that no codec undercuts against the policy and no jammer exceeds
    against the codec where they are at home, where that is proved. ``informed`` says that the codec learned against a
    jammer that sees signal or source, so that what it loses to jammers is not known. ``own_k`` is the word length of
    a policy of the user's, ``trained`` what a codec that plays no game learned from and against. Only players of games
    have ``records``.
    """

    policy: nn.Module | None
    codec: Codec | None
    records: tuple[Record, ...] = ()
    own_k: int | None = None
    lower: float | None = None
    upper: float | None = None
    informed: bool = False
    trained: Mapping[str, Any] = field(default_factory=dict)

    @property
    def k(self) -> int | None:
        """The word length that the players were trained for."""
        return self.codec.k if self.codec else self.own_k or getattr(self.policy, "n", None)

    @property
    def levels(self) -> tuple[float, ...]:
        """The SNRs in dB that they were trained at."""
        return tuple(sorted({record.snr_db for record in self.records if record.snr_db is not None}))

    @property
    def sjr_db(self) -> float:
        """The signal-to-jammer ratio that they were trained at; 0 dB if nobody was."""
        return (self.records[0].sjr_db if self.records else self.trained.get("sjr_db")) or 0.0

    def bounds(self, channel: Channel) -> tuple[dict[str, float], dict[str, float]]:
        """The mean-square error that no codec undercuts, and that which no such jammer exceeds, by metric.

        The latter is about jammers that see neither signal nor source.
        """
        if not (isinstance(channel, Jammer) and self.at_home(channel)):
            return {}, {}
        blind = isinstance(channel.policy, Policy) and channel.policy.oblivious
        return (
            {} if self.lower is None else {"mse": self.lower},
            {} if self.upper is None or not blind else {"mse": self.upper},
        )

    def at_home(self, channel: Channel) -> bool:
        """Whether the channel's powers are those that every one of them was trained for."""
        return all(_plays_at(record, channel) for record in self.records)


def is_learned(asked: Request) -> bool:
    """Whether a request asks for players that are trained for each of its points."""
    return asked.policy == LEARNED or (asked.channel == "jammer" and LEARNED in asked.codecs)


def learned_players(asked: Request, name: str, snr_db: float, k: int, progress: Progress) -> Players:
    """The learned policy, the learned codec, or both, of the certified pair at a level."""
    pair = pair_for(snr_db, asked.sjr_db or 0.0, progress)
    jams, sends = asked.policy == LEARNED, name == LEARNED
    lower, upper = pair.lower if jams else None, pair.upper if sends else None
    policy, codec = pair.policy if jams else None, pair.codec_for(k) if sends else None
    record = Record(
        "codec", "per-symbol", {"k": k}, snr_db, asked.sjr_db or 0.0, pair.game.seed, pair.game.recipe.steps
    )
    return Players(policy, codec, (record,), lower=lower, upper=upper)


def is_file(name: str) -> bool:
    """Whether a policy or codec is given as a file or folder rather than by its name, which takes precedence."""
    named = name in CODEC_NAMES or name.partition(":")[0] in POLICY_NAMES or is_own_policy(name)
    return not named and (name.endswith(SUFFIXES) or "/" in name or Path(name).exists())


def load_players(asked: Request) -> Players:
    """Both trained parts, where the request names files."""
    named = [name for name in (asked.policy, *asked.codecs) if name is not None]
    if is_learned(asked) and (files := [name for name in named if is_file(name)]):
        wrong = f"'learned' is the pair that is trained for the point, not {files[0]}'s"
        raise ValueError(f"{wrong}: name files for both players, for neither, or another policy, such as gaussian")
    records: list[Record] = []
    policy: nn.Module | None = None
    codec, lower, upper, informed, own_k = None, None, None, False, None
    if asked.policy is not None and may_be_jammed(asked.channel):
        if is_own_policy(asked.policy):
            policy, own_k = own_policy(asked.policy, asked.k)
        elif is_file(asked.policy):
            policy, record = load_policy(Path(asked.policy))
            lower = bound(certified(Path(asked.policy), "policy"), "lower")
            records.append(record)
    trained: Mapping[str, Any] = {}
    files = [name for name in asked.codecs if is_file(name)]
    if files and len(asked.codecs) > 1:
        wrong = f"a trained codec is swept alone, but {len(asked.codecs)} codecs are named"
        raise ValueError(f"{wrong}: sweep each with the same --store, and draw that by jscc-sim plot")
    if files:
        codec, record = load_codec(Path(files[0]))
        game = certified(Path(files[0]), "codec")
        upper, informed = bound(game, "upper"), game.get("policy") in INFORMED
        if record.played:
            records.append(record)
        else:
            trained = record.trained
    return Players(policy, codec, tuple(records), own_k, lower, upper, informed=informed, trained=trained)


def load_pair(folder: Path) -> tuple[Jammer, Codec]:
    """The jammer, at its powers, and the codec that ``jscc-sim play --out`` saved into ``folder``."""
    policy, record = load_policy(folder)
    return Jammer(policy, *_powers(record)), load_codec(folder)[0]


def _powers(record: Record) -> tuple[float, float]:
    """Of the noise and of the jammer, in the game that a part was trained in; ValueError if it was none."""
    if record.snr_db is None or record.sjr_db is None:
        raise ValueError(f"{record.kind} {record.name!r} was not trained in a game against a jammer")
    return from_decibels(-record.snr_db), from_decibels(-record.sjr_db)


def _plays_at(record: Record, channel: Channel) -> bool:
    if not isinstance(channel, Jammer):
        return False
    noise, jam = _powers(record)
    return abs(channel.noise_power / noise - 1) < 1e-9 and abs(channel.jam_power / jam - 1) < 1e-9
