"""The jamming game, played by a learned jammer and a learned codec."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from channels import SECRETS, Jammer, NeuralPolicy, PerSymbolPolicy, from_decibels, share
from jscc_sim.certificates import certify
from jscc_sim.certificates.saddle_claim import POWER_MARGIN, judge_payoff
from jscc_sim.checkpoint import Kind, Record, clear_state, save_part, write_json
from jscc_sim.codecs import Codec
from jscc_sim.link import Link
from jscc_sim.players import CODECS, POLICIES, load_codec, load_policy
from jscc_sim.results import recalled
from jscc_sim.seeds import check_device, seeded
from jscc_sim.sources import Gaussian
from jscc_sim.theory.informed import deterministic_minimax, tap_payoff
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.train import RECIPES, Recipe, Step, Training, imitate

SIGNALS = 2**16
RESULT = "play.json"
# What of a certificate is in units of its value.
IN_UNITS = ("payoff_ratio", "low", "high", "upper", "upper_found", "upper_found_error", "lower_unproved", "lower_null")
BOUNDS = {"lower", "upper", "lower_found", "upper_found"}
RESULTS = {"value", "payoff_ratio", "low", "high", *BOUNDS, "ks", "verdict", "searched"}
OF_PARTS = {"policy_sha256", "codec_sha256"}
# Hidden units of nets for one symbol, which learn better the smaller they are, and for words.
SYMBOL_NET, WORD_NET = 32, 128


@dataclass(frozen=True)
class Game:
    """A white Gaussian source of ``k`` symbols over ``k`` uses, the powers at stake, the players, and how they learn.

    ``codec`` and ``policy`` are names in `players.CODECS` and `players.POLICIES`; ``tap_noise`` is the power of the
    noise through which a policy that taps the line sees it; ``shared`` is the secret of transmitter and receiver.
    """

    k: int = 1
    snr_db: float = 10.0
    sjr_db: float = 0.0
    codec: str = "per-symbol"
    policy: str = "per-symbol"
    tap_noise: float = 0.0
    shared: str | None = None
    recipe: Recipe = field(default_factory=lambda: RECIPES["averaged"])
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("codec", CODECS), ("policy", POLICIES), ("shared", (None, *SECRETS))):
            if getattr(self, name) not in known:
                raise ValueError(f"no {name} is called {getattr(self, name)!r}: choose from {list(known)}")
        for name in ("snr_db", "sjr_db", "tap_noise"):  # equal games have equal descriptions: 0 and −0.0 are 0.0
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)

    @property
    def powers(self) -> tuple[float, float, float]:
        """Of signal, jammer and noise."""
        return 1.0, from_decibels(-self.sjr_db), from_decibels(-self.snr_db)

    @property
    def value(self) -> float:
        """The saddle value of the mean-square error per symbol.

        Without a shared secret there is no saddle against a jammer that knows the source: then it is what the codec can
        guarantee, because a jammer that learns answers the codec that it meets.
        """
        if self.policy == "tap":
            return float(tap_payoff(1.0, *self.powers, self.tap_noise))
        if self.policy == "source" and self.shared is None:
            return float(deterministic_minimax(1.0, *self.powers))
        return float(scalar_payoff(1.0, *self.powers))

    @property
    def arguments(self) -> dict[Kind, dict[str, int | float]]:
        """What builds the two players under their names."""
        k, words, symbols = self.k, {"hidden": WORD_NET}, {"hidden": SYMBOL_NET}
        policies: dict[str, dict[str, int | float]] = {
            "per-symbol": {**symbols},
            "source": {"k": k, "n": k, **words},
            "tap": {"n": k, "tap_noise": self.tap_noise, **words},
            "vector": {"n": k, **words},
        }
        codecs = {"per-symbol": {"k": k, **symbols}}
        return {"policy": policies[self.policy], "codec": {**codecs.get(self.codec, {"k": k, "n": k, **words})}}

    def jammer(self) -> Jammer:
        """The jammer before it learned, drawn from torch's generator; an oblivious one starts near two points."""
        policy = POLICIES[self.policy](**self.arguments["policy"])
        net = policy.policy if isinstance(policy, PerSymbolPolicy) else policy
        if isinstance(net, NeuralPolicy):
            imitate_two_point(net)
        _, jam_power, noise_power = self.powers
        return Jammer(policy, noise_power, jam_power)

    def link(self, jammer: Jammer) -> Link:
        """The game's link with a codec that has not learned yet, drawn from torch's generator."""
        codec = CODECS[self.codec](**self.arguments["codec"])
        return Link(Gaussian(self.k), codec, share(jammer, self.shared))


@dataclass(frozen=True, eq=False)
class Played:
    """A game's trained players, payoff/J* at each step, and the jammer's signals (first coordinate) by step.

    ``earlier`` are the CPU seconds of a training that was interrupted, before it was gone on with.
    """

    game: Game
    link: Link
    jammer: Jammer
    ratios: list[float]
    jammers: dict[int, NDArray[np.float64]]
    earlier: float = 0.0

    @property
    def codec(self) -> Codec:
        """The trained codec."""
        return self.link.codec


