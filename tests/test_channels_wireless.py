"""OFDM and one carrier over Sionna's delay lines: power, echoes, knowledge. Fixed seeds, false-alarm rate 1e-5."""

import math

import pytest
import torch

from channels import AWGN, OFDM, TDL, GaussianPolicy, Jammer
from channels.wireless import PROFILES
from jscc_sim.codecs import Linear, Repetition
from jscc_sim.link import Link
from jscc_sim.metrics import bit_errors, squared_error
from jscc_sim.sources import Bits, Gaussian
from jscc_sim.theory.fading import rayleigh_bpsk_error, rayleigh_mse


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Of two complex samples, as a size."""
    return float((one * other.conj()).mean().abs() / (one.abs().square().mean() * other.abs().square().mean()).sqrt())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_mean_power_of_a_gain_is_one(profile):
    h = OFDM(0.1, profile, subcarriers=4).responses(20_000, 1, 1)[:, 0, 0]
    power = h.abs().square()
    assert abs(power.mean() - 1) < 4.5 * power.std() / math.sqrt(len(h))


def test_draws_come_of_torch_and_leave_those_of_sionna_as_they_were():
    from sionna.phy import config

    channel, theirs = OFDM(0.1), config.torch_rng("cpu")
    torch.manual_seed(1)
    before, found = theirs.get_state(), channel.responses(3, 2, 4)
    assert torch.equal(theirs.get_state(), before)
    assert not torch.equal(channel.responses(3, 2, 4), found)
    torch.manual_seed(1)
    assert torch.equal(channel.responses(3, 2, 4), found)


def test_echoes_tell_subcarriers_apart_and_movement_symbols():
    still, near = OFDM(0.1, "A", delay_spread=1e-6), OFDM(0.1, "A", delay_spread=1e-9)
    h, flat = still.responses(4000, 2, 64), near.responses(4000, 2, 64)
    assert correlation(h[:, 0, 0], h[:, 0, 63]) < 0.7
    assert correlation(flat[:, 0, 0], flat[:, 0, 63]) > 0.99
    assert torch.allclose(h[:, 0], h[:, 2], atol=1e-4)
    fast = OFDM(0.1, "A", speed=300.0).responses(4000, 20, 1)
    assert correlation(fast[:, 0, 0], fast[:, 20, 0]) < 0.9


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_uncoded_symbols_fade_as_rayleigh_says(snr_db):
    channel, snr = OFDM(1.0, "A").at(snr_db), 10 ** (snr_db / 10)
    with torch.no_grad():
        errors = squared_error(Link(Gaussian(2), Linear(2), channel).transmit(20_000)).double()
        wrong = bit_errors(Link(Bits(2), Repetition(2, 1), channel).transmit(20_000)).double()
    assert abs(errors.mean() - float(rayleigh_mse(snr))) < 4.5 * errors.std() / math.sqrt(len(errors))
    assert abs(wrong.mean() - float(rayleigh_bpsk_error(snr))) < 4.5 * wrong.std() / math.sqrt(len(wrong))


class TestPilots:
    def test_the_law_is_honest(self):
        channel = OFDM(0.5, "A", subcarriers=4, pilots=1)
        x = torch.randn(30_000, 8)
        y, law = channel.transmit(x)
        residual = (y - law.gain * x).square().mean(1)
        assert abs(residual.mean() - law.noise_power) < 4.5 * residual.std() / math.sqrt(len(residual))

    def test_more_pilots_come_near_to_knowledge(self):
        x = torch.randn(20_000, 8)

        def error(channel: OFDM) -> float:
            torch.manual_seed(1)
            y, law = channel.transmit(x)
            return float((Linear(8).decode(y, law) - x).square().mean())

        few, many, known = (error(OFDM(0.3, subcarriers=4, pilots=pilots)) for pilots in (1, 50, 0))
        assert known < many < few
        assert many == pytest.approx(known, rel=0.05)

    def test_a_moving_receiver_has_old_pilots(self):
        x = torch.randn(4000, 80)
        errors = []
        for speed in (0.0, 300.0):
            torch.manual_seed(1)
            y, law = OFDM(0.05, subcarriers=2, pilots=4, speed=speed).transmit(x)
            errors.append(float((Linear(80).decode(y, law) - x).square()[:, -4:].mean()))
        assert errors[1] > 2 * errors[0]


def test_a_jammer_on_top_is_heard_as_noise():
    with pytest.raises(ValueError, match="pilots of OFDM would not pass Jammer"):
        OFDM(0.1, pilots=1) >> Jammer(GaussianPolicy(), 0.2, 0.5)
    channel = OFDM(0.1, subcarriers=4) >> Jammer(GaussianPolicy(), 0.2, 0.5)
    y, law = channel.transmit(torch.randn(100, 8))
    assert isinstance(law, AWGN)
    assert law.noise_power == pytest.approx(0.8)
    assert law.gain.shape == y.shape


def test_a_receiver_of_the_phase_alone_takes_fading_for_noise():
    y, law = OFDM(0.3, subcarriers=4, csi=False).transmit(x := torch.randn(20_000, 8))
    errors = (Linear(8).decode(y, law) - x).square().mean(1).double()
    exact = 1 - math.pi / 4 / (1 + 0.3)  # 1 − E[h]²/(1 + N), more than rayleigh_mse
    assert abs(errors.mean() - exact) < 4.5 * errors.std() / math.sqrt(len(errors))


class TestOneCarrier:
    @pytest.mark.parametrize("snr_db", [0.0, 10.0])
    def test_without_echoes_it_is_rayleigh_fading(self, snr_db):
        channel, snr = TDL(1.0, "A", delay_spread=1e-12).at(snr_db), 10 ** (snr_db / 10)
        with torch.no_grad():
            errors = squared_error(Link(Gaussian(8), Linear(8), channel).transmit(20_000)).double()
            wrong = bit_errors(Link(Bits(8), Repetition(8, 1), channel).transmit(20_000)).double()
        assert abs(errors.mean() - float(rayleigh_mse(snr))) < 4.5 * errors.std() / math.sqrt(len(errors))
        assert abs(wrong.mean() - float(rayleigh_bpsk_error(snr))) < 4.5 * wrong.std() / math.sqrt(len(wrong))

    def test_the_law_is_honest(self):
        y, law = TDL(0.3, delay_spread=1e-6).transmit(x := torch.randn(20_000, 32))
        residual = y - law.gain * x
        mean, power = (residual * x).mean(1), residual.square().mean(1)
        assert abs(mean.mean()) < 4.5 * mean.std() / math.sqrt(len(mean))
        assert abs(power.mean() - law.noise_power) < 4.5 * power.std() / math.sqrt(len(power))

    def test_each_symbol_has_the_snr_of_linear_equalisers(self):
        channel, x = TDL(0.3, "C", delay_spread=1e-6), torch.randn(100, 32)
        torch.manual_seed(1)
        h = channel.responses(100, 16)
        torch.manual_seed(1)
        law = channel.transmit(x).law
        share = (h.abs().square() / (h.abs().square() + 0.3)).mean(1, keepdim=True)
        assert torch.allclose(law.gain.square() / 0.3, share / (1 - share), rtol=1e-4)

    def test_echoes_average_fades_out(self):
        """Where frequencies fade apart, fewer words are lost in deep fades."""
        errors = []
        for spread in (1e-12, 3e-6):
            torch.manual_seed(1)
            with torch.no_grad():
                sent = Link(Bits(64), Repetition(64, 1), TDL(0.1, delay_spread=spread)).transmit(4000)
            errors.append(bit_errors(sent).double().square().mean())
        assert errors[1] < errors[0] / 2

    def test_echoes_come_after_their_symbol(self):
        """Without equaliser: the energy of what a lone symbol makes lies behind it, as the profile says."""
        h = TDL(0.1, "A", delay_spread=1e-6, bandwidth=10e6).responses(4000, 256)
        energy = torch.fft.ifft(h).abs().square().mean(0)
        assert energy[:128].sum() > 0.95 * energy.sum()

    def test_nothing_stands_before_or_behind_it(self):
        for first, second in ((TDL(0.1), Jammer(GaussianPolicy(), 0.2, 0.5)), (AWGN(0.1), TDL(0.1))):
            with pytest.raises(ValueError, match="TDL equalises for its own noise alone"):
                first >> second

    def test_without_noise_all_is_recovered(self):
        y, law = TDL(1e-10, delay_spread=1e-6).transmit(x := torch.randn(50, 32))
        assert torch.allclose(y / law.gain, x, atol=1e-2)


def test_an_odd_number_of_uses_lacks_an_imaginary_part():
    y, law = OFDM(0.1, subcarriers=4).transmit(torch.randn(5, 7, 3))
    assert y.shape == law.gain.shape == (5, 7, 3)
    assert torch.equal(law.gain[..., 0], law.gain[..., 1])


@pytest.mark.parametrize("channel", [OFDM(0.1, subcarriers=4), TDL(0.1)])
def test_gradients_pass(channel):
    x = torch.randn(10, 8, requires_grad=True)
    channel(x).square().sum().backward()
    assert x.grad.abs().min() > 0


def test_draws_are_torchs_own():
    channel, x = OFDM(0.1, subcarriers=4), torch.ones(3, 8)
    torch.manual_seed(7)
    first, after = channel(x), torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(channel(x), first)
    assert torch.equal(torch.rand(1), after)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: OFDM(0.1, "Z"), "no delay profile is called 'Z'"),
        (lambda: OFDM(0.1, delay_spread=0), "delay_spread must be positive"),
        (lambda: OFDM(0.1, spacing=0), "spacing must be positive"),
        (lambda: OFDM(0.1, pilots=1, csi=False), "from 1 pilots a receiver knows the channel"),
        (lambda: TDL(0.1, bandwidth=0), "bandwidth must be positive"),
        (lambda: OFDM(0.1, subcarriers=0), "subcarriers must be at least 1"),
    ],
)
def test_what_cannot_be_is_told(build, said):
    with pytest.raises(ValueError, match=said):
        build()
