"""Claim A: every point of a plan agrees with its exact value, and would not if it were off by its margin.

Plain Monte Carlo, because a control variate or quasi-Monte Carlo would move with a wrong noise variance or pass the
generator by. A point is verified if two one-sided tests at 5 % place its mean within the margin (TOST; Schuirmann
1987), and no two-sided test fails after Holm's correction at 1e-3; the family, if its χ² has p > 1e-3.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import stats

from jscc_sim import tally
from jscc_sim.blocks import run_blocks
from jscc_sim.case import Case
from jscc_sim.codecs import Repetition
from jscc_sim.link import Link
from jscc_sim.metrics import BER, Metric
from jscc_sim.sources import Bits
from jscc_sim.theory.fading import rayleigh_bpsk_error
from jscc_sim.verify.plan import CALIBRATION_BLOCKS, CALIBRATION_INTERVALS, CALIBRATION_WORDS, Plan, Trial

EQUIVALENCE, FAMILY = 0.05, 1e-3
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Checked:
    """One point as measured: ``equivalent`` by TOST, ``kept`` by Holm; ``z`` is None where there can be no errors."""

    trial: str
    metric: str
    exact: float
    mean: float
    std_error: float
    margin: float
    words: int
    z: float | None
    equivalent: bool
    kept: bool = True

    @property
    def p_value(self) -> float:
        """Two-sided; of a point without a z, 1 if it is right and 0 if not."""
        if self.z is None:
            return float(self.mean == self.exact)
        return float(2 * stats.norm.sf(abs(self.z)))

    @property
    def verified(self) -> bool:
        """Near enough, and not rejected."""
        return self.equivalent and self.kept


@dataclass(frozen=True)
class Verification:
    """All points, the p-value of their family, and the hash of the plan."""

    points: tuple[Checked, ...]
    family: float
    plan: str

    @property
    def verified(self) -> bool:
        """Every point and the family."""
        return self.family > FAMILY and all(point.verified for point in self.points)


def verify(
    plan: Plan, executor: Executor | None = None, progress: Progress = lambda finished, done, planned: None
) -> Verification:
    """Run the plan. ``progress`` hears (trials finished, blocks done, blocks planned) of the trial at hand."""
    digest = plan.digest  # of what is planned, before anything is measured
    points: list[Checked] = []
    for number, trial in enumerate(plan.trials):
        points += _run(trial, plan.seed, executor, partial(progress, number))
    if plan.calibration:
        points.append(_calibration(plan.seed, partial(progress, len(plan.trials))))
    scores = [point.z**2 for point in points if point.z is not None]
    family = float(stats.chi2.sf(sum(scores), len(scores))) if scores else 1.0
    return Verification(tuple(_holm(points)), family, digest)


def _run(trial: Trial, seed: int, executor: Executor | None, progress: Callable[[int, int], None]) -> Iterator[Checked]:
    case = Case(trial.link)
    metrics = [metric for metric, _, _ in trial.points]
    fewest = 1 if all(metric.binary for metric in metrics) else tally.FEWEST_BLOCKS
    blocks = max(fewest, -(-trial.words // case.words_per_block))
    own, found = _seed(seed, trial.name), []
    running = run_blocks(case.link, metrics, case.words_per_block, own, range(blocks), executor=executor)
    for number, (_, block) in enumerate(running, 1):
        found.append(block)
        progress(number, blocks)
    for metric, exact, margin in trial.points:
        yield _checked(trial.name, metric, [block[metric.name] for block in found], exact, margin)


def _seed(seed: int, name: str) -> int:
    """A seed for each trial by its name, so that the points are independent and do not move when one is added."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest())


def _checked(trial: str, metric: Metric, tallies: list[tally.Tally], exact: float, margin: float) -> Checked:
    """A point with its z, Student's t by the blocks turned into a normal score."""
    estimate = tally.proportion(tallies) if metric.binary else tally.mean(tallies)
    point = Checked(trial, metric.name, exact, estimate.mean, estimate.std_error, margin, estimate.words, None, False)
    if metric.errors and exact == 0:
        return replace(point, equivalent=estimate.mean == 0)
    # A binomial score uses the exact rate's own variance.
    error = math.sqrt(exact * (1 - exact) / estimate.words) if metric.binary else estimate.std_error
    if not (math.isfinite(estimate.mean) and error > 0):
        return replace(point, z=math.inf)
    freedom = estimate.freedom
    z = _normal_score((estimate.mean - exact) / error, freedom)
    room = margin - float(stats.t.ppf(1 - EQUIVALENCE, freedom)) * error
    return replace(point, std_error=error, z=z, equivalent=abs(estimate.mean - exact) < room)


def _normal_score(t: float, freedom: float) -> float:
    """The normal quantile of Student's tail."""
    return math.copysign(float(stats.norm.isf(stats.t.sf(abs(t), freedom))), t)


def _calibration(seed: int, progress: Callable[[int, int], None]) -> Checked:
    """The mean of z² over independent intervals on bits whose errors come in bursts: 1 if intervals are honest.

    Words of 64 bits share a fading gain, so that an interval over bits would be some three times too narrow.
    """
    from channels import Rayleigh

    bits, snr_db = 64, 3.0
    link = Link(Bits(bits), Repetition(bits, 1), Rayleigh(1.0).at(snr_db)).eval()
    exact = float(rayleigh_bpsk_error(10 ** (snr_db / 10)))
    scores = []
    for number in range(CALIBRATION_INTERVALS):
        own = _seed(seed, f"calibration {number}")
        blocks = [
            block["ber"] for _, block in run_blocks(link, [BER], CALIBRATION_WORDS, own, range(CALIBRATION_BLOCKS))
        ]
        estimate = tally.mean(blocks)
        scores.append(_normal_score((estimate.mean - exact) / estimate.std_error, estimate.freedom))
        progress(number + 1, CALIBRATION_INTERVALS)
    spread = float(np.mean(np.square(scores)))
    error = math.sqrt(2 / CALIBRATION_INTERVALS)  # of a chi-square over its degrees of freedom
    tail = stats.chi2(CALIBRATION_INTERVALS)
    p_value = 2 * min(tail.cdf(spread * CALIBRATION_INTERVALS), tail.sf(spread * CALIBRATION_INTERVALS))
    z = math.copysign(float(stats.norm.isf(p_value / 2)), spread - 1)
    return Checked(
        trial="calibration of intervals",
        metric="mean z²",
        exact=1.0,
        mean=spread,
        std_error=error,
        margin=6 * error,
        words=CALIBRATION_INTERVALS,
        z=z,
        equivalent=abs(spread - 1) < (6 - float(stats.norm.isf(EQUIVALENCE))) * error,
    )


def _holm(points: list[Checked]) -> list[Checked]:
    """The points with Holm's verdict (1979) on each at the level of the family."""
    order = sorted(range(len(points)), key=lambda index: points[index].p_value)
    kept, judged = False, {}
    for rank, index in enumerate(order):
        kept = kept or points[index].p_value > FAMILY / (len(points) - rank)
        judged[index] = replace(points[index], kept=kept)
    return [judged[index] for index in range(len(points))]
