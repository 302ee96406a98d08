"""Rows as lines of a table and as JSON."""

import json
import math
from pathlib import Path

from jscc_sim.montecarlo import Row
from jscc_sim.verify import verdict

FORMAT = "{:<14} {:>12} {:<6} {:>11}  {:<25} {:>11} {:>10}  {}"
COLUMNS = FORMAT.format("codec", "level", "metric", "mean", "95 % interval", "exact", "words", "verdict")


def line(row: Row) -> str:
    """The row under `COLUMNS`; a codec from a file goes by the file's stem."""
    return FORMAT.format(
        Path(str(row.labels["codec"])).stem[:14],
        f"{row.labels['knob']} {row.labels['level']:g}",
        row.metric,
        figure(row.mean),
        f"[{figure(row.low)}, {figure(row.high)}]",
        "–" if row.exact is None else figure(row.exact),
        row.words,
        verdict(row) or "–",
    )


def figure(value: float) -> str:
    """Five significant digits."""
    return f"{value:.5g}"


def as_json(row: Row) -> str:
    """One JSON object on one line; what is infinite or unmeasured is null."""
    numbers = {"mean": row.mean, "low": row.low, "high": row.high}
    finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    rest = {
        "words": row.words,
        "exact": row.exact,
        "verdict": verdict(row),
        "complete": row.complete,
        "seed": row.seed,
        "key": row.key,
    }
    return json.dumps({**row.labels, "metric": row.metric, **finite, **rest})
