"""Links: what fits together, what transmissions are made of, and how they are scored."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from channels import AWGN, BEC, BSC, BitFlip
from jscc_sim.codecs import Linear, Repetition
from jscc_sim.link import Link, Transmission
from jscc_sim.metrics import BER, BLER, MSE, NATS, PSNR, PSNR_OF_MSE, metrics_for
from jscc_sim.sources import Bits, Gaussian, Images


def test_transmits_words():
    sent = Link(Bits(4), Repetition(4, 3), BSC(0.1)).transmit(7)
    assert [part.shape for part in sent] == [(7, 4), (7, 12), (7, 12), (7, 4)]


def test_arms_adversaries_with_the_codecs_own_loss():
    torch.manual_seed(0)
    sent = Link(Bits(), Repetition(1, 3), BitFlip(BEC(0.0), 2)).transmit(100)
    assert (sent.u_hat != sent.u).all()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((Gaussian(), Repetition(), BSC(0.1)), "Repetition encodes bits symbols, but Gaussian draws real"),
        ((Gaussian(2), Linear(3), AWGN(1.0)), "Linear encodes words of 3, but Gaussian draws words of 2"),
        ((Gaussian(), Linear(), BSC(0.1)), "BSC carries antipodal symbols, but Linear sends real ones"),
    ],
)
def test_names_neighbours_that_do_not_fit(parts, said):
    with pytest.raises(ValueError, match=said):
        Link(*parts)


def test_bits_run_on_channels_of_either_alphabet():
    for channel in (AWGN(1.0), BSC(0.1), BEC(0.1)):
        Link(Bits(), Repetition(), channel).transmit(2)


def test_metrics_score_each_word():
    u = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    u_hat = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    sent = Transmission(u, u, u, u_hat)
    assert BER.score(sent).tolist() == [0.5, 0.0]
    assert BLER.score(sent).tolist() == [1.0, 0.0]
    assert MSE.score(sent).tolist() == [0.5, 0.0]


def test_psnr_is_that_of_each_image_or_of_the_mean_error():
    u = torch.zeros(3, 4)
    sent = Transmission(u, u, u, torch.tensor([[0.1], [0.01], [0.0]]).expand(3, 4))
    assert PSNR.score(sent).tolist() == pytest.approx([20, 40, 120])
    assert PSNR_OF_MSE.shown(0.01) == pytest.approx(20)
    assert PSNR_OF_MSE.shown(0.0) == float("inf")


def nats(u: torch.Tensor, u_hat: torch.Tensor) -> torch.Tensor:
    return NATS.score(Transmission(u, u, u, u_hat))


def test_nats_of_the_true_chances_are_the_entropy_and_of_others_more():
    images = (torch.rand(500, 12) < torch.linspace(0.05, 0.95, 12)).float()
    chances = images.mean(0)
    entropy = torch.distributions.Bernoulli(chances.double()).entropy().mean()
    assert nats(images, chances.expand_as(images)).shape == (500,)
    assert float(nats(images, chances.expand_as(images)).double().mean()) == pytest.approx(float(entropy), rel=1e-6)
    for other in (chances + 0.03, chances - 0.03, torch.full((12,), 0.5)):
        assert nats(images, other.expand_as(images)).mean() > entropy


def test_nats_are_the_loss_of_logits():
    images, logits = torch.randint(2, (50, 20)).float(), 3 * torch.randn(50, 20)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="none").mean(-1)
    assert torch.allclose(nats(images, logits.sigmoid()), loss, rtol=1e-4)


def test_nats_of_certain_pixels_are_finite_and_alike_for_black_and_white():
    u = torch.tensor([[0.0], [1.0]])
    for wrong in (1 - u, 3 - 6 * u):  # the second is what a linear decoder may say
        assert nats(u, wrong).tolist() == pytest.approx([20 * math.log(2)] * 2, rel=1e-6)
    for right in (u, 6 * u - 3):
        assert nats(u, right).tolist() == pytest.approx([2.0**-20] * 2, rel=1e-5)
    assert nats(u, torch.full((2, 1), math.nan)).isnan().all()


def test_black_and_white_images_have_nats_too(tmp_path):
    for number, level in enumerate((0, 255)):
        Image.fromarray(np.full((2, 2), level, np.uint8)).save(tmp_path / f"{number}.png")
    assert [metric.name for metric in metrics_for(Images(str(tmp_path)))] == ["mse", "psnr", "psnr_of_mse", "nats"]


def test_the_first_metric_is_the_one_that_decides():
    assert [metric.name for metric in metrics_for(Images())] == ["mse", "psnr", "psnr_of_mse"]
    assert [metric.name for metric in metrics_for(Bits(8))] == ["bler", "ber"]
    assert [(metric.name, metric.binary) for metric in metrics_for(Bits(1))] == [("ber", True)]
