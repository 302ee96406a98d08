"""The error of a tail-safe scalar codec given each sample of the jammer, bounded from above: no quadrature is trusted.

Between the points of its grid a correction with ``|c''| ≤ M`` is its linear interpolant ĉ within ``d² M/8``, and so is
the encoder. To the interpolants a trapezoid's error is at most ``d²/8 ∫|F''|``, cell by cell (Peano's kernel).
"""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.signal import fftconvolve
from scipy.special import ndtr

from channels import AWGN
from jscc_sim.certificates.line import Line
from jscc_sim.certificates.profile import (
    FEWEST_STEPS,
    MOST_POINTS,
    NOISE_REACH,
    NOISE_STEPS,
    SOURCE_REACH,
    Array,
    Profile,
    _grid,
    _moments,
    _on_grid,
)
from jscc_sim.codecs import TailSafeCodec

# What the steps of the source may cost over J*, about, and the fewest and the most of them on either side of 0.
AIM, FEWEST_SOURCES, MOST_SOURCES = 5e-4, 2**9, 2**12
# E|v² − 1| of a standard normal v, and a bound of E|v³ − 3v|.
SECOND, THIRD = 4 * math.exp(-0.5) / math.sqrt(2 * math.pi), math.sqrt(6)
# Rounding, and what lies beyond the reach of source and noise, per unit of the largest integrand.
ROUNDING = 1e-10
# Source and noise exceed so many standard deviations with probability 4e-9, the square of less than this.
COMMON, RARE = 6.0, 1e-4


@dataclass(frozen=True, eq=False)
class Bounded:
    """``profile.harms + margin`` is at least φ at each of the profile's z; ``line_error`` at least the line's error."""

    profile: Profile
    margin: Array
    line_error: float


@dataclass(frozen=True)
class Sizes:
    """The largest a function is, and its slope, and its curvature within cells; ``smooth`` ones are in Gaussian noise.

    ``E f(x + w)`` has the slope ``E f(x + w) w/N`` too, and so on, so that either f or the density is differentiated.
    """

    size: float
    slope: float
    bend: float

    def smooth(self, noise_power: float) -> "Sizes":
        """Of ``E f(x + w)``, ``w ~ N(0, N)``."""
        once, twice = math.sqrt(2 / (math.pi * noise_power)), SECOND / noise_power
        return Sizes(self.size, min(self.slope, self.size * once), min(self.slope * once, self.size * twice))

    def trapezoid(self, noise_power: float) -> float:
        """A bound of ``∫|(f m)''|`` within cells, m a density of a sum with that noise."""
        once, twice = math.sqrt(2 / (math.pi * noise_power)), SECOND / noise_power
        return self.bend + 2 * self.slope * once + self.size * twice


