"""What transmitter and receiver share is undone exactly and hides the word from adversaries between them.

Statistical tests have fixed seeds and false-alarm rate 1e-5.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    Channel,
    GaussianPolicy,
    Jammer,
    MemorylessChannel,
    PulsedPolicy,
    Rayleigh,
    ReactivePolicy,
    Received,
    SharedRotation,
    SharedSign,
    SourceAwarePolicy,
)
from jscc_sim.codecs import Repetition
from jscc_sim.theory.informed import exposed_payoff
from jscc_sim.theory.saddle import scalar_payoff

ALLOWED = float(stats.norm.isf(1e-5 / 2))  # standard errors
QUIET = AWGN(1e-24)
ROUND = {"sign": SharedSign, "rotation": SharedRotation}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(14)


@pytest.fixture(params=ROUND.values(), ids=ROUND)
def wrap(request):
    return request.param


class Spy(Channel):
    """Passes words on and remembers them, and the harm that it was armed with."""

    alphabet = output = "real"
    knob = "nothing"

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Tensor] = []
        self.harm = None

    def at(self, level: float) -> "Spy":
        return self

    @property
    def nominal(self) -> MemorylessChannel:
        return QUIET

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        self.sent.append(x)
        return Received(x, QUIET)

    def against(self, harm) -> "Spy":
        self.harm = harm
        return self


def errors_off(samples: Tensor, mean: float) -> float:
    samples = samples.detach().double().flatten()
    return abs(float(samples.mean()) - mean) / (float(samples.std()) / math.sqrt(len(samples)) + 1e-9)


class TestBoth:
    @given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 2**31))
    def test_are_undone_exactly(self, n, words, seed):
        torch.manual_seed(seed)
        x = torch.randn(words, n, dtype=torch.float64)
        for kind in ROUND.values():
            assert torch.allclose(kind(QUIET)(x), x, atol=1e-10)

    def test_keep_the_power_of_every_word(self, wrap):
        spy, x = Spy(), torch.randn(100, 5, dtype=torch.float64)
        wrap(spy)(x)
        assert torch.allclose(spy.sent[0].norm(dim=-1), x.norm(dim=-1))

    def test_send_something_else_every_time(self, wrap):
        spy, x = Spy(), torch.randn(64, 5)
        wrap(spy)(x)
        wrap(spy)(x)
        assert not torch.equal(*spy.sent)

    def test_hide_the_word_from_what_is_inside(self, wrap):
        """What is sent does not correlate with the word."""
        spy, x = Spy(), torch.randn(2**16, 4)
        wrap(spy)(x)
        for position in range(4):
            assert errors_off(spy.sent[0][:, position] * x[:, position], 0.0) < ALLOWED

    def test_decorrelate_the_jam_of_who_knows_the_source(self, wrap):
        x = torch.randn(2**16, 4)
        exposed = Jammer(SourceAwarePolicy(), 0.1, 1.0).eval()
        assert errors_off((exposed.transmit(x, x).y - x) * x, -1.0) < ALLOWED
        assert errors_off((wrap(exposed).transmit(x, x).y - x) * x, 0.0) < ALLOWED

    def test_leave_gaussian_noise_as_it_is(self, wrap):
        noise = wrap(AWGN(0.5))(torch.zeros(2**16, 3)).flatten().double()
        assert stats.kstest(noise.numpy(), stats.norm(0, math.sqrt(0.5)).cdf).pvalue > 1e-5

    def test_the_receiver_holds_the_law_inside(self, wrap):
        channel = wrap(Rayleigh(0.3))
        y, law = channel.transmit(torch.ones(2**14, 3))
        assert errors_off((y - law.gain).square(), 0.3) < ALLOWED
        assert repr(channel.nominal) == repr(Rayleigh(0.3).nominal)

    def test_pass_on_level_cost_and_power(self, wrap):
        channel = wrap(Jammer(PulsedPolicy(0.1), 0.1))
        assert channel.at(3).inside.noise_power == pytest.approx(10**-0.3)
        assert channel.inside.noise_power == 0.1
        assert channel.cost(7) == 1
        assert (channel.alphabet, channel.output, channel.knob) == ("real", "real", "snr_db")

    def test_a_policy_inside_is_measured_over_the_words_as_sent(self):
        """Rotation spreads a pulse over the word, so that a reactive jammer is always on."""
        x = torch.zeros(2**15, 8)
        x[:, 0] = math.sqrt(8)
        for kind, duty in ((SharedSign, 1 / 8), (SharedRotation, 1.0)):
            channel = kind(Jammer(ReactivePolicy(), 0.1)).eval()
            channel.measure_power(lambda: (x, None))
            assert float(channel.inside.unit.power) == pytest.approx(duty, rel=5e-3)

    def test_arming_leaves_the_original_unarmed(self, wrap):
        channel = wrap(AWGN(1.0))
        armed = channel.against(lambda y: y.sum(-1))
        assert armed is not channel
        assert type(armed) is type(channel)
        assert repr(armed) == repr(channel)


class TestSign:
    def test_is_fair_and_one_for_each_word(self):
        spy = Spy()
        SharedSign(spy)(torch.ones(2**16, 3))
        assert set(spy.sent[0].unique().tolist()) == {-1.0, 1.0}
        assert (spy.sent[0].std(-1) == 0).all()
        assert errors_off(spy.sent[0][:, 0], 0.0) < ALLOWED

    def test_goes_round_binary_channels(self):
        x = torch.randint(2, (2**16, 4)) * 2.0 - 1
        assert torch.equal(SharedSign(BSC(0.0))(x), x)
        assert stats.binomtest(int((SharedSign(BSC(0.1))(x) != x).sum()), x.numel(), 0.1).pvalue > 1e-5
        assert stats.binomtest(int((SharedSign(BEC(0.2))(x) == 0).sum()), x.numel(), 0.2).pvalue > 1e-5

    def test_neither_value_nor_gradient_of_the_harm_tells_the_sign(self):
        """Inside arrives γy: its harm is even in γ, its slope odd, so that the promise −2 y ∂harm of a flip is even."""
        spy, weights = Spy(), torch.randn(6, dtype=torch.float64)
        SharedSign(spy).against(lambda y: (y @ weights).sigmoid() + y[..., 0].pow(3))
        y = torch.randn(50, 6, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(spy.harm(y).sum(), y)
        (turned,) = torch.autograd.grad(spy.harm(-y).sum(), y)
        assert torch.allclose(spy.harm(y), spy.harm(-y))
        assert torch.allclose(turned, slope)  # of harm(−y) by y: minus the slope at −y

    @pytest.mark.parametrize("attack", ["steepest", "exhaustive"])
    def test_an_adversary_strikes_alike_under_either_sign(self, attack, monkeypatch):
        codec, u = Repetition(2, 3), torch.randint(2, (40, 2)).float()
        x = codec.encode(u)
        channel = SharedSign(BitFlip(BSC(0.0), 2, attack=attack))
        armed = channel.against(lambda y: codec.loss(u, y, channel.nominal) + y[..., 0])
        received = []
        for sign in (1.0, -1.0):
            monkeypatch.setattr(SharedSign, "key", lambda self, x, sign=sign: x.new_full((*x.shape[:-1], 1), sign))
            received.append(armed(x))
        assert torch.equal(*received)

    def test_an_adversary_who_lives_off_the_sign_is_disarmed(self):
        """Flips that only lower the sum are worth nothing on average over the sign."""
        x = torch.ones(100, 5)
        inside = BitFlip(BSC(0.0), 2)
        assert (inside.against(lambda y: -y.sum(-1))(x).sum(-1) == 1).all()
        assert torch.equal(SharedSign(inside).against(lambda y: -y.sum(-1))(x), x)

    @pytest.mark.parametrize(("jam", "noise"), [(1.0, 0.1), (0.25, 0.5)])
    def test_restores_the_saddle_against_who_knows_the_source(self, jam, noise):
        """J* = (PA + N)/(PT + PA + N) with the sign, (|1 − g| + g √PA)² + g² N without."""
        u = torch.randn(2**18, 1)
        exposed = Jammer(SourceAwarePolicy(), noise, jam).eval()
        gain = 1 / (1 + jam + noise)
        for channel, payoff in (
            (exposed, exposed_payoff(1.0, jam, noise)),
            (SharedSign(exposed), scalar_payoff(1.0, 1.0, jam, noise)),
            (SharedSign(Jammer(GaussianPolicy(), noise, jam).eval()), scalar_payoff(1.0, 1.0, jam, noise)),
        ):
            y = channel.transmit(u, u).y
            assert errors_off((u - gain * y).square(), float(payoff)) < ALLOWED


class TestRotation:
    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_is_orthogonal(self, n):
        q = SharedRotation(QUIET).key(torch.zeros(200, n, dtype=torch.float64))
        assert torch.allclose(q @ q.mT, torch.eye(n, dtype=torch.float64).expand(200, n, n), atol=1e-12)

    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_has_haar_measure(self, n):
        """Each entry has mean 0, square 1/n and fourth power 3/(n(n + 2)); both determinants are as likely."""
        q = SharedRotation(QUIET).key(torch.zeros(2**15, n, dtype=torch.float64))
        for row in range(n):
            for column in range(n):
                entry = q[:, row, column]
                assert errors_off(entry, 0.0) < ALLOWED
                assert errors_off(entry.square(), 1 / n) < ALLOWED
                assert errors_off(entry.pow(4), 3 / (n * (n + 2))) < ALLOWED
        assert errors_off(torch.linalg.det(q), 0.0) < ALLOWED
        if n > 1:
            assert errors_off(q[:, 0, 0] * q[:, 1, 1], 0.0) < ALLOWED

    def test_a_direction_becomes_any_direction(self):
        """Haar: a fixed vector is sent uniform on the circle."""
        spy, x = Spy(), torch.tensor([1.0, 0.0]).expand(2**15, 2)
        SharedRotation(spy)(x)
        angle = torch.atan2(spy.sent[0][:, 1], spy.sent[0][:, 0]).double()
        assert stats.kstest(angle.numpy(), stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-5

    def test_pulses_look_gaussian_in_the_end(self):
        """The kurtosis of a pulsed jam falls towards 3 as words grow: 3 n (E‖a‖⁴/n²)/(n + 2)."""
        n, duty = 16, 0.1
        jam = SharedRotation(Jammer(PulsedPolicy(duty), 1e-20).eval())(torch.zeros(2**14, n)).double()
        fourth = (3 / duty + (n - 1)) / n  # E‖a‖⁴/n² of white pulses
        assert errors_off(jam[:, 0].pow(4), 3 * n * fourth / (n + 2)) < ALLOWED

    def test_the_harm_averages_over_keys_of_its_own(self):
        """It is the same function of what arrives, whatever key was drawn for the words."""
        spy, x = Spy(), torch.randn(30, 4)
        channel = SharedRotation(spy).against(lambda y: y[..., 0])
        y = torch.randn(30, 4)
        found = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            channel(x)
            torch.manual_seed(3)
            found.append(spy.harm(y))
        assert torch.equal(*found)

    def test_refuses_binary_channels(self):
        with pytest.raises(ValueError, match="not antipodal: wrap a channel of real symbols, not BSC"):
            SharedRotation(BSC(0.1))
