"""The command line. Heavy imports stay inside the commands, so that help is instant."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import click

from jscc_sim.cli.attack import attack
from jscc_sim.cli.certify import certify
from jscc_sim.cli.check import check_snr
from jscc_sim.cli.data import data
from jscc_sim.cli.names import list_names
from jscc_sim.cli.options import INTERRUPTED
from jscc_sim.cli.play import play
from jscc_sim.cli.records import merge, plot, show
from jscc_sim.cli.regularise import regularise
from jscc_sim.cli.separation import separation
from jscc_sim.cli.sweep import sweep
from jscc_sim.cli.theory import theory
from jscc_sim.cli.train import train
from jscc_sim.cli.verify import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

BROKEN_PIPE = 141


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="jscc-sim")
def cli() -> None:
    """Joint source-channel coding against jammers: simulate, compare with exact curves, play the game."""


COMMANDS = (
    sweep,
    verify,
    theory,
    play,
    certify,
    attack,
    regularise,
    train,
    separation,
    show,
    plot,
    merge,
    list_names,
    data,
    check_snr,
)
for command in COMMANDS:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 fine, 1 a verdict failed, 2 usage, 130 interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn  # type: ignore[assignment]  # it takes what it needs
        return _run(arguments)


def _warn(message: Warning | str, *details: object) -> None:
    click.echo(f"Warning: {message}", err=True)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(cli.main(arguments, prog_name="jscc-sim", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
    except SystemExit:  # click's answer to a reader that went away
        return BROKEN_PIPE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"Error: {said}", err=True)
    except (ValueError, ArithmeticError, NotImplementedError) as error:
        click.echo(f"Error: {error}", err=True)
    except MemoryError:
        click.echo("Error: not enough memory: try shorter words or fewer --workers", err=True)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    return 2
