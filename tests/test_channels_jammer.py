"""The jammer never exceeds its budget, whatever plays inside. Fixed seeds, false-alarm rate 1e-5 per test."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

from channels import (
    AWGN,
    GaussianPolicy,
    Jammer,
    NeuralPolicy,
    Policy,
    PulsedPolicy,
    ReactivePolicy,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
)
from jscc_sim.theory.informed import tap_payoff

ALLOWED = float(stats.norm.isf(1e-5 / 2))  # standard errors
QUIET = 1e-20  # noise so weak that what arrives less what was sent is the jam alone


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(8)


class Liar(Policy):
    """Says that its power is one, whatever it is."""

    def __init__(self, loudness: float) -> None:
        super().__init__()
        self.loudness = loudness

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        return self.loudness * torch.randn_like(x)

    def power(self) -> float:
        return 1.0


class Hostile(nn.Module):
    """Any signal that depends on the word, on chance and on nothing: ``scale (a x + b noise^odd + offset)``."""

    def __init__(self, scale: float, follow: float, noise: float, offset: float, tail: int) -> None:
        super().__init__()
        self.scale, self.follow, self.noise, self.offset, self.tail = scale, follow, noise, offset, tail

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        return self.scale * (self.follow * x + self.noise * torch.randn_like(x) ** self.tail + self.offset)


class Thrice(nn.Module):
    """A module that looks at the word alone, as most do."""

    def forward(self, x: Tensor) -> Tensor:
        return 3 * x.flip(-1)


def pulsed_words() -> tuple[Tensor, None]:
    """Words of unit power that are on for an eighth of the time."""
    on = torch.rand(2**15, 8) < 1 / 8
    return torch.randn(2**15, 8) * on * math.sqrt(8), None


def plain_words() -> tuple[Tensor, Tensor]:
    x = torch.randn(2**15, 8)
    return x, x


def jam(jammer: Jammer, x: Tensor, u: Tensor | None = None) -> Tensor:
    """The power of each word's jam, where noise is negligible."""
    with torch.no_grad():
        return (jammer.transmit(x, u).y - x).double().square().mean(-1)


def errors_off(samples: Tensor, mean: float) -> float:
    return abs(float(samples.mean()) - mean) / (float(samples.std()) / math.sqrt(len(samples)) + 1e-6)


class TestTraining:
    @settings(max_examples=300)
    @given(
        st.builds(
            Hostile,
            st.floats(-1e12, 1e12),
            st.floats(-1e3, 1e3),
            st.floats(0, 1e3),
            st.floats(-1e3, 1e3),
            st.integers(1, 9),
        ),
        st.floats(1e-3, 1e3),
        st.integers(1, 40),
    )
    def test_no_module_exceeds_its_budget_in_any_batch(self, policy, power, words):
        torch.manual_seed(0)
        jammer = Jammer(policy, QUIET, power).train()
        for _ in range(3):
            spent = float(jam(jammer, torch.randn(words, 5, dtype=torch.float64)).mean())
            assert spent <= power * (1 + 1e-6)

    def test_a_module_that_grows_is_held_at_once(self):
        jammer = Jammer(NeuralPolicy(2), QUIET, 0.5).train()
        x = torch.randn(4096, 2)
        jam(jammer, x)
        with torch.no_grad():
            jammer.policy.shaped.net[-1].weight.mul_(1000)
        assert float(jam(jammer, x).mean()) == pytest.approx(0.5, rel=1e-4)

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    @pytest.mark.parametrize("training", [True, False])
    def test_no_budget_holds_what_is_not_finite(self, value, training):
        class Broken(Liar):
            def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
                return torch.full_like(x, value)

        with pytest.raises(FloatingPointError, match="not finite"):
            Jammer(Broken(1.0), 0.1).train(training)(torch.ones(4, 2))

    def test_what_is_finite_is_let_through_at_any_precision(self):
        """A sum over this batch is beyond float16."""
        x = torch.ones(2**17, 1, dtype=torch.float16)
        assert Jammer(nn.Identity(), 0.1).train()(x).isfinite().all()

    def test_gradients_reach_the_policy_and_the_transmitter(self):
        jammer, x = Jammer(NeuralPolicy(2), 0.1), torch.randn(64, 2, requires_grad=True)
        jammer(x).pow(4).sum().backward()
        assert all(weight.grad.isfinite().all() for weight in jammer.parameters())
        assert any(weight.grad.abs().sum() > 0 for weight in jammer.parameters())
        assert x.grad.abs().sum() > 0


