"""Laws of all codecs, then what each is for. Statistical tests have fixed seeds and false-alarm rate 1e-5."""

import copy
import pickle

import numpy as np
import pytest
import torch

from channels import AWGN, BSC, GaussianPolicy, Jammer
from jscc_sim.codecs import CODECS, KLT, LDPC, BitCodec, Convolutional, Linear, NeuralCodec, Repetition
from jscc_sim.sources import Bits, Gaussian, Images


@pytest.fixture(scope="module")
def images() -> Images:
    return Images()


@pytest.fixture(scope="module")
def some(images) -> dict:
    codec = NeuralCodec(2, 3, hidden=8)
    codec.calibrate(torch.randn(2**16, 2))
    return {
        "convolutional": Convolutional(8),
        "klt": KLT(images, 0.5, n=50),
        "ldpc": LDPC(32, 64),
        "linear": Linear(4),
        "neural": codec.eval(),
        "repetition": Repetition(5, 3),
    }


def words_for(codec, count: int, images: Images) -> torch.Tensor:
    if isinstance(codec, KLT):
        return images.draw(count)
    return (Bits if isinstance(codec, BitCodec) else Gaussian)(codec.k).draw(count)


def test_no_codec_is_forgotten(some):
    assert some.keys() == CODECS.keys()
    assert all(type(codec) is CODECS[name] for name, codec in some.items())


@pytest.mark.parametrize("name", CODECS)
class TestEveryCodec:
    @pytest.fixture(autouse=True)
    def seeded(self):
        torch.manual_seed(0)

    def test_maps_words_to_words(self, name, some, images):
        codec = some[name]
        u = words_for(codec, 6, images)
        for shape in [(6,), (2, 3)]:
            x = codec.encode(u.reshape(*shape, codec.k))
            assert x.shape == (*shape, codec.n)
            assert codec.decode(x, AWGN(0.1)).shape == (*shape, codec.k)
            assert codec.loss(u.reshape(*shape, codec.k), x, AWGN(0.1)).shape == shape

    def test_sends_unit_power(self, name, some, images):
        codec = some[name]
        with torch.no_grad():
            power = codec.encode(words_for(codec, 2**13 if name != "convolutional" else 64, images)).square().mean()
        assert float(power) == pytest.approx(1, abs=0.06)

    def test_words_do_not_see_each_other(self, name, some, images):
        u = words_for(some[name], 5, images)
        assert torch.allclose(some[name].encode(u)[:2], some[name].encode(u[:2]), atol=1e-5)

    def test_sends_its_alphabet(self, name, some, images):
        if some[name].alphabet == "antipodal":
            assert set(some[name].encode(words_for(some[name], 20, images)).unique().tolist()) == {-1.0, 1.0}

    def test_recovers_clean_bits(self, name, some, images):
        if isinstance(some[name], BitCodec):
            u = words_for(some[name], 20, images)
            for law in (AWGN(0.5), BSC(0.1)):
                assert torch.equal(some[name].decode(some[name].encode(u), law), u)

    def test_the_stake_rises_with_the_noise(self, name, some, images):
        u = words_for(some[name], 200, images)
        x = some[name].encode(u)
        quiet, loud = AWGN(0.01), AWGN(10.0)
        assert some[name].loss(u, quiet(x), quiet).mean() < some[name].loss(u, loud(x), quiet).mean()

    def test_the_stake_is_differentiable_in_what_is_received(self, name, some, images):
        u = words_for(some[name], 4, images)
        y = AWGN(0.1)(some[name].encode(u)).detach().requires_grad_()
        some[name].loss(u, y, AWGN(0.1)).sum().backward()
        assert y.grad.abs().sum() > 0

    def test_survives_pickling_and_copying(self, name, some, images):
        u = words_for(some[name], 4, images)
        for other in (pickle.loads(pickle.dumps(some[name])), copy.deepcopy(some[name])):  # noqa: S301
            assert repr(other) == repr(some[name])
            assert torch.equal(other.encode(u), some[name].encode(u))


class TestKLT:
    def test_keeps_all_of_an_image_without_noise(self, images):
        u = images.draw(20)
        codec = KLT(images, 1e-9)
        assert torch.allclose(codec.decode(codec.encode(u), AWGN(1e-9)), u, atol=1e-3)

    def test_spends_its_power_on_the_strongest_components(self, images):
        codec = KLT(images, 1.1)
        assert float(codec.powers.sum()) == pytest.approx(codec.n, rel=1e-5)
        assert codec.powers[0] > 0 == codec.powers[-1]
        assert (codec.powers.diff() <= 0).all()

    def test_names_what_does_not_fit(self, images):
        with pytest.raises(ValueError, match="n <= 784, got 785"):
            KLT(images, 1.0, n=785)
        with pytest.raises(ValueError, match="knows Gaussian noise only"):
            Linear(1).decode(torch.zeros(1, 1), BSC(0.1))


class TestRepetition:
    def test_ties_are_fair(self):
        torch.manual_seed(0)
        ones = int(Repetition(1, 2).decode(torch.zeros(10**5, 2), BSC(0.1)).sum())
        assert abs(ones - 50_000) < 4.5 * np.sqrt(25_000)

    def test_believes_the_law_that_it_is_told(self):
        assert Repetition(1, 3).decode(torch.ones(1, 3), BSC(0.9)).item() == 1.0

    @pytest.mark.parametrize(("k", "times"), [(0, 3), (1, 0)])
    def test_refuses_empty_words(self, k, times):
        with pytest.raises(ValueError, match="must be at least 1"):
            Repetition(k, times)


class TestSionna:
    def test_importing_it_leaves_the_generator_alone(self):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        LDPC(32, 64)
        assert torch.equal(torch.rand(3), expected)

    def test_names_impossible_sizes(self):
        with pytest.raises(ValueError, match="no 5G LDPC code with k=10, n=5000"):
            LDPC(10, 5000)


class TestNeuralCodec:
    def test_keeps_its_slope_far_out(self):
        codec = NeuralCodec(1, 1, hidden=8)
        with torch.no_grad():
            far = codec.decoder(torch.tensor([[1e6]])) / 1e6
        assert far.item() == pytest.approx(codec.decoder.line.weight.item(), abs=1e-5)

    def test_learns_from_a_jammed_channel(self):
        codec = NeuralCodec(1, 1, hidden=8).train()
        u = torch.randn(64, 1)
        y, law = Jammer(GaussianPolicy(), 0.1).transmit(codec.encode(u), u)
        codec.loss(u, y, law).mean().backward()
        assert all(weight.grad is not None for weight in codec.parameters())
