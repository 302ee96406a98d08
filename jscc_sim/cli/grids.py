"""Grids of levels: ``--snr 0:20:2``, ``0,3,10`` or ``5``, and how click is brought to read ``-5:5:1``."""

from __future__ import annotations

import re
from decimal import Decimal

import click

MOST_POINTS = 10_000
DEFAULT_GRID = "="
GRIDS = ("--snr", "--ebn0", "--at")
INFINITE = "give finite dB, and for no jammer --channel awgn"
# A value may start with a minus sign, which click would take for the next option.
NUMBER = re.compile(r"=?-?([\d.]|inf|nan)")


class GridCommand(click.Command):
    """A command whose grids may stand alone or before a grid that starts with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join ``--snr -5:5:1`` into ``--snr==-5:5:1``: click takes a value for an option by its first character."""
        joined: list[str] = []
        for word in args:
            if joined and joined[-1] in GRIDS and NUMBER.match(word):
                joined[-1] += f"=={word}"
            else:
                joined.append(re.sub(f"^({'|'.join(GRIDS)})=-", r"\1==-", word))
        return super().parse_args(ctx, joined)


def grid_points(text: str, remedy: str = "give finite numbers") -> tuple[float, ...]:
    """The points of a grid, computed in decimals so that 0:0.2:0.05 ends at 0.2."""
    wrong = f"{text!r} is not a grid: write 0:20:2, 0,3,10 or 5"
    try:
        parts = [Decimal(part) for part in re.split("[:,]", text)]
    except ArithmeticError:
        raise click.BadParameter(wrong) from None
    if not all(part.is_finite() for part in parts):
        raise click.BadParameter(f"{text!r} is not finite; {remedy}")
    if ":" not in text:
        return tuple(float(part) for part in parts)
    if "," in text or len(parts) != 3:
        raise click.BadParameter(wrong)
    start, stop, step = parts
    if not step > 0 or start > stop:
        raise click.BadParameter(f"{text!r} has no points: start:stop:step needs start <= stop and step > 0")
    if stop - start >= MOST_POINTS * step:
        raise click.BadParameter(f"{text!r} has over {MOST_POINTS} points: choose a larger step")
    return tuple(float(start + index * step) for index in range(int((stop - start) / step) + 1))


def grid(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """The points of a grid option; none for a bare option."""
    if value is None:
        return None
    return () if value == DEFAULT_GRID else grid_points(value.lstrip("="), INFINITE)