@torch.no_grad()
def bounded(codec: TailSafeCodec, law: AWGN, noise_power: float, reach: float) -> Bounded | None:
    """φ for ``|z| ≤ reach`` and what it may lack; None where that takes more points than there are.

    With ``q = c² + 2 g y c`` it is ``E(X − g f(X))² + g² (N + z²) + E q(Y) − 2 E X c(Y)``, because an odd encoder
    leaves the line without an offset: all that is folded vanishes far out.
    """
    line, scale = Line.of(codec, law), math.sqrt(noise_power)
    exact = copy.deepcopy(codec).double()
    received = float(law.gain) ** 2 + law.noise_power
    sent = (SOURCE_REACH + line.sent) * line.boost
    steps = NOISE_STEPS
    while 2 * (sent + reach + NOISE_REACH * scale) * steps > MOST_POINTS * scale:
        steps //= 2
        if steps < FEWEST_STEPS:
            return None
    step = scale / steps
    span = math.ceil((sent + NOISE_REACH * scale) / step)
    y = _grid(step, span + math.ceil(reach / step))
    added = _on_grid(lambda words: exact.decoder(words / received**0.5), y, torch.float64)
    squared, plain = _sizes(y, added, step, line.slope)
    smooth = squared.smooth(noise_power), plain.smooth(noise_power)
    u = _sources(exact, line, smooth, AIM * law.noise_power / received)
    x = _on_grid(exact.encode, u, torch.float64)
    line_error = _line_error(u, u - line.slope * x) + line.slope**2 * noise_power

    weights = np.exp(-u * u / 2)
    moments = _moments(u, x, weights / weights.sum(), step, span, noise_power)
    z = _grid(step, (len(y) - 1) // 2 - span)
    folded = (
        fftconvolve(signal, moments[::-1, power], mode="valid")
        for signal, power in ((added**2 + 2 * line.slope * y * added, 0), (-2 * added, 1))
    )
    harms = np.maximum(line_error + (line.slope * z) ** 2 + sum(folded), 0.0)

    missed = step**2 / 8 * (squared.trapezoid(noise_power) + 2 * plain.trapezoid(noise_power))
    missed += _source_error(u, x, *smooth)
    missed += ROUNDING * (1 + squared.size + 20 * plain.size)
    bent = float(u[1] - u[0]) ** 2 / 8 * codec.encoder.curvature() * line.boost
    # The correction that is heard differs from that of the interpolants by so much, in the mean square.
    near = np.abs(z) - COMMON * scale - float(np.abs(x).max()) - bent
    wrong = step**2 / 8 * codec.decoder.curvature() / received
    heard = np.minimum(wrong, 2 * line.bound * np.exp(-(np.maximum(near, 0) ** 2) / (2 * line.spread**2)))
    heard = np.hypot(heard + bent * plain.slope, RARE * (wrong + bent * plain.slope))
    offset = line.slope * bent * (2 * (math.sqrt(line_error) + line.bound) + line.slope * bent)
    upper = (np.sqrt(harms + missed) + heard) ** 2 + offset
    seen = Profile(z, harms, step, float(np.max(upper - harms)), u, x, y, added + line.slope * y)
    return Bounded(seen, upper - harms, line_error + offset + ROUNDING)


def _sizes(y: Array, added: Array, step: float, line: float) -> tuple[Sizes, Sizes]:
    """Of ``q = ĉ² + 2 g y ĉ`` and of ĉ, the linear interpolant."""
    far, most = (np.maximum(values[1:], values[:-1]) for values in (np.abs(y), np.abs(added)))
    slope = np.abs(np.diff(added)) / step
    squared = Sizes(
        float(np.max(most**2 + 2 * line * far * most)),
        float(np.max(2 * most * slope + 2 * line * (most + far * slope))),
        float(np.max(2 * slope**2 + 4 * line * slope)),
    )
    return squared, Sizes(float(most.max()), float(slope.max()), 0.0)


def _sources(exact: TailSafeCodec, line: Line, sizes: tuple[Sizes, Sizes], aim: float) -> Array:
    """Points of the source, so many that what they lack meets the aim, if there may be so many."""
    u = np.linspace(-SOURCE_REACH, SOURCE_REACH, 2 * FEWEST_SOURCES + 1)
    lacking = _source_error(u, _on_grid(exact.encode, u, torch.float64), *sizes)
    bent = float(u[1] - u[0]) ** 2 / 8 * exact.encoder.curvature() * line.boost
    lacking += 4 * bent * (line.slope + sizes[1].slope)
    halves = min(math.ceil(FEWEST_SOURCES * math.sqrt(max(lacking / aim, 1.0))), MOST_SOURCES)
    return np.linspace(-SOURCE_REACH, SOURCE_REACH, 2 * halves + 1)


def _source_error(u: Array, x: Array, squared: Sizes, plain: Sizes) -> float:
    """The trapezoid's error in u: ``d²/8 ∫|(p A)'' − 2 (u p C)''|``, with Cauchy-Schwarz where slopes meet p'."""
    step, cells = float(u[1] - u[0]), np.diff(ndtr(u))
    steep = (np.diff(x) / step) ** 2
    most, far = float(cells @ steep), float((cells * np.maximum(np.abs(u[1:]), np.abs(u[:-1]))) @ steep)
    first = SECOND * squared.size + 2 * math.sqrt(most) * squared.slope + most * squared.bend
    second = THIRD * plain.size + 2 * math.sqrt(2 * most) * plain.slope + far * plain.bend
    return step**2 / 8 * (first + 2 * second)


def _line_error(u: Array, missed: Array) -> float:
    """``E v²`` of the linear interpolant v of ``missed``, exactly: a line's moments in each cell."""
    density = np.exp(-u * u / 2) / math.sqrt(2 * math.pi)
    slope = np.diff(missed) / np.diff(u)
    start = missed[:-1] - slope * u[:-1]
    mass = np.abs(np.diff(ndtr(-np.abs(u))))  # 0 is among the points, so that no digits cancel far out
    first, second = -np.diff(density), mass - np.diff(u * density)
    return float(np.sum(start**2 * mass + 2 * start * slope * first + slope**2 * second))
