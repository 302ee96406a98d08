"""Certifying a pair of codec and jammer from both sides."""

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from jscc_sim.case import Case
from jscc_sim.certificates.ascent import ascend
from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.certificate import Certificate
from jscc_sim.certificates.harm import Harm
from jscc_sim.certificates.latents import LatentPolicy
from jscc_sim.certificates.lower import Lower, lower
from jscc_sim.certificates.pool_entropy import POOL
from jscc_sim.certificates.profile import Array
from jscc_sim.certificates.responses import best_learned, worst_learned
from jscc_sim.certificates.stakes import Stakes, stakes_of
from jscc_sim.certificates.upper import Upper, upper
from jscc_sim.gaussianity import statistics
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.seeds import seeded

# Half-width of the payoff's interval over the payoff.
PRECISION = 0.003
SIGNALS = 2**16
# Symbols of the pair's own payoff beside the linear codec's.
PAIRED = 2**18
STAGES = 7
Progress = Callable[[int], None]


def certify(
    link: Link,
    *,
    seed: int = 0,
    search: bool = True,
    pool: int = POOL,
    progress: Progress = lambda stage: None,
) -> Certificate:
    """Bound what any oblivious jammer can do to the codec, and what any codec can do against the jammer.

    ``search`` also lets best responses learn, some seconds each; they prove nothing. ``pool`` is the number of samples
    behind the lower bound where words are bounded whole. ``progress`` hears the stages done, of `STAGES`. ValueError
    where no certificate is known: the source must be white and Gaussian, k = n, and the channel a jammer.
    """
    start = time.process_time()
    link = link.eval() if link.codec.training or link.channel.training else link
    stakes = stakes_of(link)
    (row,) = sweep([Case(link)], Budget(rel_error=PRECISION), seed=seed)
    progress(1)
    with seeded(seed), torch.no_grad():
        above = upper(stakes)
        progress(2)
        below = lower(stakes, pool)
        progress(3)
        x, signals = words_of(link, stakes)
        measured = statistics(signals)
        progress(4)
        worse = list(_worse(stakes, above, search=search, progress=progress))
        better = [best_learned(stakes)] if search and below.oblivious else []
        pair = _pair(stakes, row) if below.oblivious else None
        progress(STAGES)
    return Certificate(
        k=stakes.k,
        value=stakes.value,
        payoff=row.mean / stakes.value,
        low=row.low / stakes.value,
        high=row.high / stakes.value,
        words=row.words,
        upper=above.proved,
        lower=below.proved,
        upper_found=_extreme(1, above.found, *worse, pair),
        lower_found=_extreme(-1, below.found, *better, pair, _linear(below)),
        pair=pair,
        upper_reason=above.reason,
        lower_reason=below.reason,
        lower_unproved=below.unproved,
        lower_null=below.null,
        oblivious=below.oblivious,
        statistics=measured,
        signals=signals,
        profile=above.profile,
        price=above.price,
        line=stakes.line,
        jam_power=stakes.jam_power,
        signal_power=above.profile.power if above.profile else float(x.double().square().mean()),
        seed=seed,
        cpu_seconds=round(time.process_time() - start, 2),
    )


def _worse(stakes: Stakes, above: Upper, *, search: bool, progress: Progress) -> Iterator[Bound]:
    """Jammers that searches find, where duality on a grid has not found the worst already."""
    if search and above.profile is None and not stakes.secret:
        yield ascend(stakes)
        progress(5)
        yield worst_learned(stakes)


def _pair(stakes: Stakes, row: Row) -> Bound:
    """What the players at hand reach against each other: more precise than plain Monte Carlo, which a secret needs."""
    plain = Bound(row.mean / stakes.value, False, "the pair itself", error=(row.high - row.low) / 2 / stakes.value)
    if stakes.secret:
        return plain
    payoff, error = Harm(stakes, stakes.codec).against(stakes.jammer, PAIRED // stakes.k)
    if error > (row.high - row.low) / 2:  # a codec far from the linear one
        return plain
    how = "the pair itself, beside the linear codec on the same draws"
    return Bound(payoff / stakes.value, False, how, error=error / stakes.value)


def _linear(below: Lower) -> Bound | None:
    """The linear codec, to which every jammer of this power that sees nothing is worth J*."""
    return Bound(1.0, False, "the linear codec") if below.oblivious else None


def _extreme(sign: int, *found: Bound | None) -> Bound | None:
    """The greatest of what was found, or the least if ``sign`` is −1."""
    known = [bound for bound in found if bound is not None]
    return max(known, key=lambda bound: sign * bound.value) if known else None


@torch.no_grad()
def words_of(link: Link, stakes: Stakes) -> tuple[Tensor, Array]:
    """``(65536, n)`` words of the codec, and the jammer's signals at unit power over them; of latents, each once."""
    u = link.source.draw(SIGNALS)
    x = link.codec.encode(u)
    jammer, policy = stakes.jammer, stakes.jammer.playing
    sent = policy.latents if isinstance(policy, LatentPolicy) else jammer.raw(x, u)
    return x, jammer.limit(sent).double().numpy()
