"""``jscc-sim train``: neural codecs, one command for each kind."""

from __future__ import annotations

import click

from jscc_sim.cli.train_bits import bits
from jscc_sim.cli.train_images import images


@click.group()
def train() -> None:
    """Train a neural codec; jscc-sim sweep --codec FILE then measures it over any channel that suits it."""


train.add_command(bits)
train.add_command(images)
