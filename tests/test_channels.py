"""Laws of all channels. Fixed seeds, false-alarm rate 1e-5 per statistical test; theory: test_channels_*.py."""

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from channels import (
    AWGN,
    BEC,
    BSC,
    CHANNELS,
    OFDM,
    TDL,
    BitFlip,
    Channel,
    ErrorsAndErasures,
    GaussianPolicy,
    Jammer,
    MemorylessChannel,
    NeuralPolicy,
    NoisyFlips,
    PulsedPolicy,
    Rayleigh,
    Rician,
    SharedRotation,
    SharedSign,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
)

MOST = math.log(1e12)  # log-likelihood ratios are clamped at these odds
SOME: dict[str, list[Channel]] = {
    "awgn": [AWGN(0.3), AWGN(0.3, gain=0.5)],
    "bec": [BEC(0.2)],
    "bit-flip": [
        BitFlip(BSC(0.1), 2),
        BitFlip(BEC(0.2), 1, informed=False),
        BitFlip(BSC(0.1), 1, erasures=1, attack="exhaustive"),
        BitFlip(ErrorsAndErasures(0.1, 0.2), 1, attack="random"),
    ],
    "bsc": [BSC(0.1)],
    "cascade": [BSC(0.1) >> BEC(0.2), BEC(0.2) >> BSC(0.1), BSC(0.1) >> AWGN(0.3), BitFlip(BSC(0.1), 1) >> BSC(0.1)],
    "errors-and-erasures": [ErrorsAndErasures(0.1, 0.2)],
    "jammer": [
        Jammer(policy, 0.1, 0.5)
        for policy in (GaussianPolicy(), TwoPointPolicy(), NeuralPolicy(n=6, hidden=8), TapPolicy(), TonePolicy())
    ],
    "noisy-flips": [NoisyFlips(0.1, AWGN(0.3))],
    "ofdm": [OFDM(0.3, subcarriers=2), OFDM(0.3, "D", subcarriers=2, pilots=2), OFDM(0.3, csi=False)],
    "rayleigh": [Rayleigh(0.3), Rayleigh(0.3, csi=False)],
    "rician": [Rician(0.3, 2.0), Rician(0.3, 2.0, csi=False)],
    "shared-rotation": [SharedRotation(Jammer(PulsedPolicy(), 0.1)), SharedRotation(Rayleigh(0.3))],
    "shared-sign": [SharedSign(AWGN(0.3)), SharedSign(BitFlip(BSC(0.1), 1)), SharedSign(Jammer(TapPolicy(), 0.1, 0.5))],
    "tdl": [TDL(0.3), TDL(0.3, "D", delay_spread=1e-6)],
}
# One parameter at a time, so that its digits can be watched.
PARAMETERS = {
    "awgn noise_power": AWGN,
    "awgn gain": lambda p: AWGN(1.0, p),
    "bec": BEC,
    "bsc": BSC,
    "errors": lambda p: ErrorsAndErasures(p, 0.1),
    "erasures": lambda p: ErrorsAndErasures(0.1, p),
    "flips of noisy flips": lambda p: NoisyFlips(p, AWGN(1.0)),
    "noise of noisy flips": lambda p: NoisyFlips(0.1, AWGN(p)),
    "ofdm noise_power": OFDM,
    "ofdm speed": lambda p: OFDM(1.0, speed=p),
    "tdl noise_power": TDL,
    "tdl delay_spread": lambda p: TDL(1.0, delay_spread=p),
    "rayleigh": Rayleigh,
    "rician noise_power": Rician,
    "rician k_factor": lambda p: Rician(1.0, p),
    "jammer noise_power": lambda p: Jammer(GaussianPolicy(), p),
    "jam_power": lambda p: Jammer(GaussianPolicy(), 1.0, p),
    "duty": lambda p: Jammer(PulsedPolicy(p), 1.0),
    "frequency": lambda p: Jammer(TonePolicy(p), 1.0),
    "tap_noise": lambda p: Jammer(TapPolicy(p), 1.0),
    "share": lambda p: Jammer(TapPolicy(0.1, p), 1.0),
    "behind flips": lambda p: BitFlip(BSC(p), 1),
    "first": lambda p: BSC(p) >> BEC(0.1),
    "second": lambda p: BSC(0.1) >> BEC(p),
    "inside": lambda p: SharedSign(AWGN(p)),
    "rotated": lambda p: SharedRotation(AWGN(p)),
}
CHOICES = [
    (Rayleigh(1.0), Rayleigh(1.0, csi=False)),
    (Rician(1.0), Rician(1.0, csi=False)),
    (OFDM(1.0), OFDM(1.0, csi=False)),
    (BitFlip(BSC(0.1), 1), BitFlip(BSC(0.1), 2)),
    (BitFlip(BSC(0.1), 1), BitFlip(BSC(0.1), 1, erasures=1)),
    (BitFlip(BSC(0.1), 1), BitFlip(BSC(0.1), 1, informed=False)),
    (BitFlip(BSC(0.1), 1), BitFlip(BSC(0.1), 1, attack="random")),
    (Jammer(NeuralPolicy(1, 8), 1.0), Jammer(NeuralPolicy(1, 9), 1.0)),
    (SharedSign(AWGN(1.0)), SharedRotation(AWGN(1.0))),
]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


