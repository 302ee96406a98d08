"""U, what any oblivious jammer of its power can do to a codec: which proof applies to which codec."""

import math
from dataclasses import replace
from typing import NamedTuple, TypeGuard

from channels.power import UnitPower
from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.bounded_profile import bounded
from jscc_sim.certificates.corrected import corrected_worst, linear_worst
from jscc_sim.certificates.dual import dual, found_worst, proved_worst
from jscc_sim.certificates.line import Line
from jscc_sim.certificates.profile import Profile, is_fixed, is_too_wide, profile
from jscc_sim.certificates.stakes import Stakes
from jscc_sim.codecs import Codec, Correction, Linear, PerSymbolCodec, TailSafeCodec

# How far a scalar codec of which nothing is known is searched, in units of √PA.
LIMIT = 12.0
# What the quadrature may add to a bound, over J*, for it to be called proved.
LOOSEST = 0.02


class Upper(NamedTuple):
    """A proved bound or the reason why there is none, and what some jammer was found to reach.

    A scalar codec has a profile, φ, and the price λ of power.
    """

    proved: Bound | None = None
    found: Bound | None = None
    profile: Profile | None = None
    price: float = 0.0
    reason: str | None = None


def upper(stakes: Stakes) -> Upper:
    """Whatever is proved for the codec at hand, or found on a grid.

    A scalar codec shared by the symbols of a word is as safe as alone: the payoff of a word is the mean over its
    symbols, and so is its power, so that ``λ PA + max (φ − λ z²)`` bounds jammers of words too.
    """
    codec = scalar(stakes.codec)
    if type(codec) is Linear and codec.boost == 1 and {"encode", "decode"}.isdisjoint(vars(codec)):
        line = linear_worst(stakes)
        if codec.k > 1:
            return Upper(line)
        seen = profile(codec, stakes.law, stakes.noise_power, LIMIT * math.sqrt(stakes.jam_power))
        return Upper(line, None, seen, stakes.line**2)
    if is_corrected_line(codec):
        return tail_safe(stakes, codec) if codec.k == 1 else Upper(corrected_worst(stakes, codec))
    reason = f"no proof is known for {type(codec).__name__}, only for linear and tail-safe codecs of this library"
    if codec.k == 1 and is_fixed(codec, stakes.law):
        return searched(stakes, codec, reason)
    return Upper(reason=reason)


def is_corrected_line(codec: Codec) -> TypeGuard[TailSafeCodec]:
    """Whether a codec is exactly what the proofs are about: its structure, and weights that float32 can bear."""
    if type(codec) is not TailSafeCodec or not {"encode", "decode", "raw"}.isdisjoint(vars(codec)):
        return False
    parts = (codec.encoder, codec.decoder)
    if type(codec.linear) is not Linear or any(type(part) is not Correction or not part.is_sound for part in parts):
        return False
    shapes = math.isinf(codec.encoder.reach) and math.isfinite(codec.decoder.reach)
    shapes = shapes and codec.linear.boost == 1
    return shapes and type(codec.unit) is UnitPower and 0 < float(codec.unit.power) < math.inf


def scalar(codec: Codec) -> Codec:
    """The codec of one symbol, where symbols share one; else the codec itself."""
    return codec.codec if type(codec) is PerSymbolCodec else codec


def tail_safe(stakes: Stakes, codec: TailSafeCodec) -> Upper:
    """Proved by duality for all z, unless the quadrature would have to be trusted: then as any other codec."""
    line = Line.of(codec, stakes.law)
    rough = 1 + line.slope**2 * (1 + stakes.noise_power)  # the reach need only be about right
    reach = max(line.reach(rough, stakes.noise_power), LIMIT * math.sqrt(stakes.jam_power))
    found = bounded(codec, stakes.law, stakes.noise_power, reach)
    if found is None:
        return searched(stakes, codec, "the codec's corrections reach too far to be bounded on a grid")
    seen = found.profile
    value, price, worst = proved_worst(found, line, stakes.jam_power, stakes.noise_power)
    trusted, *_ = proved_worst(replace(found, margin=0 * found.margin), line, stakes.jam_power, stakes.noise_power)
    if not value - trusted < LOOSEST * stakes.value:
        loose = f"the quadrature's own error may be {(value - trusted) / stakes.value:.1%}, {LOOSEST:.0%} is allowed"
        return searched(stakes, codec, loose)
    how = f"duality on |z| ≤ {reach:.3g} and a bound beyond, for all z"
    return Upper(Bound(value / stakes.value, True, how, worst), _found(stakes, seen, reach, worst), seen, price)


def searched(stakes: Stakes, codec: Codec, reason: str) -> Upper:
    """Found by duality within a limit, where a ``reason`` keeps it from being proved: nothing is known beyond."""
    reach = LIMIT * math.sqrt(stakes.jam_power)
    if is_too_wide(codec, stakes.noise_power, reach):
        return Upper(reason=reason)
    seen = profile(codec, stakes.law, stakes.noise_power, reach)
    if stakes.secret:  # a sign, for single symbols
        seen = replace(seen, harms=(seen.harms + seen.harms[::-1]) / 2)
    _, price, worst = dual(seen, stakes.jam_power)
    return Upper(None, _found(stakes, seen, reach, worst), seen, price, reason)


def _found(stakes: Stakes, seen: Profile, reach: float, worst: float) -> Bound | None:
    if stakes.secret and stakes.k > 1:
        return None  # a rotation that it does not know may keep the jammer from sending these samples
    how = f"a jammer that switches between two samples, |z| ≤ {reach:.3g} searched"
    return Bound(found_worst(seen, stakes.jam_power) / stakes.value, False, how, worst)
