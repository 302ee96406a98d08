"""Is a pair a saddle point, within stated margins? This is Claim C of the project's theory."""

from collections.abc import Mapping
from typing import NamedTuple

from jscc_sim.tally import LEVEL
from jscc_sim.verify import LEARNED_MARGIN, Verdict

MOST_KS = 0.02
COVARIANCE_MARGIN = 0.05
ROUNDING = 1e-6
# What the frozen powers of the players may be off by: with as much more power a codec may push U below J*.
POWER_MARGIN = 1e-3
# How far a codec's proved bound may lie above J*, and a jammer's below it, for the pair to pass for a saddle point.
GAP = 0.03
# So many half-widths of the 95 % interval hold Student's t of 30 blocks with probability 0.99999.
ALARMING = 2.6
# What was found by searches is measured more closely than this.
FOUND_MARGIN = 0.005
PARTS = ("bounds", "gap", "payoff", "ks", "covariance")
# All that is asked, in words.
SADDLE = (
    f"L and U proved and within {100 * GAP:g} %, payoff within {100 * LEARNED_MARGIN:g} %, "
    f"KS within {MOST_KS:g}, covariance within {100 * COVARIANCE_MARGIN:g} %"
)


class Claim(NamedTuple):
    """The verdict, each part of the claim with whether it holds (None: undecided), and what must be a bug, if any."""

    verdict: Verdict | None
    parts: Mapping[str, bool | None]
    alarm: str | None

    def record(self) -> dict[str, bool | None]:
        """The parts by name, of which those that fail are not true."""
        return {f"claim_{name}": self.parts.get(name) for name in PARTS}

    @property
    def failing(self) -> list[str]:
        """The parts that are refuted or undecided."""
        return [name for name, holds in self.parts.items() if holds is not True]


def judge_payoff(low: float, high: float, upper_found: float | None = None) -> Claim:
    """The claim of a jammer that sees signal or source, of which the payoff is known, by its 95 % interval, and little
    else: a jammer that does worse was ``upper_found`` or not.
    """
    holds = _inside(low - 1, high - 1, LEARNED_MARGIN)
    if (upper_found or 1.0) > 1 + GAP:
        return Claim("disagrees", {"gap": False, "payoff": holds}, None)
    return Claim({True: "agrees", False: "disagrees", None: None}[holds], {"payoff": holds}, None)


def judge(
    upper: float | None,
    lower: float | None,
    interval: tuple[float, float],
    statistics: Mapping[str, float],
    oblivious: bool,
    found: tuple[float | None, float | None] = (None, None),
) -> Claim:
    """``agrees`` if ``L ≤ J* ≤ U`` are proved, each within 3 % of J*, the payoff lies in 1 ± 1 %, and the jammer passes
    for white Gaussian.

    ``disagrees`` if any of these is refuted, None if one is undecided. A payoff significantly above U, or below L, is
    impossible and therefore an alarm; so is what was ``found`` (upper, lower).
    """
    low, high = interval
    if not oblivious:
        return Claim(None, dict.fromkeys(PARTS), _alarm(None, lower, interval))
    parts = {
        "bounds": None if upper is None or lower is None else lower <= 1 + POWER_MARGIN and upper >= 1 - POWER_MARGIN,
        "gap": _closed(upper, lower, *found),
        "payoff": _inside(low - 1, high - 1, LEARNED_MARGIN),
        "ks": statistics["ks"] <= MOST_KS,
        "covariance": max(1 - statistics["covariance_min"], statistics["covariance_max"] - 1) <= COVARIANCE_MARGIN,
    }
    alarm = _alarm(upper, lower, interval) or _contradiction(upper, lower, *found)
    if alarm or False in parts.values():
        return Claim("disagrees", parts, alarm)
    return Claim("agrees" if all(parts.values()) else None, parts, alarm)


def _closed(
    upper: float | None, lower: float | None, upper_found: float | None, lower_found: float | None
) -> bool | None:
    """Whether neither player could gain more than the gap; None if that is neither proved nor refuted by a search."""
    if (upper_found or 1.0) > 1 + GAP or (1.0 if lower_found is None else lower_found) < 1 - GAP:
        return False
    if upper is None or lower is None:
        return None
    return (upper <= 1 + GAP and lower >= 1 - GAP) or None


def _inside(low: float, high: float, margin: float) -> bool | None:
    if -margin <= low and high <= margin:
        return True
    return False if high < -margin or low > margin else None


def _alarm(upper: float | None, lower: float | None, interval: tuple[float, float]) -> str | None:
    middle, half = sum(interval) / 2, (interval[1] - interval[0]) / 2
    reach, said = ALARMING * half + ROUNDING, f"the payoff {middle:.5f} (±{half:.2g} at {LEVEL:.0%})"
    if upper is not None and middle - reach > upper:
        return f"{said} exceeds the proved bound {upper:.5f}: one of them is wrong"
    if lower is not None and middle + reach < lower:
        return f"{said} undercuts the proved bound {lower:.5f}: one of them is wrong"
    return None


def _contradiction(
    upper: float | None, lower: float | None, upper_found: float | None, lower_found: float | None
) -> str | None:
    if upper is not None and upper_found is not None and upper_found > upper + FOUND_MARGIN:
        return f"a jammer was found at {upper_found:.5f}, above the proved bound {upper:.5f}: one of them is wrong"
    if lower is not None and lower_found is not None and lower_found < lower - FOUND_MARGIN:
        return f"a codec was found at {lower_found:.5f}, below the proved bound {lower:.5f}: one of them is wrong"
    return None
