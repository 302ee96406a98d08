"""The command line: what it prints, what it refuses, and its exit codes."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest

from jscc_sim.catalog import CHANNEL_NAMES, CODEC_NAMES, POLICY_NAMES
from jscc_sim.data import SETS
from jscc_sim.sources import SOURCES

KEYS = {"channel", "codec", "source", "snr_db", "metric", "mean", "low", "high", "words", "exact", "verdict", "seed"}


class TestSweep:
    def test_prints_a_table_point_by_point(self, run):
        code, lines, _ = run("sweep", "--channel", "jammer", "--codec", "linear", "--snr", "0:20:10")
        assert code == 0
        assert lines[0] == "gaussian over jammer: policy gaussian, SJR 0 dB, seed 0"
        assert "95 % interval" in lines[1]
        assert [line.split()[-1] for line in lines[2:]] == ["agrees"] * 3

    def test_words_of_each_size_have_a_heading(self, run):
        asked = ("--codec", "hamming", "--codec", "repetition-3", "--codec", "uncoded", "--words", "10")
        headings = [line for line in run("sweep", "--channel", "awgn", *asked, "--snr", "3")[1] if " over " in line]
        assert headings == [f"bits over awgn{size}, seed 0" for size in (", k 4, n 7", ", k 1, n 3", "")]
        qpsk = run("sweep", "--channel", "awgn", "--codec", "uncoded", "--k", "2", "--modulation", "qpsk", "--snr", "3")
        assert qpsk[1][0] == "bits over awgn, qpsk, k 2, n 2, seed 0"

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("ofdm --k 64 --pilots 2", "TDL-A, delay spread 1e-07 s, 0 m/s, 2 pilots, k 64, n 64, 192 uses"),
            (
                "ofdm --no-csi",
                "bits over ofdm, without channel knowledge, TDL-A, delay spread 1e-07 s, 0 m/s, 0 pilots",
            ),
            ("tdl --k 64 --profile D", "over tdl, TDL-D, delay spread 1e-07 s, k 64, n 64"),
            ("rician --k-factor 3 --no-csi", "without channel knowledge, K factor 3"),
            ("bsc-flip --k 7 --flips 1 --attack random", "random attack, k 7, n 7"),
        ],
    )
    def test_headings_say_what_tells_links_apart(self, run, asked, said):
        _, lines, _ = run("sweep", "--channel", *asked.split(), "--codec", "uncoded", "--at", "0", "--words", "99")
        assert lines[0].endswith(f"{said}, seed 0")

    def test_learned_players_play_by_default_between_their_bounds(self, run):
        """All eleven pairs that come along; nothing is trained."""
        code, lines, said = run("sweep", "--channel", "jammer", "--snr", "--json")
        rows = [json.loads(line) for line in lines]
        assert code == 0
        assert not said
        assert [row["level"] for row in rows] == list(range(0, 21, 2))
        assert {(row["codec"], row["policy"], row["verdict"]) for row in rows} == {("learned", "learned", "agrees")}
        assert all(row["bound"] <= row["exact"] <= row["ceiling"] for row in rows)
        assert all(0.99 < row["bound"] / row["exact"] < row["ceiling"] / row["exact"] < 1.01 for row in rows)
        assert all(abs(row["mean"] / row["exact"] - 1) < 0.01 for row in rows)

    def test_a_table_of_learned_players_shows_their_bounds(self, run):
        _, lines, _ = run("sweep", "--channel", "jammer", "--snr", "10", "--k", "4", "--shared", "sign")
        assert lines[1].split()[-4:] == ["L", "U", "words", "verdict"]
        assert lines[2].split()[-1] in ("agrees", "undecided")  # an interval half as wide as the margin may leave it
        lower, upper = map(float, lines[2].split()[-4:-2])
        assert lower < 1.1 / 2.1 < upper

    @pytest.mark.parametrize("more", [["--codec", "linear"], ["--source", "laplace"], ["--n", "2"]])
    def test_other_codecs_meet_the_learned_policy(self, run, more):
        if more[0] == "--codec":
            _, (row,), _ = run("sweep", "--channel", "jammer", "--policy", "learned", "--snr", "4", "--json", *more)
            assert json.loads(row)["ceiling"] is None
            assert json.loads(row)["bound"] < json.loads(row)["exact"]
        else:
            _, lines, _ = run("sweep", "--channel", "jammer", "--snr", "4", "--json", *more)
            assert json.loads(lines[0])["policy"] == "gaussian"

    def test_prints_one_json_object_a_line(self, run):
        code, lines, _ = run("sweep", "--channel", "jammer", "--codec", "linear", "--snr", "0:20:10", "--json")
        rows = [json.loads(line) for line in lines]
        assert code == 0
        assert all(row.keys() >= KEYS for row in rows)
        assert [row["snr_db"] for row in rows] == [0, 10, 20]
        assert all(row["low"] < row["mean"] < row["high"] for row in rows)

    @pytest.mark.parametrize(
        ("grid", "levels"),
        [
            (["--snr"], list(range(0, 21, 2))),
            (["--snr", "-5:5:5"], [-5, 0, 5]),
            (["--snr=-5:5:5"], [-5, 0, 5]),
            (["--snr", "=-5:5:5"], [-5, 0, 5]),
            (["--snr", "0,3,10"], [0, 3, 10]),
            (["--at", "-1"], [-1]),
            (["--at"], list(range(0, 21, 2))),
            ([], list(range(0, 21, 2))),
        ],
    )
    def test_understands_grids(self, run, grid, levels):
        _, lines, _ = run("sweep", "--channel", "awgn", *grid, "--json")
        assert [json.loads(line)["level"] for line in lines] == levels

    def test_grids_of_probabilities_end_where_they_say(self, run):
        _, lines, _ = run("sweep", "--channel", "bsc", "--at", "0:0.2:0.05", "--json", "--codec", "uncoded")
        rows = [json.loads(line) for line in lines]
        assert [row["level"] for row in rows] == [0, 0.05, 0.1, 0.15, 0.2]
        assert all(row["knob"] == "flip" and row["snr_db"] is None for row in rows)

    def test_jsr_is_minus_sjr(self, run):
        common = ("sweep", "--channel", "jammer", "--codec", "linear", "--snr", "10", "--json")
        assert run(*common, "--jsr", "3") == run(*common, "--sjr", "-3")

    def test_the_seed_decides(self, run):
        common = ("sweep", "--channel", "awgn", "--snr", "3", "--json")
        assert run(*common, "--seed", "1") == run(*common, "--seed", "1") != run(*common, "--seed", "2")

    @pytest.mark.slow
    def test_workers_change_nothing(self, run):
        common = ("sweep", "--channel", "jammer", "--codec", "linear", "--snr", "0:20:20", "--json")
        assert run(*common, "--workers", "2") == run(*common)

    def test_images_show_psnr_beside_mse(self, run):
        code, lines, _ = run("sweep", "--channel", "jammer", "--source", "images", "--snr", "10", "--json")
        mse, psnr, of_mse = map(json.loads, lines)
        assert code == 0
        assert mse["source"] == "images"
        assert [row["metric"] for row in (mse, psnr, of_mse)] == ["mse", "psnr", "psnr_of_mse"]
        assert of_mse["mean"] == pytest.approx(-10 * math.log10(mse["mean"])) != pytest.approx(psnr["mean"], rel=1e-4)

    @pytest.mark.parametrize("codec", ["ldpc", "convolutional"])
    def test_coded_words_over_awgn(self, run, codec):
        asked = ("sweep", "--channel", "awgn", "--codec", codec, "--snr", "-3", "--k", "32", "--words", "32", "--json")
        code, lines, _ = run(*asked)
        bler = json.loads(lines[0])
        assert code == 0
        assert (bler["metric"], bler["exact"], bler["verdict"]) == ("bler", None, None)
        assert 0 < bler["low"] < bler["mean"] < bler["high"] <= 1

    def test_draws_what_it_measured(self, run, tmp_path):
        for number, arguments in enumerate((("jammer", "--snr", "0,10"), ("bec-flip", "--at", "0,0.1"))):
            path = tmp_path / f"{number}.png"
            assert run("sweep", "--channel", *arguments, "--plot", str(path))[0] == 0
            assert path.read_bytes()[:4] == b"\x89PNG"

    def test_a_store_resumes(self, run, tmp_path):
        command = ("sweep", "--channel", "awgn", "--snr", "0,3", "--json", "--store", str(tmp_path / "s.jsonl"))
        first = run(*command)
        size = (tmp_path / "s.jsonl").stat().st_size
        assert run(*command) == first
        assert (tmp_path / "s.jsonl").stat().st_size == size

    def test_says_where_an_error_rate_gave_up(self, run):
        code, lines, errors = run("sweep", "--channel", "bsc", "--at", "0,0.1", "--max-words", "99", "--json")
        assert code == 0
        assert {json.loads(line)["complete"] for line in lines} == {True, False}
        assert "see --max-words" in errors[-1]

    def test_a_reader_that_leaves_is_no_verdict(self):
        piped = f"set -o pipefail; {sys.executable} -m jscc_sim.cli sweep --channel awgn --json | head -1"
        assert subprocess.run(["bash", "-c", piped], capture_output=True, check=False).returncode == 141

    def test_exits_1_if_and_only_if_a_verdict_fails(self, run, monkeypatch):
        monkeypatch.setattr("jscc_sim.exact.shared_subspace_payoff", lambda *powers: 0.6)
        assert run("sweep", "--channel", "jammer", "--codec", "linear", "--snr", "10")[0] == 1

    @pytest.mark.slow
    def test_keeps_what_it_measured_when_interrupted(self, tmp_path):
        figure = tmp_path / "figure.png"
        command = [
            sys.executable,
            "-m",
            "jscc_sim.cli",
            "sweep",
            "--channel",
            "awgn",
            "--rel-error",
            "0.0001",
            "--json",
        ]
        deaf = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has its children ignore it
        run = subprocess.Popen(
            [*command, "--snr", "20,0", "--plot", str(figure), "--store", str(tmp_path / "s.jsonl")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGINT, deaf)
        assert json.loads(run.stdout.readline())["snr_db"] == 20
        time.sleep(0.5)
        os.kill(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 130
        assert "the same command resumes" in errors
        assert figure.exists()


class TestRefuses:
    """One clear line on standard error, and exit code 2."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--channel", "jamer"], "did you mean 'jammer'"),
            (["--channel", "awgn", "--snr", "5:0:1"], "has no points"),
            (["--channel", "awgn", "--snr", "0:5:0"], "has no points"),
            (["--channel", "awgn", "--snr", "0:5"], "is not a grid"),
            (["--channel", "awgn", "--snr", ""], "is not a grid"),
            (["--channel", "awgn", "--snr", "abc"], "is not a grid"),
            (["--channel", "awgn", "--snr", "0:1e9:1"], "over 10000 points"),
            (["--channel", "awgn", "--snr", "inf"], "is not finite; give finite dB, and for no jammer --channel awgn"),
            (["--channel", "jammer", "--snr", "5000"], "within ±100"),
            (["--channel", "jammer", "--seed", "-1"], "-1 is not in the range"),
            (["--channel", "jammer", "--sjr", "inf"], "--channel awgn"),
            (["--channel", "jammer", "--sjr", "1", "--jsr", "1"], "say the same thing"),
            (["--channel", "bsc", "--at", "1.5"], "must lie in [0, 1]"),
            (["--channel", "awgn", "--words", "0"], "words must be at least 1"),
            (["--channel", "awgn", "--words", "10", "--rel-error", "0.1"], "do not go with it"),
            (["--channel", "awgn", "--rel-error", "2"], "between 0 and 1"),
            (["--channel", "awgn", "--plot", "x.foo"], "its suffix must be one of"),
            (["--channel", "awgn", "--plot", "no/where/x.png"], "no folder"),
            (["--channel", "awgn", "--store", "no/where/x"], "No such file"),
            (["--channel", "awgn", "--store", "/dev/full"], "not a regular file"),
            (["--channel", "awgn", "--workers", "0"], "0 is not in the range"),
            (["--channel", "awgn", "--workers", "2", "--scheduler", "tcp://x:1"], "does not go with it"),
            (["--channel", "awgn", "--csv", "no/where.csv"], "no folder"),
            (["--channel", "awgn", "--k", "0"], "k must be at least 1, got 0"),
            (["--channel", "awgn", "--k", "-2"], "k must be at least 1, got -2"),
            (["--channel", "awgn", "--n", "0"], "n must be at least 1, got 0"),
            (["--channel", "awgn", "--snr", "nan"], "is not finite"),
            (["--channel", "awgn", "--snr", "-inf"], "is not finite"),
            (["--channel", "rician", "--k-factor", "nan"], "k_factor must be 0 or more"),
            (["--channel", "bsc", "--at", "-0.1"], "must lie in [0, 1], got -0.1"),
            (["--channel", "bsc", "--codec", "linear"], "channel 'bsc' carries antipodal symbols"),
            (["--channel", "bsc", "--codec", "bhc"], "did you mean 'bch'"),
            (["--channel", "bec-flip", "--attack", "steepst"], "attack must be one of"),
            (["--channel", "awgn", "--codec", "no_such_module:make"], "cannot be imported"),
            (["--channel", "awgn", "--codec", "json:nothing"], "has no factory 'nothing'"),
            (["--channel", "awgn", "--words", "1e3"], "not a valid integer"),
            (["--channel", "awgn", "--words", "1000000000000000", "--snr", "0"], "ask for fewer"),
            (["--channel", "awgn", "--rel-error", "1e-9", "--snr", "0"], "ask for fewer"),
            (["--channel", "jammer", "--policy", "no.json"], "no.json is missing"),
            (["--channel", "jammer", "--source", "images:nowhere"], "sets are mnist"),
            (["--bogus"], "No such option"),
            ([], "Missing option '--channel'"),
        ],
    )
    def test_sweeps(self, run, arguments, said):
        code, lines, errors = run("sweep", *arguments)
        assert (code, len(errors)) == (2, 1)
        assert said in errors[0]
        assert not lines

    def test_unknown_commands_with_a_suggestion(self, run):
        code, _, errors = run("swep")
        assert (code, len(errors)) == (2, 1)
        assert "sweep" in errors[0]

    def test_a_full_disk(self, tmp_path):
        limited = f"ulimit -f 1; exec {sys.executable} -m jscc_sim.cli sweep --channel awgn --store {tmp_path}/s --json"
        ran = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
        assert ran.returncode == 2
        assert ran.stderr.splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in ran.stderr


class TestHelp:
    def test_names_every_choice(self, run):
        code, lines, _ = run("sweep", "--help")
        text = " ".join(lines)
        assert code == 0
        for name in [*CHANNEL_NAMES, *CODEC_NAMES, *POLICY_NAMES, *SOURCES, *SETS]:
            assert name in text

    def test_is_shown_when_nothing_is_asked(self, run):
        code, lines, errors = run()
        assert (code, errors) == (2, [])
        assert lines[0].startswith("Usage: jscc-sim")

    def test_of_the_program_is_instant(self):
        clock = "import resource, subprocess, sys; subprocess.run([sys.executable, '-m', 'jscc_sim.cli', '--help'])"
        clock += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)"
        ran = subprocess.run([sys.executable, "-c", clock], capture_output=True, text=True, check=True)
        assert float(ran.stdout.splitlines()[-1]) < 0.4

    def test_version(self, run):
        assert "jscc-sim, version 0.1.0" in run("--version")[1][0]
