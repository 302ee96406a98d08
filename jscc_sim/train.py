"""Training: a codec against nature, or codec and jammer against each other; stopped and resumed bit for bit."""

import copy
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

import torch
from torch import Tensor, nn

from channels import Jammer, NeuralPolicy, Policy, innermost
from channels.power import normal_points
from jscc_sim.checkpoint import load_state, save_state
from jscc_sim.codecs import Linear
from jscc_sim.link import Link
from jscc_sim.seeds import seeded
from jscc_sim.sources import Gaussian

# No momentum, as usual for games: an average over past gradients chases where the opponent was.
BETAS = (0.0, 0.99)
SAMPLES = 2**18
# A payoff so many times the first one comes back no more.
DIVERGED = 1e3
# The rate at which a policy learns to imitate a law.
IMITATING = 3e-3


@dataclass(frozen=True)
class Recipe:
    """How the players learn: Adam with a cosine schedule, turn by turn.

    Of each step the adversary takes ``attacks`` updates at ``pace`` times the rate ``lr``, then the codec ``replies``
    at ``lr``. What is kept in the end is the Polyak average of the weights, of ``averaging`` per step (0: the last
    ones). With ``control`` the adversary's stake is the payoff less that of the linear codec on the same draws: to it
    every law of a power is worth the same, so that nothing is lost but the noise of the gradient. ``decay`` draws the
    codec's weights to zero, which is the linear codec where it is tail-safe: its bounds get tighter.
    """

    steps: int = 2500
    batch: int = 1024
    lr: float = 4e-3
    pace: float = 1.0
    attacks: int = 1
    replies: int = 1
    averaging: float = 0.995
    control: bool = True
    decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "attacks", "replies"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (self.lr > 0 and self.pace > 0):
            raise ValueError(f"lr and pace must be positive, got {self.lr} and {self.pace}")
        if not (0 <= self.averaging < 1 and self.decay >= 0):
            raise ValueError(
                f"averaging must lie in [0, 1) and decay be 0 or more, got {self.averaging} and {self.decay}"
            )


# `benchmarks/bench_game.py` compares them: "averaged" is best for players of single symbols, "words" for those of whole
# words, and "plain" is the alternating Adam of the papers.
RECIPES = {
    "averaged": Recipe(),
    "plain": Recipe(lr=1e-3, averaging=0.0, control=False),
    "words": Recipe(steps=6000, lr=2e-3, averaging=0.998, decay=0.05),
}


class Step(NamedTuple):
    """How many steps are done, and the payoff of the last one."""

    number: int
    payoff: float


def fit(link: Link, recipe: Recipe | None = None, *, saved: Path | None = None, every: int = 250) -> Generator[Step]:
    """Train what has parameters to train, codec, channel or both, and yield each step with its payoff.

    The codec lowers `Codec.loss`, a learned adversary raises it. After the last step the powers are frozen and the
    players in evaluation; who stops earlier calls `freeze`. With ``saved``, a checkpoint is written there ``every`` so
    many steps and when the caller stops between two steps; where one exists already, training goes on from it and ends
    bit for bit as if it had never stopped. FloatingPointError names the step at which the payoff is not finite or
    diverges; the checkpoint is then the last good one.
    """
    yield from Training(link, recipe or Recipe()).run(saved, every)


