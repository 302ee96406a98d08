"""Figures are functions of rows: what they show is what was measured."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from jscc_sim import plot
from jscc_sim.montecarlo import Row


def row(
    level: float, mean: float, exact: float | None = None, *, metric: str = "ber", seed: int = 0, **told: object
) -> Row:
    labels = {"channel": "bsc", "codec": "uncoded", "source": "bits", "knob": "flip", "level": level} | told
    p_value = None if exact is None else 0.5
    return Row(labels, metric, mean, 0.9 * mean, 1.1 * mean + 1e-6, 1000, exact, None, p_value, True, seed, "key")


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


ROWS = [row(0.0, 0.0, 0.0), row(0.1, 0.1, 0.1), row(0.2, 0.002), row(0.1, 0.3, codec="a/b/pair.json")]


@pytest.fixture(scope="module")
def axes():
    (axes,) = plot.curves(ROWS).axes
    return axes


class TestCurves:
    def test_has_points_with_intervals_and_an_exact_line(self, axes):
        assert "uncoded, exact" in names(axes)
        assert "pair, measured (95 %)" in names(axes)
        assert "pair, exact" not in names(axes)
        assert axes.containers

    def test_names_axes_with_units(self, axes):
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("crossover probability", "bit error rate")

    def test_shows_zero_errors_as_an_upper_bound(self, axes):
        (bound,) = [line for line in axes.lines if line.get_marker() == "v"]
        assert list(bound.get_ydata()) == [1e-6]

    def test_is_logarithmic_only_over_a_wide_range(self, axes):
        assert axes.get_yscale() == "log"
        assert plot.curves(ROWS[1:2]).axes[0].get_yscale() == "linear"

    def test_guides_do_not_squeeze_what_was_measured(self):
        rows = [row(level, mean, metric="bler") for level, mean in ((1.0, 0.3), (2.0, 0.01), (3.0, 0.0))]
        (axes,) = plot.curves(rows, guides={"bler": {"limit": [(1.0, 0.1), (3.0, 1e-15)]}}).axes
        assert axes.get_ylim()[0] == pytest.approx(1e-7)
        assert 0.3 < axes.get_ylim()[1] < 0.5

    def test_guides_are_on_a_logarithmic_axis_however_narrow_and_beside_their_metric_alone(self):
        rows = [
            row(level, mean, metric=metric) for metric in ("bler", "ber") for level, mean in ((1.0, 0.3), (1.5, 0.2))
        ]
        sizes, kinds = ("k 4, n 7", "k 4, n 8"), ("converse", "exists")
        guides = {"bler": {f"{size}: {kind}": [(1.0, 0.1), (1.5, 0.0)] for size in sizes for kind in kinds}}
        left, right = plot.curves(rows, guides=guides).axes
        assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
        lines = [line for line in left.lines if line.get_label() in guides["bler"]]
        assert len({line.get_linestyle() for line in lines}) == len({line.get_color() for line in lines}) == 2
        assert len({(line.get_linestyle(), line.get_color()) for line in lines}) == 4
        assert all(np.isnan(line.get_ydata()[1]) for line in lines)
        assert len(right.lines) == 1 + 2  # points and the caps of their intervals

    def test_joins_points_in_their_order_if_nothing_else_does(self):
        def joined(rows):
            return [list(line.get_xdata()) for line in plot.curves(rows).axes[0].lines if line.get_linestyle() == "-"]

        assert joined([row(2.0, 0.2), row(1.0, 0.3)]) == [[1.0, 2.0]]
        assert joined([row(2.0, 0.2, 0.2), row(1.0, 0.3, 0.3)]) == [[1.0, 2.0]]

    def test_does_not_join_what_differs_in_more_than_its_level(self):
        """Rows of several stores: curves of one codec are told apart by the labels that differ, or by their seeds."""
        rows = [row(level, 0.1 + level, 0.2, channel=name) for level in (0.1, 0.2) for name in ("bsc", "bsc-flip")]
        (axes,) = plot.curves(rows).axes
        assert {f"uncoded, channel {name}, exact" for name in ("bsc", "bsc-flip")} < set(names(axes))
        assert axes.get_title() == ""
        (axes,) = plot.curves([row(0.1, 0.1), row(0.1, 0.11, seed=1)]).axes
        assert names(axes) == ["uncoded, seed 0, measured (95 %)", "uncoded, seed 1, measured (95 %)"]

    def test_gives_files_of_one_name_curves_of_their_own(self):
        (axes,) = plot.curves([row(0.1, 0.1, codec="a/codec.json"), row(0.1, 0.2, codec="b/codec.json")]).axes
        assert names(axes) == ["codec, measured (95 %)"] * 2

    def test_refuses_rows_without_a_common_axis(self):
        with pytest.raises(ValueError, match="one horizontal axis, but these rows have flip, snr_db"):
            plot.curves([row(0.1, 0.1), row(10.0, 0.1, knob="snr_db")])
        with pytest.raises(ValueError, match="without a label 'level'"):
            plot.curves([row(None, 0.1)])

    def test_draws_what_never_erred(self):
        (axes,) = plot.curves([row(0.1, 0.0), row(0.2, 0.0)]).axes
        assert names(axes) == ["uncoded, no error (upper bound)"]

    def test_shows_what_is_proved_of_learned_players(self):
        learned = [replace(row(level, 0.1, 0.1), margin=0.01, bound=0.09, ceiling=0.11) for level in (0.1, 0.2)]
        (axes,) = plot.curves(learned).axes
        assert {"uncoded, saddle value", "uncoded, L to U, proved: 22 % at most"} < set(names(axes))
        assert [path.vertices[:, 1].tolist() for path in axes.collections[0].get_paths()] == [[0.09, 0.11]] * 2

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


class TestAutoencoders:
    """Figures of several methods, a panel or a row for each."""

    METHODS = ("jamming", "vae", "wae", "aae", "none")

    def test_latents_lie_over_the_circles_of_the_prior(self):
        rng = np.random.default_rng(0)
        found = {name: rng.normal(size=(100, 8)) for name in self.METHODS}
        figure = plot.latents(found, np.arange(100) % 3)
        assert [axes.get_title() for axes in figure.axes] == list(self.METHODS)
        radii = [np.hypot(*line.get_data())[0] for line in figure.axes[0].lines]
        assert radii == pytest.approx([np.sqrt(-2 * np.log(1 - share)) for share in (0.5, 0.9, 0.99)])
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1", "2"]

    def test_latents_beyond_the_axes_are_counted(self):
        flat = np.tile([[1.0, 0], [-1, 0], [0, 1], [0, -1]], (250, 1))
        (axes,) = plot.latents({"none": np.concatenate((flat, [[9, 0], [-9, 0]]))}).axes
        assert [text.get_text() for text in axes.texts] == ["0.2 % outside"]
        (axes,) = plot.latents({"none": 9 * flat}).axes
        assert axes.get_xlim()[1] > 9

    def test_single_latents_are_shown_by_density(self):
        (axes,) = plot.latents({"none": np.random.default_rng(0).normal(size=(100, 1))}).axes
        assert len(axes.lines) == 1

    @pytest.mark.parametrize("channels", [1, 3])
    def test_pictures(self, channels):
        pictures = np.random.default_rng(0).uniform(size=(12, 5, 7, channels))
        assert len(plot.samples(dict.fromkeys(self.METHODS, pictures)).axes) == 5
        rows = plot.reconstructions(pictures, {"vae": pictures, "wae": pictures}).axes
        assert [axes.get_ylabel() for axes in rows] == ["original", "vae", "wae"]
        ends, between = pictures[:4].reshape(2, 2, 5, 7, channels), pictures[:10].reshape(2, 5, 5, 7, channels)
        (axes,) = plot.interpolations({"vae": (ends, between)}).axes
        shown = np.atleast_3d(axes.images[0].get_array())
        assert np.array_equal(shown[:, :7], ends[0, 0])
        assert np.array_equal(shown[:, -7:], ends[1, 1])

    def test_training_has_a_line_per_seed_and_a_name_per_method(self):
        epochs = [{"number": number, "mse": 1 / number, "penalty": 0.1} for number in (1, 2, 3)]
        figure = plot.training({"vae": [epochs, epochs], "none": [epochs, epochs]})
        assert [len(axes.lines) for axes in figure.axes] == [4, 4]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["vae", "none"]


def test_saves_by_suffix(tmp_path):
    for name in ("a.png", "a.pdf", "a.svg"):
        plot.save(Figure(), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 0
    with pytest.raises(ValueError, match="must be one of"):
        plot.save(Figure(), tmp_path / "a.txt")


def test_codes_over_a_channel_stand_beside_limits_and_published_points():
    points = [(0.0, 1.0), (0.5, 2.0)]
    figure = plot.distortion_curves(
        {"a": points, "b": points},
        {"limit": points},
        {"NECST": points},
        knob="crossover probability",
        unit="SSE",
        title="mnist",
    )
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["a", "b", "limit", "NECST, published, trained at each"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("crossover probability", "SSE", "mnist")


def test_stability_has_a_line_for_each_seed():
    (axes,) = plot.stability({"necst": [{1: 3.0, 2: 2.0}, {1: 4.0, 2: 2.5}], "abf": [{2: 1.0, 1: 2.0}]}).axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[1, 2]] * 3
    assert names(axes) == ["necst", "abf"]
