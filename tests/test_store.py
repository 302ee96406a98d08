"""The record keeps every whole line, and says clearly what is wrong with a damaged one."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from jscc_sim.store import FORMAT, Store
from jscc_sim.tally import Tally

BLOCK = {"mse": Tally(10, 1 / 3, 7)}
CASE = {"seed": 3, "labels": {"level": 1.0}, "link": "Link(...)"}
ROW = {"metric": "mse", "mean": 0.1, "labels": {"level": 1.0}}


def write(path: Path, blocks: dict[int, dict[str, Tally]], name: str = "case") -> Path:
    with Store(path) as store:
        store.begin(name, CASE)
        for number, block in blocks.items():
            store.append(name, number, block)
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "store.jsonl", dict.fromkeys(range(3), BLOCK))


def known_then_append(path: Path, block: int) -> list[int]:
    """The blocks that the store knew, before one more was appended."""
    with Store(path) as store:
        known = sorted(store.blocks("case"))
        store.begin("case", CASE)
        store.append("case", block, BLOCK)
    return known


class TestKeeps:
    def test_sums_to_the_last_bit(self, path):
        for store in (Store(path), Store.open(path)):
            with store:
                assert store.blocks("case") == dict.fromkeys(range(3), BLOCK)
                assert store.blocks("another") == {}
                assert store.count() == 3

    def test_where_it_all_comes_from(self, path):
        case = Store.open(path).cases["case"]
        assert case.items() >= CASE.items()
        assert case["versions"].keys() >= {"jscc-sim", "torch", "numpy", "scipy", "python", "machine"}

    def test_rows_as_they_were_shown(self, path):
        with Store(path) as store:
            store.report("case", ROW)
            store.report("case", ROW | {"mean": 0.2})
        assert Store.open(path).rows == {"case": {"mse": ROW | {"mean": 0.2}}}

    def test_only_what_is_new(self, path):
        with Store(path) as store:
            store.report("case", ROW)
        before = path.read_bytes()
        with Store(path) as store:
            store.begin("case", CASE)
            store.report("case", ROW)
        assert path.read_bytes() == before

    def test_all_that_was_there_before(self, path):
        before = path.read_bytes()
        assert known_then_append(path, 3) == [0, 1, 2]
        assert path.read_bytes().startswith(before)

    def test_looking_changes_nothing(self, path):
        before = path.read_bytes()
        path.chmod(0o400)
        with pytest.raises(ValueError, match="not open"):
            Store.open(path).append("case", 9, BLOCK)
        assert path.read_bytes() == before


class TestCutShort:
    def test_at_any_byte_loses_the_last_line_at_most(self, path, tmp_path):
        whole = path.read_bytes()
        header = whole.index(b"\n") + 1
        cut = tmp_path / "cut.jsonl"
        for size in range(header, len(whole), 7):
            cut.write_bytes(whole[:size])
            lines = whole[:size].count(b"\n")
            left_over = not whole[:size].endswith(b"\n")
            with (
                pytest.warns(UserWarning, match="incomplete last line") if left_over else nullcontext(),
                Store(cut) as store,
            ):
                assert len(store.cases) + store.count() == lines - 1
            assert cut.read_bytes() == b"".join(whole.splitlines(keepends=True)[:lines])

    def test_goes_on_after_a_warning(self, path):
        path.write_bytes(path.read_bytes()[:-7])
        with pytest.warns(UserWarning, match="incomplete last line"):
            assert known_then_append(path, 2) == [0, 1]
        assert known_then_append(path, 3) == [0, 1, 2]

    @pytest.mark.parametrize("end", [b"\0" * 40, b"\xff\xfe", '{"block": 3, "of": "ä'.encode()[:-1]])
    def test_whatever_bytes_the_last_line_holds(self, path, end):
        path.write_bytes(path.read_bytes() + end)
        with pytest.warns(UserWarning, match="incomplete last line"):
            assert known_then_append(path, 3) == [0, 1, 2]

    @pytest.mark.parametrize("size", [0, 1, 6, len(json.dumps(FORMAT))])
    def test_within_the_header_it_starts_again(self, path, size):
        path.write_bytes(path.read_bytes()[:size])
        assert known_then_append(path, 0) == []
        assert known_then_append(path, 1) == [0]


class TestIsRefused:
    """With one line that names the file, which stays as it was."""

    @pytest.mark.parametrize(
        "damage",
        [
            b"garbage\n",
            b"\n",
            b"[]\n",
            b"3\n",
            b"\xff\xfe\n",
            b'{"key": 1}\n',
            b'{"block": 0, "of": "case"}\n',
            b'{"block": 0, "of": "case", "tallies": 3}\n',
            b'{"block": 0, "of": "case", "tallies": {"mse": [10, 1.0]}}\n',
            b'{"block": 0, "of": "case", "tallies": {"mse": [0, 0.0, 0]}}\n',
            b'{"block": 0, "of": "case", "tallies": {"mse": [10, 1.0, 11]}}\n',
            b'{"block": 0, "of": "case", "tallies": {"mse": [10, NaN, 7]}}\n',
            b'{"block": 0, "of": "case", "tallies": {"mse": [10, "x", 7]}}\n',
            b'{"block": -1, "of": "case", "tallies": {"mse": [10, 1.0, 7]}}\n',
            b'{"block": 0.5, "of": "case", "tallies": {"mse": [10, 1.0, 7]}}\n',
            b'{"block": 0, "of": "nobody", "tallies": {"mse": [10, 1.0, 7]}}\n',
            b'{"row": {}, "of": "case"}\n',
        ],
    )
    def test_damage_by_its_line(self, path, damage):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:3], damage, *lines[3:]]))
        before = path.read_bytes()
        for enter in (Store(path).__enter__, lambda: Store.open(path)):
            with pytest.raises(ValueError, match=r"store.jsonl, line 4, is damaged: [^:]") as caught:
                enter()
            assert "\n" not in str(caught.value)
        assert path.read_bytes() == before

    def test_a_file_that_lost_its_line_ends(self, path):
        before = path.read_bytes().replace(b"\n", b"\r\n")
        path.write_bytes(before)
        with pytest.raises(ValueError, match="was changed by another program"), Store(path):
            pass
        assert path.read_bytes() == before

    @pytest.mark.parametrize("text", ["codec,mean\n", "precious notes", '{"a": 1}', "\n", "\x00\x01", "[1]\n"])
    def test_another_file(self, path, text):
        path.write_text(text)
        for enter in (Store(path).__enter__, lambda: Store.open(path)):
            with pytest.raises(ValueError, match=r"store.jsonl is not a store: its line 1"):
                enter()
        assert path.read_text() == text

    @pytest.mark.parametrize("header", [{"jscc_sim_store": 99, "version": "9.9"}, FORMAT | {"version": "0.0.9"}])
    def test_another_version_by_both_versions(self, path, header):
        before = json.dumps(header) + "\n" + '{"unheard": "of"}\n'
        path.write_text(before)
        said = rf"written by jscc-sim {header['version']} .*this is jscc-sim {FORMAT['version']}.*use another file"
        with pytest.raises(ValueError, match=said), Store(path):
            pass
        assert path.read_text() == before

    def test_what_is_no_file(self, tmp_path):
        for bad in (tmp_path, "/dev/zero", "/dev/full"):
            with pytest.raises(ValueError, match="not a regular file"), Store(bad):
                pass
        with pytest.raises(ValueError, match="not open"):
            Store(tmp_path / "new").begin("case", CASE)
        with pytest.raises(FileNotFoundError, match="no store at"):
            Store.open(tmp_path / "none")

    def test_an_empty_file_to_look_into(self, tmp_path):
        (tmp_path / "empty").touch()
        with pytest.raises(ValueError, match="is empty"):
            Store.open(tmp_path / "empty")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_what_is_read_only(self, path, tmp_path):
        path.chmod(0o400)
        with pytest.raises(PermissionError), Store(path):
            pass
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError), Store(tmp_path / "new"):
            pass


def test_one_process_writes_at_a_time(path):
    check = f"from jscc_sim.store import Store\nwith Store({str(path)!r}): pass"
    with Store(path) as store:
        ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
        store.append("case", 3, BLOCK)
    assert "is being written by another run" in ran.stderr
    with Store(path) as store:
        assert store.count() == 4


def test_a_full_disk_is_named_and_loses_nothing_before(path):
    """RLIMIT_FSIZE, as a disk that is full in the middle of a line."""
    fill = """
