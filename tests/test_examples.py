"""Every example runs from an empty folder and leaves its figure, on a tiny budget."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs_and_leaves_its_figure(path, tmp_path):
    limits = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = [sys.executable, str(path), "--steps", "20"]
    subprocess.run(run, cwd=tmp_path, env=limits, check=True, capture_output=True)
    assert (tmp_path / f"{path.stem}.png").read_bytes()[:4] == b"\x89PNG"
