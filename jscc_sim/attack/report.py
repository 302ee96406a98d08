"""An audit as lines of text and as plain values."""

import math
from collections.abc import Sequence

from jscc_sim.attack.audit import Audit
from jscc_sim.attack.row import Row
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.tally import Estimate

FORMAT = "{:<17} {:>9} {:>10}  {:<24} {:>10} {:>9}  {}"
NAMES = {"ber": "bit error rate after decoding", "mse": "mean-square error per symbol"}


def lines(audit: Audit, name: str | None = None) -> list[str]:
    """A title, with the name by which the codec is known, a row per attack, and the flags in words."""
    victim, codec = audit.victim, audit.victim.codec
    title = (
        f"{name or type(codec).__name__}, k={codec.k}, n={codec.n}, jammer power {victim.jam_power:.4g}, "
        f"noise power {victim.noise_power:.4g}, seed {audit.seed}; harm: {NAMES[audit.metric]}"
    )
    flags = [f"Flag: {flag.name}: {flag.message}." for flag in audit.flags]
    worst = "worst: chosen on other words among the jammers that see nothing; other rows may be above it by luck alone."
    return [title, *table(audit), worst, *(flags or ["No flag was raised."])]


def table(audit: Audit) -> list[str]:
    """A row per attack under their columns."""
    columns = FORMAT.format("attack", "power", audit.metric, "95 % interval", "× Gaussian", "bler", "how")
    return [columns, *(_line(audit, row) for row in audit.rows)]


def rows_alone(rows: Sequence[Row]) -> list[str]:
    """The rows of an audit that ended early."""
    return [f"{row.name}: {_figure(row.measured.harm.mean)}  {row.says}".rstrip() for row in rows]


def _line(audit: Audit, row: Row) -> str:
    harm, lost = row.measured.harm, row.measured.block_errors
    return FORMAT.format(
        row.name,
        _figure(row.measured.power),
        _figure(harm.mean),
        f"[{_figure(harm.low)}, {_figure(harm.high)}]",
        _figure(audit.ratio(row)),
        "–" if lost is None else _figure(lost.mean),
        row.says,
    ).rstrip()


def as_dict(audit: Audit, name: str | None = None) -> dict[str, object]:
    """The audit as plain values, the codec by its name and as described.

    The worst jammer is given as its signals over √PA and their shares, if it has any.
    """
    victim, codec, worst = audit.victim, audit.victim.codec, audit.policy
    signals = worst if isinstance(worst, TimeSharing) else None
    return {
        "codec": name or type(codec).__name__,
        "description": f"{type(codec).__name__}({codec.extra_repr()})",
        "k": codec.k,
        "n": codec.n,
        "source": repr(victim.source),
        "jam_power": victim.jam_power,
        "noise_power": victim.noise_power,
        "seed": audit.seed,
        "metric": audit.metric,
        "rows": [_record(audit, row) for row in audit.rows],
        "flags": [flag._asdict() for flag in audit.flags],
        "jammer": signals and {"signals": signals.signals.tolist(), "shares": signals.shares.tolist()},
    }


def _record(audit: Audit, row: Row) -> dict[str, object]:
    ratio, lost = audit.ratio(row), row.measured.block_errors
    return {
        "attack": row.name,
        "kind": row.kind,
        "power": row.measured.power,
        **_interval(row.measured.harm),
        "over_gaussian": ratio if math.isfinite(ratio) else None,
        "bler": lost and _interval(lost),
        "how": row.says,
    }


def _interval(estimate: Estimate) -> dict[str, float | int]:
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high, "words": estimate.words}


def _figure(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}"
