"""How near learned players come to the saddle point, and which way of training brings them there.

Why: the payoff alone says almost nothing. A pair may earn J* to a tenth of a percent while a jammer that it has never
met would earn a third more, so what counts here is proved from both sides: U, what no jammer of that power exceeds
against the codec, and L, what no codec undercuts against the jammer. Signal and jammer have power 1 and the noise 0.1
unless said, J* = 0.52381; all is in units of J*, or of the exact value against jammers that see more. Jammers that see
nothing start from two points. Every seed is a row, none is dropped, and what a search found is never called a bound.

    python benchmarks/bench_game.py scalar words informed algorithms [--seeds 5] [--json] [--quick]

scalar      single symbols: both bounds proved, the jammer's distance from the Gaussian, the time
words       eight symbols: a codec shared by symbols, bounds proved; nets of whole words, searched as hard as we can
informed    jammers that tap the line or know the source, in every region of the exact value
algorithms  alternating Adam, its update ratios and time scales, averaging, the control variate, extragradient, a pool
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import torch
from torch import Tensor

from channels import decibels
from jscc_sim.case import Case
from jscc_sim.certificates import certify
from jscc_sim.game import Game, measure, play
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.seeds import seeded
from jscc_sim.train import RECIPES, Recipe, Training

QUICK_STEPS = 60
REL_ERROR = 0.002  # of the payoffs of informed jammers
# After which shares of all steps an algorithm is looked at.
MOMENTS = (0.2, 0.5, 1.0)
# Steps between the jammers that a pool keeps, and how often the codec answers one of them.
KEPT_EVERY, PAST = 50, 0.5

Row = Mapping[str, object]


@dataclass(frozen=True)
class Target:
    """What is asked, all of ``measured`` within [low, high], and by how much the worst misses it; NaN: not proved."""

    name: str
    measured: Sequence[float]
    low: float = -math.inf
    high: float = math.inf

    @property
    def asked(self) -> str:
        """The limits as people write them."""
        if math.isinf(self.low) or math.isinf(self.high):
            return f"≤ {self.high:g}" if math.isinf(self.low) else f"≥ {self.low:g}"
        return f"{self.low:g} to {self.high:g}"

    @property
    def verdict(self) -> str:
        """Reached, or by how much it was missed."""
        if any(math.isnan(value) for value in self.measured):
            return "missed: not proved"
        missed = max(max(self.low - value, value - self.high) for value in self.measured)
        return "reached" if missed <= 0 else f"missed by {missed:.2g}"

    def row(self) -> Row:
        """As a row of the table of targets."""
        span = f"{min(self.measured):.4f} to {max(self.measured):.4f}" if len(self.measured) > 1 else None
        measured = span or f"{self.measured[0]:.4f}"
        return {"target": self.name, "asked": self.asked, "measured": measured, "verdict": self.verdict}


@dataclass(frozen=True)
class Part:
    """A part of the benchmark: tables by title, every seed as a row, and the targets they are held against."""

    tables: Mapping[str, Sequence[Row]]
    targets: Sequence[Target]


def note(text: str) -> None:
    """Tell a person who waits."""
    print(text, file=sys.stderr, flush=True)


def shorter(recipe: Recipe, quick: bool) -> Recipe:
    """The recipe, or one that only shows that all runs."""
    return replace(recipe, steps=QUICK_STEPS) if quick else recipe


def column(rows: Sequence[Row], *names: str) -> list[float]:
    """The numbers of one column, or of several; NaN where there is none."""
    return [math.nan if row[name] is None else float(str(row[name])) for name in names for row in rows]


def certified(game: Game, quick: bool) -> dict[str, object]:
    """A game played and certified, with the CPU seconds of both."""
    start = time.process_time()
    found = measure(game, play(game).link, search=not quick)
    seconds = time.process_time() - start
    note(f"k={game.k} {game.codec} seed {game.seed}: U {found['upper']}, L {found['lower']}, {seconds:.0f} s")
    return {"seed": game.seed, **{name: found[name] for name in found if name != "seed"}, "cpu_seconds": seconds}


def chosen(rows: Sequence[Row], *names: str) -> list[Row]:
    """Some columns of the rows."""
    return [{name: row[name] for name in names} for row in rows]


def scalar(seeds: int, quick: bool) -> Part:
    """Single symbols from a two-point start, certified by proofs alone."""
    recipe = shorter(RECIPES["averaged"], quick)
    rows = [certified(Game(recipe=recipe, seed=seed), quick) for seed in range(seeds)]
    names = ("seed", "payoff_ratio", "low", "high", "payoff_paired", "upper", "lower", "upper_found", "lower_found")
    everywhere = [float("for all z" in str(row["upper_how"])) for row in rows]
    return Part(
        {"k = 1, codec per-symbol": chosen(rows, *names, "ks", "cpu_seconds", "verdict", "upper_how")},
        [
            Target("k = 1: 95 % interval of the payoff, every seed", column(rows, "low", "high"), 0.99, 1.01),
            Target("k = 1: U proved, median", [statistics.median(column(rows, "upper"))], high=1.01),
            Target("k = 1: U proved, every seed", column(rows, "upper"), high=1.03),
            Target("k = 1: U holds for all z (1: it does)", everywhere, low=1),
            Target("k = 1: L proved, every seed", column(rows, "lower"), low=0.995),
            Target("k = 1: the jammer's KS distance, every seed", column(rows, "ks"), high=0.02),
            Target("k = 1: CPU seconds, certificate included", column(rows, "cpu_seconds"), high=20),
        ],
    )


def words(seeds: int, quick: bool) -> Part:
    """Words of eight symbols."""
    alone, whole = (shorter(RECIPES[name], quick) for name in ("averaged", "words"))
    shared = [certified(Game(k=8, recipe=alone, seed=seed), quick) for seed in range(seeds)]
    games = [Game(k=8, codec="vector", policy="vector", recipe=whole, seed=seed) for seed in range(seeds)]
    nets = [certified(game, quick) for game in games]
    names = ("seed", "payoff_ratio", "low", "high", "payoff_paired", "upper", "lower", "upper_found", "lower_found")
    shape = ("ks", "sliced_ks", "radial_ratio", "covariance_min", "covariance_max", "cpu_seconds", "verdict")
    return Part(
        {
            "k = 8, codec per-symbol": chosen(shared, *names, *shape),
            "k = 8, nets of whole words": chosen(nets, *names, *shape, "upper_found_how", "lower_found_how"),
        },
        [
            Target("k = 8, shared: U proved", column(shared, "upper"), high=1.02),
            Target("k = 8, shared: L proved", column(shared, "lower"), low=0.99),
            Target("k = 8, nets: upper_found", column(nets, "upper_found"), high=1.05),
            Target("k = 8, nets: lower_found", column(nets, "lower_found"), low=0.99),
            Target("k = 8, nets: worst projection's KS", column(nets, "ks", "sliced_ks"), high=0.03),
            Target("k = 8, nets: Var ‖z‖² over a Gaussian's", column(nets, "radial_ratio"), 0.9, 1.1),
        ],
    )


class Seen(NamedTuple):
    """A jammer that sees the line or the source, and the powers of jammer, noise and its tap's noise."""

    policy: str
    jam_power: float
    noise_power: float
    tap_noise: float = 0.0
    shared: str | None = None

    @property
    def region(self) -> str:
        """Which term of the exact value binds: of ``b = min{1, PA + N, √(PA/(1 + m))}``, at PT = 1."""
        if self.policy == "source" and self.shared:
            return "J*: the sign hides the source"
        jam, noise, tap = self.jam_power, self.noise_power, self.tap_noise
        terms = {"b = 1": 1.0, "b = PA + N": jam + noise, "b = √(PA/(1 + m))": math.sqrt(jam / (1 + tap))}
        return min(terms, key=lambda name: terms[name])


