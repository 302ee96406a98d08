"""A certificate: the payoff of a pair between what no jammer exceeds and what no codec undercuts."""

from collections.abc import Mapping
from dataclasses import dataclass

from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.profile import Array, Profile
from jscc_sim.certificates.saddle_claim import SADDLE, Claim, judge

Record = dict[str, float | int | str | bool | None]


@dataclass(frozen=True, eq=False)
class Certificate:
    """All payoffs in units of J*, ``value``, the saddle value of the game between all codecs and all jammers.

    ``upper`` and ``lower`` are proved bounds, or None with a reason where none is known; the found ones are
    estimates: a better jammer or codec may exist. ``lower_unproved`` would be a bound if the reason were none.
    ``lower_null`` is what the lower bound says of a Gaussian jammer,
    where it rests on so few samples that this is not 1. ``pair`` is the payoff measured beside the linear codec's on
    the same draws, an estimate much closer than the plain ``payoff``: from it is reckoned what each player could still
    gain.
    ``statistics`` say how Gaussian the jammer's ``signals`` are.
    ``profile`` is φ of a scalar codec, ``price`` the λ of its dual and ``line`` the best linear receiver, for figures.
    ``signal_power`` is the codec's; where it exceeds 1, so do its chances, and U may lie below 1.
    ``oblivious`` is false for a jammer that sees signal or source: the upper bounds are then about other jammers.
    """

    k: int
    value: float
    payoff: float
    low: float
    high: float
    words: int
    upper: Bound | None
    lower: Bound | None
    upper_found: Bound | None
    lower_found: Bound | None
    pair: Bound | None
    upper_reason: str | None
    lower_reason: str | None
    lower_unproved: Bound | None
    lower_null: float | None
    oblivious: bool
    statistics: Mapping[str, float]
    signals: Array
    profile: Profile | None
    price: float
    line: float
    jam_power: float
    signal_power: float
    seed: int
    cpu_seconds: float

    @property
    def certified(self) -> bool:
        """Whether both bounds are proved numbers."""
        return self.upper is not None and self.lower is not None

    @property
    def claim(self) -> Claim:
        """Whether this is the saddle point, within stated margins."""
        bounds = (self.upper, self.lower, self.upper_found, self.lower_found)
        upper, lower, *found = (bound.value if bound else None for bound in bounds)
        interval = (self.low, self.high)
        return judge(upper, lower, interval, self.statistics, self.oblivious, (found[0], found[1]))

    def record(self) -> Record:
        """All numbers by name; null where nothing is proved or found."""
        bounds = {name: getattr(self, name) for name in ("upper", "lower", "upper_found", "lower_found")}
        values = {name: bound.value if bound else None for name, bound in bounds.items()}
        payoff = self.pair.value if self.pair else self.payoff
        return {
            "k": self.k,
            "value": self.value,
            "payoff_ratio": self.payoff,
            "low": self.low,
            "high": self.high,
            "words": self.words,
            "payoff_paired": self.pair.value if self.pair else None,
            "signal_power": self.signal_power,
            **values,
            "exploitability_codec": _difference(values["upper"], payoff) if self.oblivious else None,
            "exploitability_jammer": _difference(payoff, values["lower"]),
            "exploitability_codec_found": _difference(values["upper_found"], payoff) if self.oblivious else None,
            "exploitability_jammer_found": _difference(payoff, values["lower_found"]),
            "nash_conv": _difference(values["upper"], values["lower"]),
            "nash_conv_found": _difference(values["upper_found"], values["lower_found"]),
            "certified": self.certified,
            "verdict": self.claim.verdict,
            **self.claim.record(),
            "alarm": self.claim.alarm,
            **{f"{name}_how": bound.how if bound else None for name, bound in bounds.items()},
            "upper_found_error": self.upper_found.error if self.upper_found else None,
            "lower_found_error": self.lower_found.error if self.lower_found else None,
            "upper_reason": self.upper_reason,
            "lower_reason": self.lower_reason,
            "lower_unproved": self.lower_unproved.value if self.lower_unproved else None,
            "lower_null": self.lower_null,
            "oblivious": self.oblivious,
            **self.statistics,
            "seed": self.seed,
            "cpu_seconds": self.cpu_seconds,
        }

    def lines(self) -> list[str]:
        """A table for people."""
        said = {"agrees": "yes", "disagrees": "no", None: "undecided"}[self.claim.verdict]
        failed = self.claim.failing
        rows = [
            f"J* = {self.value:.6g} per symbol, k = {self.k}; all below in units of J*",
            f"payoff        {self.payoff:.5f}  [{self.low:.5f}, {self.high:.5f}] at 95 %, {self.words} words",
            f"paired payoff {_shown(self.pair, 'not measured')}",
            f"U             {_shown(self.upper, self.upper_reason or 'not proved')}",
            f"L             {_shown(self.lower, self.lower_reason or 'not proved')}",
            *self._null(),
            f"upper_found   {_shown(self.upper_found, 'not searched')}",
            f"lower_found   {_shown(self.lower_found, 'not searched')}",
            *self._gaps(),
            *self._table(),
            f"both bounds proved: {'yes' if self.certified else 'no'}",
            f"saddle point, that is {SADDLE}: {said}" + (f" ({', '.join(failed)})" if failed else ""),
        ]
        return rows + ([f"ALARM: {self.claim.alarm}"] if self.claim.alarm else [])

    def _null(self) -> list[str]:
        """What stands beside L where it is not the whole story."""
        unproved, null = self.lower_unproved, self.lower_null
        rows = [f"  if so       {unproved.value:.5f}  {unproved.how}"] if unproved else []
        told = "the same bound, from as many samples of a Gaussian jammer"
        return rows + ([] if null is None else [f"  Gaussian    {null:.5f}  {told}"])

    def _gaps(self) -> list[str]:
        record = self.record()
        names = {"exploitability_codec": "codec", "exploitability_jammer": "jammer", "nash_conv": "NashConv"}
        said = [f"{label} {record[name]:z.5f}" for name, label in names.items() if isinstance(record[name], float)]
        return [f"exploitability, at most: {', '.join(said)}"] if said else []

    def _table(self) -> list[str]:
        names = [name for name in self.statistics if not name.endswith("_null")]
        return ["the jammer's signal        measured   Gaussian sample"] + [
            f"  {name:<22} {self.statistics[name]:>10.4f} {self.statistics[f'{name}_null']:>10.4f}" for name in names
        ]


def _difference(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None else above - below


def _shown(bound: Bound | None, otherwise: str) -> str:
    return str(bound) if bound else f"–  {otherwise}"
