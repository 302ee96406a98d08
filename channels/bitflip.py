"""A budgeted adversary on binary words, behind the errors or erasures of nature."""

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Self

import torch
from torch import Tensor

from channels.base import Channel, MemorylessChannel, Received

Harm = Callable[[Tensor], Tensor]
# (harm or None, word seen (..., n), flips, erasures) to factors (..., n): each 1, −1 (a flip) or 0 (an erasure).
Attack = Callable[[Harm | None, Tensor, int, int], Tensor]
MOST_PATTERNS = 20_000
# Symbols that a greedy attack tries for each that it changes.
TRIED = 6
# Patterns that a tried attack tries: the steepest, as many bursts as there are patterns of chance, and one burst more.
TRIALS = 16


def random_attack(harm: Harm | None, y: Tensor, flips: int, erasures: int) -> Tensor:
    """The whole budget on unerased symbols chosen at random."""
    chances = torch.rand(y.shape, device=y.device)  # in float32 at least: halves would often tie
    return _spend(chances.add_(torch.finfo(chances.dtype).tiny) * y.abs(), flips, erasures).to(y.dtype)


def steepest_attack(harm: Harm | None, y: Tensor, flips: int, erasures: int) -> Tensor:
    """The symbols that raise ``harm`` fastest to first order.

    Changing the sign of ``y_i`` moves it by ``−2 y_i``, so its promise is ``−2 y_i ∂harm/∂y_i``; an erasure promises
    half of it. Symbols that promise no gain stay, and so do erased ones, which have no sign to change. Of symbols that
    promise the same, as those of a code do over a BSC, chance chooses.
    """
    if harm is None:
        return random_attack(None, y, flips, erasures)
    return _spend(_untied(_promise(harm, y), flips + erasures), flips, erasures).to(y.dtype)


def _promise(harm: Harm, y: Tensor) -> Tensor:
    """By how much a change of each sign raises the harm, to first order."""
    with torch.enable_grad():
        seen = y.detach().requires_grad_()
        (slope,) = torch.autograd.grad(harm(seen).sum(), seen)
    return (-2 * y * slope).detach()


@torch.no_grad()
def greedy_attack(harm: Harm | None, y: Tensor, flips: int, erasures: int) -> Tensor:
    """One symbol after the other, flips first: of the few that promise most where the word is by now, the worst.

    Where no change raises ``harm``, none is made; and where all steepest ones together raise it more, those are.
    """
    if harm is None:
        return random_attack(None, y, flips, erasures)
    best = steepest_attack(harm, y, flips, erasures)
    most, reached, changed = harm(y * best), harm(y), torch.ones_like(y)
    for factor, budget in ((-1.0, flips), (0.0, erasures)):
        for _ in range(min(budget, y.shape[-1])):
            before = reached
            changed, reached = _one_more(harm, y, changed, factor, reached)
            if not (reached > before).any():
                break
    return torch.where((reached > most).unsqueeze(-1), changed, best)


def _one_more(harm: Harm, y: Tensor, changed: Tensor, factor: float, reached: Tensor) -> tuple[Tensor, Tensor]:
    """What is ``changed`` of each word and its harm, after the worst change of one more symbol of those that promise.

    None is changed twice.
    """
    promise = _promise(harm, y * changed).masked_fill(changed != 1, -math.inf)
    worst = changed
    for symbol in _untied(promise, TRIED).topk(min(TRIED, y.shape[-1]), -1).indices.split(1, -1):
        tried = torch.where(changed == 1, changed.scatter(-1, symbol, factor), changed)
        found = harm(y * tried)
        worst = torch.where((found > reached).unsqueeze(-1), tried, worst)
        reached = torch.maximum(found, reached)
    return worst, reached