class TestEvaluation:
    @pytest.mark.parametrize(
        "policy",
        [GaussianPolicy(), TwoPointPolicy(), PulsedPolicy(0.2), TonePolicy(), TapPolicy(0.1), NeuralPolicy(8, 16)],
        ids=lambda policy: type(policy).__name__,
    )
    @pytest.mark.parametrize("power", [0.25, 4.0])
    def test_spends_its_budget_and_no_more(self, policy, power):
        jammer = Jammer(policy, QUIET, power).eval()
        x, u = torch.randn(2**16, 8), None
        assert errors_off(jam(jammer, x, u), power) < ALLOWED

    @pytest.mark.parametrize("loudness", [0.5, 0.999, 1.001, 2.0, 100.0])
    def test_a_liar_is_measured(self, loudness):
        jammer = Jammer(Liar(loudness), QUIET, 0.5).eval()
        assert float(jam(jammer, torch.zeros(2**14, 8)).mean()) == pytest.approx(0.5 * loudness**2, rel=0.05)
        jammer.measure_power(plain_words)
        # A claim within six standard errors of 2^20 Gaussian symbols, 0.8 % of the power, still stands.
        spent = jam(jammer, torch.zeros(2**16, 8))
        assert abs(float(spent.mean()) / 0.5 - 1) < 6 * math.sqrt(2 / 2**20) + ALLOWED * math.sqrt(2 / 2**19)

    def test_an_honest_word_stands(self):
        """What is exact is not replaced by an estimate."""
        jammer = Jammer(PulsedPolicy(0.1), 0.1).eval()
        jammer.measure_power(plain_words)
        assert float(jammer.unit.power) == 1.0

    @pytest.mark.parametrize(
        "policy", [Hostile(7.0, 1.0, 2.0, 3.0, 3), Thrice(), nn.Sequential(nn.Linear(8, 8), nn.Tanh()), nn.Identity()]
    )
    def test_any_module_is_measured(self, policy):
        jammer = Jammer(policy, QUIET, 0.5).eval()
        with pytest.raises(RuntimeError, match="never measured"):
            jammer(torch.zeros(2, 8))
        jammer.measure_power(plain_words)
        x = torch.randn(2**16, 8)
        spent = jam(jammer, x)
        slack = 0.5 * 3e-3 / (float(spent.std()) / 2**8 + 1e-9)  # the frozen power is itself an estimate
        assert errors_off(spent, 0.5) < ALLOWED + slack

    def test_a_reactive_one_spends_on_pulses_what_it_saves_in_silence(self):
        jammer = Jammer(ReactivePolicy(), QUIET, 0.5).eval()
        jammer.measure_power(pulsed_words)
        assert float(jammer.unit.power) == pytest.approx(1 / 8, rel=5e-3)
        x = torch.cat([pulsed_words()[0] for _ in range(8)])
        assert abs(float(jam(jammer, x).mean()) / 0.5 - 1) < 0.01
        assert (jam(jammer, torch.zeros(9, 8)) < 1e-15).all()

    def test_a_tap_of_a_weaker_signal_is_measured(self):
        jammer = Jammer(TapPolicy(share=1.0), QUIET, 1.0).eval()
        jammer.measure_power(lambda: (0.5 * torch.randn(2**15, 8), None))
        assert float(jammer.unit.power) == pytest.approx(0.25, rel=2e-3)

    def test_power_depends_on_policy_and_words_alone(self):
        """Not on what was measured, trained or frozen before: a sweep's points do not know of one another."""
        policy = Hostile(1.0, 1.0, 1.0, 0.0, 1)
        fresh, used = Jammer(policy, 0.1), Jammer(policy, 0.1)
        used.train()(torch.randn(64, 8))
        used.unit.freeze(123.0)
        used.measure_power(pulsed_words)
        for jammer in (fresh, used):
            torch.manual_seed(9)
            jammer.eval().measure_power(plain_words)
        assert torch.equal(fresh.unit.power, used.unit.power)

    def test_levels_do_not_share_a_frozen_power(self):
        jammer = Jammer(ReactivePolicy(), 0.1).eval()
        other = jammer.at(3.0)
        other.measure_power(pulsed_words)
        other.train()
        assert jammer.unit.power.isnan()
        assert not jammer.unit.training
        assert other.policy is jammer.policy
        assert jammer.noise_power == 0.1

    def test_it_is_measured_inside_a_shared_sign_after_training(self):
        channel = SharedSign(Jammer(NeuralPolicy(8, 8), QUIET, 0.5))
        with torch.no_grad():
            channel.inside.policy.shaped.net[-1].weight.mul_(1000)
        channel.eval().measure_power(plain_words)
        assert float(jam(channel, torch.zeros(2**15, 8)).mean()) == pytest.approx(0.5, rel=0.05)

    def test_calibration_follows_the_policy(self):
        jammer = Jammer(NeuralPolicy(2), QUIET, 0.5).eval()
        with torch.no_grad():
            jammer.policy.shaped.net[-1].weight.mul_(1000)
        jammer.calibrate()
        assert float(jam(jammer, torch.zeros(2**16, 2)).mean()) == pytest.approx(0.5, rel=0.05)

    def test_a_silent_policy_has_no_power_to_freeze(self):
        with pytest.raises(ValueError, match=r"ReactivePolicy\(threshold=0.0\) is silent on all words"):
            Jammer(ReactivePolicy(), 0.1).eval().measure_power(lambda: (torch.zeros(2**18, 8), None))