# Jammers stronger than the signal, as strong, and weaker, in weak and in strong noise: every term binds somewhere.
LEVELS = ((2.0, 0.1), (1.0, 0.1), (0.9, 0.1), (0.25, 0.1), (0.25, 1.0))
INFORMED = (
    *(Seen("tap", *level) for level in LEVELS),
    Seen("tap", 2.0, 0.1, 0.3),
    Seen("tap", 0.25, 0.1, 0.3),
    Seen("tap", 0.25, 0.1, 3.0),
    Seen("tap", 0.25, 0.1, shared="sign"),
    *(Seen("source", *level) for level in LEVELS),
    Seen("source", 1.0, 0.1, shared="sign"),
    Seen("source", 0.25, 0.1, shared="sign"),
)


def informed(seeds: int, quick: bool) -> Part:
    """Jammers that see the line or the source, against free codecs."""
    recipe, rows = shorter(RECIPES["averaged"], quick), list[Row]()
    for seen in INFORMED:
        for seed in range(seeds):
            rows.append(seen_payoff(seen, recipe, seed))
    groups = {
        "tap": [row for row in rows if row["policy"] == "tap"],
        "source, shared sign": [row for row in rows if row["policy"] == "source" and row["sign"]],
        "source, no sign": [row for row in rows if row["policy"] == "source" and not row["sign"]],
    }
    targets = [
        Target(f"{name}: payoff over the exact value", column(group, "ratio"), 0.99, 1.01)
        for name, group in groups.items()
    ]
    return Part({"Jammers that see the line or the source, k = 1, codec free": rows}, targets)


