"""Mechanics of training and playing, on tiny budgets; what longer games reach stands in benchmarks/README.md."""

import copy
import json

import numpy as np
import pytest
import torch

from channels import AWGN, Jammer, NeuralPolicy, TwoPointPolicy
from jscc_sim.catalog import Request, load_pair, make_cases
from jscc_sim.codecs import Linear, NeuralCodec
from jscc_sim.game import Game, imitate_two_point, jam_signals, measure, play, save
from jscc_sim.gaussianity import ks
from jscc_sim.link import Link
from jscc_sim.montecarlo import Case, sweep
from jscc_sim.regularisers import JammingRegulariser
from jscc_sim.sources import Gaussian
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.train import fit, freeze

GAME = Game(steps=60)


@pytest.fixture(scope="module")
def played():
    return play(GAME)


class TestFit:
    def test_a_codec_learns_against_nature(self):
        torch.manual_seed(0)
        link = Link(Gaussian(), NeuralCodec(hidden=16), AWGN(0.5))
        losses = list(fit(link, 400, batch=256))
        assert np.mean(losses[-50:]) == pytest.approx(1 / 3, rel=0.05)
        assert not link.codec.training

    def test_a_link_without_parameters_is_refused(self):
        with pytest.raises(ValueError, match="nothing to train"):
            next(fit(Link(Gaussian(), Linear(), Jammer(TwoPointPolicy(), 0.1)), 1))

    def test_divergence_stops_with_the_step(self):
        link = Link(Gaussian(), NeuralCodec(hidden=4), AWGN(0.5))
        with torch.no_grad():
            link.codec.decoder.line.weight.fill_(torch.nan)
        with pytest.raises(FloatingPointError, match="nan at step 0"):
            list(fit(link, 5))

    def test_the_jammer_raises_what_the_codec_lowers(self):
        """A codec that knows a two-point jammer and then rests loses to one that learns."""
        torch.manual_seed(0)
        codec = NeuralCodec(hidden=16)
        list(fit(Link(Gaussian(), codec, Jammer(TwoPointPolicy(), 0.1)), 300, batch=256))
        codec.requires_grad_(False)
        link = Link(Gaussian(), codec, Jammer(NeuralPolicy(hidden=16), 0.1))
        imitate_two_point(link.channel.policy)
        freeze(link)
        (before,) = sweep([Case(link)])
        weights = copy.deepcopy(codec.state_dict())
        list(fit(link, 150, batch=256))
        (after,) = sweep([Case(link)])
        assert after.low > 1.02 * before.high
        assert all(torch.equal(weights[name], codec.state_dict()[name]) for name, _ in codec.named_parameters())


class TestPlay:
    def test_starts_from_two_points(self):
        torch.manual_seed(0)
        policy = NeuralPolicy()
        imitate_two_point(policy)
        signals = jam_signals(policy)
        assert ks(signals) > 0.2
        assert 0.8 < np.median(np.abs(signals)) < 1.2

    def test_repeats_exactly(self, played):
        again = play(GAME)
        assert again.ratios == played.ratios
        assert all(np.array_equal(again.jammers[step], signals) for step, signals in played.jammers.items())

    def test_keeps_the_jammer_over_time(self, played):
        assert list(played.jammers) == [0, 12, 60]
        assert len(played.ratios) == 60

    def test_measures_the_payoff_and_the_jammer(self, played):
        result = measure(played)
        assert result["low"] < result["payoff_ratio"] < result["high"]
        assert 0 < result["ks_null"] < result["ks"] < 0.4

    def test_freezes_both_powers(self, played):
        link = played.link
        assert not link.codec.training
        assert not link.channel.training
        with torch.no_grad():
            assert float(link.codec.encode(torch.randn(2**18, 1)).square().mean()) == pytest.approx(1, rel=0.02)
            assert float(link.channel.limit(played.policy(torch.zeros(2**18, 1))).square().mean()) == pytest.approx(
                1, rel=0.02
            )

    def test_a_saved_pair_sweeps_and_regularises(self, played, tmp_path):
        result = measure(played)
        save(played, result, tmp_path)
        assert json.loads((tmp_path / "play.json").read_text()) == result
        (case,) = make_cases(Request("jammer", codecs=(str(tmp_path),), policy=str(tmp_path)))
        assert case.labels["snr_db"] == 10.0
        assert case.exact["mse"] == pytest.approx(float(scalar_payoff(1, 1, 1, 0.1)))
        (row,) = sweep([case])
        assert row.mean == pytest.approx(result["payoff_ratio"] * GAME.value)

        reg = JammingRegulariser(*load_pair(tmp_path))
        assert reg.value == pytest.approx(GAME.value)
        z = torch.randn(64, 3, requires_grad=True)
        reg(reg.norm(z)).backward()
        assert z.grad.abs().sum() > 0

    def test_a_learned_codec_away_from_home_has_no_exact_value(self, played, tmp_path):
        save(played, {}, tmp_path)
        away = make_cases(Request("jammer", codecs=(str(tmp_path),), snr_db=(0.0,)))[0]
        assert not away.exact
        linear = make_cases(Request("jammer", codecs=("linear",), policy=str(tmp_path), snr_db=(0.0,)))[0]
        assert linear.exact["mse"] == pytest.approx(2 / 3)

    def test_longer_words_sweep_by_themselves(self, tmp_path):
        save(play(Game(k=2, steps=5)), {}, tmp_path)
        for asked in (Request("jammer", codecs=(str(tmp_path),)), Request("jammer", policy=str(tmp_path))):
            (case,) = make_cases(asked)
            assert case.labels["k"] == case.labels["n"] == 2
            (row,) = sweep([case])
            assert row.words > 0

    def test_names_a_missing_device(self):
        with pytest.raises(ValueError, match="cannot compute on 'nonsense'"):
            play(GAME, device="nonsense")
