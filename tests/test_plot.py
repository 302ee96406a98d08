"""Figures and tables are functions of rows: what they show is what was measured."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from jscc_sim import plot, report
from jscc_sim.montecarlo import Row
from jscc_sim.verify import verdict


def row(level: float, mean: float, exact: float | None = None, *, metric: str = "ber", codec: str = "uncoded") -> Row:
    labels = {"channel": "bsc", "codec": codec, "source": "bits", "knob": "flip", "level": level}
    p_value = None if exact is None else 0.5
    return Row(labels, metric, mean, 0.9 * mean, 1.1 * mean + 1e-6, 1000, exact, p_value, True, 0, "key")


ROWS = [row(0.0, 0.0, 0.0), row(0.1, 0.1, 0.1), row(0.2, 0.002), row(0.1, 0.3, codec="a/b/pair.json")]


@pytest.fixture(scope="module")
def axes():
    (axes,) = plot.curves(ROWS).axes
    return axes


class TestCurves:
    def test_has_points_with_intervals_and_an_exact_line(self, axes):
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert "uncoded, exact" in names
        assert "pair, measured (95 %)" in names
        assert "pair, exact" not in names
        assert axes.containers

    def test_names_axes_with_units(self, axes):
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("crossover probability", "bit error rate")

    def test_shows_zero_errors_as_an_upper_bound(self, axes):
        (bound,) = [line for line in axes.lines if line.get_marker() == "v"]
        assert list(bound.get_ydata()) == [1e-6]

    def test_is_logarithmic_only_over_a_wide_range(self, axes):
        assert axes.get_yscale() == "log"
        assert plot.curves(ROWS[1:2]).axes[0].get_yscale() == "linear"

    def test_has_one_axes_per_metric(self):
        assert len(plot.curves([row(0.1, 0.1), row(0.1, 20.0, metric="psnr")]).axes) == 2


def test_the_game_shows_payoff_and_densities():
    rng = np.random.default_rng(0)
    left, right = plot.game(
        list(rng.normal(1, 0.1, 50)), {0: np.sign(rng.normal(size=99)), 50: rng.normal(size=99)}
    ).axes
    assert left.get_ylabel() == "payoff / J*"
    assert [text.get_text() for text in right.get_legend().get_texts()][:2] == [
        "jammer after 0 steps",
        "jammer after 50 steps",
    ]


def test_saves_by_suffix(tmp_path):
    for name in ("a.png", "a.pdf", "a.svg"):
        plot.save(Figure(), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 0
    with pytest.raises(ValueError, match="must be one of"):
        plot.save(Figure(), tmp_path / "a.txt")


def test_table_lines_stand_under_their_heads():
    lines = [report.COLUMNS, *map(report.line, ROWS)]
    heads = report.COLUMNS.index("verdict")
    assert all(line[heads - 1] == " " and line[heads] in "ad–v" for line in lines)
    assert "pair " in lines[-1]


def test_json_has_null_for_what_is_infinite_or_unknown():
    infinite = Row({"level": 1.0}, "psnr", float("inf"), 20.0, float("inf"), 10, None, None, True, 0, "key")
    shown = json.loads(report.as_json(infinite))
    assert (shown["mean"], shown["low"], shown["exact"], shown["verdict"]) == (None, 20.0, None, None)


@pytest.mark.parametrize(("p_value", "said"), [(None, None), (1.0, "agrees"), (1e-5, "agrees"), (9e-6, "disagrees")])
def test_verdicts_are_at_one_in_a_hundred_thousand(p_value, said):
    assert verdict(Row({}, "mse", 1.0, 0.9, 1.1, 10, 1.0, p_value, True, 0, "key")) == said
