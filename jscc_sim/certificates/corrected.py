"""The worst oblivious jammer of a vector codec that is a line with a bounded correction, in closed form."""

import math

import torch
from torch import Tensor

from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.line import largest
from jscc_sim.certificates.stakes import Stakes
from jscc_sim.codecs import TailSafeCodec
from jscc_sim.theory.certificates import corrected_bound

# Source symbols that the encoder is measured on, and how unlikely it is that they mislead.
SYMBOLS = 2**21
MISLED = 1e-9


def linear_worst(stakes: Stakes) -> Bound:
    """``(1 − g)² + g² (PA + N)``: a linear receiver suffers the same from every jammer of a power."""
    line = stakes.line
    value = (1 - line) ** 2 + line**2 * (stakes.jam_power + stakes.noise_power)
    return Bound(value / stakes.value, True, "a linear codec: every jammer of this power is worth this, for all z")


@torch.no_grad()
def corrected_worst(stakes: Stakes, codec: TailSafeCodec) -> Bound:
    """``√U ≤ √J_line + rms correction`` for a tail-safe codec of k = n, for all jammers and all z.

    The line errs by ``J_line = E‖X − g x‖²/k + g² (N + PA)``, because ``X − g x`` has mean zero. The decoder's
    correction ``c(t)`` has rms at most the largest ``min(B, L r) e^{−r²/2 reach²}`` over r, and at most L times the rms
    of ``t``, L being its Lipschitz constant and ``E‖t‖² σ² = E‖x‖² + k (PA + N)`` for a jammer that does not know x.
    The two expectations over the source are measured, see `_rms`.
    """
    line, boost = stakes.line, float(codec.unit.power) ** -0.5
    sent = codec.encoder.lipschitz()  # times boost: of the part of x that is not u itself
    u = torch.randn(max(1, SYMBOLS // codec.k), codec.k, dtype=torch.float64)
    x = codec.encode(u.float()).double()
    share = line * boost
    missed = _rms(u - line * x, abs(1 - share) + share * sent)
    loud = _rms(x, boost * (1 + sent))
    line_error = missed**2 + line**2 * (stakes.noise_power + stakes.jam_power)
    received = float(stakes.law.gain) ** 2 + stakes.law.noise_power
    heard = math.sqrt((loud**2 + stakes.jam_power + stakes.noise_power) / received)
    correction = _largest(codec, heard)
    value = float(corrected_bound(line_error, correction)) / stakes.value
    return Bound(value, True, f"a line and a correction of rms at most {correction:.3g}, for all z")


def _rms(values: Tensor, lipschitz: float) -> float:
    """A bound of ``√E‖v(X)‖²/k`` from independent samples ``(m, k)`` of a function of a Gaussian X, Lipschitz in it.

    The rms of the samples is itself a function of all their ``mk`` normal numbers with Lipschitz constant
    ``Λ/√(mk)``, so that it lies that times ``√(2 log 1/δ)`` or more below its mean with probability δ at most, and its
    variance is at most ``Λ²/mk`` (Borell and Tsirelson, Ibragimov, Sudakov 1976; Poincaré's inequality).
    """
    spread = lipschitz / math.sqrt(values.numel())
    mean = float(values.square().mean().sqrt()) + spread * math.sqrt(2 * math.log(1 / MISLED))
    return math.hypot(mean, spread)


def _largest(codec: TailSafeCodec, heard: float) -> float:
    """The rms of the decoder's correction at most, where its input has rms ``heard``."""
    decoder = codec.decoder
    slope, bound, reach = decoder.lipschitz(), largest(decoder), float(decoder.reach)
    full = min(bound / slope, reach) if slope else reach  # where bound or window begins to win
    return min(slope * heard, min(bound, slope * full) * math.exp(-((full / reach) ** 2) / 2))
