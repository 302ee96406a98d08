"""Mechanics of a game, on tiny budgets; what longer games reach stands in benchmarks/README.md."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from channels import SECRETS, Jammer, SharedRotation, SharedSign, TapPolicy
from jscc_sim.catalog import Request, load_pair, make_cases
from jscc_sim.certificates import certify
from jscc_sim.codecs import Linear
from jscc_sim.game import (
    Game,
    bound,
    certified,
    describe,
    digests,
    imitate_two_point,
    jam_signals,
    measure,
    play,
    recall,
    save,
    save_result,
)
from jscc_sim.gaussianity import ks
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.players import CODECS, POLICIES
from jscc_sim.regularisers import JammingRegulariser
from jscc_sim.sources import Gaussian
from jscc_sim.theory.informed import tap_payoff
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.train import Recipe

SHORT = Recipe(steps=10, batch=128)
GAME = Game(recipe=Recipe(steps=60, batch=256))
GAMES = {
    "per-symbol": Game(k=2, recipe=SHORT),
    "vector": Game(k=2, codec="vector", policy="vector", recipe=SHORT),
    "sign": Game(policy="tap", tap_noise=0.5, shared="sign", recipe=SHORT),
    "rotation": Game(k=2, codec="free", policy="source", shared="rotation", recipe=SHORT),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Powers measured on fewer words than in earnest, to save time."""
    monkeypatch.setattr("channels.jammer.MEASURED_SYMBOLS", 2**16)
    monkeypatch.setattr("jscc_sim.link.SYMBOLS", 2**14)
    monkeypatch.setattr("jscc_sim.train.SAMPLES", 2**14)


@pytest.fixture
def tiny(monkeypatch):
    """Players of a few units that hardly imitate anything."""
    monkeypatch.setattr("jscc_sim.game.SYMBOL_NET", 4)
    monkeypatch.setattr("jscc_sim.game.WORD_NET", 4)
    monkeypatch.setattr("jscc_sim.game.SIGNALS", 2**10)
    monkeypatch.setattr("jscc_sim.game.imitate_two_point", lambda policy: imitate_two_point(policy, 3, 64))


@pytest.fixture(scope="module")
def played():
    return play(GAME)


@pytest.fixture(scope="module")
def result(played):
    return {**describe(GAME), **measure(GAME, played.link, search=False), "cpu_seconds": 1.0}


def interrupted(game, saved, number):
    """Play until so many steps were told, then hear Ctrl-C."""

    def progress(step):
        if step.number == number:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(game, saved=saved, progress=progress)


def weights(played):
    parts = (played.codec, played.link.channel)
    return [tensor for part in parts for tensor in part.state_dict().values()]


class TestGame:
    @pytest.mark.parametrize("wrong", [{"codec": "vectr"}, {"policy": "blind"}, {"shared": "key"}])
    def test_names_what_is_unknown(self, wrong):
        ((name, value),) = wrong.items()
        with pytest.raises(ValueError, match=f"no {name} is called '{value}': choose from"):
            Game(**wrong)

    def test_its_value_is_the_saddle_value(self):
        assert Game(snr_db=10, sjr_db=3).value == pytest.approx(float(scalar_payoff(1, 1, 10**-0.3, 0.1)))
        tap = Game(policy="tap", tap_noise=0.4)
        assert tap.value == pytest.approx(float(tap_payoff(1, 1, 1, 0.1, 0.4)))

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("policy", POLICIES)
    def test_any_players_meet(self, codec, policy):
        game = Game(k=2, codec=codec, policy=policy)
        link = game.link(game.jammer())
        link.codec.train()
        u = link.source.draw(8)
        assert link.channel.train().transmit(link.codec.encode(u), u)[0].shape == (8, 2)

    def test_secrets_are_wrapped_round_the_jammer(self):
        assert [type(Game(shared=secret).link(GAME.jammer()).channel).__name__ for secret in (None, *SECRETS)] == [
            "Jammer",
            SharedRotation.__name__,
            SharedSign.__name__,
        ]

    def test_described_it_can_be_written_and_compared(self):
        told = describe(GAME)
        assert json.loads(json.dumps(told)) == told
        for other in ({"k": 2}, {"snr_db": 9.0}, {"seed": 1}, {"shared": "sign"}, {"recipe": SHORT}):
            assert describe(replace(GAME, **other)) != told


