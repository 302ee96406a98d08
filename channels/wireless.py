"""The delay lines of 3GPP TR 38.901, as Sionna has them: by one carrier that is equalised, and by OFDM."""

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor

from channels.awgn import AWGN
from channels.base import Received
from channels.fading import Fading, Rayleigh
from channels.power import checked_power

PROFILES = ("A", "B", "C", "D", "E")
# Of the carrier, in Hz; it matters where something moves.
CARRIER = 3.5e9
# Of an OFDM symbol with a normal cyclic prefix, over the inverse of the spacing.
PREFIXED = 15 / 14
# So many times as long as plain noise does a word of some symbols take.
COST = 16


class _Echoes(Fading):
    """Complex symbols of two successive uses, each word through a delay line of its own."""

    def __init__(self, noise_power: float, profile: str, delay_spread: float) -> None:
        super().__init__()
        if profile not in PROFILES:
            raise ValueError(f"no delay profile is called {profile!r}: choose from {', '.join(PROFILES)}")
        if not 0 < delay_spread < math.inf:
            raise ValueError(f"delay_spread must be positive and finite, in seconds, got {delay_spread}")
        self.noise_power, self.profile = checked_power("noise_power", noise_power), profile
        self.delay_spread = float(delay_spread)

    @property
    def nominal(self) -> AWGN:
        """The Gaussian law of the moments of Rayleigh fading, for a receiver that knows the phase alone."""
        return Rayleigh(self.noise_power).nominal

    def cost(self, n: int) -> int:
        """A response is a sum over echoes and sinusoids."""
        return COST

    def _drawn(self, words: int, times: int, frequencies: Tensor, rate: float, speed: float = 0.0) -> Tensor:
        """``h (words, times, frequencies)`` as Sionna draws, at times that follow at a ``rate`` in Hz."""
        with torch.random.fork_rng(devices=[]):  # importing Sionna reseeds torch
            from sionna.phy import config
            from sionna.phy.channel import cir_to_ofdm_channel
        line, theirs = _delay_line(self.profile, self.delay_spread, speed), config.torch_rng("cpu")
        before = theirs.get_state()
        theirs.manual_seed(int(torch.randint(2**62, ())))
        gains, delays = line(words, times, rate)
        theirs.set_state(before)  # for all else that draws by Sionna
        found: Tensor = cir_to_ofdm_channel(frequencies, gains, delays)
        return found[:, 0, 0, 0, 0]

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"noise_power={self.noise_power!r}, profile={self.profile!r}, delay_spread={self.delay_spread!r}"


class TDL(_Echoes):
    """``y_t = Σ_l h_l x_{t−l} + z_t``, one carrier, and a linear equaliser before whatever decodes (TDL-A to TDL-E).

    Symbols follow at the rate ``bandwidth``, in Hz, behind a cyclic prefix as long as the echoes (of ``delay_spread``
    seconds), so that echoes are circular; nothing moves during a word. The receiver knows the line and equalises by
    linear MMSE in the frequency domain, for symbols of power one; what is left of a symbol's neighbours its law takes
    for Gaussian noise. With ``β`` the mean of ``|h|²/(|h|² + N)`` over frequencies each symbol has the SNR
    ``β/(1 − β)``, told as a gain over noise of power N. Where echoes are short it is block fading. Uses leave the
    cyclic prefix out.
    """

    def __init__(
        self,
        noise_power: float,
        profile: str = "A",
        *,
        delay_spread: float = 100e-9,
        bandwidth: float = 10e6,
    ) -> None:
        super().__init__(noise_power, profile, delay_spread)
        if not 0 < bandwidth < math.inf:
            raise ValueError(f"bandwidth must be positive and finite, in Hz, got {bandwidth}")
        self.bandwidth = float(bandwidth)

    def responses(self, words: int, symbols: int) -> Tensor:
        """``h (words, symbols)`` as Sionna draws: at the frequencies of a word of so many, in the order of ``fft``."""
        return self._drawn(words, 1, torch.fft.fftfreq(symbols, 1 / self.bandwidth), self.bandwidth)[:, 0]

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Echo, add noise, equalise; the receiver's law has a gain for each word."""
        if not x.numel():
            return Received(x, self.nominal)  # no transform of no words
        sent = _complex(x)
        h = self.responses(*sent.shape).to(x.device)
        noise = torch.view_as_complex(torch.randn_like(torch.view_as_real(sent))) * math.sqrt(self.noise_power)
        heard = h.to(sent.dtype) * torch.fft.fft(sent, norm="ortho") + noise
        gains = h.abs().square()
        power = gains + self.noise_power
        share = (gains / power).mean(-1, keepdim=True)
        residual = power.reciprocal().mean(-1, keepdim=True)
        equalised = torch.fft.ifft(h.conj() / power * heard, norm="ortho") * (share * residual).rsqrt()
        gain = (share / residual).sqrt().to(x.dtype).reshape(*x.shape[:-1], 1)
        return Received(_uses(torch.view_as_real(equalised), x), AWGN(self.noise_power, gain))

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"{super().extra_repr()}, bandwidth={self.bandwidth!r}"


