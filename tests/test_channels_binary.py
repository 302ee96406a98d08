"""BSC and BEC are exact at any probability: by enumeration of thresholds down to 1e-9, and statistically to 1e-9.

Statistical tests have fixed seeds and false-alarm rate 1e-5.
"""

import math
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from channels import AWGN, BEC, BSC, ErrorsAndErasures, NoisyFlips
from channels.binary import events, factors, gaps, log_odds, log_other

FALSE_ALARM = 1e-5
STEPS = 2**53  # torch's float64 uniforms are whole multiples of 1/STEPS
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(4)


def antipodal(*shape: int) -> torch.Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def uniforms(numbers: torch.Tensor) -> torch.Tensor:
    return numbers.double() / STEPS


def thresholds(probability: float, passed: torch.Tensor) -> torch.Tensor:
    """How many of all the uniforms give at most ``passed`` symbols before the next event: by bisection."""
    low, high = torch.zeros_like(passed), torch.full_like(passed, STEPS)
    while (low < high).any():
        middle = (low + high) // 2
        inside = gaps(uniforms(middle), probability) <= passed
        low, high = torch.where(inside & (low < high), middle + 1, low), torch.where(inside, high, middle)
    return low


def count_fits(count: int, draws: int, probability: float) -> bool:
    """Two-sided, exact: whether so many events of ``draws`` are credible."""
    law = stats.binom(draws, probability)
    return bool(min(law.cdf(count), law.sf(count - 1)) > FALSE_ALARM / 2)


class TestThresholds:
    """Of the 2^53 uniforms there are, exactly the right number lead to each gap."""

    def test_uniforms_are_whole_multiples(self):
        numbers = torch.rand(10**5, dtype=torch.float64) * STEPS
        assert torch.equal(numbers, numbers.floor())
        assert numbers.max() < STEPS
        assert (numbers % 2 == 1).double().mean() == pytest.approx(0.5, abs=0.01)  # down to the last bit

    @pytest.mark.parametrize("p", [1e-9, 1e-6, 1e-3, 0.1, 0.3, 0.5])
    def test_an_event_at_once_has_its_probability(self, p):
        """To a relative 2⁻⁵³/p, as the docstring says, and the rounding of a logarithm."""
        (count,) = thresholds(p, torch.tensor([0])).tolist()
        assert abs(count - p * STEPS) <= 1
        assert abs(count / STEPS / p - 1) <= 2**-53 / p + 2**-51

    @pytest.mark.parametrize("p", [1e-9, 1e-6, 1e-3, 0.1, 0.3, 0.5])
    def test_gaps_are_geometric(self, p):
        """``P(gap ≤ m) = 1 − (1 − p)^(m+1)`` to within 2 of the 2^53, up to gaps of ten times the mean."""
        passed = torch.logspace(0, math.log10(10 / p), 200, dtype=torch.float64).long().unique()
        passed = torch.cat((torch.arange(20), passed)).unique()
        exact = -torch.expm1((passed + 1).double() * math.log1p(-p))
        assert (thresholds(p, passed).double() / STEPS - exact).abs().max() <= 2 / STEPS

    @pytest.mark.parametrize("p", [1e-9, 1e-6, 1e-3, 0.1, 0.3, 0.5])
    def test_thresholds_are_sharp(self, p):
        """Bisection presumes that gaps never fall as the uniform grows: they do not, around the thresholds."""
        for count in thresholds(p, torch.tensor([0, 1, 5, int(1 / p)])).tolist():
            near = torch.arange(max(0, count - 1000), min(STEPS, count + 1000))
            assert (gaps(uniforms(near), p).diff() >= 0).all()

    @pytest.mark.parametrize("p", [1e-3, 0.1, 0.3, 0.5])
    def test_the_mean_gap_gives_the_rate(self, p):
        """``E[gap + 1] = Σ P(gap ≥ m) = 1/p``, which is all that a long run's rate depends on."""
        passed = torch.arange(int(37 / p))
        survive = 1 - thresholds(p, passed).double() / STEPS
        assert float(1 / (1 + survive.sum())) == pytest.approx(p, rel=1e-12)

    @pytest.mark.parametrize("p", [1e-9, 0.5, 5e-324])
    def test_no_uniform_gives_nonsense(self, p):
        extremes = uniforms(torch.tensor([0, 1, STEPS - 1]))
        assert float(gaps(extremes, p)[0]) == 0
        assert not gaps(extremes, p).isnan().any()


