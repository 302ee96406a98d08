"""What a jammer's regulariser says of its own failures, and the weight that chooses itself."""

import math

import pytest
import torch
from torch import nn

from channels import GaussianPolicy, Jammer
from jscc_sim.codecs import ModuleCodec
from jscc_sim.regularisers import JammingRegulariser
from jscc_sim.regularisers.diagnosis import FEWEST, diagnose
from jscc_sim.regularisers.dual_ascent import LEAST, MOST, DualAscent, RunningMean
from jscc_sim.regularisers.jamming import NOISE, SIGNAL


def names(found) -> list[str]:
    return [finding.name for finding in found]


def two_points(count: int) -> torch.Tensor:
    """Far from Gaussian, at unit power."""
    return torch.randn(count, 2).sign() + 0.1 * torch.randn(count, 2)


def train(reg: JammingRegulariser, draw, scale: float = 1.0, steps: int = 400) -> torch.Tensor:
    """Latents that cannot move, in a loss that pulls at them, and the last batch."""
    for _ in range(steps):
        z = reg.norm(draw(256).requires_grad_())
        (scale * (z**3).mean() + reg(z)).backward()
    return z.detach()


class TestDiagnosis:
    def test_finds_nothing_where_nothing_is_wrong(self):
        reg = JammingRegulariser.default(2, warmup=0)
        assert reg.diagnose(train(reg, lambda count: torch.randn(count, 2))) == []

    def test_says_little_of_few_batches(self):
        reg = JammingRegulariser.default(2, weight=1e-9, warmup=0)
        assert reg.diagnose(train(reg, two_points, steps=FEWEST - 1)) == []

    @pytest.mark.slow
    def test_sees_a_weight_that_is_too_low(self):
        reg = JammingRegulariser.default(2, weight=1e-6, warmup=0)
        assert names(reg.diagnose(train(reg, two_points, steps=1500))) == ["weight too low"]

    def test_sees_a_weight_that_is_too_high(self):
        reg = JammingRegulariser.default(2, weight=1e3, warmup=0)
        assert names(reg.diagnose(train(reg, lambda count: torch.randn(count, 2)))) == ["weight too high"]

    def test_sees_a_receiver_that_has_not_learned(self):
        jammer = Jammer(GaussianPolicy(), NOISE / SIGNAL, 1 / SIGNAL)
        codec = ModuleCodec(nn.Identity(), nn.Linear(2, 2), 2, 2)
        reg = JammingRegulariser(jammer, codec, warmup=0, lr=1e-9)
        assert names(reg.diagnose(train(reg, two_points))) == ["underpowered receiver"]

    def test_sees_latents_that_are_correlated_or_few(self):
        reg = JammingRegulariser.default(3, warmup=0)
        z = torch.randn(2000, 3)
        assert reg.diagnose(z) == []
        assert names(reg.diagnose(torch.cat((z[:, :2], z[:, :1] + 0.5 * z[:, 2:]), 1))) == ["correlated latents"]
        assert names(reg.diagnose(torch.cat((z[:, :2], z[:, :1]), 1))) == ["rank-deficient latents"]
        assert names(reg.diagnose(torch.ones(64, 3))) == ["rank-deficient latents"]

    @pytest.mark.parametrize("scale", [0.1, 10])
    def test_sees_latents_that_were_not_normalised(self, scale):
        reg = JammingRegulariser.default(3, warmup=0)
        (found,) = reg.diagnose(scale * torch.randn(2000, 3))
        assert found.name == "not normalised"
        assert "pass them through reg.norm" in found.message

    def test_says_how_far_the_warm_up_is(self):
        reg = JammingRegulariser.default(2, warmup=10)
        z = train(reg, lambda count: torch.randn(count, 2), steps=4)
        (found,) = reg.diagnose(z)
        assert found.name == "warming up"
        assert "4 of 10 calls" in found.message

    @pytest.mark.parametrize("z", [torch.randn(1, 3), torch.full((8, 3), math.nan), torch.randn(8, 3, 2)])
    def test_refuses_what_cannot_be_judged(self, z):
        with pytest.raises(ValueError, match="diagnosed by at least two, \\(count, d\\), all finite"):
            JammingRegulariser.default(3).diagnose(z)

    @pytest.mark.parametrize(("swing", "seen"), [(0.0, []), (0.3, ["oscillation"])])
    def test_sees_an_oscillation(self, swing, seen):
        reg = JammingRegulariser.default(1)
        for step in range(1000):
            reg.gaps.take(0.3 * torch.randn(()) + swing * math.sin(step / 30))
        assert names(diagnose(torch.randn(2000, 1), reg.gaps, reg.gradients)) == seen

    def test_a_trend_is_no_oscillation(self):
        reg = JammingRegulariser.default(1)
        for step in range(1000):
            reg.gaps.take(1.0 - step / 1000 + 0.3 * torch.randn(()))
        assert "oscillation" not in names(diagnose(torch.randn(2000, 1), reg.gaps, reg.gradients))

    def test_a_gradient_that_overflowed_is_passed_over(self):
        """As one in halves does by design, before the loss is scaled down."""
        reg = JammingRegulariser.default(2, warmup=0)
        train(reg, two_points, steps=3)
        before = reg.gradients.share
        z = reg.norm(two_points(256).requires_grad_())
        (float("inf") * z.sum()).backward()
        assert reg.gradients.share == before


