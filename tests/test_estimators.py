"""Estimators: unbiased beside exact values, honest intervals, the same bits however they run, fewer words than plain.

Statistical tests have fixed seeds; each says its false-alarm rate. Refusals are in test_estimators_refusals.py.
"""

import json
import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from scipy import stats

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    PulsedPolicy,
    SharedRotation,
    SharedSign,
    TwoPointPolicy,
    UniformPolicy,
    from_decibels,
)
from channels.power import scrambled_normal_points
from jscc_sim import tally
from jscc_sim.case import Case
from jscc_sim.cli.sweep_options import ESTIMATORS as OFFERED
from jscc_sim.codecs import BCH_15_7, HAMMING_7_4, BlockCode, Linear, NeuralCodec, Repetition
from jscc_sim.estimators import ESTIMATORS, Control, Plain, Sobol, Strata, Tilt
from jscc_sim.estimators.control import Controlled
from jscc_sim.estimators.placed import MOST_STRATA, Placed, strata_of
from jscc_sim.estimators.strata import minimum_distance
from jscc_sim.exact import exact_values
from jscc_sim.link import Link
from jscc_sim.metrics import METRICS, metrics_for
from jscc_sim.montecarlo import PILOT_BLOCKS, Budget, rows_of, sweep
from jscc_sim.seeds import seeded
from jscc_sim.sources import Bits, Gaussian, Laplace, Uniform, exponential_covariance
from jscc_sim.store import Store
from jscc_sim.theory.coding import bpsk_error
from jscc_sim.verify import verdict

FALSE_ALARM = 1e-5


class Bent(Linear):
    """A linear codec with a decoder that bends a little, and small blocks."""

    cost = 256

    def __init__(self, k: int = 1, bend: float = 0.05) -> None:
        super().__init__(k)
        self.bend = bend

    def decode(self, y, law):
        return super().decode(y, law) + self.bend * torch.sin(2 * y)


class ShortBlocks(BlockCode):
    cost = 32


