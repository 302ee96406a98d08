"""What a tail-safe codec is without its corrections, and how far those reach."""

import math
from dataclasses import dataclass

import numpy as np
from torch import nn

from channels import AWGN
from jscc_sim.codecs import Correction, TailSafeCodec
from jscc_sim.theory.certificates import normal_tail, tail_excess

# What the corrections may cost where the grid ends, per unit of error.
NEGLIGIBLE = 1e-4


@dataclass(frozen=True)
class Line:
    """``û = g y``, corrected by ``|c| ≤ bound`` with a window ``exp(−y²/2 spread²)``; ``|x| ≤ (|u| + sent) boost``."""

    slope: float
    bound: float
    spread: float
    sent: float
    boost: float

    @classmethod
    def of(cls, codec: TailSafeCodec, law: AWGN) -> "Line":
        """Of a codec of k = n and the law that its receiver believes in."""
        received = float(law.gain) ** 2 + law.noise_power
        return cls(
            float(law.gain) / received,
            largest(codec.decoder),
            float(codec.decoder.reach) * math.sqrt(received),
            largest(codec.encoder),
            1 / math.sqrt(float(codec.unit.power)),
        )

    def excess(self, z: float, line_error: float, noise_power: float) -> float:
        """A bound of ``φ − g² z² − line_error`` for all samples of at least this size; infinite where none is known.

        Unless ``|x + w| > s|z|``, which is rare, ``|y| ≥ (1 − s)|z|``. The best s of nine.
        """
        return min(self._excess(z, share, line_error, noise_power) for share in np.arange(0.1, 1, 0.1))

    def _excess(self, z: float, share: float, line_error: float, noise_power: float) -> float:
        # Source and noise share s|z| at equal numbers of standard deviations.
        q = (share * z - self.sent * self.boost) / (math.sqrt(noise_power) + self.boost)
        heard = (1 - share) * z
        # Here window and probability fall faster than the line's error grows, so that no larger z is worse.
        if q < math.sqrt(2) or heard < self.spread:
            return math.inf
        window = math.exp(-(heard**2) / (2 * self.spread**2))
        return tail_excess(z, self.slope, self.bound, line_error, window, 2 * normal_tail(q))

    def reach(self, line_error: float, noise_power: float) -> float:
        """A size of samples beyond which the corrections cost nothing worth mentioning."""
        z = self.spread
        while self.excess(z, line_error, noise_power) > NEGLIGIBLE * line_error:
            z *= 1.05
        return z


def largest(correction: Correction) -> float:
    """A bound of ``|c_i|``: a net that ends in a linear layer after tanh answers its weights' absolute sum at most."""
    *_, hidden, last = correction.net
    bound = float(correction.bound)
    if not (isinstance(hidden, nn.Tanh) and isinstance(last, nn.Linear) and last.bias is None):
        return bound
    return bound * math.tanh(float(last.weight.detach().double().abs().sum(1).max()))
