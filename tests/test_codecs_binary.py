"""Neural codecs of bits. Statistical tests have fixed seeds; a z-score beyond 5 is a false alarm with chance 6e-7."""

import pytest
import torch

from channels import BEC, BSC
from jscc_sim.codecs import BinaryCodec
from jscc_sim.codecs.binary_nets import NETS
from jscc_sim.link import Link
from jscc_sim.sources import Bits

SHAPE, PIXELS, N, WORDS = (1, 8, 8), 64, 6, 100_000


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return BinaryCodec(SHAPE, N, "paper")


def z_scores(found, right):
    return (found.mean(0) - right).abs() / (found.std(0) / len(found) ** 0.5)


class TestEncoder:
    def test_in_evaluation_each_symbol_is_the_likelier_one(self, codec):
        u = torch.rand(50, PIXELS)
        likely = torch.where(codec.probability(u) > 0.5, -1.0, 1.0)
        assert torch.equal(codec.eval().encode(u), likely)

    def test_drawn_words_pass_a_bsc_as_the_paper_says(self, codec):
        """``q = s − 2 s ε + ε`` is the chance of a received −1."""
        codec.eval().sampled, flip = True, 0.2
        u = torch.rand(1, PIXELS)
        torch.manual_seed(1)
        received = BSC(flip)(codec.encode(u.expand(WORDS, -1)))
        chance = codec.probability(u)[0].detach()
        assert z_scores((received < 0).float(), chance - 2 * chance * flip + flip).max() < 5

    def test_in_training_gradients_pass_straight_through(self, codec):
        u, weight = torch.rand(40, PIXELS), torch.randn(N)
        word = codec.train().encode(u)
        assert set(word.detach().round(decimals=5).unique().tolist()) == {-1.0, 1.0}
        (word @ weight).sum().backward()
        drawn = codec.encoder[-1].weight.grad.clone()
        codec.zero_grad()
        ((1 - 2 * codec.probability(u)) @ weight).sum().backward()
        assert torch.allclose(drawn, codec.encoder[-1].weight.grad, atol=1e-5)

    def test_images_of_another_size_are_refused(self, codec):
        with pytest.raises(ValueError, match=r"\(1, 8, 8\), 64 pixels, got 60"):
            codec.encode(torch.rand(2, 60))


class TestDecoder:
    def test_refuses_erasures_that_it_never_met(self, codec):
        with pytest.raises(ValueError, match="never met an erasure"):
            codec.decode(torch.zeros(3, N), BEC(0.1))

    def test_an_erased_symbol_is_nought_and_carries_no_gradient(self):
        codec = BinaryCodec(SHAPE, N, "paper", erasures=True).train()
        word = codec.encode(torch.rand(1, PIXELS)).detach().requires_grad_()
        torch.manual_seed(0)
        received = BEC(0.5)(word)
        erased = received == 0
        assert 0 < int(erased.sum()) < N
        codec.loss(torch.rand(1, PIXELS), received, BEC(0.5)).sum().backward()
        assert torch.equal(word.grad == 0, erased)

    def test_grey_pixels_have_squared_errors_and_black_ones_cross_entropies(self, codec):
        u, y = torch.rand(5, PIXELS).round(), torch.ones(5, N)
        means = codec.decode(y, BSC(0.1))
        assert torch.allclose(codec.loss(u, y, BSC(0.1)), (u - means).square().mean(-1))
        black = BinaryCodec(SHAPE, N, "paper", pixels="bernoulli")
        chance = black.decode(y, BSC(0.1)).double()
        entropy = -torch.where(u > 0, chance, 1 - chance).log().mean(-1)
        assert torch.allclose(black.loss(u, y, BSC(0.1)).double(), entropy, atol=1e-5)

    def test_a_source_of_bits_is_refused(self, codec):
        with pytest.raises(ValueError, match="bits"):
            Link(Bits(PIXELS), codec, BSC(0.1))


class TestNets:
    @pytest.mark.parametrize("net", NETS)
    @pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 8)])
    def test_keep_shapes(self, net, shape):
        codec = BinaryCodec(shape, N, net).eval()
        u = torch.rand(2, 3, codec.k)
        word = codec.encode(u)
        assert word.shape == (2, 3, N)
        assert codec.decode(word, BSC(0.1)).shape == u.shape

    def test_the_papers_layers_are_the_papers(self):
        """784-500-m and m-500-500-784, no bias before the word nor after it; of colour 64, 32 and 16 channels."""
        grey, colour = (BinaryCodec(shape, 100, "paper") for shape in ((1, 28, 28), (3, 32, 32)))
        layers = [{name: tuple(weight.shape) for name, weight in codec.named_parameters()} for codec in (grey, colour)]
        assert sorted(layers[0].values()) == [(100, 500), (500,), (500, 100), (500, 500), (500, 784), (784, 500)]
        assert [name for name, shape in layers[0].items() if shape == (500,)] == ["encoder.1.bias"]
        kernels = [shape for name, shape in layers[1].items() if len(shape) == 4 and name.startswith("encoder")]
        assert kernels == [(64, 3, 3, 3), (32, 64, 3, 3), (16, 32, 3, 3)]
        assert layers[1].popitem()[1] == (3,)
        assert (100, 256) in layers[1].values()

    @pytest.mark.parametrize("net", sorted(set(NETS) - {"paper"}))
    def test_balance_the_logits_over_images(self, net):
        torch.manual_seed(0)
        codec = BinaryCodec((1, 8, 8), N, net)
        logits = codec.logits(3 + torch.rand(500, codec.k))
        assert torch.allclose(logits.mean(0), torch.zeros(N), atol=1e-4)
        assert torch.allclose(logits.std(0), torch.full((N,), 4.0), rtol=0.02)

    def test_the_papers_convolutions_take_sides_that_halve_three_times(self):
        with pytest.raises(ValueError, match="multiples of 8, got 28 × 28"):
            BinaryCodec((3, 28, 28), N, "paper")

    @pytest.mark.parametrize(
        ("given", "said"), [({"net": "dens"}, "'dense'"), ({"pixels": "gauss"}, "'gaussian'"), ({"n": 0}, "at least 1")]
    )
    def test_what_there_is_not_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            BinaryCodec(**given)