class TestEvents:
    # (probability, draws): about 10,000 events each, and no draw takes memory.
    RARE: ClassVar = [(1e-9, 10**13), (1e-6, 10**10), (1e-4, 10**8), (1e-2, 10**6), (0.1, 10**5), (0.5, 20_000)]

    @pytest.mark.parametrize(("p", "draws"), RARE)
    def test_their_number_is_binomial(self, p, draws):
        assert count_fits(len(events(p, draws, CPU)), draws, p)

    @pytest.mark.parametrize(("p", "draws"), RARE[:4])
    def test_they_fall_anywhere(self, p, draws):
        places = events(p, draws, CPU).double() / draws
        assert stats.kstest(places.numpy(), "uniform").pvalue > FALSE_ALARM

    @pytest.mark.parametrize("p", [0.01, 0.1, 0.3, 0.5])
    def test_the_steps_between_them_are_geometric(self, p):
        steps = events(p, int(10**5 / p), CPU).diff()
        most = int(3 / p)
        found = torch.bincount(steps.clamp(max=most + 1), minlength=most + 2)[1:].double()
        expected = stats.geom(p).pmf(range(1, most + 1))
        expected = [*expected, 1 - expected.sum()]
        assert stats.chisquare(found.numpy(), float(found.sum()) * torch.tensor(expected).numpy()).pvalue > FALSE_ALARM

    def test_the_steps_between_rare_ones_are_as_fine_as_they_should_be(self):
        """Of 10^5 steps two or three pairs are equal by chance; uniforms of 24 bits would make it three hundred."""
        steps = events(1e-9, 10**14, CPU).diff()
        assert len(steps) - len(steps.unique()) < stats.poisson(len(steps) ** 2 / 2 * 1e-9 / 2).isf(FALSE_ALARM)

    @settings(max_examples=200)
    @given(st.floats(0, 0.5), st.integers(0, 5000), st.integers(0, 2**32))
    def test_they_are_places_in_order(self, p, count, seed):
        torch.manual_seed(seed)
        places = events(p, count, CPU)
        assert places.dtype == torch.int64
        assert (places.diff() > 0).all()
        assert ((places >= 0) & (places < count)).all()

    @pytest.mark.parametrize("p", [5e-324, 1e-320, 1e-30, 1e-20])
    def test_what_never_happens_does_not(self, p):
        """Below 2⁻⁵³ the only event left is a uniform of exactly 0: one in 9e15."""
        assert len(events(p, 10**9, CPU)) == 0

    def test_none_at_zero(self):
        before = torch.get_rng_state()
        assert len(events(0.0, 10**9, CPU)) == 0
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_huge_number_is_no_trouble(self):
        assert count_fits(len(events(0.5, 2**24, CPU)), 2**24, 0.5)

    def test_a_short_first_guess_is_continued(self, monkeypatch):
        """The number of gaps drawn at first is almost never too small: if it is, more are drawn."""
        monkeypatch.setattr("channels.binary.math.sqrt", lambda value: -value / 6)
        counts = sum(len(events(0.3, 1000, CPU)) for _ in range(200))
        assert count_fits(counts, 200_000, 0.3)


class TestRates:
    @pytest.mark.parametrize("p", [0.0, 1e-6, 1e-4, 1e-2, 0.1, 0.5, 0.9, 1 - 1e-6, 1.0])
    def test_are_exact(self, p):
        x = antipodal(4 * 10**6)
        for happened in ((BSC(p)(x) != x), (BEC(p)(x) == 0)):
            assert count_fits(int(happened.sum()), len(x), p)

    @pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
    @pytest.mark.parametrize("apart", [1, 2, 7])
    def test_neighbours_are_independent(self, p, apart):
        x = torch.ones(4 * 10**6)
        for happened in ((BSC(p)(x) < 0), (BEC(p)(x) == 0)):
            # One pair in eight, so that no symbol is in two of them.
            one, other = happened[:-8:8].long(), happened[apart:][: len(x) - 8 : 8].long()
            table = torch.bincount(2 * one + other, minlength=4).reshape(2, 2)
            assert stats.chi2_contingency(table.numpy(), correction=False).pvalue > FALSE_ALARM

    @pytest.mark.parametrize("p", [0.3, 0.7])
    def test_do_not_depend_on_the_symbol(self, p):
        x = antipodal(10**6)
        flipped = BSC(p)(x) != x
        for symbol in (1, -1):
            assert count_fits(int(flipped[x == symbol].sum()), int((x == symbol).sum()), p)

    @pytest.mark.parametrize("p", [0.0, 0.3, 0.7, 1.0])
    def test_hold_word_by_word(self, p):
        """A symbol at a time, the gap of each word begins anew."""
        flipped = sum(int(BSC(p)(torch.ones(1)) < 0) for _ in range(10_000))
        assert count_fits(flipped, 10_000, p)

    def test_errors_and_erasures_are_independent(self):
        y = ErrorsAndErasures(0.2, 0.3)(torch.ones(10**6))
        assert count_fits(int((y == 0).sum()), len(y), 0.3)
        assert count_fits(int((y < 0).sum()), int((y != 0).sum()), 0.2)


