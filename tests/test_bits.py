"""Codecs of bits in training and judgement. Statistical tests have fixed seeds; z beyond 5 has chance 6e-7."""

import copy
import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch

from channels import AWGN, BEC, BSC, BitFlip
from jscc_sim.bits import (
    BEST,
    OBJECTIVES,
    PRESETS,
    Infomax,
    Objective,
    Recipe,
    SearchedCodec,
    Study,
    Training,
    adversarial_levels,
    bayes_receiver,
    chain,
    conduct,
    distortion,
    finish,
    flat,
    kernel_receiver,
    load_binary,
    recall,
)
from jscc_sim.bits.conduct import searched
from jscc_sim.bits.distortion import drawing
from jscc_sim.bits.exhibits import limits
from jscc_sim.bits.infomax import Terms, binary_entropy, permuted
from jscc_sim.bits.scrutiny import amortisation, attacked, information, probed, risks
from jscc_sim.bits.search import TRIED, chosen_search
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part, Parts
from jscc_sim.gradients import draw
from jscc_sim.sharing import shared_out
from jscc_sim.states import pack

SHAPE, PIXELS, N = (1, 8, 8), 64, 6


def pictures(count, seed=0):
    """Grey images of two degrees of freedom."""
    generator = np.random.default_rng(seed)
    across, down = generator.random((2, count, 1, 1))
    row, column = np.linspace(0, 1, 8)[:, None], np.linspace(0, 1, 8)[None]
    return (255 * np.exp(-((row - down) ** 2 + (column - across) ** 2) / 0.1)).astype(np.uint8)


PARTS = Parts(*(Part(pictures(count, seed)) for seed, count in enumerate((200, 60, 60))))
TINY = Recipe("paper", epochs=3, batch=20, selections=3)
STUDY = Study("pictures", N, recipe=TINY)


class Heard(BSC):
    """A channel that remembers what it did to symbols."""

    def __init__(self, flip):
        super().__init__(flip)
        self.factors = []

    def transmit(self, x, u=None):
        found = super().transmit(x, u)
        self.factors.append(found.y * x)
        return found


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return BinaryCodec(SHAPE, N, "paper")


@pytest.fixture(scope="module")
def trained():
    return conduct(replace(STUDY, recipe=replace(TINY, epochs=30)), PARTS)


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
        with pytest.raises(ValueError, match="which BEC has not: use bsc"):
            OBJECTIVES["abf"].check(BEC(0.1), N)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"gradient": "vimc"}, "'vimco'"),
            ({"noise": "adverse"}, "'adversarial'"),
            ({"samples": 0}, "1 or more for straight-through, got 0"),
            ({"samples": 2.5}, "whole number, 1 or more"),
            ({"gradient": "vimco"}, "2 or more for vimco, got 1"),
            ({"infomax": -1.0}, "0 or more, got -1"),
        ],
    )
    def test_what_there_is_not_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            Objective(**given)


def training(objective=BEST, recipe=TINY, channel=None):
    torch.manual_seed(0)
    codec = BinaryCodec(SHAPE, N, recipe.net, erasures=True)
    held = flat(PARTS.validation)
    return Training(codec, channel or BSC(0.1), OBJECTIVES[objective], flat(PARTS.train), held, recipe)


