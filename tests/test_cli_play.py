"""What ``jscc-sim play`` prints, keeps and refuses, and what becomes of the pairs that it saves."""

import json
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import SimpleNamespace

import pytest

from jscc_sim.checkpoint import Record, save_part
from jscc_sim.game import Game, imitate_two_point
from jscc_sim.players import CODECS, POLICIES

KEYS = {"seed", "payoff_ratio", "upper", "lower", "upper_found", "lower_found", "certified", "ks", "cpu_seconds"}
QUICK = ("--quick", "--steps", "20")

FACTORY = """
import torch
from jscc_sim.codecs import Linear

class Policy(torch.nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return self.shape(torch.randn_like(x))

def wide(k):
    return Policy(lambda a: a.repeat(1, 2))

def infinite(k):
    return Policy(lambda a: a / 0)

def cold(a):
    raise RuntimeError("cold coil")

def broken(k):
    return Policy(cold)

class Codec(Linear):
    def decode(self, y, law):
        return self.shape(super().decode(y, law))

def coded(shape):
    def factory(k, n):
        codec = Codec(k, n)
        codec.shape = shape
        return codec
    return factory

wide_codec = coded(lambda u: u.repeat(1, 2))
infinite_codec = coded(lambda u: u / 0)
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Short starts, to save time."""
    monkeypatch.setattr("jscc_sim.game.imitate_two_point", lambda policy: imitate_two_point(policy, 50, 256))
    monkeypatch.setattr("jscc_sim.game.SIGNALS", 2**12)


def glance(link, *, seed=0, search=False, verdict=None):
    """A certificate that takes no time and says nothing."""
    payoff = float(sum(weight.detach().sum() for weight in link.codec.parameters()))
    nothing = dict.fromkeys(KEYS - {"seed", "cpu_seconds"})
    found = {"value": Game().value, "payoff_ratio": payoff, "low": payoff, "high": payoff, "ks": 0.1, "oblivious": True}
    return SimpleNamespace(record=lambda: {**nothing, **found, "verdict": verdict}, oblivious=True)


