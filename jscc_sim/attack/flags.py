"""Where an audit may be fooled, in words: what its numbers alone do not show."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from jscc_sim.attack.effort import Effort, strongest
from jscc_sim.attack.measure import exceeds, stakes_under
from jscc_sim.attack.pool import Pool
from jscc_sim.attack.row import Row
from jscc_sim.attack.settle import choose, few_powers
from jscc_sim.attack.victim import Victim
from jscc_sim.seeds import seeded

PROBES = 64
# Rounding, as in sums whose order depends on the number of words.
ROUNDING = 1e-3
# One jammer must exceed another by this factor, and clearly, to be called better.
MARGIN = 1.05
# Of the slopes, so few may vanish by chance.
FEW = 0.05
# Half the width of an interval over its mean: beyond this, a number is vague.
VAGUE = 0.1
# Of the searched range of powers, the last part by which harm that still grows is known.
LAST = 4.0
# Standard errors beyond which an excess is no luck: by words one in 30,000 reaches it, by `BLOCKS` blocks one in 5,000.
STERN = 4.0


class Flag(NamedTuple):
    """What was noticed, by name, and in a sentence what it means."""

    name: str
    message: str


def habits(victim: Victim) -> Iterator[Flag]:
    """Of the codec itself: randomness, generators of its own, words that depend on each other."""
    words = victim.draw(PROBES)
    levels = torch.tensor(few_powers(victim)).repeat(-(-PROBES // 5))[:PROBES]
    y = words.heard + levels.sqrt().unsqueeze(1).to(words.heard) * torch.randn_like(words.heard)

    def decoded(seed: int, part: slice = slice(None)) -> Tensor:
        with seeded(seed):
            return victim.decode(y[part])

    def encoded(seed: int) -> Tensor:
        with seeded(seed), torch.no_grad():
            return victim.codec.encode(words.u)

    once, again = decoded(1), decoded(1)
    random = not torch.equal(once, again) or not torch.equal(once, decoded(2))
    if not torch.equal(once, again):
        yield Flag("own generator", "the decoder changes with every call, whatever the seed: no audit of it repeats")
    elif random:
        yield Flag("random decoder", "the decoder draws random numbers: harms are means over them, and gradients noisy")
    if not torch.equal(encoded(1), encoded(2)):
        yield Flag("random encoder", "the encoder draws random numbers: harms are means over them")
    halves = torch.cat([decoded(1, slice(PROBES // 2)), decoded(1, slice(PROBES // 2, None))])
    if not random and not torch.allclose(once, halves, ROUNDING, ROUNDING):
        said = "what a word decodes to depends on the words beside it: jam one word in many and all may suffer"
        yield Flag("words not alone", said)


def suspicions(victim: Victim, rows: Sequence[Row], effort: Effort) -> Iterator[Flag]:
    """Of the rows, of which the last is the worst."""
    named, worst = {row.name: row for row in rows}, rows[-1]
    yield from _slopes(named)
    yield from _contradictions(rows)
    if worst.pool is not None:
        yield from edge(victim, worst.pool, effort)
    harm = worst.measured.harm
    if harm.high - harm.low > 2 * VAGUE * harm.mean:
        yield Flag("vague", f"the worst harm is only known to lie in [{harm.low:.3g}, {harm.high:.3g}]")


def _slopes(named: dict[str, Row]) -> Iterator[Flag]:
    for name, of in (("white-box", "the codec's loss"), ("straight-through", "the decoder, steps passed straight,")):
        found = named[name].found
        if found is None:
            continue
        if found.failed:
            yield Flag("no gradients", f"{name} has no gradient of {of} to follow: {found.failed}")
        elif found.flat > FEW:
            yield Flag("zero gradients", f"{found.flat:.0%} of the gradients of {of} that {name} met are exactly zero")
        if found.wild > 0:
            yield Flag("wild gradients", f"{found.wild:.1%} of the gradients of {of} that {name} met are not finite")


def _contradictions(rows: Sequence[Row]) -> Iterator[Flag]:
    """Rows that exceed another which ought to be better."""
    named = {row.name: row for row in rows}
    white = named["white-box"]
    blind = [row for row in rows if row.kind == "search" and row is not white and _exceeds(row, white)]
    if blind:
        best = max(blind, key=lambda row: row.measured.harm.mean)
        ratio = best.measured.harm.mean / max(white.measured.harm.mean, 1e-300)
        said = f"{best.name} finds {ratio:.3g} × the harm of white-box: gradients of the loss hide what matters"
        yield Flag("black box beats white box", said)
    searched = max((row for row in rows if row.kind == "search"), key=lambda row: row.measured.harm.mean)
    for row in rows:
        if row.kind == "closed form" and _exceeds(row, searched):
            said = f"{row.name} does more harm than any search found: the worst may be far worse"
            yield Flag("searches fell short", said)


def _exceeds(row: Row, other: Row) -> bool:
    """Whether the first does by far more harm, on the same blocks of words."""
    return by_far(row.measured.blocks, other.measured.blocks)


def by_far(stakes: Tensor, others: Tensor) -> bool:
    """Whether the first are the larger by more than `MARGIN` in the mean, pair by pair, and beyond their luck."""
    return exceeds(stakes, MARGIN * others, STERN)


def edge(victim: Victim, pool: Pool, effort: Effort) -> Iterator[Flag]:
    """Whether the harm still grows where the search ends: pulses of a quarter of that power fall short, the last don't.

    The best mixture is held against the best whose signals are limited to a quarter, and against the best of those
    beyond it at full power: a peak on the way there is a limit, and was found.
    """
    most = strongest(victim.jam_power)
    if float(pool.powers[pool.best(victim.jam_power).second]) <= most / LAST:
        return
    # Scaled rather than left out: the pool may hold nothing else that does as much.
    limited = (most / LAST / pool.powers).sqrt().clamp(max=1.0)
    raised = torch.where(pool.powers > most / LAST, (most / pool.powers).sqrt(), 1.0)
    if _loses(victim, pool, limited, effort) and not _loses(victim, pool, raised, effort):
        said = (
            f"harm still grows faster than power at power {most:.3g} per symbol, where the search ends: no limit found"
        )
        yield Flag("steep tails", said)


def _loses(victim: Victim, pool: Pool, sizes: Tensor, effort: Effort) -> bool:
    """Whether the best mixture does by far more harm than the best of its signals times ``sizes (m,)``.

    Both are chosen already when fresh words say by how much they differ.
    """
    others = choose(victim, (pool.signals * sizes.unsqueeze(1)).to(pool.signals), effort)
    policies = [pool.policy(victim.jam_power), others.policy(victim.jam_power)]
    return by_far(*stakes_under(victim, policies, victim.draw(effort.choose), effort.draws))
