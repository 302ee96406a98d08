"""Rows as lines of a table and as JSON."""

import csv
import io
import json
import math
from collections.abc import Sequence

from jscc_sim.checkpoint import short_name
from jscc_sim.montecarlo import Row
from jscc_sim.verify import verdict

# Characters of the first column.
NAME = 18
FORMAT = f"{{:<{NAME}}} " + "{:>12} {:<11} {:>11}  {:<25} {:>11} {}{:>10}  {}"
CERTIFIED = "{:>11} {:>11} "


def heading(row: Row) -> str:
    """What stands over the `columns` of rows alike in all but codec and level, whose words are as long."""
    k, n = row.labels.get("k", 1), row.labels.get("n", 1)
    uses = row.labels.get("uses", n)
    size = "" if k == n == uses == 1 else f", k {k}, n {n}" + ("" if uses == n else f", {uses} uses")
    return f"{row.title}{size}, seed {row.seed}"


def columns(row: Row) -> str:
    """What stands over `line`; learned players have columns for the bounds on both sides, L and U."""
    certified = CERTIFIED.format("L", "U") if row.margin else ""
    return FORMAT.format("codec", "level", "metric", "mean", "95 % interval", "exact", certified, "words", "verdict")


def line(row: Row) -> str:
    """The row under its `columns`; a codec from a file or folder goes by the last part of its name."""
    return FORMAT.format(
        _fitting(short_name(str(row.labels.get("codec", "–")))),
        _level(row),
        row.metric,
        figure(row.mean),
        f"[{figure(row.low)}, {figure(row.high)}]",
        figure(row.exact) if row.exact is not None else "–" if row.bound is None else f"≥ {figure(row.bound)}",
        CERTIFIED.format(_bound(row.bound), _bound(row.ceiling)) if row.margin else "",
        row.words,
        verdict(row) or _unsaid(row),
    )


def _fitting(name: str) -> str:
    """A name in its column; of a long one start and end, which tells codecs of one study apart."""
    return name if len(name) <= NAME else f"{name[:6]}…{name[7 - NAME :]}"


def _bound(value: float | None) -> str:
    return "–" if value is None else figure(value)


def _unsaid(row: Row) -> str:
    """What stands in place of a verdict."""
    if not row.complete:
        return "incomplete"
    return "undecided" if row.margin and row.p_value is not None else "–"


def _level(row: Row) -> str:
    """The knob and its level; of a link with labels of its own, those."""
    if "knob" in row.labels:
        return f"{row.labels['knob']} {row.labels['level']:g}"
    return ", ".join(f"{name} {value}" for name, value in row.labels.items())


def figure(value: float) -> str:
    """Five significant digits."""
    return f"{value:.5g}"


def as_json(row: Row) -> str:
    """One JSON object on one line; what is infinite or unmeasured is null."""
    return json.dumps(record(row))


def as_csv(rows: Sequence[Row]) -> str:
    """A header and a line per row, with the names of the JSON; what is infinite or unmeasured is empty."""
    text = io.StringIO()
    records = [record(row) for row in rows]
    names = list(dict.fromkeys(name for found in records for name in found))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def record(row: Row) -> dict[str, object]:
    """The row as plain values by name."""
    rest = {
        "words": row.words,
        "exact": _finite(row.exact),
        "bound": _finite(row.bound),
        "ceiling": _finite(row.ceiling),
        "verdict": verdict(row),
        "complete": row.complete,
        "seed": row.seed,
        "key": row.key,
    }
    numbers = {"mean": _finite(row.mean), "low": _finite(row.low), "high": _finite(row.high)}
    return {**row.labels, "metric": row.metric, **numbers, **rest}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
