"""The progress bar."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from jscc_sim.game import Game
    from jscc_sim.train import Step

    class Tell(Protocol):
        """How a bar is told."""

        def __call__(self, finished: int, done: int, planned: int, beside: str = "") -> None:
            """So many items are finished, and this part of the item at hand."""


@contextmanager
def progress_bar(what: str, total: int, unit: str, part: str) -> Iterator[Tell]:
    """A bar on a terminal, silence elsewhere: tell it (items finished, part done, part planned) of the item at hand.

    What else is told stands beside the bar in place of the rate.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:.0f}% of"), TextColumn(f"{total} {unit}"))
    with Progress(
        *columns,
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total, rate="")
        start = time.monotonic()
        before, item, last = 0, 0, 0

        def tell(finished: int, done: int, planned: int, beside: str = "") -> None:
            nonlocal before, item, last
            before += last if finished != item else 0
            item, last = finished, done
            rate = (before + done) / max(time.monotonic() - start, 1e-9)
            bar.update(task, completed=finished + done / planned, rate=beside or f"{rate:.3g} {part}/s")

        yield tell


@contextmanager
def training_bar() -> Iterator[Callable[[Game, Step], None]]:
    """A bar for players that have to be trained first, if any have: tell it of each step."""
    from contextlib import ExitStack

    bars: dict[Game, Tell] = {}
    with ExitStack() as stack:

        def tell(game: Game, step: Step) -> None:
            if game not in bars:
                stack.close()
                what, total = f"training a pair at SNR {game.snr_db:g} dB, SJR {game.sjr_db:g} dB", game.recipe.steps
                bars[game] = stack.enter_context(progress_bar(what, total, "steps", "steps"))
            bars[game](step.number, 0, 1, f"payoff/J* {step.payoff:.3f}")

        yield tell
