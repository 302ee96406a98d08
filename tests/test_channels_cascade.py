"""Cascades: laws in closed form against direct simulation. Fixed seeds, false-alarm rate 1e-5 per statistical test."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    Cascade,
    Channel,
    ErrorsAndErasures,
    GaussianPolicy,
    Jammer,
    NoisyFlips,
    Rayleigh,
    ReactivePolicy,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
)

FALSE_ALARM = 1e-5
ALLOWED = float(stats.norm.isf(FALSE_ALARM / 2))  # standard errors
BINARY = [
    (BSC(0.1) >> BSC(0.2), BSC),
    (BSC(0.0) >> BSC(0.9), BSC),
    (BSC(0.1) >> BEC(0.3), ErrorsAndErasures),
    (BEC(0.3) >> BSC(0.1), ErrorsAndErasures),
    (BEC(0.3) >> BEC(0.2), BEC),
    (ErrorsAndErasures(0.1, 0.2) >> ErrorsAndErasures(0.2, 0.1), ErrorsAndErasures),
    (BSC(0.1) >> BEC(0.2) >> BSC(0.05), ErrorsAndErasures),
]
REAL = [
    (AWGN(0.3) >> AWGN(0.5), AWGN),
    (AWGN(0.3, gain=2.0) >> AWGN(0.5, gain=0.7), AWGN),
    (BSC(0.2) >> AWGN(0.3), NoisyFlips),
    (BSC(0.2) >> AWGN(0.3, gain=0.5), NoisyFlips),
    (BSC(0.2) >> AWGN(0.3) >> AWGN(0.1), NoisyFlips),
    (BSC(0.2) >> NoisyFlips(0.1, AWGN(0.3)), NoisyFlips),
    (BSC(0.2) >> Jammer(GaussianPolicy(), 0.1, 0.5).eval(), NoisyFlips),
    (SharedSign(AWGN(0.3)) >> AWGN(0.2), AWGN),
    (Jammer(GaussianPolicy(), 0.1, 0.5).eval() >> AWGN(0.2), AWGN),
    (AWGN(0.2) >> Jammer(GaussianPolicy(), 0.1, 0.5).eval(), AWGN),
]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(12)


def antipodal(*shape: int) -> torch.Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def distribution(law, symbols):
    """The distribution function of a real law's output for +1 sent, by quadrature of its density."""
    grid = torch.linspace(-12, 12, 2**15, dtype=torch.float64)
    density = law.log_prob(grid, torch.ones_like(grid)).exp()
    total = torch.cumulative_trapezoid(density, grid)
    assert float(total[-1]) == pytest.approx(1, abs=1e-6)
    return torch.from_numpy(stats.rv_histogram((density[1:].numpy(), grid.numpy()), density=True).cdf(symbols))


class TestClosedForms:
    @pytest.mark.parametrize(("cascade", "kind"), BINARY, ids=lambda part: " ".join(repr(part).split())[:50])
    def test_binary_laws_are_what_is_seen(self, cascade, kind):
        law = cascade.nominal
        assert type(law) is kind
        for symbol in (1.0, -1.0):
            x = torch.full((10**6,), symbol)
            y = cascade(x)
            for outcome in (-1.0, 0.0, 1.0):
                likely = float(law.log_prob(torch.tensor([outcome]), x[:1]).double().exp())
                if isinstance(law, BSC) and outcome == 0:
                    likely = 0.0
                assert stats.binomtest(int((y == outcome).sum()), len(x), min(1.0, likely)).pvalue > FALSE_ALARM

    @pytest.mark.parametrize(("cascade", "kind"), REAL, ids=lambda part: " ".join(repr(part).split())[:50])
    def test_real_laws_are_what_is_seen(self, cascade, kind):
        law = cascade.nominal
        assert type(law) is kind
        for symbol in (1.0, -1.0):
            y = (symbol * cascade(torch.full((2**16,), symbol))).double().numpy()
            assert stats.kstest(y, lambda seen, law=law: distribution(law, seen).numpy()).pvalue > FALSE_ALARM

    @pytest.mark.parametrize(("cascade", "kind"), BINARY + REAL, ids=lambda part: " ".join(repr(part).split())[:50])
    def test_the_law_itself_is_a_channel_of_that_law(self, cascade, kind):
        """Sending through the law is sending through the cascade: the same first two moments."""
        x = antipodal(10**6)
        one, other = (x * cascade(x)).double(), (x * cascade.nominal(x)).double()
        for power in (1, 2):
            difference = one.pow(power) - other.pow(power)
            error = float(difference.std()) / 10**3 + 1e-9
            assert abs(float(difference.mean())) / error < ALLOWED

    def test_a_gain_that_the_receiver_knows_is_not_lost(self):
        y, law = (Rayleigh(0.3) >> AWGN(0.5)).transmit(torch.ones(2**14, 4))
        assert law.gain.shape == (2**14, 1)
        noise = (y - law.gain).double().flatten()
        assert stats.kstest(noise.numpy(), stats.norm(0, math.sqrt(0.8)).cdf).pvalue > FALSE_ALARM

    def test_flips_before_fading_leave_the_gain_known(self):
        _, law = (BSC(0.2) >> Rayleigh(0.3)).transmit(antipodal(7, 4))
        assert isinstance(law, NoisyFlips)
        assert law.noise.gain.shape == (7, 1)
        assert law.llr(torch.ones(7, 4)).shape == (7, 4)


probabilities = st.floats(0, 1)
binaries = st.one_of(
    probabilities.map(BSC), probabilities.map(BEC), st.builds(ErrorsAndErasures, probabilities, probabilities)
)
powers = st.floats(1e-3, 1e3)
gaussians = st.builds(AWGN, powers, st.floats(0.1, 10))


