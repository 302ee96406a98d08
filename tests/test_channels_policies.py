"""Laws of all policies, and the moments of each. Statistical tests have fixed seeds and false-alarm rate 1e-5."""

import copy
import math
import pickle

import pytest
import torch
from scipy import stats
from torch import Tensor

from channels import (
    POLICIES,
    GaussianPolicy,
    LaplacePolicy,
    NeuralPolicy,
    NeuralSourcePolicy,
    NeuralTapPolicy,
    PerSymbolPolicy,
    Policy,
    PulsedPolicy,
    ReactivePolicy,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
)

ALLOWED = float(stats.norm.isf(1e-5 / 2))  # standard errors
N = 4
WORDS = 2**18
SOME: dict[str, list[Policy]] = {
    "gaussian": [GaussianPolicy()],
    "laplace": [LaplacePolicy()],
    "neural": [NeuralPolicy(N, hidden=8)],
    "neural-source": [NeuralSourcePolicy(N, N, hidden=8)],
    "neural-tap": [NeuralTapPolicy(N, hidden=8), NeuralTapPolicy(N, hidden=8, tap_noise=0.5)],
    "per-symbol": [PerSymbolPolicy(NeuralPolicy(1, hidden=8)), PerSymbolPolicy(TwoPointPolicy())],
    "pulsed": [PulsedPolicy(), PulsedPolicy(0.5), PulsedPolicy(1.0)],
    "reactive": [ReactivePolicy(), ReactivePolicy(0.5)],
    "source-aware": [SourceAwarePolicy()],
    "tap": [TapPolicy(share=0.5), TapPolicy(0.3, share=1.0), TapPolicy(2.0, share=0.0)],
    "tone": [TonePolicy(), TonePolicy(0.0), TonePolicy(0.5), TonePolicy(0.37)],
    "two-point": [TwoPointPolicy()],
    "uniform": [UniformPolicy()],
}
# Untrained, their power and correlation are whatever the words and weights make of them.
LEARNS_WITH_SIGHT = (NeuralSourcePolicy, NeuralTapPolicy)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(6)


@pytest.fixture(
    params=[(name, number) for name, some in SOME.items() for number in range(len(some))],
    ids=lambda which: f"{which[0]}-{which[1]}",
)
def policy(request):
    name, number = request.param
    return copy.deepcopy(SOME[name][number])


def antipodal(*shape: int) -> Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def drawn(policy: Policy, words: int = WORDS, n: int = N) -> Tensor:
    """Signals ``(words, n)`` in float64, for antipodal words and Gaussian sources."""
    with torch.no_grad():
        return policy(antipodal(words, n), torch.randn(words, n)).double()


def errors_off(samples: Tensor, mean: float) -> float:
    """How many standard errors the mean of independent ``samples`` lies off."""
    error = float(samples.std()) / math.sqrt(len(samples))
    return abs(float(samples.mean()) - mean) / (error + 1e-6)


def test_no_policy_is_forgotten():
    assert SOME.keys() == POLICIES.keys()
    assert all(type(policy) is POLICIES[name] for name, some in SOME.items() for policy in some)


class TestEveryPolicy:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
    def test_keeps_shape_and_dtype(self, policy, dtype):
        for shape in ((N,), (5, N), (2, 3, N), (0, N)):
            x = antipodal(*shape).to(dtype)
            a = policy(x, torch.randn(shape))
            assert a.shape == x.shape
            assert a.dtype == dtype
            assert a.isfinite().all()

    def test_has_the_power_that_it_says(self, policy):
        claimed = policy.power()
        if isinstance(policy, LEARNS_WITH_SIGHT):
            assert claimed is None
            return
        expected = 1.0 if claimed is None else float(claimed)  # the transmitter is always on here
        assert errors_off(drawn(policy).square().mean(1), expected) < ALLOWED

    def test_has_no_offset(self, policy):
        a = drawn(policy)
        for position in range(N):
            assert errors_off(a[:, position], 0.0) < ALLOWED

    def test_correlates_with_the_signal_as_it_says(self, policy):
        if isinstance(policy, LEARNS_WITH_SIGHT):
            pytest.skip("no receiver reckons with what a net will have learned")
        x, u = antipodal(WORDS, N), torch.randn(WORDS, N)
        with torch.no_grad():
            a = policy(x, u)
        assert errors_off((a * x).double().mean(1), float(policy.correlation)) < ALLOWED

    def test_does_not_take_words_for_one_another(self, policy):
        """The signals of two words in a batch are uncorrelated."""
        a = drawn(policy)
        assert errors_off((a[::2] * a[1::2]).mean(1), 0.0) < ALLOWED

    def test_draws_only_from_torchs_generator(self, policy):
        x, u = antipodal(20, N), torch.randn(20, N)
        torch.manual_seed(7)
        first = policy(x, u)
        for other in (policy, copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):  # noqa: S301
            torch.manual_seed(7)
            assert torch.equal(other(x, u), first)

    def test_survives_a_change_of_precision(self, policy):
        x = antipodal(20, N).double()
        assert policy.double()(x, x).dtype == torch.float64

    def test_leaves_the_words_alone(self, policy):
        x, u = torch.ones(20, N), torch.ones(20, N)
        policy(x, u)
        assert (x == 1).all()
        assert (u == 1).all()

    def test_plays_itself_if_its_share_is_chosen(self, policy):
        assert policy.facing(2.0, 0.1) is policy


