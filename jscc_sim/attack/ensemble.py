"""The fixed ensemble: no jammer, closed forms, the searches, and the worst of all that see nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch

from channels import Policy
from jscc_sim.attack.closed_forms import CLOSED_FORMS, worst_of
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.evolution import evolution, polish
from jscc_sim.attack.found import Found
from jscc_sim.attack.measure import Measured, measure, most_harmful
from jscc_sim.attack.row import Kind, Row
from jscc_sim.attack.score_function import score_function
from jscc_sim.attack.settle import settle
from jscc_sim.attack.shapes import shapes
from jscc_sim.attack.streams import choosing
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
# What a policy does, on the words that all rows are measured on.
Measure = Callable[[Policy | None], Measured]


def make_rows(victim: Victim, effort: Effort, seed: int) -> Iterator[Row]:
    """The `ROWS` rows, the worst as the last; all measured on the same words, which none was chosen by.

    Each is sought with a seed of its own, so that only the worst depends on the others.
    """
    made: list[Row] = []
    measured = partial(measure, victim, effort, seed)
    steps = [partial(_without, measured)]
    steps += [partial(_closed, victim, effort, measured, name) for name in CLOSED_FORMS]
    steps += [partial(_searched, victim, effort, measured, name) for name in SEARCHES]
    steps += [partial(_worst, victim, effort, measured, made)]
    for number, step in enumerate(steps):
        with seeded(choosing(seed, number)):
            made.append(step())
        yield made[-1]


def _without(measured: Measure) -> Row:
    return Row("none", "none", None, measured(None))


def _closed(victim: Victim, effort: Effort, measured: Measure, name: str) -> Row:
    form = CLOSED_FORMS[name]
    policy, says = worst_of(victim, form, effort)
    kind: Kind = "informed" if form.informed else "closed form"
    return Row(name, kind, policy, measured(policy), says)


def _searched(victim: Victim, effort: Effort, measured: Measure, name: str) -> Row:
    """What a search found, settled and measured."""
    found = SEARCHES[name](victim, effort)
    pool = settle(victim, found.signals, effort)
    policy = pool.policy(victim.jam_power)
    return Row(name, "search", policy, measured(policy), shared(policy), found, pool)


def _worst(victim: Victim, effort: Effort, measured: Measure, rows: Sequence[Row]) -> Row:
    """The best mixture of what all searches found, polished, or another row if clearly worse on words of its own.

    How the rows were measured has no part in the choice.
    """
    signals = torch.cat([row.pool.signals[1:] for row in rows if row.pool is not None])
    polished = polish(victim, settle(victim, signals, effort), effort)
    pool = settle(victim, torch.cat([signals, polished.to(signals)]), effort)
    rivals: dict[str, Policy] = {"all searches": pool.policy(victim.jam_power)}
    rivals |= {row.name: row.policy for row in rows if row.kind in ("closed form", "search") and row.policy}
    words = victim.draw(effort.choose)
    name = list(rivals)[most_harmful(victim, list(rivals.values()), words, effort.draws)]
    policy = rivals[name]
    says = f"{name}: {shared(policy)}" if isinstance(policy, TimeSharing) else name
    return Row("worst", "worst", policy, measured(policy), says, pool=pool)


def shared(policy: TimeSharing) -> str:
    """A time sharing in words: how often which power, over that of the jammer."""
    powers = policy.signals.square().mean(1)
    parts = [
        f"{share:.3g} of words at {power:.3g}" for share, power in zip(policy.shares, powers, strict=True) if power
    ]
    return " + ".join(parts) + " × PA" if parts else "silence"
