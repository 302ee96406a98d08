"""The pairs that come along, and those that are trained once and kept."""

import json

import pytest
import torch

from channels import Jammer, NeuralPolicy, PerSymbolPolicy
from jscc_sim import pairs
from jscc_sim.catalog import Request, make_cases
from jscc_sim.certificates import certify
from jscc_sim.game import Game, saved_link
from jscc_sim.pairs import SHIPPED, key, pair_for
from jscc_sim.train import RECIPES, Recipe

LEVELS = range(0, 21, 2)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache of its own, and a recipe that ends at once."""
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    monkeypatch.setitem(RECIPES, "averaged", Recipe(steps=3, batch=64))
    return tmp_path


class TestShipped:
    @pytest.mark.parametrize("level", LEVELS)
    def test_each_is_the_pair_of_the_game_as_it_is_played_today(self, level, tmp_path, monkeypatch):
        """Whoever changes how players learn has to train them anew: nothing is trained here."""
        monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
        pair = pair_for(float(level), 0.0)
        assert pair.game == Game(snr_db=level)
        assert isinstance(pair.policy.policy, NeuralPolicy)
        value = pair.game.value
        assert 0.995 <= pair.lower / value <= 1.0001 <= pair.upper / value + 2e-4 <= 1.01
        assert not list(tmp_path.iterdir())

    def test_nothing_else_comes_along(self):
        games = {key(Game(snr_db=float(level))) for level in LEVELS}
        assert {path.name for path in SHIPPED.iterdir() if path.is_dir() and path.name != "__pycache__"} == games

    @pytest.mark.slow
    @pytest.mark.parametrize("level", [0.0, 10.0, 20.0])
    def test_its_bounds_are_what_certify_proves_today(self, level):
        game = Game(snr_db=level)
        found = certify(saved_link(game, SHIPPED / key(game)), search=False)
        pair = pair_for(level, 0.0)
        assert found.claim.verdict == "agrees"
        assert pair.upper == pytest.approx(found.upper.value * game.value, abs=1e-6)
        assert pair.lower == pytest.approx(found.lower.value * game.value, abs=1e-6)


class TestTrained:
    def test_a_pair_is_trained_once_and_kept(self, home, monkeypatch):
        steps = []
        first = pair_for(7.0, 3.0, lambda game, step: steps.append((game, step.number)))
        assert steps == [(first.game, 1), (first.game, 2), (first.game, 3)]
        monkeypatch.setattr(pairs, "play", None)
        again = pair_for(7.0, 3.0)
        u = torch.randn(5, 1)
        assert torch.equal(again.codec.encode(u), first.codec.encode(u))
        assert (again.lower, again.upper) == (first.lower, first.upper)

    def test_another_recipe_is_another_pair(self, home, monkeypatch):
        game = Game(snr_db=7.0)
        monkeypatch.setitem(RECIPES, "averaged", Recipe(steps=4, batch=64))
        assert key(Game(snr_db=7.0)) != key(game)
        names = {key(Game(snr_db=snr, sjr_db=sjr, seed=seed)) for snr in (0, 1) for sjr in (0, 1) for seed in (0, 1)}
        assert len(names) == 8
        assert key(Game(snr_db=0, sjr_db=-0.0)) == key(Game(snr_db=0.0, sjr_db=0.0))

    def test_an_interrupted_training_goes_on(self, home, monkeypatch):
        def stop(game, step):
            if step.number == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pair_for(7.0, 3.0, stop)
        heard = []
        pair_for(7.0, 3.0, lambda game, step: heard.append(step.number))
        assert heard == [3]

    def test_a_damaged_one_is_named(self, home):
        pair = pair_for(7.0, 3.0)
        path = home / "pairs" / key(pair.game) / "play.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "k": 2}))
        with pytest.raises(FileExistsError, match=r"already holds another game \(k 2 where 1 is asked\)"):
            pair_for(7.0, 3.0)
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "k": 1, "codec_sha256": "0"}))
        with pytest.raises(ValueError, match="is not about the parts beside it"):
            pair_for(7.0, 3.0)
        path.write_text("{")
        with pytest.raises(ValueError, match=r"play\.json does not describe a game"):
            pair_for(7.0, 3.0)


class TestCases:
    @pytest.mark.parametrize("k", [1, 5])
    def test_one_pair_serves_words_of_any_length(self, k):
        (case,) = make_cases(Request("jammer", snr_db=(10.0,), k=k))
        assert case.link.codec.k == case.link.source.k == k
        assert isinstance(case.link.channel.policy, PerSymbolPolicy)
        assert case.exact["mse"] == pytest.approx(1.1 / 2.1)
        assert case.bounds["mse"] < case.exact["mse"] < case.ceilings["mse"]

    def test_the_ceiling_is_about_jammers_that_see_nothing(self):
        for policy, known in (("two-point", True), ("tap", False), ("source-aware", False)):
            (case,) = make_cases(Request("jammer", codecs=("learned",), policy=policy, snr_db=(10.0,)))
            assert bool(case.ceilings) == known
            assert not case.bounds
            assert isinstance(case.link.channel, Jammer)

    def test_without_a_jammer_there_is_no_learned_codec(self):
        with pytest.raises(ValueError, match="use --channel jammer"):
            make_cases(Request("awgn", codecs=("learned",), snr_db=(10.0,)))
