"""Curves over a knob: what was measured, and what is exact."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jscc_sim.checkpoint import short_name
from jscc_sim.montecarlo import Row

Points = Sequence[tuple[float, float]]
KNOBS = {"snr_db": "SNR (dB)", "ebn0_db": "Eb/N0 (dB)", "flip": "crossover probability", "erase": "erasure probability"}
GUIDE_STYLES = (":", "--", "-.")
GUIDE_SHADES = ("0.1", "0.45", "0.7")
# Inches of axes and of a legend's line, and what name is too long for two of them beside each other.
HEIGHT, LINE, LONG = 4.2, 0.18, 44
ON_AXES = {"codec", "knob", "level", "snr_db", "uses"}
METRICS = {
    "mse": "mean-square error per symbol",
    "psnr": "mean PSNR (dB)",
    "psnr_of_mse": "PSNR of the mean error (dB)",
    "nats": "cross-entropy (nats per pixel)",
    "ber": "bit error rate",
    "bler": "block error rate",
}


def curves(
    rows: Sequence[Row],
    exact: Mapping[tuple[str, str], Points] | None = None,
    guides: Mapping[str, Mapping[str, Points]] | None = None,
) -> Figure:
    """One axes per metric: measured points with their intervals, exact curves as lines, a colour per codec.

    ``exact`` has closely spaced points of them by codec and metric; without it lines join the exact values of the rows.
    ``guides`` has lines to go beside a score, by metric and name, on a logarithmic axis; they end a decade below the
    least measured. What stands before the colon in several names is one shade, what stands behind it one style.
    Points without an exact value are joined by thin lines.
    Rows that differ in other labels too, or in their seeds, have curves of their own; ValueError unless all share a
    knob.
    """
    knob, metrics = _knob(rows), list(dict.fromkeys(row.metric for row in rows))
    titles = {row.title for row in rows}
    figure = Figure(figsize=(6.4 * len(metrics), HEIGHT), layout="constrained")
    for axes, metric in zip(np.ravel(figure.subplots(1, len(metrics))), metrics, strict=True):
        mine = [row for row in rows if row.metric == metric]
        for number, (name, group) in enumerate(_series(mine)):
            known = [(_level(row), row.exact) for row in sorted(group, key=_level) if row.exact is not None]
            kind = "saddle value" if any(row.margin for row in group) else "exact"
            points = (exact or {}).get((_codec(group[0]), metric), known)
            _draw_exact(axes, f"{name}, {kind}", points, f"C{number}")
            _draw_proved(axes, name, group, f"C{number}")
            _draw_measured(axes, name, group, f"C{number}")
        beside = (guides or {}).get(metric, {})
        _draw_guides(axes, beside)
        title = rows[0].title if len(titles) == 1 else ""
        axes.set(xlabel=KNOBS.get(knob, knob), ylabel=METRICS.get(metric, metric), title=title)
        means = [row.mean for row in mine if row.mean > 0]
        if beside or (means and max(means) > 10 * min(means)):
            axes.set_yscale("log")
        if beside:
            _fit(axes, mine, beside)
        axes.grid(alpha=0.3, which="both")
    _add_legends(figure)
    return figure


def _knob(rows: Sequence[Row]) -> str:
    """What all rows have been swept over."""
    knobs = {str(row.labels.get("knob")) for row in rows}
    if len(knobs) > 1:
        raise ValueError(f"one figure has one horizontal axis, but these rows have {', '.join(sorted(knobs))}")
    if any(row.labels.get("level") is None for row in rows):
        raise ValueError("rows without a label 'level' have no place on a horizontal axis")
    return knobs.pop()


def _series(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each curve under its name: the codec, and what else tells curves of that codec apart."""
    curves: list[tuple[str, list[Row]]] = []
    for codec, group in groupby(sorted(rows, key=_codec), key=_codec):
        told = [(row, {**row.labels, "seed": row.seed}) for row in group]
        names = [name for name in dict.fromkeys(name for _, labels in told for name in labels) if name not in ON_AXES]
        apart = [name for name in names if len({labels.get(name) for _, labels in told}) > 1]
        parts: dict[str, list[Row]] = {}
        for row, labels in told:
            parts.setdefault(", ".join([short_name(codec), *(f"{n} {labels.get(n)}" for n in apart)]), []).append(row)
        curves += parts.items()
    return curves


