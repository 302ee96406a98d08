"""The report: what was measured, what was noticed, and both as text or JSON."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

HARMLESS = frozenset({"as asked", "complex noise", "constant modulus", "fading", "random encoder", "power per word"})


@dataclass(frozen=True)
class Finding:
    """What was noticed, by name, and in a sentence what it means and how to mend it."""

    name: str
    message: str

    @property
    def harmless(self) -> bool:
        """Whether nothing needs mending."""
        return self.name in HARMLESS


@dataclass(frozen=True)
class Measured:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def over(self, divisor: float) -> "Measured":
        """The same in another unit."""
        return Measured(self.value / divisor, self.low / divisor, self.high / divisor)

    def __str__(self) -> str:
        return "not measured" if math.isnan(self.value) else f"{self.value:.4g}  [{self.low:.4g}, {self.high:.4g}]"


UNMEASURED = Measured(math.nan, math.nan, math.nan)


@dataclass(frozen=True, kw_only=True)
class SnrReport:
    """What was measured at ``snr_db`` asked: powers per symbol as given, SNR in dB, and the findings.

    ``power_gain`` is the channel's ``E|h|²``; ``slope`` is how many dB are delivered for each dB more that is asked.
    """

    snr_db: float
    k: int
    n: int
    is_complex: bool
    words: int
    seed: int
    budget: float
    power: Measured
    noise_power: Measured = UNMEASURED
    delivered_db: Measured = UNMEASURED
    power_gain: float = math.nan
    slope: float = math.nan
    findings: tuple[Finding, ...]

    @property
    def uses_per_symbol(self) -> int:
        """Real uses per symbol: 2 for complex symbols."""
        return 2 if self.is_complex else 1

    @property
    def bandwidth_ratio(self) -> float:
        """Real uses per source symbol."""
        return self.uses_per_symbol * self.n / self.k

    @property
    def ok(self) -> bool:
        """Whether every finding is harmless."""
        return all(finding.harmless for finding in self.findings)

    def lines(self) -> list[str]:
        """The report as a table, and a line for each finding."""
        return [f"{name:<26} {value}" for name, value in self._table()] + [
            f"{'ok' if finding.harmless else 'SLIP'}: {finding.name}: {finding.message}" for finding in self.findings
        ]

    def _table(self) -> Iterator[tuple[str, object]]:
        uses, ratio = self.uses_per_symbol, self.bandwidth_ratio
        yield "symbols per word", f"{self.n} {'complex' if self.is_complex else 'real'}, for k = {self.k}"
        yield "bandwidth ratio", f"{ratio:.4g} in real uses, {ratio / 2:.4g} in complex ones"
        yield "power per symbol", f"{self.power}  budget {self.budget:g}"
        yield "power per real use", self.power.over(uses)
        yield "power gain of channel", _shown(self.power_gain)
        yield "noise power per symbol", self.noise_power
        yield "noise power per real use", self.noise_power.over(uses)
        yield "SNR asked, dB", f"{self.snr_db:g}"
        yield "SNR delivered, dB", self.delivered_db
        yield "dB delivered per dB asked", _shown(self.slope)
        yield "words", self.words

    def as_dict(self) -> dict[str, object]:
        """JSON-ready; what is infinite or unmeasured is null."""
        uses = self.uses_per_symbol
        derived = {
            "ok": self.ok,
            "bandwidth_ratio": self.bandwidth_ratio,
            "complex_bandwidth_ratio": self.bandwidth_ratio / 2,
            "symbols_per_source_symbol": self.n / self.k,
            "power_per_use": asdict(self.power.over(uses)),
            "noise_power_per_use": asdict(self.noise_power.over(uses)),
            "findings": [asdict(finding) | {"harmless": finding.harmless} for finding in self.findings],
        }
        return {name: _jsonable(value) for name, value in (asdict(self) | derived).items()}


def _shown(value: float) -> str:
    return "not measured" if math.isnan(value) else f"{value:.4g}"


def _jsonable(value: object) -> object:
    if isinstance(value, dict):
        return {name: _jsonable(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