@torch.no_grad()
def tried_attack(harm: Harm | None, y: Tensor, flips: int, erasures: int) -> Tensor:
    """Of `TRIALS` patterns the one that raises ``harm`` most: the steepest, bursts, one of which starts the word, and
    patterns of chance.

    A burst is of consecutive symbols; it and chance pass over symbols that promise no gain, as long as others do. All
    patterns are put to ``harm`` at once, ``(trials, ..., n)``.
    """
    if harm is None:
        return random_attack(None, y, flips, erasures)
    promise, n = _promise(harm, y), y.shape[-1]
    random = torch.rand(TRIALS // 2 - 1, *y.shape, device=y.device)
    last = max(1, n - flips - erasures + 1)
    starts = torch.randint(last, (TRIALS // 2, *y.shape[:-1], 1), device=y.device)
    starts[0] = 0
    bursts = 1 - (torch.arange(n, device=y.device) - starts) % n / n
    chosen = torch.cat([bursts, random]).add_(torch.finfo(random.dtype).tiny) * y.abs() + (promise > 0)
    steepest = _untied(promise, flips + erasures).unsqueeze(0)
    patterns = torch.cat([_spend(each, flips, erasures).to(y.dtype) for each in (steepest, chosen)])
    worst = harm(y * patterns).argmax(0)
    return patterns.gather(0, worst.unsqueeze(-1).expand_as(y).unsqueeze(0)).squeeze(0)


@torch.no_grad()
def exhaustive_attack(harm: Harm | None, y: Tensor, flips: int, erasures: int) -> Tensor:
    """The pattern within the budget that raises ``harm`` most, of all there are; of equals, the first."""
    if harm is None:
        return random_attack(None, y, flips, erasures)
    most, best = harm(y), torch.ones_like(y)
    for pattern in _patterns(y.shape[-1], flips, erasures):
        factor = torch.tensor(pattern, dtype=y.dtype, device=y.device)
        found = harm(y * factor)
        better = found > most
        most = torch.where(better, found, most)
        best = torch.where(better.unsqueeze(-1), factor, best)
    return best


def _patterns(n: int, flips: int, erasures: int) -> Iterator[list[float]]:
    """Every way to flip up to ``flips`` and erase up to ``erasures`` of ``n`` symbols."""
    for flipped in range(min(flips, n) + 1):
        for turned in itertools.combinations(range(n), flipped):
            rest = [position for position in range(n) if position not in turned]
            for erased in range(min(erasures, len(rest)) + 1):
                for gone in itertools.combinations(rest, erased):
                    yield [-1.0 if i in turned else 0.0 if i in gone else 1.0 for i in range(n)]


def count_patterns(n: int, flips: int, erasures: int) -> int:
    """How many patterns an exhaustive attack tries.

    >>> count_patterns(15, 2, 0)
    121
    """
    return sum(
        math.comb(n, flipped) * math.comb(n - flipped, erased)
        for flipped in range(min(flips, n) + 1)
        for erased in range(min(erasures, n - flipped) + 1)
    )


def _spend(promise: Tensor, flips: int, erasures: int) -> Tensor:
    """Flips at the largest positive entries of ``promise (..., n)``, erasures at the next ones."""
    count = min(flips + erasures, promise.shape[-1])
    best = promise.topk(count, dim=-1)
    spent = torch.ones(count, dtype=promise.dtype, device=promise.device)
    spent[:flips], spent[flips:] = -1, 0
    return torch.ones_like(promise).scatter(-1, best.indices, torch.where(best.values > 0, spent, 1.0))


def _untied(promise: Tensor, count: int) -> Tensor:
    """The promise itself or, where gains tie among the largest ``count`` and the next, ranks of gains, drawn of equals.

    Chance is asked only if it matters.
    """
    best = promise.topk(min(count + 1, promise.shape[-1]), dim=-1).values
    if not ((best[..., 1:] == best[..., :-1]) & (best[..., 1:] > 0)).any():
        return promise
    order = torch.rand(promise.shape, device=promise.device).argsort(-1)
    ascending = order.gather(-1, promise.gather(-1, order).argsort(-1))
    ranks = torch.arange(1.0, promise.shape[-1] + 1, device=promise.device).expand(promise.shape)
    return torch.where(promise > 0, torch.zeros_like(ranks).scatter(-1, ascending, ranks), promise)


ATTACKS: dict[str, Attack] = {
    "exhaustive": exhaustive_attack,
    "greedy": greedy_attack,
    "random": random_attack,
    "steepest": steepest_attack,
    "tried": tried_attack,
}


class BitFlip(Channel):
    """``behind`` a binary channel, an adversary changes at most ``flips`` signs of each word and erases ``erasures``.

    If ``informed``, it sees the word after nature's errors or erasures and strikes where it hurts; otherwise it sees
    only the word sent, and what it does to erased symbols is lost. Told no harm (see `against`), it strikes at random.
    """

    alphabet = output = "antipodal"
    flips: int
    erasures: int
    informed: bool

    def __init__(
        self,
        behind: MemorylessChannel,
        flips: int,
        *,
        erasures: int = 0,
        informed: bool = True,
        attack: str = "steepest",
    ) -> None:
        super().__init__()
        if behind.alphabet != "antipodal" or behind.output != "antipodal":
            raise ValueError(f"bit flips need a binary channel in front of them, got {behind}")
        for name, budget in (("flips", flips), ("erasures", erasures)):
            if not (isinstance(budget, int) and budget >= 0):
                raise ValueError(f"{name} must be a whole number, 0 or more, got {budget}")
        if attack not in ATTACKS:
            raise ValueError(f"attack must be one of {', '.join(ATTACKS)}, got {attack!r}")
        self.behind, self.flips, self.erasures = behind, flips, erasures
        self.informed, self.attack = informed, attack
        self.knob = behind.knob
        self._harm: Harm | None = None

    def at(self, level: float) -> Self:
        """The same adversary behind nature at ``level``."""
        other = copy.copy(self)
        other._modules = {"behind": self.behind.at(level)}
        return other

    @property
    def nominal(self) -> MemorylessChannel:
        """Nature alone: the receiver does not expect the adversary."""
        return self.behind.nominal

    def against(self, harm: Harm) -> Channel:
        """A copy whose adversary raises ``harm``."""
        armed = copy.copy(self)
        armed._harm = harm
        return armed

    def cost(self, n: int) -> int:
        """An exhaustive attack tries every pattern, a greedy one some symbols for each that it changes; as named."""
        if self.attack == "exhaustive":
            return count_patterns(n, self.flips, self.erasures)
        tries = {"greedy": (self.flips + self.erasures) * TRIED, "tried": TRIALS}
        return 1 + tries.get(self.attack, 0)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Nature first, then the adversary."""
        if self.attack == "exhaustive" and (patterns := self.cost(x.shape[-1])) > MOST_PATTERNS:
            raise ValueError(
                f"an exhaustive attack on {x.shape[-1]} symbols has {patterns} patterns, over {MOST_PATTERNS}: "
                "use another one"
            )
        y = self.behind(x)
        seen = y if self.informed else x
        return Received(y * ATTACKS[self.attack](self._harm, seen, self.flips, self.erasures), self.nominal)

    def extra_repr(self) -> str:
        """Every parameter; nature shows itself."""
        budget = f"flips={self.flips}, erasures={self.erasures}"
        return f"{budget}, informed={self.informed}, attack={self.attack!r}"