def _codec(row: Row) -> str:
    return str(row.labels.get("codec", "link"))


def _draw_proved(axes: Axes, codec: str, rows: Sequence[Row], colour: str) -> None:
    """What learned players cannot leave, as broad bars: between L and U."""
    shown = [(_level(row), row.bound, row.ceiling) for row in rows if row.bound is not None and row.ceiling is not None]
    if shown:
        levels, lower, upper = zip(*shown, strict=True)
        widest = max(above / below - 1 for below, above in zip(lower, upper, strict=True))
        name = f"{codec}, L to U, proved: {100 * widest:.2g} % at most"
        axes.vlines(levels, lower, upper, color=colour, lw=9, alpha=0.4, label=name)


def _draw_exact(axes: Axes, name: str, points: Points, colour: str) -> None:
    if any(value for _, value in points):
        levels, values = [level for level, _ in points], [value or np.nan for _, value in points]  # no log of zero
        axes.plot(levels, values, "-" if len(points) > 1 else "x", color=colour, label=name)


def _draw_guides(axes: Axes, guides: Mapping[str, Points]) -> None:
    """Lines in grey: a shade for each size, a style for each kind."""
    sizes, kinds = (list(dict.fromkeys(name.split(": ")[part] for name in guides)) for part in (0, -1))
    for name, points in guides.items():
        shade = GUIDE_SHADES[sizes.index(name.split(": ")[0]) % len(GUIDE_SHADES)]
        style = GUIDE_STYLES[kinds.index(name.split(": ")[-1]) % len(GUIDE_STYLES)]
        levels, values = zip(*points, strict=True)
        axes.plot(levels, [value or np.nan for value in values], style, color=shade, lw=1.2, label=name)


def _fit(axes: Axes, rows: Sequence[Row], guides: Mapping[str, Points]) -> None:
    """Room for what was measured, and for guides down to a decade below it."""
    seen = [row.mean or row.high for row in rows if math.isfinite(row.mean)]
    shown = [*seen, *(value for points in guides.values() for _, value in points)]
    if seen and min(seen) > 0:
        axes.set_ylim(max(0.7 * min(shown), min(seen) / 10), 1.4 * max(shown))


def _draw_measured(axes: Axes, codec: str, rows: Sequence[Row], colour: str) -> None:
    shown = [row for row in sorted(rows, key=_level) if row.mean > 0 and np.isfinite(row.mean)]
    style = "o" if any(row.exact is not None for row in shown) else "o-"
    errors = [[row.mean - row.low for row in shown], [row.high - row.mean for row in shown]]
    levels, means = [_level(row) for row in shown], [row.mean for row in shown]
    if shown:
        name = f"{codec}, measured (95 %)"
        axes.errorbar(levels, means, yerr=errors, fmt=style, lw=0.8, ms=4, capsize=3, color=colour, label=name)
    none = [row for row in rows if row.mean == 0]
    if none:
        bounds = [row.high for row in none]
        axes.plot([_level(row) for row in none], bounds, "v", color=colour, label=f"{codec}, no error (upper bound)")


def _add_legends(figure: Figure) -> None:
    """One below each axes, where it hides nothing, and room for the longest."""
    lines = 0
    for axes in figure.axes:
        names = axes.get_legend_handles_labels()[1]
        ncols = 2 if max(map(len, names), default=0) <= LONG else 1
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=ncols, frameon=False, fontsize=8)
        lines = max(lines, math.ceil(len(names) / ncols))
    figure.set_figheight(HEIGHT + LINE * lines)


def _level(row: Row) -> float:
    return float(row.labels["level"] or 0.0)


def theory(points: Sequence[Mapping[str, object]], axis: str, name: str, title: str) -> Figure:
    """An exact curve over the parameter ``axis``, from points that name both."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    values = [point[name] for point in points]
    parts = values[0] if isinstance(values[0], Mapping) else {name: None}
    for part in parts:
        curve = [value[part] if isinstance(value, Mapping) else value for value in values]
        axes.plot([point[axis] for point in points], curve, "-" if len(points) > 1 else "x", label=part)  # type: ignore[arg-type]
    axes.set(xlabel=axis.replace("_", " "), ylabel=name.replace("_", " "), title=title)
    axes.grid(alpha=0.3)
    if len(parts) > 1:
        axes.legend()
    return figure
