"""Verdicts on rows: does a measured row agree with its exact value?"""

from typing import Literal

from jscc_sim.montecarlo import Row

Verdict = Literal["agrees", "disagrees"]
# A right simulator is called wrong at one point in 100,000.
FALSE_ALARM = 1e-5
# The payoff of learned players is no identity: it agrees with the saddle value within one per cent.
LEARNED_MARGIN = 0.01


def verdict(row: Row) -> Verdict | None:
    """``disagrees`` if the exact value is rejected two-sided at 1e-5, or a bound is crossed at that level.

    None where there is no exact value and no bound is crossed: a bound that holds proves nothing. Learned players agree
    only if their interval lies inside the margin they are granted, within the bounds on both sides.
    """
    if row.p_value is None:
        return None
    if row.p_value < FALSE_ALARM:
        return "disagrees"
    if row.exact is None:
        return None
    room = row.margin * row.exact
    within = abs(row.low - row.exact) <= room >= abs(row.high - row.exact)
    return "agrees" if within or not row.margin else None