def seen_payoff(seen: Seen, recipe: Recipe, seed: int) -> Row:
    """One game and its payoff over the exact value."""
    start = time.process_time()
    game = Game(
        snr_db=-decibels(seen.noise_power),
        sjr_db=-decibels(seen.jam_power),
        codec="free",
        policy=seen.policy,
        tap_noise=seen.tap_noise,
        shared=seen.shared,
        recipe=recipe,
        seed=seed,
    )
    (row,) = sweep([Case(play(game).link)], Budget(rel_error=REL_ERROR), seed=seed)
    seconds, value = time.process_time() - start, game.value
    note(f"{seen}, seed {seed}: {row.mean / value:.4f} of {value:.4f}, {seconds:.0f} s")
    measured = {"ratio": row.mean / value, "low": row.low / value, "high": row.high / value, "cpu_seconds": seconds}
    names = {"policy": seen.policy, "PA": seen.jam_power, "N": seen.noise_power, "m": seen.tap_noise}
    return {**names, "sign": bool(seen.shared), "region": seen.region, "exact": value, "seed": seed, **measured}


Turn = Callable[[Training], object]


def extragradient() -> Turn:
    """Each player looks where both would go, and goes from where it was by the slope there (Gidel et al. 2019)."""

    def turn(training: Training) -> None:
        players = (training.adversary, training.learner)
        homes = [[weight.detach().clone() for weight in player.weights] for player in players]
        for player, stake in zip(players, stakes(training), strict=True):
            player.lower(stake)
        for player, stake in zip(players, stakes(training), strict=True):
            player.optimiser.zero_grad()
            stake.backward(inputs=player.weights)
        for player, home in zip(players, homes, strict=True):
            put(home, player.weights)
            player.optimiser.step()
        end(training)

    return turn


def stakes(training: Training) -> tuple[Tensor, Tensor]:
    """What the adversary lowers and what the codec lowers, each on a batch of its own."""
    payoff, reference = training._payoff(training.reference)
    return reference - payoff, training._payoff(None)[0]