class Training:
    """The players, their optimisers and averages, after ``done`` steps; ``seed`` only tells checkpoints apart.

    ``earlier`` are the CPU seconds that the steps took before they were interrupted, if they were.
    """

    def __init__(self, link: Link, recipe: Recipe, seed: int | None = None) -> None:
        self.link, self.recipe, self.done, self.payoffs = link, recipe, 0, torch.zeros(recipe.steps)
        self.earlier, self.start = 0.0, time.process_time()
        self.said = {"recipe": repr(recipe), "link": repr(link), "seed": seed}
        link.codec.train()
        link.channel.train()
        self.adversary = _Player(link.channel, recipe.lr * recipe.pace, 0.0, recipe)
        self.learner = _Player(link.codec, recipe.lr, recipe.decay, recipe)
        if not (self.adversary.weights or self.learner.weights):
            raise ValueError("there is nothing to train: neither codec nor channel has parameters that take gradients")
        jammer = innermost(link.channel)
        oblivious = isinstance(jammer, Jammer) and isinstance(jammer.policy, Policy) and jammer.policy.oblivious
        square = link.codec.k == link.codec.n and isinstance(link.source, Gaussian)
        self.reference = Linear(link.codec.k) if recipe.control and oblivious and square else None

    def run(self, saved: Path | None = None, every: int = 250) -> Generator[Step]:
        """The steps that are still to do, with checkpoints as `fit` says."""
        if not every >= 1:
            raise ValueError(f"every must be at least 1, got {every}")
        if saved and saved.with_suffix(".json").exists():
            self.load(saved)
        try:
            while self.done < self.recipe.steps:
                yield self.step()
                if saved and self.done % every == 0:
                    self.save(saved)
        except GeneratorExit:
            if saved:
                self.save(saved)
            raise
        self.finish()

    def step(self) -> Step:
        """One step of both players."""
        try:
            payoff = self._turns()
        except FloatingPointError as error:
            raise FloatingPointError(f"{error} (step {self.done}): lower lr, now {self.recipe.lr}") from None
        value = float(payoff)
        first = float(self.payoffs[0]) if self.done else value
        if not (math.isfinite(value) and value <= DIVERGED * max(1.0, first)):
            raise FloatingPointError(f"the payoff became {value} at step {self.done}: lower lr, now {self.recipe.lr}")
        self.payoffs[self.done] = value
        self.done += 1
        for player in (self.adversary, self.learner):
            player.end_step(self.done)
        return Step(self.done, value)

    def _turns(self) -> Tensor:
        recipe, payoff = self.recipe, torch.tensor(math.nan)
        for _ in range(recipe.attacks if self.adversary.weights else 0):
            payoff, reference = self._payoff(self.reference)
            self.adversary.lower(reference - payoff)
        for _ in range(recipe.replies if self.learner.weights else 0):
            payoff, _ = self._payoff(None)
            self.learner.lower(payoff)
        return payoff.detach()

    def _payoff(self, reference: Linear | None) -> tuple[Tensor, Tensor]:
        """The payoff of a batch, and that of the reference codec for the same word received."""
        link = self.link
        u = link.source.draw(self.recipe.batch)
        y, law = link.channel.transmit(link.codec.encode(u), u)
        payoff = link.codec.loss(u, y, law).mean()
        return payoff, reference.loss(u, y, law).mean() if reference else torch.zeros_like(payoff)

    def finish(self) -> None:
        """Take the averages for the weights, freeze the powers, and put the players in evaluation."""
        for player in (self.adversary, self.learner):
            player.take_average()
        freeze(self.link)

    def snapshot(self) -> Link:
        """A copy of the link as it would be if training ended here."""
        other = copy.deepcopy(self)
        with seeded(0):
            other.finish()
        return other.link

    def save(self, path: Path) -> None:
        """Write everything that the next steps depend on, the state of torch's generators included."""
        tensors = {"done": torch.tensor(self.done), "payoffs": self.payoffs, "generator": torch.get_rng_state()}
        device = next((w.device for p in (self.adversary, self.learner) for w in p.weights), torch.device("cpu"))
        if device.type == "cuda":
            tensors["cuda_generator"] = torch.cuda.get_rng_state(device)
        parts: dict[str, nn.Module] = {"codec": self.link.codec, "channel": self.link.channel}
        for name, part in parts.items():
            tensors |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
        for name, player in (("adversary", self.adversary), ("learner", self.learner)):
            tensors |= {f"{name}.{key}": value for key, value in player.state().items()}
        spent = round(self.earlier + time.process_time() - self.start, 2)
        save_state(path, {"done": self.done, "cpu_seconds": spent, **self.said}, tensors)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; ValueError if it is damaged, or of another link, recipe or seed."""
        described = path.with_suffix(".json")
        said, tensors = load_state(path)
        for name, own in self.said.items():
            if said.get(name) != own:
                told = shorten(str(said.get(name)), 200, placeholder=" ...")
                raise ValueError(f"{described} was saved from another {name}: start anew elsewhere, or ask for {told}")
        try:
            self._restore(tensors)
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"{described} lacks what it describes: {str(error).splitlines()[0]}") from None
        if said.get("done") != self.done:
            raise ValueError(f"{described} speaks of {said.get('done')} steps, but its weights of {self.done}")
        self.earlier = float(str(said.get("cpu_seconds", 0.0)))

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.done, self.payoffs = int(tensors["done"]), tensors["payoffs"]
        for name, part in (("codec", self.link.codec), ("channel", self.link.channel)):
            part.load_state_dict(_within(tensors, name))
        for name, player in (("adversary", self.adversary), ("learner", self.learner)):
            player.restore(_within(tensors, name), self.done)
        torch.set_rng_state(tensors["generator"])
        if "cuda_generator" in tensors:
            torch.cuda.set_rng_state(tensors["cuda_generator"])


class _Player:
    """One side's weights with their optimiser and their average; a side without any rests."""

    def __init__(self, module: nn.Module, rate: float, decay: float, recipe: Recipe) -> None:
        self.weights = [weight for weight in module.parameters() if weight.requires_grad]
        self.averages = [weight.detach().clone() for weight in self.weights]
        self.rate, self.recipe = rate, recipe
        if self.weights:
            self.optimiser = torch.optim.AdamW(self.weights, rate, betas=BETAS, weight_decay=decay, fused=True)

    def lower(self, stake: Tensor) -> None:
        """One update down the stake."""
        self.optimiser.zero_grad()
        stake.backward(inputs=self.weights)
        self.optimiser.step()
        # A payoff may be finite and its gradient not: such weights must never reach a checkpoint.
        if not torch.stack(torch._foreach_norm(list[Tensor](self.weights))).sum().isfinite():
            raise FloatingPointError("the weights are no longer finite")

    @torch.no_grad()
    def end_step(self, done: int) -> None:
        """Average the weights over about 1/(1 − averaging) steps, at first over all so far; next rate of the cosine."""
        if not self.weights:
            return
        share = max(1 - self.recipe.averaging, 1 / (done + 1) if self.recipe.averaging else 1.0)
        torch._foreach_lerp_(self.averages, list[Tensor](self.weights), share)
        self._set_rate(done)

    def _set_rate(self, done: int) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * (1 + math.cos(math.pi * done / self.recipe.steps)) / 2

    @torch.no_grad()
    def take_average(self) -> None:
        for weight, average in zip(self.weights, self.averages, strict=True):
            weight.copy_(average)

    def state(self) -> dict[str, Tensor]:
        """Averages and the optimiser's moments, by name."""
        found = {f"average.{index}": average for index, average in enumerate(self.averages)}
        for index, weight in enumerate(self.weights):
            found |= {f"adam.{index}.{key}": value for key, value in self.optimiser.state[weight].items()}
        return found

    def restore(self, state: dict[str, Tensor], done: int) -> None:
        for index, weight in enumerate(self.weights):
            self.averages[index].copy_(state[f"average.{index}"])
            self.optimiser.state[weight] = {
                key: value.to(weight.device) for key, value in _within(state, f"adam.{index}").items()
            }
        if self.weights:
            self._set_rate(done)


def _within(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with ``prefix.``, under the rest of their names."""
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def freeze(link: Link) -> None:
    """Measure the powers of learned players precisely, freeze them, and put codec and channel into evaluation.

    A Gaussian source is integrated by quadrature, any other is sampled.
    """
    source = link.source
    words = normal_points(SAMPLES, source.k) if isinstance(source, Gaussian) else source.draw(SAMPLES)
    link.codec.calibrate(words)
    jammer = innermost(link.channel)
    if isinstance(jammer, Jammer):
        jammer.calibrate()
    link.eval()


@torch.enable_grad()
def imitate(
    policy: NeuralPolicy,
    law: Callable[[Tensor], Tensor],
    steps: int,
    batch: int,
    distance: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """Teach a policy to make of its noise ``(batch, 4n)`` what a ``law`` makes of it, ``(batch, n)``: a start."""
    optimiser = torch.optim.Adam(policy.parameters(), IMITATING)
    for _ in range(steps):
        noise = torch.randn(batch, 4 * policy.n)
        missed = distance(policy.shape(noise), law(noise))
        optimiser.zero_grad()
        missed.backward()
        optimiser.step()