class TestEdges:
    @pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0), (1,), (1, 1), ()])
    @pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
    def test_any_shape(self, shape, p):
        for channel in (BSC(p), BEC(p)):
            assert channel(torch.ones(shape)).shape == shape

    @pytest.mark.parametrize("p", [1 - 2**-53, 1.0])
    def test_just_below_one_is_almost_always(self, p):
        x = antipodal(10**6)
        assert torch.equal(BSC(p)(x), -x)
        assert (BEC(p)(x) == 0).all()

    @pytest.mark.parametrize("p", [0.0, 5e-324, 2.0**-1040, 1e-17])
    def test_just_above_zero_is_almost_never(self, p):
        x = antipodal(10**6)
        assert torch.equal(BSC(p)(x), x)
        assert torch.equal(BEC(p)(x), x)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
    def test_every_precision_meets_the_same_events(self, dtype):
        x = antipodal(1000)
        for channel in (BSC(0.3), BEC(0.7)):
            torch.manual_seed(5)
            single = channel(x)
            torch.manual_seed(5)
            assert torch.equal(channel(x.to(dtype)).float(), single)

    @pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64])
    def test_refuses_bits_that_are_not_antipodal_floats(self, dtype):
        for channel in (BSC(0.1), BEC(0.1), ErrorsAndErasures(0.1, 0.1)):
            with pytest.raises(TypeError, match="antipodal symbols as floats"):
                channel(torch.ones(4, dtype=dtype))

    @pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, math.inf])
    def test_refuses_what_is_no_probability(self, p):
        for build in (BSC, BEC, lambda q: ErrorsAndErasures(q, 0.1), lambda q: ErrorsAndErasures(0.1, q)):
            with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
                build(p)

    def test_an_erasure_is_neither_flipped_nor_believed(self):
        y = BSC(1.0)(torch.zeros(5))
        assert (y == 0).all()
        assert (BSC(0.1).llr(y) == 0).all()

    def test_gradients_pass_what_was_kept_and_of_flips_the_mean(self):
        """An erased symbol has none; a flip turns none round."""
        weight = torch.randn(1000)
        for channel, slope in (
            (BEC(0.3), 1),
            (BSC(0.3), 1 - 2 * 0.3),
            (BSC(0.9), 1 - 2 * 0.9),
            (ErrorsAndErasures(0.3, 0.2), 1 - 2 * 0.3),
            (NoisyFlips(0.3, AWGN(0.5)), 1 - 2 * 0.3),
        ):
            x = torch.ones(1000, requires_grad=True)
            y = channel(x)
            (y @ weight).backward()
            assert torch.allclose(x.grad, weight * slope * (y.detach() != 0))


class TestLaws:
    def test_llr_is_finite_at_the_ends(self):
        y = antipodal(3)
        for p in (0.0, 5e-324, 1.0):
            assert all(law.llr(y).isfinite().all() for law in (BSC(p), BEC(p), ErrorsAndErasures(p, p)))

    def test_llr_of_a_fair_coin_is_zero_exactly(self):
        """So that ties are ties."""
        assert log_odds(0.5) == 0.0

    @given(st.floats(0, 1))
    def test_odds_turn_round(self, p):
        assert log_odds(1 - p) == pytest.approx(-log_odds(p), rel=1e-4, abs=1e-9)
        assert abs(log_odds(p)) <= math.log(1e12) * (1 + 1e-5)

    def test_the_rare_is_not_lost(self):
        assert log_other(1e-20) == -1e-20
        assert log_other(1.0) == -math.inf

    @pytest.mark.parametrize("p", [1e-3, 0.2, 0.7])
    def test_log_prob_is_what_is_seen(self, p):
        x = antipodal(10**6)
        for channel in (BSC(p), BEC(p), ErrorsAndErasures(p, 0.3)):
            y = channel(x)
            for outcome in (-1, 0, 1):
                seen = int((y * x == outcome).sum())
                likely = float(channel.log_prob(torch.tensor([float(outcome)]), torch.ones(1)).double().exp())
                assert (isinstance(channel, BSC) and outcome == 0) or count_fits(seen, len(x), min(1.0, likely))

    def test_factors_are_one_or_the_other(self):
        assert factors(torch.ones(1000), 0.4, -1.0).unique().tolist() == [-1, 1]
        assert factors(torch.ones(1000), 0.6, 0.0).unique().tolist() == [0, 1]
