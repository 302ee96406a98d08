"""Certificates of known players, and laws that hold for all: bounds hold, searches find, nothing proves too much."""

import math
import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from channels import (
    AWGN,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    MemorylessChannel,
    NeuralPolicy,
    PerSymbolPolicy,
    PulsedPolicy,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
)
from channels.jammer import is_believed
from channels.power import normal_points
from jscc_sim.certificates import LatentPolicy, bounded_profile, certify, posterior_policy, responses
from jscc_sim.certificates.ascent import ascend
from jscc_sim.certificates.bounded_profile import bounded
from jscc_sim.certificates.dual import proved_worst
from jscc_sim.certificates.harm import Harm
from jscc_sim.certificates.line import Line
from jscc_sim.certificates.lower import lower
from jscc_sim.certificates.profile import profile
from jscc_sim.certificates.responses import best_learned, worst_learned
from jscc_sim.certificates.saddle_claim import judge, judge_payoff
from jscc_sim.certificates.stakes import stakes_of
from jscc_sim.certificates.upper import upper
from jscc_sim.codecs import Codec, Linear, ModuleCodec, NeuralCodec, PerSymbolCodec, TailSafeCodec
from jscc_sim.link import Link
from jscc_sim.sources import Gaussian, Laplace
from jscc_sim.train import Recipe

PA, N = 1.0, 0.1
VALUE = (PA + N) / (1 + PA + N)
LINE = 1 / (1 + PA + N)
LAW = AWGN(PA + N)
WHITE = {"ks": 0.01, "covariance_min": 0.98, "covariance_max": 1.02}