def antipodal(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randint(2, shape) * 2 - 1).to(dtype)


def at_seed(seed: int, channel: Channel, x: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(seed)
    return channel(x)


def blind(channel: Channel) -> bool:
    """Whether the law of a word is the nominal one: its gain is not known."""
    inside = channel.inside if isinstance(channel, SharedSign | SharedRotation) else channel
    return not (isinstance(inside, TDL) or getattr(inside, "csi", False))


def is_ratio_of_likelihoods(law: MemorylessChannel, y: torch.Tensor) -> bool:
    exact = (law.log_prob(y, torch.ones_like(y)) - law.log_prob(y, -torch.ones_like(y))).clamp(-MOST, MOST)
    return torch.allclose(law.llr(y).clamp(-MOST, MOST), exact, rtol=1e-4, atol=1e-4)


def test_no_channel_is_forgotten():
    assert SOME.keys() == CHANNELS.keys()
    assert all(type(channel) is CHANNELS[name] for name, some in SOME.items() for channel in some)


@pytest.fixture(
    params=[(name, number) for name, some in SOME.items() for number in range(len(some))],
    ids=lambda which: f"{which[0]}-{which[1]}",
)
def channel(request):
    name, number = request.param
    return copy.deepcopy(SOME[name][number]).eval()


class TestEveryChannel:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
    def test_keeps_shape_and_dtype(self, channel, dtype):
        converted = copy.deepcopy(channel).to(dtype)
        for shape in ((6,), (4, 6), (2, 3, 6), (0, 6)):
            x = antipodal(*shape, dtype=dtype)
            for received in (channel(x), converted(x)):
                assert received.shape == x.shape
                assert received.dtype == dtype
                assert received.isfinite().all()

    def test_delivers_its_alphabet(self, channel):
        y = channel(antipodal(200, 6))
        assert (set(y.unique().tolist()) <= {-1.0, 0.0, 1.0}) == (channel.output == "antipodal")

    def test_leaves_the_words_alone(self, channel):
        x = antipodal(20, 6)
        kept = x.clone()
        channel(x)
        assert torch.equal(x, kept)

    def test_words_need_not_be_contiguous(self, channel):
        assert channel(antipodal(6, 50).T).shape == (50, 6)

    def test_is_a_layer(self, channel):
        assert nn.Sequential(nn.Identity(), channel, nn.Identity())(antipodal(4, 6)).shape == (4, 6)

    def test_at_builds_another_and_leaves_this_one(self, channel):
        before, x = repr(channel), antipodal(20, 6)
        sent = at_seed(3, channel, x)
        other = channel.at(0.25)
        other(x)
        assert type(other) is type(channel)
        assert repr(channel) == before != repr(other)
        assert repr(other.at(0.25)) == repr(other)
        assert torch.equal(at_seed(3, channel, x), sent)
        assert torch.equal(at_seed(3, other.at(0.25), x), at_seed(3, other, x))

    def test_at_builds_what_one_would_have_built(self, channel):
        levelled = channel.at(0.25)
        assert repr(channel.at(0.4).at(0.25)) == repr(levelled)
        assert levelled.knob == channel.knob
        assert (levelled.alphabet, levelled.output) == (channel.alphabet, channel.output)

    def test_draws_only_from_torch_generator(self, channel):
        x = antipodal(50, 6)
        first = at_seed(3, channel, x)
        assert torch.equal(at_seed(3, channel, x), first)
        assert not torch.equal(channel(x), first)

    def test_words_are_independent(self, channel):
        """The same word twice in a batch fares differently."""
        x = antipodal(1, 6).expand(200, 6)
        assert len(channel(x).unique(dim=0)) > 1

    def test_the_receivers_law_is_memoryless(self, channel):
        y, law = channel.transmit(antipodal(4, 6))
        assert isinstance(law, MemorylessChannel)
        assert law.nominal is law
        assert law.llr(y).isfinite().all()
        assert law.llr(y).shape == law.log_prob(y, y).shape == y.shape
        assert (repr(law) == repr(channel.nominal)) == blind(channel)

    def test_llr_is_the_ratio_of_likelihoods(self, channel):
        y, law = channel.transmit(antipodal(200, 6))
        assert is_ratio_of_likelihoods(law, y)
        assert is_ratio_of_likelihoods(channel.nominal, channel.nominal(antipodal(200)))

    def test_llr_carries_gradients(self, channel):
        for law in (channel.nominal, channel.transmit(antipodal(4, 6)).law):
            y = antipodal(4, 6).requires_grad_()
            law.llr(y).sum().backward()
            assert (y.grad > 0).all()

    def test_gradients_reach_the_transmitter(self, channel):
        x = antipodal(50, 6).requires_grad_()
        channel(x).sum().backward()
        assert x.grad.isfinite().all()
        assert (x.grad != 0).float().mean() > 0.3

    def test_survives_copies_and_pickles(self, channel):
        x = antipodal(50, 6)
        sent = at_seed(3, channel, x)
        for other in (copy.copy(channel), copy.deepcopy(channel), pickle.loads(pickle.dumps(channel))):  # noqa: S301
            assert repr(other) == repr(channel)
            assert torch.equal(at_seed(3, other, x), sent)

    def test_training_and_evaluation_both_work(self, channel):
        before, x = repr(channel), antipodal(4000, 6)
        assert channel.train()(x).shape == x.shape
        assert channel.eval()(x).isfinite().all()
        assert repr(channel) == before

    def test_armed_it_is_another_of_the_same_law(self, channel):
        armed = channel.against(lambda y: y.sum(-1))
        assert repr(armed) == repr(channel)
        assert armed(antipodal(4, 6)).shape == (4, 6)

    def test_measuring_its_power_changes_no_parameter(self, channel):
        before = repr(channel)
        channel.measure_power(lambda: (antipodal(2**16, 6), None))
        assert repr(channel) == before

    def test_costs_something(self, channel):
        assert channel.cost(6) >= 1
        assert isinstance(channel.cost(6), int)


class TestRepr:
    @pytest.mark.parametrize("build", PARAMETERS.values(), ids=PARAMETERS)
    def test_shows_every_digit(self, build):
        for value in (0.3, 0.3 * (1 + 1e-15), 1 / 3, 1e-13):
            assert repr(value) in repr(build(value))
        assert repr(build(0.3)) != repr(build(0.3 * (1 + 1e-15)))
        assert repr(build(0.3)) == repr(build(0.3))

    @pytest.mark.parametrize(("one", "other"), CHOICES)
    def test_shows_every_choice(self, one, other):
        assert repr(one) != repr(other)

    @pytest.mark.parametrize(("one", "other"), [(AWGN(1), AWGN(1.0)), (AWGN(1, 2), AWGN(1.0, 2.0)), (BSC(1), BSC(1.0))])
    def test_does_not_depend_on_how_a_number_was_written(self, one, other):
        assert repr(one) == repr(other)


probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 5e-324, 1e-17, 1e-9, 0.5, 1 - 2**-53, 1.0]))
decibel_levels = st.floats(-100, 100)
binaries = st.one_of(
    probabilities.map(BSC), probabilities.map(BEC), st.builds(ErrorsAndErasures, probabilities, probabilities)
)
gaussians = decibel_levels.map(AWGN(1.0).at)
laws = st.one_of(binaries, gaussians, st.builds(NoisyFlips, probabilities, gaussians))


