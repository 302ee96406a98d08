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
from jscc_sim.montecarlo import Case, Label, seeded, sweep
from jscc_sim.sources import Gaussian
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.train import fit
from jscc_sim.verify import LEARNED_MARGIN, verdict

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
    codec: NeuralCodec
    ratios: list[float]
    jammers: dict[int, NDArray[np.float64]]


def play(game: Game, device: str = "cpu", progress: Callable[[int], None] = lambda step: None) -> Played:
    """Train both players from the game's seed. ValueError if torch has no such device."""
    try:
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
    return Played(game, link, policy, codec, ratios, {step: signals[:, 0] for step, signals in jammers.items()})


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
    """Payoff/J* by plain Monte Carlo with its 95 % interval, and how Gaussian the jammer became."""
    game = played.game
    (row,) = sweep([Case(played.link, exact={"mse": game.value}, margin=LEARNED_MARGIN)], seed=game.seed)
    return {
        **asdict(game),
        "payoff_ratio": row.mean / game.value,
        "low": row.low / game.value,
        "high": row.high / game.value,
        "words": row.words,
        "verdict": verdict(row),
        **distances(jam_signals(played.policy)),
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