class Steep(Codec):
    """``û = s y``: linear, but not the best; anybody's codec as far as certificates know."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.k = self.n = 1
        self.slope = slope

    def encode(self, u: torch.Tensor) -> torch.Tensor:
        return u

    def decode(self, y: torch.Tensor, law: MemorylessChannel) -> torch.Tensor:
        return self.slope * y


class Planted(Codec):
    """The linear codec of words of 4, but for 3 more wherever the third symbol received is about 3."""

    def __init__(self) -> None:
        super().__init__()
        self.k = self.n = 4

    def encode(self, u: torch.Tensor) -> torch.Tensor:
        return u

    def decode(self, y: torch.Tensor, law: MemorylessChannel) -> torch.Tensor:
        return LINE * y + 3 * torch.exp(-2 * (y[..., 2:3] - 3) ** 2)


def tail_safe(seed: int, k: int = 1, size: float = 1.5) -> TailSafeCodec:
    """A codec with random corrections of some size."""
    torch.manual_seed(seed)
    codec = TailSafeCodec(k, k, hidden=16)
    with torch.no_grad():
        for weight in codec.parameters():
            weight.mul_(size)
    codec.calibrate(normal_points(2**16, k))
    return codec.eval()


def stakes(codec: Codec, policy: torch.nn.Module | None = None):
    return stakes_of(Link(Gaussian(codec.k), codec, Jammer(policy or GaussianPolicy(), N, PA)).eval())


def brute_force(codec: Codec, z: float, words: int = 2**17) -> float:
    """φ(z) by Sobol points of source and noise."""
    points = normal_points(words, 2).double()
    u, w = points[:, :1], math.sqrt(N) * points[:, 1:]
    exact = codec.double()
    found = float((u - exact.decode(exact.encode(u) + z + w, LAW)).square().mean().detach())
    codec.float()
    return found


class TestUpper:
    @pytest.mark.parametrize("k", [1, 4])
    def test_the_linear_codec_suffers_the_value_and_no_more(self, k):
        found = upper(stakes(Linear(k)))
        assert found.proved.value == pytest.approx(1, abs=1e-12)
        assert found.proved.proved

    def test_a_tail_safe_codec_without_corrections_is_linear(self):
        codec = tail_safe(0, size=0.0)
        assert upper(stakes(codec)).proved.value == pytest.approx(1, abs=1e-4)  # its power is frozen as precisely
        assert upper(stakes(tail_safe(0, 4, 0.0))).proved.value == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize("slope", [0.5, 0.7])
    def test_a_slope_out_of_place_has_its_closed_form_but_no_proof(self, slope):
        found = upper(stakes(Steep(slope)))
        exact = (1 - slope) ** 2 + slope**2 * (PA + N)
        assert found.found.value * VALUE == pytest.approx(exact, rel=1e-6)
        assert found.proved is None
        assert "|z| ≤ 12" in found.found.how

    @pytest.mark.parametrize("seed", range(3))
    def test_quadrature_agrees_with_brute_force(self, seed):
        codec = tail_safe(seed)
        seen = profile(codec, LAW, N, 4.0)
        assert seen.numerical < 1e-7
        for z in (-3.2, 0.0, 1.1):
            assert np.interp(z, seen.z, seen.harms) == pytest.approx(brute_force(codec, z), rel=2e-4)

    @pytest.mark.parametrize("seed", range(4))
    def test_the_bound_holds_at_random_samples_near_and_far(self, seed):
        codec = tail_safe(seed, size=1 + 0.3 * seed)
        line = Line.of(codec, LAW)
        seen = bounded(codec, LAW, N, line.reach(1.0, N))
        value, price, _ = proved_worst(seen, line, PA, N)
        surplus = value - price * PA
        assert price >= line.slope**2
        generator = np.random.default_rng(seed)
        for z in [*generator.uniform(0, 6, 3), *generator.uniform(6, 80, 2), 1e3]:
            assert brute_force(codec, float(z), 2**13) - price * z**2 <= surplus * (1 + 1e-3)

    @pytest.mark.parametrize("seed", range(3))
    def test_what_the_quadrature_lacks_is_bounded_on_coarse_grids_too(self, seed, monkeypatch):
        codec = tail_safe(seed)
        fine = profile(codec, LAW, N, 4.0)
        monkeypatch.setattr(bounded_profile, "NOISE_STEPS", 32)
        monkeypatch.setattr(bounded_profile, "MOST_SOURCES", 2**9)
        coarse = bounded(codec, LAW, N, 4.0)
        z = coarse.profile.z[::7]
        exact = np.interp(z, fine.z, fine.harms)
        assert (exact <= coarse.profile.harms[::7] + coarse.margin[::7]).all()
        assert (coarse.profile.harms[::7] <= exact + coarse.margin[::7]).all()
        assert coarse.margin.max() > 1e-3

    def test_a_decoder_that_hides_between_the_points_is_not_proved(self):
        """Pulses of the correction between the grid's points, worth 1.16 to a Gaussian jammer."""
        codec = tail_safe(0, size=0.0)
        first, _, second, _, third = codec.decoder.net
        step, width = math.sqrt(N) / 256, math.sqrt(1 + PA + N)
        with torch.no_grad():
            first.weight[0, 0], first.weight[1, 0] = 1e9, 0.3
            for unit in range(16):
                edge = math.tanh(0.3 * (1 + unit // 2 + (0.98 if unit % 2 else 0.02)) * step / width)
                second.weight[unit, 1], second.weight[unit, 0] = 3e7, -3e7 * edge
                third.weight[0, unit] = -10.0 if unit % 2 else 10.0
        assert upper(stakes(codec)).proved is None

    @pytest.mark.parametrize("size", [1.0, 1e12])
    def test_a_codec_of_another_make_is_not_proved(self, size):
        """Its type says tail-safe, but a bias offsets it, or float32 cannot bear its weights."""
        for k in (1, 2):
            codec = tail_safe(0, k, 0.1)
            assert upper(stakes(codec)).proved is not None
            with torch.no_grad():
                if size == 1.0:
                    codec.encoder.net[4] = torch.nn.Linear(16, k)
                codec.encoder.net[4].weight.mul_(size)
            assert upper(stakes(codec)).proved is None

    def test_steep_encoders_are_given_up_in_time(self):
        codec = tail_safe(0)
        with torch.no_grad():
            codec.encoder.net[4].weight.fill_(1e6)
        start = time.process_time()
        assert upper(stakes(codec)).proved is None
        assert time.process_time() - start < 20

    def test_the_tail_bound_falls(self):
        line = Line.of(tail_safe(0), LAW)
        excesses = [line.excess(z, 0.5, N) for z in np.linspace(30, 300, 40)]
        assert all(later <= earlier for earlier, later in pairwise(excesses))
        assert excesses[-1] < 1e-12
        assert line.excess(1.0, 0.5, N) == math.inf

    def test_one_codec_shared_by_symbols_is_as_safe_as_alone(self):
        codec = tail_safe(1)
        alone, shared = upper(stakes(codec)), upper(stakes(PerSymbolCodec(codec, 8)))
        assert shared.proved == alone.proved
        assert shared.found == alone.found

    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize("k", [1, 3])
    def test_no_policy_exceeds_a_proved_bound(self, seed, k):
        codec = tail_safe(seed, k, 0.7)
        bound = upper(stakes(codec)).proved.value
        for policy in (
            GaussianPolicy(),
            TwoPointPolicy(),
            UniformPolicy(),
            LaplacePolicy(),
            PulsedPolicy(),
            TonePolicy(),
        ):
            known = stakes(codec, policy)
            torch.manual_seed(7)
            assert Harm(known, codec).against(known.jammer, 2**15)[0] / VALUE <= bound + 0.01

    def test_nothing_is_proved_for_free_nets(self):
        alone, whole = upper(stakes(NeuralCodec(hidden=8))), upper(stakes(NeuralCodec(3, 3, hidden=8)))
        assert (alone.proved, whole.proved, whole.found, whole.profile) == (None, None, None, None)
        assert alone.reason == whole.reason
        assert "no proof is known for NeuralCodec" in str(whole.reason)

    def test_a_codec_that_throws_dice_is_left_to_the_searches(self):
        codec = ModuleCodec(torch.nn.Identity(), torch.nn.Dropout(0.5), 1, 1)
        codec.decoder.training = True
        known = stakes(Linear())
        codec.eval()
        codec.decoder.train()
        object.__setattr__(known, "codec", codec)
        assert upper(known).found is None


class TestSearches:
    def test_the_ascent_finds_a_planted_weakness(self):
        """Where nothing but pulses of one sign at one symbol do more than J*."""
        torch.manual_seed(0)
        found = ascend(stakes(Planted()))
        assert not found.proved
        assert found.value > 1.6
        known = stakes(Planted(), GaussianPolicy())
        assert found.value > Harm(known, known.codec).against(known.jammer, 2**14)[0] / VALUE + 0.2

    def test_a_codec_that_turns_its_words_is_measured_as_precisely(self):
        """The linear codec of words of 2, turned by 90 degrees and mirrored, is worth J* without any noise."""

        class Turned(Steep):
            def __init__(self) -> None:
                super().__init__(LINE)
                self.k = self.n = 2

            def encode(self, u: torch.Tensor) -> torch.Tensor:
                return u.flip(-1) * torch.tensor([1.0, -1.0])

            def decode(self, y: torch.Tensor, law: MemorylessChannel) -> torch.Tensor:
                return LINE * (y * torch.tensor([1.0, -1.0])).flip(-1)

        torch.manual_seed(0)
        known = stakes(Turned(), TwoPointPolicy())
        assert Harm(known, known.codec).against(known.jammer, 2**10)[0] == pytest.approx(VALUE, rel=1e-3)

    def test_the_ascent_at_one_symbol_meets_the_dual(self):
        codec = tail_safe(2)
        torch.manual_seed(0)
        assert ascend(stakes(codec)).value == pytest.approx(upper(stakes(codec)).found.value, rel=0.02)

    def test_best_responses_gain_and_leave_the_players_alone(self, monkeypatch):
        monkeypatch.setattr(responses, "MEASURED", 2**16)
        torch.manual_seed(0)
        known = stakes(Planted(), TwoPointPolicy())
        learned = stakes(tail_safe(2, 2), NeuralPolicy(2, hidden=8))
        before = {name: value.clone() for name, value in learned.jammer.state_dict().items()}
        recipe = Recipe(steps=40, batch=256, lr=4e-3, pace=1.0, averaging=0.9)
        assert worst_learned(known, recipe).value > 1
        assert best_learned(known, recipe).value < 1.01
        assert best_learned(learned, recipe).value < 1.1
        after = learned.jammer.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())


class TestLower:
    @pytest.mark.parametrize(
        ("policy", "exact"), [(TwoPointPolicy(), 0.36200487662394343), (UniformPolicy(), 0.888269955)]
    )
    def test_known_laws(self, policy, exact):
        """Golden values by four million trapezoids, from below."""
        torch.manual_seed(0)
        found = lower(stakes(Linear(), policy))
        assert exact - 1e-8 < found.proved.value < exact
        assert "exact law" in found.proved.how

    def test_the_best_receiver_of_two_points(self):
        torch.manual_seed(0)
        assert lower(stakes(Linear(), TwoPointPolicy())).found.value == pytest.approx(0.9301415326, abs=1e-4)

    @pytest.mark.parametrize("k", [1, 8])
    def test_the_gaussian_jammer_loses_nothing(self, k):
        torch.manual_seed(0)
        assert 1 - 3e-4 < lower(stakes(Linear(k))).proved.value <= 1

    def test_words_bounded_whole(self):
        """At k = 8 and K = 1e5 the bound for a Gaussian is 0.899 of J*, less its interval."""
        torch.manual_seed(0)
        policy = posterior_policy(torch.nn.Identity(), lambda count: torch.randn(count, 8))
        found = lower(stakes(Linear(8), policy), pool=100_000).proved
        assert 0.86 < found.value < 0.91
        assert "100000" in found.how

    @pytest.mark.parametrize("k", [2, 8, 300])
    def test_words_without_direction_are_bounded_by_their_lengths(self, k):
        torch.manual_seed(0)
        policy = posterior_policy(torch.nn.Identity(), lambda count: torch.randn(count, k))
        policy.rotated = True
        assert 0.997 < lower(stakes(Linear(k), policy)).proved.value <= 1.0

    def test_lengths_and_pool_agree(self):
        """For words of constant length; the pool is the looser."""

        def shell(count: int) -> torch.Tensor:
            return torch.nn.functional.normalize(torch.randn(count, 2), dim=-1)

        torch.manual_seed(0)
        policies = [posterior_policy(torch.nn.Identity(), shell) for _ in range(2)]
        policies[0].rotated = True
        radial, whole = (lower(stakes(Linear(2), policy), pool=2**16).proved.value for policy in policies)
        assert whole < radial < whole + 0.05

    def test_a_small_pool_only_loosens(self):
        torch.manual_seed(0)
        policy = posterior_policy(torch.nn.Identity(), lambda count: torch.randn(count, 2))
        values = [lower(stakes(Linear(2), policy), pool=pool).proved.value for pool in (100, 3000, 30000)]
        assert values[0] < values[1] < values[2] < 1

    def test_nets(self):
        torch.manual_seed(0)
        net = NeuralPolicy(hidden=8)
        alone, shared = (lower(stakes(Linear(k), policy)) for k, policy in ((1, net), (4, PerSymbolPolicy(net))))
        assert 0 < alone.proved.value <= alone.found.value <= 1 + 1e-4
        assert shared.proved.value == pytest.approx(alone.proved.value, rel=1e-3)

    @pytest.mark.parametrize("policy", [TapPolicy(0.1), SourceAwarePolicy()])
    def test_none_for_jammers_that_see(self, policy):
        found = lower(stakes(Linear(), policy))
        assert found.proved is None
        assert type(policy).__name__ in found.reason

    def test_a_module_is_watched(self):
        class Own(torch.nn.Module):
            def __init__(self, weight: float) -> None:
                super().__init__()
                self.weight = weight

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.randn_like(x) + self.weight * x

        torch.manual_seed(0)
        found = lower(stakes(Linear(), Own(0.0)))
        assert found.proved is None
        assert found.unproved.value > 0.99
        assert "if it looks at nothing" in found.reason
        assert "depends" in lower(stakes(Linear(), Own(0.1))).reason

    def test_a_module_is_watched_with_the_source_too(self):
        class Told(torch.nn.Module):
            def forward(self, x: torch.Tensor, u: torch.Tensor | None = None) -> torch.Tensor:
                return torch.randn_like(x) - (0 if u is None else 0.2 * u)

        assert "depends" in lower(stakes(Linear(), Told())).reason

    @pytest.mark.parametrize("factor", [1.0, 2.0])
    def test_a_subclass_is_not_taken_at_its_word(self, factor):
        class Loud(GaussianPolicy):
            def forward(self, x: torch.Tensor, u: torch.Tensor | None = None) -> torch.Tensor:
                return factor * torch.randn_like(x)

        class Tapping(GaussianPolicy):
            def forward(self, x: torch.Tensor, u: torch.Tensor | None = None) -> torch.Tensor:
                return torch.randn_like(x) - 0.2 * x

        torch.manual_seed(0)
        assert lower(stakes(Linear(), Loud())).proved is None
        nested = lower(stakes(Linear(2), PerSymbolPolicy(Loud())))
        assert nested.proved is None
        assert nested.oblivious
        assert not lower(stakes(Linear(), Tapping())).oblivious

    @pytest.mark.parametrize(("duty", "exact"), [(1e-7, 0.0909095692), (0.1, 0.2257173408)])
    def test_rare_pulses_are_integrated_and_not_sampled(self, duty, exact):
        assert lower(stakes(Linear(), PulsedPolicy(duty))).proved.value == pytest.approx(exact, rel=1e-6)

    def test_samples_of_a_heavy_tail_prove_nothing(self):
        def draw(count: int) -> torch.Tensor:
            return torch.randn(count, 1) * (torch.rand(count, 1) < 1e-5) * 300

        torch.manual_seed(0)
        found = lower(stakes(Linear(), posterior_policy(torch.nn.Identity(), draw)))
        assert found.proved is None
        assert "tails" in found.reason

    def test_a_net_whose_pulses_no_point_shows_is_not_believed(self):
        """Pulses of 4e4 with probability 1e-8, where the points of the quadrature end before."""
        policy = NeuralPolicy(hidden=2)
        assert is_believed(PerSymbolPolicy(policy), float(policy.power()))
        with torch.no_grad():
            for weight in policy.parameters():
                weight.zero_()
            policy.shaped.line.weight[0, 0] = 0.25
            policy.shaped.net[0].weight[0, 2], policy.shaped.net[0].bias[0] = 1.0, -math.sinh(1.5 * 5.6)
            policy.shaped.net[2].weight[0, 0] = 20.0
            policy.shaped.net[4].weight[0, 0] = policy.shaped.net[4].bias[0] = 2e4
        assert policy.missed() > 4e4**2 * 1e-8
        assert not is_believed(policy, float(policy.power()))
        torch.manual_seed(0)
        assert lower(stakes(Linear(), policy)).proved.value < 1e-3


class TestInformed:
    def test_of_a_jammer_that_sees_the_signal_the_payoff_alone_is_judged(self):
        """Its value is another game's, and it need not be Gaussian."""
        found = certify(Link(Gaussian(), Linear(), Jammer(TapPolicy(0.0), N, PA)), search=False)
        assert not found.oblivious
        assert (found.claim.verdict, found.lower_found) == (None, None)
        assert [judge_payoff(*ends).verdict for ends in ((0.995, 1.005), (0.98, 1.0), (1.02, 1.03))] == [
            "agrees",
            None,
            "disagrees",
        ]
        assert judge_payoff(0.995, 1.005, upper_found=1.05).verdict == "disagrees"


class TestFound:
    def test_an_interval_says_how_far_a_measurement_is_off(self):
        """The spread of 60 measurements is that of their intervals, a ratio within [.65, 1.45] but once in 1e4."""
        torch.manual_seed(0)
        known = stakes(NeuralCodec(2, 2, hidden=8))
        found = np.array([Harm(known, known.codec).against(known.jammer, 2**10) for _ in range(60)])
        assert 0.65 < 1.96 * found[:, 0].std(ddof=1) / found[:, 1].mean() < 1.45

    def test_a_bound_that_is_not_proved_refutes_nothing(self):
        """With few samples it is far below J* even for a Gaussian jammer, if nobody vouches for it."""

        class Own(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.randn_like(x)

        found = certify(Link(Gaussian(8), Linear(8), Jammer(Own(), N, PA)), search=False, pool=2**10)
        assert found.lower is None
        assert found.lower_unproved.value < 0.9
        assert abs(found.lower_unproved.value - found.lower_null) < 0.03
        assert found.claim.verdict is None


class TestLatents:
    def test_shared_by_symbols_they_are_compared_with_as_few_too(self):
        torch.manual_seed(0)
        found = lower(stakes(Linear(4), PerSymbolPolicy(LatentPolicy(torch.randn(64, 1)))))
        assert found.null < 0.99
        assert "of these 64 latents alone" in found.proved.how

    def test_a_score_of_gaussianity(self):
        torch.manual_seed(0)
        inputs = torch.randn(4096, 2)
        gaussian, bent = torch.nn.Identity(), torch.nn.Tanh()
        scores = [
            lower(stakes(Linear(2), posterior_policy(map_, inputs)), pool=2**17).proved.value
            for map_ in (gaussian, bent)
        ]
        assert scores[1] < scores[0] < 1

    @pytest.mark.parametrize("k", [1, 2])
    def test_few_points_are_compared_with_as_few_gaussian_ones(self, k):
        """The law of 512 points is far from Gaussian even if drawn from it; that of uniform ones is farther."""
        torch.manual_seed(0)
        for latents, low, high in ((torch.randn(512, k), -0.02, 0.02), (2 * torch.rand(512, k) - 1, -1, -0.005)):
            found = lower(stakes(Linear(k), LatentPolicy(latents)), pool=2**14)
            assert found.null < 1
            assert low < found.proved.value - found.null < high

    def test_each_is_looked_at_once(self):
        """Drawn with replacement they would look less Gaussian than they are."""
        link = Link(Gaussian(2), Linear(2), Jammer(LatentPolicy(torch.randn(512, 2)), N, PA))
        assert len(certify(link, search=False, pool=2**12).signals) == 512

    def test_latents_of_another_length_are_refused(self):
        with pytest.raises(ValueError, match="2 symbols"):
            posterior_policy(torch.nn.Identity(), torch.randn(10, 2))(torch.zeros(5, 3))
        with pytest.raises(ValueError, match="finite"):
            posterior_policy(torch.nn.Identity(), torch.full((10, 2), math.nan))


class TestCertify:
    def test_the_saddle_point(self):
        found = certify(Link(Gaussian(), Linear(), Jammer(GaussianPolicy(), N, PA)), search=False)
        record = found.record()
        assert found.certified
        assert record["verdict"] == "agrees"
        assert record["lower"] < 1 <= record["upper"] + 1e-9
        assert record["nash_conv"] == pytest.approx(0, abs=5e-4)
        assert record["low"] < record["payoff_ratio"] < record["high"]
        assert record["alarm"] is None
        assert len(found.lines()) > 10

    def test_exploitabilities_have_their_signs(self):
        """Against two points a codec may gain much; the linear codec has nothing to lose."""
        record = certify(Link(Gaussian(), Linear(), Jammer(TwoPointPolicy(), N, PA)), search=False).record()
        assert abs(record["exploitability_codec"]) < 0.005
        assert record["exploitability_jammer"] > 0.6
        assert 0.06 < record["exploitability_jammer_found"] < 0.08
        assert record["verdict"] == "disagrees"
        assert record["claim_ks"] is False

    def test_repeats_exactly(self):
        link = Link(Gaussian(), tail_safe(0), Jammer(NeuralPolicy(hidden=8), N, PA)).eval()
        first, second = (certify(link, search=False).record() for _ in range(2))
        assert {**first, "cpu_seconds": 0} == {**second, "cpu_seconds": 0}

    def test_a_tap_has_no_lower_bound_and_raises_no_alarm(self):
        record = certify(Link(Gaussian(), Linear(), Jammer(TapPolicy(0.1), N, PA)), search=False).record()
        assert record["lower"] is None
        assert record["exploitability_codec"] is None
        assert record["payoff_ratio"] > record["upper"]
        assert record["alarm"] is None
        assert not record["certified"]

    def test_a_secret_changes_no_bound(self):
        plain, secret = (
            certify(Link(Gaussian(), tail_safe(0), channel), search=False).record()
            for channel in (Jammer(TwoPointPolicy(), N, PA), SharedSign(Jammer(TwoPointPolicy(), N, PA)))
        )
        assert secret["upper"] == plain["upper"]
        assert secret["lower"] == pytest.approx(plain["lower"], rel=1e-3)

    @pytest.mark.parametrize(
        ("link", "says"),
        [
            (Link(Laplace(), Linear(), Jammer(GaussianPolicy(), N)), "white Gaussian"),
            (Link(Gaussian(2), Linear(2, 4), Jammer(GaussianPolicy(), N)), "k = n"),
            (Link(Gaussian(), Linear(), AWGN(N)), "jammers"),
        ],
    )
    def test_says_what_it_cannot_certify(self, link, says):
        with pytest.raises(ValueError, match=says):
            certify(link.eval())


class TestClaim:
    @pytest.mark.parametrize(
        ("upper", "lower", "interval", "spoilt", "verdict"),
        [
            (1.01, 0.99, (0.995, 1.005), {}, "agrees"),
            (None, 0.99, (0.995, 1.005), {}, None),
            (1.01, 0.99, (0.995, 1.015), {}, None),
            (1.5, 0.99, (1.02, 1.03), {}, "disagrees"),
            (1.01, 0.99, (0.995, 1.005), {"ks": 0.03}, "disagrees"),
            (1.01, 0.99, (0.995, 1.005), {"covariance_min": 0.9}, "disagrees"),
        ],
    )
    def test_verdicts(self, upper, lower, interval, spoilt, verdict):
        assert judge(upper, lower, interval, {**WHITE, **spoilt}, True).verdict == verdict

    def test_a_payoff_beyond_a_proved_bound_is_an_alarm(self):
        assert "exceeds" in judge(1.0, 0.9, (1.02, 1.03), WHITE, True).alarm
        assert "undercuts" in judge(1.1, 1.0, (0.95, 0.96), WHITE, True).alarm
        assert judge(1.0, 0.9, (1.02, 1.03), WHITE, False).alarm is None
        assert judge(1.0, 0.9, (0.999, 1.004), WHITE, True).alarm is None

    def test_so_is_what_was_found_beyond_one(self):
        interval = (0.995, 1.005)
        assert "a jammer" in judge(1.01, 0.99, interval, WHITE, True, (1.02, None)).alarm
        assert "a codec" in judge(1.01, 0.99, interval, WHITE, True, (None, 0.98)).alarm
        assert judge(1.01, 0.99, interval, WHITE, True, (1.011, 0.989)).alarm is None