@torch.no_grad()
def put(values: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
    """Overwrite the weights."""
    for value, weight in zip(values, weights, strict=True):
        weight.copy_(value)


def end(training: Training) -> None:
    """Count a step, as `Training.step` does."""
    training.done += 1
    for player in (training.adversary, training.learner):
        player.end_step(training.done)


def pool() -> Turn:
    """The codec answers, half of the time, one of the jammers that it met before: each was a response to some codec."""
    past: list[list[Tensor]] = []

    def turn(training: Training) -> None:
        jammer = training.adversary.weights
        if training.done % KEPT_EVERY == 0:
            past.append([weight.detach().clone() for weight in jammer])
        payoff, reference = training._payoff(training.reference)
        training.adversary.lower(reference - payoff)
        now = [weight.detach().clone() for weight in jammer]
        if float(torch.rand(())) < PAST:
            put(past[int(torch.randint(len(past), ()))], jammer)
        training.learner.lower(training._payoff(None)[0])
        put(now, jammer)
        end(training)

    return turn


def alternating() -> Turn:
    """As the library trains."""
    return Training.step


@dataclass(frozen=True)
class Algorithm:
    """A recipe, what a step of it is, and the codec that it trains."""

    recipe: Recipe
    begin: Callable[[], Turn] = alternating
    codec: str = "per-symbol"


PLAIN, BEST = RECIPES["plain"], RECIPES["averaged"]
ALGORITHMS = {
    "plain, free codec": Algorithm(PLAIN, codec="free"),
    "plain": Algorithm(PLAIN),
    "plain, 2 attacks a reply": Algorithm(replace(PLAIN, attacks=2)),
    "plain, 2 replies an attack": Algorithm(replace(PLAIN, replies=2)),
    "plain, jammer at 1/4 the rate": Algorithm(replace(PLAIN, pace=0.25)),
    "plain, extragradient": Algorithm(PLAIN, extragradient),
    "plain, pool of past jammers": Algorithm(PLAIN, pool),
    "plain, averaged": Algorithm(replace(PLAIN, averaging=BEST.averaging)),
    "plain, control variate": Algorithm(replace(PLAIN, control=True)),
    "averaged (the preset)": Algorithm(BEST),
    "averaged, free codec": Algorithm(BEST, codec="free"),
    "averaged, jammer at 1/4 the rate": Algorithm(replace(BEST, pace=0.25)),
    "averaged, no averaging": Algorithm(replace(BEST, averaging=0.0)),
    "averaged, no control variate": Algorithm(replace(BEST, control=False)),
    "averaged, extragradient": Algorithm(BEST, extragradient),
    "averaged, pool of past jammers": Algorithm(BEST, pool),
}


def algorithms(seeds: int, quick: bool) -> Part:
    """Exploitability over training, single symbols: the same players, learning in different ways."""
    rows = [row for name in ALGORITHMS for seed in range(seeds) for row in followed(name, seed, quick)]
    last = [row for row in rows if row["moment"] == MOMENTS[-1]]
    best = [row for row in last if row["algorithm"] == "averaged (the preset)"]
    return Part(
        {
            "The end of training, mean and worst over seeds": [*_each(last, summary)],
            "U − L at moments of training, mean over seeds": [*_each(rows, gaps)],
            "Every seed at the end": [{name: row[name] for name in row if name != "moment"} for row in last],
        },
        [Target("the preset: U − L, every seed", column(best, "gap"), high=0.01)],
    )


def followed(name: str, seed: int, quick: bool) -> Iterator[Row]:
    """One training, looked at now and then; the CPU seconds are those of training alone."""
    algorithm, seconds = ALGORITHMS[name], 0.0
    recipe = shorter(algorithm.recipe, quick)
    game = Game(codec=algorithm.codec, recipe=recipe, seed=seed)
    with seeded(seed):
        training, turn = Training(game.link(game.jammer()), recipe, seed), algorithm.begin()
        for moment in MOMENTS:
            start = time.process_time()
            while training.done < round(moment * recipe.steps):
                turn(training)
            seconds += time.process_time() - start
            yield {"algorithm": name, "seed": seed, "moment": moment, **judged(training, seed), "cpu_seconds": seconds}
    note(f"{name}, seed {seed}: {seconds:.0f} s")


def judged(training: Training, seed: int) -> Row:
    """What the players would be worth if training ended here; U of a free codec is only found."""
    found = certify(training.snapshot(), seed=seed, search=False).record()
    upper = found["upper"] or found["upper_found"]
    gap = float(str(upper)) - float(str(found["lower"]))
    bounds = {"upper": upper, "upper_proved": found["upper"] is not None, "lower": found["lower"], "gap": gap}
    return {"payoff": found["payoff_paired"], **bounds, "ks": found["ks"]}


def _each(rows: Sequence[Row], told: Callable[[str, Sequence[Row]], Row]) -> Iterator[Row]:
    for name in dict.fromkeys(str(row["algorithm"]) for row in rows):
        yield told(name, [row for row in rows if row["algorithm"] == name])


def summary(name: str, rows: Sequence[Row]) -> Row:
    """An algorithm's mean and worst over seeds."""
    worst = {"payoff": lambda value: abs(value - 1), "lower": lambda value: -value}
    told: dict[str, object] = {"algorithm": name}
    for key in ("payoff", "upper", "lower", "gap", "ks"):
        values = column(rows, key)
        told[key] = f"{statistics.mean(values):.4f} / {max(values, key=worst.get(key, float)):.4f}"
    found = "" if all(row["upper_proved"] for row in rows) else " (found)"
    seconds = statistics.mean(column(rows, "cpu_seconds"))
    return {**told, "upper": f"{told['upper']}{found}", "CPU s of training": f"{seconds:.1f}"}


def gaps(name: str, rows: Sequence[Row]) -> Row:
    """An algorithm's U − L at each moment."""
    means = {m: statistics.mean(column([row for row in rows if row["moment"] == m], "gap")) for m in MOMENTS}
    return {"algorithm": name, **{f"{moment:.0%}": f"{mean:.4f}" for moment, mean in means.items()}}


def markdown(rows: Sequence[Row]) -> str:
    """Rows as a table, which has the names of the first for its head."""
    head = [f"| {' | '.join(rows[0])} |", "|---" * len(rows[0]) + "|"]
    return "\n".join(head + [f"| {' | '.join(map(cell, row.items()))} |" for row in rows])


def cell(item: tuple[str, object]) -> str:
    """A value as people read it."""
    name, value = item
    if isinstance(value, float):
        return f"{value:.1f}" if name == "cpu_seconds" else f"{value:g}" if name in "PA N m" else f"{value:.4f}"
    if value is None:
        return "–"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value).replace("|", "\\|")


