"""What a request leaves open, filled in with what suits the rest."""

from dataclasses import replace

from jscc_sim.catalog.channels import may_be_flipped, refuse_strangers
from jscc_sim.catalog.codecs import LEARNED, usual
from jscc_sim.catalog.players import Players, is_file
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import unseen, usual_codecs
from jscc_sim.factory import is_factory

PROBABILITIES = (0.0, 0.05, 0.1, 0.15, 0.2)
# By the channel's knob.
DEFAULT_LEVELS = {
    "snr_db": tuple(float(level) for level in range(0, 21, 2)),
    "flip": PROBABILITIES,
    "erase": PROBABILITIES,
}


def with_defaults(asked: Request, players: Players) -> Request:
    """The request with source, codecs, policy and SJR filled in; ValueError if an option has no meaning."""
    refuse_strangers(asked)
    source = asked.source or _natural_source(asked, players)
    flips = players.trained.get("flips") if asked.flips is None and may_be_flipped(asked.channel) else asked.flips
    asked = replace(asked, source=source, flips=flips)
    if asked.channel == "jammer" or asked.policy is not None or asked.sjr_db is not None:
        asked = replace(asked, sjr_db=players.sjr_db if asked.sjr_db is None else asked.sjr_db)
        if _is_the_game(asked):
            return replace(asked, policy=LEARNED, codecs=(LEARNED,))
        asked = replace(asked, policy=asked.policy or "gaussian")
    return replace(asked, codecs=asked.codecs or usual_codecs(source))


def _is_the_game(asked: Request) -> bool:
    """Whether nothing is asked for but the jamming game itself, which learned players play."""
    bare = asked.channel == "jammer" and asked.policy is None and not asked.codecs and asked.n is None
    return bare and asked.source == "gaussian"


def _natural_source(asked: Request, players: Players) -> str:
    """What a codec learned from, that of the first codec named, or else of the channel."""
    if players.trained:
        return unseen(players.trained["data"])
    for name in asked.codecs:
        if not is_file(name) and not is_factory(name):
            return usual(name).source
    return "bits" if asked.channel.startswith(("bsc", "bec")) else "gaussian"
