"""A jammer's law seen through Gaussian noise of variance one: density, entropy, and what the noise leaves unknown.

A law is a function of its amplitude ``a = √(E Z²)`` (in units of the noise) that answers, at points ``y ≥ 0``, with the
density of ``Y = Z + noise`` and the conditional variance of Z given Y. All laws are symmetric, so half the line is
enough. Integrals run over panels of Gauss-Legendre nodes, to about ten digits at any amplitude.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import entr

from jscc_sim.theory.parameters import Array

Law = Callable[[Array, float], tuple[Array, Array]]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)
REACH = 14.0  # beyond this many standard deviations a Gaussian is 0 for every purpose here


def unknown(law: Law, amplitude: float) -> float:
    """``E Var(Z | Z + noise)``, the minimum mean-square error of Z, in units of the noise variance."""
    points, weights = _half_line(amplitude)
    density, variance = law(points, amplitude)
    return float(2 * (weights * density) @ variance)


def entropy(law: Law, amplitude: float) -> float:
    """``h(Z + noise)`` in nats, where the noise has variance one."""
    points, weights = _half_line(amplitude)
    return float(2 * weights @ entr(law(points, amplitude)[0]))


def two_point(y: Array, amplitude: float) -> tuple[Array, Array]:
    """``Z = ±a``, fair: ``Var(Z | y) = a² sech²(a y)``."""
    density = (_gauss(y - amplitude) + _gauss(y + amplitude)) / 2
    decay = np.exp(-2 * amplitude * np.abs(y))
    return density, amplitude**2 * 4 * decay / (1 + decay) ** 2


def uniform(y: Array, amplitude: float) -> tuple[Array, Array]:
    """Z uniform on ``±√3 a``."""
    edge = np.sqrt(3) * amplitude
    low, high = np.maximum(-edge, y - REACH), np.minimum(edge, y + REACH)
    middle, half = (low + high) / 2, np.maximum(high - low, 0) / 2
    z = middle[:, None] + half[:, None] * NODES
    return _moments(z, half[:, None] * WEIGHTS / (2 * edge) * _gauss(z - y[:, None]))


def laplace(y: Array, amplitude: float) -> tuple[Array, Array]:
    """Z of density ``e^{−|z|/b}/2b`` with ``b = a/√2``, the two sides of its kink apart."""
    rate = np.sqrt(2) / amplitude
    sides = [_laplace_side(sign, sign * y - rate, rate, y) for sign in (1.0, -1.0)]
    return _moments(*(np.concatenate(parts, axis=1) for parts in zip(*sides, strict=True)))


def _laplace_side(sign: float, peak: Array, rate: float, y: Array) -> tuple[Array, Array]:
    """Nodes ``z`` on one side of 0, where the posterior is ``∝ exp(−(|z| − peak)²/2)``, and their masses."""
    root = np.sqrt(peak**2 + REACH**2)
    # Where the exponent has fallen by REACH²/2 below its greatest value, which for peak < 0 stands at z = 0.
    far = np.where(peak > 0, peak + REACH, REACH**2 / (root + np.abs(peak)))
    near = np.maximum(peak - REACH, 0.0)
    half = (far - near)[:, None] / 2
    size = near[:, None] + half * (1 + NODES)
    return sign * size, half * WEIGHTS * rate / 2 * np.exp(-rate * size) * _gauss(sign * size - y[:, None])


def _moments(z: Array, mass: Array) -> tuple[Array, Array]:
    """Total and variance of nodes ``z (points, nodes)`` with their masses; a sum of squares, so nothing cancels."""
    total = mass.sum(1)
    share = mass / np.maximum(total, np.finfo(float).tiny)[:, None]
    return total, (share * (z - (share * z).sum(1)[:, None]) ** 2).sum(1)


def _half_line(amplitude: float) -> tuple[Array, Array]:
    """Nodes and weights for ``y ≥ 0``: fine wherever a law of this amplitude puts an edge, a bump or a tail."""
    edges = [0.0, 1.0, 3.0]
    for place in (0.0, amplitude, np.sqrt(3) * amplitude):
        edges += [place + step for step in (-REACH, -REACH / 2, 0.0, REACH / 2, REACH)]
    edges += [REACH + amplitude * decay for decay in (1.0, 3.0, 9.0, 27.0)]  # a Laplace tail: e^{−√2·27} = 3e−17
    panels = np.unique(np.maximum(edges, 0.0))
    half = np.diff(panels)[:, None] / 2
    points = panels[:-1, None] + half * (1 + NODES)
    return points.ravel(), (half * WEIGHTS).ravel()


def _gauss(x: Array) -> Array:
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
