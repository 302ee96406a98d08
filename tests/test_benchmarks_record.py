"""The record that benchmarks share: nothing is done twice, nothing passes for another, nothing measured is lost."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import record


@dataclass(frozen=True)
class Thing:
    size: int

    def describe(self):
        return {"size": self.size, "sides": [1.0, 2.0]}


def attempt(thing: Thing, folder: Path) -> dict[str, object]:
    if thing.size == 0:
        raise FloatingPointError("nan")
    if thing.size == 13:
        raise FileExistsError("another study")
    if thing.size == 14:
        time.sleep(1)
    return {**thing.describe(), "folder": folder.name}


def run(studies, tmp_path, **more):
    return record.run(studies, attempt, tmp_path, tmp_path / "record.jsonl", processes=1, **more)


class TestRecord:
    def test_what_is_in_it_is_not_done_again(self, tmp_path):
        (tmp_path / "record.jsonl").write_text(
            json.dumps({"name": "a", "size": 1, "sides": [1.0, 2.0], "old": True}) + "\n"
        )
        found = run({"a": Thing(1), "b": Thing(2)}, tmp_path)
        assert found["a"]["old"]
        assert found["b"]["folder"] == "b"
        assert [json.loads(line)["name"] for line in (tmp_path / "record.jsonl").open()] == ["a", "b"]

    def test_another_study_does_not_pass_for_it(self, tmp_path):
        (tmp_path / "record.jsonl").write_text(json.dumps({"name": "a", "size": 2, "sides": [1.0, 2.0]}) + "\n")
        with pytest.raises(SystemExit, match=r"holds another a \(size differ\): remove that line"):
            run({"a": Thing(1)}, tmp_path)
        assert run({"a": Thing(1)}, tmp_path, aside=("size",))["a"]["size"] == 2

    def test_failures_and_what_is_left_are_not_recorded(self, tmp_path, capfd):
        assert run({"zero": Thing(0), "one": Thing(1)}, tmp_path).keys() == {"one"}
        assert run({"two": Thing(2)}, tmp_path, minutes=0) == {}
        assert "zero: failed: nan" in (said := capfd.readouterr().out)
        assert "two: left" in said

    def test_an_error_ends_it_when_what_was_begun_is_recorded(self, tmp_path):
        things = {str(size): Thing(size) for size in (14, 13, *range(20, 40))}
        with pytest.raises(FileExistsError, match="another study"):
            record.run(things, attempt, tmp_path, tmp_path / "record.jsonl", processes=2)
        names = {json.loads(line)["name"] for line in (tmp_path / "record.jsonl").open()}
        assert "14" in names
        assert "39" not in names

    def test_numbers_that_stand_alone_have_six_digits(self):
        found = record.rounded({"long": 1.23456789, "many": [1.23456789], "curve_of": 1, "count": 3}, ("curve",))
        assert found == {"long": 1.23457, "many": [1.23456789], "count": 3}
