"""Certified pairs of learned players: some come along, others are trained once and kept."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from channels import Policy
from jscc_sim.codecs import Codec, PerSymbolCodec
from jscc_sim.data.sets import data_home
from jscc_sim.game import Game, bound, describe, measure, play, recall, save
from jscc_sim.players import load_codec, load_policy
from jscc_sim.train import Step

SHIPPED = Path(__file__).parent
# Part of a pair's key: to be raised whenever training comes to other players for the same game.
EDITION = 1
Progress = Callable[[Game, Step], None]


@dataclass(frozen=True, eq=False)
class Pair:
    """A jammer's policy and a codec that were trained against each other, for single symbols, hence for any word.

    ``lower`` and ``upper`` are the mean-square errors that no codec undercuts against this policy, and no jammer
    exceeds against this codec; None where that is not proved.
    """

    game: Game
    policy: Policy
    codec: PerSymbolCodec
    lower: float | None
    upper: float | None

    def codec_for(self, k: int) -> Codec:
        """The codec for words of ``k`` symbols."""
        return PerSymbolCodec(self.codec.codec, k).eval()


def pair_for(snr_db: float, sjr_db: float, progress: Progress = lambda game, step: None) -> Pair:
    """The certified pair of the game at these levels: one that came along, or one kept, or trained now and kept.

    What is kept lies in ``$JSCC_SIM_DATA/pairs`` (default ``~/.cache/jscc-sim``), under a key of everything that
    decides it. An interrupted training goes on where it was. ValueError if a file there is damaged.
    """
    game = Game(snr_db=snr_db, sjr_db=sjr_db)
    folders = [base / key(game) for base in (SHIPPED, data_home() / "pairs")]
    for folder in folders:
        if known := recall(game, folder):
            break
    else:
        played = play(game, saved=folder / "training", progress=lambda step: progress(game, step))
        known = {**describe(game), **measure(game, played.link, search=False)}
        save(played, known, folder)
    policy, codec = load_policy(folder)[0], load_codec(folder)[0]
    if not isinstance(codec, PerSymbolCodec):
        raise ValueError(f"{folder} does not hold a codec for single symbols: remove the folder")
    return Pair(game, policy, codec, bound(known, "lower"), bound(known, "upper"))


def key(game: Game) -> str:
    """A name for the folder of a game: its levels, and a digest of everything that decides the players."""
    told = json.dumps({**describe(game), "edition": EDITION}, sort_keys=True)
    digest = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    return f"snr{game.snr_db:g}_sjr{game.sjr_db:g}_{digest}"
