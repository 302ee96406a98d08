"""The error of a scalar codec given each sample of the jammer, by quadrature."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from torch import Tensor

from channels import AWGN
from jscc_sim.codecs import Codec
from jscc_sim.factory import said

Array = NDArray[np.float64]
# Sources beyond this many standard deviations, and noise beyond that many, have less than 1e-16 of the error.
SOURCE_REACH, NOISE_REACH = 8.6, 8.6
# Steps over the noise's standard deviation, and over what the encoder stretches it by.
NOISE_STEPS, FEWEST_STEPS, SOURCE_STEPS = 256, 32, 3
COARSEST = 0.05
# Points of the decoder, beyond which the steps are fewer than that; and how many it is asked at a time.
MOST_POINTS, DECODED = 2**19, 2**16
# Steps of the source on either side of 0, and points beyond which a codec is not looked at.
MOST_SOURCES, TOO_MANY = 2**12, 2**21


@dataclass(frozen=True, eq=False)
class Profile:
    """``harms`` φ at the samples ``z`` (uniform, symmetric about 0), the encoder on ``u``, the decoder on ``y``.

    ``step`` is the distance of the z; ``numerical`` is by how much φ moves when both steps of the quadrature double.
    """

    z: Array
    harms: Array
    step: float
    numerical: float
    u: Array
    x: Array
    y: Array
    decoded: Array

    @property
    def power(self) -> float:
        """``E x²``, which a codec is to hold to one."""
        weights = np.exp(-self.u * self.u / 2)
        return float(weights @ self.x**2 / weights.sum())

    def line_error(self, line: float, noise_power: float) -> float:
        """``E(X − g x)² + g² N``, the error of the receiver ``g y`` where the jammer is silent."""
        weights = np.exp(-self.u * self.u / 2)
        return float(weights @ (self.u - line * self.x) ** 2 / weights.sum() + line**2 * noise_power)


@torch.no_grad()
def profile(codec: Codec, law: AWGN, noise_power: float, reach: float) -> Profile:
    """``φ(z) = E(X − h(f(X) + z + w))²`` for ``|z| ≤ reach``, ``w ~ N(0, N)``, of a codec of k = n = 1 that is fixed.

    With ``m_j(t) = ∫ p(u) u^j N(t; f(u), N) du`` it is ``1 + (h² ⋆ m_0)(z) − 2 (h ⋆ m_1)(z)``: the decoder is asked
    once for each y. Both integrals are trapezoids, which converge exponentially for such analytic integrands. Nets are
    evaluated in float64, where they can be.
    """
    exact, dtype = in_double(codec)

    def encode(points: Array) -> Array:
        return _on_grid(exact.encode, points, dtype)

    scale = math.sqrt(noise_power)
    u = np.linspace(-SOURCE_REACH, SOURCE_REACH, 2 * 4096 + 1)
    steepest = float(np.abs(np.diff(encode(u)) / np.diff(u)).max())
    halves = math.ceil(SOURCE_REACH / min(COARSEST, scale / (SOURCE_STEPS * max(steepest, 1e-9))))
    halves = min(halves, MOST_SOURCES)  # a steeper encoder is seen less well, which ``numerical`` tells
    u = np.linspace(-SOURCE_REACH, SOURCE_REACH, 2 * (halves + halves % 2) + 1)
    x = encode(u)
    steps, widest = NOISE_STEPS, float(np.abs(x).max()) + reach + NOISE_REACH * scale
    while steps > FEWEST_STEPS and 2 * widest * steps > MOST_POINTS * scale:
        steps //= 2
    step = scale / steps
    span = 2 * math.ceil((float(np.abs(x).max()) + NOISE_REACH * scale) / step / 2)
    most = span + 2 * math.ceil(reach / step / 2)
    y = _grid(step, most)
    decoded = _on_grid(lambda words: exact.decode(words, law), y, dtype)
    harms = _fold(u, x, decoded, step, span, noise_power)
    coarse = _fold(u[::2], x[::2], decoded[::2], 2 * step, span // 2, noise_power)
    return Profile(_grid(step, most - span), harms, step, float(np.abs(harms[::2] - coarse).max()), u, x, y, decoded)


def _fold(u: Array, x: Array, decoded: Array, step: float, span: int, noise_power: float) -> Array:
    """φ where ``decoded`` is known on both sides as far as the ``span`` (in steps) of what is sent and of the noise."""
    weights = np.exp(-u * u / 2)
    weights /= weights.sum()
    moments = _moments(u, x, weights, step, span, noise_power)
    # φ(z) = Σ_y m(y − z) h(y): a correlation, that is a convolution with the moments turned round.
    squares, lines = (
        fftconvolve(signal, moments[::-1, power], mode="valid") for signal, power in ((decoded**2, 0), (decoded, 1))
    )
    return np.asarray(float(weights @ u**2) + squares - 2 * lines)


def _moments(u: Array, x: Array, weights: Array, step: float, span: int, noise_power: float) -> Array:
    """``m_0`` and ``m_1``, times the step, on the grid: each u adds to the points near its x alone."""
    moments = np.zeros((2 * span + 1, 2))
    half = math.ceil((NOISE_REACH - 0.1) * math.sqrt(noise_power) / step)
    height = step / math.sqrt(2 * math.pi * noise_power)
    for source, sent, weight in zip(u, x, weights, strict=True):
        middle = round(sent / step)
        near = np.arange(max(-span, middle - half), min(span, middle + half) + 1)
        kernel = (weight * height) * np.exp((near * step - sent) ** 2 / (-2 * noise_power))
        moments[near + span] += kernel[:, None] * (1.0, source)
    return moments


def _grid(step: float, half: int) -> Array:
    """The multiples of ``step`` within ``half`` steps of 0."""
    return np.asarray(step * np.arange(-half, half + 1), dtype=float)


@torch.no_grad()
def is_too_wide(codec: Codec, noise_power: float, reach: float) -> bool:
    """Whether what is sent spreads so far beyond the noise that a profile would take hours."""
    exact, dtype = in_double(codec)
    widest = float(np.abs(_on_grid(exact.encode, np.linspace(-SOURCE_REACH, SOURCE_REACH, 257), dtype)).max())
    return 2 * (widest + reach) * FEWEST_STEPS > TOO_MANY * math.sqrt(noise_power)


@torch.no_grad()
def is_fixed(codec: Codec, law: AWGN) -> bool:
    """Whether a codec gives the same answer twice, as quadrature supposes."""
    words = torch.linspace(-3, 3, 64).unsqueeze(-1).expand(64, codec.n)
    once, again = (codec.decode(codec.encode(words), law) for _ in range(2))
    return torch.equal(once, again)


def in_double(codec: Codec) -> tuple[Codec, torch.dtype]:
    """A copy that computes in float64, if it can; the codec itself if not. Beside it, the type of its numbers."""
    try:
        double = copy.deepcopy(codec).double().eval()
        double.encode(torch.zeros(2, codec.k, dtype=torch.float64))
        double.decode(torch.zeros(2, codec.n, dtype=torch.float64), AWGN(1.0))
    except Exception:  # a user's codec may raise anything
        return codec, torch.float32
    return double, torch.float64


def _on_grid(call: Callable[[Tensor], Tensor], points: Array, dtype: torch.dtype) -> Array:
    """What a scalar codec's encoder or decoder answers to ``points (m,)``; ValueError if it fails."""
    answers = []
    for part in torch.from_numpy(points).to(dtype).split(DECODED):
        try:
            answers.append(call(part.unsqueeze(-1)).double().reshape(len(part)).numpy())
        except Exception as error:  # a user's codec may raise anything
            raise ValueError(f"the codec failed on {len(part)} words: {said(error)}") from None
    found = np.concatenate(answers)
    if not np.isfinite(found).all():
        raise ValueError(f"the codec gave numbers that are not finite, for inputs within ±{np.abs(points).max():.3g}")
    return found
