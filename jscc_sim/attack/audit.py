"""The audit of a codec: the ensemble's rows, the worst jammer that sees nothing, and where it all may be fooled."""

from collections.abc import Callable
from dataclasses import dataclass

from channels import Policy
from channels.power import checked_power
from jscc_sim.attack.effort import FULL, QUICK
from jscc_sim.attack.ensemble import make_rows
from jscc_sim.attack.flags import Flag, habits, suspicions
from jscc_sim.attack.row import Row
from jscc_sim.attack.streams import choosing
from jscc_sim.attack.victim import Victim
from jscc_sim.attack.work import work
from jscc_sim.codecs import Codec
from jscc_sim.seeds import seeded
from jscc_sim.sources import Source


@dataclass(frozen=True, eq=False)
class Audit:
    """A row per attack, the last of them the worst, and the flags."""

    victim: Victim
    rows: tuple[Row, ...]
    flags: tuple[Flag, ...]
    seed: int

    @property
    def metric(self) -> str:
        """What the harm is: ``ber`` or ``mse``."""
        return "ber" if self.victim.bits else "mse"

    @property
    def worst(self) -> Row:
        """The most harmful jammer that sees nothing; measured on words that all rows share, chosen on others."""
        return self.rows[-1]

    @property
    def policy(self) -> Policy | None:
        """The worst jammer, for ``channels.Jammer(policy, noise_power, jam_power)``."""
        return self.worst.policy

    def harm(self, name: str) -> float:
        """The harm in the row of that name; KeyError if there is none."""
        return {row.name: row.measured.harm.mean for row in self.rows}[name]

    def ratio(self, row: Row) -> float:
        """The harm of a row over that of Gaussian jamming; infinite or NaN where that does none."""
        gaussian, harm = self.harm("gaussian"), row.measured.harm.mean
        return harm / gaussian if gaussian else float("inf") if harm else float("nan")


def attack(
    codec: Codec,
    source: Source,
    jam_power: float,
    noise_power: float = 0.1,
    seed: int = 0,
    *,
    quick: bool = False,
    progress: Callable[[Row], None] = lambda row: None,
) -> Audit:
    """The most harmful jammer of power PA that can be found for a codec, next to those in closed form.

    Powers are per symbol, of which the codec sends power one; the noise may be 0. All rows are measured on the same
    words in the same noise, so that they compare, and nothing was chosen by these: what is reported is a *lower*
    estimate of the worst. That nothing worse was found proves nothing, and less where a flag is raised. ``progress``
    hears each of `ensemble.ROWS` rows as it is done. ValueError of one line if the codec fails, or gives wrong shapes
    or numbers that are not finite. Modelled on AutoAttack (Croce, Hein 2020): a fixed ensemble with nothing to tune.
    """
    checked_power("jam_power", jam_power)
    if noise_power != 0:
        checked_power("noise_power", noise_power)
    if (codec.source_alphabet, codec.k) != (source.alphabet, source.k):
        raise ValueError(
            f"{type(codec).__name__} encodes {codec.source_alphabet} words of {codec.k}, but the source is {source!r}"
        )
    victim = Victim(codec.eval(), source, float(jam_power), float(noise_power))
    effort, rows = (QUICK if quick else FULL).facing(codec, work(victim)), []
    for row in make_rows(victim, effort, seed):
        rows.append(row)
        progress(row)
    with seeded(choosing(seed, len(rows))):
        flags = (*habits(victim), *suspicions(victim, rows, effort))
    return Audit(victim, tuple(rows), flags, seed)