def rates(law: Channel) -> tuple[float, ...]:
    """All parameters of a law, as if it were of the most general kind."""
    noise = getattr(law, "noise", law)
    names = ("flip", "erase"), ("noise_power", "gain")
    return tuple(getattr(part, name, 0.0) for part, some in zip((law, noise), names, strict=True) for name in some)


class TestAlgebra:
    @given(binaries, binaries, binaries)
    def test_binary_laws_associate(self, one, two, three):
        left, right = ((one >> two) >> three).nominal, (one >> (two >> three)).nominal
        assert type(left) is type(right)
        assert rates(left) == pytest.approx(rates(right), rel=1e-9, abs=1e-12)

    @settings(max_examples=50)
    @given(gaussians, gaussians, gaussians)
    def test_gaussian_laws_associate(self, one, two, three):
        left, right = ((one >> two) >> three).nominal, (one >> (two >> three)).nominal
        assert rates(left) == pytest.approx(rates(right), rel=1e-9)

    @given(probabilities, probabilities, gaussians, gaussians)
    def test_flips_and_noise_associate(self, p, q, one, two):
        cascades = (BSC(p) >> BSC(q)) >> (one >> two), BSC(p) >> (BSC(q) >> one) >> two
        left, right = (cascade.nominal for cascade in cascades)
        assert rates(left) == pytest.approx(rates(right), rel=1e-9, abs=1e-12)

    @given(binaries)
    def test_a_perfect_channel_changes_nothing(self, law):
        for perfect in (BSC(0.0), BEC(0.0)):
            assert rates((law >> perfect).nominal) == rates((perfect >> law).nominal) == rates(law)

    @given(probabilities, probabilities)
    def test_flips_and_erasures_commute(self, flip, erase):
        assert rates((BSC(flip) >> BEC(erase)).nominal) == rates((BEC(erase) >> BSC(flip)).nominal)


class TestRefusals:
    @pytest.mark.parametrize(("first", "second"), [(AWGN(1.0), BSC(0.1)), (Rayleigh(1.0), BitFlip(BSC(0.1), 1))])
    def test_real_symbols_do_not_fit_a_binary_channel(self, first, second):
        names = f"{type(first).__name__} delivers real symbols, but {type(second).__name__} carries"
        with pytest.raises(ValueError, match=names):
            first >> second
        with pytest.raises(ValueError, match=r"Cascade delivers real symbols, but BSC carries"):
            (BSC(0.1) >> AWGN(1.0)) >> BSC(0.1)

    @pytest.mark.parametrize(
        "cascade",
        [
            BEC(0.1) >> AWGN(1.0),
            ErrorsAndErasures(0.1, 0.1) >> AWGN(1.0),
            AWGN(1.0) >> Rayleigh(1.0),
            AWGN(1.0) >> Rayleigh(1.0, csi=False),
            AWGN(1.0) >> Jammer(TapPolicy(), 0.1, 0.5).eval(),
            NoisyFlips(0.1, AWGN(1.0)) >> Rayleigh(1.0),
        ],
        ids=lambda cascade: f"{type(cascade.first).__name__}-{type(cascade.second).__name__}",
    )
    def test_without_a_closed_form_only_the_law_is_refused(self, cascade):
        names = f"{type(cascade.first).__name__} >> {type(cascade.second).__name__} has no law in closed form"
        x = antipodal(5, 3)
        with pytest.raises(NotImplementedError, match=names):
            cascade.nominal  # noqa: B018
        with pytest.raises(NotImplementedError, match=names):
            cascade.transmit(x)
        assert cascade(x).shape == x.shape


class TestAdversaries:
    def test_the_first_strikes_at_what_the_second_delivers(self):
        """Only the last symbol counts, and the second channel turns it round: so the best flip is the other way."""
        x = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
        armed = (BitFlip(BSC(0.0), 1) >> BSC(1.0)).against(lambda y: y[..., 2])
        assert (armed(x)[:, 2] > 0).all()
        assert torch.equal(armed(x)[:, :2], -x[:, :2])

    def test_both_are_armed(self):
        x = torch.ones(4, 5)
        armed = (BitFlip(BSC(0.0), 1) >> BitFlip(BSC(0.0), 2)).against(lambda y: -y.sum(-1))
        assert (armed(x).sum(-1) == 5 - 2 * 3).all()

    def test_the_source_reaches_both(self):
        x, u = torch.ones(4, 5), torch.randn(4, 5)
        knowing = Jammer(SourceAwarePolicy(), 1e-20, 1.0).eval()
        y = Cascade(knowing, knowing).transmit(x, u).y
        assert torch.allclose(y, x - 2 * u, atol=1e-6)

    def test_the_second_is_measured_over_what_reaches_it(self):
        reactive = Jammer(ReactivePolicy(0.5), 0.1).eval()
        cascade = BEC(0.25) >> reactive
        cascade.measure_power(lambda: (torch.ones(2**15, 8), None))
        assert float(reactive.unit.power) == pytest.approx(0.75, rel=5e-3)

    def test_the_slower_one_decides_the_cost(self):
        slow = BitFlip(BSC(0.1), 3, attack="exhaustive")
        assert (slow >> BSC(0.1)).cost(15) == (BSC(0.1) >> slow).cost(15) == slow.cost(15) > 1


def test_the_second_channels_knob_is_turned():
    cascade = BSC(0.1) >> AWGN(1.0)
    assert cascade.knob == "snr_db"
    assert repr(cascade.at(10).first) == repr(cascade.first)
    assert cascade.at(10).second.noise_power == pytest.approx(0.1)