# Each part with its number of seeds.
PARTS: dict[str, tuple[Callable[[int, bool], Part], int]] = {
    "scalar": (scalar, 5),
    "words": (words, 3),
    "informed": (informed, 1),
    "algorithms": (algorithms, 3),
}


def main() -> None:
    """Measure the parts that are asked for, and print each when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}  [all]")
    parser.add_argument("--seeds", type=int, help="games of each kind  [scalar 5, words 3, informed 1, algorithms 3]")
    parser.add_argument("--json", action="store_true", help="one JSON object per part instead of tables")
    parser.add_argument("--quick", action="store_true", help="few steps and no searches: only shows that all runs")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"no part is called {unknown[0]!r}: choose from {', '.join(PARTS)}")
    for name in asked.parts or PARTS:
        run, seeds = PARTS[name]
        part = run(asked.seeds or (1 if asked.quick else seeds), asked.quick)
        if asked.json:
            targets = [{**asdict(target), **target.row()} for target in part.targets]
            print(json.dumps({"part": name, "tables": part.tables, "targets": targets}, ensure_ascii=False), flush=True)
            continue
        tables = [f"### {title}\n\n{markdown(rows)}" for title, rows in part.tables.items()]
        print(f"## {name}", *tables, markdown([target.row() for target in part.targets]), sep="\n\n", flush=True)
        print()


if __name__ == "__main__":
    main()