class TestAnyLaw:
    @settings(max_examples=300)
    @given(laws, st.floats(-1e3, 1e3))
    def test_llr_is_finite_odd_and_increasing(self, law, symbol):
        y = torch.tensor([symbol, 1.0, 0.0, 2.0], dtype=torch.float64).requires_grad_()
        llr = law.llr(y)
        (slope,) = torch.autograd.grad(llr.sum(), y)
        assert llr.isfinite().all()
        assert slope.isfinite().all()
        assert torch.allclose(law.llr(-y), -llr, rtol=1e-9, atol=1e-9)
        assert float(llr[2].detach()) == pytest.approx(0, abs=1e-12)
        assert (slope >= 0).all() or law.flip > 0.5

    @settings(max_examples=300)
    @given(binaries)
    def test_probabilities_sum_to_one(self, law):
        outcomes, sent = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64), torch.ones(3, dtype=torch.float64)
        # To a BSC an erasure is no outcome of its own.
        outcomes, sent = (outcomes[::2], sent[::2]) if isinstance(law, BSC) else (outcomes, sent)
        assert float(law.log_prob(outcomes, sent).exp().sum()) == pytest.approx(1, rel=1e-12)

    @settings(max_examples=200)
    @given(binaries, st.integers(0, 40), st.integers(1, 9))
    def test_binary_words_stay_binary(self, law, words, n):
        y = law(antipodal(words, n))
        assert y.shape == (words, n)
        assert bool(((y == 0) | (y.abs() == 1)).all())

    @settings(max_examples=200)
    @given(laws)
    def test_llr_fits_log_prob(self, law):
        torch.manual_seed(3)
        y = law(antipodal(20, dtype=torch.float64))
        if isinstance(law, NoisyFlips):  # flips rarer than this are not reckoned with
            law = NoisyFlips(min(max(law.flip, 1e-12), 1 - 1e-12), law.noise)
        assert is_ratio_of_likelihoods(law, y)

    @settings(max_examples=100)
    @given(probabilities, st.floats(-20, 60), st.sampled_from([torch.float32, torch.bfloat16, torch.float16]))
    def test_coarse_symbols_get_the_same_llr(self, flip, snr_db, dtype):
        y = torch.linspace(-3, 3, 13)
        for law in (BSC(flip), NoisyFlips(flip, AWGN(1.0).at(snr_db))):
            exact = law.llr(y.double())
            assert torch.allclose(law.llr(y.to(dtype)).double(), exact, rtol=8 * torch.finfo(dtype).eps, atol=0.1)