class TestLaw:
    @pytest.mark.parametrize("policy", [GaussianPolicy(), TwoPointPolicy(), ReactivePolicy(), nn.Identity()])
    def test_the_receiver_expects_gaussian_noise_of_the_total_power(self, policy):
        law = Jammer(policy, 0.1, 0.5).nominal
        assert isinstance(law, AWGN)
        assert (law.gain, law.noise_power) == (1.0, pytest.approx(0.6))

    @pytest.mark.parametrize(("jam_power", "noise", "tapped"), [(0.25, 0.1, 0.0), (0.5, 0.1, 1.0), (0.3, 1.0, 0.2)])
    def test_of_a_known_tap_it_expects_the_same_moments(self, jam_power, noise, tapped):
        jammer = Jammer(TapPolicy(tapped), noise, jam_power).eval()
        x = torch.randn(2**18)
        y, law = jammer.transmit(x)
        assert errors_off((y * x).double(), law.gain) < ALLOWED
        assert errors_off((y - law.gain * x).double().square(), law.noise_power) < ALLOWED
        error = law.noise_power / (law.noise_power + law.gain**2)
        assert error == pytest.approx(float(tap_payoff(1.0, 1.0, jam_power, noise, tapped)))

    def test_of_an_adversary_who_knows_the_source_it_expects_nothing(self):
        assert Jammer(SourceAwarePolicy(), 0.1, 0.5).nominal.gain == 1.0

    def test_adds_what_it_is_given(self):
        """`add` is for signals that exist already: another network's latents."""
        x, a = torch.randn(100, 3), torch.randn(100, 3)
        y = Jammer(GaussianPolicy(), QUIET, 4.0).add(x, a)
        assert torch.allclose(y, x + 2 * a, atol=1e-6)


class TestPolicyOfAnyModule:
    def test_takes_the_word_and_its_source_or_the_word_alone(self):
        x, u = torch.randn(64, 8), torch.randn(64, 8)
        jammer = Jammer(Thrice(), QUIET, 1.0).train()
        alone = jammer.transmit(x, u).y - x
        assert torch.allclose(alone, x.flip(-1) / x.square().mean().sqrt(), atol=1e-5)
        knowing = Jammer(SourceAwarePolicy(), QUIET, 1.0).train().transmit(x, u).y - x
        assert torch.allclose(knowing, -u / u.square().mean().sqrt(), atol=1e-5)

    def test_its_signal_is_shaped_like_the_words(self):
        with pytest.raises(ValueError, match=r"shape \(4, 2\), but the words \(4, 8\)"):
            Jammer(nn.Linear(8, 2), 0.1).train()(torch.randn(4, 8))

    def test_copies_do_not_share_what_they_learn(self):
        jammer = Jammer(nn.Linear(8, 8), 0.1).train()
        other = copy.deepcopy(jammer)
        jammer(torch.randn(64, 8))
        assert other.unit.power.isnan()

    @pytest.mark.parametrize("power", [0, -1.0, math.nan, math.inf])
    def test_refuses_impossible_powers(self, power):
        with pytest.raises(ValueError, match="jam_power must be positive"):
            Jammer(GaussianPolicy(), 0.1, power)
        with pytest.raises(ValueError, match="noise_power must be positive"):
            Jammer(GaussianPolicy(), power)
