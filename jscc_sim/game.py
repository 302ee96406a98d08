"""The jamming game, played by a learned jammer and a learned codec from a two-point start, and measured."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from channels import Jammer, NeuralPolicy, from_decibels
from jscc_sim.checkpoint import Kind, Record, save_part
from jscc_sim.codecs import NeuralCodec
from jscc_sim.gaussianity import distances
from jscc_sim.link import Link
from jscc_sim.montecarlo import Case, Label, sweep
from jscc_sim.seeds import seeded
from jscc_sim.sources import Gaussian
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.train import fit
from jscc_sim.verify import LEARNED_MARGIN

SIGNALS = 2**16


@dataclass(frozen=True)
class Game:
    """A white Gaussian source of ``k`` symbols over ``k`` uses, the powers at stake, and how long to train."""

    k: int = 1
    snr_db: float = 10.0
    sjr_db: float = 0.0
    steps: int = 2500
    seed: int = 0

    @property
    def value(self) -> float:
        """J*, the saddle value of the mean-square error per symbol."""
        return float(scalar_payoff(1.0, 1.0, from_decibels(-self.sjr_db), from_decibels(-self.snr_db)))


@dataclass(frozen=True, eq=False)
class Played:
    """A game's trained players, payoff/J* at each step, and the jammer's signals (first coordinate) by step."""

    game: Game
    link: Link
    policy: NeuralPolicy
    jammer: Jammer
    codec: NeuralCodec
    ratios: list[float]
    jammers: dict[int, NDArray[np.float64]]


def play(game: Game, device: str = "cpu", progress: Callable[[int], None] = lambda step: None) -> Played:
    """Train both players from the game's seed. ValueError if torch has no such device."""
    try:
        if torch.device(device).type not in ("cpu", "cuda"):
            raise RuntimeError("it must be cpu or cuda")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"torch cannot compute on {device!r} here: {str(error).splitlines()[0]}") from None
    with seeded(game.seed, device), torch.device(device):
        policy, codec = NeuralPolicy(game.k), NeuralCodec(game.k, game.k)
        imitate_two_point(policy)
        jammer = Jammer(policy, from_decibels(-game.snr_db), from_decibels(-game.sjr_db))
        link = Link(Gaussian(game.k), codec, jammer)
        ratios, jammers = [], {0: jam_signals(policy)}
        for step, payoff in enumerate(fit(link, game.steps), 1):
            ratios.append(payoff / game.value)
            if step in (game.steps // 5, game.steps):
                jammers[step] = jam_signals(policy)
            progress(step)
    codec.cpu()
    jammer.cpu()
    return Played(game, link, policy, jammer, codec, ratios, {step: signals[:, 0] for step, signals in jammers.items()})


def imitate_two_point(policy: NeuralPolicy, steps: int = 200, batch: int = 1024) -> None:
    """Teach a policy a smoothed ``±1``: a start that is clearly not Gaussian, from which the game must find its way."""
    optimiser = torch.optim.Adam(policy.parameters(), 3e-3)
    for _ in range(steps):
        noise = torch.randn(batch, 4 * policy.n)
        distance = nn.functional.mse_loss(policy.shape(noise), noise[:, : policy.n].sign())
        optimiser.zero_grad()
        distance.backward()
        optimiser.step()


@torch.no_grad()
def jam_signals(policy: NeuralPolicy) -> NDArray[np.float64]:
    """``(65536, n)`` signals of a policy, at unit power."""
    weight: Tensor = next(policy.parameters())
    signals = policy(torch.zeros(SIGNALS, policy.n, device=weight.device))
    return (signals / signals.square().mean().sqrt()).double().cpu().numpy()


def measure(played: Played) -> dict[str, Label]:
    """Payoff/J* by plain Monte Carlo with its 95 % interval, and how Gaussian the jammer became.

    The verdict is ``agrees`` if the interval lies inside ``1 ± 1 %``, ``disagrees`` if outside, None if undecided.
    """
    game = played.game
    (row,) = sweep([Case(played.link)], seed=game.seed)
    low, high = row.low / game.value, row.high / game.value
    inside, outside = (
        abs(low - 1) <= LEARNED_MARGIN >= abs(high - 1),
        low > 1 + LEARNED_MARGIN or high < 1 - LEARNED_MARGIN,
    )
    with seeded(game.seed), torch.no_grad():
        signals = played.jammer.limit(played.policy(torch.zeros(SIGNALS, game.k)))
    return {
        **asdict(game),
        "payoff_ratio": row.mean / game.value,
        "low": low,
        "high": high,
        "words": row.words,
        "verdict": "agrees" if inside else "disagrees" if outside else None,
        **distances(signals.double().numpy()),
    }


def save(played: Played, result: dict[str, Label], folder: Path) -> None:
    """Write the players as ``policy`` and ``codec`` checkpoints, and ``result`` as ``play.json``."""
    game = played.game
    parts: dict[Kind, tuple[nn.Module, dict[str, int]]] = {
        "policy": (played.policy, {"n": game.k}),
        "codec": (played.codec, {"k": game.k, "n": game.k}),
    }
    for kind, (part, arguments) in parts.items():
        record = Record(kind, "neural", arguments, game.snr_db, game.sjr_db, game.seed, game.steps)
        save_part(folder / kind, record, part.state_dict())
    (folder / "play.json").write_text(json.dumps(result, indent=1) + "\n")
