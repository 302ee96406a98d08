"""Channels and error rates against Sionna and CommPy, on the parts of them that work.

Their conventions, where they differ from ours (real signals, ``SNR = P/N`` per real use, LLR = log p(y|0)/p(y|1)):

* Sionna's ``AWGN()(x, no)`` adds complex noise of total variance ``no = N0``, ``no/2`` per real dimension; BPSK symbols
  are complex with all power in the real part, so that our noise power is ``no/2``.
* Sionna's LLR is log p(y|1)/p(y|0): the opposite sign. Its bipolar BSC and BEC take floats ±1 and erase to 0, as ours;
  fed integers, its BSC flips nothing, so that is not compared.
* CommPy's ``awgn(x, snr_dB, rate)`` measures the power of x. On real arrays it adds noise of power ``P/(rate · SNR)``,
  as ours at rate 1; on complex ones half as much per real dimension, 3 dB less for BPSK.
* CommPy's ``bsc`` and ``bec`` take integer bits and erase to −1; ``bec`` on uint8 is broken under numpy 2.

Fixed seeds, false-alarm rate 1e-5 per statistical test.
"""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from channels import AWGN, BEC, BSC, from_decibels
from jscc_sim.theory.coding import bpsk_error

FALSE_ALARM = 1e-5
SYMBOLS = 10**6


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(18)


@pytest.fixture
def sionna():
    """Sionna's physical layer; importing it reseeds torch, and it draws from a generator of its own."""
    with torch.random.fork_rng():
        phy = pytest.importorskip("sionna.phy")
    phy.config.seed = 18
    return phy


@pytest.fixture
def commpy():
    """CommPy's channels, which draw from numpy's global generator; it is left as it was."""
    channels = pytest.importorskip("commpy.channels")
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(18)  # noqa: NPY002
    yield channels
    np.random.set_state(before)  # noqa: NPY002


def antipodal(count: int = SYMBOLS) -> torch.Tensor:
    return torch.randint(2, (count,)) * 2.0 - 1


def bits_of(x: torch.Tensor) -> torch.Tensor:
    return (x < 0).float()


