"""OFDM over the delay lines of 3GPP TR 38.901, as Sionna has them."""

import copy
import math
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor

from channels.awgn import AWGN
from channels.base import Channel, Received
from channels.fading import Rayleigh
from channels.power import checked_power, from_decibels

PROFILES = ("A", "B", "C", "D", "E")
# Of the carrier, in Hz; it matters where something moves.
CARRIER = 3.5e9
# Of an OFDM symbol with a normal cyclic prefix, over the inverse of the spacing.
PREFIXED = 15 / 14
# So many times as long as plain noise does a word of some symbols take.
COST = 16


class OFDM(Channel):
    """``y = h x + z`` on each subcarrier, each word through a delay line of its own, ``E|h|² = 1`` (TDL-A to TDL-E).

    Two successive uses are a complex symbol, and fill the ``subcarriers`` of one OFDM symbol after the other; the
    cyclic prefix is as long as the echoes. ``delay_spread`` is in seconds, ``spacing`` of the subcarriers in Hz,
    ``speed`` of the receiver in m/s. It knows ``h``; or with ``pilots`` it estimates it from so many OFDM symbols of
    the signal's power before each word, which are uses beyond those of the word, and takes the error of that estimate
    for noise; of how much ``h`` moves meanwhile it knows nothing. It turns each symbol back by the phase of what it
    knows, so that real and imaginary part have one gain, ``|h|``. Uses, and so Eb/N0, leave the cyclic prefix out, a
    fifteenth of what is sent, or .3 dB.
    """

    alphabet = output = "real"
    knob = "snr_db"

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
    ) -> None:
        super().__init__()
        if profile not in PROFILES:
            raise ValueError(f"no delay profile is called {profile!r}: choose from {', '.join(PROFILES)}")
        if not (delay_spread > 0 and spacing > 0 and 0 <= speed < math.inf):
            told = f"{delay_spread}, {spacing}, {speed}"
            raise ValueError(f"delay_spread and spacing must be positive, speed 0 or more and finite, got {told}")
        if not (subcarriers >= 1 and pilots >= 0):
            raise ValueError(f"subcarriers must be at least 1, pilots 0 or more, got {subcarriers}, {pilots}")
        self.noise_power, self.profile = checked_power("noise_power", noise_power), profile
        self.delay_spread, self.spacing, self.speed = float(delay_spread), float(spacing), float(speed)
        self.subcarriers, self.pilots = subcarriers, pilots

    def at(self, level: float) -> Self:
        """The same fading at a mean SNR of ``level`` dB for signals of unit power."""
        other = copy.copy(self)
        other.noise_power = from_decibels(-level)
        return other

    @property
    def nominal(self) -> AWGN:
        """The Gaussian law of the moments of Rayleigh fading, for a receiver that knows the phase alone."""
        return Rayleigh(self.noise_power).nominal

    def responses(self, words: int, symbols: int, subcarriers: int) -> Tensor:
        """``h (words, 1 + symbols, subcarriers)`` as Sionna draws: at the pilots and the symbols, of the first ones."""
        with torch.random.fork_rng(devices=[]):  # importing Sionna reseeds torch
            from sionna.phy import config
            from sionna.phy.channel import cir_to_ofdm_channel, subcarrier_frequencies
        line, theirs = _delay_line(self.profile, self.delay_spread, self.speed), config.torch_rng("cpu")
        before = theirs.get_state()
        theirs.manual_seed(int(torch.randint(2**62, ())))
        gains, delays = line(words, 1 + symbols, self.spacing / PREFIXED)
        theirs.set_state(before)  # for all else that draws by Sionna
        frequencies = subcarrier_frequencies(self.subcarriers, self.spacing, precision="single", device="cpu")
        found: Tensor = cir_to_ofdm_channel(frequencies[:subcarriers], gains, delays)
        return found[:, 0, 0, 0, 0]

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Fade and add noise; the receiver's law has a gain for each use."""
        n = x.shape[-1] + x.shape[-1] % 2  # the last symbol of an odd number of uses has no imaginary part
        sent = torch.nn.functional.pad(x, (0, n - x.shape[-1])).reshape(-1, n // 2, 2)
        symbols = math.ceil(n / 2 / self.subcarriers)
        responses = self.responses(len(sent), symbols, min(self.subcarriers, n // 2)).to(x.device)
        h = responses[:, 1:].flatten(1)[:, : n // 2]
        known, noise_power = h, self.noise_power
        if self.pilots:
            known, noise_power = self._estimated(responses[:, 0], symbols, n // 2)
        turned = torch.view_as_real(h * torch.polar(torch.ones_like(known.real), -known.angle()))
        real, imaginary = turned.to(x.dtype).unbind(-1)
        heard = torch.stack(
            [real * sent[..., 0] - imaginary * sent[..., 1], real * sent[..., 1] + imaginary * sent[..., 0]], -1
        )
        gain = known.abs().to(x.dtype).repeat_interleave(2, dim=-1)
        heard, gain = (whole.reshape(*x.shape[:-1], n)[..., : x.shape[-1]] for whole in (heard, gain))
        y = torch.add(heard, torch.randn_like(x), alpha=math.sqrt(self.noise_power))
        return Received(y, AWGN(noise_power, gain))

    def _estimated(self, h: Tensor, symbols: int, uses: int) -> tuple[Tensor, float]:
        """The linear MMSE estimate of ``h (words, subcarriers)``, by symbol, and the noise and the estimate's error."""
        spread = self.noise_power / self.pilots
        noise = torch.view_as_complex(torch.randn(*h.shape, 2, device=h.device)) * math.sqrt(spread / 2)
        known = (h + noise) / (1 + spread)
        return known.repeat(1, symbols)[:, :uses], self.noise_power + spread / (1 + spread)

    def uses(self, n: int) -> int:
        """Those of the word and, on the subcarriers that it fills, of the pilots."""
        return n + 2 * self.pilots * min(self.subcarriers, math.ceil(n / 2))

    def cost(self, n: int) -> int:
        """A response is a sum over echoes and sinusoids."""
        return COST

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        said = f"noise_power={self.noise_power!r}, profile={self.profile!r}, delay_spread={self.delay_spread!r}"
        said += f", subcarriers={self.subcarriers}, spacing={self.spacing!r}, speed={self.speed!r}"
        return f"{said}, pilots={self.pilots}"


@cache
def _delay_line(profile: str, delay_spread: float, speed: float) -> Any:  # Sionna says no types
    with torch.random.fork_rng(devices=[]):
        from sionna.phy.channel.tr38901 import TDL
    return TDL(profile, delay_spread, CARRIER, min_speed=speed, max_speed=speed, precision="single", device="cpu")
