"""The fixed ensemble: no jammer, closed forms, the searches, and the worst of all that see nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch

from channels import Policy
from jscc_sim.attack.closed_forms import CLOSED_FORMS, worst_of
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.evolution import evolution, polish
from jscc_sim.attack.found import Found
from jscc_sim.attack.measure import measure, most_harmful
from jscc_sim.attack.row import Kind, Row
from jscc_sim.attack.score_function import score_function
from jscc_sim.attack.settle import settle
from jscc_sim.attack.shapes import shapes
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim
from jscc_sim.attack.white_box import straight_through, white_box
from jscc_sim.seeds import seeded

# The first two follow gradients of the codec, the others only ask what a signal does.
SEARCHES: dict[str, Callable[[Victim, Effort], Found]] = {
    "white-box": white_box,
    "straight-through": straight_through,
    "score-function": score_function,
    "cma": evolution,
    "shapes": shapes,
}
ROWS = 1 + len(CLOSED_FORMS) + len(SEARCHES) + 1
# Between the seeds of the rows; odd and large, so that those of near audits do not meet.
STRIDE = 1_000_003


def make_rows(victim: Victim, effort: Effort, seed: int) -> Iterator[Row]:
    """The `ROWS` rows, the worst as the last; each has a seed of its own, so that it does not depend on the others."""
    made: list[Row] = []
    steps = [partial(_without, victim, effort)]
    steps += [partial(_closed, victim, effort, name) for name in CLOSED_FORMS]
    steps += [partial(_searched, victim, effort, name) for name in SEARCHES]
    steps += [partial(_worst, victim, effort, made)]
    for number, step in enumerate(steps):
        with seeded((seed + STRIDE * number) % 2**32):
            made.append(step())
        yield made[-1]


def _without(victim: Victim, effort: Effort) -> Row:
    return Row("none", "none", None, measure(victim, None, effort.block))


def _closed(victim: Victim, effort: Effort, name: str) -> Row:
    form = CLOSED_FORMS[name]
    policy, says = worst_of(victim, form, effort)
    kind: Kind = "informed" if form.informed else "closed form"
    return Row(name, kind, policy, measure(victim, policy, effort.block), says)


def _searched(victim: Victim, effort: Effort, name: str) -> Row:
    """What a search found, settled and measured."""
    found = SEARCHES[name](victim, effort)
    pool = settle(victim, found.signals, effort)
    policy = pool.policy(pool.best(victim.jam_power), victim.jam_power)
    measured = measure(victim, policy, effort.block)
    return Row(name, "search", policy, measured, shared(policy), found, pool)


def _worst(victim: Victim, effort: Effort, rows: Sequence[Row]) -> Row:
    """The best mixture of what all searches found, polished, or another row if clearly worse; on words of its own."""
    signals = torch.cat([row.pool.signals[1:] for row in rows if row.pool is not None])
    polished = polish(victim, settle(victim, signals, effort), effort)
    pool = settle(victim, torch.cat([signals, polished.to(signals)]), effort)
    rivals: dict[str, Policy] = {"all searches": pool.policy(pool.best(victim.jam_power), victim.jam_power)}
    rivals |= {row.name: row.policy for row in rows if row.kind in ("closed form", "search") and row.policy}
    words = victim.draw(effort.choose)
    name = list(rivals)[most_harmful(victim, list(rivals.values()), words)]
    policy = rivals[name]
    says = f"{name}: {shared(policy)}" if isinstance(policy, TimeSharing) else name
    return Row("worst", "worst", policy, measure(victim, policy, effort.block), says, pool=pool)


def shared(policy: TimeSharing) -> str:
    """A time sharing in words: how often which power, over that of the jammer."""
    powers = policy.signals.square().mean(1)
    parts = [
        f"{share:.3g} of words at {power:.3g}" for share, power in zip(policy.shares, powers, strict=True) if power
    ]
    return " + ".join(parts) + " × PA" if parts else "silence"
