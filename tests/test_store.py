"""The record keeps every whole line, and says clearly what is wrong with a damaged one."""

import subprocess
import sys
from pathlib import Path

import pytest

from jscc_sim.store import Store
from jscc_sim.tally import Tally

BLOCK = {"mse": Tally(10, 1 / 3, 7)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "store.jsonl"
    with Store(path) as store:
        for block in range(3):
            store.append("case", block, BLOCK)
    return path


def known_then_append(path: Path, block: int) -> list[int]:
    """The blocks that the store knew, before one more was appended."""
    with Store(path) as store:
        known = sorted(store.blocks("case"))
        store.append("case", block, BLOCK)
    return known


def test_keeps_sums_to_the_last_bit(path):
    with Store(path) as store:
        assert store.blocks("case") == dict.fromkeys(range(3), BLOCK)
        assert store.blocks("another") == {}


def test_drops_an_incomplete_last_line_with_a_warning_and_goes_on(path):
    path.write_text(path.read_text()[:-7])
    with pytest.warns(UserWarning, match="incomplete last line"):
        assert known_then_append(path, 2) == [0, 1]
    assert known_then_append(path, 3) == [0, 1, 2]


def test_starts_again_after_a_cut_header(path):
    path.write_text('{"jscc')
    with pytest.warns(UserWarning, match="incomplete"):
        assert known_then_append(path, 0) == []
    assert known_then_append(path, 1) == [0]


@pytest.mark.parametrize("damage", ["garbage\n", '{"key": 1}\n', "[]\n", '{"key": "a", "block": 0, "tallies": 3}\n'])
def test_damage_elsewhere_is_an_error_that_names_the_line(path, damage):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], damage, *lines[2:]]))
    with pytest.raises(ValueError, match="line 3"), Store(path):
        pass


@pytest.mark.parametrize("text", ['{"jscc_sim_store": 99}\n', "codec,mean\n", "precious notes", '{"a": 1}'])
def test_another_file_is_an_error_and_stays_as_it_was(path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match="line 1"), Store(path):
        pass
    assert path.read_text() == text


def test_one_process_writes_at_a_time(path):
    check = f"from jscc_sim.store import Store\nwith Store({str(path)!r}): pass"
    with Store(path):
        ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert "is being written by another run" in ran.stderr


def test_refuses_what_is_no_file(tmp_path):
    for bad in (tmp_path, "/dev/zero"):
        with pytest.raises(ValueError, match="not a regular file"), Store(bad):
            pass
    with pytest.raises(ValueError, match="not open"):
        Store(tmp_path / "new").append("case", 0, BLOCK)
