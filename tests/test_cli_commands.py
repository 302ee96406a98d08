"""The smaller commands: theory, list, data, verify; and the grids that several share."""

import json
import struct

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jscc_sim.catalog import CHANNEL_NAMES, CODEC_NAMES, POLICY_NAMES
from jscc_sim.cli.grids import grid_points
from jscc_sim.theory import CURVES
from jscc_sim.theory.saddle import scalar_payoff


def tried(text: str) -> tuple[tuple[float, ...], str]:
    """The points of a grid, or what is said of it."""
    try:
        return grid_points(text), ""
    except click.BadParameter as error:
        return (), error.message


class TestGrids:
    @given(st.integers(-300, 300), st.integers(0, 60), st.sampled_from(["0.05", "0.1", "0.5", "1", "3"]))
    def test_end_where_they_say(self, start, count, step):
        stop = start + count * float(step)
        points = grid_points(f"{start}:{stop:.10g}:{step}")
        assert len(points) == count + 1
        assert points[0] == start
        assert points[-1] == pytest.approx(stop, abs=1e-12)
        assert np.allclose(np.diff(points), float(step))

    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
    def test_of_single_points_are_kept_to_the_last_bit(self, points):
        assert grid_points(",".join(map(repr, points))) == tuple(points)

    @given(st.text(alphabet="0123456789:,.-e+ infa", max_size=12))
    def test_of_nonsense_are_refused_by_name(self, text):
        points, said = tried(text)
        assert repr(text) in said if said else 1 <= len(points) <= 10_000
        assert np.isfinite(points).all()


class TestTheory:
    def test_lists_every_curve(self, run):
        code, lines, _ = run("theory")
        assert code == 0
        assert all(any(line.startswith(f"{name}(") for line in lines) for name in CURVES)
        _, lines, _ = run("theory", "--json")
        assert [json.loads(line)["name"] for line in lines] == list(CURVES)

    def test_prints_a_curve_over_a_grid(self, run):
        given = ("source_variance=1", "signal_power=1", "jam_power=1", "noise_power=0.1:0.3:0.1")
        code, lines, _ = run("theory", "scalar_payoff", *given, "--json")
        points = [json.loads(line) for line in lines]
        assert code == 0
        assert [point["noise_power"] for point in points] == [0.1, 0.2, 0.3]
        assert [point["scalar_payoff"] for point in points] == [
            pytest.approx(float(scalar_payoff(1, 1, 1, noise))) for noise in (0.1, 0.2, 0.3)
        ]

    def test_prints_a_single_value(self, run):
        code, lines, _ = run("theory", "bpsk_error", "snr=1")
        assert (code, lines) == (0, ["snr 1  bpsk_error 0.1586552539"])

    def test_draws(self, run, tmp_path):
        figure = tmp_path / "curve.png"
        assert run("theory", "bsc_capacity", "p=0:1:0.1", "--plot", str(figure))[0] == 0
        assert figure.read_bytes()[:4] == b"\x89PNG"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nonsense"], "no curve 'nonsense'"),
            (["scalar_payof"], "did you mean 'scalar_payoff'"),
            (["scalar_payoff", "jam_power=1"], "also needs source_variance=, signal_power=, noise_power="),
            (["bpsk_error", "x=1"], "'x=1' is not one of snr="),
            (["bpsk_error", "snr"], "'snr' is not one of snr="),
            (["bpsk_error", "snr=a"], "is not a grid"),
            (["bpsk_error", "snr=nan"], "'nan' is not finite; give finite numbers"),
            (["tap_gain", "signal_power=1,2", "jam_power=1,2", "noise_power=1"], "one parameter at most"),
            (["bsc_capacity", "p=1.5"], "p must be in [0, 1], got 1.5"),
            (["bpsk_error", "snr=1", "--plot", "x.foo"], "its suffix must be one of"),
        ],
    )
    def test_refuses_in_one_line(self, run, arguments, said):
        code, lines, errors = run("theory", *arguments)
        assert (code, lines, len(errors)) == (2, [], 1)
        assert said in errors[0]