def bent_mse(bend: float, noise_power: float) -> float:
    """The error of `Bent` for one symbol in Gaussian noise, by Gauss-Hermite quadrature in the plane."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    u, w = nodes[:, None], math.sqrt(noise_power) * nodes
    error = u - ((u + w) / (1 + noise_power) + bend * np.sin(2 * (u + w)))
    return float(weights @ error**2 @ weights / weights.sum() ** 2)


def bent(channel, k: int = 1, source=Gaussian) -> Case:
    return Case(Link(source(k), Bent(k), channel).eval(), exact={"mse": bent_mse(0.05, 1.1)})


def bpsk(channel, times: int = 1) -> Case:
    link = Link(Bits(1, torch.float64), Repetition(1, times), channel).eval()
    return Case(link, exact=exact_values(link))


def coded(channel, generator=BCH_15_7) -> Case:
    link = Link(Bits(len(generator)), BlockCode(generator), channel)
    return Case(link, exact=exact_values(link))


def jammer(policy=GaussianPolicy, jam_power: float = 1.0) -> Jammer:
    return Jammer(policy(), 0.1, jam_power)


# What each estimator is made for, by name: every estimator is here.
CASES = {
    "plain": [bent(AWGN(1.1))],
    "control": [
        bent(AWGN(1.1)),
        bent(jammer()),
        bent(AWGN(1.1), 4),
        bent(SharedSign(jammer())),
        Case(Link(Gaussian(1), Linear(1, 3), jammer(PulsedPolicy)).eval()),
        Case(Link(Gaussian(covariance=exponential_covariance(3, 0.8)), Bent(3), AWGN(0.5))),
    ],
    "tilt": [bpsk(AWGN(1.0)), bpsk(AWGN(0.3), 3), bpsk(jammer()), bpsk(SharedSign(AWGN(0.2))), bpsk(AWGN(0.5, 0.7))],
    "strata": [
        coded(BSC(0.05)),
        coded(BEC(0.3)),
        coded(BSC(0.2), HAMMING_7_4),
        coded(BitFlip(BSC(0.02), 1, attack="exhaustive"), HAMMING_7_4),
        coded(BitFlip(BEC(0.1), 1, informed=False, attack="exhaustive"), HAMMING_7_4),
        Case(Link(Bits(40), Repetition(40), BSC(0.1)), exact=exact_values(Link(Bits(40), Repetition(40), BSC(0.1)))),
    ],
    "sobol": [
        bent(AWGN(1.1)),
        bent(SharedRotation(jammer()), 4),
        Case(Link(Gaussian(covariance=exponential_covariance(3, 0.8)), Bent(3), AWGN(0.5))),
    ],
}
PAIRS = [(name, number) for name, cases in CASES.items() for number in range(len(cases))]


def plain_estimate(case: Case, words: int, seed: int = 11) -> dict[str, tally.Estimate]:
    """By plain Monte Carlo in 64 batches, which know nothing of estimators."""
    scores = {metric.name: [] for metric in metrics_for(case.link.source)}
    with seeded(seed), torch.no_grad():
        for _ in range(64):
            sent = case.link.transmit(words // 64)
            for metric in metrics_for(case.link.source):
                scores[metric.name].append(tally.Tally.of(metric.score(sent), metric.errors))
    return {name: tally.mean(found) for name, found in scores.items()}


def estimates(case: Case, estimator, blocks: int, seed: int = 0) -> dict[str, tally.Estimate]:
    """With as many blocks, at least 30, by the sweep itself: what it shows, with the standard error it has."""
    words = estimator.prepare(case.link, metrics_for(case.link.source), case.words_per_block, 0).words
    rows = sweep([case], Budget(words=blocks * words), estimator=estimator, seed=seed)
    quantile = stats.t.ppf(0.975, blocks - 1)
    return {row.metric: (row.mean, (row.high - row.low) / 2 / quantile, blocks - 1) for row in rows}


def rejected(mean: float, error: float, freedom: float, truth: float, other_error: float = 0.0) -> bool:
    """Two-sided, at `FALSE_ALARM`; float32 scores are off by a millionth."""
    excess = abs(mean - truth) - tally.ROUNDING * abs(truth)
    return excess > 0 and 2 * stats.t.sf(excess / math.hypot(error, other_error), freedom) < FALSE_ALARM


def test_every_estimator_is_tested_and_offered_by_its_name():
    assert tuple(CASES) == tuple(ESTIMATORS) == OFFERED
    assert all(kind.name == name for name, kind in ESTIMATORS.items())


@pytest.mark.parametrize(("name", "number"), PAIRS)
class TestEveryEstimator:
    """Each comparison at a false-alarm rate of 1e-5."""

    def test_agrees_with_plain_monte_carlo(self, name, number):
        case = CASES[name][number]
        plain = plain_estimate(case, 2**16)
        for metric, (mean, error, freedom) in estimates(case, ESTIMATORS[name](), 40).items():
            other = plain[metric]
            assert not rejected(mean, error, min(freedom, 39), other.mean, other.std_error)

    def test_agrees_with_the_exact_value(self, name, number):
        case = CASES[name][number]
        if name in ("control", "sobol") and case.link.codec.k != case.link.codec.n:
            case = replace(case, exact=exact_values(case.link))
        elif isinstance(case.link.codec, Bent) and (case.link.source.covariance is not None):
            case = replace(case, exact={})  # no quadrature in three dimensions
        found = estimates(case, ESTIMATORS[name](), 100)
        for metric, measured in found.items():
            assert metric not in case.exact or not rejected(*measured, case.exact[metric])

    def test_is_unbiased_whatever_its_pilot_said(self, name, number):
        """Blocks of one pilot against blocks of another: each block depends on its number and the pilot alone."""
        case, metrics = CASES[name][number], metrics_for(CASES[name][number].link.source)
        found = []
        for seed in (1, 2):
            experiment = ESTIMATORS[name]().prepare(case.link, metrics, case.words_per_block, seed)
            with seeded(50 + seed), torch.no_grad():
                scores = [experiment.metrics[0].score(experiment.sender.transmit(experiment.words)) for _ in range(40)]
            found.append(np.array([float(score.double().mean()) for score in scores]))
        one, other = found
        errors = [float(means.std(ddof=1)) / math.sqrt(len(means)) for means in found]
        assert not rejected(one.mean(), errors[0], 39, other.mean(), errors[1])

    def test_leaves_the_generator_and_its_threads_alone(self, name, number):
        case = CASES[name][number]
        torch.manual_seed(5)
        before = torch.get_rng_state()
        list(sweep([case], Budget(words=1), estimator=ESTIMATORS[name]()))
        assert torch.equal(torch.get_rng_state(), before)


class TestIntervals:
    """Coverage of 95 % intervals over independent runs; more misses than allowed come by chance in 1 of 10,000."""

    RUNS = 200

    def misses(self, case: Case, estimator, budget: Budget) -> int:
        rows = [next(sweep([case], budget, estimator=estimator, seed=seed)) for seed in range(self.RUNS)]
        return sum(not row.low <= case.exact[row.metric] <= row.high for row in rows)

    @pytest.mark.slow
    @pytest.mark.parametrize("pilot_decides", [True, False])
    @pytest.mark.parametrize(
        ("case", "estimator", "target"),
        [
            (bent(AWGN(1.1)), Control(pilot=256), 0.02),
            (bpsk(AWGN(0.1)), Tilt(), 0.03),
            (coded(BSC(0.01), HAMMING_7_4), Strata(pilot=32), 0.03),
            (bent(AWGN(1.1)), Sobol(64), 0.01),
        ],
        ids=["control", "tilt", "strata", "sobol"],
    )
    def test_cover_what_they_say(self, monkeypatch, case, estimator, target, pilot_decides):
        """With as many blocks as the pilot asks for, and with 30; blocks are small, the least kind to Student's t."""
        monkeypatch.setattr("jscc_sim.case.SYMBOLS_PER_BLOCK", 2**12)
        allowed = stats.binom.isf(1e-4, self.RUNS, 0.05)
        budget = Budget(rel_error=target) if pilot_decides else Budget(words=1)
        assert self.misses(case, estimator, budget) <= allowed

    def test_are_not_much_wider_than_they_need_be(self, monkeypatch):
        """At least one of 200 intervals of 95 % misses but with probability 3.5e-5."""
        monkeypatch.setattr("jscc_sim.case.SYMBOLS_PER_BLOCK", 2**12)
        assert self.misses(bent(AWGN(1.1)), Control(pilot=256), Budget(words=1)) > 0

    def test_of_errors_that_never_showed_reach_up_to_what_was_not_seen(self):
        """A stratum of which none erred in m words may err 3.69/m of the time (95 %, two-sided)."""
        none = [tally.Tally(512, 0.0, 0)] * 30
        found = tally.mean(none, heaviest=1e-3)
        assert (found.mean, found.low) == (0.0, 0.0)
        assert found.high == pytest.approx(1e-3 * 3.69 / (30 * 512), rel=1e-3)

    def test_of_few_errors_reach_further_than_by_their_spread(self):
        few = [tally.Tally(512, 1e-9 if number < 5 else 0.0, int(number < 5)) for number in range(30)]
        found = tally.mean(few, heaviest=1e-3)
        assert found.high > 5e-3 / (30 * 512)
        assert max(0.0, found.low) <= found.mean