class TestTraining:
    @pytest.mark.parametrize("recipe", [replace(TINY, batch=30), replace(TINY, penalty=1e-3, decay=0.0, clip=0.0)])
    @pytest.mark.parametrize("objective", ["iabf", BEST])
    def test_is_resumed_bit_for_bit(self, objective, recipe, tmp_path):
        whole, stopped, again = (training(objective, recipe) for _ in range(3))
        torch.manual_seed(1)
        straight = list(whole.run())
        torch.manual_seed(1)
        first = next(stopped.run(tmp_path / "training"))
        torch.manual_seed(2)
        assert [first, *again.run(tmp_path / "training")] == straight
        wanted, found = {}, {}
        pack(whole.model.state_dict(), "", wanted)
        pack(again.model.state_dict(), "", found)
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)
        assert whole.selected.errors == again.selected.errors

    def test_keeps_the_weights_that_did_best_on_validation(self):
        learned = training(recipe=replace(TINY, epochs=4, selections=4))
        seen = []

        def error() -> float:
            seen.append(copy.deepcopy(learned.model.state_dict()))
            return (3.0, 1.0, 2.0, 4.0)[len(seen) - 1]

        learned.validation_error = error
        list(learned.run())
        assert learned.selected.errors == {1: 3.0, 2: 1.0, 3: 2.0, 4: 4.0}
        for name, weight in learned.model.state_dict().items():
            assert torch.equal(weight, seen[1][name])
        assert any(not torch.equal(weight, seen[3][name]) for name, weight in learned.model.state_dict().items())

    def test_is_selected_by_the_error_of_validation_images(self):
        learned = training(recipe=replace(TINY, epochs=1))
        list(learned.run())
        found = distortion(learned.model, learned.channel, learned.validation, draws=1).mean
        assert learned.selected.errors == {1: pytest.approx(found)}

    def test_the_last_weights_are_always_tried(self):
        assert [epoch for epoch in range(1, 26) if replace(TINY, epochs=25, selections=10).tried(epoch)][-1] == 25

    @pytest.mark.parametrize("steps", [1, 3, 33, 1234])
    def test_the_rate_never_exceeds_its_highest(self, steps):
        rates = [Recipe("dense").rate(done, steps) for done in range(steps)]
        assert 0 < max(rates) <= Recipe("dense").lr

    def test_decay_and_penalty_exclude_each_other(self):
        for wrong in ({"penalty": 1e-3}, {"decay": -1.0}, {"penalty": math.nan, "decay": 0.0}):
            with pytest.raises(ValueError, match="decay and penalty must be 0 or more, and one of them 0"):
                replace(TINY, **wrong)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"optimiser": "moun"}, "no optimiser 'moun': did you mean 'muon'"),
            ({"optimiser": "muon", "penalty": 1e-3, "decay": 0.0}, "Muon takes no penalty.*: got 0.001"),
        ],
    )
    def test_optimisers_that_there_are_not_are_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            replace(TINY, **given)

    def test_the_rate_rises_and_falls(self):
        recipe = Recipe("dense", warmup=0.1)
        rates = [recipe.rate(done, 100) for done in range(101)]
        assert max(rates) == rates[9] == recipe.lr
        assert rates[100] == pytest.approx(0)
        assert replace(recipe, constant=True).rate(100, 100) == recipe.lr

    def test_the_papers_settings_are_the_papers(self):
        """Adam at 1e-3 throughout, 200 epochs in batches of 100, a penalty of 1e-4 on the encoder alone."""
        recipe = PRESETS["paper"]
        assert (recipe.net, recipe.epochs, recipe.batch) == ("paper", 200, 100)
        assert {recipe.rate(done, 1000) for done in range(1000)} == {1e-3}
        optimiser = training(recipe=recipe).optimiser
        assert type(optimiser) is torch.optim.Adam
        assert [group["weight_decay"] for group in optimiser.param_groups] == [1e-4, 0.0]
        assert recipe.clip == 0

    def test_over_flips_and_erasures_too(self):
        for channel in (BitFlip(BSC(0.1), 2), BitFlip(BEC(0.1), 1), BEC(0.3), AWGN(0.5)):
            epochs = list(training(channel=channel).run())
            assert epochs[-1].loss < epochs[0].loss


class TestDistortion:
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


def every_word(n, *, erased):
    symbols = torch.tensor([1.0, -1.0, 0.0] if erased else [1.0, -1.0])
    return torch.cartesian_prod(*[symbols] * n)


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


class TestSearch:
    @pytest.fixture(autouse=True)
    def in_float32(self, monkeypatch):
        """Whatever the machine gains from."""
        monkeypatch.setattr("jscc_sim.bits.search.gains_from_bf16", lambda device: False)

    @pytest.mark.slow
    @pytest.mark.parametrize(("flip", "draws", "slack"), [(0.1, 512, 0.002), (0.3, 2048, 0.002), (0.3, 128, 0.01)])
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

    def test_noise_that_adds_is_refused(self, codec):
        with pytest.raises(ValueError, match="not AWGN: use bsc or bec"):
            SearchedCodec(codec, AWGN(1.0))


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
        images = flat(PARTS.test)
        names = ("random", "steepest", "greedy", "exhaustive")
        found = attacked(trained.codec, BSC(0.0), images, names, (0, 1, 2))
        kept = distortion(trained.codec, BSC(0.0), images, draws=1, squared=True).mean
        assert [found[f"{name}-0"] for name in names] == pytest.approx([kept] * len(names))
        for flips in (1, 2):
            random, steepest, greedy, worst = (found[f"{name}-{flips}"] for name in names)
            assert random < steepest <= greedy <= worst
            assert greedy - kept > 0.95 * (worst - kept)
        assert kept < found["exhaustive-1"] < found["exhaustive-2"]

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


