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


class TestTalliesAddUp:
    """Whole numbers of the scores below add up without rounding, so that equality is exact."""

    SCORES = torch.randint(0, 5, (100,), generator=torch.Generator().manual_seed(0)).float()

    @pytest.mark.parametrize("cut", [0, 1, 30, 100])
    @pytest.mark.parametrize("rare", [True, False])
    def test_wherever_they_are_cut(self, cut, rare):
        parts = [Tally.of(part, rare) for part in (self.SCORES[:cut], self.SCORES[cut:])]
        assert parts[0] + parts[1] == parts[1] + parts[0] == Tally.of(self.SCORES, rare)

    def test_from_nothing(self):
        assert sum((Tally.of(part) for part in self.SCORES.split(7)), Tally(0, 0.0, 0)) == Tally.of(self.SCORES)

    def test_and_count_words_that_scored(self):
        assert Tally.of(torch.tensor([0.0, 0.5, 0.5])) == Tally(3, 1.0, 2)
        assert Tally.of(torch.tensor([0.0, 0.5, 0.5]), rare=False) == Tally(3, 1.0, 3)
        assert Tally.of(torch.tensor([True, False, True])) == Tally(3, 2.0, 2)

    def test_in_float64(self):
        assert Tally.of(torch.full((10**6,), 0.1)).total == pytest.approx(10**6 * float(torch.tensor(0.1)), rel=1e-12)


def test_means_of_skewed_scores_are_covered():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(RUNS):
        estimate = mean(tallies(rng.standard_normal((30, 200)) ** 2))
        covered += estimate.low <= 1 <= estimate.high
    assert covered >= LEAST


def test_the_intervals_are_the_textbooks():
    """Student's over all blocks; Stein's: the pilot's variance and freedom, the mean and the count of all blocks."""
    blocks = tallies(np.random.default_rng(0).standard_normal((50, 20)) ** 2)
    means = np.array([block.total / block.words for block in blocks])
    for pilot in (None, 30):
        first = means[: pilot or 50]
        half = stats.t.ppf(0.975, len(first) - 1) * first.std(ddof=1) / 50**0.5
        estimate = mean(blocks, pilot)
        assert (estimate.mean, estimate.words) == (pytest.approx(means.mean()), 1000)
        assert (estimate.low, estimate.high) == pytest.approx((means.mean() - half, means.mean() + half))


def test_the_second_stage_is_decided_by_the_pilot_alone_and_never_shorter_than_it():
    pilot = tallies(np.random.default_rng(0).standard_normal((30, 20)) ** 2)
    wanted = [blocks_for(pilot, rel_error) for rel_error in (0.5, 0.1, 0.05, 0.01)]
    assert wanted == sorted(wanted)
    assert wanted[0] == 30 < wanted[-1]
    assert blocks_for([Tally(10, 5.0, 10)] * 30, 0.01) == 30  # nothing varies


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


@pytest.mark.parametrize("p", [0.002, 0.05, 0.3])
def test_proportions_stopped_at_the_first_whole_block_are_covered(p):
    """As sweeps stop: at the first block of 200 words that completes the count of errors."""
    rng = np.random.default_rng(1)
    wanted, covered = errors_for(0.3), 0
    for _ in range(RUNS):
        errors = np.cumsum(rng.binomial(200, p, int(2 * wanted / (200 * p)) + 40))
        stop = int(np.searchsorted(errors, wanted)) + 1
        estimate = proportion([Tally(200 * stop, float(errors[stop - 1]), int(errors[stop - 1]))])
        covered += estimate.low <= p <= estimate.high
        assert (estimate.high - estimate.low) / 2 <= 0.3 * estimate.mean
    assert covered >= LEAST


@pytest.mark.parametrize("words", [1, 10, 100, 1000])
def test_clopper_pearson_covers_every_probability(words):
    """No simulation and no false alarms: the coverage is a sum of binomial probabilities."""
    errors = np.arange(words + 1)
    low, high = np.array([clopper_pearson(int(count), words) for count in errors]).T
    for p in [0.0, 1e-6, 1.0, *np.linspace(0.001, 0.999, 37)]:
        assert stats.binom(words, p).pmf(errors[(low <= p) & (p <= high)]).sum() >= 0.95 - 1e-12


@pytest.mark.parametrize("rel_error", [0.5, 0.1, 0.02])
def test_so_many_errors_keep_the_promised_width_at_any_rate(rel_error):
    least = errors_for(rel_error)
    for errors in (least, least + 1, 2 * least):
        for words in (errors, 2 * errors, 100 * errors, 10**7 * errors):
            low, high = clopper_pearson(errors, words)
            assert (high - low) / 2 <= rel_error * errors / words
    low, high = clopper_pearson(least // 2, 10**7)
    assert (high - low) / 2 > rel_error * (least // 2) / 10**7  # and not many more than are needed


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


@pytest.mark.parametrize("errors", [2, 8, 60])
@pytest.mark.parametrize("spread", ["even", "skewed"])
def test_few_erroneous_words_of_many_bits_are_covered(errors, spread):
    """At least 95 % by 1,000 runs, less 4.4 standard errors of that count: false-alarm rate 1e-5."""
    rng, words, bits, runs = np.random.default_rng(0), 2000, 16, 1000
    chance = errors / (30 * words)

    def shares(count: int) -> np.ndarray:
        wrong = rng.integers(1, bits + 1, count) if spread == "even" else rng.geometric(0.3, count)
        return np.minimum(wrong, bits) / bits

    truth, covered = chance * shares(10**6).mean(), 0
    for _ in range(runs):
        counts = rng.binomial(words, chance, 30)
        blocks = [Tally(words, float(shares(count).sum()), int(count)) for count in counts]
        found = mean(blocks)
        covered += found.low <= truth <= found.high
    assert covered / runs > 0.95 - 4.4 * np.sqrt(0.95 * 0.05 / runs)
