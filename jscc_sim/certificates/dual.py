"""The worst oblivious jammer of a scalar codec, by duality: found on a grid, proved for tail-safe codecs."""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from jscc_sim.certificates.bounded_profile import Bounded
from jscc_sim.certificates.line import Line
from jscc_sim.certificates.profile import Array, Profile
from jscc_sim.theory.certificates import curvature_bound, worst_payoff

# Points of the grid that the concave envelope is made of: it looks at all pairs.
ENVELOPE = 3000


def found_worst(found: Profile, jam_power: float) -> float:
    """What some jammer does reach: the concave envelope of φ in z², over the grid."""
    stride = max(1, len(found.z) // ENVELOPE)
    middle = len(found.z) // 2 % stride  # so that z = 0 is among them
    return worst_payoff(found.z[middle::stride] ** 2, found.harms[middle::stride], jam_power)


def dual(found: Profile, jam_power: float, least: float = 0.0) -> tuple[float, float, float]:
    """``min_{λ ≥ least} [λ PA + max (φ − λ z²)]`` over the grid, its λ, and the |z| of its maximum."""
    squares = found.z**2
    return _minimum(lambda price: found.harms - price * squares, found, jam_power, least)


def proved_worst(found: Bounded, line: Line, jam_power: float, noise_power: float) -> tuple[float, float, float]:
    """The same minimum as a bound over all z, between the grid's points and beyond its end.

    A cell of length d holds at most the larger of its ends plus ``d²/8 sup(−(φ − λ z²)'')``; beyond the end
    ``φ − λ z²`` is at most what the line errs by and `Line.excess`, for ``λ ≥ g²``. What the quadrature may lack is
    added at each point.
    """
    seen, line_error = found.profile, found.line_error
    squares, end = seen.z**2, float(seen.z[-1])
    bend = curvature_bound(np.abs(seen.z) + seen.step, line.slope, line.bound, line_error, noise_power)
    beyond = line_error + line.excess(end, line_error, noise_power)
    least = line.slope**2
    harms = seen.harms + found.margin + seen.step**2 / 8 * bend

    def raised(price: float) -> Array:
        inside = harms - price * squares + seen.step**2 / 4 * (price - least)
        return np.append(inside, beyond - (price - least) * end**2)

    return _minimum(raised, seen, jam_power, least)


def _minimum(
    surplus: Callable[[float], Array], found: Profile, jam_power: float, least: float
) -> tuple[float, float, float]:
    def bound(price: float) -> float:
        return float(price * jam_power + surplus(price).max())

    most = least + 2 * float(found.harms.max()) / jam_power  # a higher price alone costs more than any sample brings
    best = minimize_scalar(bound, bounds=(least, most), method="bounded", options={"xatol": 1e-7 * (most + 1e-9)})
    price = min((least, float(best.x)), key=bound)
    worst = int(surplus(price).argmax())
    z = np.append(found.z, math.inf) if worst == len(found.z) else found.z
    return bound(price), price, abs(float(z[worst]))
