"""Receivers, chains, attacks, information and lines beside codecs of bits."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from small_bits import PARTS, PIXELS, SHAPE, STUDY, N, learned

from channels import BEC, BSC
from jscc_sim.bits import bayes_receiver, chain, distortion, flat, kernel_receiver
from jscc_sim.bits.exhibits import limits
from jscc_sim.bits.infomax import binary_entropy
from jscc_sim.bits.scrutiny import amortisation, attacked, information, probed, risks
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part
from jscc_sim.gradients import draw


@pytest.fixture(scope="module")
def trained():
    return learned()


class TestReceivers:
    def test_bayes_is_the_posterior_mean(self):
        torch.manual_seed(0)
        words, images, law = draw(torch.full((9, N), 0.5), 1)[0], torch.rand(9, PIXELS), BSC(0.2)
        y = draw(torch.full((5, N), 0.5), 1)[0]
        likely = torch.stack([law.log_prob(y, word.expand_as(y)).sum(-1).exp() for word in words], -1)
        by_hand = likely @ images / likely.sum(-1, keepdim=True)
        assert torch.allclose(bayes_receiver(y, words, images, law), by_hand, atol=1e-5)

    def test_the_kernel_adds_chances_up(self):
        torch.manual_seed(0)
        words, images, law = draw(torch.full((9, N), 0.5), 1)[0], torch.rand(9, PIXELS), BEC(0.2)
        y = BEC(0.4)(words[:5])
        kernel = torch.stack([law.log_prob(y, word.expand_as(y)).exp().sum(-1) for word in words], -1)
        by_hand = kernel @ images / kernel.sum(-1, keepdim=True)
        assert torch.allclose(kernel_receiver(y, words, images, law), by_hand, atol=1e-5)

    def test_nothing_beats_bayes_on_the_images_it_knows(self, trained):
        images, channel = flat(PARTS.train), BSC(0.1)
        words = trained.codec.encode(images).detach()
        torch.manual_seed(0)
        y = channel(words.repeat(50, 1))
        sent = images.repeat(50, 1)
        with torch.no_grad():
            net = (sent - trained.codec.decode(y, channel)).square().sum(-1)
        best, kernel = (
            (sent - receiver(y, words, images, channel)).square().sum(-1)
            for receiver in (bayes_receiver, kernel_receiver)
        )
        assert float(best.mean()) < min(float(net.mean()), float(kernel.mean()))


class TestChain:
    def test_goes_from_image_to_image(self, trained):
        torch.manual_seed(0)
        steps = chain(trained.codec, BSC(0.1), flat(PARTS.test)[:3])
        first, second = next(steps), next(steps)
        assert first.shape == (3, PIXELS)
        assert 0 <= first.min() <= first.max() <= 1
        assert not torch.equal(first, second)

    def test_words_are_sampled(self, trained):
        """Without noise, too, one image leads to several."""
        torch.manual_seed(0)
        steps = next(chain(trained.codec, BSC(0.0), flat(PARTS.test)[:1].expand(50, -1)))
        assert len(steps.unique(dim=0)) > 1

    def test_black_and_white_images_are_drawn(self):
        codec = BinaryCodec(SHAPE, N, "paper", pixels="bernoulli").eval()
        assert set(next(chain(codec, BSC(0.1), torch.rand(4, PIXELS))).unique().tolist()) == {0.0, 1.0}


class TestScrutiny:
    def test_the_more_an_adversary_may_and_knows_the_worse(self, trained):
        """Greed misses nothing with one flip: of so short a word it tries all symbols."""
        images = flat(PARTS.test)
        names = ("random", "steepest", "greedy", "exhaustive")
        found = attacked(trained.codec, BSC(0.0), images, names, (0, 1, 2))
        kept = distortion(trained.codec, BSC(0.0), images, draws=1, squared=True).mean
        assert [found[f"{name}-0"] for name in names] == pytest.approx([kept] * len(names))
        for flips in (1, 2):
            random, steepest, greedy, worst = (found[f"{name}-{flips}"] for name in names)
            assert random < steepest <= greedy <= worst
        assert kept < found["greedy-1"] == pytest.approx(found["exhaustive-1"])
        assert found["greedy-1"] < found["greedy-2"]

    def test_information_is_that_of_words_as_they_are_sent(self, trained, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.scrutiny.TAUGHT", 50)
        found = information(trained.codec, flat(PARTS.train), flat(PARTS.test))
        words = trained.codec.encode(flat(PARTS.test))
        assert found["entropy_argmax"] == pytest.approx(float(binary_entropy(words.lt(0).float().mean(0)).sum()))
        assert found["conditional_argmax"] == pytest.approx(0, abs=1e-3)
        assert found["conditional_sampled"] > 0.1
        assert max(found.values()) <= N * math.log(2)

    def test_total_correlation_is_that_of_the_words(self, monkeypatch):
        """Two symbols that repeat another add 2 log 2; here words are the images' first pixels."""
        monkeypatch.setattr("jscc_sim.bits.scrutiny.TAUGHT", 300)
        torch.manual_seed(0)
        images = torch.randint(2, (6000, 8)).float()
        images[:, 1:3] = images[:, :1]
        codec = BinaryCodec((1, 2, 4), 8, "paper")
        monkeypatch.setattr(codec, "probability", lambda u: u)
        found = information(codec, images[:4000], images[4000:])
        for encoder in ("sampled", "argmax"):
            assert found[f"correlation_{encoder}"] == pytest.approx(2 * math.log(2), abs=0.15)

    def test_budgets_are_shares_of_a_word(self, trained):
        assert attacked(BinaryCodec(SHAPE, 40, "paper").eval(), BSC(0.0), flat(PARTS.test)).keys() == {
            f"{attack}-{flips}" for attack in ("random", "steepest", "greedy") for flips in (2, 4)
        }

    def test_the_net_has_an_amortisation_gap_on_images_that_the_best_receiver_knows(self, trained):
        found = amortisation(trained.codec, BSC(0.1), flat(PARTS.train), flat(PARTS.test))
        assert found["bayes_known"] < found["net_known"]
        assert found["bayes_known"] < found["kernel_known"]
        least = risks(trained.codec, [BSC(0.1), BSC(0.3)], flat(PARTS.train))
        assert least[0] == pytest.approx(found["bayes_known"])
        assert least[0] < least[1]

    def test_a_probe_reads_what_words_say(self, trained):
        halves = [part.images.reshape(-1, 2, 32).mean(2) for part in (PARTS.train, PARTS.test)]
        labels = [(upper > lower).astype(np.uint8) for upper, lower in (half.T for half in halves)]
        parts = [Part(part.images, label) for part, label in zip((PARTS.train, PARTS.test), labels, strict=True)]
        assert probed(trained.codec, *parts) > 0.8
        with pytest.raises(ValueError, match="learns from labels"):
            probed(trained.codec, PARTS.train, PARTS.test)


class TestLimits:
    def test_gaussian_line_is_reverse_water_filling_at_the_bits_that_pass(self):
        levels = (0.0, 0.11, 0.3, 0.5)
        mean, gaussian = (dict(line) for line in limits(STUDY, PARTS.train, levels).values())
        variances = np.linalg.eigvalsh(np.cov(flat(PARTS.train).double().numpy(), rowvar=False, bias=True)).clip(1e-15)

        def spilled(water, least):
            return np.minimum(variances, water).sum() - least

        for level in levels:
            assert mean[level] == pytest.approx(variances.sum())
            water = scipy.optimize.brentq(spilled, 1e-12, variances.max() + 1, args=(gaussian[level],))
            rate = 0.5 * np.log2(np.maximum(variances / water, 1)).sum()
            passed = 1 + sum(p * math.log2(p) for p in (level, 1 - level) if p)
            assert rate == pytest.approx(N * passed, abs=1e-3)
