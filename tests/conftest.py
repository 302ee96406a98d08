"""What all tests share: a profile in which property tests draw the same examples every time, and the command line.

Each of the two processes that run the tests computes with one thread, and so do those that it starts: more would wait
for each other, and sum in another order.
"""

import os

import pytest
import torch
from hypothesis import settings

from jscc_sim.cli import main

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # before the two are started
torch.set_num_threads(1)

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True, scope="module")
def seeded_module():
    """What a module makes for all its tests does not depend on which tests ran before it in this process."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def seeded_test():
    """Nor does any test."""
    torch.manual_seed(0)


@pytest.fixture
def run(capsys):
    """Run the command line in this process: exit code, lines of output, lines of errors."""

    def call(*arguments: str) -> tuple[int, list[str], list[str]]:
        code = main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return call


def pytest_make_parametrize_id(val, argname):
    """Bytes go by the name of their argument: what is packed holds the time, and processes must agree on names."""
    return argname if isinstance(val, bytes) else None