def same_variance(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two Gaussian samples of mean 0 may have one variance: an F test."""
    ratio = float(one.double().square().mean() / other.double().square().mean())
    law = stats.f(one.numel(), other.numel())
    return FALSE_ALARM / 2 < law.cdf(ratio) < 1 - FALSE_ALARM / 2


def same_rate(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two sets of events may have one probability: chi-square on the table of both."""
    table = [[int(events.sum()), events.numel() - int(events.sum())] for events in (one, other)]
    return stats.chi2_contingency(table, correction=False).pvalue > FALSE_ALARM


class TestSionna:
    @pytest.mark.parametrize("snr_db", [-3.0, 4.0])
    def test_noise(self, sionna, snr_db):
        """``no = N0 = 2 N``."""
        ours = AWGN(1.0).at(snr_db)
        theirs = sionna.channel.AWGN()(torch.zeros(SYMBOLS, dtype=torch.complex64), 2 * ours.noise_power)
        noise = ours(torch.zeros(SYMBOLS))
        assert same_variance(theirs.real, noise)
        assert same_variance(theirs.imag, noise)

    @pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
    def test_flips(self, sionna, p):
        x = antipodal()
        theirs = sionna.channel.BinarySymmetricChannel(bipolar_input=True)(x, p)
        assert same_rate(theirs != x, BSC(p)(x) != x)

    @pytest.mark.parametrize("p", [0.01, 0.3])
    def test_erasures(self, sionna, p):
        x = antipodal()
        theirs = sionna.channel.BinaryErasureChannel(bipolar_input=True)(x, p)
        assert set(theirs.unique().tolist()) == {-1.0, 0.0, 1.0}
        assert torch.equal(theirs[theirs != 0], x[theirs != 0])
        assert same_rate(theirs == 0, BEC(p)(x) == 0)

    def test_llr_of_a_bsc_has_the_opposite_sign(self, sionna):
        """Of bits: theirs is log p(y|1)/p(y|0). At p = 0.1 nothing is clipped."""
        x = antipodal(1000)
        heard = BSC(0.1)(x)
        theirs = sionna.channel.BinarySymmetricChannel(return_llrs=True)(bits_of(heard), 0.0)
        assert torch.equal(theirs.sign(), -BSC(0.1).llr(heard).sign())
        size = sionna.channel.BinarySymmetricChannel(return_llrs=True)(bits_of(x), 0.1).abs()
        assert torch.allclose(size, torch.full_like(size, math.log(9)), rtol=1e-5)

    def test_llr_of_noise_has_the_opposite_sign(self, sionna):
        """The demapper of complex BPSK, of ``no = 2 N``: minus our 2y/N."""
        law, y = AWGN(0.4), torch.linspace(-3, 3, 101)
        bpsk = sionna.mapping.Constellation("pam", 1)
        theirs = sionna.mapping.Demapper("app", constellation=bpsk)(y.to(torch.complex64), 2 * law.noise_power)
        assert torch.allclose(theirs, -law.llr(y), rtol=1e-4, atol=1e-4)

    def test_bit_errors_of_bpsk(self, sionna):
        """Their mapper, noise and demapper, our channel, and Q(√SNR), at 4 dB."""
        x, law = antipodal(), AWGN(1.0).at(4.0)
        bits = bits_of(x)
        sent = sionna.mapping.Mapper("pam", 1)(bits)
        assert torch.allclose(sent.real, x)
        heard = sionna.channel.AWGN()(sent, 2 * law.noise_power)
        decided = sionna.mapping.Demapper("app", "pam", 1, hard_out=True)(heard, 2 * law.noise_power)
        theirs, ours = decided != bits, (law.llr(law(x)) < 0) != (bits == 1)
        assert same_rate(theirs, ours)
        exact = float(bpsk_error(from_decibels(4.0)))
        for errors in (theirs, ours):
            assert stats.binomtest(int(errors.sum()), SYMBOLS, exact).pvalue > FALSE_ALARM

    def test_reseeds_nothing_of_ours(self, sionna):
        torch.manual_seed(1)
        first = AWGN(1.0)(torch.zeros(9))
        torch.manual_seed(1)
        sionna.channel.AWGN()(torch.zeros(9, dtype=torch.complex64), 1.0)
        assert torch.equal(AWGN(1.0)(torch.zeros(9)), first)


class TestCommPy:
    @pytest.mark.parametrize("snr_db", [-3.0, 4.0])
    def test_noise_on_real_symbols(self, commpy, snr_db):
        """As ours, at rate 1 and unit power; at rate 1/2 they mean Eb/N0, 3 dB more noise."""
        x = antipodal(10**5)
        noise = AWGN(1.0).at(snr_db)(torch.zeros(10**5))
        assert same_variance(torch.from_numpy(commpy.awgn(x.double().numpy(), snr_db)) - x, noise)
        coded = torch.from_numpy(commpy.awgn(x.double().numpy(), snr_db, 0.5)) - x
        assert same_variance(coded / math.sqrt(2), noise)

    def test_noise_on_complex_symbols_is_half_as_strong(self, commpy):
        x = antipodal(10**5)
        heard = commpy.awgn(x.numpy().astype(complex), 4.0)
        noise = AWGN(1.0).at(4.0)(torch.zeros(10**5))
        assert same_variance(torch.from_numpy(heard.real) - x, noise / math.sqrt(2))

    @pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
    def test_flips(self, commpy, p):
        x = antipodal()
        bits = bits_of(x).long()
        assert same_rate(torch.from_numpy(commpy.bsc(bits.numpy(), p)) != bits, BSC(p)(x) != x)

    @pytest.mark.parametrize("p", [0.01, 0.3])
    def test_erasures(self, commpy, p):
        x = antipodal()
        theirs = torch.from_numpy(commpy.bec(bits_of(x).long().numpy(), p))
        assert same_rate(theirs == -1, BEC(p)(x) == 0)