class TestStudy:
    def test_nothing_is_chosen_on_test_images(self, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((2, 1, 1), (8, 4, 4)))
        other = replace(PARTS, test=Part(pictures(60, 7)))
        one, two = (conduct(STUDY, parts) for parts in (PARTS, other))
        assert one.errors == two.errors
        for name, weights in one.codec.state_dict().items():
            assert torch.equal(weights, two.codec.state_dict()[name])
        searches = [searched(done.codec, STUDY, parts)["searches"] for done, parts in ((one, PARTS), (two, other))]
        assert searches[0] == searches[1]
        assert one.result["test_sse"] != two.result["test_sse"]

    def test_measures_both_encoders_on_both_parts(self, trained):
        result = trained.result
        sent = distortion(trained.codec, BSC(0.1), flat(PARTS.test), draws=10, squared=True)
        assert result["test_sse"] == pytest.approx(sent.mean)
        assert {"valid_sse", "test_sse_sampled", "cpu_seconds", "entropy", "correlation"} <= result.keys()
        assert "test_nats" not in result

    def test_black_and_white_images_are_measured_in_nats(self):
        black = Parts(*(Part(255 * (part.images > 127).astype(np.uint8)) for part in vars(PARTS).values()))
        result = conduct(STUDY, black).result
        assert result["pixels"] == "bernoulli"
        assert 0 < result["test_nats"] < 1

    def test_is_kept_and_recalled(self, tmp_path):
        assert recall(STUDY, tmp_path) is None
        result = finish(STUDY, PARTS, tmp_path)
        assert {file.name for file in tmp_path.iterdir()} == {"codec.json", "codec.safetensors", "result.json"}
        known = recall(STUDY, tmp_path)
        assert known == json.loads(json.dumps(result))
        images = flat(PARTS.test)
        again = distortion(load_binary(tmp_path), BSC(0.1), images, squared=True)
        assert again.mean == pytest.approx(result["test_sse"])
        with pytest.raises(FileExistsError, match="already holds another study"):
            recall(replace(STUDY, at=0.2), tmp_path)

    def test_a_search_is_measured_later_too(self, tmp_path, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((8, 2, 2),))
        plain = finish(STUDY, PARTS, tmp_path)
        monkeypatch.setattr("jscc_sim.bits.folder.conduct", None)
        found = finish(replace(STUDY, search=True), PARTS, tmp_path)
        assert "test_sse_searched" not in plain
        assert found["test_sse_searched"] < found["test_sse"] == plain["test_sse"]
        assert finish(replace(STUDY, search=True), PARTS, tmp_path) == json.loads(json.dumps(found))

    def test_what_is_said_of_training_is_of_the_epoch_that_was_kept(self, trained):
        kept = trained.epochs[trained.result["selected_epoch"] - 1]
        assert trained.result["entropy"] == kept.entropy

    def test_selection_does_not_touch_the_training(self):
        often, once = (training(recipe=replace(TINY, selections=n)) for n in (3, 1))
        torch.manual_seed(5)
        first = list(often.run())
        torch.manual_seed(5)
        assert list(once.run()) == first

    def test_goes_on_from_its_checkpoint(self, tmp_path):
        def stop(epoch):
            if epoch.number == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            finish(STUDY, PARTS, tmp_path, hear=stop)
        again, whole = finish(STUDY, PARTS, tmp_path), finish(STUDY, PARTS)
        assert again["test_sse"] == whole["test_sse"]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"bits": 0}, "bits must be at least 1"),
            ({"at": 0.6}, "between 0 and 0.5, got 0.6"),
            ({"at": float("nan")}, "between 0 and 0.5"),
            ({"channel": "bcs"}, "did you mean 'bsc'"),
            ({"objective": "iafb"}, "did you mean 'iabf'"),
            ({"objective": "iabf(infomx=1)"}, "did you mean 'infomax'"),
            ({"objective": "iabf(infomax=a)"}, "must be a number"),
            ({"objective": "abf", "channel": "bec"}, "which BEC has not"),
            ({"objective": "straight-through(gradient=straight-thru)"}, "did you mean 'straight-through'"),
            ({"objective": "straight-through(gradient=exact)"}, "too many to enumerate"),
            ({"channel": "bsc-flip", "flips": 3, "search": True}, "not bsc-flip: leave --search out"),
            ({"flips": 3}, "channel bsc takes no flips"),
            ({"channel": "awgn", "at": 3.0, "search": True}, "not awgn: leave --search out"),
            ({"channel": "bsc-flip"}, "takes --flips"),
            ({"channel": "bsc-flip", "flips": 101}, "flips must be 0 to 100"),
        ],
    )
    def test_what_cannot_be_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            Study(**given)

    def test_too_few_images_are_refused(self):
        with pytest.raises(ValueError, match="200 images do not make a batch of 300"):
            replace(STUDY, recipe=replace(TINY, batch=300)).check(PARTS)