RUNS = [
    ("control", bent(AWGN(1.1))),
    ("tilt", bpsk(AWGN(0.1))),
    ("strata", coded(BSC(0.05))),
    ("strata", coded(BitFlip(BSC(0.02), 1), HAMMING_7_4)),
    ("sobol", bent(AWGN(1.1))),
]
BUDGET = Budget(rel_error=0.004)


@pytest.mark.parametrize(("name", "case"), RUNS)
class TestReproducesBitForBit:
    def test_in_threads_processes_and_any_order(self, name, case):
        estimator = ESTIMATORS[name]()
        rows = list(sweep([case], BUDGET, estimator=estimator))
        with ThreadPoolExecutor(4) as pool:
            assert list(sweep([case], BUDGET, estimator=estimator, executor=pool)) == rows
        plain = list(sweep([case, case], Budget(words=1)))
        both = list(sweep([case], BUDGET, estimator=estimator)) + list(sweep([case], Budget(words=1)))
        assert both == rows + plain[: len(plain) // 2]

    def test_after_a_kill_and_beside_plain_in_one_store(self, name, case, tmp_path):
        estimator = ESTIMATORS[name]()
        rows = list(sweep([case], BUDGET, estimator=estimator))
        heard = []

        def stop(words, planned):
            heard.append(words)
            if len(heard) == 7:
                raise KeyboardInterrupt

        with Store(tmp_path / "s") as store, pytest.raises(KeyboardInterrupt):
            list(sweep([case], BUDGET, estimator=estimator, store=store, progress=stop))
        unfinished = list(rows_of(Store.open(tmp_path / "s")))
        assert {row.labels["estimator"] for row in unfinished} == {name}
        assert all(not row.complete and row.low <= row.mean <= row.high for row in unfinished)
        with Store(tmp_path / "s") as store:
            plain = list(sweep([case], Budget(words=1), store=store))
            assert list(sweep([case], BUDGET, estimator=estimator, store=store)) == rows
            assert len(store.cases) == 2
            assert list(rows_of(store)) == rows + plain
        assert plain == list(sweep([case], Budget(words=1)))
        assert plain[0].key != rows[0].key

    def test_whatever_the_threads(self, name, case):
        rows = list(sweep([case], BUDGET, estimator=ESTIMATORS[name]()))
        before = torch.get_num_threads()
        torch.set_num_threads(3)
        try:
            assert list(sweep([case], BUDGET, estimator=ESTIMATORS[name]())) == rows
        finally:
            torch.set_num_threads(before)


def test_reproduces_bit_for_bit_in_processes():
    """Codecs of the library's own, which processes can import."""
    cases = [("tilt", bpsk(AWGN(0.1))), ("strata", coded(BSC(0.05)))]
    cases += [(name, Case(Link(Gaussian(2), NeuralCodec(2, 2, 8), jammer()).eval())) for name in ("control", "sobol")]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, case in cases:
            alone = list(sweep([case], Budget(words=1), estimator=ESTIMATORS[name]()))
            assert list(sweep([case], Budget(words=1), estimator=ESTIMATORS[name](), executor=pool)) == alone


class TestKeys:
    def test_tell_estimators_and_their_parameters_apart(self):
        case = bent(AWGN(1.1))
        estimators = [Plain(), Control(), Control(pilot=512), Sobol(64), Sobol(128)]
        rows = [next(sweep([case], Budget(words=1), estimator=estimator)) for estimator in estimators]
        assert len({row.key for row in rows}) == len(estimators)
        assert rows[0].key == case.key

    def test_plain_is_what_it_was(self):
        case = bent(AWGN(1.1))
        assert list(sweep([case], Budget(words=1), estimator=Plain())) == list(sweep([case], Budget(words=1)))
        assert Plain().prepare(case.link, metrics_for(case.link.source), 7, 0).sender is case.link

    def test_pilots_have_seeds_of_their_own(self):
        case, pilots = bent(AWGN(1.1)), []

        class Noted(Control):
            def prepare(self, link, metrics, words, seed):
                pilots.append(seed)
                return super().prepare(link, metrics, words, seed)

        for seed in (0, 1):
            list(sweep([case], Budget(words=1), estimator=Noted(), seed=seed))
        assert len(set(pilots)) == 2


class TestControl:
    def test_has_an_exact_mean_for_any_linear_codec(self):
        """Σ, B and G drawn at random; the mean of 2e5 words at a false-alarm rate of 1e-5."""
        covariance = exponential_covariance(3, 0.7)
        link = Link(Gaussian(covariance=covariance), Bent(3), Jammer(UniformPolicy(), 0.1))
        with seeded(3), torch.no_grad():
            experiment = Control().prepare(link.eval(), metrics_for(link.source), 1000, 4)
            scored = experiment.metrics[0].score
            assert isinstance(scored, Controlled)
            random = [torch.randn(3, 3, dtype=torch.float64) for _ in range(2)]
            control = replace(scored.control, blank=random[0], receiver=random[1])
            found = control(link.transmit(200_000))
        exact = control.means(torch.from_numpy(covariance), 1.1)
        scores = (found.mean(0) - exact) / (found.std(0) / math.sqrt(len(found)))
        assert scores.abs().max() < stats.norm.isf(FALSE_ALARM / 6)

    @pytest.mark.parametrize("policy", [GaussianPolicy, LaplacePolicy, PulsedPolicy, TwoPointPolicy, UniformPolicy])
    @pytest.mark.parametrize("source", [Gaussian, Laplace, Uniform])
    def test_holds_for_any_white_law(self, policy, source):
        """A linear codec's error is its own control, whatever the laws: nothing is left but rounding."""
        case = Case(Link(source(2), Linear(2), jammer(policy)).eval())
        (row,) = sweep([case], Budget(words=1), estimator=Control())
        assert row.mean == pytest.approx(1.1 / 2.1, rel=3e-6)
        assert row.low <= 1.1 / 2.1 <= row.high

    def test_would_not_notice_a_wrong_noise_power_and_so_gives_no_verdict(self):
        """Why it must never verify: the noise is a tenth too strong, and the exact value is hit all the same."""

        class Loud(AWGN):
            def transmit(self, x, u=None):
                return super().transmit(x, u)._replace(y=x + math.sqrt(1.1 * self.noise_power) * torch.randn_like(x))

        link = Link(Gaussian(), Linear(), AWGN(1.0))
        experiment = Control().prepare(link, metrics_for(link.source), 2**12, 0)
        with seeded(0):
            sent = Link(link.source, link.codec, Loud(1.0)).transmit(2**12)
        assert float(experiment.metrics[0].score(sent).mean()) == pytest.approx(0.5, rel=1e-5)
        (row,) = sweep([Case(link, exact={"mse": 0.4})], Budget(words=1), estimator=Control())
        assert row.p_value is None
        assert verdict(row) is None

    def test_needs_far_fewer_words_than_plain(self):
        assert gain(bent(AWGN(1.1)), Control()) > 40  # this codec bends: 5 % of a sine
        slight = Case(Link(Gaussian(8), Bent(8, 0.003), AWGN(1.1)))
        assert gain(slight, Control()) > 1000


def gain(case: Case, estimator) -> float:
    """How many times as many words plain Monte Carlo needs for the same interval: the ratio of variances."""
    metrics = metrics_for(case.link.source)
    experiment = estimator.prepare(case.link, metrics, case.words_per_block, 1)
    with seeded(2), torch.no_grad():
        plain = float(metrics[0].score(case.link.transmit(2**15)).double().var())
        means = [
            float(experiment.metrics[0].score(experiment.sender.transmit(experiment.words)).mean()) for _ in range(60)
        ]
    return plain / experiment.words / float(np.var(means, ddof=1))


class TestTilt:
    @pytest.mark.parametrize("error", [1e-3, 1e-6, 1e-9, 1e-12])
    def test_reaches_one_per_cent_with_a_quarter_of_a_million_words(self, error):
        """And agrees at a false-alarm rate of 1e-5."""
        snr = stats.norm.isf(error) ** 2
        case = bpsk(AWGN(1 / snr))
        (row,) = sweep([case], estimator=Tilt())
        assert (row.high - row.low) / 2 < 0.0101 * row.mean
        assert row.words < 4.5e5
        assert verdict(row) == "agrees"
        assert row.exact == pytest.approx(error, rel=1e-6)

    def test_weighs_no_error_more_than_it_says(self):
        case = bpsk(AWGN(0.2), 3)
        experiment = Tilt().prepare(case.link, metrics_for(case.link.source), 2**16, 0)
        with seeded(0):
            scores = experiment.metrics[0].score(experiment.sender.transmit(2**16))
        assert scores.max() <= experiment.heaviest * (1 + 1e-12)
        assert scores.max() > 0.5 * experiment.heaviest

    def test_knows_the_error_rate_of_repeated_bits_and_jammers(self):
        for case, exact in [(bpsk(AWGN(0.1), 3), bpsk_error(30)), (bpsk(jammer(jam_power=0.05)), bpsk_error(1 / 0.15))]:
            (row,) = sweep([case], estimator=Tilt())
            assert row.mean == pytest.approx(float(exact), rel=0.03)
            assert row.low <= exact <= row.high


class TestStrata:
    @pytest.mark.parametrize("probability", [1e-9, 0.02, 0.3, 0.97, 1.0])
    @pytest.mark.parametrize(("n", "least"), [(15, 3), (15, 0), (15, 15), (7, 1), (300, 2)])
    def test_truncate_nothing(self, n, probability, least):
        strata = strata_of(n, probability, least)
        assert len(strata) <= MOST_STRATA
        assert sum(stratum.mass for stratum in strata) == pytest.approx(stats.binom.sf(least - 1, n, probability))

    def test_draw_the_rarest_numbers_by_their_law(self):
        """Chi-square of the last stratum, at a false-alarm rate of 1e-5."""
        stratum = strata_of(300, 0.05, 2)[-1]
        with seeded(1):
            drawn = stratum.draw(20_000).numpy()
        counts = np.arange(stratum.least, stratum.least + 8)
        shares = stats.binom.pmf(counts, 300, 0.05) / stratum.mass
        seen = [(drawn == count).sum() for count in counts]
        observed, expected = [*seen, len(drawn) - sum(seen)], 20_000 * np.array([*shares, 1 - shares.sum()])
        assert stats.chisquare(observed, expected).pvalue > FALSE_ALARM

    def test_hit_as_many_symbols_as_they_say_and_all_alike(self):
        """Chi-square over places, at a false-alarm rate of 1e-5."""
        strata = strata_of(15, 0.1, 2)[:3]
        channel = Placed(BSC(0.1), tuple((stratum, 4000) for stratum in strata))
        with seeded(1):
            y = channel(torch.ones(12_000, 15))
        hits = (y < 0).sum(-1)
        assert hits.tolist() == [2] * 4000 + [3] * 4000 + [4] * 4000
        places = (y < 0).sum(0).numpy()
        # Sampled without replacement: the spread of each place is that of a hypergeometric number.
        spread = sum(4000 * (j / 15) * (1 - j / 15) for j in (2, 3, 4))
        statistic = ((places - places.mean()) ** 2).sum() / spread * 14 / 15
        assert FALSE_ALARM / 2 < stats.chi2.sf(statistic, 14) < 1 - FALSE_ALARM / 2
        erased = Placed(BEC(0.1), ((strata[0], 5),))(torch.ones(5, 15))
        assert (erased == 0).sum(-1).tolist() == [2] * 5

    def test_know_the_distance_of_codes(self):
        assert minimum_distance(BlockCode(HAMMING_7_4)) == 3
        assert minimum_distance(BlockCode(BCH_15_7)) == 5
        assert minimum_distance(Repetition(4, 5)) == 5

    @pytest.mark.parametrize("flip", [1e-2, 1e-4, 1e-6])
    def test_reach_one_per_cent_with_15000_words_of_a_bch_code(self, flip):
        (row, _) = sweep([coded(BSC(flip))], Budget(words=15_000), estimator=Strata())
        assert row.words < 17_000
        assert (row.high - row.low) / 2 < 0.014 * row.mean
        assert row.low < row.exact * 1.02
        assert row.high > row.exact * 0.98
        assert verdict(row) == "agrees"

    def test_skip_only_what_the_code_corrects_for_sure(self):
        """Every pattern that is never sent, tried out: no error at all."""
        link = coded(BSC(0.01)).link
        skipped = strata_of(15, 0.01, 0)[:3]
        channel = Placed(BSC(0.01), tuple((stratum, 2000) for stratum in skipped))
        with seeded(0), torch.no_grad():
            sent = Link(link.source, link.codec, channel).transmit(6000)
        assert torch.equal(sent.u, sent.u_hat)

    def test_say_so_when_errors_are_too_few(self):
        """The longer the words, the rarer the errors even where they are possible: the interval says how far it is."""
        case = Case(Link(Bits(1000), Repetition(1000, 9), BSC(1e-5)), exact={"bler": 0.0})
        row, _ = sweep([case], Budget(max_words=1), estimator=Strata())
        assert not row.complete
        assert row.low <= 1000 * stats.binom.sf(4, 9, 1e-5) <= row.high


class TestSobol:
    @pytest.mark.parametrize("dimensions", [1, 2, 40])
    def test_points_are_normal(self, dimensions):
        """Every point alone is exactly N(0, I): Kolmogorov-Smirnov of one point of 3,000 scramblings, at 1e-5."""
        with seeded(1):
            drawn = torch.cat([scrambled_normal_points(4, dimensions)[2:3] for _ in range(3000)])
        assert stats.kstest(drawn[:, -1].numpy(), "norm").pvalue > FALSE_ALARM
        assert drawn.isfinite().all()

    def test_needs_far_fewer_words_than_plain(self):
        assert gain(bent(AWGN(1.1)), Sobol()) > 500
        assert gain(bent(AWGN(1.1), 4), Sobol()) > 50


class TestCommandLine:
    def test_names_the_estimator(self, run, tmp_path):
        csv = tmp_path / "rows.csv"
        asked = ("sweep", "--channel", "bsc", "--codec", "bch", "--at", "0.001", "--estimator", "strata")
        code, lines, _ = run(*asked, "--json", "--csv", str(csv))
        found = [json.loads(line) for line in lines]
        assert code == 0
        assert {row["estimator"] for row in found} == {"strata"}
        assert {row["verdict"] for row in found} == {"agrees"}
        assert "estimator" in csv.read_text().splitlines()[0]
        assert run(*asked)[1][0] == "bits over bsc, strata estimator, k 7, n 15, seed 0"

    def test_leaves_plain_as_it_was(self, run):
        asked = ("sweep", "--channel", "awgn", "--snr", "0", "--json")
        named, unnamed = run(*asked, "--estimator", "plain"), run(*asked)
        assert named == unnamed
        assert "estimator" not in json.loads(unnamed[1][0])

    def test_refuses_before_anything_is_measured(self, run, tmp_path):
        store = tmp_path / "s"
        asked = ("sweep", "--channel", "bsc", "--at", "0.1,0.5", "--codec", "hamming", "--store", str(store))
        code, lines, errors = run(*asked, "--estimator", "strata")
        assert (code, lines, len(errors)) == (2, [], 1)
        assert "flip below 1/2" in errors[0]
        assert not store.exists()

    def test_verify_cannot_use_them(self, run):
        code, _, errors = run("verify", "--quick", "--estimator", "control")
        assert code == 2
        assert "No such option" in errors[-1]

    def test_draws_and_shows_them_beside_plain(self, run, tmp_path):
        store = str(tmp_path / "s")
        for name in ("plain", "tilt"):
            asked = ("sweep", "--channel", "awgn", "--codec", "uncoded", "--snr", "0,2", "--store", store)
            assert run(*asked, "--estimator", name)[0] == 0
        assert run("plot", store, "--out", str(tmp_path / "x.png"))[0] == 0
        assert sum("tilt estimator" in line for line in run("show", store)[1]) == 1


def test_default_precision_of_weighed_errors_is_that_of_a_mean():
    ber = METRICS["ber"]
    assert Budget().target(ber) == 0.1
    assert Budget().target(replace(ber, weighted=True)) == 0.01


def test_words_still_mean_at_least_thirty_blocks():
    (row,) = sweep([bpsk(AWGN(from_decibels(-3)))], Budget(words=1), estimator=Tilt())
    assert row.words == PILOT_BLOCKS * 2**13


def test_few_words_that_all_score_have_students_interval():
    """Not that of rare scores, which ended at the mean: Clopper-Pearson's for 30 of 30 ends at 1."""
    found = tally.mean([tally.Tally(1, 1 + number / 100, 1) for number in range(30)])
    assert found.high - found.mean == pytest.approx(found.mean - found.low)
    assert found.high > found.mean