@pytest.fixture
def no_training(monkeypatch):
    """From now on nobody may train."""

    def never(*given, **named):
        raise AssertionError("this was trained before")

    return lambda: monkeypatch.setattr("jscc_sim.game.play", never)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder of a pair for single symbols, and what was printed of it."""
    return tmp_path_factory.mktemp("pair"), []


@pytest.fixture
def played(pair, run):
    folder, lines = pair
    if not lines:
        _, printed, errors = run("play", *QUICK, "--json", "--out", str(folder), "--plot", str(folder / "game.png"))
        lines += [*printed, *errors]
    return folder, json.loads(lines[0])


@contextmanager
def interrupting(what, total, unit, part):
    """A progress bar at whose seventh step Ctrl-C is pressed."""

    def tell(finished, *more):
        if finished == 7:
            raise KeyboardInterrupt

    yield tell


def vector_pair(folder):
    """A saved pair of players for words of two symbols, untrained."""
    given = {"policy": {"n": 2, "hidden": 4}, "codec": {"k": 2, "n": 2, "hidden": 4}}
    for kind, known in (("policy", POLICIES), ("codec", CODECS)):
        record = Record(kind, "vector", given[kind], 10.0, 0.0, 0, 1)
        save_part(folder / kind, record, known["vector"](**given[kind]).state_dict())
    return str(folder)


class TestPrints:
    def test_one_object_a_seed(self, played):
        folder, result = played
        assert result.keys() >= KEYS | {"low", "high", "verdict", "k", "snr_db", "sjr_db", "recipe"}
        assert result["low"] < result["payoff_ratio"] < result["high"]
        assert result["lower"] < result["high"]
        assert result["low"] < result["upper"]
        assert (result["certified"], result["seed"]) == (True, 0)
        assert (folder / "game.png").read_bytes()[:4] == b"\x89PNG"

    def test_a_line_a_seed(self, run, monkeypatch):
        monkeypatch.setattr("jscc_sim.game.certify", glance)
        _, lines, _ = run("play", *QUICK, "--seeds", "2", "--seed", "5", "--snr", "-3", "--sjr", "-1")
        assert lines[0].split()[:2] == ["seed", "payoff/J*"]
        assert [line.split()[0] for line in lines[1:]] == ["5", "6"]
        assert len({line.split()[1] for line in lines[1:]}) == 2
        assert all(len(line) <= 120 for line in lines)

    @pytest.mark.parametrize(("verdict", "code"), [("agrees", 0), (None, 0), ("disagrees", 1)])
    def test_exits_1_if_and_only_if_a_verdict_fails(self, verdict, code, run, monkeypatch):
        monkeypatch.setattr("jscc_sim.game.certify", partial(glance, verdict=verdict))
        assert run("play", *QUICK, "--json")[0] == code


class TestKeeps:
    def test_two_seeds_are_not_trained_twice(self, run, tmp_path, monkeypatch, no_training):
        monkeypatch.setattr("jscc_sim.game.certify", glance)
        command = ("play", *QUICK, "--seeds", "2", "--json", "--out", str(tmp_path / "new" / "folder"))
        first = run(*command)
        assert [json.loads(line)["seed"] for line in first[1]] == [0, 1]
        no_training()
        assert run(*command) == first
        code, _, errors = run(*command, "--plot", str(tmp_path / "game.png"))
        assert (code, len(errors)) == (first[0], 1)
        assert "no figure" in errors[0]

    @pytest.mark.parametrize("out", ["given", None])
    def test_interrupted_and_resumed_it_is_as_if_it_had_not_been(self, out, run, tmp_path, played, monkeypatch):
        keep = ("--out", str(tmp_path)) if out else ()
        with monkeypatch.context() as patched:
            patched.setattr(import_module("jscc_sim.cli.play"), "progress_bar", interrupting)
            assert run("play", *QUICK, "--json", *keep)[0] == 130
        if out:
            assert {file.name for file in tmp_path.iterdir()} == {"training.json", "training-7.safetensors"}
            _, lines, _ = run("play", *QUICK, "--json", *keep)
            _, result = played
            assert json.loads(lines[0]) | {"cpu_seconds": 0} == result | {"cpu_seconds": 0}
            assert not list(tmp_path.glob("training*"))

    def test_all_its_seconds_count(self, run, tmp_path, monkeypatch):
        """Those before an interrupt, and those before best responses learned too: here a thousand each."""
        monkeypatch.setattr("jscc_sim.game.certify", glance)
        keep, clock = ("--json", "--out", str(tmp_path)), iter([0.0, 1000.0, 0.0])
        with monkeypatch.context() as patched:
            patched.setattr(import_module("jscc_sim.cli.play"), "progress_bar", interrupting)
            patched.setattr("jscc_sim.train.time", SimpleNamespace(process_time=lambda: next(clock)))
            run("play", *QUICK, *keep)
        seconds = json.loads(run("play", *QUICK, *keep)[1][0])["cpu_seconds"]
        assert 1000 < seconds < 1100
        told = json.loads((tmp_path / "play.json").read_text())
        (tmp_path / "play.json").write_text(json.dumps({**told, "searched": False, "cpu_seconds": 2000.0}))
        thorough = [argument for argument in QUICK if argument != "--quick"]
        assert 2000 < json.loads(run("play", *thorough, *keep)[1][0])["cpu_seconds"] < 2100

    def test_an_unfinished_training_is_of_one_game_only(self, run, tmp_path, monkeypatch):
        keep = ("--out", str(tmp_path))
        with monkeypatch.context() as patched:
            patched.setattr(import_module("jscc_sim.cli.play"), "progress_bar", interrupting)
            run("play", *QUICK, *keep)
        for other in (("--seed", "1"), ("--k", "2"), ("--snr", "3"), ("--recipe", "plain"), ("--shared", "sign")):
            code, lines, errors = run("play", *QUICK, *keep, *other)
            assert (code, len(errors), lines) == (2, 1, [])
            assert f"{tmp_path / 'training.json'} was saved from another" in errors[0]
        (tmp_path / "training-7.safetensors").write_bytes(b"cut")
        code, _, errors = run("play", *QUICK, *keep)
        assert (code, len(errors)) == (2, 1)
        assert "training-7.safetensors is not the file" in errors[0]

    @pytest.mark.parametrize("other", [("--k", "2"), ("--snr", "3"), ("--seed", "1"), ("--codec", "free")])
    def test_another_pair_is_never_overwritten(self, other, run, played):
        code, lines, errors = run("play", *QUICK, "--out", str(played[0]), *other)
        assert (code, len(errors), lines) == (2, 1, [])
        assert f"{played[0]} already holds another game" in errors[0]
        assert "choose another folder" in errors[0]

    def test_divergence_is_one_line(self, run, tmp_path, monkeypatch):
        monkeypatch.setattr("jscc_sim.codecs.TailSafeCodec.decode", lambda codec, y, law: y * float("nan"))
        code, lines, errors = run("play", *QUICK, "--out", str(tmp_path))
        assert (code, len(errors), lines) == (2, 1, [])
        assert "no longer finite" in errors[0]
        assert "(step 0): lower lr" in errors[0]


class TestPairs:
    """What becomes of a saved pair."""

    def test_it_sweeps(self, run, played):
        folder, result = played
        pair = ("--policy", str(folder / "policy.safetensors"), "--codec", str(folder / "codec.json"))
        _, lines, _ = run("sweep", "--channel", "jammer", *pair, "--rel-error", "0.01", "--json")
        row = json.loads(lines[0])
        assert row["snr_db"] == 10
        assert row["low"] < result["high"] * row["exact"]
        assert row["high"] > result["low"] * row["exact"]

    def test_it_is_certified_again(self, run, played):
        folder, result = played
        _, lines, _ = run("certify", "--pair", str(folder), "--quick", "--json")
        again = json.loads(lines[0])
        assert again["upper"] == pytest.approx(result["upper"], rel=1e-6)
        assert again["lower"] == pytest.approx(result["lower"], rel=1e-3)

    @pytest.mark.parametrize(
        "command",
        [
            ("sweep", "--channel", "jammer", "--codec", "PAIR", "--k", "3"),
            ("sweep", "--channel", "jammer", "--policy", "PAIR", "--k", "3"),
            ("sweep", "--channel", "jammer", "--codec", "PAIR", "--policy", "PAIR", "--k", "3"),
            ("certify", "--pair", "PAIR", "--k", "3"),
            ("certify", "--codec", "PAIR", "--k", "3"),
            ("certify", "--policy", "PAIR", "--k", "3"),
        ],
    )
    def test_for_another_k_it_is_refused(self, command, run, tmp_path):
        folder = vector_pair(tmp_path)
        code, lines, errors = run(*(folder if word == "PAIR" else word for word in command))
        assert (code, len(errors), lines) == (2, 1, [])
        assert "3" in errors[0]
        assert "2" in errors[0]

    @pytest.mark.parametrize("damage", ["cut", "changed", "missing", "no JSON", "no fields"])
    @pytest.mark.parametrize("kind", ["policy", "codec"])
    def test_damaged_it_is_refused_by_file(self, kind, damage, run, tmp_path):
        folder = vector_pair(tmp_path)
        weights, described = tmp_path / f"{kind}.safetensors", tmp_path / f"{kind}.json"
        raw = weights.read_bytes()
        {
            "cut": lambda: weights.write_bytes(raw[:-9]),
            "changed": lambda: weights.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1])),
            "missing": weights.unlink,
            "no JSON": lambda: described.write_text("{"),
            "no fields": lambda: described.write_text("{}"),
        }[damage]()
        for command in (
            ("sweep", "--channel", "jammer", "--policy", folder, "--codec", folder),
            ("certify", "--pair", folder, "--quick"),
        ):
            code, lines, errors = run(*command)
            assert (code, len(errors), lines) == (2, 1, [])
            assert str(tmp_path / kind) in errors[0]


class TestRefuses:
    """One clear line on standard error, and exit code 2."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--k", "0"], "not in the range"),
            (["--k", "65"], "not in the range"),
            (["--snr", "nan"], "is not finite"),
            (["--sjr", "inf"], "is not finite"),
            (["--snr", "200"], "within ±100"),
            (["--steps", "0"], "not in the range"),
            (["--steps", "1.5"], "not a valid integer"),
            (["--seeds", "0"], "not in the range"),
            (["--seed", "-1"], "not in the range"),
            (["--seed", "4294967296"], "not in the range"),
            (["--seed", "4294967295", "--seeds", "2"], "seeds end at 4294967295"),
            (["--codec", "vectr"], "is not one of"),
            (["--policy", "gaussian"], "is not one of"),
            (["--shared", "key"], "is not one of"),
            (["--recipe", "word"], "did you mean 'words'"),
            (["--tap-noise", "0.5"], "--tap-noise means nothing to policy 'per-symbol'"),
            (["--policy", "tap", "--tap-noise", "-1"], "not in the range"),
            (["--policy", "tap", "--tap-noise", "inf"], "must be 0 or more and finite"),
            (["--policy", "tap", "--tap-noise", "nan"], "must be 0 or more and finite"),
            (["--device", "nonsense"], "cannot compute on 'nonsense'"),
            (["--device", "meta"], "it must be cpu or cuda"),
            (["--plot", "game.nonsense"], "must be one of"),
            (["--plot", "/no/such/folder/game.png"], "no folder /no/such/folder"),
            (["--bogus"], "No such option"),
            (["argument"], "unexpected extra argument"),
        ],
    )
    def test_options(self, arguments, said, run):
        code, lines, errors = run("play", *arguments)
        assert (code, len(errors), lines) == (2, 1, [])
        assert said in errors[0]

    def test_a_file_as_folder(self, run, tmp_path):
        (tmp_path / "file").write_text("")
        code, _, errors = run("play", "--out", str(tmp_path / "file"))
        assert (code, len(errors)) == (2, 1)
        assert "file is not a folder" in errors[0]

    @pytest.mark.parametrize(
        ("text", "said"), [("", "does not describe a game"), ("[]", "does not describe a game"), ("{}", "it lacks")]
    )
    def test_a_folder_whose_result_is_none(self, text, said, run, tmp_path):
        (tmp_path / "play.json").write_text(text)
        code, _, errors = run("play", *QUICK, "--out", str(tmp_path))
        assert (code, len(errors)) == (2, 1)
        assert "play.json" in errors[0]
        assert said in errors[0]

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (("certify", "--quick", "--policy", "ill:wide"), "the policy's signal has shape"),
            (("certify", "--quick", "--policy", "ill:infinite"), "not finite"),
            (
                ("certify", "--quick", "--policy", "ill:broken"),
                "ill:broken failed on words (64, 1): RuntimeError: cold",
            ),
            (("sweep", "--channel", "jammer", "--policy", "ill:broken"), "RuntimeError: cold coil"),
            (("certify", "--quick", "--codec", "ill:wide_codec"), "decode of ill:wide_codec returned shape"),
            (
                ("certify", "--quick", "--codec", "ill:infinite_codec"),
                "ill:infinite_codec returned numbers",
            ),
            (("sweep", "--channel", "jammer", "--codec", "ill:wide_codec"), "ill:wide_codec returned shape"),
            (("sweep", "--channel", "jammer", "--codec", "ill:infinite_codec"), "numbers that are not finite"),
        ],
    )
    def test_players_of_ones_own_that_misbehave(self, command, said, run, tmp_path, monkeypatch):
        (tmp_path / "ill.py").write_text(FACTORY)
        monkeypatch.chdir(tmp_path)
        code, lines, errors = run(*command)
        assert (code, len(errors), lines) == (2, 1, [])
        assert said in errors[0]