class TestRunningMean:
    def test_stays_below_its_quantile_19_times_in_20(self):
        """Of 600 means far apart: 30 ± 5.3 are beyond, and 4.5 of these deviations are a false alarm in 150,000."""
        running, beyond = RunningMean(), 0
        for step in range(600 * 100):
            running.take(0.3 * torch.randn(()))
            if step % 100 == 99:
                beyond += float(running.mean) > running.quantile
        assert 6 <= beyond <= 54

    def test_is_the_mean_and_the_variance_at_first(self):
        running, values = RunningMean(), torch.randn(40)
        for value in values:
            running.take(value)
        assert float(running.mean) == pytest.approx(float(values.mean()), abs=1e-6)
        assert float(running.variance) == pytest.approx(float(values.var()), rel=1e-4)


class TestDualAscent:
    def test_rises_while_the_excess_is_more_than_noise(self):
        ascent = DualAscent()
        start = float(ascent.weight)
        for _ in range(300):
            ascent.step(torch.tensor(1.0), warm=True)
        assert float(ascent.weight) > 2 * start

    def test_falls_while_the_latents_pass(self):
        ascent = DualAscent()
        start = float(ascent.weight)
        for _ in range(3000):
            ascent.step(0.1 * torch.randn(()), warm=True)
        assert 0.99 * LEAST < float(ascent.weight) < start / 2

    def test_waits_for_the_warm_up_and_knows_its_limits(self):
        ascent = DualAscent()
        start = float(ascent.weight)
        for warm in (False, True):
            for _ in range(4000):
                ascent.step(torch.tensor(1.0), warm=warm)
            assert float(ascent.weight) == pytest.approx(MOST if warm else start)

    @pytest.mark.slow
    @pytest.mark.parametrize("hidden", [8, 64])
    def test_gaussian_latents_pass_19_times_in_20(self, hidden):
        """However well the receiver has learned. Running means overlap: some 40 of these 4,000 are independent, and
        their share beyond lies within .05 ± .14, four deviations.
        """
        reg = JammingRegulariser.default(2, hidden=hidden, weight="auto", warmup=0)
        beyond = 0
        for _ in range(4000):
            reg(reg.norm(torch.randn(64, 2)))
            beyond += float(reg.ascent.excess.mean) > reg.ascent.excess.quantile
        assert beyond / 4000 < 0.19

    def test_a_given_weight_stays(self):
        reg = JammingRegulariser.default(2, weight=0.3, warmup=0)
        train(reg, two_points, steps=50)
        assert (reg.found_weight, reg.ascent) == (0.3, None)

    @pytest.mark.slow
    def test_makes_latents_pass_for_gaussian(self):
        """An encoder that may choose its law: its two points spread until the gap is noise, and the weight settles."""
        reg = JammingRegulariser.default(2, weight="auto", warmup=50)
        encoder = nn.Sequential(nn.Linear(4, 32), nn.SiLU(), nn.Linear(32, 2))
        optimiser = torch.optim.Adam(encoder.parameters(), 3e-3)
        for _ in range(1500):
            x = torch.cat((two_points(256), torch.randn(256, 2)), 1)
            z = reg.norm(encoder(x))
            loss = 0.01 * (z - x[:, :2]).square().mean() + reg(z)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        assert float(reg.ascent.excess.mean) < 4 * reg.ascent.excess.quantile
        assert LEAST < float(reg.ascent.weight) < MOST