class TestPlay:
    def test_starts_from_two_points(self):
        torch.manual_seed(0)
        signals = jam_signals(GAME.jammer(), 1)
        assert ks(signals[:, None]) > 0.15
        assert 0.8 < np.median(np.abs(signals)) < 1.2
        assert np.mean(signals**2) == pytest.approx(1)

    @pytest.mark.usefixtures("tiny")
    @pytest.mark.parametrize("name", GAMES)
    def test_repeats_exactly_and_leaves_the_generator_alone(self, name):
        one = play(GAMES[name])
        torch.manual_seed(8)
        expected = torch.rand(1)
        torch.manual_seed(8)
        other = play(GAMES[name])
        assert torch.rand(1) == expected
        assert one.ratios == other.ratios
        assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))
        assert all(np.array_equal(one.jammers[step], other.jammers[step]) for step in one.jammers)

    @pytest.mark.usefixtures("tiny")
    def test_seeds_differ(self):
        game = GAMES["per-symbol"]
        assert play(game).ratios != play(replace(game, seed=1)).ratios

    def test_keeps_the_jammer_over_time(self, played):
        assert list(played.jammers) == [0, 12, 60]
        assert len(played.ratios) == 60

    def test_measures_the_payoff_and_the_jammer(self, result):
        assert result["low"] < result["payoff_ratio"] < result["high"]
        assert 0 < result["ks_null"] < result["ks"] < 0.4
        assert result["lower"] < result["payoff_ratio"] < result["upper"]

    @pytest.mark.usefixtures("tiny")
    def test_tells_each_step_relative_to_the_value(self):
        heard = []
        played = play(GAMES["per-symbol"], progress=heard.append)
        assert [step.number for step in heard] == list(range(1, 11))
        assert [step.payoff for step in heard] == pytest.approx(played.ratios)

    def test_freezes_both_powers(self, played):
        link = played.link
        assert not any(part.training for part in (link.codec, link.channel))
        torch.manual_seed(1)
        with torch.no_grad():
            sent = link.codec.encode(torch.randn(2**18, 1))
            spent = link.channel.limit(played.jammer.policy(torch.zeros(2**18, 1)))
        for signal in (sent, spent):
            powers = signal.double().square()
            assert abs(float(powers.mean()) - 1) < 4.5 * float(powers.std()) / 2**9

    @pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
    def test_names_a_missing_device(self, device):
        with pytest.raises(ValueError, match=f"cannot compute on '{device}'"):
            play(GAME, device=device)


@pytest.mark.usefixtures("tiny")
class TestInterrupted:
    @pytest.mark.parametrize("number", [3, 10])
    @pytest.mark.parametrize("name", GAMES)
    def test_it_ends_as_if_it_had_not_been(self, name, number, tmp_path):
        interrupted(GAMES[name], tmp_path / "training", number)
        played, expected = play(GAMES[name], saved=tmp_path / "training"), play(GAMES[name])
        assert played.ratios == expected.ratios
        assert all(torch.equal(a, b) for a, b in zip(weights(played), weights(expected), strict=True))
        assert np.array_equal(played.jammers[10], expected.jammers[10])
        assert played.earlier > expected.earlier == 0.0

    @pytest.mark.parametrize(
        "other", [{"seed": 1}, {"k": 3}, {"snr_db": 9.0}, {"shared": "sign"}, {"recipe": Recipe(steps=11)}]
    )
    def test_another_game_does_not_go_on_from_there(self, other, tmp_path):
        """Not even one that differs in its seed alone: it would be reported under the wrong one."""
        interrupted(GAMES["per-symbol"], tmp_path / "training", 3)
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        with pytest.raises(ValueError, match=r"training\.json was saved from another"):
            play(replace(GAMES["per-symbol"], **other), saved=tmp_path / "training")
        assert files == {file.name: file.read_bytes() for file in tmp_path.iterdir()}


