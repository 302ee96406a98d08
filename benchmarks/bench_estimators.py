"""How many words and seconds an interval of 1 % takes by each estimator, beside plain Monte Carlo on the same link.

Why: an estimator that asks for assumptions has to repay them, and whether it does is a matter of the link: a control
variate is worth as much as the codec is linear. Words are those that the variance asks for, ``(1.96 σ/(1 % μ))²`` with
σ² the variance per word; plain's σ is measured where its mean is (65,536 words and more), and exact, ``√(p(1 − p))``,
where errors are too rare to be seen. The ratio of the two is the gain, known to about 14 % from 100 blocks. A sweep
takes at least 30 blocks and a pilot, so what it truly took stands beside it, with the interval that it then had and
what plain would have taken for that, at plain's measured rate. Seconds are the process's CPU time on one core. Codecs
are trained here; no seed is dropped.

    python benchmarks/bench_estimators.py [--seeds 3] [--steps 4000] [--json]
"""

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch
from scipy import stats

from channels import AWGN, BEC, BSC, GaussianPolicy, Jammer
from jscc_sim.blocks import simulate
from jscc_sim.case import Case
from jscc_sim.codecs import BCH_15_7, BlockCode, NeuralCodec, Repetition
from jscc_sim.estimators import Control, Estimator, Sobol, Strata, Tilt
from jscc_sim.exact import exact_values
from jscc_sim.link import Link
from jscc_sim.metrics import metrics_for
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.seeds import seeded
from jscc_sim.sources import Bits, Gaussian
from jscc_sim.train import Recipe, fit

TARGET = 0.01
BLOCKS = 100
PLAIN_WORDS = 2**16
HEADER = (
    "| estimator | link | words to 1 % | plain's | ratio | sweep: words | its interval | seconds "
    "| plain's seconds for that |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Measured:
    """One line of the table; ``interval`` is the half-width over the mean that the sweep had in the end."""

    estimator: str
    link: str
    words: float
    plain_words: float
    ratio: float
    sweep_words: int
    interval: float
    seconds: float
    plain_seconds: float


def words_for(spread: float, target: float = TARGET) -> float:
    """Words to a 95 % interval of half-width ``target`` times the mean, ``spread`` being σ/μ per word."""
    return (float(stats.norm.ppf(0.975)) * spread / target) ** 2


def plain(case: Case) -> tuple[float, float]:
    """σ/μ of a score, and the seconds that a word takes, by plain Monte Carlo."""
    metric, words = metrics_for(case.link.source)[0], case.words_per_block
    start, blocks = time.process_time(), max(3, -(-PLAIN_WORDS // words))
    list(simulate(case.link, [metric], words, 1, range(blocks)))
    pace = (time.process_time() - start) / (blocks * words)
    if metric.name in case.exact and metric.binary:
        rate = case.exact[metric.name]
        return math.sqrt((1 - rate) / rate), pace
    with seeded(2), torch.no_grad():
        scores = metric.score(case.link.transmit(PLAIN_WORDS)).double()
    return float(scores.std() / scores.mean()), pace


def quicker(case: Case, estimator: Estimator) -> float:
    """σ/μ per word of an estimator, by the spread of its blocks."""
    made = estimator.prepare(case.link, metrics_for(case.link.source), case.words_per_block, 3)
    first = made.metrics[0]
    blocks = simulate(made.sender, [first], made.words, 4, range(BLOCKS))
    means = [block[first.name].total / made.words for _, block in blocks]
    return float(np.std(means, ddof=1) / np.mean(means)) * math.sqrt(made.words)


def measure(name: str, case: Case, estimator: Estimator) -> Measured:
    """A link by plain Monte Carlo and by an estimator."""
    (spread, pace), own = plain(case), quicker(case, estimator)
    start = time.process_time()
    row = next(sweep([case], Budget(rel_error=TARGET), estimator=estimator))
    seconds = time.process_time() - start
    interval = (row.high - row.low) / 2 / row.mean
    return Measured(
        estimator.name if estimator == type(estimator)() else repr(estimator),
        name,
        words_for(own),
        words_for(spread),
        (spread / own) ** 2,
        row.words,
        interval,
        seconds,
        words_for(spread, interval) * pace,
    )


def learned(k: int, seed: int, steps: int) -> Case:
    """A codec that learned to live with a Gaussian jammer as strong as the signal, at 10 dB."""
    with seeded(seed):
        link = Link(Gaussian(k), NeuralCodec(k, k), Jammer(GaussianPolicy(), 0.1))
        for _ in fit(link, Recipe(steps=steps)):
            pass
    return Case(link.eval())


def bpsk(error: float) -> Case:
    """Uncoded bits over AWGN that err so rarely."""
    link = Link(Bits(1, torch.float64), Repetition(1, 1), AWGN(float(stats.norm.isf(error)) ** -2))
    return Case(link, exact=exact_values(link))


def bch(channel: BSC | BEC) -> Case:
    """The BCH(15,7) code."""
    link = Link(Bits(7), BlockCode(BCH_15_7), channel)
    return Case(link, exact=exact_values(link))


def table(seeds: int, steps: int) -> Iterator[Measured]:
    """All lines, one after the other."""
    for k in (1, 8):
        for seed in range(seeds):
            case = learned(k, seed, steps)
            yield measure(f"learned codec k={k}, seed {seed}", case, Control())
            for estimator in (Sobol(), Sobol(2**16)) if seed == 0 else ():
                yield measure(f"learned codec k={k}, seed {seed}", case, estimator)
    for error in (1e-3, 1e-6, 1e-9, 1e-12):
        yield measure(f"BPSK at {error:g}", bpsk(error), Tilt())
    for channel in (BSC(1e-2), BSC(1e-4), BSC(1e-6), BEC(0.1)):
        yield measure(f"BCH(15,7), {channel}", bch(channel), Strata())


def line(found: Measured) -> str:
    """As a line of the table."""
    return (
        f"| {found.estimator} | {found.link} | {found.words:.2g} | {found.plain_words:.2g} | {found.ratio:,.3g} | "
        f"{found.sweep_words:,} | {found.interval:.2%} | {found.seconds:.2f} | {found.plain_seconds:.2g} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many codecs of each size are trained")
    parser.add_argument("--steps", type=int, default=4000, help="for how many steps")
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of a table")
    asked = parser.parse_args()
    if not asked.json:
        print(HEADER)
    for found in table(asked.seeds, asked.steps):
        print(json.dumps(asdict(found)) if asked.json else line(found), flush=True)


if __name__ == "__main__":
    main()
