"""Intervals cover what they say, and tallies add up."""

import numpy as np
import pytest
import torch
from scipy import stats

from jscc_sim.tally import Tally, blocks_for, clopper_pearson, errors_for, mean, proportion

RUNS = 2000
# A run of 2,000 true 95 % intervals covers less than this with probability 1e-5.
LEAST = stats.binom(RUNS, 0.95).ppf(1e-5)


def tallies(scores: np.ndarray) -> list[Tally]:
    return [Tally(row.size, float(row.sum()), int(np.count_nonzero(row))) for row in scores]


def test_tallies_add_up():
    scores = torch.rand(100)
    assert Tally.of(scores[:30]) + Tally.of(scores[30:]) == pytest.approx(Tally.of(scores))


def test_means_of_skewed_scores_are_covered():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(RUNS):
        estimate = mean(tallies(rng.standard_normal((30, 200)) ** 2))
        covered += estimate.low <= 1 <= estimate.high
    assert covered >= LEAST


def test_two_stages_cover_and_keep_the_promised_width():
    rng = np.random.default_rng(0)
    covered, narrow = 0, 0
    for _ in range(RUNS):
        blocks = tallies(rng.standard_normal((30, 100)) ** 2)
        wanted = blocks_for(blocks, 0.02)
        blocks += tallies(rng.standard_normal((wanted - 30, 100)) ** 2)
        estimate = mean(blocks, pilot=30)
        covered += estimate.low <= 1 <= estimate.high
        narrow += estimate.high - estimate.mean <= 0.02 * estimate.mean
    assert covered >= LEAST
    assert narrow >= LEAST  # promised in 97.5 % of runs


@pytest.mark.parametrize("p", [0.003, 0.2])
def test_proportions_stopped_at_a_count_of_errors_are_covered(p):
    rng = np.random.default_rng(0)
    wanted, covered = errors_for(0.3), 0
    for _ in range(RUNS):
        words = np.cumsum(rng.geometric(p, wanted))[-1]
        estimate = proportion([Tally(int(words), float(wanted), wanted)])
        covered += estimate.low <= p <= estimate.high
        assert estimate.high - estimate.low <= 2 * 0.3 * estimate.mean
    assert covered >= LEAST


def test_zero_errors_print_an_upper_bound():
    assert clopper_pearson(0, 1000)[1] == pytest.approx(3.69 / 1000, rel=1e-2)
    assert mean([Tally(100, 0.0, 0)] * 30).high == pytest.approx(3.69 / 3000, rel=1e-2)


def test_p_values_are_uniform_under_the_truth():
    rng = np.random.default_rng(0)
    values = [mean(tallies(rng.standard_normal((30, 50)))).p_value(0.0) for _ in range(RUNS)]
    assert stats.kstest(values, "uniform").pvalue > 1e-5


def test_a_wrong_exact_value_is_rejected_and_a_margin_forgives():
    estimate = mean(tallies(1 + np.random.default_rng(0).standard_normal((100, 1000))))
    assert estimate.p_value(1.05) < 1e-5 < estimate.p_value(1.05, margin=0.06)
    rate = proportion([Tally(10**5, 1000.0, 1000)])
    assert rate.p_value(0.012) < 1e-5 < rate.p_value(0.012, margin=0.2)
    assert rate.p_value(0.01) == 1.0


def test_too_few_events_have_no_verdict():
    """Five of 10^5 words erred: a t-test would reject true values far more often than it says."""
    few = mean([Tally(10_000, 0.05 if block < 5 else 0.0, int(block < 5)) for block in range(10)])
    assert few.p_value(1e-5) is None
    assert few.p_value(few.mean) == 1.0


def test_certain_scores_are_judged_exactly():
    estimate = mean([Tally(10, 0.5, 10)] * 30)
    assert estimate.p_value(0.05) == 1.0
    assert estimate.p_value(0.051) == 0.0
