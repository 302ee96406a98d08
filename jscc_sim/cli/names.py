"""``jscc-sim list``: every name that the commands understand, with its parameters."""

from __future__ import annotations

import json

import click


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def list_names(as_json: bool) -> None:
    """List channels, policies, codecs, sources, metrics, methods for latents and objectives for bits, by name."""
    from jscc_sim.catalog import inventory

    kind = ""
    for entry in inventory():
        if as_json:
            click.echo(json.dumps(entry._asdict()))
            continue
        if entry.kind != kind:
            click.echo(f"{entry.kind}:")
            kind = entry.kind
        click.echo(f"  {entry.name:<19} {entry.parameters:<46} {entry.says}")
