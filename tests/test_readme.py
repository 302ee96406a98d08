"""The README's commands exist as it writes them; its Python examples are doctests, run with the suite."""

import re
import shlex
from pathlib import Path

import pytest

from jscc_sim.cli import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    jscc-sim (.+)$", README, re.MULTILINE)
INSTALL_AND_TEST = "pip install -c constraints.txt -e '.[test]' && pytest"


def test_its_first_two_commands_are_those_of_a_fresh_machine():
    first, second = re.findall(r"^    (pip .+)$", README, re.MULTILINE)
    assert first == "pip install -c constraints.txt . && jscc-sim sweep --channel jammer --snr 0:20:2"
    assert second == INSTALL_AND_TEST
    assert INSTALL_AND_TEST in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line):
    name, *arguments = shlex.split(line)
    cli.commands[name].make_context(name, arguments)


def test_every_command_is_shown():
    assert {line.split()[0] for line in COMMANDS} >= set(cli.commands) - {"merge"}
    assert "jscc-sim merge" in README


def test_every_figure_is_there():
    for figure in re.findall(r"!\[.*?\]\((.+?)\)", README, re.DOTALL):
        assert (ROOT / figure).is_file()
