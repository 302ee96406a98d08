"""What codecs of bits learn from. Statistical tests have fixed seeds; z beyond 5 has chance 6e-7."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_bits import PARTS, PIXELS, SHAPE, TINY, N, learned, training, untrained

from channels import BEC, BSC, BitFlip
from jscc_sim.bits import OBJECTIVES, Infomax, Objective, Training, adversarial_levels, flat
from jscc_sim.bits.infomax import Terms, permuted
from jscc_sim.codecs import BinaryCodec
from jscc_sim.gradients import draw
from jscc_sim.sharing import shared_out


@pytest.fixture
def codec():
    return untrained()


@pytest.fixture(scope="module")
def trained():
    return learned()


class TestLevels:
    @pytest.mark.parametrize("flip", [0.0, 0.1, 0.25, 0.5])
    @pytest.mark.parametrize("kind", ["normal", "sparse", "one", "none", "equal"])
    def test_share_out_the_whole_noise_within_bounds(self, flip, kind):
        torch.manual_seed(0)
        slopes = torch.randn(40, 20, dtype=torch.float64)
        kinds = {"sparse": slopes * (slopes > 1), "one": slopes * (torch.arange(20) == 3), "equal": slopes * 0 + 2}
        slopes = kinds.get(kind, slopes * 0 if kind == "none" else slopes)
        levels = shared_out(slopes, flip)
        assert levels.min() >= 0
        assert levels.max() <= 1
        assert torch.allclose(levels.sum(-1), torch.full((40,), 20 * flip, dtype=torch.float64))

    def test_are_in_proportion_below_one(self):
        slopes = torch.tensor([[1.0, -2.0, 3.0, 10.0]])
        assert torch.allclose(shared_out(slopes, 0.1), slopes.abs() / 40)
        assert torch.allclose(shared_out(slopes, 0.5), torch.tensor([[1 / 6, 2 / 6, 3 / 6, 1.0]]))

    def test_flip_only_what_raises_the_loss(self, codec):
        u, y = torch.rand(30, PIXELS), draw(torch.full((30, N), 0.5), 1)[0].requires_grad_()
        loss = codec.loss(u, y, BSC(0.1))
        (slopes,) = torch.autograd.grad(loss.sum(), y)
        word = y.detach()
        levels = adversarial_levels(word, slopes, 0.2)
        struck = levels > 0
        assert 0 < struck.float().mean() < 1
        to_first_order = -2 * word * slopes
        assert torch.equal(struck, to_first_order > 0)
        assert (levels.sum(-1) <= N * 0.2 + 1e-6).all()

    def test_of_a_loss_that_is_a_line_each_symbol_that_is_struck_raises_it_and_no_other(self):
        line, word = torch.randn(N), draw(torch.full((30, N), 0.5), 1)[0]
        levels = adversarial_levels(word, line.expand(30, N), 0.2)
        for symbol in range(N):
            turned = word.clone()
            turned[:, symbol] *= -1
            assert torch.equal(levels[:, symbol] > 0, turned @ line > word @ line)


class TestInfomax:
    @staticmethod
    def taught(words, seed=0):
        torch.manual_seed(seed)
        infomax = Infomax(words.shape[1])
        certain = (words < 0).float()
        for _ in range(300):
            infomax(certain[torch.randint(len(words), (200,))])
        return infomax.eval()

    @pytest.mark.parametrize(("copied", "correlation"), [(0, 0.0), (1, np.log(2)), (3, 3 * np.log(2))])
    def test_tells_dependent_symbols_from_permuted_ones(self, copied, correlation):
        """A symbol that repeats another adds log 2 to the total correlation; independent ones have none."""
        torch.manual_seed(1)
        words = draw(torch.full((4000, 8), 0.5), 1)[0]
        words[:, :copied] = words[:, -1:]
        infomax = self.taught(words)
        terms = infomax((words < 0).float())
        assert float(terms.correlation) == pytest.approx(correlation, abs=0.15)
        told = infomax.log_ratio(words).mean() - infomax.log_ratio(permuted(words)).mean()
        assert (told > 0.5) == (copied > 0)

    def test_permuting_keeps_every_symbols_share(self):
        words = draw(torch.rand(50, 4), 1)[0]
        again = permuted(words)
        assert torch.equal(again.sort(0).values, words.sort(0).values)

    def test_entropies_are_those_of_the_batch(self):
        probability = torch.tensor([[0.0, 0.5], [1.0, 0.5]])
        terms = Infomax(2).eval()(probability)
        assert float(terms.entropy) == pytest.approx(2 * np.log(2), rel=1e-5)
        assert float(terms.conditional) == pytest.approx(np.log(2), abs=1e-4)

    def test_information_is_what_entropies_leave_of_total_correlation(self):
        assert Terms(*torch.tensor([5.0, 1.5, 0.75])).information == 2.75

    def test_learns_only_in_training(self):
        infomax = Infomax(4).eval()
        before = [weight.clone() for weight in infomax.parameters()]
        infomax(torch.rand(20, 4))
        assert all(torch.equal(a, b) for a, b in zip(before, infomax.parameters(), strict=True))


class TestObjectives:
    @pytest.mark.parametrize("name", OBJECTIVES)
    def test_lower_the_error(self, name, codec):
        images = flat(PARTS.train)
        training = Training(codec, BSC(0.05), OBJECTIVES[name], images, images, replace(TINY, epochs=8))
        torch.manual_seed(0)
        epochs = list(training.run())
        assert epochs[-1].loss < 0.7 * epochs[0].loss

    def test_exactly_and_by_samples_they_agree(self, codec):
        """The loss's mean over many draws is that over all words, channel noise included."""
        u = torch.rand(1, PIXELS).expand(20_000, -1)
        probability = codec.probability(u).detach()
        right = Objective("exact").loss(codec, u[:1], probability[:1], BSC(0.2)).detach()
        torch.manual_seed(0)
        for name in ("drawn-straight-through", "score-function"):
            found = Objective(name, 2).loss(codec, u, probability, BSC(0.2)).detach()
            z = (found.mean() - right) / (found.std() / len(found) ** 0.5)
            assert abs(float(z)) < 5

    def test_more_samples_tighten_the_bound_from_above(self, codec):
        u = torch.rand(1, PIXELS).expand(5000, -1)
        probability = codec.probability(u).detach()
        torch.manual_seed(0)
        losses = (Objective("vimco", k).loss(codec, u, probability, BSC(0.2)).detach().mean() for k in (2, 20))
        few, many = map(float, losses)
        assert many < few

    def test_adversarial_noise_hurts_more_than_as_much_everywhere(self, trained):
        codec, channel, u = trained.codec, BSC(0.2), flat(PARTS.test).repeat(20, 1)
        y = codec.encode(u).detach().requires_grad_()
        (slopes,) = torch.autograd.grad(codec.loss(u, y, channel).sum(), y)
        levels = adversarial_levels(y.detach(), slopes, channel.flip)
        torch.manual_seed(0)
        adversarial, even = (
            float(codec.loss(u, y * draw(level, 1)[0], channel).mean().detach())
            for level in (levels, levels.mean(-1, keepdim=True).expand_as(levels))
        )
        assert adversarial > even

    @pytest.mark.parametrize("noise", ["channel", "adversarial"])
    def test_gradients_by_samples_are_those_of_all_words(self, noise, trained):
        """Of the received word's law; the word that adversarial levels are of is the same by its seed."""
        codec, count = trained.codec, 20_000
        u = flat(PARTS.test)[:1]
        probability = codec.probability(u).detach()
        word = draw(probability, 1)[0]  # drawn anew by each: by its seed the same

        def slopes(gradient, samples, rows):
            given = probability.expand(rows, -1).clone().requires_grad_()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("jscc_sim.bits.objectives.draw", lambda chance, samples: word.expand(1, *chance.shape))
                loss = Objective(gradient, samples, noise).loss(codec, u.expand(rows, -1), given, BSC(0.2))
            return torch.autograd.grad(loss.sum(), given)[0]

        torch.manual_seed(0)
        right, found = slopes("exact", 1, 1), slopes("score-function", 4, count)
        z = (found.mean(0) - right[0]).abs() / (found.std(0) / count**0.5).clamp_min(1e-9)
        assert z.max() < 5

    def test_adversarial_noise_of_received_symbols_is_that_of_the_levels(self, trained, monkeypatch):
        """The exact loss is the mean error of fresh words whose symbols are flipped at the levels of one word."""
        codec, count = trained.codec, 20_000
        u = flat(PARTS.test)[:1]
        probability = codec.probability(u).detach()
        word = draw(probability, 1)[0].requires_grad_()
        (slopes,) = torch.autograd.grad(codec.loss(u, word, BSC(0.2)).sum(), word)
        levels = adversarial_levels(word.detach(), slopes, 0.2)
        torch.manual_seed(0)
        sent = draw(probability.expand(count, -1), 1)[0] * draw(levels.expand(count, -1), 1)[0]
        errors = PIXELS * codec.loss(u.expand(count, -1), sent, BSC(0.2)).detach()
        monkeypatch.setattr("jscc_sim.bits.objectives.draw", lambda chance, samples: word.detach().unsqueeze(0))
        exact, even = (
            float(Objective("exact", noise=noise).loss(codec, u, probability, BSC(0.2)).detach())
            for noise in ("adversarial", "channel")
        )
        error = float(errors.std()) / count**0.5
        assert abs(float(errors.mean()) - exact) < 5 * error
        assert abs(even - exact) > 10 * error

    @pytest.mark.parametrize("objective", ["abf", "straight-through"])
    def test_what_an_adversary_asks_moves_no_running_statistics(self, objective):
        channel = BSC(0.1) if objective == "abf" else BitFlip(BSC(0.1), 2)
        learned = training(objective, replace(TINY, net="conv"), channel)
        learned.model.train()
        learned.step(learned.images[:20])
        counts = [
            value for name, value in learned.model.decoder.state_dict().items() if name.endswith("batches_tracked")
        ]
        assert counts
        assert {int(count) for count in counts} == {1}

    def test_adversarial_levels_are_of_the_very_word_that_meets_them(self, trained, monkeypatch):
        codec, u, seen = trained.codec, flat(PARTS.test), []
        monkeypatch.setattr(
            "jscc_sim.bits.objectives.adversarial_levels",
            lambda x, slopes, flip: seen.append((x, slopes)) or adversarial_levels(x, slopes, flip),
        )
        Objective(noise="adversarial").loss(codec, u, codec.probability(u), BSC(0.2))
        ((x, _),) = seen
        assert torch.equal(x[0], codec.encode(u).detach())

    def test_adversarial_flips_turn_no_gradient_round(self, trained, monkeypatch):
        """That of the mean received symbol passes, ``(1 − 2ε_i) x_i``, here of a word whose loss is linear in it."""
        codec, u, weight = trained.codec, flat(PARTS.test)[:20], torch.linspace(-1, 1, N)
        monkeypatch.setattr(codec, "loss", lambda u, y, law: y @ weight / codec.k)
        probability = codec.probability(u).detach().requires_grad_()
        torch.manual_seed(0)
        (slopes,) = torch.autograd.grad(
            Objective(noise="adversarial").loss(codec, u, probability, BSC(0.2)).sum(), probability
        )
        levels = adversarial_levels(codec.encode(u), weight.expand(20, N), 0.2)
        assert torch.allclose(slopes, -2 * (1 - 2 * levels) * weight)

    def test_information_rises_with_its_weight(self):
        found = []
        for weight in (0.0, 3.0):
            torch.manual_seed(0)
            codec, images = BinaryCodec(SHAPE, N, "paper"), flat(PARTS.train)
            objective = Objective("drawn-straight-through", infomax=weight)
            epochs = list(Training(codec, BSC(0.1), objective, images, images, replace(TINY, epochs=10)).run())
            found.append(epochs[-1].entropy - epochs[-1].conditional - epochs[-1].correlation)
        assert found[1] > found[0] + 0.2

    @pytest.mark.parametrize(("term", "sign"), [("entropy", 1), ("conditional", -1), ("correlation", -1)])
    def test_each_term_of_information_counts_its_own_way(self, term, sign):
        """Here a term is the chance of the first symbol, which training raises or lowers by it."""

        class Told(torch.nn.Module):
            def forward(self, probability):
                return Terms(*probability.new_zeros(3))._replace(**{term: probability[:, 0].mean()})

        learned = training(channel=BSC(0.1), recipe=replace(TINY, epochs=10))
        learned.objective, learned.infomax = replace(learned.objective, infomax=1000.0), Told()
        before = float(learned.model.probability(learned.images)[:, 0].mean().detach())
        for start in range(0, 200, 20):
            learned.step(learned.images[start : start + 20])
        after = float(learned.model.probability(learned.images)[:, 0].mean().detach())
        assert sign * (after - before) > 0.05

    def test_the_classifier_learns_where_it_only_reports_too(self):
        learned = training(recipe=replace(TINY, epochs=5))
        before = [weight.clone() for weight in learned.infomax.parameters()]
        list(learned.run())
        assert not any(torch.equal(a, b) for a, b in zip(before, learned.infomax.parameters(), strict=True))

    def test_an_erasing_channel_has_no_crossover(self):
        with pytest.raises(ValueError, match="but BEC is none: use channel bsc"):
            OBJECTIVES["abf"].check(BEC(0.1), N)
        codec, u = BinaryCodec(SHAPE, N, "paper", erasures=True), flat(PARTS.test)[:2]
        with pytest.raises(ValueError, match="but BEC is none: use channel bsc"):
            Objective(noise="adversarial").loss(codec, u, codec.probability(u), BEC(0.1))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"gradient": "vimc"}, "'vimco'"),
            ({"noise": "adverse"}, "'adversarial'"),
            ({"samples": 0}, "1 to 1000 for straight-through, got 0"),
            ({"samples": 2.5}, "whole number, 1 to 1000"),
            ({"samples": 10**5}, "1 to 1000 for straight-through"),
            ({"gradient": "vimco"}, "2 to 1000 for vimco, got 1"),
            ({"infomax": -1.0}, "0 or more, got -1"),
            ({"infomax": math.inf}, "finite number, 0 or more, got inf"),
        ],
    )
    def test_what_there_is_not_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            Objective(**given)
