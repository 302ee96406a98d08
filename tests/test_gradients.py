"""Each estimator against the enumerated gradient; z-scores beyond 5 are false alarms with probability 6e-7 each."""

from itertools import product

import pytest
import torch

from jscc_sim.gradients import draw, drawn_straight_through, exact, log_chance, score_function, straight_through, vimco

N, COPIES, LIMIT = 3, 200_000, 5.0
PROBABILITY = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
WEIGHT = torch.tensor([0.3, -1.0, 0.7], dtype=torch.float64)
WORDS = torch.tensor(list(product((1.0, -1.0), repeat=N)), dtype=torch.float64)


def curved(y, weight=WEIGHT):
    """A loss that is not linear in any symbol given the rest, off the antipodal words."""
    return linear(y, weight).square() * 0.5 + (y * weight).exp().sum(-1) * 0.3


def linear(y, weight=WEIGHT):
    return (y * weight).sum(-1)


def bound(probability, weight, samples):
    """The mean of −log mean exp(−loss) over all words of all samples."""
    chances = log_chance(WORDS, probability)
    losses = curved(WORDS, weight)
    total = 0
    for chosen in product(range(len(WORDS)), repeat=samples):
        picked = list(chosen)
        total = total - chances[picked].sum().exp() * torch.logsumexp(-losses[picked], 0)
    return total + torch.log(torch.tensor(float(samples), dtype=torch.float64))


def slopes(function, *arguments):
    learned = [one.clone().requires_grad_() for one in arguments]
    return torch.autograd.grad(function(*learned).sum(), learned)


def estimated(estimator, loss, samples):
    """The gradients in the probabilities and in the loss's weight, and the values, of many independent words."""
    torch.manual_seed(0)
    weight = WEIGHT.expand(COPIES, N).clone().requires_grad_()
    probability = PROBABILITY.expand(COPIES, N).clone().requires_grad_()
    values = estimator(probability, lambda y: loss(y, weight), samples)
    assert values.shape == (COPIES,)
    return (*torch.autograd.grad(values.sum(), (probability, weight)), values.detach()[:, None])


def enumerated(loss):
    """The exact gradients in the probabilities and in the loss's weight."""
    return slopes(lambda p, w: exact(p, lambda y: loss(y, w)), PROBABILITY, WEIGHT)


def scores(found, right):
    error = found.std(0) / COPIES**0.5
    return (found.mean(0) - right).abs() / error.clamp_min(1e-12)


class TestExact:
    def test_is_the_mean_over_all_words(self):
        by_hand = sum(
            torch.where(word < 0, PROBABILITY, 1 - PROBABILITY).prod() * curved(word[None])[0] for word in WORDS
        )
        assert exact(PROBABILITY, curved) == pytest.approx(float(by_hand))

    def test_keeps_the_shape_of_the_words(self):
        probability = torch.rand(4, 5, N, dtype=torch.float64)
        found = exact(probability, curved)
        assert found.shape == (4, 5)
        assert found[2, 3] == pytest.approx(float(exact(probability[2, 3], curved)))

    def test_its_gradient_is_that_of_differences(self):
        (slope,) = slopes(lambda probability: exact(probability, curved), PROBABILITY)
        for number in range(N):
            step = torch.zeros(N, dtype=torch.float64)
            step[number] = 1e-5
            difference = (exact(PROBABILITY + step, curved) - exact(PROBABILITY - step, curved)) / 2e-5
            assert float(slope[number]) == pytest.approx(float(difference), rel=1e-7)

    def test_refuses_words_that_are_too_long(self):
        with pytest.raises(ValueError, match="at most"):
            exact(torch.full((17,), 0.5), curved)


@pytest.mark.parametrize("samples", [2, 5])
def test_the_score_function_is_unbiased(samples):
    found = estimated(score_function, curved, samples)
    right = enumerated(curved)
    for estimate, truth in zip(found, (*right, exact(PROBABILITY, curved)), strict=True):
        assert scores(estimate, truth).max() < LIMIT


@pytest.mark.parametrize("samples", [2, 3])
def test_vimco_is_unbiased_for_its_bound(samples):
    found = estimated(vimco, curved, samples)
    right = slopes(lambda p, w: bound(p, w, samples), PROBABILITY, WEIGHT)
    for estimate, truth in zip(found, (*right, bound(PROBABILITY, WEIGHT, samples)), strict=True):
        assert scores(estimate, truth).max() < LIMIT


def test_vimco_stays_below_the_mean_loss_and_falls_with_samples():
    """It rewards the best of its samples, as the paper has it; with the sign reversed it would be above."""
    few, many = (estimated(vimco, curved, samples)[2].mean() for samples in (2, 10))
    assert many < few < float(exact(PROBABILITY, curved))


def test_exact_slopes_are_finite_for_words_that_are_certain():
    (slope,) = slopes(lambda p: exact(p, curved), torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64))
    assert slope.isfinite().all()


def test_drawing_straight_through_is_biased_but_for_linear_losses():
    (right, _), (also, _) = map(enumerated, (curved, linear))
    assert scores(estimated(drawn_straight_through, curved, 1)[0], right).max() > 4 * LIMIT
    straight = estimated(drawn_straight_through, linear, 1)
    assert torch.allclose(straight[0], also.expand(COPIES, N))
    assert scores(straight[2], exact(PROBABILITY, linear)).max() < LIMIT


def test_leaving_one_out_makes_for_less_variance():
    """Than the score function without a baseline, at the same number of samples."""

    def plain(probability, loss, samples):
        words = draw(probability, samples)
        losses = loss(words)
        return losses.mean(0) + (losses.detach() * log_chance(words, probability)).mean(0)

    assert (estimated(score_function, curved, 4)[0].var(0) < estimated(plain, curved, 4)[0].var(0)).all()


def test_words_are_drawn_with_their_probabilities():
    torch.manual_seed(0)
    words = draw(PROBABILITY, COPIES)
    assert set(words.unique().tolist()) == {-1.0, 1.0}
    assert scores((words < 0).double(), PROBABILITY).max() < LIMIT


@pytest.mark.parametrize("estimator", [score_function, vimco])
def test_one_sample_cannot_be_left_out(estimator):
    with pytest.raises(ValueError, match="at least 2 samples, got 1"):
        estimator(PROBABILITY, curved, 1)


def test_deciding_has_the_gradient_of_one_word_and_the_loss_of_another_encoder():
    """For linear losses the gradient is that of the mean loss, whose value it still is not."""
    (right, _), (also, _) = map(enumerated, (curved, linear))
    (found, _), (straight, _) = (
        slopes(lambda p, w, loss=loss: straight_through(p, lambda y: loss(y, w)), PROBABILITY, WEIGHT)
        for loss in (curved, linear)
    )
    assert ((found - right).abs() > 0.1 * right.abs()).any()
    assert torch.allclose(straight, also)
    assert float(straight_through(PROBABILITY, linear)) != pytest.approx(float(exact(PROBABILITY, linear)), rel=0.1)


def test_a_hard_decision_is_the_likeliest_word_with_the_gradient_of_the_mean():
    probability, weight = PROBABILITY.clone().requires_grad_(), WEIGHT
    found = straight_through(probability, lambda y: linear(y, weight), 3)
    assert float(found.detach()) == pytest.approx(float(linear(torch.tensor([1.0, 1.0, -1.0]), weight)))
    (slope,) = torch.autograd.grad(found, probability)
    assert torch.allclose(slope, -2 * weight)
