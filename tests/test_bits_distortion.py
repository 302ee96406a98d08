"""What codecs of bits are worth, searched or not. Statistical tests have fixed seeds; z beyond 5 has chance 6e-7."""

import itertools

import numpy as np
import pytest
import torch
from small_bits import PARTS, SHAPE, Heard, N, every_word, learned, untrained

from channels import AWGN, BEC, BSC
from jscc_sim.bits import SearchedCodec, bayes_receiver, distortion, flat
from jscc_sim.bits.distortion import drawing
from jscc_sim.bits.search import TRIED, chosen_search
from jscc_sim.codecs import BinaryCodec


@pytest.fixture
def codec():
    return untrained()


@pytest.fixture(scope="module")
def trained():
    return learned()


class TestDistortion:
    def test_is_measured_in_float32(self, trained):
        """Even where the machine would gain from bfloat16."""
        seen = set()
        hooks = [
            layer.register_forward_hook(lambda layer, args, y: seen.add(y.dtype)) for layer in trained.codec.modules()
        ]
        distortion(trained.codec, BSC(0.2), flat(PARTS.test), draws=1)
        for hook in hooks:
            hook.remove()
        assert seen == {torch.float32}

    def test_is_the_mean_over_images_and_draws(self, trained):
        images, channel = flat(PARTS.test), BSC(0.2)
        found = distortion(trained.codec, channel, images, draws=200)
        torch.manual_seed(1)
        word = trained.codec.encode(images).repeat(200, 1)
        with torch.no_grad():
            errors = (images.repeat(200, 1) - trained.codec.decode(channel(word), channel)).square().sum(-1)
        # The images are the same: only the channel's draws differ.
        by_image = errors.view(200, -1)
        error = float((by_image.var(0).mean() / by_image.numel()).sqrt()) * 2**0.5
        assert abs(found.mean - float(errors.mean())) < 5 * error

    @pytest.mark.parametrize("kind", [BSC, BEC])
    def test_does_not_fall_with_noise(self, kind):
        """R(ε), the least error of a receiver that knows the code: a worse channel is a better one, degraded."""
        torch.manual_seed(0)
        codec = BinaryCodec(SHAPE, N, "paper").eval()
        images = flat(PARTS.train)
        words = codec.encode(images).detach()
        risks = []
        for level in (0.0, 0.1, 0.2, 0.35, 0.5):
            total = 0.0
            for received in every_word(N, erased=kind is BEC):
                y = received.expand(len(words), -1)
                chance = kind(level).log_prob(y, words).sum(-1).exp()
                told = bayes_receiver(received[None], words, images, kind(level))
                total += float((chance * (images - told).square().sum(-1)).mean())
            risks.append(total)
        assert (np.diff(risks) > -1e-4).all()
        assert risks[0] < risks[-1]

    def test_drawn_words_are_others_than_the_likeliest(self, trained):
        plain, drawn = (
            distortion(codec, BSC(0.1), flat(PARTS.test), draws=20).mean
            for codec in (trained.codec, drawing(trained.codec))
        )
        assert plain < drawn
        assert not trained.codec.sampled

    def test_leaves_the_codec_as_it_was(self, codec):
        distortion(codec.train(), BSC(0.1), flat(PARTS.test), draws=1)
        assert codec.training


class TestSearch:
    @pytest.fixture(autouse=True)
    def in_float32(self, monkeypatch):
        """Whatever the machine gains from."""
        monkeypatch.setattr("jscc_sim.bits.search.gains_from_bf16", lambda device: False)

    @pytest.mark.parametrize(
        ("flip", "draws", "slack"),
        [
            (0.3, 128, 0.01),
            pytest.param(0.1, 512, 0.002, marks=pytest.mark.slow),
            pytest.param(0.3, 2048, 0.002, marks=pytest.mark.slow),
        ],
    )
    def test_lowers_the_error_over_all_there_is_of_noise(self, trained, flip, draws, slack):
        """By enumeration; on so many draws the gains by chance, one in six, cost next to nothing."""
        images = flat(PARTS.test)
        plain = trained.codec.encode(images).detach()
        torch.manual_seed(3)
        found = SearchedCodec(trained.codec, BSC(flip), draws=draws, rounds=6, tried=3).improve(images, plain)
        patterns = torch.tensor(list(itertools.product((1.0, -1.0), repeat=N)))
        chances = torch.where(patterns > 0, 1 - flip, flip).prod(1)
        before, after = (
            (trained.codec.loss(images, x * patterns.unsqueeze(1), BSC(flip)) * chances.unsqueeze(1)).sum(0).detach()
            for x in (plain, found)
        )
        assert (after <= (1 + slack) * before).all()
        assert after.mean() < before.mean()

    def test_on_many_draws_it_helps_for_good(self, trained):
        images = flat(PARTS.test)
        searched = SearchedCodec(trained.codec, BSC(0.1), draws=64, rounds=6, tried=N)
        plain, better = (distortion(c, BSC(0.1), images, draws=100).mean for c in (trained.codec, searched))
        assert better < plain

    def test_leaves_the_codec_in_evaluation(self, trained):
        distortion(SearchedCodec(trained.codec, BSC(0.1), draws=4), BSC(0.1), flat(PARTS.test)[:4], draws=1)
        assert not trained.codec.training

    def test_is_chosen_by_images(self, trained, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((2, 1, 1), (32, 6, 4)))
        searched, found = chosen_search(trained.codec, BSC(0.1), flat(PARTS.validation))
        assert list(found) == ["2x1x1", "32x6x4"]
        assert found[f"{searched.draws}x{searched.rounds}x{searched.tried}"] == min(found.values())

    def test_meets_the_noise_of_words_as_they_are_and_never_searches_on_it(self, trained):
        images, channel = flat(PARTS.test), Heard(0.4)
        distortion(SearchedCodec(trained.codec, channel, draws=8), channel, images, draws=1)
        distortion(trained.codec, channel, images, draws=1)
        searching, *sending = channel.factors
        assert torch.equal(*sending)
        assert not any(torch.equal(draw, sending[0]) for draw in searching)

    def test_no_search_is_among_those_to_choose_from(self, trained):
        images = flat(PARTS.test)
        still = SearchedCodec(trained.codec, BSC(0.4), *TRIED[0])
        assert torch.equal(still.encode(images), trained.codec.encode(images))

    @pytest.mark.parametrize("given", [{"draws": 1}, {"draws": 0}, {"rounds": -1}, {"tried": 0}])
    def test_impossible_counts_are_refused(self, codec, given):
        with pytest.raises(ValueError, match="at least"):
            SearchedCodec(codec, BSC(0.1), **given)

    def test_noise_that_adds_is_refused(self, codec):
        with pytest.raises(ValueError, match="not AWGN: use bsc or bec"):
            SearchedCodec(codec, AWGN(1.0))
