"""Rows as a table, as JSON and as CSV say the same, and show what is unknown as unknown."""

import csv
import io
import json
import math

import pytest

from jscc_sim import report
from jscc_sim.montecarlo import Row
from jscc_sim.verify import verdict

LABELS = {"channel": "bsc", "codec": "uncoded", "source": "bits", "knob": "flip", "level": 0.1, "policy": None}


def row(mean: float, exact: float | None = None, **changed: object) -> Row:
    p_value = None if exact is None else 0.5
    parts = {"labels": LABELS, "metric": "ber", "mean": mean, "low": 0.9 * mean, "high": 1.1 * mean + 1e-6}
    parts |= {"words": 1000, "exact": exact, "bound": None, "p_value": p_value}
    return Row(**parts | {"complete": True, "seed": 0, "key": "key"} | changed)


ROWS = [
    row(0.0, 0.0),
    row(0.123456789, 0.1),
    row(0.2, bound=0.19, p_value=0.3),
    row(0.2, bound=0.3, p_value=1e-9),
    row(0.3, labels=LABELS | {"codec": "a/b/pair.safetensors"}),
    row(0.3, labels={"noise": 0.5}),
    row(0.3, labels=LABELS | {"codec": "a/straight-through-100-bsc-0.1-2"}),
]


def test_table_lines_stand_under_their_heads():
    lines = [report.columns(ROWS[0]), *map(report.line, ROWS)]
    heads = report.columns(ROWS[0]).index("verdict")
    assert all(line[heads - 1] == " " and line[heads] in "ad–v" for line in lines)
    assert [line.split()[-1] for line in lines[1:]] == ["agrees", "agrees", "–", "disagrees", "–", "–", "–"]
    assert lines[5].startswith("pair ")
    assert "≥ 0.19" in lines[3]
    assert "noise 0.5" in lines[6]  # a link of one's own, with labels of its own
    assert lines[7].startswith("straig…0-bsc-0.1-2 ")  # start and end of a long name


def test_json_has_every_label_and_number_at_full_precision():
    shown = json.loads(report.as_json(ROWS[1]))
    assert shown.items() >= LABELS.items()
    assert (shown["mean"], shown["exact"], shown["verdict"]) == (0.123456789, 0.1, "agrees")
    assert shown.keys() >= {"low", "high", "words", "bound", "complete", "seed", "key", "metric"}


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["mean", "low", "high", "exact", "bound"])
def test_json_has_null_for_what_is_infinite_or_unknown(name, odd):
    text = report.as_json(row(20.0, **{name: odd}) if name != "mean" else row(odd))
    shown = json.loads(text, parse_constant=lambda said: pytest.fail(f"{said} is no JSON"))
    assert shown[name] is None


def test_csv_says_what_json_says():
    found = list(csv.DictReader(io.StringIO(report.as_csv(ROWS))))
    for read, one in zip(found, ROWS, strict=True):
        said = json.loads(report.as_json(one))
        assert {name: text for name, text in read.items() if text} == {
            name: str(value) for name, value in said.items() if value is not None
        }


@pytest.mark.parametrize(
    ("p_value", "exact", "said"),
    [
        (None, 1.0, None),
        (1.0, 1.0, "agrees"),
        (1e-5, 1.0, "agrees"),
        (9e-6, 1.0, "disagrees"),
        (0.4, None, None),
        (9e-6, None, "disagrees"),
    ],
)
def test_verdicts_are_at_one_in_a_hundred_thousand(p_value, exact, said):
    """An exact value is met or missed; a bound that holds proves nothing, one that is undercut does."""
    assert verdict(row(1.0, exact, p_value=p_value)) == said