def play(
    game: Game,
    device: str = "cpu",
    *,
    saved: Path | None = None,
    progress: Callable[[Step], None] = lambda step: None,
) -> Played:
    """Train both players from the game's seed; ``progress`` hears each step with its payoff/J*.

    With ``saved``, training goes on from the checkpoint there, if one is, and leaves them as it goes.
    ValueError if torch has no such device; FloatingPointError, naming the step, if the players diverge.
    """
    check_device(device)
    with seeded(game.seed, device), torch.device(device):
        jammer = game.jammer()
        link = game.link(jammer)
        training = Training(link, game.recipe, game.seed)
        jammers = {0: jam_signals(jammer, game.k)}
        for step in (steps := training.run(saved)):
            if step.number == game.recipe.steps // 5:
                jammers[step.number] = jam_signals(jammer, game.k)
            try:
                progress(step._replace(payoff=step.payoff / game.value))
            except BaseException:
                steps.close()  # saves
                raise
    link.codec.cpu()
    link.channel.cpu()
    jammers[game.recipe.steps] = jam_signals(jammer, game.k)
    ratios = (training.payoffs / game.value).tolist()
    return Played(game, link, jammer, ratios, jammers, training.earlier)


def imitate_two_point(policy: NeuralPolicy, steps: int = 200, batch: int = 1024) -> None:
    """Teach a policy a smoothed ``±1``: a start that is clearly not Gaussian, from which the game must find its way."""
    imitate(policy, lambda noise: noise[:, : policy.n].sign(), steps, batch, nn.functional.mse_loss)


@torch.no_grad()
def jam_signals(jammer: Jammer, k: int) -> NDArray[np.float64]:
    """``(65536,)`` signals of a jammer, the first symbol of words of ``k``, at unit power; the words are Gaussian."""
    like = next(jammer.parameters(), torch.empty(()))
    with seeded(0, str(like.device)):
        words: Tensor = torch.randn(SIGNALS, k, device=like.device)
        signals: Tensor = jammer.policy(words, words)
    return (signals[:, 0] / signals.square().mean().sqrt()).double().cpu().numpy()


def describe(game: Game) -> dict[str, object]:
    """The game as plain values by name."""
    return {**asdict(game), "recipe": repr(game.recipe)}


def measure(game: Game, link: Link, *, search: bool = True) -> dict[str, object]:
    """The certificate of a game's link as plain values by name, in units of the game's ``value``.

    ``searched`` says whether best responses learned as well, which prove nothing. Where the jammer sees signal or
    source, the upper bounds are about jammers that do not, and the payoff is judged, but no saddle point proved.
    """
    certificate = certify(link, seed=game.seed, search=search)
    found: dict[str, object] = {**certificate.record(), "searched": search}
    if certificate.oblivious:
        return found
    scale = certificate.value / game.value
    for name in IN_UNITS:
        if isinstance(ratio := found[name], float):
            found[name] = ratio * scale
    worse = certificate.upper_found.value * scale if certificate.upper_found else None
    claim = judge_payoff(certificate.low * scale, certificate.high * scale, worse)
    return found | {"value": game.value, "verdict": claim.verdict, **claim.record()}


def save(played: Played, result: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Write the players as ``policy`` and ``codec`` checkpoints into a folder, and ``result`` as ``play.json``.

    Returned is the latter as it is recalled, with the digests of the players that it is about.
    """
    game = played.game
    parts: dict[Kind, tuple[str, nn.Module]] = {
        "policy": (game.policy, played.jammer.policy),
        "codec": (game.codec, played.codec),
    }
    for kind, (name, part) in parts.items():
        record = Record(kind, name, game.arguments[kind], game.snr_db, game.sjr_db, game.seed, game.recipe.steps)
        save_part(folder / kind, record, part.state_dict())
    signed = {**result, **digests(folder)}
    save_result(signed, folder)
    clear_state(folder / "training")
    return signed


def digests(folder: Path) -> dict[str, object]:
    """Of the parts in a folder, so that a result is known to be theirs; ValueError if one is not described."""
    try:
        kinds: tuple[Kind, ...] = ("policy", "codec")
        return {f"{kind}_sha256": json.loads((folder / f"{kind}.json").read_text())["sha256"] for kind in kinds}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} lacks a part of its pair: {error}") from None


def save_result(result: Mapping[str, object], folder: Path) -> None:
    """Write ``play.json`` in one stroke."""
    write_json(folder / RESULT, result)


def saved_link(game: Game, folder: Path) -> Link:
    """The link of trained players that `save` wrote into a folder."""
    _, jam_power, noise_power = game.powers
    jammer = Jammer(load_policy(folder)[0], noise_power, jam_power)
    return Link(Gaussian(game.k), load_codec(folder)[0], share(jammer, game.shared)).eval()


def certified(folder: Path, kind: Kind) -> dict[str, object]:
    """What `save` wrote beside the part of this kind in a folder, if it is about this very part; else nothing.

    The digest guards against accidents, not against forgery.
    """
    try:
        known = json.loads((folder / RESULT).read_text())
        own = json.loads((folder / f"{kind}.json").read_text())["sha256"]
        return known if known[f"{kind}_sha256"] == own else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def bound(known: Mapping[str, object], name: Literal["lower", "upper"]) -> float | None:
    """L or U, as a result has it, as a mean-square error; None if it is not proved, or no number that it could be."""
    ratio, value = (_positive(known.get(key)) for key in (name, "value"))
    if ratio is None or value is None:
        return None
    return ratio * value if name == "upper" or ratio <= 1 + POWER_MARGIN else None


def _positive(value: object) -> float | None:
    """A positive number; None of anything else."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    return float(value) if right else None  # type: ignore[arg-type]


def recall(game: Game, folder: Path) -> dict[str, object] | None:
    """What `save` wrote of the same game into a folder, if anything; FileExistsError if it holds another game."""
    known = recalled(folder / RESULT, RESULTS | OF_PARTS, describe(game), "game")
    if known is None:
        return None
    if {name: known[name] for name in OF_PARTS} != digests(folder):
        raise ValueError(f"{folder / RESULT} is not about the parts beside it: their sha256 differ")
    load_policy(folder), load_codec(folder)  # what was measured counts only while its parts are whole
    return known