class TestList:
    def test_names_everything(self, run):
        code, lines, _ = run("list", "--json")
        entries = [json.loads(line) for line in lines]
        assert code == 0
        for kind, names in (("channels", CHANNEL_NAMES), ("codecs", CODEC_NAMES), ("policies", POLICY_NAMES)):
            listed = {entry["name"].partition(":")[0] for entry in entries if entry["kind"] == kind}
            assert listed == set(names)
        assert len(run("list")[1]) == len(entries) + len({entry["kind"] for entry in entries})


class TestData:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path / "home"))

    def test_lists_what_is_here(self, run):
        code, lines, _ = run("data", "list")
        assert code == 0
        assert [line.split()[0] for line in lines] == ["mnist", "fashion-mnist", "cifar10", "fid-inception", "lite0"]
        assert all("jscc-sim data fetch" in line for line in lines)
        records = [json.loads(line) for line in run("data", "list", "--json")[1]]
        assert all(record.keys() >= {"name", "train", "test", "licence"} for record in records[:3])
        assert all(record.keys() >= {"name", "path", "right", "licence"} for record in records[3:])

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["fetch", "nonsense"], "no image set 'nonsense'"),
            (["import", "mnist", "/no/where"], "no file or folder /no/where"),
        ],
    )
    def test_refuses_in_one_line(self, run, arguments, said):
        code, _, errors = run("data", *arguments)
        assert (code, len(errors)) == (2, 1)
        assert said in errors[0]

    def test_refuses_a_set_that_is_not_the_published_one(self, run, tmp_path):
        folder = tmp_path / "mine"
        folder.mkdir()
        header = b"\x00\x00\x08\x03" + struct.pack(">III", 10_000, 28, 28)
        (folder / "t10k-images-idx3-ubyte").write_bytes(header + bytes(10_000 * 784))
        code, _, errors = run("data", "import", "mnist", str(folder))
        assert (code, len(errors)) == (2, 1)
        assert "t10k-images-idx3-ubyte" in errors[0]

    def test_a_sweep_names_the_remedy(self, run):
        code, _, errors = run("sweep", "--channel", "awgn", "--source", "images:mnist")
        assert (code, len(errors)) == (2, 1)
        assert "jscc-sim data fetch mnist" in errors[0]


class TestVerify:
    """What the verification itself finds is in test_verify.py."""

    @pytest.fixture(autouse=True)
    def short(self, monkeypatch):
        import jscc_sim.verify as package

        whole = package.make_plan
        monkeypatch.setattr(package, "make_plan", lambda **how: whole(**how).only("bsc 0.3", "bch, 2t + e"))

    def test_prints_a_table_and_the_plan(self, run):
        code, lines, _ = run("verify", "--quick")
        assert code == 0
        assert lines[0].split()[:3] == ["trial", "metric", "mean"]
        assert lines[-1].startswith("verified: 2 points, family p = ")
        assert len(lines[-1].split("plan ")[1]) == 24

    def test_speaks_json_and_csv(self, run, tmp_path):
        file = tmp_path / "points.csv"
        code, lines, _ = run("verify", "--quick", "--json", "--csv", str(file))
        *points, whole = [json.loads(line) for line in lines]
        assert code == 0
        assert whole.keys() == {"verified", "points", "family_p", "plan"}
        assert len(points) == whole["points"] == 2
        assert all(point["verified"] for point in points)
        assert file.read_text().count("\n") == 3

    @pytest.mark.slow
    def test_workers_change_nothing(self, run):
        assert run("verify", "--quick", "--json", "--workers", "2") == run("verify", "--quick", "--json")

    def test_exits_1_if_anything_fails(self, run, monkeypatch):
        from channels import BSC

        monkeypatch.setattr(BSC, "at", lambda self, level: BSC(1.2 * level))
        code, lines, _ = run("verify", "--quick")
        assert code == 1
        assert lines[-1].startswith("NOT VERIFIED (1 points failed)")