class OFDM(_Echoes):
    """``y = h x + z`` on each subcarrier of OFDM over a delay line (TDL-A to TDL-E).

    Symbols fill the ``subcarriers`` of one OFDM symbol after the other; the cyclic prefix is as long as the echoes.
    ``delay_spread`` is in seconds, ``spacing`` of the subcarriers in Hz, ``speed`` of the receiver in m/s. It knows
    ``h``; or with ``pilots`` it estimates it from so many OFDM symbols of the signal's power before each word, which
    are uses beyond those of the word, and takes the error of that estimate for noise; of how much ``h`` moves meanwhile
    it knows nothing. It turns each symbol back by the phase of what it knows, so that real and imaginary part have one
    gain, ``|h|``; without ``csi`` the phase is all that it knows. Uses, and so Eb/N0, leave the cyclic prefix out, a
    fifteenth of what is sent, or .3 dB.
    """

    def __init__(
        self,
        noise_power: float,
        profile: str = "A",
        *,
        delay_spread: float = 100e-9,
        subcarriers: int = 64,
        spacing: float = 15e3,
        speed: float = 0.0,
        pilots: int = 0,
        csi: bool = True,
    ) -> None:
        super().__init__(noise_power, profile, delay_spread)
        if not (0 < spacing < math.inf and 0 <= speed < math.inf):
            raise ValueError(f"spacing must be positive, speed 0 or more, both finite, got {spacing}, {speed}")
        if not (subcarriers >= 1 and pilots >= 0):
            raise ValueError(f"subcarriers must be at least 1, pilots 0 or more, got {subcarriers}, {pilots}")
        if pilots and not csi:
            raise ValueError(f"from {pilots} pilots a receiver knows the channel: pilots=0, or csi=True")
        self.subcarriers, self.spacing, self.speed = subcarriers, float(spacing), float(speed)
        self.pilots, self.csi = pilots, bool(csi)

    def responses(self, words: int, symbols: int, subcarriers: int) -> Tensor:
        """``h (words, 1 + symbols, subcarriers)`` as Sionna draws: at the pilots and the symbols, of the first ones."""
        frequencies = (torch.arange(subcarriers) - self.subcarriers // 2) * self.spacing
        return self._drawn(words, 1 + symbols, frequencies, self.spacing / PREFIXED, self.speed)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Fade and add noise; the receiver's law has a gain for each use."""
        sent = _complex(x)
        count = sent.shape[-1]
        symbols = math.ceil(count / self.subcarriers)
        responses = self.responses(len(sent), symbols, min(self.subcarriers, count)).to(x.device)
        h = responses[:, 1:].flatten(1)[:, :count]
        known, noise_power = h, self.noise_power
        if self.pilots:
            estimate, noise_power = self._estimated(responses[:, 0])
            known = estimate.repeat(1, symbols)[:, :count]
        turned = (h * torch.polar(torch.ones_like(known.real), -known.angle())).to(sent.dtype)
        heard, gain = _uses(torch.view_as_real(turned * sent), x), _uses(known.abs().repeat_interleave(2, dim=-1), x)
        y = torch.add(heard, torch.randn_like(x), alpha=math.sqrt(self.noise_power))
        return Received(y, AWGN(noise_power, gain) if self.csi else self.nominal)

    def _estimated(self, h: Tensor) -> tuple[Tensor, float]:
        """The linear MMSE estimate of ``h`` from the pilots, and the power of the noise and of the estimate's error."""
        spread = self.noise_power / self.pilots
        noise = torch.view_as_complex(torch.randn_like(torch.view_as_real(h))) * math.sqrt(spread / 2)
        return (h + noise) / (1 + spread), self.noise_power + spread / (1 + spread)

    def uses(self, n: int) -> int:
        """Those of the word and, on the subcarriers that it fills, of the pilots."""
        return n + 2 * self.pilots * min(self.subcarriers, math.ceil(n / 2))

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        said = f"{super().extra_repr()}, subcarriers={self.subcarriers}, spacing={self.spacing!r}"
        return f"{said}, speed={self.speed!r}, pilots={self.pilots}, csi={self.csi}"


def _complex(x: Tensor) -> Tensor:
    """Words ``(..., n)`` as ``(words, ⌈n/2⌉)`` complex symbols; the last of an odd number has no imaginary part.

    In single precision at least: few operations know complex numbers of less.
    """
    n = x.shape[-1] + x.shape[-1] % 2
    pairs = torch.nn.functional.pad(x, (0, n - x.shape[-1])).reshape(-1, n // 2, 2)
    return torch.view_as_complex(pairs.to(torch.promote_types(x.dtype, torch.float32)).contiguous())


def _uses(values: Tensor, x: Tensor) -> Tensor:
    """Two values for each complex symbol as one for each use of the words ``x``, as many as these have."""
    n = x.shape[-1]
    return values.to(x.dtype).reshape(*x.shape[:-1], n + n % 2)[..., :n]


@cache
def _delay_line(profile: str, delay_spread: float, speed: float) -> Any:  # Sionna says no types
    with torch.random.fork_rng(devices=[]):
        from sionna.phy.channel.tr38901 import TDL
    return TDL(profile, delay_spread, CARRIER, min_speed=speed, max_speed=speed, precision="single", device="cpu")