class TestMoments:
    @pytest.mark.parametrize(
        ("policy", "fourth"),
        [
            (GaussianPolicy(), 3.0),
            (TwoPointPolicy(), 1.0),
            (UniformPolicy(), 9 / 5),
            (LaplacePolicy(), 6.0),
            (PulsedPolicy(0.5), 6.0),
            (PulsedPolicy(0.1), 30.0),
            (TonePolicy(0.13), 1.5),
            (ReactivePolicy(), 3.0),
        ],
        ids=repr,
    )
    def test_fourth(self, policy, fourth):
        assert errors_off(drawn(policy)[:, 0].pow(4), fourth) < ALLOWED

    @pytest.mark.parametrize(
        ("policy", "law"),
        [
            (GaussianPolicy(), stats.norm),
            (UniformPolicy(), stats.uniform(-math.sqrt(3), 2 * math.sqrt(3))),
            (LaplacePolicy(), stats.laplace(scale=math.sqrt(0.5))),
            (TonePolicy(0.2), stats.arcsine(-math.sqrt(2), 2 * math.sqrt(2))),
        ],
        ids=lambda part: repr(part)[:20],
    )
    def test_law(self, policy, law):
        assert stats.kstest(drawn(policy)[:, 1].numpy(), law.cdf).pvalue > 1e-5

    @pytest.mark.parametrize(
        "policy", [GaussianPolicy(), TwoPointPolicy(), UniformPolicy(), LaplacePolicy(), PulsedPolicy(0.3)], ids=repr
    )
    def test_white(self, policy):
        """Neighbours are independent: neither they nor their squares correlate."""
        a = drawn(policy)
        assert errors_off(a[:, 0] * a[:, 1], 0.0) < ALLOWED
        assert errors_off((a[:, 0] * a[:, 1]).square(), 1.0) < ALLOWED

    @pytest.mark.parametrize("duty", [0.01, 0.3, 1.0])
    def test_pulses_are_on_for_their_duty(self, duty):
        a = drawn(PulsedPolicy(duty))
        assert stats.binomtest(int((a != 0).sum()), a.numel(), duty).pvalue > 1e-5
        assert stats.kstest(a[a != 0].numpy(), stats.norm(0, duty**-0.5).cdf).pvalue > 1e-5


class TestTone:
    @pytest.mark.parametrize("frequency", [0.0, 0.1, 0.25, 0.37, 0.5])
    def test_autocorrelation_is_a_cosine(self, frequency):
        a = drawn(TonePolicy(frequency), n=9)
        for apart in (1, 3, 8):
            expected = math.cos(2 * math.pi * frequency * apart)
            assert errors_off((a[:, :-apart] * a[:, apart:]).mean(1), expected) < ALLOWED

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_keeps_its_phase_over_long_words(self, dtype):
        """a_{i+1} + a_{i−1} = 2 cos(2πf) a_i, after a hundred thousand symbols as at the first."""
        a = TonePolicy(0.1)(torch.ones(3, 10**5, dtype=dtype)).double()
        wrong = a[:, 2:] + a[:, :-2] - 2 * math.cos(0.2 * math.pi) * a[:, 1:-1]
        assert wrong.abs().max() < 30 * torch.finfo(dtype).eps

    @pytest.mark.parametrize("frequency", [-0.1, 0.51, math.nan])
    def test_refuses_what_no_samples_show(self, frequency):
        with pytest.raises(ValueError, match="cycles per use"):
            TonePolicy(frequency)


