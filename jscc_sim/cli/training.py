"""What commands that train codecs share: how many, from what, where they are kept, and how they are conducted."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Result = dict[str, Any]
    Finish = Callable[..., Result]
    Tell = Callable[[int, int, str], None]

RUN_OPTIONS = (
    click.option("--seed", type=options.FIRST_SEED, default=0, show_default=True, help="The first seed."),
    click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many, in a row."),
    click.option("--images", type=click.IntRange(1), help="Learn from at most so many images, for quick tries."),
    click.option("--judged-images", type=click.IntRange(2), help="Be judged by at most so many."),
    click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda."),
    click.option(
        "--out",
        type=options.FILE,
        help="Keep codecs and results here, and do not repeat those that are there  [nothing is kept].",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object per seed instead of a table."),
)


class Study(Protocol):
    """What is conducted."""

    @property
    def name(self) -> str:
        """Of its folder."""

    @property
    def recipe(self) -> Any:
        """That says how many epochs there are."""


class Run(NamedTuple):
    """The `RUN_OPTIONS` of a command."""

    seed: int
    seeds: int
    images: int | None
    judged_images: int | None
    device: str
    out: Path | None
    as_json: bool

    def check(self) -> None:
        """Complain before anything is loaded."""
        options.folder(self.out)
        from jscc_sim.seeds import check_device

        check_device(self.device)

    @property
    def in_a_row(self) -> range:
        """The seeds."""
        return options.seeds_from(self.seed, self.seeds)

    def results(self, command: str, studies: Sequence[Study], parts: object, finish: Finish) -> list[Result]:
        """What each study comes to, by ``finish``; printed as JSON if that is asked for."""
        found: list[Result] = []
        with progress_bar(command, len(studies), "codecs", "codecs") as tell:
            for index, study in enumerate(studies):
                found.append(self._result(study, parts, finish, partial(tell, index)))
                if self.as_json:
                    click.echo(json.dumps({name: value for name, value in found[-1].items() if name != "curve"}))
        return found

    def _result(self, study: Study, parts: object, finish: Finish, tell: Tell) -> Result:
        """From its folder if it is finished there, else conducted now."""
        folder, epochs = self.out / study.name if self.out else None, study.recipe.epochs

        def hear(epoch: Any) -> None:
            """Of any named tuple of an epoch: its number, and what was lowered."""
            done, planned = round(1000 * epoch.number), 1000 * (epochs + 1)
            stage = "measuring" if epoch.number == epochs else f"epoch {math.ceil(epoch.number)}"
            tell(done, planned, f"{study.name}, {stage}: {epoch._fields[1]} {epoch[1]:.4g}")

        try:
            result = finish(study, parts, folder, device=self.device, hear=hear)
        except KeyboardInterrupt:
            kept = f"the same command goes on from the last finished epoch in {folder}" if folder else "nothing is kept"
            click.echo(f"{kept}.", err=True)
            raise
        if folder:
            click.echo(f"codec: {folder}", err=True)
        return result