class TestSaved:
    def test_it_is_recalled(self, played, result, tmp_path):
        assert recall(GAME, tmp_path) is None
        assert recall(GAME, tmp_path / "nowhere") is None
        save(played, result, tmp_path)
        known = recall(GAME, tmp_path)
        assert known == json.loads((tmp_path / "play.json").read_text()) == {**result, **digests(tmp_path)}

    @pytest.mark.parametrize("other", [{"k": 2}, {"snr_db": 5.0}, {"codec": "free"}, {"seed": 3}, {"recipe": SHORT}])
    def test_another_game_is_refused_by_name(self, other, played, result, tmp_path):
        save(played, result, tmp_path)
        (name,) = other
        with pytest.raises(FileExistsError, match=rf"already holds another game \({name} .*\): choose another folder"):
            recall(replace(GAME, **other), tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[]", "5", "{}", '{"k": 1}'])
    def test_a_result_that_is_none_is_named(self, text, tmp_path):
        (tmp_path / "play.json").write_text(text)
        with pytest.raises(ValueError, match=r"play\.json (does not describe a game|is damaged, it lacks)"):
            recall(GAME, tmp_path)

    def test_what_is_proved_goes_with_the_parts(self, played, result, tmp_path):
        save(played, {**result, "lower": 0.9, "upper": 1.1}, tmp_path)
        assert (
            certified(tmp_path, "policy")
            == certified(tmp_path, "codec")
            == {**result, **digests(tmp_path)}
            | {
                "lower": 0.9,
                "upper": 1.1,
            }
        )
        assert certified(tmp_path / "policy.json", "policy") == {}
        named = {"policy": str(tmp_path), "codecs": (str(tmp_path),)}
        value, (case,) = GAME.value, make_cases(Request("jammer", **named))
        assert (case.bounds["mse"], case.ceilings["mse"]) == pytest.approx((0.9 * value, 1.1 * value))
        with pytest.warns(UserWarning, match="trained at SNR 10 dB, SJR 0 dB: elsewhere nothing"):
            (case,) = make_cases(Request("jammer", **named, snr_db=(0.0,)))
        assert (case.bounds, case.ceilings) == ({}, {})
        save_result({**result, **digests(tmp_path), "codec_sha256": "0"}, tmp_path)
        assert certified(tmp_path, "codec") == {}
        assert certified(tmp_path, "policy")

    @pytest.mark.parametrize("text", ["", "{", "[]", "5", "{}", '{"codec_sha256": 3}'])
    def test_a_result_that_is_none_proves_nothing(self, text, played, result, tmp_path):
        save(played, result, tmp_path)
        (tmp_path / "play.json").write_text(text)
        assert certified(tmp_path, "codec") == {}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0, True, "0.9", [], None])
    def test_what_is_no_number_is_no_bound(self, value):
        assert bound({"upper": value, "value": 1}, "upper") is bound({"lower": value, "value": 1}, "lower") is None
        assert bound({"upper": 1, "value": value}, "upper") is bound({"lower": 1, "value": value}, "lower") is None

    def test_all_numbers_are_in_units_of_the_games_own_value(self):
        """The optimal linear codec against an optimal tap: jammers that see nothing can do no more to it."""
        game = Game(policy="tap", sjr_db=6.0)
        _, jam_power, noise_power = game.powers
        link = Link(Gaussian(), Linear(), Jammer(TapPolicy(0.0), noise_power, jam_power)).eval()
        found, plain = measure(game, link, search=False), certify(link, search=False)
        assert found["value"] == game.value > plain.value
        for name in ("payoff_ratio", "low", "high", "upper"):
            assert found[name] * found["value"] == pytest.approx(plain.record()[name] * plain.value)
        assert found["verdict"] == "agrees"
        assert found["upper"] <= 1

    def test_a_codec_above_the_saddle_value_proves_no_jammer_wrong(self):
        assert bound({"upper": 2.0, "value": 0.5}, "upper") == 1.0
        assert bound({"lower": 2.0, "value": 0.5}, "lower") is None

    @pytest.mark.usefixtures("tiny")
    def test_a_codec_that_met_an_informed_jammer_has_no_exact_value_against_another(self, tmp_path):
        for policy, known in (("tap", False), ("per-symbol", True)):
            game = Game(policy=policy, recipe=SHORT)
            save(play(game), describe(game), tmp_path / policy)
            (case,) = make_cases(Request("jammer", policy="gaussian", codecs=(str(tmp_path / policy),)))
            assert bool(case.exact) is known

    def test_it_counts_only_while_its_parts_are_whole(self, played, result, tmp_path):
        save(played, result, tmp_path)
        weights = (tmp_path / "codec.safetensors").read_bytes()
        (tmp_path / "codec.safetensors").write_bytes(weights[:-1])
        with pytest.raises(ValueError, match=r"codec\.safetensors is not the file"):
            recall(GAME, tmp_path)

    @pytest.mark.usefixtures("tiny")
    def test_the_unfinished_training_goes_and_nothing_else(self, played, tmp_path):
        interrupted(GAMES["per-symbol"], tmp_path / "training", 3)
        mine = {"training.py", "training_notes.txt", "trainings"}
        for name in mine - {"trainings"}:
            (tmp_path / name).write_text("mine")
        (tmp_path / "trainings").mkdir()
        save(played, {}, tmp_path)
        pair = {f"{kind}.{suffix}" for kind in ("policy", "codec") for suffix in ("json", "safetensors")}
        assert {file.name for file in tmp_path.iterdir()} == {"play.json"} | pair | mine

    def test_the_pair_sweeps_and_regularises(self, played, result, tmp_path):
        save(played, result, tmp_path)
        (case,) = make_cases(Request("jammer", codecs=(str(tmp_path),), policy=str(tmp_path)))
        assert case.labels["snr_db"] == 10.0
        assert case.exact["mse"] == pytest.approx(float(scalar_payoff(1, 1, 1, 0.1)))
        (row,) = sweep([case], Budget(rel_error=0.003))
        assert row.low < result["high"] * GAME.value
        assert row.high > result["low"] * GAME.value

        reg = JammingRegulariser(*load_pair(tmp_path))
        assert reg.value == pytest.approx(GAME.value)
        z = torch.randn(64, 3, requires_grad=True)
        reg(reg.norm(z)).backward()
        assert z.grad.abs().sum() > 0

    @pytest.mark.filterwarnings("ignore:these parts were trained")
    def test_away_from_home_a_learned_codec_has_no_exact_value(self, played, tmp_path):
        save(played, {}, tmp_path)
        away = make_cases(Request("jammer", codecs=(str(tmp_path),), snr_db=(0.0,)))[0]
        assert not away.exact
        linear = make_cases(Request("jammer", codecs=("linear",), policy=str(tmp_path), snr_db=(0.0,)))[0]
        assert linear.exact["mse"] == pytest.approx(2 / 3)

    @pytest.mark.usefixtures("tiny")
    def test_longer_words_sweep_by_themselves(self, tmp_path):
        save(play(GAMES["vector"]), {}, tmp_path)
        for asked in (Request("jammer", codecs=(str(tmp_path),)), Request("jammer", policy=str(tmp_path))):
            (case,) = make_cases(asked)
            assert case.labels["k"] == case.labels["n"] == 2
            (row,) = sweep([case])
            assert row.words > 0