class TestReactive:
    def test_is_silent_while_the_transmitter_is(self):
        x = torch.tensor([[0.0, 0.1, -0.6, 2.0]])
        a = ReactivePolicy(0.5)(x)
        assert ((a != 0) == (x.abs() > 0.5)).all()
        assert ReactivePolicy().power() is None

    @pytest.mark.parametrize("threshold", [-0.1, math.nan, math.inf])
    def test_refuses_nonsense(self, threshold):
        with pytest.raises(ValueError, match="threshold must be"):
            ReactivePolicy(threshold)


class TestTap:
    @pytest.mark.parametrize(("jam", "noise", "tapped"), [(0.25, 0.1, 0.0), (1.0, 0.1, 0.5), (4.0, 1.0, 0.0)])
    def test_cuts_the_signal_as_theory_says(self, jam, noise, tapped):
        """b = min{1, (PA + N)/PT, √(PA/(PT + m))} at PT = 1, and √PA a = −b (x + m) + v."""
        policy = TapPolicy(tapped).facing(jam, noise)
        cut = min(1.0, jam + noise, math.sqrt(jam / (1 + tapped)))
        assert math.sqrt(jam) * policy.correlation == pytest.approx(-cut)
        assert policy.share == pytest.approx(cut**2 * (1 + tapped) / jam)
        assert repr(policy.facing(9.0, 9.0)) == repr(policy)

    def test_without_a_share_it_waits_for_its_powers(self):
        with pytest.raises(RuntimeError, match="inside a Jammer"):
            TapPolicy()(torch.ones(1))

    @pytest.mark.parametrize(("tapped", "share"), [(-1.0, None), (math.inf, None), (0.0, 1.1), (0.0, math.nan)])
    def test_refuses_nonsense(self, tapped, share):
        with pytest.raises(ValueError, match="must"):
            TapPolicy(tapped, share)


class TestSourceAware:
    @pytest.mark.parametrize("u", [None, torch.ones(2, 3)])
    def test_needs_words_as_long_as_the_signal(self, u):
        with pytest.raises(ValueError, match=r"shaped like \(2, 4\)"):
            SourceAwarePolicy()(torch.ones(2, 4), u)


def test_the_oblivious_look_at_nothing():
    """A policy that says so sends the same signal whatever the words."""
    for policy in (one for some in SOME.values() for one in some):
        drawn = []
        for scale in (1.0, -3.0):
            torch.manual_seed(2)
            x, u = scale * torch.ones(500, N), scale * torch.ones(500, N)
            drawn.append(policy(x, u))
        assert torch.equal(*drawn) or not policy.oblivious


class TestNeural:
    def test_learns(self):
        policy = NeuralPolicy(3)
        policy(torch.zeros(64, 3)).square().sum().backward()
        assert all(weight.grad.abs().sum() > 0 for name, weight in policy.named_parameters() if "weight" in name)

    def test_law_is_symmetric(self):
        """Whatever the weights: the third moment is 0, not only the first."""
        policy = NeuralPolicy(1)
        torch.nn.init.constant_(policy.shaped.net[-1].bias, 3.0)
        a = drawn(policy, n=1)[:, 0]
        assert errors_off(a, 0.0) < ALLOWED
        assert errors_off(a.pow(3), 0.0) < ALLOWED

    def test_power_is_the_same_every_time(self):
        policy = NeuralPolicy(2)
        assert torch.equal(policy.power(), policy.power())

    def test_names_the_wrong_word_length(self):
        with pytest.raises(ValueError, match="words of 2 symbols, got words of 3"):
            NeuralPolicy(2)(torch.zeros(4, 3))

    @pytest.mark.parametrize(("n", "hidden"), [(0, 8), (1, 0)])
    def test_refuses_empty_nets(self, n, hidden):
        with pytest.raises(ValueError, match="at least 1"):
            NeuralPolicy(n, hidden)


@pytest.mark.parametrize("duty", [0.0, -0.1, 1.1, math.nan])
def test_pulses_refuse_impossible_duty(duty):
    with pytest.raises(ValueError, match="duty must lie"):
        PulsedPolicy(duty)
