"""``jscc-sim theory``: exact curves, printed or drawn."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.grids import grid_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@click.command()
@click.argument("name", required=False)
@click.argument("parameters", nargs=-1, metavar="[PARAMETER=VALUE|GRID]...")
@click.option("--plot", type=options.FILE, help="Draw the curve into FILE (.png, .pdf, .svg).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per point instead of a table.")
def theory(name: str | None, parameters: tuple[str, ...], plot: Path | None, as_json: bool) -> None:
    """Print the exact curve NAME at PARAMETERs, one of which may be a grid; without NAME, list the curves.

    For example: jscc-sim theory scalar_payoff source_variance=1 signal_power=1 jam_power=1 noise_power=0.1:1:0.1
    """
    from jscc_sim.spelling import known
    from jscc_sim.theory import CURVES

    if name is None:
        for curve in CURVES.values():
            click.echo(_described(curve, as_json))
        return
    known("curve", name, CURVES)
    options.drawable(plot)
    given = _parameters(CURVES[name], parameters)
    swept = [key for key, values in given.items() if len(values) > 1]
    if len(swept) > 1:
        raise click.UsageError(f"one parameter at most may be a grid, got {', '.join(swept)}")
    axis = swept[0] if swept else next(iter(given), "")
    points = _points(CURVES[name], given, axis)
    for point in points:
        click.echo(
            json.dumps(point) if as_json else "  ".join(f"{key} {_plain(value)}" for key, value in point.items())
        )
    if plot:
        title = ", ".join(f"{key} {_plain(values[0])}" for key, values in given.items() if key != axis)
        options.draw(plot, lambda figures: figures.theory(points, axis, name, title))


def _described(curve: Callable[..., object], as_json: bool) -> str:
    says = (inspect.getdoc(curve) or "").partition("\n")[0]
    names = list(inspect.signature(curve).parameters)
    if as_json:
        return json.dumps({"name": curve.__name__, "parameters": names, "says": says})
    return f"{curve.__name__}({', '.join(names)})\n    {says}"


def _parameters(curve: Callable[..., object], given: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    """Values by name; UsageError that names what is missing or unknown."""
    signature = inspect.signature(curve)
    found: dict[str, tuple[float, ...]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in signature.parameters:
            raise click.UsageError(f"{text!r} is not one of {', '.join(f'{name}=' for name in signature.parameters)}")
        found[key] = grid_points(value)
    needed = [key for key, one in signature.parameters.items() if one.default is one.empty and key not in found]
    if needed:
        raise click.UsageError(f"{curve.__name__} also needs {', '.join(f'{name}=' for name in needed)}")
    return found


def _points(curve: Callable[..., object], given: dict[str, tuple[float, ...]], axis: str) -> list[dict[str, object]]:
    fixed = {key: values[0] for key, values in given.items() if key != axis}
    return [
        {axis: value, curve.__name__: _value(curve(**fixed, **{axis: value}))} for value in given.get(axis, ())
    ] or [{curve.__name__: _value(curve(**fixed))}]


def _value(found: object) -> object:
    """A number, or the named numbers of a curve that has several."""
    if hasattr(found, "_asdict"):
        return {key: float(part) for key, part in found._asdict().items()}
    if isinstance(found, tuple):
        return [float(part) for part in found]
    array: NDArray[np.float64] = found  # type: ignore[assignment]
    return float(array)


def _plain(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