import resource, sys
from jscc_sim.store import Store
from jscc_sim.tally import Tally
path = sys.argv[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
with Store(path) as store:
    for block in range(3, 1000):
        store.append("case", block, {"mse": Tally(10, 1 / 3, 7)})
"""
    ran = subprocess.run([sys.executable, "-c", fill, str(path)], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{path}'"
    with pytest.warns(UserWarning, match="incomplete"):
        known = Store.open(path).blocks("case")
    assert 10 < len(known) == max(known) + 1
    assert set(map(str, known.values())) == {str(BLOCK)}


class TestMerges:
    OTHER = {"mse": Tally(10, 0.25, 9)}  # noqa: RUF012

    def test_blocks_cases_and_rows(self, tmp_path):
        one = write(tmp_path / "one", {0: BLOCK, 1: BLOCK})
        two = write(tmp_path / "two", {1: BLOCK, 5: self.OTHER})
        three = write(tmp_path / "three", {0: self.OTHER}, "another")
        with Store(three) as store:
            store.report("another", ROW)
        with Store(tmp_path / "all") as into:
            into.merge([Store.open(path) for path in (one, two, three)])
        found = Store.open(tmp_path / "all")
        assert found.blocks("case") == {0: BLOCK, 1: BLOCK, 5: self.OTHER}
        assert found.blocks("another") == {0: self.OTHER}
        assert found.rows == {"another": {"mse": ROW}}
        assert found.cases["case"] == Store.open(one).cases["case"]

    def test_twice_like_once(self, path, tmp_path):
        written = []
        for _ in range(2):
            with Store(tmp_path / "all") as store:
                store.merge([Store.open(path)])
            written.append((tmp_path / "all").read_bytes())
        assert written[0] == written[1]

    def test_sums_of_machines_that_round_differently(self, path, tmp_path):
        near = write(tmp_path / "near", {0: {"mse": Tally(10, (1 / 3) * (1 + 1e-9), 7)}})
        with Store(path) as store:
            store.merge([Store.open(near)])
            assert store.blocks("case")[0] == BLOCK

    @pytest.mark.parametrize("other", [Tally(10, 0.25, 7), Tally(11, 1 / 3, 7), Tally(10, 1 / 3, 6)])
    def test_no_files_that_disagree_and_names_both(self, path, tmp_path, other):
        wrong = write(tmp_path / "wrong", {7: BLOCK, 2: {"mse": other}})
        with (
            Store(tmp_path / "all") as into,
            pytest.raises(ValueError, match=rf"{wrong} and {path} know block 2 of case case differently"),
        ):
            into.merge([Store.open(path), Store.open(wrong)])
        assert Store.open(tmp_path / "all").count() == 0  # all or nothing
